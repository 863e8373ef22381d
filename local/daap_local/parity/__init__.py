"""One product and its files through two backends, and every difference between what comes of them."""

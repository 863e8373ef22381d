"""Products: registering and retrieving them."""

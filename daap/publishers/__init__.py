"""Catalogues that show products: OpenMetadata, and plain pages."""

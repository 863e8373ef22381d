"""daap: data as a product, local first."""

__version__ = "0.1.0"

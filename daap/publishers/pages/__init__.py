"""A catalogue of plain pages."""

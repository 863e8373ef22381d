"""Functions for DuckDB in Python. They see no NULLs: DuckDB answers NULL for those itself."""

"""DuckDB: used on the laptop and inside Lambda."""

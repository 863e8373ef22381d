"""Which functions there are: what is not in these tables is refused, whatever DuckDB may have under that name."""

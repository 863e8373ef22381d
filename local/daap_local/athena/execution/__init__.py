"""Carrying statements out: the queue, DuckDB, results, and one module for each family of statements."""

"""daap on a laptop: folders, DuckDB, a watcher and a command line."""

"""Amazon Athena's API over DuckDB: one process that unchanged Athena clients talk to."""

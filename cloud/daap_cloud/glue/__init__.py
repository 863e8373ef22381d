"""The Glue data catalogue: tables, partitions and views for Athena."""

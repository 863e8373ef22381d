"""What reads CSV and writes Parquet. One package per engine."""

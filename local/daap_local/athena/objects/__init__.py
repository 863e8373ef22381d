"""Objects by their s3:// URI: the port, and its adapters over folders and over S3."""

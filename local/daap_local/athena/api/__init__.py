"""The wire: Athena's and Glue's JSON protocol, S3's REST protocol, and one module for each family of operations."""

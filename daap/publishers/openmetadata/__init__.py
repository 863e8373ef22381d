"""OpenMetadata, over its REST API."""

"""The Glue catalogue: the port, and its adapters over documents, over a lake and over AWS."""

"""The seams: what the core asks of storage, engines and catalogues. Standard library and model only."""

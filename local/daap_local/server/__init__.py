"""What `daap-local serve` answers over HTTP."""

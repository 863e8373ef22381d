"""What a data product is: specs, schemas, versions, keys, loads, events. Imports nothing of daap but errors."""

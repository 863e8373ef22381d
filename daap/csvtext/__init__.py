"""CSV as text: the byte scan, the exact record reader, and the header. No engine, no types of values."""

"""Athena: statements run to their end, queries over the curated tables, and the engine that curates there."""

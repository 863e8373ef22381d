"""Small real adapters for tests: they pass the same contract suites as the others."""

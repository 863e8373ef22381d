"""What several suites share: a sample product with its files, lakes to put them in, and processes that die on cue."""

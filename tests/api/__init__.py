"""The HTTP API, in-process, over a lake on folders."""

"""The command line: `daap-local`. Commands are loaded when they are called, so that --help is quick."""

from daap_local.cli.main import main

__all__ = ["main"]

"""Runs a module as a program that ends when its standard input does, so that it cannot outlive who started it.

Given to the interpreter of another virtual environment as a file: `python leash.py MODULE WORDS...`. Standard library
only.
"""

import os
import runpy
import signal
import sys
import threading
import time

_PATIENCE = 10.0


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_input, daemon=True).start()
    module = sys.argv.pop(1)
    del sys.path[0]  # this folder's modules are none of the program's
    runpy.run_module(module, run_name="__main__", alter_sys=True)

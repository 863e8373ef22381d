"""`python -m daap_local`: the commands, where `daap-local` is not on the path."""

from daap_local.cli import main

if __name__ == "__main__":
    main()

"""`python -m daap_local.cloud`."""

from daap_local.cloud.cli import main

if __name__ == "__main__":
    main(prog_name="python -m daap_local.cloud")

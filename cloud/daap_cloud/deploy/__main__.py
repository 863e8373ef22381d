"""`python -m daap_cloud.deploy`."""

from daap_cloud.deploy.cli import main

if __name__ == "__main__":
    main(prog_name="python -m daap_cloud.deploy")

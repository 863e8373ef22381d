"""Deploying: a stack from the template, its code, its first token, its end. `python -m daap_cloud.deploy --help`."""

"""daap in AWS: adapters, handlers and the deployment. Nothing is opened before a function is called."""

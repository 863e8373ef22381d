"""The HTTP API: one app on the laptop and in Lambda. Routes parse, call one use case, and answer."""

"""The promises of the health checks."""

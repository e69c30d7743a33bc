"""The promises that the servers for tests keep."""

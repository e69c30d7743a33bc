"""The hosts, module by module."""

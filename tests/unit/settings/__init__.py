"""The settings, module by module."""

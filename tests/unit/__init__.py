"""The library, module by module, as scripts/repo_maintenance has them."""

"""The tests of repo-maintenance."""

"""Benchmarks that anyone can run: this workflow against what a user would do instead, in one run."""

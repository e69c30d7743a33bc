"""The library against real servers: GitHub's API and git over HTTP, and S3."""

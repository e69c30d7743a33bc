"""Real servers for tests: a fake of GitHub with git and Git LFS, S3, and a proxy that breaks connections."""

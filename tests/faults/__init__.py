"""What the tool does when GitHub, git or S3 misbehave: real HTTP, real git, a real S3 server."""

"""The bundled checks, a file each; docs/health-checks.md says what, why and what to do."""

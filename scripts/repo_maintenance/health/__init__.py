"""Health checks: what is wrong with a repository besides its backup, each with a remedy.

What a check needs to import stands here; ``docs/health-checks.md`` shows how to add one.
"""

from repo_maintenance.health.check import Check, Found, NotChecked, check
from repo_maintenance.health.examined import Examined
from repo_maintenance.settings.health import Severity

__all__ = ["Check", "Examined", "Found", "NotChecked", "Severity", "check"]

"""Finds the checks: a file each, the bundled ones and those that the settings add; and which run where."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from repo_maintenance.errors import SettingsError
from repo_maintenance.health.check import Check
from repo_maintenance.settings.health import CheckSettings, HealthSettings, Severity, check_files

DEFAULT = CheckSettings()


class Registry:
    """All checks, with what the settings say of each."""

    def __init__(self, checks: list[Check], settings: HealthSettings) -> None:
        self.checks = checks
        self._settings = settings

    @classmethod
    def load(cls, settings: HealthSettings) -> Registry:
        """Return the checks that are enabled, by name; raises SettingsError, with every problem."""
        checks = [_load(name, file) for name, file in sorted(check_files(settings.plugins).items())]
        problems = [
            f"health.checks.{check.name}.limits.{limit}: unknown limit; {_limits_of(check)}"
            for check in checks
            for limit in settings.checks.get(check.name, DEFAULT).limits
            if limit not in check.limits
        ]
        if problems:
            raise SettingsError("The configuration can't be used:\n  " + "\n  ".join(problems))
        return cls([one for one in checks if settings.checks.get(one.name, DEFAULT).enabled], settings)

    def settings_of(self, check: Check) -> CheckSettings:
        """Return what the settings say of a check."""
        return self._settings.checks.get(check.name, DEFAULT)

    def severity_of(self, check: Check) -> Severity:
        """Return how much its findings matter here."""
        return self.settings_of(check).severity or check.severity

    def limits_of(self, check: Check) -> dict[str, int]:
        """Return its limits, the settings' before its own."""
        return {**check.limits, **self.settings_of(check).limits}

    def checks_for(self, repo: str) -> list[Check]:
        """Return the checks that look at a repository of that name."""
        return [one for one in self.checks if is_chosen(repo, self.settings_of(one))]


def is_chosen(repo: str, settings: CheckSettings | HealthSettings) -> bool:
    """Whether a whole name matches one of the patterns, and no exclusion."""
    return any(re.fullmatch(one, repo) for one in settings.patterns) and not any(
        re.fullmatch(one, repo) for one in settings.exclude
    )


def _load(name: str, file: Path) -> Check:
    """Return the check of a file: the function in it that has the file's name, and is made a check."""
    where = f"health.plugins: {file}"
    try:
        module = _import(name, file)
    except Exception as error:
        raise SettingsError(f"{where} can't be loaded: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if not isinstance(found, Check):
        raise SettingsError(
            f"{where} holds no check {name}", hint="docs/health-checks.md shows how one is made"
        )
    return found


def _import(name: str, file: Path) -> ModuleType:
    """Import a file under a name of its own: a plugin's may be any, also one that is taken."""
    full_name = f"repo_maintenance.health.checks.{name}"
    spec = importlib.util.spec_from_file_location(full_name, file)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[full_name] = module
    spec.loader.exec_module(module)
    return module


def _limits_of(check: Check) -> str:
    return f"valid here: {', '.join(check.limits)}" if check.limits else "this check has none"

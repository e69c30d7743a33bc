"""The section ``health``: which checks look at which repositories, and from which limits on."""

from __future__ import annotations

import difflib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator

from repo_maintenance.settings.sections import RegularExpression, Section, WebAddress

CHECKS = Path(__file__).parents[1] / "health" / "checks"

Limit = Annotated[int, Field(ge=0)]


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


class CheckSettings(Section):
    """What is different for one check; docs/health-checks.md names the limits of each."""

    enabled: bool = True
    """`false`: the check is not run."""

    severity: Severity | None = None
    """`critical`, `warning` or `notice`; `null` for the check's own."""

    patterns: list[RegularExpression] = [".*"]
    """The check looks at repositories whose whole name matches one of these."""

    exclude: list[RegularExpression] = []
    """The check leaves out repositories whose whole name matches one of these."""

    ignore: list[RegularExpression] = []
    """What the check leaves alone: whole paths, branches or packages that match one of these."""

    limits: dict[str, Limit] = {}
    """Limits of the check by their names, such as `days` or `max_mb`."""


class IndexSettings(Section):
    """Where the newest releases of dependencies are looked up."""

    pypi_url: WebAddress = "https://pypi.org"
    """Address of PyPI, or of an index with its JSON API."""

    npm_url: WebAddress | None = None
    """Address that `npm config get registry` prints; `null`: that of the variable `NPM_CONFIG_REGISTRY`."""

    actions_url: WebAddress = "https://api.github.com"
    """Address of the GitHub API that knows the actions in workflows."""

    timeout_seconds: PositiveInt = 15
    """How long an index may take to answer; one that does not is not asked again in that run."""

    cache_hours: Limit = 24
    """An answer is used for so long before it is asked for again; an older one where the index is away."""


class HealthSettings(Section):
    """What `health` looks at, and how hard it judges."""

    patterns: list[RegularExpression] = [".*"]
    """Of the repositories that are backed up, those whose whole name matches one of these are checked."""

    exclude: list[RegularExpression] = []
    """Repositories whose whole name matches one of these are not checked."""

    checks: dict[str, CheckSettings] = {}
    """By the name of a check: what is different for it. A check that is not named here runs as it is."""

    plugins: list[Path] = []
    """Further checks: Python files, or folders of them, a check a file."""

    index: IndexSettings = IndexSettings()
    """Where the newest releases of dependencies are looked up."""

    @model_validator(mode="after")
    def _checks_exist(self) -> Self:
        known = check_files(self.plugins) if self.checks else {}
        unknown = [name for name in self.checks if name not in known]
        if unknown:
            raise ValueError("; ".join(_advise(name, sorted(known)) for name in unknown))
        return self


def check_files(plugins: list[Path]) -> dict[str, Path]:
    """Return where each check stands, by its name: a check is a file of the same name."""
    places = [CHECKS, *plugins]
    files = [file for place in places for file in (sorted(place.glob("*.py")) if place.is_dir() else [place])]
    return {file.stem: file for file in files if not file.stem.startswith("_")}


def _advise(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    advice = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
    return f"checks.{name}: unknown check; {advice}"

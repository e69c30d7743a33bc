"""The inputs of the action, and the run of the workflow that they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from repo_maintenance.errors import SettingsError

PREFIX = "INPUT_"
Task = Literal["backup", "report", "verify", "prune", "restore", "health", "preflight"]


class Inputs(BaseModel):
    """What a step that uses the action gives under ``with``; the reasons stand in ``action.yml``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task: Task = "backup"
    config: Path = Path("config/config.yaml")
    organization: str | None = None
    force: bool = False
    cores: PositiveInt = 4
    disk_mb: PositiveInt = 10_000
    dry_run: bool = False
    cache: bool = False
    cache_path: Path | None = None
    """Where the action keeps the mirrors between runs."""

    def command(self, python: str, source: Path) -> list[str]:
        """Return the command line of the run; ``source`` is the action's own checkout."""
        preview = ["--dry-run"] if self.dry_run else []
        return [
            *(python, "-P", "-m", "snakemake"),
            *("--snakefile", str(source / "Snakefile")),
            *("--workflow-profile", str(source / "profiles" / "default")),
            *("--configfile", str(self.config.absolute())),
            *("--cores", str(self.cores)),
            *(self.task, *preview),
            *("--resources", f"disk_mb={self.disk_mb}"),
        ]

    def overrides(self) -> dict[str, str]:
        """Return the variables that set what the inputs say over the configuration."""
        settings = {
            "REPO_MAINTENANCE_BACKUP__ORGANIZATION": self.organization,
            "REPO_MAINTENANCE_FORCE": "true" if self.force else None,
            "REPO_MAINTENANCE_BACKUP__CACHE": str(self.cache_path)
            if self.cache and self.cache_path
            else None,
        }
        return {name: value for name, value in settings.items() if value is not None}


def read_inputs(environment: Mapping[str, str]) -> Inputs:
    """Return the inputs; one that is empty has its default, as where a workflow has nothing to hand on.

    Raises SettingsError, whose message has a line for each input that can't be used.
    """
    given: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value.strip()
        for name, value in environment.items()
        if name.startswith(PREFIX) and value.strip()
    }
    try:
        inputs = Inputs.model_validate(given)
    except ValidationError as error:
        problems = [_describe(str(one["loc"][0]), one["msg"], given) for one in error.errors()]
        raise SettingsError("\n".join(problems)) from error
    if not inputs.config.is_file():
        raise SettingsError(
            f"input config: there is no file {inputs.config}",
            hint="check the repository out before this step, with actions/checkout",
        )
    return inputs


def _describe(field: str, message: str, given: Mapping[str, Any]) -> str:
    name = field.replace("_", "-")
    return f"input {name}: {message[:1].lower()}{message[1:]}, not '{given.get(field, '')}'"

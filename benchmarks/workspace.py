"""A folder in which the workflow runs, again and again, against one organisation and one store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.contenders import run_snakemake
from benchmarks.harness import Measurement
from benchmarks.serve import OWNER, TOKEN
from benchmarks.servers import ROOT


@dataclass(frozen=True)
class Workspace:
    """A folder with a configuration of its own."""

    folder: Path
    api_url: str
    store: Mapping[str, Any]
    """The keys below `backup` that say where backups go."""
    environment: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keys below `backup`."""
    checkout: Path = ROOT

    def run(self, *arguments: str) -> Measurement:
        """Run `snakemake ARGUMENTS` there; raises RuntimeError with the end of its output where it fails."""
        backup = {
            "organization": OWNER,
            "github": {"api_url": self.api_url},
            **self.store,
            **self.options,
        }
        config = self.folder / "config" / "config.yaml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(yaml.safe_dump({"backup": backup}))
        command = ["--snakefile", str(self.checkout / "Snakefile"), "--directory", str(self.folder)]
        environment = {"GITHUB_TOKEN": TOKEN, **self.environment}
        return run_snakemake([*command, *arguments], self.folder, environment)

    def summary(self) -> dict[str, Any]:
        """Return what `results/summary.json` says of the last run."""
        content: dict[str, Any] = json.loads((self.folder / "results" / "summary.json").read_text())
        return content

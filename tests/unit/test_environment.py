"""The conda environment: the same packages, in the same versions, as pip installs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

PROJECT = Path(__file__).parents[2]
# Where conda-forge and bioconda name a package otherwise than PyPI does.
CONDA_NAMES = {
    "isal": "python-isal",
    "prometheus-client": "prometheus_client",
    "snakemake": "snakemake-minimal",
}
BESIDE_PYTHON = {"git", "git-lfs"}


def load_environment() -> dict[str, Any]:
    """Return what environment.yml says."""
    content: dict[str, Any] = yaml.safe_load((PROJECT / "environment.yml").read_text())
    return content


def load_project() -> dict[str, Any]:
    """Return the table [project] of pyproject.toml."""
    content: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return content


def conda_packages() -> dict[str, SpecifierSet]:
    """Return the packages of environment.yml: name → versions; an entry of another form is an error."""
    found: dict[str, SpecifierSet] = {}
    for entry in load_environment()["dependencies"]:
        match = re.fullmatch(r"(?P<name>[a-z0-9_-]+)( (?P<versions>\S+))?", entry)
        assert match is not None, entry
        assert match["name"] not in found, entry
        found[match["name"]] = SpecifierSet(match["versions"] or "")
    return found


def pip_packages() -> dict[str, SpecifierSet]:
    """Return the dependencies of pyproject.toml under conda's names: name → versions."""
    requirements = [Requirement(line) for line in load_project()["dependencies"]]
    names = {one: one.name.lower().replace("_", "-") for one in requirements}
    return {CONDA_NAMES.get(name, name): one.specifier for one, name in names.items()}


def test_conda_installs_what_pip_installs() -> None:
    """Each dependency of pyproject.toml is in environment.yml with the same versions, and nothing else is."""
    conda = conda_packages()
    beside = {name: conda.pop(name) for name in [*BESIDE_PYTHON, "python"]}

    assert pip_packages() == conda
    assert load_project()["requires-python"] == beside["python"]


def test_git_is_part_of_the_environment() -> None:
    """What Python's packages don't bring, git and git-lfs, conda brings."""
    assert set(conda_packages()) >= BESIDE_PYTHON


def test_packages_come_from_the_community_channels() -> None:
    """conda-forge before bioconda, as bioconda asks, and never the commercial default channel."""
    expected = ["conda-forge", "bioconda", "nodefaults"]

    assert expected == load_environment()["channels"]

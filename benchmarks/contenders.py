"""What is timed: cloning alone, the plain sequence, Snakemake's own start, and this workflow."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.harness import Measurement, child_environment, measure, run_watched
from benchmarks.serve import OWNER, TOKEN
from benchmarks.servers import ROOT, Site, Stores, Target
from tests.servers.repositories import git_environment

TRIVIAL = 'rule done:\n    output:\n        touch("done")\n'
SNAKEMAKE = [sys.executable, "-m", "snakemake"]


def clone(url: str, target: Path) -> None:
    """Run `git clone --mirror`, as anyone would."""
    command = ["git", "clone", "--quiet", "--mirror", "--", url, str(target)]
    subprocess.run(command, env=git_environment(), check=True)


@dataclass(frozen=True)
class CloneOnly:
    """The floor: `git clone --mirror` of every repository, several at a time."""

    site: Site
    at_once: int

    def __call__(self, folder: Path) -> Measurement:
        """Clone everything."""

        def work() -> None:
            with ThreadPoolExecutor(self.at_once) as pool:
                targets = (folder / f"{name}.git" for name in self.site.clone_urls)
                list(pool.map(clone, self.site.clone_urls.values(), targets))

        return measure(work)


@dataclass(frozen=True)
class PlainSequence:
    """What a short script does: clone, `tar -czf`, MD5, upload, one repository after the other."""

    site: Site
    stores: Stores

    def __call__(self, folder: Path) -> Measurement:
        """Back everything up."""
        store = self.stores.new(folder)

        def work() -> None:
            for name, url in self.site.clone_urls.items():
                _back_up(name, url, folder, store)

        measured = measure(work)
        _check_count(store, self.site)
        return measured


def _back_up(name: str, url: str, folder: Path, store: Target) -> None:
    mirror, tarball = folder / f"{name}.git", folder / f"{name}.tar.gz"
    clone(url, mirror)
    subprocess.run(["tar", "-C", folder, "-czf", tarball, mirror.name], check=True)
    with tarball.open("rb") as stream:
        md5 = hashlib.file_digest(stream, "md5").hexdigest()
    store.put(tarball, f"{name}/{tarball.name}", md5)
    shutil.rmtree(mirror)
    tarball.unlink()


# As a careful person would write it: an upload whose tar failed counts as failed.
PIPE = """
set -o pipefail
git clone --quiet --mirror -- "$BASE/$1.git" "$1.git" && tar -cz "$1.git" | {sink} && rm -rf "$1.git"
"""


@dataclass(frozen=True)
class ShellPipes:
    """What a line of shell does: `xargs -P` over `git clone`, and `tar -cz` piped into an S3 client."""

    site: Site
    stores: Stores
    at_once: int

    def __call__(self, folder: Path) -> Measurement:
        """Back everything up."""
        store = self.stores.new(folder)
        pipe = PIPE.format(sink=store.sink())
        command = ["xargs", "-P", str(self.at_once), "-I", "{}", "bash", "-c", pipe, "bash", "{}"]
        base = next(iter(self.site.clone_urls.values())).rpartition("/")[0]
        environment = {**git_environment(), **self.stores.environment(), "BASE": base}
        names = "".join(f"{name}\n" for name in self.site.clone_urls)

        def work() -> None:
            subprocess.run(command, input=names, text=True, cwd=folder, env=environment, check=True)

        measured = measure(work)
        _check_count(store, self.site)
        return measured


def snakemake_version(folder: Path) -> Measurement:
    """Run `snakemake --version`."""
    return run_snakemake(["--version"], folder, {})


def snakemake_start(folder: Path) -> Measurement:
    """Run one trivial rule: what Snakemake itself takes to start, plan, run a job, and end."""
    (folder / "Snakefile").write_text(TRIVIAL)
    return run_snakemake(["--cores", "1"], folder, {})


def snakemake_preview(folder: Path) -> Measurement:
    """Preview one trivial rule, `-n`: what Snakemake itself takes to start, plan, and end."""
    (folder / "Snakefile").write_text(TRIVIAL)
    return run_snakemake(["-n"], folder, {})


@dataclass(frozen=True)
class Workflow:
    """This workflow: `snakemake --cores N backup` in a fresh directory."""

    site: Site
    stores: Stores
    cores: int
    checkout: Path = ROOT
    options: tuple[str, ...] = ()

    def __call__(self, folder: Path) -> Measurement:
        """Back everything up, and check that all of it is stored."""
        store = self.stores.new(folder)
        backup = {"organization": OWNER, "github": {"api_url": self.site.api_url}, **store.settings}
        (folder / "config").mkdir()
        (folder / "config" / "config.yaml").write_text(yaml.safe_dump({"backup": backup}))
        command = ["--snakefile", str(self.checkout / "Snakefile"), "--directory", str(folder)]
        command += ["--cores", str(self.cores), *self.options, "backup"]
        environment = {"GITHUB_TOKEN": TOKEN, **self.stores.environment()}
        measured = run_snakemake(command, folder, environment)
        _check_count(store, self.site)
        summary = json.loads((folder / "results" / "summary.json").read_text())
        assert summary["failed"] == 0, summary
        return measured


def run_snakemake(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> Measurement:
    """Run Snakemake in a folder, its output to `snakemake.log` there; RuntimeError where it fails."""
    log = folder / "snakemake.log"
    variables = child_environment(environment)
    command = [*SNAKEMAKE, *arguments]
    return measure(lambda: run_watched(command, cwd=folder, environment=variables, log=log))


def _check_count(store: Target, site: Site) -> None:
    stored, expected = store.count(), len(site.clone_urls)
    if stored != expected:
        raise RuntimeError(f"{expected} repositories were to be stored, but {stored} are")

"""On a cluster: the jobs of all repositories go to a node in one submission, and come back as backups."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.repositories import make_repository
from tests.servers.slurm import SlurmCluster, missing_programs
from tests.workflow.workspace import PROJECT

NAMES = ["lecture-one", "lecture-two", "lecture-three"]
SECRET = "a-token-that-no-script-holds"
# The plugin, and what it needs beside Snakemake. Installed apart: where an executor plugin is in the
# environment itself, every start of Snakemake imports it.
PLUGIN = ["snakemake-executor-plugin-slurm", "snakemake-executor-plugin-slurm-jobstep", "throttler"]
PLUGIN += ["pandas", "numpy", "python-dateutil", "pytz", "tzdata"]
TEST_CLUSTER = ["--default-resources", "slurm_partition=main", "runtime=10", "mem_mb=500", "--cores", "2"]
TEST_CLUSTER += ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"]
TEST_CLUSTER += ["--seconds-between-status-checks", "2"]

pytestmark = pytest.mark.skipif(
    bool(missing_programs()) or os.geteuid() != 0,
    reason="needs root, and Debian's slurm-wlm and munge",
)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that has the executor plugin."""
    target = tmp_path_factory.mktemp("plugin")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        *PLUGIN,
    ]
    subprocess.run(command, check=True)
    return target


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[SlurmCluster]:
    """Return a cluster of one node."""
    with SlurmCluster(tmp_path / "slurm") as running:
        yield running


def test_a_cluster_backs_up_in_one_submission(cluster: SlurmCluster, plugin: Path, tmp_path: Path) -> None:
    """All repositories are stored by one job of Slurm's, and no secret is in its script."""
    folder = tmp_path / "run"
    for name in NAMES:
        make_repository(folder / "upstream" / f"{name}.git", commits=2)
    (folder / "config").mkdir()
    (folder / "config" / "config.yaml").write_text("backup: {folder: upstream, directory: kept}\n")
    profiles = [f"--workflow-profile={PROJECT}/profiles/default", f"--profile={PROJECT}/profiles/slurm"]
    snakemake = [
        sys.executable,
        "-m",
        "snakemake",
        f"--snakefile={PROJECT}/Snakefile",
        f"--directory={folder}",
    ]

    done = subprocess.run(
        [*snakemake, *profiles, *TEST_CLUSTER, "backup"],
        env=os.environ | {"PYTHONPATH": str(plugin), "GITHUB_TOKEN": SECRET},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert sorted(NAMES) == sorted(path.parent.name for path in (folder / "kept").glob("*/*.tar.gz"))
    assert done.stderr.count("has been submitted with SLURM jobid") == 1
    assert "backed up         3" in done.stderr
    assert cluster.job_scripts()
    assert SECRET not in cluster.job_scripts()

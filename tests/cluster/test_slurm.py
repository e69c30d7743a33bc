"""On a cluster with Slurm: fifty repositories a submission, each backed up on one node."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.faults.test_secrets import Watch
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.seaweed import SeaweedServer
from tests.servers.slurm import SlurmCluster, missing_programs
from tests.workflow.workspace import PROJECT, Workspace

# More than profiles/slurm puts into a submission.
MANY = 53
# The target stands first: some of these take every word that follows. Without accounting, squeue tells.
TEST_CLUSTER = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"]
TEST_CLUSTER += ["--seconds-between-status-checks", "2"]
TIMEOUT_SECONDS = 300
STEPS = {"mirror_repository", "archive_repository", "upload_backup"}

pytestmark = pytest.mark.skipif(
    bool(missing_programs()) or os.geteuid() != 0,
    reason="needs root, and Debian's slurm-wlm and munge",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    """Return a cluster of one node with the 4 CPUs that a submission asks for."""
    with SlurmCluster(tmp_path_factory.mktemp("slurm"), cpus=4) as running:
        yield running


@dataclass
class Laboratory:
    """A folder that all nodes share, from which jobs are submitted."""

    workspace: Workspace
    python: Path

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a backup on the cluster."""
        self.workspace.write_config()
        profiles = [f"--workflow-profile={PROJECT}/profiles/default", f"--profile={PROJECT}/profiles/slurm"]
        _python, *command = self.workspace.command(*profiles, "backup", *TEST_CLUSTER, *arguments)
        return subprocess.Popen(
            [self.python, *command],
            cwd=self.workspace.path,
            env=self.workspace.child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def backup(self, *arguments: str) -> tuple[int, str]:
        """Back up on the cluster; returns the exit code, and what was said."""
        process = self.begin(*arguments)
        said, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        return process.returncode, said


@pytest.fixture
def laboratory(
    cluster: SlurmCluster, python_with: Callable[[str], Path], workspace: Path, github: FakeGitHub
) -> Laboratory:
    """Return a laboratory that backs up the fake organisation to a folder."""
    assert cluster.place.is_dir()
    backup = {"organization": "acme", "directory": "kept", "github": {"api_url": github.api_url}}
    environment = {"GITHUB_TOKEN": TOKEN, "NO_PROXY": "127.0.0.1"}
    return Laboratory(Workspace(workspace, {"backup": backup}, environment), python_with("slurm"))


def submissions(said: str) -> int:
    """Return how many jobs Slurm was given, by what Snakemake said."""
    return said.count("has been submitted with SLURM jobid")


def test_fifty_repositories_are_one_submission(
    cluster: SlurmCluster, laboratory: Laboratory, github: FakeGitHub, seaweed: SeaweedServer
) -> None:
    """Of 53, fifty go to a node in one submission, with all their steps; GitHub is asked once for its list.

    No secret is in a job script, in an argument of a process, or in what the run leaves behind.
    """
    names = [f"lecture-{number:02d}" for number in range(MANY)]
    for name in names:
        github.add_repository("acme", name, private=True, has_wiki=False)
    bucket = seaweed.new_bucket()
    s3 = {"bucket": bucket, "prefix": "kept/", "endpoint_url": seaweed.endpoint_url}
    laboratory.workspace.config = {"backup": {**laboratory.workspace.config["backup"], "s3": s3}}
    laboratory.workspace.environment = {**laboratory.workspace.environment, **seaweed.environment()}

    with Watch() as watch:
        code, said = laboratory.backup()

    assert code == 0, said
    assert f"backed up        {MANY}" in said
    listed = seaweed.client().list_objects_v2(Bucket=bucket, Prefix="kept/lecture-")["Contents"]
    assert names == sorted(item["Key"].split("/")[1] for item in listed)
    assert 2 == submissions(said)
    scripts = [script for script in cluster.job_scripts() if str(laboratory.workspace.path) in script]
    groups = [repositories_of(script) for script in scripts]
    assert [MANY - 50, 50] == sorted(len(group) for group in groups)
    assert all(steps == STEPS for group in groups for steps in group.values())
    assert 1 == len([request for request in github.api_requests() if request.path.endswith("/repos")])
    largest = next(job for job in cluster.describe_jobs() if "NumCPUs=4" in job)
    assert "TimeLimit=06:30:00" in largest
    assert "MinMemoryNode=4000M" in largest
    secrets = [TOKEN.encode(), seaweed.environment()["AWS_SECRET_ACCESS_KEY"].encode()]
    left = [path.read_bytes() for path in laboratory.workspace.path.rglob("*") if path.is_file()]
    seen = [*watch.seen, *left, *(script.encode() for script in scripts)]
    assert not [content for content in seen if any(secret in content for secret in secrets)]


def repositories_of(script: str) -> dict[str, set[str]]:
    """Return what a job script does: repository → rules."""
    found: dict[str, set[str]] = {}
    for rule, name in re.findall(r"(\w+):repo=([\w-]+)", script):
        found.setdefault(name, set()).add(rule)
    return found


def test_a_failure_on_a_node_costs_no_other_backup(laboratory: Laboratory, github: FakeGitHub) -> None:
    """The others of the same submission are stored, and known as stored; the run says what failed."""
    for name in ("one", "two", "three", "four", "broken"):
        github.add_repository("acme", name, private=True, has_wiki=False)
    shutil.rmtree(github.repository("acme", "broken").path / "objects")

    code, said = laboratory.backup()

    assert 1 == code
    assert 1 == submissions(said)
    assert "backed up         4" in said
    assert "FAILED broken (mirror)" in said
    assert "not reached" not in said
    receipts = (laboratory.workspace.path / "results" / "uploaded").iterdir()
    assert ["four", "one", "three", "two"] == sorted(path.name.split("-")[0] for path in receipts)


def test_repositories_of_a_submission_are_worked_on_at_the_same_time(
    laboratory: Laboratory, github: FakeGitHub
) -> None:
    """Four repositories whose transfer takes 3 seconds each are stored within 3 seconds of each other."""
    for name in ("one", "two", "three", "four"):
        github.add_repository("acme", name, private=True, has_wiki=False)
    github.fault(Fault(matching(r"git-upload-pack", "POST"), delay=3.0))

    code, said = laboratory.backup()

    assert code == 0, said
    logs = (laboratory.workspace.path / "results" / "logs" / "upload").iterdir()
    ended = [path.stat().st_mtime for path in logs]
    assert 4 == len(ended)
    assert max(ended) - min(ended) < 3.0


def test_what_was_cancelled_is_made_by_the_next_run(laboratory: Laboratory, github: FakeGitHub) -> None:
    """`scancel` in the midst ends the run with 1 and harms nothing; the next run stores what is missing."""
    for name in ("one", "two"):
        github.add_repository("acme", name, private=True, has_wiki=False)
    slow = github.fault(Fault(matching(r"/two\.git/"), delay=60.0))

    run = laboratory.begin()
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not slow.hits or not list((laboratory.workspace.path / "kept").glob("one/*.tar.gz")):
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.2)
    subprocess.run(["scancel", "--user=root"], check=True)
    said, _ = run.communicate(timeout=TIMEOUT_SECONDS)
    github.clear_faults()
    again, said_again = laboratory.backup()

    assert 1 == run.returncode, said
    assert 0 == again, said_again
    assert "backed up         1" in said_again
    assert "up to date        1" in said_again

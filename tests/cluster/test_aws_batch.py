"""On AWS Batch: the real executor plugin against moto's API; what it submits is run here."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.shared_folder import SharedCheckout, container_path
from tests.conftest import TOKEN
from tests.servers.aws_batch import REGION, LocalBatch
from tests.servers.github import FakeGitHub

pytestmark = pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync")


@pytest.fixture
def python(python_with: Callable[[str], Path]) -> Path:
    """Return the Python that has the executor plugin."""
    return python_with("aws-batch")


@pytest.fixture
def batch(tmp_path: Path, python: Path, caplog: pytest.LogCaptureFixture) -> Iterator[LocalBatch]:
    """Return a queue whose machines can `mount` (the folder is there already), and know GitHub's token."""
    caplog.set_level(logging.WARNING, "werkzeug")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "mount").write_text("#!/bin/sh\n")
    (programs / "mount").chmod(0o755)
    place = tmp_path / "machines"
    place.mkdir()
    with LocalBatch(place, f"{programs}:{container_path(python)}") as queue:
        secret = {"Name": "repo-maintenance/github", "SecretString": TOKEN}
        queue.client("secretsmanager").create_secret(**secret)
        yield queue


@pytest.fixture
def checkout(tmp_path: Path, python: Path, batch: LocalBatch, github: FakeGitHub) -> SharedCheckout:
    """Return a checkout on the file system that the machines have, too."""
    made = SharedCheckout(tmp_path / "shared", python, "aws-batch", batch.environment())
    made.prepare(github)
    return made


def arguments(batch: LocalBatch) -> list[str]:
    """Return where the queue is, and that two repositories are worked on at a time, as the profile says."""
    own = ["--aws-batch-job-queue", batch.queue, "--aws-batch-job-role", batch.role]
    return ["--cores", "2", "--aws-batch-region", REGION, *own]


def test_one_job_backs_up_and_no_secret_is_in_its_definition(
    checkout: SharedCheckout, batch: LocalBatch, github: FakeGitHub
) -> None:
    """Three private repositories go to one machine; its token comes from Secrets Manager by the job role."""
    for name in ("one", "two", "three"):
        github.add_repository("acme", name, private=True, has_wiki=False)

    run = checkout.run("backup", *arguments(batch))

    said = run.output + "".join(log.read_text() for log in batch.logs)
    assert run.code == 0, said
    assert ["one", "three", "two"] == checkout.stored()
    assert "backed up         3" in run.output
    assert 1 == len([request for request in github.api_requests() if request.path.endswith("/repos")])
    assert 1 == len(batch.definitions)
    (definition,) = batch.definitions
    container = definition["containerProperties"]
    assert ["SNAKEMAKE_STORAGE_S3_REGION"] == [variable["name"] for variable in container["environment"]]
    assert batch.role == container["jobRoleArn"]
    needs = {one["type"]: one["value"] for one in container["resourceRequirements"]}
    assert {"VCPU": "2", "MEMORY": "4096"} == needs
    assert 86400 == definition["timeout"]["attemptDurationSeconds"]
    assert TOKEN not in json.dumps(batch.definitions, default=str)
    assert TOKEN not in said


def test_a_preview_needs_no_account(checkout: SharedCheckout, github: FakeGitHub) -> None:
    """`snakemake --profile profiles/aws-batch -n` says what would be done, and submits nothing."""
    github.add_repository("acme", "one", has_wiki=False)
    checkout.environment = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}

    run = checkout.run("backup", "-n", "--cores", "2")

    assert run.code == 0, run.output
    assert "1 selected, 1 to back up" in run.output

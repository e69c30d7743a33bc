"""On Kubernetes: the real executor plugin against an API that records what it is given, and runs it here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.shared_folder import SharedCheckout, container_path
from tests.conftest import TOKEN
from tests.servers.github import FakeGitHub
from tests.servers.kubernetes import FakeKubernetes

pytestmark = pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync")


@pytest.fixture
def python(python_with: Callable[[str], Path]) -> Path:
    """Return the Python that has the executor plugin."""
    return python_with("kubernetes")


@pytest.fixture
def kubernetes(tmp_path: Path, python: Path) -> Iterator[FakeKubernetes]:
    """Return a cluster."""
    place = tmp_path / "pods"
    place.mkdir()
    with FakeKubernetes(place, container_path(python)) as cluster:
        yield cluster


@pytest.fixture
def checkout(tmp_path: Path, python: Path, kubernetes: FakeKubernetes, github: FakeGitHub) -> SharedCheckout:
    """Return a checkout on the volume that the pods have, too."""
    environment = {"KUBECONFIG": str(kubernetes.client_configuration())}
    made = SharedCheckout(tmp_path / "shared", python, "kubernetes", environment)
    made.prepare(github)
    return made


def arguments(checkout: SharedCheckout) -> list[str]:
    """Return what says where the volume is, and which secrets there are."""
    volume = checkout.settings_of()["kubernetes-persistent-volumes"][0].replace("/shared", str(checkout.path))
    return ["--kubernetes-persistent-volumes", volume, "--envvars", "GITHUB_TOKEN"]


def test_one_pod_backs_up_and_gets_its_secrets_as_secrets(
    checkout: SharedCheckout, kubernetes: FakeKubernetes, github: FakeGitHub
) -> None:
    """All repositories go to one pod; one that fails costs no other. GitHub is asked once for its list.

    The Job has no secret in its command or its environment: it names a Secret, which is gone after the run.
    """
    for name in ("one", "two", "three", "broken"):
        github.add_repository("acme", name, private=True, has_wiki=False)
    shutil.rmtree(github.repository("acme", "broken").path / "objects")

    run = checkout.run("backup", *arguments(checkout), "--seconds-between-status-checks", "1")

    assert 1 == run.code
    assert ["one", "three", "two"] == checkout.stored(), run.output
    assert "backed up         3" in run.output
    assert "FAILED broken (mirror)" in run.output
    assert "log: results/logs/mirror/broken.log" in run.output
    assert (checkout.path / "results" / "logs" / "mirror" / "broken.log").is_file()
    assert 1 == len([request for request in github.api_requests() if request.path.endswith("/repos")])
    assert 1 == len(kubernetes.jobs)
    assert TOKEN not in json.dumps(kubernetes.jobs)
    (container,) = kubernetes.jobs[0]["spec"]["template"]["spec"]["containers"]
    assert ["GITHUB_TOKEN"] == [variable["name"] for variable in container["env"]]
    assert "secretKeyRef" in container["env"][0]["valueFrom"]
    assert {} == kubernetes.secrets
    logs = [pod.log.read_text() for pod in kubernetes.pods.values()]
    brought = [line for log in logs for line in log.splitlines() if "Storing in storage" in line]
    assert brought
    assert not [line for line in brought if "/mirrors/" in line or "/archives/" in line]
    assert not [log for log in [*logs, run.output] if TOKEN in log]


def test_a_preview_needs_no_cluster(checkout: SharedCheckout, github: FakeGitHub) -> None:
    """`snakemake --profile profiles/kubernetes -n` says what would be done, and submits nothing."""
    github.add_repository("acme", "one", has_wiki=False)
    checkout.environment = {}

    run = checkout.run("backup", "-n", *arguments(checkout))

    assert run.code == 0, run.output
    assert "1 selected, 1 to back up" in run.output

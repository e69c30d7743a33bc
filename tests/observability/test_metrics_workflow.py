"""Logs and metrics through Snakemake, as a user has them: a run, its metrics, and its lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.servers.github import FakeGitHub
from tests.servers.repositories import corrupt, make_repository, push_commit
from tests.servers.seaweed import SeaweedServer
from tests.unit.making import age
from tests.unit.test_metrics import Values, gateway, read, value
from tests.workflow.workspace import Workspace

NAMES = ["lecture", "slides"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a folder that backs two repositories up, and publishes to a textfile and a gateway."""
    for name in NAMES:
        make_repository(tmp_path / "acme" / f"{name}.git")
    age(tmp_path / "acme", days=3)
    backup = {"folder": str(tmp_path / "acme"), "lfs": False, "git": {"attempts": 1, "wait_seconds": 0}}
    metrics = {"textfile": str(tmp_path / "collector" / "backups.prom")}
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Workspace(folder, {"backup": backup, "metrics": metrics})


@pytest.fixture
def pushed() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve a gateway; returns its address and what was pushed."""
    with gateway(200) as served:
        yield served


def textfile(workspace: Workspace) -> Path:
    """Return where the metrics of a workspace go."""
    return Path(workspace.config["metrics"]["textfile"])


def written(workspace: Workspace) -> Values:
    """Return the metrics that were written."""
    return read(textfile(workspace).read_text())


def test_each_run_ends_with_its_metrics(workspace: Workspace) -> None:
    """A good run, one with nothing to do, a failed one and a verify each leave what then holds."""
    workspace.backup()
    first = written(workspace)
    assert (2, 2, 1) == (
        value(first, "last_run_repositories", kind="backup", outcome="done"),
        value(first, "repositories", state="unproven"),
        value(first, "last_run_success", kind="backup"),
    )

    assert "Nothing to be done" in workspace.backup().output
    idle = written(workspace)
    assert (0, 2) == (
        value(idle, "last_run_repositories", kind="backup", outcome="done"),
        value(idle, "last_run_repositories", kind="backup", outcome="unchanged"),
    )

    upstream = Path(workspace.config["backup"]["folder"]) / "slides.git"
    push_commit(upstream)
    corrupt(upstream)
    assert 1 == workspace.backup().code
    failed = written(workspace)
    assert (0, 1) == (
        value(failed, "last_run_success", kind="backup"),
        value(failed, "repository_state", repository="slides", state="failed"),
    )
    succeeded = value(failed, "last_success_timestamp_seconds", kind="backup")
    assert value(idle, "last_success_timestamp_seconds", kind="backup") == succeeded

    done = workspace.run("--cores", "2", "verify")
    assert 0 == done.code, done.output
    verified = written(workspace)
    assert 0 < (value(verified, "last_proven_timestamp_seconds", repository="slides") or 0)
    assert 0 < (value(verified, "restore_duration_seconds", repository="lecture") or 0)


def test_metrics_are_a_target_of_their_own(
    workspace: Workspace, pushed: tuple[str, list[tuple[str, str]]]
) -> None:
    """`snakemake metrics` measures without backing anything up, and says where the metrics went."""
    address, bodies = pushed
    config = dict(workspace.config) | {"metrics": {"pushgateway": address}}

    done = Workspace(workspace.path, config).run("--cores", "1", "metrics")

    assert 0 == done.code, done.output
    assert f"metrics: published to {address}" in done.output
    ((_path, body),) = bodies
    assert 2 == value(read(body), "repositories", state="never")
    assert not textfile(workspace).exists()


def test_a_dead_gateway_fails_no_backup(workspace: Workspace) -> None:
    """A run whose gateway is dead stores everything, says so in a warning, and ends well."""
    metrics = dict(workspace.config["metrics"]) | {"pushgateway": "http://127.0.0.1:9"}
    config = dict(workspace.config) | {"metrics": metrics}

    done = Workspace(workspace.path, config).backup()

    assert 0 == done.code, done.output
    assert "WARNING - metrics: http://127.0.0.1:9 does not take them" in done.output
    assert "Traceback" not in done.output
    assert 2 == value(written(workspace), "covered_repositories")


def test_a_preview_publishes_nothing(workspace: Workspace) -> None:
    """A dry run looks at much, and leaves no metrics behind."""
    assert 0 == workspace.run("-n", "backup").code
    assert 0 == workspace.run("-n", "metrics").code

    assert not textfile(workspace).exists()


def test_json_lines_of_a_run_can_be_followed(workspace: Workspace) -> None:
    """Every line of the run's file and of its jobs' logs is JSON, with one run, its rule and repository."""
    log = workspace.path / "backup.log"
    config = dict(workspace.config) | {"logging": {"json": True, "file": str(log)}}

    done = Workspace(workspace.path, config).backup("--config", "verbose=true")

    assert 0 == done.code, done.output
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    assert 1 == len({line["run"] for line in lines})
    assert "DEBUG" in {line["level"] for line in lines}
    of_jobs = {(line["rule"], line["repository"]) for line in lines if line["rule"] != "-"}
    rules = ["mirror_repository", "archive_repository", "upload_backup"]
    assert {(rule, name) for rule in rules for name in NAMES} == of_jobs
    for name in NAMES:
        own = (workspace.path / "results" / "logs" / "mirror" / f"{name}.log").read_text().splitlines()
        assert {name} == {json.loads(line)["repository"] for line in own}


def test_everything_logged_is_without_secrets(
    github: FakeGitHub, seaweed: SeaweedServer, tmp_path: Path
) -> None:
    """With `verbose`, each git command and request is told of, the quota is measured, and no secret shown."""
    for name in NAMES:
        github.add_repository("acme", name, private=True)
    place = {"bucket": seaweed.new_bucket(), "region": "us-east-1", "endpoint_url": seaweed.endpoint_url}
    source = {"organization": "acme", "github": {"api_url": github.api_url}}
    target = tmp_path / "backups.prom"
    config = {"backup": source | {"s3": place}, "metrics": {"textfile": str(target)}, "verbose": True}
    (tmp_path / "run").mkdir()
    keys = seaweed.environment()
    run = Workspace(tmp_path / "run", config, {**keys, "GITHUB_TOKEN": TOKEN})

    done = run.backup()

    assert 0 == done.code, done.output
    told = ("/git-upload-pack: 200", "git index-pack", "GET /orgs/acme/repos", "S3 PutObject")
    assert [] == [word for word in told if word not in done.output]
    logs = [path.read_text() for path in (run.path / "results" / "logs").rglob("*.log")]
    secrets = [TOKEN, keys["AWS_SECRET_ACCESS_KEY"]]
    assert [] == [text for text in [done.output, *logs] if any(secret in text for secret in secrets)]
    values = read(target.read_text())
    assert 0 < (value(values, "github_quota_remaining") or 0)
    assert 2 == value(values, "last_run_repositories", kind="backup", outcome="done")

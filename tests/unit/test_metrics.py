"""Promises of the metrics: what Prometheus is told of real backups, and that telling it costs no backup."""

from __future__ import annotations

import datetime as dt
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from repo_maintenance import naming, processes, tally
from repo_maintenance.errors import HostError, JobFailedError
from repo_maintenance.exposition import registry_of, write_textfile
from repo_maintenance.history import RunRecord
from repo_maintenance.meter import Meter
from repo_maintenance.metrics import Family, describe
from repo_maintenance.observer import Observer
from repo_maintenance.overview import Overview
from repo_maintenance.settings import load_settings
from repo_maintenance.tally import Quota
from repo_maintenance.verify import prove
from tests.unit.organization import Organization

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]
NOW = dt.datetime.now(dt.UTC)
RUN = RunRecord(
    kind="backup",
    run="0123abcd",
    started_at=NOW,
    seconds=12.5,
    ok=False,
    total=10,
    done=3,
    failed=2,
    covered=9,
    bytes_done=5000,
    bytes_stored=9000,
    step_seconds={"mirror": 7.25},
    retries={"s3": 4},
)


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    """Count from zero, and leave no count to others."""
    tally.reset()
    yield
    tally.reset()


def look(organization: Organization, **config: Any) -> Overview:
    """Return how the organisation stands."""
    settings = load_settings(organization.config() | config, {})
    return Observer(settings, lambda: organization.store, lambda: organization.host).overview


def meter(organization: Organization, **metrics: Any) -> Meter:
    """Return what measures the organisation."""
    settings = load_settings(organization.config() | {"metrics": metrics}, {})
    return Meter(settings, lambda: look(organization))


def read(text: str) -> Values:
    """Return what Prometheus reads, without the label that all have."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        (
            sample.name.removeprefix("repo_maintenance_"),
            frozenset((name, value) for name, value in sample.labels.items() if name != "source"),
        ): sample.value
        for sample in samples
    }


def value(values: Values, name: str, **labels: str) -> float | None:
    """Return the value of one series, None where there is none."""
    return values.get((name, frozenset(labels.items())))


def measured(families: list[Family], target: Path) -> Values:
    """Return what Prometheus reads of these metrics."""
    write_textfile(registry_of(families, "acme"), target)
    return read(target.read_text(encoding="utf-8"))


@contextmanager
def gateway(status: int) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve something that takes pushes; yields its address and what was pushed: path and body."""
    pushed: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            pushed.append((self.path, body.decode()))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", pushed
        server.shutdown()
        thread.join()


def test_real_backups_are_told_of(organization: Organization, tmp_path: Path) -> None:
    """Of each repository: when its newest backup was made and proven, how many there are, and their size."""
    organization.resolve()
    organization.run()
    backup = look(organization).repositories[0]
    assert backup.newest is not None
    name = naming.BackupName(backup.name, backup.newest)
    assert prove(organization.store, name, tmp_path / "scratch", clock=NOW).is_good
    overview = look(organization)

    values = measured(describe(overview, None), tmp_path / "m.prom")

    for repo in ("data_tools", "lecture-intro", "lecture-python"):
        stamp = value(values, "last_backup_timestamp_seconds", repository=repo)
        size = value(values, "newest_backup_bytes", repository=repo)
        assert stamp is not None
        assert NOW.timestamp() - 60 < stamp <= overview.generated_at.timestamp()
        assert size == value(values, "repository_stored_bytes", repository=repo)
        assert 1 == value(values, "repository_backups", repository=repo)
    assert 1 == value(values, "repository_state", repository="data_tools", state="safe")
    assert 1 == value(values, "repository_state", repository="lecture-intro", state="unproven")
    assert (1, 2) == (
        value(values, "repositories", state="safe"),
        value(values, "repositories", state="unproven"),
    )
    proven = value(values, "last_proven_timestamp_seconds", repository="data_tools")
    assert proven == pytest.approx(NOW.timestamp(), abs=1)
    assert None is value(values, "last_proven_timestamp_seconds", repository="lecture-intro")
    assert (3, 3, 3) == tuple(
        value(values, total) for total in ("matched_repositories", "covered_repositories", "stored_backups")
    )
    assert sum(path.stat().st_size for path in organization.backups.rglob("*.tar.gz")) == value(
        values, "stored_bytes"
    )


def test_ages_are_counted_from_the_look(organization: Organization, tmp_path: Path) -> None:
    """An age is what there is between its timestamp and the moment of the look."""
    organization.run()

    values = measured(describe(look(organization), None), tmp_path / "m.prom")

    generated = value(values, "generated_timestamp_seconds")
    stamp = value(values, "last_backup_timestamp_seconds", repository="data_tools")
    age = value(values, "last_backup_age_seconds", repository="data_tools")
    assert None not in (generated, stamp, age)
    assert generated == pytest.approx((stamp or 0) + (age or 0), abs=0.01)


def test_a_copied_bucket_makes_no_backup_younger(organization: Organization, tmp_path: Path) -> None:
    """Where an old backup's object is new, since all were copied elsewhere, its name says how old it is."""
    organization.run()
    today = dt.datetime.now(dt.UTC).date()
    old = today - dt.timedelta(days=50)
    for path in sorted(organization.backups.rglob(f"*-{today:%Y%m%d}.*")):
        path.rename(path.with_name(path.name.replace(f"{today:%Y%m%d}", f"{old:%Y%m%d}")))

    values = measured(describe(look(organization), None), tmp_path / "m.prom")

    age = value(values, "last_backup_age_seconds", repository="data_tools")
    assert age is not None
    assert 49 * 86400 <= age <= 50 * 86400


def test_what_was_never_backed_up_has_no_age(organization: Organization, tmp_path: Path) -> None:
    """Nothing is said of what is not known: zero seconds would look like a fresh backup."""
    values = measured(describe(look(organization), None), tmp_path / "m.prom")

    assert 3 == value(values, "repositories", state="never")
    assert 0 == value(values, "covered_repositories")
    names = {name for name, _labels in values}
    assert not names & {"last_backup_timestamp_seconds", "last_backup_age_seconds", "newest_backup_bytes"}


def test_the_last_run_is_told_of(organization: Organization, tmp_path: Path) -> None:
    """How the last run of each kind ended: outcomes, durations by step, bytes, and what it asked again."""
    good = RUN.model_copy(update={"ok": True, "started_at": NOW - dt.timedelta(days=7), "retries": {}})
    overview = look(organization).model_copy(update={"runs": [good, RUN]})

    values = measured(describe(overview, Quota(4321, 5000, 1_800_000_000)), tmp_path / "m.prom")

    ended = NOW.timestamp() + 12.5
    expected = {
        ("last_run_timestamp_seconds", ("kind", "backup")): ended,
        ("last_success_timestamp_seconds", ("kind", "backup")): ended - 7 * 86400,
        ("last_run_success", ("kind", "backup")): 0,
        ("last_run_duration_seconds", ("kind", "backup")): 12.5,
        ("last_run_bytes", ("kind", "backup")): 5000,
        ("last_run_repositories", ("kind", "backup"), ("outcome", "done")): 3,
        ("last_run_repositories", ("kind", "backup"), ("outcome", "failed")): 2,
        ("last_run_repositories", ("kind", "backup"), ("outcome", "unchanged")): 5,
        ("last_run_step_duration_seconds", ("kind", "backup"), ("step", "mirror")): 7.25,
        ("last_run_retries", ("kind", "backup"), ("service", "s3")): 4,
        ("last_run_retries", ("kind", "backup"), ("service", "git")): 0,
        ("last_run_retries", ("kind", "backup"), ("service", "github")): 0,
        ("github_quota_remaining",): 4321,
        ("github_quota_limit",): 5000,
        ("github_quota_reset_timestamp_seconds",): 1_800_000_000,
    }
    found = {(name, *sorted(labels)): number for (name, labels), number in values.items()}
    assert expected == pytest.approx({key: found.get(key) for key in expected})


def test_nothing_configured_costs_nothing(organization: Organization) -> None:
    """A run that publishes no metrics neither looks nor imports what would write them."""

    def never() -> Overview:
        raise AssertionError("looked, though nobody asked")

    Meter(load_settings(organization.config(), {}), never).publish()

    code = (
        "import sys; from repo_maintenance.meter import Meter; sys.exit('prometheus_client' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "scripts")}
    assert 0 == subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode


def test_a_run_that_is_ended_publishes_nothing(
    organization: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a signal has come, what little time is left is not spent on measuring."""
    stopping = threading.Event()
    stopping.set()
    monkeypatch.setattr(processes, "_stopping", stopping)

    meter(organization, textfile=str(tmp_path / "backups.prom")).publish()

    assert [] == list(tmp_path.glob("*.prom"))


def test_the_textfile_is_replaced_whole(organization: Organization, tmp_path: Path) -> None:
    """The collector finds the old file or the new one, and no other beside it; all can read it."""
    textfile = tmp_path / "collector" / "backups.prom"
    for _ in range(2):
        meter(organization, textfile=str(textfile)).publish()

    assert [textfile] == list(textfile.parent.iterdir())
    assert textfile.stat().st_mode & 0o444 == 0o444
    assert 3 == value(read(textfile.read_text()), "matched_repositories")


def test_a_look_that_fails_leaves_the_last_metrics(
    organization: Organization, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where upstream or store don't answer, a warning says so, and the old file shows its own age."""
    textfile = tmp_path / "backups.prom"
    textfile.write_text("# before\n")

    def fail() -> Overview:
        raise HostError("GitHub does not answer")

    settings = load_settings(organization.config() | {"metrics": {"textfile": str(textfile)}}, {})
    Meter(settings, fail).publish()

    assert ["metrics: nothing is published: GitHub does not answer"] == caplog.messages
    assert "# before\n" == textfile.read_text()


def test_a_dead_gateway_is_a_warning(
    organization: Organization, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A gateway that is not there, or refuses, costs neither the run nor the file."""
    textfile = tmp_path / "backups.prom"
    with gateway(500) as (refusing, _pushed):
        for address in ("http://127.0.0.1:9", refusing):
            textfile.unlink(missing_ok=True)
            caplog.clear()
            meter(organization, textfile=str(textfile), pushgateway=address).publish()

            (record,) = caplog.records
            assert (logging.WARNING, True) == (record.levelno, address in record.getMessage())
            assert 3 == value(read(textfile.read_text()), "matched_repositories")


def test_a_textfile_that_can_t_be_written_is_a_warning(
    organization: Organization, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file in the way of the collector's folder costs neither the run nor the push."""
    (tmp_path / "in-the-way").write_text("")
    with gateway(200) as (address, pushed):
        meter(organization, textfile=str(tmp_path / "in-the-way" / "b.prom"), pushgateway=address).publish()

    assert 1 == len(pushed)
    assert ["in-the-way" in message for message in caplog.messages] == [True]


def test_a_push_replaces_what_was_pushed_before(organization: Organization) -> None:
    """All is put under one group, so that what a repository that is gone has left goes as well."""
    with gateway(200) as (address, pushed):
        meter(organization, pushgateway=address).publish()

    ((path, body),) = pushed
    assert path.startswith("/metrics/job/repo_maintenance/source@base64/")
    assert 3 == value(read(body), "matched_repositories")


def test_who_asks_for_metrics_gets_a_file(
    organization: Organization, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`snakemake metrics` with nothing configured writes results/metrics.prom, and says so."""
    meter(organization).produce(tmp_path / "metrics.log")

    assert 3 == value(read(naming.METRICS.read_text()), "matched_repositories")
    assert "published to results/metrics.prom" in capsys.readouterr().err


def test_who_asks_for_metrics_and_gets_none_is_told(organization: Organization, tmp_path: Path) -> None:
    """`snakemake metrics` fails where the gateway does not take them; the log says why."""
    with pytest.raises(JobFailedError, match=r"127\.0\.0\.1:9 does not take them"):
        meter(organization, pushgateway="http://127.0.0.1:9").produce(tmp_path / "metrics.log")

    assert not naming.METRICS.exists()


@pytest.mark.parametrize("change", [lambda one: one.push("data_tools"), lambda one: one.run(force=True)])
def test_a_second_look_sees_what_the_run_has_done(
    organization: Organization, change: Callable[[Organization], Any]
) -> None:
    """What was looked at before a run is looked at anew after it."""
    settings = load_settings(organization.config(), {})
    observer = Observer(settings, lambda: organization.store, lambda: organization.host)
    before = observer.overview
    change(organization)

    assert before is observer.overview
    assert before.repositories != observer.look_again().repositories

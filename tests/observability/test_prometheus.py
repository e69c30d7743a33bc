"""The metrics and the alerting rules, tried with Prometheus' own tools and a real Pushgateway."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from repo_maintenance.exposition import push, registry_of, write_textfile
from repo_maintenance.metrics import Family, describe
from repo_maintenance.observer import Observer
from repo_maintenance.settings import load_settings
from repo_maintenance.tally import Quota
from tests.unit.organization import Organization
from tests.unit.test_metrics import RUN

PROJECT = Path(__file__).parents[2]
ALERTS = PROJECT / "config" / "prometheus" / "alerts.yaml"
ALERTS_TESTS = sorted(Path(__file__).parent.glob("alerts.*.test.yaml"))
PAGE = PROJECT / "docs" / "observability.md"
SECONDS_TO_START = 10.0

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
needs_pushgateway = pytest.mark.skipif(
    shutil.which("prometheus-pushgateway") is None, reason="needs prometheus-pushgateway"
)


@pytest.fixture
def families(tmp_path: Path, workspace: Path) -> list[Family]:
    """Return every metric that there is, of an organisation that has been backed up."""
    _ = workspace
    organization = Organization(tmp_path / "acme", "lecture-intro", "data_tools")
    organization.run()
    settings = load_settings(organization.config(), {})
    overview = Observer(settings, lambda: organization.store, lambda: organization.host).overview
    more = {"restore_seconds": 1.5, "previous_bytes": 10, "proven_at": overview.generated_at}
    repositories = [one.model_copy(update=more) for one in overview.repositories]
    runs = [RUN, RUN.model_copy(update={"ok": True})]
    return describe(
        overview.model_copy(update={"repositories": repositories, "runs": runs}),
        Quota(4000, 5000, 1_800_000_000),
    )


@pytest.fixture
def pushgateway() -> Iterator[str]:
    """Serve a Pushgateway; returns its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = ["prometheus-pushgateway", f"--web.listen-address={address}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _await_answer(f"http://{address}/-/ready")
            yield f"http://{address}"
        finally:
            process.terminate()


def _await_answer(url: str) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        with suppress(OSError):
            get(url)
            return
    pytest.fail(f"{url} does not answer")


def get(url: str) -> str:
    """Return what a server answers."""
    answer = requests.get(url, timeout=5)
    answer.raise_for_status()
    return answer.text


def rules() -> list[dict[str, Any]]:
    """Return the alerting rules."""
    content = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


@needs_promtool
def test_promtool_finds_no_fault(families: list[Family], tmp_path: Path) -> None:
    """Names, units and help texts are as Prometheus' conventions have them."""
    textfile = tmp_path / "backups.prom"
    write_textfile(registry_of(families, "acme"), textfile)

    done = subprocess.run(
        ["promtool", "check", "metrics"], input=textfile.read_bytes(), capture_output=True, check=False
    )

    assert (0, "", "") == (done.returncode, done.stdout.decode(), done.stderr.decode())


@needs_promtool
def test_every_rule_fires_and_clears() -> None:
    """Promtool plays through each rule's test: it fires when it should, and clears again."""
    done = subprocess.run(
        ["promtool", "test", "rules", *map(str, ALERTS_TESTS)], capture_output=True, check=False, text=True
    )

    assert 0 == done.returncode, done.stdout + done.stderr


def test_each_rule_is_shown_firing_and_clearing() -> None:
    """No rule is without a test in which it first fires, and then does not."""
    shown: dict[str, set[str]] = {rule["alert"]: set() for rule in rules()}
    loaded = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in ALERTS_TESTS]
    for test in [test for content in loaded for test in content["tests"]]:
        fired: set[str] = set()
        for check in test.get("promql_expr_test", ()):
            (name,) = re.findall(r'alertname="(\w+)"', check["expr"])
            if check["exp_samples"]:
                fired.add(name)
                shown[name].add("fires")
            elif name in fired:
                shown[name].add("clears")

    assert {name: {"fires", "clears"} for name in shown} == shown


def test_rules_ask_for_metrics_that_there_are(families: list[Family]) -> None:
    """A rule whose metric is misspelt, or was renamed, would never fire."""
    there = {f"repo_maintenance_{family.name}" for family in families}
    asked = {name for rule in rules() for name in re.findall(r"repo_maintenance_\w+", rule["expr"])}

    assert asked
    assert set() == asked - there


def test_rules_say_what_to_do() -> None:
    """Each rule has a severity, what happened, and what to do about it."""
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert {"summary", "description"} == rule["annotations"].keys(), rule["alert"]


def test_the_documentation_names_every_metric(families: list[Family]) -> None:
    """docs/observability.md has each metric with its labels, and none that there is not."""
    rows = re.findall(r"^\| `(repo_maintenance_\w+)(?:\{(.*?)\})?` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    described = {name: {label for label in labels.split(",") if label} for name, labels in rows}

    there = {f"repo_maintenance_{family.name}": set(family.samples[0][0]) for family in families}
    assert there == described


def test_the_documentation_names_every_rule() -> None:
    """docs/observability.md has each alerting rule."""
    text = PAGE.read_text(encoding="utf-8")
    assert [] == [rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in text]


@needs_pushgateway
def test_a_pushgateway_takes_them_and_forgets_what_is_gone(families: list[Family], pushgateway: str) -> None:
    """What was pushed can be scraped; the next push leaves nothing of a repository that is gone since."""
    push(registry_of(families, "acme"), pushgateway, "acme")
    push(registry_of(families, "other"), pushgateway, "other")
    before = get(f"{pushgateway}/metrics")
    left = [
        Family(
            one.name,
            one.meaning,
            [sample for sample in one.samples if sample[0].get("repository") != "data_tools"],
        )
        for one in families
    ]
    push(registry_of(left, "acme"), pushgateway, "acme")
    after = get(f"{pushgateway}/metrics")

    assert {"acme", "other"} == _sources_of("data_tools", before)
    assert {"other"} == _sources_of("data_tools", after)
    assert {"acme", "other"} == _sources_of("lecture-intro", after)


def _sources_of(repository: str, text: str) -> set[str]:
    """Return for which sources the newest backup of a repository is told of."""
    return {
        sample.labels["source"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "repo_maintenance_last_backup_timestamp_seconds"
        and sample.labels["repository"] == repository
    }

"""The workflow inside another one: as a Snakemake module, its rules under a prefix of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.servers.repositories import make_repository
from tests.servers.sinks import WebhookSink
from tests.workflow.workspace import PROJECT

AROUND = """
module repo_maintenance:
    snakefile:
        "{snakefile}"
    config:
        config["safe"]


use rule * from repo_maintenance as safe_*


rule analyse:
    default_target: True
    input:
        rules.safe_backup.input,
    output:
        "analysed.txt",
    shell:
        "ls kept > {{output}}"
"""
CONFIG = """
safe:
  backup:
    folder: upstream
    directory: kept
    patterns: ["lecture-.*"]
"""


OWN_END = """

onsuccess:
    shell("echo ours >> ended.txt")


onerror:
    shell("echo failed >> ended.txt")
"""
PING = "/ping-s3cr3t-path"
HEARTBEAT = "REPO_MAINTENANCE_HEARTBEAT_URL"


def run(
    folder: Path, *arguments: str, end: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run another workflow, which has this one as a module and ``end`` at its own end, in a folder."""
    (folder / "Snakefile").write_text(AROUND.format(snakefile=PROJECT / "Snakefile") + end)
    (folder / "config.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "snakemake", "--configfile", "config.yaml", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_another_workflow_takes_it_as_a_module(tmp_path: Path) -> None:
    """Its backup comes before the other workflow's own rule, with the configuration that is handed on."""
    for name in ("lecture-one", "lecture-two", "other"):
        make_repository(tmp_path / "upstream" / f"{name}.git", commits=1)

    done = run(tmp_path, "--cores", "2")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "analysed.txt").read_text().split() == ["lecture-one", "lecture-two"]
    assert "rule safe_upload_backup" in done.stderr or "Upload lecture-one" in done.stderr
    assert "backed up         2" in done.stderr
    assert (tmp_path / "results" / "summary.json").is_file()


@pytest.mark.parametrize(
    ("broken", "code", "end", "beat"), [(False, 0, "ours", ""), (True, 1, "failed", "/fail")]
)
def test_its_end_is_told_beside_the_outer_workflows_own(
    tmp_path: Path, broken: bool, code: int, end: str, beat: str
) -> None:
    """The heartbeat hears how the backup ended, once, and the outer workflow's own handlers run as ever."""
    repository = make_repository(tmp_path / "upstream" / "lecture-one.git", commits=1)
    if broken:
        for pack in (repository / "objects").rglob("*"):
            if pack.is_file():
                pack.chmod(0o644)
                pack.write_bytes(b"damaged")

    with WebhookSink() as monitor:
        done = run(tmp_path, "--cores", "2", end=OWN_END, environment={HEARTBEAT: monitor.url})

    assert code == done.returncode, done.stderr
    assert [f"{PING}/start", f"{PING}{beat}"] == monitor.paths
    assert [end] == (tmp_path / "ended.txt").read_text().split()


def test_its_rules_bear_the_prefix(tmp_path: Path) -> None:
    """Every target is there under the prefix, so that none collides with the other workflow's."""
    listed = run(tmp_path, "--list-rules")

    assert listed.returncode == 0, listed.stderr
    names = {line.split()[0] for line in listed.stdout.splitlines() if line}
    assert {"safe_backup", "safe_restore", "safe_verify", "safe_prune", "safe_preflight"} <= names

"""On a node: the Snakemake that an executor starts there, by the arguments that executors give it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

from tests.servers.repositories import make_repository
from tests.workflow.workspace import Finished, Workspace

RULES = ["mirror_repository", "archive_repository", "upload_backup"]
# As Snakemake 9.27 writes them: snakemake/spawn_jobs.py, and snakemake_interface_executor_plugins' real.py.
ON_A_NODE = [
    "--force",
    "--no-hooks",
    "--nolock",
    "--ignore-incomplete",
    "--keep-incomplete",
    "--mode",
    "remote",
]
ON_A_NODE += ["--rerun-triggers", "mtime", "--scheduler", "greedy", "--local-groupid", "a-group"]


def work_on_node(workspace: Workspace, *names: str) -> Finished:
    """Back repositories up as one submission, one after the other."""
    today = dt.datetime.now(dt.UTC).strftime("%Y%m%d")
    jobs = [f"{rule}:repo={name}" for rule in RULES[:1] for name in names]
    jobs += [f"{rule}:repo={name},date={today}" for rule in RULES[1:] for name in names]
    return workspace.run("--target-jobs", *jobs, "--allowed-rules", *RULES, "--cores", "1", *ON_A_NODE)


def test_a_node_goes_on_after_a_failure(tmp_path: Path) -> None:
    """The repository after the one that failed is stored, though no profile is read on a node."""
    workspace = Workspace(tmp_path / "work", {"backup": {"folder": "upstream", "directory": "kept"}})
    upstream = workspace.path / "upstream"
    make_repository(upstream / "broken.git", size_bytes=2_000_000)  # the largest comes first
    make_repository(upstream / "whole.git")
    assert workspace.run("-n", "backup").code == 0  # as the submitting process does, this writes the records
    shutil.rmtree(upstream / "broken.git" / "objects")

    run = work_on_node(workspace, "broken", "whole")

    assert 1 == run.code
    assert run.output.index("Mirror broken") < run.output.index("Mirror whole")
    assert "whole: stored" in run.output
    assert 1 == len(list((workspace.path / "kept" / "whole").glob("*.tar.gz")))
    assert 1 == len(list((workspace.path / "results" / "uploaded").iterdir()))


def test_jobs_on_a_node_start_no_snakemake_of_their_own(tmp_path: Path) -> None:
    """Each line of each step comes from the same run, whose id a JSON log gives."""
    settings = {"folder": "upstream", "directory": "kept"}
    log = {"json": True, "file": "lines.jsonl"}
    workspace = Workspace(tmp_path / "work", {"backup": settings, "logging": log})
    make_repository(workspace.path / "upstream" / "one.git")
    assert workspace.run("-n", "backup").code == 0
    (workspace.path / "lines.jsonl").unlink(missing_ok=True)

    run = work_on_node(workspace, "one")

    assert run.code == 0, run.output
    lines = [json.loads(line) for line in (workspace.path / "lines.jsonl").read_text().splitlines()]
    assert set(RULES) == {line["rule"] for line in lines} - {"-"}
    assert 1 == len({line["run"] for line in lines})

"""Promises of the scheduler that this workflow gives Snakemake: it forgets no job, whatever the jobs are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SNAKEFILE = """
from repo_maintenance.scheduling import keep_linear

onstart:
    keep_linear(workflow)

rule all:
    input: expand("out/{i}.c", i=range(40)), "out/after.txt"

checkpoint found:
    output: "out/found.txt"
    shell: "sleep 0.2; touch {output}"

def after(wildcards):
    checkpoints.found.get()
    return ["out/x.late", "out/y.late"]

rule late:
    output: "out/{name}.late"
    shell: "touch {output}"

rule gather:
    input: after
    output: "out/after.txt"
    shell: "touch {output}"

rule first:
    output: "out/{i}.a"
    retries: 1
    resources: disk_mb=lambda wildcards: 1000 if int(wildcards.i) < 30 else 10
    shell: "if [ {wildcards.i} = 3 ] && [ ! -e out/tried ]; then touch out/tried; exit 1; fi; touch {output}"

rule second:
    input: "out/{i}.a"
    output: temp("out/{i}.b")
    group: "both"
    priority: 10
    shell: "touch {output}"

rule third:
    input: "out/{i}.b"
    output: "out/{i}.c"
    group: "both"
    priority: 20
    shell: "touch {output}"
"""


@pytest.mark.parametrize("scheduler", ["greedy", "ilp"])
@pytest.mark.parametrize("room", [[], ["--resources", "disk_mb=1500"], ["--resources", "disk_mb=5"]])
def test_every_job_is_done(tmp_path: Path, scheduler: str, room: list[str]) -> None:
    """Groups, temporary files, a checkpoint, jobs without room and one tried again: all come to be."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--quiet", "--cores", "3", "--scheduler", scheduler, *room]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)

    assert 0 == done.returncode, done.stderr
    assert 40 == len([*(tmp_path / "out").glob("*.c")])

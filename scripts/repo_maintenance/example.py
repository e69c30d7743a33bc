"""The bundled example organisation: small repositories, made on the spot from text, without a network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from repo_maintenance.git import run_git

STREAMS = Path(__file__).parents[2] / "config" / "example-organization"
SUFFIX = ".fast-import"
# When the example was last pushed to: fixed, so that a second run finds nothing to do.
PUSHED_AT = 1_767_225_600  # 2026-01-01 00:00 UTC


def make_example(folder: Path) -> Path:
    """Make the example's repositories in ``folder``, bare, unless they are there; returns ``folder``."""
    for stream in sorted(STREAMS.glob(f"*{SUFFIX}")):
        target = folder / f"{stream.name.removesuffix(SUFFIX)}.git"
        if not target.exists():
            _import(stream, target)
    return folder


def _import(stream: Path, target: Path) -> None:
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    run_git(["init", "--quiet", "--bare", "--template=", "--", partial])
    run_git(["fast-import", "--quiet"], git_dir=partial, stdin=stream)
    run_git(["pack-refs", "--all"], git_dir=partial)
    for path in [partial / "HEAD", partial / "packed-refs", partial / "refs", *(partial / "refs").rglob("*")]:
        os.utime(path, (PUSHED_AT, PUSHED_AT))
    partial.rename(target)

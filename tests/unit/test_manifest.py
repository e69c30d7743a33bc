"""Promises of the manifest: what a tarball holds, readable without this tool."""

from __future__ import annotations

import json
from pathlib import Path

from repo_maintenance.git import digest_refs
from repo_maintenance.manifest import describe_mirror
from tests.servers import repositories
from tests.unit.making import TODAY, listed, mirror


def test_it_holds_every_ref_and_the_digest(tmp_path: Path) -> None:
    """As JSON it has every ref with its object id, their digest, and what HEAD says."""
    source = repositories.make_repository(
        tmp_path / "up" / "one.git", branches=("b", "日本"), tags=("v1",), extra_refs=("refs/pull/1/head",)
    )
    mirror(listed(tmp_path / "up")["one"], tmp_path / "m")

    manifest = describe_mirror(listed(tmp_path / "up")["one"], tmp_path / "m", TODAY)

    read = json.loads(manifest.model_dump_json())
    refs = repositories.refs(source)
    assert (refs, digest_refs(refs)) == (read["refs"], read["refs_digest"])
    assert ("ref: refs/heads/main", TODAY.isoformat()) == (read["head"], read["backup_date"])
    assert {"format_version", "tool_version", "repository", "repository_id", "pushed_at"} <= read.keys()


def test_of_an_empty_repository(tmp_path: Path) -> None:
    """A repository without a commit has a manifest without refs."""
    repositories.make_empty(tmp_path / "up" / "one.git", "trunk")
    mirror(listed(tmp_path / "up")["one"], tmp_path / "m")

    manifest = describe_mirror(listed(tmp_path / "up")["one"], tmp_path / "m", TODAY)

    assert ({}, "ref: refs/heads/trunk", digest_refs({})) == (
        manifest.refs,
        manifest.head,
        manifest.refs_digest,
    )

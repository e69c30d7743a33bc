"""Names of refs that are hard on a tool: every script, any bytes, options, paths, and ten thousand refs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from repo_maintenance.errors import GitError
from tests.faults.in_process import folder_backups, mirror, read_manifest
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.repositories import git, git_environment, make_repository
from tests.unit.making import files_below

SCRIPTS = [
    "heads/Ünïcödé",
    "heads/日本語/ブランチ",
    "heads/العربية",
    "heads/हिन्दी",
    "heads/emoji-🚀",
    "heads/e\u0301",  # e with a combining accent, and the same as one letter: two names
    "heads/\u00e9",
    "tags/версия-1.0",
    "heads/right\u202eto-left",
    "heads/percent%20and+plus",
    "heads/quote'and\"quote",
    "heads/$(touch${IFS}evil)",
    "heads/;touch${IFS}evil;",
    "heads/`touch${IFS}evil`",
    "heads/" + "long/" * 40 + "path",
    "heads/a=b",
    "heads/HEAD",
    "heads/refs/heads/main",
    "pull/1/head",
    "changes/01/1/1",
]
DASHES = ["heads/-x", "heads/--exec=touch${IFS}evil", "tags/--upload-pack=evil", "heads/-/-"]
CASES = ["heads/Feature", "heads/feature", "heads/FEATURE", "tags/V1", "tags/v1"]
BYTES = [b"heads/caf\xe9", b"heads/caf\xe8", b"tags/\xff\xfe", b"heads/\xe6\x97"]


def all_refs(path: Path) -> dict[bytes, bytes]:
    """Return the refs of a repository, their names in bytes."""
    command = ["git", f"--git-dir={path}", "for-each-ref", "--format=%(refname) %(objectname)"]
    said = subprocess.run(command, env=git_environment(), check=True, capture_output=True).stdout
    pairs = (line.rsplit(b" ", 1) for line in said.splitlines())
    return {name: object_id for name, object_id in pairs}  # noqa: C416 - dict() of lists has no type


def add(github: FakeGitHub, folder: Path, refs: list[bytes]) -> Path:
    """Add the repository ``odd`` with further refs below ``refs/``, and return where it stands at GitHub."""
    path = make_repository(folder / "odd.git")
    tip = git(path, "rev-parse", "main").strip().encode()
    lines = sorted(b"refs/%b" % name for name in refs)
    packed = b"".join(b"%b %b\n" % (tip, name) for name in lines)
    (path / "packed-refs").write_bytes(b"# pack-refs with: peeled fully-peeled sorted \n" + packed)
    github.add_repository("acme", "odd", path)
    assert len(refs) + 1 == len(all_refs(path))
    return path


@pytest.fixture(params=["anew", "without pull requests", "cached"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, object]:
    """Return settings for each of the ways in which a mirror is made."""
    ways: dict[str, dict[str, object]] = {
        "anew": {},
        "without pull requests": {"pull_requests": False},
        "cached": {"cache": tmp_path / "cache"},
    }
    return ways[request.param]


@pytest.mark.parametrize("kind", ["scripts", "dashes", "cases", "bytes"])
def test_odd_names_are_mirrored_to_the_byte(
    github: FakeGitHub, tmp_path: Path, way: dict[str, object], kind: str
) -> None:
    """Every ref has the same name and object in the mirror, however that is made; none becomes an option."""
    names = {"scripts": SCRIPTS, "dashes": DASHES, "cases": CASES}.get(kind, [])
    path = add(github, tmp_path, [*map(os.fsencode, names), *(BYTES if kind == "bytes" else [])])

    for number in range(2 if "cache" in way else 1):
        mirror(github, "odd", tmp_path / f"m{number}", **way)

    wanted = all_refs(path)
    if way.get("pull_requests") is False:
        wanted = {name: oid for name, oid in wanted.items() if not name.startswith(b"refs/pull/")}
    assert wanted == all_refs(tmp_path / f"m{number}" / "odd.git")
    assert [] == [found for found in tmp_path.rglob("*evil*") if "refs" not in found.parts]


def test_odd_names_come_back_from_a_tarball(github: FakeGitHub, tmp_path: Path) -> None:
    """What was stored restores to the same names, and the manifest lists each of them."""
    names = [*map(os.fsencode, [*SCRIPTS, *DASHES, *CASES]), *BYTES]
    path = add(github, tmp_path, names)
    backups = folder_backups(github)

    assert 1 == backups.run().backed_up

    restored = backups.restore("odd", tmp_path / "restored")
    assert all_refs(path) == all_refs(restored / "odd.git")
    manifest = read_manifest(restored)
    assert len(names) + 1 == len(manifest.refs)
    assert "refs/heads/caf\\xe9" in manifest.refs
    assert "refs/heads/日本語/ブランチ" in manifest.refs


def test_ten_thousand_refs(github: FakeGitHub, tmp_path: Path) -> None:
    """A repository with ten thousand branches and tags is backed up whole, as few files."""
    names = [f"{kind}/topic/{number}" for kind in ("heads", "tags") for number in range(5000)]
    path = add(github, tmp_path, [name.encode() for name in names])
    backups = folder_backups(github)

    assert 1 == backups.run().backed_up

    restored = backups.restore("odd", tmp_path / "restored")
    assert all_refs(path) == all_refs(restored / "odd.git")
    assert (10_001, True) == (len(read_manifest(restored).refs), len(files_below(restored)) < 20)


@pytest.mark.parametrize("branch", ["-x", "Zweig-Ü", "日本語" * 20, "HEAD"])
@pytest.mark.parametrize("pull_requests", [True, False])
def test_an_odd_default_branch_is_kept(
    github: FakeGitHub, tmp_path: Path, branch: str, pull_requests: bool
) -> None:
    """HEAD names the default branch whatever that is called, and the metadata carry its name."""
    path = make_repository(tmp_path / "odd.git", default_branch=branch)
    github.add_repository("acme", "odd", path)
    backups = folder_backups(github, pull_requests=pull_requests)

    assert 1 == backups.run().backed_up

    restored = backups.restore("odd", tmp_path / "restored")
    head = (restored / "odd.git" / "HEAD").read_text().strip()
    assert (f"ref: refs/heads/{branch}", branch) == (head, read_manifest(restored).default_branch)


def packet(line: bytes) -> bytes:
    """Return a line as git's protocol has it (gitprotocol-common(5))."""
    return b"%04x%b" % (len(line) + 4, line)


@pytest.mark.parametrize("way", ["anew", "without pull requests"], indirect=True)
@pytest.mark.parametrize(
    "name",
    [
        b"refs/heads/../../../../evil",
        b"refs/heads/../../config",
        b"/etc/evil",
        b"refs/heads/a.lock",
        b"refs/heads/evil\\..\\..\\evil",
    ],
)
def test_a_name_that_is_a_path_is_refused(
    github: FakeGitHub, tmp_path: Path, way: dict[str, object], name: bytes
) -> None:
    """A server that offers a ref whose name leads elsewhere gets no file written there."""
    path = add(github, tmp_path, [])
    tip = git(path, "rev-parse", "main").strip().encode()
    offer = packet(b"# service=git-upload-pack\n") + b"0000"
    offer += packet(tip + b" " + name + b"\0side-band-64k ofs-delta agent=evil\n")
    offer += packet(tip + b" refs/heads/main\n") + b"0000"
    kind = {"Content-Type": "application/x-git-upload-pack-advertisement"}
    github.fault(Fault(matching(r"odd\.git/info/refs"), status=200, headers=kind, body=offer))
    folder = tmp_path / "deep" / "in" / "m"
    before = files_below(tmp_path)

    try:
        mirror(github, "odd", folder, wikis=False, **way)
    except GitError:
        found = set()
    else:
        found = set(all_refs(folder / "odd.git"))

    assert found <= {b"refs/heads/main"}
    made = {
        name for name in files_below(tmp_path) - before if not name.startswith("workspace/results/listings")
    }
    assert {name for name in made if not name.startswith("deep/in/m/")} == set()
    assert not Path("/etc/evil").exists()

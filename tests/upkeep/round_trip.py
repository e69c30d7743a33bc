"""The night the organisation is gone, played with real repositories: backup, restore, and push to a new home.

``python -m tests.upkeep.round_trip FOLDER``, where FOLDER holds git repositories, bare or not. Prints of each
what was compared; ends with 1 where anything differs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.servers.repositories import git_environment, refs
from tests.servers.seaweed import SeaweedServer
from tests.upkeep.organization import EXPECTED_LFS, OWNER, BackedUp, fingerprint, lfs_objects

NEW_HOME = "newhome"


def main() -> None:
    """Play the night, and print what came of it."""
    sources = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name, SeaweedServer(Path(name) / "s3") as seaweed:
        place = Path(name)
        organization = BackedUp(seaweed, place / "first")
        with organization.github:
            real = _add(organization, sources, place / "real")
            _timed("backup", organization.workspace.run("--cores", "4", "backup").code)
            elsewhere = organization.elsewhere(place / "elsewhere")
            _timed("restore", elsewhere.run("--cores", "4", "restore").code)
            failed = _compare(organization, real, place / "elsewhere" / "results" / "restored")
            organization.github.add_organization(NEW_HOME)
            address = f"{organization.github.url}/{NEW_HOME}/{{repo}}.git"
            elsewhere = organization.elsewhere(
                place / "elsewhere", restore={"push_to": address, "create": True}
            )
            _timed("push", elsewhere.run("--cores", "4", "restore").code)
            failed += _compare_pushed(organization, real)
    sys.exit(1 if failed else 0)


def _timed(what: str, code: int) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what} ended with {code}", flush=True)


def _add(organization: BackedUp, sources: Path, bare: Path) -> list[str]:
    """Add every repository below a folder to the organisation; returns their names with the made ones."""
    for source in sorted(path for path in sources.iterdir() if path.is_dir()):
        name = source.name.removesuffix(".git")
        target = bare / f"{name}.git"
        subprocess.run(["git", "clone", "-q", "--mirror", source, target], env=git_environment(), check=True)
        organization.github.add_repository(OWNER, name, target)
    return sorted(repository.name for repository in organization.github.state.repositories.values())


def _compare(organization: BackedUp, names: list[str], restored: Path) -> int:
    """Compare HEAD, every ref and every object; returns how many repositories differ."""
    failed = 0
    for name in names:
        upstream, there = fingerprint(organization.upstream(name)), restored / name / f"{name}.git"
        equal = there.is_dir() and upstream == fingerprint(there)
        failed += not equal
        counts = f"{len(upstream['refs'])} refs, {len(upstream['objects'])} objects"  # type: ignore[arg-type]
        print(f"{'equal' if equal else 'DIFFERENT'}: {name}: HEAD, {counts}")
    wiki = organization.github.repository(OWNER, "with-wiki").wiki_path
    equal = fingerprint(wiki) == fingerprint(restored / "with-wiki" / "with-wiki.wiki.git")
    equal = equal and lfs_objects(restored / "with-lfs" / "with-lfs.git") == EXPECTED_LFS
    print(f"{'equal' if equal else 'DIFFERENT'}: the wiki, and the LFS objects")
    return failed + (not equal)


def _compare_pushed(organization: BackedUp, names: list[str]) -> int:
    """Compare what was pushed: all refs but those of pull requests; returns how many differ."""
    failed = 0
    for name in names:
        kept = {
            ref: oid
            for ref, oid in refs(organization.upstream(name)).items()
            if ref.startswith(("refs/heads/", "refs/tags/", "refs/notes/"))
        }
        pushed = refs(organization.github.repository(NEW_HOME, name).path)
        failed += kept != pushed
        print(f"{'equal' if kept == pushed else 'DIFFERENT'}: {name} in its new home: {len(kept)} refs")
    return failed


if __name__ == "__main__":
    main()

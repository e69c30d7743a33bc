"""The file ``packed-refs`` of a repository: all refs of a mirror, read and written without running git.

https://git-scm.com/docs/gitrepository-layout; the lines are those of git's refs/packed-backend.c.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

# What git itself would refuse or leave out: https://git-scm.com/docs/git-check-ref-format
_NAME = rb"(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|$)))refs/[^\x00-\x20\x7f~^:?*\[\\]+(?<![./])"
_REF_NAME = re.compile(_NAME)
_LINE = re.compile(rb"(?P<id>[0-9a-f]{40}|[0-9a-f]{64}) (?P<name>%b)" % _NAME)
_HEADER = b"# pack-refs with: sorted \n"
_FILE = "packed-refs"


def is_ref_name(name: bytes) -> bool:
    """Whether git would take this for the name of a ref."""
    return _REF_NAME.fullmatch(name) is not None


def read_packed_refs(git_dir: Path) -> dict[bytes, bytes] | None:
    """Return the refs of a repository: name → object id.

    None where not all of them stand in this file, or a line is not as git writes it: then git is to be asked.
    """
    try:
        content = (git_dir / _FILE).read_bytes()
    except OSError:
        return None
    if any(names for _folder, _folders, names in os.walk(git_dir / "refs")):
        return None  # loose refs, which go before packed ones
    lines = [line for line in content.split(b"\n") if line and not line.startswith((b"#", b"^"))]
    matches = [match for line in lines if (match := _LINE.fullmatch(line))]
    return {match["name"]: match["id"] for match in matches} if len(matches) == len(lines) else None


def write_packed_refs(git_dir: Path, refs: Mapping[bytes, bytes]) -> None:
    """Write all refs of a repository that has no others: whole, or as they were.

    Raises FileExistsError where git, or another run, is about to write them.
    """
    lock = git_dir / f"{_FILE}.lock"
    with lock.open("xb") as file:
        try:
            file.write(_HEADER)
            file.writelines(b"%b %b\n" % (refs[name], name) for name in sorted(refs))
            file.close()
            lock.replace(git_dir / _FILE)
        except BaseException:
            lock.unlink()
            raise

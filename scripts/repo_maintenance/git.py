"""The one place that runs git: without the user's configuration, prompts, or secrets in sight."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from repo_maintenance.git_errors import explain_git
from repo_maintenance.hosts.base import GitAccess
from repo_maintenance.naming import PARTIAL
from repo_maintenance.packed_refs import read_packed_refs
from repo_maintenance.processes import NOTHING, run_process

logger = logging.getLogger(__name__)

ASKPASS = Path(__file__).with_name("askpass.sh")
CONFIG = Path(__file__).with_name("gitconfig")
NOWHERE = Path(os.devnull) / "nowhere"
LOW_SPEED_BYTES = 1000
NO_ACCESS = GitAccess(protocols=())
# What carries a secret has no business in a child's environment; git gets its password as askpass.sh says.
SECRET_PREFIXES = ("GITHUB_", "GH_", "AWS_", "REPO_MAINTENANCE_")


def run_git(
    arguments: Iterable[str | Path],
    *,
    git_dir: Path | None = None,
    access: GitAccess = NO_ACCESS,
    stdin: Path = NOTHING,
    stdout: IO[bytes] | None = None,
    feed: Callable[[IO[bytes]], None] | None = None,
) -> str:
    """Run git and return what it prints; with ``stdout``, that goes to the file, and nothing is returned.

    What git reads is the file ``stdin``, or what ``feed`` writes.

    ``git_dir`` is the repository to work on: where it is none, git fails, and never looks for one around it.

    System and user configuration are not read, prompts are off, and only the protocols of ``access`` are
    allowed. The password goes to git through ``GIT_ASKPASS``, so it stands in no argument and no file.

    Raises GitError, or TransientGitError where the same command may succeed later.
    """
    command = ["git", *map(str, arguments)]
    with _askpass_count(access) as count:
        environment = git_environment(os.environ, access, count)
        if git_dir is not None:
            environment["GIT_DIR"] = str(git_dir.absolute())
        started = time.monotonic()
        done = run_process(
            command, cwd=git_dir, environment=environment, stdin=stdin, stdout=stdout, feed=feed
        )
    seconds = time.monotonic() - started
    logger.debug("%s: exit code %d after %.1f s", " ".join(command), done.returncode, seconds)
    if done.returncode:
        raise explain_git(_verb(command), done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout.decode(errors="backslashreplace")


@contextmanager
def _askpass_count(access: GitAccess) -> Iterator[Path]:
    """Provide the file in which askpass.sh counts; none where there is no password to ask for."""
    if access.password is None:
        yield NOTHING
        return
    with tempfile.NamedTemporaryFile(prefix=f"{PARTIAL}askpass-") as count:
        yield Path(count.name)


def git_environment(environment: Mapping[str, str], access: GitAccess, count: Path) -> dict[str, str]:
    """Return the environment for git: proxies and certificates stay, git's own variables are replaced.

    ``count`` is a file in which askpass.sh counts how often it was asked.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name.startswith("GIT_SSL_") or not name.startswith(("GIT_", *SECRET_PREFIXES))
    }
    kept |= {
        "HOME": str(NOWHERE),  # where curl would find a .netrc, and git-lfs its own settings
        "XDG_CONFIG_HOME": str(NOWHERE),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(CONFIG),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",  # refs/replace/* are backed up, but hide nothing
        "GIT_ALLOW_PROTOCOL": ":".join(access.protocols),
        "GIT_HTTP_LOW_SPEED_LIMIT": str(LOW_SPEED_BYTES),
        "GIT_HTTP_LOW_SPEED_TIME": str(access.stall_seconds),
        "LC_ALL": "C",
    }
    if access.password is not None:
        kept |= {
            "GIT_ASKPASS": str(ASKPASS),
            "ASKPASS_SCHEMES": " ".join(access.protocols),
            "ASKPASS_HOST": access.host,
            "ASKPASS_COUNT": str(count),
            "ASKPASS_USERNAME": access.username,
            "ASKPASS_PASSWORD": access.password,
        }
    return kept


def list_refs(git_dir: Path) -> dict[str, str]:
    r"""Return the refs of a repository: name → object id. A tag has its own id here, not its target's.

    Bytes of a name that are not UTF-8 are written ``\xNN``; no name holds a backslash of its own
    (git-check-ref-format(1)). Where all refs are packed, as in a mirror, no git is run for them.
    """
    packed = read_packed_refs(git_dir)
    if packed is not None:
        return {name.decode(errors="backslashreplace"): one.decode() for name, one in packed.items()}
    lines = run_git(["for-each-ref", "--format=%(objectname) %(refname)"], git_dir=git_dir).splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return {name: object_id for object_id, name in pairs}


def ask_git(command: Sequence[str], object_ids: Set[str], git_dir: Path) -> list[str]:
    """Return the lines that git answers to a list of objects: one process, however many there are."""
    with tempfile.NamedTemporaryFile("w", prefix=f"{PARTIAL}ids-", encoding="ascii") as stream:
        stream.writelines(f"{one}\n" for one in sorted(object_ids))
        stream.flush()
        return run_git(command, git_dir=git_dir, stdin=Path(stream.name)).splitlines()


def digest_refs(refs: Mapping[str, str]) -> str:
    """Return the SHA-256 over the sorted lines ``<object id> <ref name>``, each ended by a newline."""
    lines = sorted(f"{object_id} {name}\n" for name, object_id in refs.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _verb(command: list[str]) -> str:
    """Return what git was asked to do, as a user says it: ``git lfs fetch`` has two words."""
    words = [word for word in command[1:] if not word.startswith("-") and "=" not in word]
    return " ".join(words[:2] if words[:1] == ["lfs"] else words[:1])

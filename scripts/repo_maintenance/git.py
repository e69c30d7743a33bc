"""The one place that runs git: without the user's configuration, prompts, or secrets in sight."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from repo_maintenance.errors import GitError, TransientGitError
from repo_maintenance.hosts.base import GitAccess

logger = logging.getLogger(__name__)

ASKPASS = Path(__file__).with_name("askpass.sh")
CONFIG = Path(__file__).with_name("gitconfig")
LOW_SPEED_BYTES = 1000
LOW_SPEED_SECONDS = 60
MAX_LINES_LOGGED = 20
NOTHING = Path(os.devnull)
NO_ACCESS = GitAccess(protocols=())

# What git and curl say of faults that pass: cut transfers, overloaded servers, stalls, names not resolved.
_TRANSIENT = (
    "early EOF",
    "unexpected disconnect",
    "RPC failed",
    "The requested URL returned error: 429",
    "The requested URL returned error: 5",
    "Could not resolve host",
    "Failed to connect",
    "Connection reset",
    "Connection timed out",
    "Operation too slow",
    "Recv failure",
    "Empty reply from server",
)
_PERMANENT = ("possible repository corruption",)
_HINTS = {
    "possible repository corruption": "it is damaged upstream: run 'git fsck' there",
    "could not read Username": "set GITHUB_TOKEN to a token that may read this repository",
    "Authentication failed": "GITHUB_TOKEN is refused: check that it is valid and may read this repository",
    "No space left on device": "free disk space, or bound the run with --resources disk_mb=…",
    "not found": "the repository may have been deleted or renamed during the run",
}


def run_git(
    arguments: Iterable[str | Path],
    *,
    cwd: Path | None = None,
    access: GitAccess = NO_ACCESS,
    stdin: Path = NOTHING,
) -> str:
    """Run git and return what it prints.

    System and user configuration are not read, prompts are off, and only the protocols of ``access`` are
    allowed. The password goes to git through ``GIT_ASKPASS``, so it stands in no argument and no file.

    Raises GitError, or TransientGitError where the same command may succeed later.
    """
    command = ["git", *map(str, arguments)]
    with stdin.open("rb") as stream:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=git_environment(os.environ, access),
            stdin=stream,
            capture_output=True,
            check=False,
        )
    if done.returncode:
        raise _explain(command[1], done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout.decode(errors="backslashreplace")


def git_environment(environment: Mapping[str, str], access: GitAccess) -> dict[str, str]:
    """Return the environment for git: proxies and certificates stay, git's own variables are replaced."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith("GIT_") or name.startswith("GIT_SSL_")
    }
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        kept.pop(name, None)
    kept |= {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(CONFIG),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": ":".join(access.protocols),
        "GIT_HTTP_LOW_SPEED_LIMIT": str(LOW_SPEED_BYTES),
        "GIT_HTTP_LOW_SPEED_TIME": str(LOW_SPEED_SECONDS),
        "LC_ALL": "C",
    }
    if access.password is not None:
        kept |= {
            "GIT_ASKPASS": str(ASKPASS),
            "ASKPASS_USERNAME": access.username,
            "ASKPASS_PASSWORD": access.password,
        }
    return kept


def list_refs(git_dir: Path) -> dict[str, str]:
    r"""Return the refs of a repository: name → object id. A tag has its own id here, not its target's.

    Bytes of a name that are not UTF-8 are written ``\xNN``; no name holds a backslash of its own
    (git-check-ref-format(1)).
    """
    lines = run_git(["for-each-ref", "--format=%(objectname) %(refname)"], cwd=git_dir).splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return {name: object_id for object_id, name in pairs}


def digest_refs(refs: Mapping[str, str]) -> str:
    """Return the SHA-256 over the sorted lines ``<object id> <ref name>``, each ended by a newline."""
    lines = sorted(f"{object_id} {name}\n" for name, object_id in refs.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _explain(command: str, code: int, stderr: str) -> GitError:
    lines = [line.strip().removeprefix("remote: ") for line in stderr.splitlines() if line.strip()]
    for line in lines[-MAX_LINES_LOGGED:]:
        logger.warning("git %s said: %s", command, line)
    telling = next((line for line in lines if line.startswith(("fatal:", "error:"))), None)
    reason = telling or (lines[-1] if lines else f"exit code {code}")
    hint = next((hint for words, hint in _HINTS.items() if words in stderr), None)
    transient = _says_any(stderr, _TRANSIENT) and not _says_any(stderr, _PERMANENT)
    kind = TransientGitError if transient else GitError
    return kind(f"git {command}: {reason}", hint=hint)


def _says_any(text: str, phrases: Iterable[str]) -> bool:
    return any(phrase in text for phrase in phrases)

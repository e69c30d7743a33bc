"""What git's failures mean, whether they may pass, and what to do about each."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from repo_maintenance.errors import GitError, TransientGitError

logger = logging.getLogger(__name__)

MAX_LINES_LOGGED = 20

# What git (2.39), curl and git-lfs (3.3) say, what it is called in the summary, and the remedy. The first
# that is said decides.
_PERMANENT = (
    ("possible repository corruption", "damaged upstream", "run 'git fsck' there"),
    ("No space left on device", "no space", "free disk space, or bound the run with --resources disk_mb=…"),
    ("Disk quota exceeded", "no space", "free disk space, or bound the run with --resources disk_mb=…"),
    ("returned error: 451", "blocked for legal reasons", "GitHub has taken it down: its backups are kept"),
    ("returned error: 403", "access denied", "let the token read this repository's contents"),
    ("Authentication failed", "access denied", "check that the token is valid and may read this repository"),
    ("Authorization error", "access denied", "let the token read this repository's contents"),
    ("no password for this host", "access denied", "the repository sends git to another host"),
    ("could not read Username", "access denied", "set GITHUB_TOKEN to a token that may read this repository"),
    ("could not read Password", "access denied", "set GITHUB_TOKEN to a token that may read this repository"),
    ("not found", "not found", "it was deleted or renamed during the run, or the token may not read it"),
    ("does not appear to be a git repository", "not found", "it was deleted during the run"),
)
_TRANSIENT = (
    "early EOF",
    "unexpected disconnect",
    "RPC failed",
    "returned error: 429",
    "returned error: 5",
    "Could not resolve host",
    "Failed to connect",
    "Couldn't connect",
    "Connection reset",
    "connection reset",
    "Connection timed out",
    "Operation too slow",
    "Recv failure",
    "Empty reply from server",
    "the remote end hung up",
    "i/o timeout",
    "unexpected EOF",
    "connection refused",
    "Server error",
    "Rate limit exceeded",
    "exceeded retry limit",
)


def explain_git(verb: str, code: int, stderr: str) -> GitError:
    """Return the error for a git command that failed; what it said goes to the log."""
    lines = [line.strip().removeprefix("remote: ") for line in stderr.splitlines() if line.strip()]
    for line in lines[-MAX_LINES_LOGGED:]:
        logger.info("git %s said: %s", verb, line)
    message = f"git {verb}: {_most_telling(lines) or f'exit code {code}'}"
    for phrase, kind, hint in _PERMANENT:
        if phrase in stderr:
            return GitError(message, hint=hint, kind=kind)
    if any(phrase in stderr for phrase in _TRANSIENT):
        return TransientGitError(message, hint="it may pass: run again later", kind="network")
    return GitError(message)


def _most_telling(lines: Iterable[str]) -> str | None:
    """Return git's first complaint, or its last word."""
    said = list(lines)
    damage = [line for line in said if line.startswith("fatal: unable to read ")]
    if damage:
        return damage[0]
    complaints = [line for line in said if line.startswith(("fatal:", "error:", "ERROR:", "batch response:"))]
    return next(iter(complaints), said[-1] if said else None)

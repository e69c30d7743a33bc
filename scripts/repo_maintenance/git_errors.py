"""What git's failures mean, whether they may pass, and what to do about each."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from repo_maintenance.errors import GitError, TransientGitError
from repo_maintenance.screen import printable

logger = logging.getLogger(__name__)

MAX_LINES_LOGGED = 20

# What git (2.39), curl and git-lfs (3.3) say, what it is called in the summary, and the remedy. The first
# that is said decides: what certainly lasts, then what may pass, then what lasts unless a server was ill.
_LASTING = (
    ("possible repository corruption", "damaged upstream", "run 'git fsck' there"),
    ("no space left on device", "no space", "free disk space, or bound the run with --resources disk_mb=…"),
    ("disk quota exceeded", "no space", "free disk space, or bound the run with --resources disk_mb=…"),
    ("file too large", "no space", "lift the limit on the size of files"),
    ("died of signal 25", "no space", "lift the limit on the size of files"),
    ("returned error: 451", "blocked for legal reasons", "GitHub has taken it down: its backups are kept"),
    ("returned error: 403", "access denied", "let the token read this repository's contents"),
    ("no password for this host", "access denied", "the repository sends git to another host"),
)
_PASSING = (
    "early eof",
    "unexpected disconnect",
    "rpc failed",
    "returned error: 429",
    "returned error: 5",
    "could not resolve host",
    "failed to connect",
    "couldn't connect",
    "connection reset",
    "connection timed out",
    "operation too slow",
    "recv failure",
    "send failure",
    "empty reply from server",
    "the remote end hung up",
    "transfer closed",
    "invalid index-pack output",
    "index-pack failed",
    "inflate: data stream error",
    "pack has bad object",
    "pack is corrupted",
    "protocol error: bad line length",
    "bad band",
    "i/o timeout",
    "unexpected eof",
    "connection refused",
    "unable to parse http response",
    "server error",
    "rate limit exceeded",
    "exceeded retry limit",
)
_REFUSALS = (
    ("authentication failed", "access denied", "check that the token is valid and may read this repository"),
    ("authorization error", "access denied", "let the token read this repository's contents"),
    ("could not read username", "access denied", "set GITHUB_TOKEN to a token that may read this repository"),
    ("could not read password", "access denied", "set GITHUB_TOKEN to a token that may read this repository"),
    ("not found", "not found", "it was deleted or renamed during the run, or the token may not read it"),
    ("does not appear to be a git repository", "not found", "it was deleted during the run"),
)


def explain_git(verb: str, code: int, stderr: str) -> GitError:
    """Return the error for a git command that failed; what it said goes to the log."""
    said_lines = (line.strip() for line in stderr.splitlines())
    lines = [printable(line.removeprefix("remote: ")) for line in said_lines if line]
    for line in lines[-MAX_LINES_LOGGED:]:
        logger.info("git %s said: %s", verb, line)
    message = f"git {verb}: {_most_telling(lines) or f'exit code {code}'}"
    said = stderr.lower()
    for phrase, kind, hint in _LASTING:
        if phrase in said:
            return GitError(message, hint=hint, kind=kind)
    if any(phrase in said for phrase in _PASSING):
        return TransientGitError(message, hint="it may pass: run again later", kind="network")
    for phrase, kind, hint in _REFUSALS:
        if phrase in said:
            return GitError(message, hint=hint, kind=kind)
    return GitError(message)


def _most_telling(lines: Iterable[str]) -> str | None:
    """Return git's first complaint, or its last word."""
    said = list(lines)
    damage = [line for line in said if line.startswith("fatal: unable to read ")]
    if damage:
        return damage[0]
    complaints = [line for line in said if line.startswith(("fatal:", "error:", "ERROR:", "batch response:"))]
    return next(iter(complaints), said[-1] if said else None)

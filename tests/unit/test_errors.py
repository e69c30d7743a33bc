"""Promises of the errors: one line with a remedy, and whether trying again makes sense."""

from __future__ import annotations

import pytest

from repo_maintenance import errors
from repo_maintenance.errors import GitError, RepoMaintenanceError, TransientGitError


def test_an_error_is_its_message_and_its_hint() -> None:
    """What a user reads is the message, and behind it in brackets what to do."""
    assert str(RepoMaintenanceError("it failed", hint="do this")) == "it failed (do this)"
    assert str(RepoMaintenanceError("it failed")) == "it failed"


def test_transient_errors_are_errors_of_their_kind() -> None:
    """Whoever catches git's errors catches those that may pass, too, and can tell them apart."""
    assert (TransientGitError("x").transient, GitError("x").transient) == (True, False)
    with pytest.raises(GitError):
        raise TransientGitError("x")


def test_every_error_for_users_is_caught_by_one_name() -> None:
    """The door needs to know one class only; all but the end of a job come from it."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert [
        kind.__name__
        for kind in kinds
        if not issubclass(kind, RepoMaintenanceError) and kind.__name__ != "JobFailedError"
    ] == []

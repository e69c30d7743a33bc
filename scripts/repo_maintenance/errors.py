"""The error tree: what failed, where, and what to do about it."""

from __future__ import annotations


class RepoMaintenanceError(Exception):
    """An error that a user is meant to read: one line that says what failed, and a hint.

    ``transient`` says whether the same step, tried again later, may succeed without anyone's hand; ``kind``
    is what the summary calls it, such as ``not found``.
    """

    transient = False

    def __init__(self, message: str, *, hint: str | None = None, kind: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.kind = kind

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class SettingsError(RepoMaintenanceError):
    """The configuration can't be used; the message holds every problem, one a line."""


class HostError(RepoMaintenanceError):
    """The repositories can't be listed, so nothing may be concluded about what exists upstream."""


class GitError(RepoMaintenanceError):
    """A git command failed for good: the same command would fail again."""


class TransientGitError(GitError):
    """A git command failed in a way that may pass: a cut transfer, an overloaded server, a stall."""

    transient = True


class ArchiveError(RepoMaintenanceError):
    """A tarball can't be written."""


class StoreError(RepoMaintenanceError):
    """The store refused a request, or holds something other than what was sent."""


class AlreadyStoredError(StoreError):
    """The key is taken by other content, which is not overwritten."""


class RewrittenHistoryError(StoreError):
    """A backup of today holds history that upstream has rewritten since, so it is not replaced."""


class ChangedSourceError(StoreError):
    """A file is no longer what it was when its digests were taken."""


class PreflightError(RepoMaintenanceError):
    """A run would be in vain as things stand."""


class InterruptedRunError(RepoMaintenanceError):
    """The run was told to stop before this was done."""

    transient = True


class LockedError(RepoMaintenanceError):
    """Another run works in the same folder."""


class JobFailedError(Exception):
    """A job failed, and why has been said and written down: the message is the one line to show."""


class UnsafeTarballError(RepoMaintenanceError):
    """A tarball can't be unpacked: it is damaged, or holds what would lead outside."""


class ProofError(RepoMaintenanceError):
    """A backup is not what it should be: it can't be restored, or not as it was."""


class MetricsError(RepoMaintenanceError):
    """The metrics can't be handed to Prometheus."""


class RestoreError(RepoMaintenanceError):
    """A backup can't be put back to where it should go."""


class PushError(RepoMaintenanceError):
    """A restored repository can't be pushed to where it should go."""


class HealthError(RepoMaintenanceError):
    """The health of a repository can't be told."""

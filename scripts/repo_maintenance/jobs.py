"""What every job has in common: a log of its own, and a failure that is said in one line and written down."""

from __future__ import annotations

import datetime as dt
import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from repo_maintenance import naming
from repo_maintenance.errors import JobFailedError, RepoMaintenanceError
from repo_maintenance.logs import job_log
from repo_maintenance.records import Failure, read_json, write_json

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_alone = threading.Lock()
SMALLEST_WAITS_SECONDS = 3.0
BYTES_PER_MB = 1_000_000
# Step → the rule that takes it, as Snakemake and the logs name it.
RULES = {
    "mirror": "mirror_repository",
    "archive": "archive_repository",
    "upload": "upload_backup",
    "restore": "restore_repository",
    "push": "push_repository",
    "verify": "verify_backup",
    "health": "check_repository",
}


class Duration(BaseModel):
    """How long one job took."""

    model_config = ConfigDict(frozen=True)

    step: str
    subject: str
    """A repository, or one of its backups."""
    seconds: float


@contextmanager
def job(step: str, subject: str, log: Path, *, repository: str | None = None) -> Iterator[None]:
    """Run one step for a repository or a backup: its lines go to its log, and its failure to a note.

    ``repository`` is what its lines are about, where that is not the subject. Raises JobFailedError in place
    of every error that a user is meant to read.
    """
    started = time.monotonic()
    with job_log(subject, log, rule=RULES.get(step, step), repository=repository):
        try:
            yield
        except (RepoMaintenanceError, OSError) as error:
            failed = _readable(error)
            logger.error("%s failed: %s", step, failed)
            failure = Failure(
                repository=subject,
                step=step,
                kind=failed.kind,
                message=failed.message,
                hint=failed.hint,
                transient=failed.transient,
                log=str(_final_place(log)),
                failed_at=dt.datetime.now(dt.UTC),
            )
            _note(failure)
            raise JobFailedError(f"{subject}: {step} failed: {failed}") from None
        finally:
            _note_duration(Duration(step=step, subject=subject, seconds=time.monotonic() - started))


def _final_place(log: Path) -> Path:
    """Return where a log stands in the end: on a node without a shared folder Snakemake works on a copy."""
    if log.parts[0] != ".snakemake":
        return log
    where = log.parts.index(naming.RESULTS.name)
    return Path(*log.parts[where:])


def _note_duration(duration: Duration) -> None:
    """Append a line, in one write, so that those of jobs beside it stay whole."""
    line = f"{duration.model_dump_json()}\n"
    try:
        with naming.DURATIONS.open("ab", buffering=0) as stream:
            stream.write(line.encode())
    except OSError as error:
        logger.warning("how long %s took can't be written down: %s", duration.step, error.strerror)


def read_durations() -> list[Duration]:
    """Return how long each job of this run took, failed or not; a line that is not whole is left out."""
    try:
        lines = naming.DURATIONS.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [duration for line in lines if (duration := _parse_duration(line)) is not None]


def _parse_duration(line: bytes) -> Duration | None:
    try:
        return Duration.model_validate_json(line)
    except ValidationError:
        return None


def _note(failure: Failure) -> None:
    """Write a failure down; where even that can't be done, the log and the exit code still tell."""
    try:
        write_json(naming.failure_path(failure.repository), failure)
    except OSError as error:
        logger.error("the failure of %s can't be written down: %s", failure.repository, error)


def once_more_alone(work: Callable[[], Result], *, size_bytes: int, give_up: Callable[[], None]) -> Result:
    """Do some work; where the disk is full, do it once more while no other job does so, the largest first.

    A repository that is too large fills the disk for all that work beside it. So it tries, fails and makes
    room by ``give_up`` before the smaller ones try again.
    """
    try:
        return work()
    except OSError as error:
        if error.errno not in FULL:
            raise
        logger.warning("the disk is full: trying once more, alone")
    time.sleep(SMALLEST_WAITS_SECONDS / (1 + size_bytes / BYTES_PER_MB))
    with _alone:
        try:
            return work()
        except OSError:
            give_up()
            raise


def read_failures() -> list[Failure]:
    """Return what failed in this run, by repository."""
    found = (read_json(path, Failure) for path in sorted(naming.FAILURES.glob("*.json")))
    return [failure for failure in found if failure is not None]


def render_failure(failure: Failure) -> list[str]:
    """Return a failure for the screen: what it is, a hint, and where to read on."""
    lines = [f"FAILED {failure.repository} ({failure.step}): {failure.kind}: {failure.message}"]
    lines += [f"       {failure.hint}"] if failure.hint else []
    return [*lines, f"       log: {failure.log}"]


def _readable(error: RepoMaintenanceError | OSError) -> RepoMaintenanceError:
    if isinstance(error, RepoMaintenanceError):
        return error
    message = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    if error.errno in FULL:
        hint = "free disk space, or bound the run with --resources disk_mb=…"
        return RepoMaintenanceError(message, hint=hint, kind="no space")
    return RepoMaintenanceError(message)

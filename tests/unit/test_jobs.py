"""Promises of every job: its failure is told in one line, and one full disk does not cost all backups."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import JobFailedError, StoreError
from repo_maintenance.jobs import job, once_more_alone, read_durations, read_failures
from repo_maintenance.logs import configure_logging
from repo_maintenance.settings import LoggingSettings
from tests.unit.making import LOGS

HUGE = 10**12  # the largest repositories wait least


@pytest.fixture(autouse=True)
def results(workspace: Path) -> Path:
    """Work in a folder with `results/`, as each job does."""
    (workspace / naming.RESULTS).mkdir()
    return workspace


def failing(*errors: Exception) -> Callable[[], str]:
    """Return work that fails with each error in turn, and is done after that."""
    left = list(errors)

    def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work


def no_room() -> OSError:
    """Return what a full disk says."""
    return OSError(errno.ENOSPC, "No space left on device", "results/mirrors/lecture")


def test_a_failure_is_noted_with_its_reason_and_its_log() -> None:
    """What failed, why, and what to do about it is told at the end, however many jobs ran beside it."""
    log = LOGS / "lecture.log"
    configure_logging(LoggingSettings())
    with pytest.raises(JobFailedError, match="lecture: upload failed"), job("upload", "lecture", log):
        raise StoreError("the bucket is gone", hint="make it again")

    [failure] = read_failures()
    assert ("lecture", "upload", "the bucket is gone", "make it again", str(log)) == (
        failure.repository,
        failure.step,
        failure.message,
        failure.hint,
        failure.log,
    )
    assert "upload failed" in log.read_text()


def test_a_log_on_a_node_is_named_by_where_it_comes_to_stand() -> None:
    """Without a shared folder Snakemake gives a node a copy's place, which nobody finds again."""
    copy = Path(".snakemake/storage/fs/shared/results/logs/mirror/one.log")
    with pytest.raises(JobFailedError), job("mirror", "one", copy):
        raise StoreError("no")

    assert ["results/logs/mirror/one.log"] == [failure.log for failure in read_failures()]


def test_a_full_disk_is_named_with_a_remedy() -> None:
    """It is the place, the reason and the setting that a user reads, and no stack of calls."""
    with pytest.raises(JobFailedError), job("mirror", "lecture", LOGS / "lecture.log"):
        raise no_room()

    [failure] = read_failures()
    assert "results/mirrors/lecture: No space left on device" == failure.message
    assert "no space" == failure.kind
    assert "disk_mb" in str(failure.hint)


def test_a_failure_that_can_not_be_noted_is_still_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """Where not even a note can be written, the job's end and the log tell."""
    naming.FAILURES.write_text("no folder")

    with pytest.raises(JobFailedError, match="lecture"), job("mirror", "lecture", LOGS / "lecture.log"):
        raise no_room()

    assert "the failure of lecture can't be written down" in caplog.text


def test_durations_are_read_back_and_a_torn_line_is_left_out() -> None:
    """A line that a crash cut off costs that one line, and a run without jobs has none."""
    assert [] == read_durations()
    with job("mirror", "lecture", LOGS / "lecture.log"):
        pass
    with naming.DURATIONS.open("a") as stream:
        stream.write('{"step": "arch\n')

    [duration] = read_durations()
    assert ("mirror", "lecture") == (duration.step, duration.subject)
    assert duration.seconds >= 0


def test_durations_that_can_not_be_written_cost_no_backup(caplog: pytest.LogCaptureFixture) -> None:
    """The job has succeeded all the same."""
    naming.DURATIONS.mkdir()
    with job("mirror", "lecture", LOGS / "lecture.log"):
        pass

    assert [] == read_failures()
    assert "how long mirror took can't be written down" in caplog.text


def test_a_full_disk_is_tried_once_more() -> None:
    """Where another one has made room meanwhile, the backup is made, and nothing is given up."""
    given_up: list[str] = []
    done = once_more_alone(failing(no_room()), size_bytes=HUGE, give_up=lambda: given_up.append("mirror"))
    assert ("done", []) == (done, given_up)


def test_what_does_not_fit_alone_makes_room_for_the_others() -> None:
    """The repository that is too large fails, after what it took of the disk is given up."""
    given_up: list[str] = []
    with pytest.raises(OSError, match="No space left"):
        once_more_alone(
            failing(no_room(), no_room()), size_bytes=HUGE, give_up=lambda: given_up.append("mirror")
        )
    assert ["mirror"] == given_up
    again = once_more_alone(failing(no_room()), size_bytes=HUGE, give_up=lambda: None)
    assert "done" == again


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "Permission denied"), StoreError("gone")])
def test_no_other_error_is_tried_again(error: Exception) -> None:
    """Only a full disk may be better a moment later."""
    with pytest.raises(type(error)):
        once_more_alone(failing(error), size_bytes=HUGE, give_up=lambda: None)

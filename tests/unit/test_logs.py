"""Promises of the logs: each job has its own, whatever runs beside it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from repo_maintenance.logs import configure_logging, job_log, quiet_job_failures
from repo_maintenance.settings import LoggingSettings

logger = logging.getLogger("repo_maintenance.something")
PLAIN = "%(levelname)s %(message)s"


def test_a_job_s_log_holds_its_own_lines_only(tmp_path: Path) -> None:
    """Jobs that run at the same time don't write into each other's logs; the common file has every line."""
    configure_logging(LoggingSettings(format=PLAIN, file=tmp_path / "logs" / "all.log"))
    together = Barrier(4)

    def job(number: int) -> None:
        with job_log(f"repo-{number}", tmp_path / f"{number}.log"):
            together.wait(10)
            for _ in range(50):
                logger.info("line of %d at 100 %%", number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(job, range(4)))

    for number in range(4):
        line = f"INFO repo-{number}: line of {number} at 100 %"
        assert [line] * 50 == (tmp_path / f"{number}.log").read_text().splitlines()
    assert len((tmp_path / "logs" / "all.log").read_text().splitlines()) == 200


def test_a_line_names_its_repository(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """On the screen, where all jobs' lines meet, each says which repository it is about, once."""
    configure_logging(LoggingSettings(format=PLAIN))
    with job_log("lecture", tmp_path / "lecture.log"):
        logger.warning("slow")
    logger.warning("done")

    assert capsys.readouterr().err.splitlines() == ["WARNING lecture: slow", "WARNING done"]
    assert (tmp_path / "lecture.log").read_text().splitlines() == ["WARNING lecture: slow"]


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)])
def test_the_level_decides(level: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Less severe lines than configured are not shown."""
    configure_logging(LoggingSettings.model_validate({"level": level, "format": PLAIN}))
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logger.log(number, "a line")
    assert count == len(capsys.readouterr().err.splitlines())


def test_configuring_again_doubles_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A second configuration takes the first one's place."""
    for _ in range(3):
        configure_logging(LoggingSettings(format=PLAIN))
    logger.info("once")
    assert capsys.readouterr().err.splitlines() == ["INFO once"]


def test_a_log_is_there_though_nothing_was_said(tmp_path: Path) -> None:
    """A job's log exists from its start, in a folder made for it, and a second run begins it anew."""
    path = tmp_path / "new" / "lecture.log"
    path.parent.mkdir()
    path.write_text("of the run before")
    with job_log("lecture", path):
        pass
    assert path.read_text() == ""


def test_a_failure_said_once_is_not_said_again(caplog: pytest.LogCaptureFixture) -> None:
    """Snakemake's own account of a failure that has been told in one line is left out; all else stays."""
    snakemake = logging.getLogger("a.snakemake.logger")
    quiet_job_failures(snakemake)
    snakemake.error("JobFailedError in file rules/backup.smk")
    snakemake.error("other")
    assert [record.message for record in caplog.records] == ["other"]

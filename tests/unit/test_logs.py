"""Promises of the logs: each job has its own, whatever runs beside it."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from pydantic import ValidationError

from repo_maintenance.jobs import RULES, job
from repo_maintenance.logs import configure_logging, job_log, quiet_job_failures
from repo_maintenance.run import Run
from repo_maintenance.settings import LoggingSettings

logger = logging.getLogger("repo_maintenance.something")
PLAIN = "%(levelname)s %(message)s"
RULES_FOLDER = Path(__file__).parents[2] / "rules"


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


@pytest.fixture
def results(workspace: Path) -> Path:
    """Work in a folder with `results/`, as there is whenever a job runs; returns where logs may go."""
    folder = workspace / "results"
    folder.mkdir()
    return folder


def as_json(text: str) -> list[dict[str, str]]:
    """Return the lines, each a JSON object."""
    return [json.loads(line) for line in text.splitlines()]


def test_the_usual_line_is_as_it_always_was(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a word in the configuration a line has its time, its place, its level and its message."""
    configure_logging(LoggingSettings())
    logger.info("a line")

    expected = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - repo_maintenance\.something - INFO - a line\n"
    assert re.fullmatch(expected, capsys.readouterr().err)


def test_a_format_may_name_run_rule_and_repository(capsys: pytest.CaptureFixture[str], results: Path) -> None:
    """A line says where it comes from, outside of jobs too; a repository in the format is not said twice."""
    configure_logging(LoggingSettings(format="%(run)s %(rule)s %(repository)s %(message)s"), run="0123abcd")
    with job("mirror", "lecture", results / "lecture.log"):
        logger.info("inside")
    logger.info("outside")

    expected = ["0123abcd mirror_repository lecture inside", "0123abcd - - outside"]
    assert expected == capsys.readouterr().err.splitlines()


def test_json_lines_carry_run_rule_and_repository(capsys: pytest.CaptureFixture[str], results: Path) -> None:
    """For programs each line is one JSON object, whatever is in the message, and has its origin as keys."""
    configure_logging(LoggingSettings(json=True, file=results / "all.log"), run="0123abcd")
    with job("verify", "lecture-20260101", results / "job.log", repository="lecture"):
        logger.warning('two\nlines, "quoted", ünïcode: %d %%', 7)
    logger.info("outside")

    lines = as_json((results / "job.log").read_text())
    moment = dt.datetime.fromisoformat(lines[0].pop("time"))
    assert abs(dt.datetime.now(dt.UTC) - moment) < dt.timedelta(minutes=1)
    assert lines[0] == {
        "level": "WARNING",
        "logger": "repo_maintenance.something",
        "run": "0123abcd",
        "rule": "verify_backup",
        "repository": "lecture",
        "message": 'two\nlines, "quoted", ünïcode: 7 %',
    }
    outside = as_json((results / "all.log").read_text())[-1]
    assert ("0123abcd", "-", "-") == (outside["run"], outside["rule"], outside["repository"])
    assert 2 == len(as_json(capsys.readouterr().err))


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback does not tear a JSON line apart."""
    configure_logging(LoggingSettings(json=True))
    try:
        raise OSError("no room")
    except OSError:
        logger.exception("failed")

    (line,) = as_json(capsys.readouterr().err)
    assert "failed" == line["message"]
    assert line["exception"].endswith("OSError: no room")


def test_jobs_beside_each_other_keep_their_origin(results: Path) -> None:
    """However jobs take turns, no line has the rule or the repository of another job."""
    configure_logging(LoggingSettings(json=True, file=results / "all.log"), run="0123abcd")
    together = Barrier(4, timeout=10)
    steps = ["mirror", "archive", "upload", "verify"]

    def work(number: int) -> None:
        with job(steps[number], f"repo-{number}", results / f"{number}.log"):
            for _ in range(20):
                together.wait()
                logger.info("of %d", number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    for number, step in enumerate(steps):
        lines = as_json((results / f"{number}.log").read_text())
        own = [(RULES[step], f"repo-{number}", f"of {number}")] * 20
        assert own == [(one["rule"], one["repository"], one["message"]) for one in lines]
    everything = as_json((results / "all.log").read_text())
    assert 80 == len(everything)
    assert all(one["repository"].removeprefix("repo-") == one["message"][-1] for one in everything)


def test_verbose_shows_everything(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--config verbose=true` shows what is logged at any level; every line has the run's id."""
    _ = workspace
    config = {"logging": {"level": "ERROR", "format": "%(run)s %(message)s"}, "verbose": True}
    run = Run.start(config, {})
    logger.debug("a detail")

    assert re.fullmatch(r"[0-9a-f]{8}", run.id)
    assert [f"{run.id} a detail"] == capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("text", ["%(colour)s %(message)s", "no field at all", "%(message)", "%(lineno)q"])
def test_a_format_that_can_t_be_used_is_refused(text: str) -> None:
    """A wrong format stops the run at its start, and not each line of its log."""
    with pytest.raises(ValidationError):
        LoggingSettings(format=text)


def test_each_step_is_named_as_its_rule() -> None:
    """What a line calls its rule is one that Snakemake knows."""
    text = "".join(path.read_text() for path in RULES_FOLDER.glob("*.smk"))
    assert set(RULES.values()) <= set(re.findall(r"^rule (\w+):", text, re.MULTILINE))

"""Logging: lines on the screen and in a file as configured, and each job's lines in a log of its own."""

from __future__ import annotations

import datetime as dt
import difflib
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from repo_maintenance.invocation import as_invoked
from repo_maintenance.settings import LoggingSettings
from repo_maintenance.settings.logs import ADDED

ROOT = "repo_maintenance"


@dataclass(frozen=True)
class _Job:
    subject: str
    """What a line for people begins with: a repository, or one of its backups."""
    repository: str
    rule: str
    stream: TextIO


_current_job: ContextVar[_Job | None] = ContextVar("current_job", default=None)


class _JobHandler(logging.Handler):
    """Writes a line to the log of the job in whose thread it was said."""

    def emit(self, record: logging.LogRecord) -> None:
        job = _current_job.get()
        if job is not None:
            with suppress(OSError):  # the screen and the log file of the run have the line all the same
                job.stream.write(self.format(record) + "\n")
                job.stream.flush()


class _Origin(logging.Filter):
    """Gives each line the run, the rule and the repository that it comes from; ``-`` outside of jobs."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def filter(self, record: logging.LogRecord) -> bool:
        job = _current_job.get()
        record.run = self._run
        record.rule = job.rule if job else "-"
        record.repository = job.repository if job else "-"
        return True


class _ForPeople(logging.Formatter):
    """The configured format; a job's message begins with its subject, unless the format names it anyway."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._begins_with_subject = "%(repository)" not in text

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        job = _current_job.get()
        if job is not None and self._begins_with_subject:
            record.message = f"{job.subject}: {record.message}"
        return super().formatMessage(record)


class _ForPrograms(logging.Formatter):
    """One JSON object a line: whatever is said, it stays on that line."""

    def format(self, record: logging.LogRecord) -> str:
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            **{name: getattr(record, name, default) for name, default in ADDED.items()},
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(settings: LoggingSettings, *, run: str = "-", verbose: bool = False) -> None:
    """Set up the library's logging; called again, it replaces what was set up before.

    Every line carries ``run``; ``verbose`` shows everything, whatever level is configured.
    """
    logger = logging.getLogger(ROOT)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr), _JobHandler()]
    if settings.file is not None:
        settings.file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(settings.file, encoding="utf-8", delay=True))
    formatter = _ForPrograms() if settings.json_lines else _ForPeople(settings.format)
    origin = _Origin(run)
    for handler in handlers:
        handler.setFormatter(formatter)
        handler.addFilter(origin)
        logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose else settings.level)
    logger.propagate = False
    # It says of each retry `stamina.retry_scheduled`, and nothing more; whoever retries says more.
    logging.getLogger("stamina").propagate = False
    logging.getLogger("stamina").addHandler(logging.NullHandler())


def quiet_job_failures(snakemake_logger: logging.Logger) -> None:
    """Keep Snakemake from adding a traceback to a failure that has been said in one line already."""
    snakemake_logger.addFilter(lambda record: "JobFailedError" not in record.getMessage())


def offer_nearest_target(snakemake_logger: logging.Logger, targets: Callable[[], Iterable[str]]) -> None:
    """Have Snakemake say of a target that there is not which one was meant; ``targets`` gives their names."""

    def explain(record: logging.LogRecord) -> bool:
        found = re.search(r"MissingRuleException:\nNo rule to produce ([\w.-]+) \(", record.getMessage())
        if found:
            near = difflib.get_close_matches(found[1], list(targets()), n=1)
            meant = f"did you mean '{near[0]}'? " if near else ""
            record.msg = f"Error: there is no target '{found[1]}' ({meant}{as_invoked('-l')} lists all)"
            record.args = ()
        return True

    snakemake_logger.addFilter(explain)


def _close(stream: TextIO) -> None:
    with suppress(OSError):  # what could not be flushed for want of room
        stream.close()


@contextmanager
def job_log(subject: str, path: Path, *, rule: str = "-", repository: str | None = None) -> Iterator[None]:
    """Send what this thread logs to ``path`` too, until the block ends; each line says where it comes from.

    ``repository`` is the subject itself, unless that is one of a repository's backups, say. A log that can't
    be written, on a full disk say, costs no backup.
    """
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = path.open("w", encoding="utf-8")
        except OSError as error:
            logging.getLogger(__name__).warning("%s can't be written: %s", path, error.strerror)
            stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        stack.callback(_close, stream)
        job = _Job(subject, subject if repository is None else repository, rule, stream)
        token = _current_job.set(job)
        stack.callback(_current_job.reset, token)
        yield

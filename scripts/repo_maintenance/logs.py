"""Logging: lines on the screen and in a file as configured, and each job's lines in a log of its own."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from repo_maintenance.settings import LoggingSettings

ROOT = "repo_maintenance"


@dataclass(frozen=True)
class _Job:
    repository: str
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


def _name_repository(record: logging.LogRecord) -> bool:
    """Begin a job's line with its repository."""
    job = _current_job.get()
    if job is not None and not hasattr(record, "repository"):
        record.repository = job.repository
        record.msg = f"{job.repository}: {record.msg}"
    return True


def configure_logging(settings: LoggingSettings) -> None:
    """Set up the library's logging; called again, it replaces what was set up before."""
    logger = logging.getLogger(ROOT)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr), _JobHandler()]
    if settings.file is not None:
        settings.file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(settings.file, encoding="utf-8", delay=True))
    formatter = logging.Formatter(settings.format)
    for handler in handlers:
        handler.setFormatter(formatter)
        handler.addFilter(_name_repository)
        logger.addHandler(handler)
    logger.setLevel(settings.level)
    logger.propagate = False


def quiet_job_failures(snakemake_logger: logging.Logger) -> None:
    """Keep Snakemake from adding a traceback to a failure that has been said in one line already."""
    snakemake_logger.addFilter(lambda record: "JobFailedError" not in record.getMessage())


def _close(stream: TextIO) -> None:
    with suppress(OSError):  # what could not be flushed for want of room
        stream.close()


@contextmanager
def job_log(repository: str, path: Path) -> Iterator[None]:
    """Send what this thread logs to ``path`` too, until the block ends.

    A log that can't be written, on a full disk say, costs no backup.
    """
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = path.open("w", encoding="utf-8")
        except OSError as error:
            logging.getLogger(__name__).warning("%s can't be written: %s", path, error.strerror)
            stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        stack.callback(_close, stream)
        token = _current_job.set(_Job(repository, stream))
        stack.callback(_current_job.reset, token)
        yield

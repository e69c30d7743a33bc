"""One run at a time in one folder: a lock that dies with the process that holds it."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import socket
from pathlib import Path
from typing import TextIO

from pydantic import AwareDatetime, BaseModel, ValidationError

from repo_maintenance.errors import LockedError
from repo_maintenance.invocation import as_invoked


class Holder(BaseModel):
    """Who holds the lock, as it stands in its file."""

    pid: int
    host: str
    since: AwareDatetime

    @classmethod
    def this_process(cls) -> Holder:
        """Return the description of this process."""
        return cls(pid=os.getpid(), host=socket.gethostname(), since=dt.datetime.now(dt.UTC))

    @property
    def is_this_process(self) -> bool:
        """Whether it is this process that holds the lock."""
        return (self.pid, self.host) == (os.getpid(), socket.gethostname())


def acquire_lock(path: Path) -> TextIO:
    """Take the lock, and return the open file that holds it for as long as it is open.

    The kernel lets go of it when the process ends, however it ends (flock(2)), so that none is ever stale.
    Raises LockedError, which says who holds it: another run, or this one for another target.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        written = file.read()
        file.close()
        raise _refusal(path, written) from None
    file.truncate(0)
    file.write(Holder.this_process().model_dump_json() + "\n")
    file.flush()
    return file


def _refusal(path: Path, written: str) -> LockedError:
    try:
        holder = Holder.model_validate_json(written)
    except ValidationError:
        return LockedError(
            f"another run works in this folder, and has not said yet which it is: {path} is locked",
            hint="wait for it to end",
        )
    if holder.is_this_process:
        one, other = as_invoked("backup"), as_invoked("verify")
        return LockedError(
            "one run does one of backup, restore, verify, prune, unpin and health",
            hint=f"ask for one after the other: {one}, then {other}",
        )
    since = holder.since.astimezone(dt.UTC)
    where = "" if holder.host == socket.gethostname() else f" on {holder.host}"
    return LockedError(
        f"another run works in this folder: process {holder.pid} on {holder.host} holds {path} "
        f"since {since:%Y-%m-%d %H:%M:%S} UTC",
        hint=f"wait for it to end, or end it{where} by: kill {holder.pid}",
    )

"""One run at a time in one folder: a lock that dies with the process that holds it."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import socket
from pathlib import Path
from typing import TextIO

from repo_maintenance.errors import LockedError


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
        holder = file.read().strip()
        file.close()
        raise _refusal(path, holder) from None
    file.truncate(0)
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    file.write(json.dumps({**_own_name(), "since": now}) + "\n")
    file.flush()
    return file


def _own_name() -> dict[str, int | str]:
    return {"pid": os.getpid(), "host": socket.gethostname()}


def _refusal(path: Path, holder: str) -> LockedError:
    own = json.dumps(_own_name()).removesuffix("}")
    if holder.startswith(own):
        return LockedError(
            "one run does one of backup, restore, verify, prune, unpin and health",
            hint="ask for one after the other: `snakemake backup && snakemake verify`",
        )
    said = holder or "its holder has not said who it is yet"
    return LockedError(
        f"another run works in this folder ({path}): {said}", hint="wait for it to end, or end it"
    )

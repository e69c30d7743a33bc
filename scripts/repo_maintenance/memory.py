"""How Python and the C library go about memory in a run of many jobs, several at a time."""

from __future__ import annotations

import ctypes
import gc

OBJECTS_PER_COLLECTION = 100_000
# https://man7.org/linux/man-pages/man3/mallopt.3.html
M_ARENA_MAX = -8
ARENAS = 2


def collect_seldom() -> None:
    """Have Python look for garbage after 100,000 new objects instead of 700.

    The graph of jobs is some hundred objects a repository, and none of them is garbage until the end: a
    preview of 2,000 repositories spent a fifth of its CPU time on searching them. What else is garbage is
    freed at once, but for the little that refers to itself.
    """
    gc.set_threshold(OBJECTS_PER_COLLECTION, *gc.get_threshold()[1:])


def share_arenas() -> None:
    """Have the C library keep two stocks of freed memory instead of one for nearly each thread.

    What a thread has used for the refs of a large repository stays in its own stock, of no use to the others:
    a first backup of 200 small and 7 real repositories took 237 MB with, and 213 MB without. Does nothing
    where the C library is not GNU's.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)

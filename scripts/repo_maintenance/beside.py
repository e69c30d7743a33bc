"""Work that goes on in a thread of its own, beside what is done meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Beside(Generic[Result]):
    """Work that is begun at once, and waited for only by who wants its result.

    Where nobody does, it ends with the process. (An executor's threads are always waited for: an error
    elsewhere would wait for a server that does not answer.) What it logs goes to the same job's log.
    """

    def __init__(self, work: Callable[[], Result]) -> None:
        self._outcome: Future[Result] = Future()
        Thread(target=copy_context().run, args=(self._do, work), daemon=True).start()

    def result(self) -> Result:
        """Return what came of the work, once it is done; raises what it raised."""
        return self._outcome.result()

    def _do(self, work: Callable[[], Result]) -> None:
        try:
            self._outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is wanted
            self._outcome.set_exception(error)

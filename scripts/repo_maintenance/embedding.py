"""Inside another workflow: Snakemake calls the handlers of the outer one, and never a module's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

HANDLERS = ("_onsuccess", "_onerror")


def join_end(workflow: Workflow, end_run: Callable[[], None]) -> None:
    """Have the end of a workflow call ``end_run`` too, after what it does there itself.

    To be asked for once the workflow is parsed: what it sets later would prevail (Snakemake 9.27,
    ``Workflow.onsuccess``). Asked for again, it changes nothing.
    """
    for name in HANDLERS:
        own = getattr(workflow, name)
        if not isinstance(own, _Joined):
            setattr(workflow, name, _Joined(own, end_run))


class _Joined:
    def __init__(self, own: Callable[[object], None], end_run: Callable[[], None]) -> None:
        self._own = own
        self._end_run = end_run

    def __call__(self, log: object) -> None:
        try:
            self._own(log)
        finally:
            self._end_run()

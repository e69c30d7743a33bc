"""Keeps the cost of Snakemake in proportion to the work: its scheduler, and Python's search for garbage."""

from __future__ import annotations

import gc
import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snakemake.jobs import AbstractJob
    from snakemake.workflow import Workflow

CONSIDERED_PER_CORE = 4
OBJECTS_PER_COLLECTION = 100_000


def collect_seldom() -> None:
    """Have Python look for garbage after 100,000 new objects instead of 700.

    The graph of jobs is some hundred objects a repository, and none of them is garbage until the end: a
    preview of 2,000 repositories spent a fifth of its CPU time on searching them. What else is garbage is
    freed at once, but for the little that refers to itself.
    """
    gc.set_threshold(OBJECTS_PER_COLLECTION, *gc.get_threshold()[1:])


def keep_linear(workflow: Workflow) -> None:
    """Let the scheduler of a run on this machine look at few jobs, and only when there is something to start.

    Found by profiling Snakemake 9.27 (benchmarks/README.md has the figures):

    - Its limit on jobs a second starts a timer at each round, each timer another round, and so on: after N
      jobs there are N rounds a second. The limit is meant for clusters; no option turns it off.
    - Each round works out anew what every ready job needs, also those that can't start for hours. Looking at
      the few of the highest priority starts the same ones.
    """
    if not workflow.local_exec:
        return
    from snakemake.scheduling.job_scheduler import JobScheduler

    considered = CONSIDERED_PER_CORE * workflow.resource_settings.cores

    class FewAtOnce(JobScheduler):  # type: ignore[misc]
        @property
        def open_jobs(self) -> Sequence[AbstractJob]:
            return heapq.nlargest(considered, self.workflow.dag.ready_jobs, key=lambda job: job.priority)

    workflow.scheduler.job_rate_limiter = None
    workflow.scheduler.__class__ = FewAtOnce

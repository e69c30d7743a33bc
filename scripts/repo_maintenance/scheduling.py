"""Keeps the cost of Snakemake's scheduler in proportion to the work: some of its habits are quadratic."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence, Set

    from snakemake.jobs import AbstractJob
    from snakemake.workflow import Workflow

CONSIDERED_PER_CORE = 4


def keep_linear(workflow: Workflow) -> None:
    """Let the scheduler of a run on this machine look at few jobs, and only when there is something to start.

    Found by profiling Snakemake 9.27 (benchmarks/README.md has the figures):

    - Its limit on jobs a second starts a timer at each round, each timer another round, and so on: after N
      jobs there are N rounds a second. The limit is meant for clusters; no option turns it off.
    - Each round looks at every ready job: what it needs, how large its inputs are, how urgent it is. Looking
      at the few of the highest priority starts the same ones.
    - Each round lists all jobs that are still to come, which only the other scheduler (``ilp``) needs.
    - Each job that ends makes a round, also where others ended at the same time.
    """
    if not workflow.local_exec:
        return
    from snakemake.scheduling.job_scheduler import JobScheduler

    considered = CONSIDERED_PER_CORE * workflow.resource_settings.cores
    most_urgent = _MostUrgent(considered)
    scheduler = workflow.scheduler
    is_greedy = type(scheduler._scheduler) is type(scheduler._greedy_scheduler)

    class FewAtOnce(JobScheduler):  # type: ignore[misc]
        @property
        def open_jobs(self) -> Sequence[AbstractJob]:
            return most_urgent.of(self.workflow.dag.ready_jobs)

        def job_selector(self, jobs: Collection[AbstractJob]) -> Collection[AbstractJob]:
            if not is_greedy:
                selected: Collection[AbstractJob] = super().job_selector(jobs)
                return selected
            with self._lock:
                for job in jobs:
                    self.validate_job(job)
                selected = self.job_selector_greedy(jobs, jobs, self.resources, defaultdict(int))
                self.update_available_resources(selected)
            return selected

    scheduler.job_rate_limiter = None
    scheduler.__class__ = FewAtOnce
    scheduler._open_jobs = _OneForAll(scheduler._open_jobs)


class _OneForAll:
    """Stands for a semaphore whose one acquisition answers all releases that came before it."""

    def __init__(self, semaphore: threading.Semaphore) -> None:
        self._semaphore = semaphore
        self.release = semaphore.release

    def acquire(self) -> bool:
        self._semaphore.acquire()
        while self._semaphore.acquire(blocking=False):
            pass
        return True


class _MostUrgent:
    """Keeps ready jobs in the order of their priority, so that a round need not ask each of them for it."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._heap: list[tuple[float, int, AbstractJob]] = []
        self._known: set[AbstractJob] = set()
        self._turns = itertools.count(1)

    def of(self, ready: Set[AbstractJob]) -> list[AbstractJob]:
        """Return the few of the highest priority; among equals, what is tried again, then the first ready.

        Snakemake forgets a job that waits to be tried again where a checkpoint changes the graph meanwhile.
        """
        for job in ready - self._known:
            turn = next(self._turns)
            heapq.heappush(self._heap, (-job.priority, -turn if job.attempt > 1 else turn, job))
            self._known.add(job)
        found: list[tuple[float, int, AbstractJob]] = []
        while self._heap and len(found) < self._count:
            entry = heapq.heappop(self._heap)
            if entry[2] in ready:
                found.append(entry)
            else:  # it has begun; should it be ready once more, it is new
                self._known.remove(entry[2])
        for entry in found:
            heapq.heappush(self._heap, entry)
        return [job for _priority, _turn, job in found]

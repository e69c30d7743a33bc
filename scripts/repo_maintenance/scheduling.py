"""Adapts Snakemake's scheduling: two of its habits are quadratic, and on a node it forgets the profile."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snakemake.jobs import AbstractJob
    from snakemake.workflow import Workflow

CONSIDERED_PER_CORE = 4


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


def work_as_here(workflow: Workflow) -> None:
    """Let a Snakemake that an executor starts on a node work as one on this machine does.

    On a node Snakemake 9.27 reads no profile, and nobody hands on ``keep-going`` or, for a group,
    ``force-use-threads`` (``cli.py``, ``spawn_jobs.py``): one repository's failure would end the whole
    submission, and each job would start a Snakemake. The executor for Slurm's job steps starts these by
    ``srun``, one at a time however many CPUs the submission has. So what is sent to a node runs there in this
    one process, ``--cores`` jobs at a time.
    """
    if not workflow.remote_exec:
        return
    execute = workflow.execute

    def execute_in_process(**options: Any) -> None:
        from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

        workflow.execution_settings.keep_going = True
        workflow.execution_settings.use_threads = True
        workflow.global_resources["_nodes"] = None  # else the cores count for nothing
        local = ExecutorPluginRegistry().get_plugin("local")
        execute(**options | {"executor_plugin": local, "executor_settings": None})

    workflow.execute = execute_in_process

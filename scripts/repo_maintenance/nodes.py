"""What is adapted of Snakemake on the nodes of a cluster, where it forgets the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snakemake.workflow import Workflow


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

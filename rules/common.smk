"""Settings, wildcard constraints and input functions: what the other rule files share."""

import atexit
import functools
import os
import sys
from pathlib import Path

from repo_maintenance import naming, steps
from repo_maintenance.embedding import join_end
from repo_maintenance.errors import RepoMaintenanceError
from repo_maintenance.health.checkup import Checkup, examined_size
from repo_maintenance.inventory import recorded_size
from repo_maintenance.logs import offer_nearest_target, quiet_job_failures
from repo_maintenance.memory import collect_seldom, share_arenas
from repo_maintenance.meter import Meter
from repo_maintenance.nodes import work_as_here
from repo_maintenance.notify import Notifier
from repo_maintenance.observer import Observer
from repo_maintenance.pins import HistoryWatch
from repo_maintenance.run import Run
from repo_maintenance.scheduling import keep_linear
from repo_maintenance.upkeep import Upkeep

is_module = not workflow.modifier.is_main_snakefile()


def ask(function, *arguments, **options):
    """Call what says what is to be done; inside another workflow, that one's end is then this run's end too."""
    if is_module and not workflow.dryrun:
        join_end(workflow, end_run)
    return or_stop(function, *arguments, preview=workflow.dryrun, **options)


def or_stop(function, *arguments, **options):
    """Call a function; an error that a user is meant to read ends the run with its own words."""
    try:
        return function(*arguments, **options)
    except (RepoMaintenanceError, OSError) as error:
        sys.exit(f"Error: {error}")


def target_names():
    """What can be asked for by name."""
    return [rule.name for rule in workflow.rules if not rule.has_wildcards()]


collect_seldom()
share_arenas()
quiet_job_failures(logger)
offer_nearest_target(logger, target_names)
work_as_here(workflow)
this_run = or_stop(Run.start, config, os.environ)
settings = this_run.settings
upkeep = Upkeep(settings, this_run.open_store, this_run.open_host, this_run.id)
checkup = Checkup(settings, this_run.open_store, this_run.open_host)
observer = Observer(settings, this_run.open_store, this_run.open_host)
watch = HistoryWatch(
    this_run.open_store,
    merged_too=settings.alerts.merged_branches,
    replace_rewritten=settings.backup.replace_rewritten,
)
notifier = Notifier(settings, this_run.open_store, observer)
meter = Meter(settings, observer.look_again)
this_run.afterwards.append(meter.publish)
this_run.afterwards.append(notifier.finish_backup)


wildcard_constraints:
    repo=naming.REPOSITORY_PATTERN,
    date=naming.DATE_PATTERN,


def due_receipts(wildcards):
    """The receipts that are to be made: here, and only here, the network is asked.

    Where nothing is executed, as for ``--report`` or ``--summary``, every one that there is shows.
    """
    receipts = functools.partial(this_run.due_receipts, every=workflow.executor_plugin is None)
    due = ask(notifier.begin, receipts)
    if not workflow.dryrun:
        forget_begun_jobs()
        atexit.register(this_run.finish)  # of a run that ends between this and its first job
    return due


def forget_begun_jobs():
    """Drop Snakemake's marks of jobs that were cut off: the receipts now say what the store holds."""
    for mark in Path(workflow.persistence.path, "incomplete").rglob("*"):
        if mark.is_file():
            mark.unlink()


def restored_notes(wildcards):
    """The notes that there are once everything asked for is restored, and pushed if so asked."""
    return ask(upkeep.restored_notes)


def verified_notes(wildcards):
    """The proofs that there are once every backup whose turn it is has been tried."""
    return ask(upkeep.verified_notes)


def checked_notes(wildcards):
    """What there is once every repository is looked at; a preview shows which ones, and with which checks."""
    return ask(checkup.checked_notes)


def prune_preview(wildcards):
    """No inputs; a preview shows what would be deleted, and why."""
    return ask(upkeep.prune_preview)


def end_run():
    """Sum up what was asked for; then, as configured, publish metrics, and tell channels and heartbeat."""
    this_run.finish()
    upkeep.finish()
    checkup.finish()
    if this_run.has_looked or upkeep.has_verified:
        meter.publish()
    notifier.finish(is_backup=this_run.has_looked, is_verify=upkeep.has_verified)


def temp_unless(kept, path):
    """Mark an output as temporary, unless the configuration keeps it."""
    return path if kept else temp(path)


# Each job asks twice, and the records stay as they are once the run has resolved.
known_size = functools.cache(recorded_size)


def disk_mb(wildcards):
    """What a repository takes on disk while it is worked on: its mirror and its tarball, in MB."""
    return 2 * known_size(wildcards.repo) // 1_000_000 + 1


def mirror_mb(wildcards):
    """What the mirror of a repository takes on disk while it is checked, in MB."""
    return examined_size(wildcards.repo) // 1_000_000 + 1


def larger_first(wildcards):
    """A priority below 1, higher for larger repositories, so that the longest work begins first.

    It stays below that of archive and upload: what is begun is finished before more is begun.
    """
    size = known_size(wildcards.repo)
    return size / (size + 1_000_000_000)


def paths(*files):
    """The named inputs and outputs of a job, as keyword arguments for the library."""
    return {name: Path(path) for named in files for name, path in named.items()}

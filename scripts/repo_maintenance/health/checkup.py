"""The health check as the Snakefile sees it: what is to be looked at, each job, and what came of it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO, runtime_checkable
from urllib.parse import urlsplit

from repo_maintenance import naming
from repo_maintenance.errors import HealthError, HostError
from repo_maintenance.health.examined import Facts, Organization
from repo_maintenance.health.findings import HealthReport, RepositoryHealth, remember_health
from repo_maintenance.health.registry import Registry, is_chosen
from repo_maintenance.health.render import render_headline, render_markdown, render_plan, render_screen
from repo_maintenance.health.report import build_report
from repo_maintenance.health.tree import Tree
from repo_maintenance.hosts import GitAccess, Host, Repository
from repo_maintenance.inventory import survey
from repo_maintenance.job_summary import append_to_job_summary
from repo_maintenance.jobs import job, read_failures
from repo_maintenance.lock import acquire_lock
from repo_maintenance.mirror import mirror_repository
from repo_maintenance.records import read_json, write_json, write_text_if_changed
from repo_maintenance.screen import say
from repo_maintenance.settings import BackupSettings, Settings
from repo_maintenance.stores import Store

if TYPE_CHECKING:
    from repo_maintenance.health.index import PackageIndex
    from repo_maintenance.hosts.github_care import Care

STEP = "health"


@runtime_checkable
class KnowsCare(Protocol):
    """A host that can say how its repositories are looked after."""

    def list_care(self) -> dict[str, Care]:
        """Return how each repository is looked after, by its id; raises HostError."""
        ...


class Checkup:
    """The health check; it asks host and store only when it is the target."""

    def __init__(
        self, settings: Settings, open_store: Callable[[], Store], open_host: Callable[[], Host]
    ) -> None:
        self._settings = settings
        self._open_store = open_store
        self._open_host = open_host
        self._lock: TextIO | None = None
        self._planned: list[str] | None = None
        self._source = ""

    @cached_property
    def _registry(self) -> Registry:
        return Registry.load(self._settings.health)

    @cached_property
    def _index(self) -> PackageIndex:
        from repo_maintenance.health.index import PackageIndex

        return PackageIndex(self._settings.health.index, token=self._index_token)

    def _index_token(self) -> str | None:
        """Return the token of the host, where the actions are looked up at that very one."""
        backup = self._settings.backup
        is_same = self._settings.health.index.actions_url == backup.github.api_url
        return self._open_host().git_access().password if is_same and backup.organization else None

    # -- what is to be done

    def checked_notes(self, *, preview: bool) -> list[Path]:
        """Return the notes that there are once every repository is looked at: what Snakemake makes.

        Raises RepoMaintenanceError where the lists can't be had, or a check can't be used.
        """
        if self._planned is None:
            registry = self._registry
            self._lock = acquire_lock(naming.LOCK)
            self._planned = self._write_facts()
            if preview:
                say(render_plan(self._planned, registry, self._source), preview=True)
            else:
                say(render_headline(self._planned, registry, self._source))
                self._forget()
            if not self._planned and not preview:
                self.finish()
        return [naming.health_path(name) for name in self._planned]

    def _write_facts(self) -> list[str]:
        """Write down what the listings say, for the jobs, and return the names of whom it concerns."""
        host, today = self._open_host(), dt.datetime.now(dt.UTC).date()
        self._source = host.description
        resolution = survey(self._settings, host, self._open_store(), today=today)
        care, unknown = _ask_for_care(host)
        chosen = [
            decision.repository
            for decision in resolution.decisions
            if is_chosen(decision.repository.name, self._settings.health)
        ]
        write_json(naming.HEALTH_ORGANIZATION, _describe(resolution.listed, today, unknown))
        for repository in chosen:
            newest = resolution.catalog.newest(repository.name)
            facts = _facts(repository, newest.name.date if newest else None, care.get(repository.id))
            write_json(naming.health_facts_path(repository.name), facts)
        return sorted(repository.name for repository in chosen)

    def _forget(self) -> None:
        """Forget what an earlier run found, and what failed in it."""
        for path in naming.HEALTH.glob("*.json"):
            path.unlink()
        shutil.rmtree(naming.FAILURES, ignore_errors=True)
        naming.DURATIONS.unlink(missing_ok=True)
        shutil.rmtree(naming.SCRATCH, ignore_errors=True)

    # -- a job

    def check(self, *, facts: Path, note: Path, log: Path) -> None:
        """Look at one repository, and write down what is found; findings are no failure."""
        from repo_maintenance.health.examine import examine

        with job(STEP, facts.stem, log):
            known = read_json(facts, Facts)
            organization = read_json(naming.HEALTH_ORGANIZATION, Organization)
            if known is None or organization is None:
                raise HealthError(f"{facts} is missing or not whole", hint="run the health check again")
            naming.SCRATCH.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(
                dir=naming.SCRATCH, prefix=naming.PARTIAL, ignore_cleanup_errors=True
            ) as scratch:
                git_dir = self._mirror(known.repository, Path(scratch) / "mirror")
                tree = Tree(git_dir, known.repository.default_branch)
                write_json(note, examine(known, organization, tree, self._index, self._registry))

    def _mirror(self, repository: Repository, folder: Path) -> Path:
        """Make a mirror of the repository alone, from the cache where there is one; returns its path."""
        if repository.disabled:
            raise HealthError(
                "the host has disabled this repository", hint="ask its support", kind="disabled"
            )
        stall_seconds = self._settings.backup.git.stall_seconds

        def access() -> GitAccess:
            return replace(self._open_host().git_access(), stall_seconds=stall_seconds)

        mirror_repository(repository, folder, _only_git(self._settings.backup), access)
        return folder / f"{repository.name}.git"

    # -- the end of a run

    def finish(self) -> None:
        """Say what was found, write it down, and have the store keep it; silent where not asked."""
        if self._planned is None:
            return
        report = self._report(self._planned)
        write_json(naming.HEALTH_REPORT, report)
        page = render_markdown(report)
        write_text_if_changed(naming.HEALTH_REPORT.with_suffix(".md"), page)
        say(render_screen(report))
        if path := os.environ.get("GITHUB_STEP_SUMMARY"):
            brief = f"{page.partition(chr(10))[0]}\n\nAll findings are in results/health.md.\n"
            append_to_job_summary(Path(path), page, brief=brief)
        remember_health(self._open_store(), report)

    def _report(self, names: Sequence[str]) -> HealthReport:
        found = (read_json(naming.health_path(name), RepositoryHealth) for name in names)
        return build_report(
            names,
            [one for one in found if one is not None],
            [failure for failure in read_failures() if failure.step == STEP],
            self._registry,
            source=self._source,
            now=dt.datetime.now(dt.UTC),
        )


def _ask_for_care(host: Host) -> tuple[dict[str, Care], str]:
    """Return how the repositories are looked after, and why that is not known where it is not."""
    if not isinstance(host, KnowsCare):
        return {}, ""
    try:
        return host.list_care(), ""
    except HostError as error:
        return {}, str(error)


def _describe(listed: Sequence[Repository], today: dt.date, unknown: str) -> Organization:
    addresses = (urlsplit(repository.clone_url) for repository in listed)
    hosts = [address.netloc for address in addresses if address.scheme in {"https", "http"}]
    return Organization(
        today=today,
        host=hosts[0] if hosts else "",
        archived=[repository.full_name for repository in listed if repository.archived],
        unprotected_unknown=unknown,
    )


def _facts(repository: Repository, newest_backup: dt.date | None, care: Care | None) -> Facts:
    return Facts(
        repository=repository,
        newest_backup=newest_backup,
        is_protected=care.is_protected if care else None,
        inherits_contributing=care is not None and care.has_contributing,
        inherits_security_policy=care is not None and care.has_security_policy,
    )


def _only_git(backup: BackupSettings) -> BackupSettings:
    """Return the settings for a mirror of branches and tags, which leave a cache as backups have made it."""
    pull_requests = backup.pull_requests if backup.cache else False
    return backup.model_copy(update={"lfs": False, "wikis": False, "pull_requests": pull_requests})


def examined_size(repo: str) -> int:
    """Return the size in bytes that the host says a repository has, 0 where it is not to be checked."""
    facts = read_json(naming.health_facts_path(repo), Facts)
    return facts.repository.size_bytes if facts else 0

"""Restore, verify and prune as the Snakefile sees them: what is to be done, each job, and what came of it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TextIO

from repo_maintenance import naming
from repo_maintenance.catalog import Catalog, read_catalog
from repo_maintenance.errors import ProofError, PushError, SettingsError, StoreError
from repo_maintenance.history import Kind, record_of_care, remember
from repo_maintenance.hosts import Host
from repo_maintenance.jobs import job, read_failures, render_failure
from repo_maintenance.lock import acquire_lock
from repo_maintenance.naming import BackupName
from repo_maintenance.pins import unpin
from repo_maintenance.prune import PrunePlan, plan_prune, prune, render_plan, render_pruned
from repo_maintenance.push import push_restored, require_token
from repo_maintenance.records import Failure, read_json, write_json
from repo_maintenance.restore import Restored, forget_undone, plan_restore, render_restore, restore_repository
from repo_maintenance.screen import say
from repo_maintenance.settings import Settings
from repo_maintenance.stores import Store
from repo_maintenance.verify import find_missing_backups, plan_verify, prove, render_verify


class Upkeep:
    """The capabilities that look after what is stored; each asks the store only when it is the target."""

    def __init__(
        self, settings: Settings, open_store: Callable[[], Store], open_host: Callable[[], Host], run: str
    ) -> None:
        self._settings = settings
        self._run = run
        self._started_at = dt.datetime.now(dt.UTC)
        self._is_summed_up = False
        self._bytes_to_verify = 0
        self._open_store = open_store
        self._open_host = open_host
        self._lock: TextIO | None = None
        self._planned: dict[str, list[Path]] = {}

    @cached_property
    def _catalog(self) -> Catalog:
        return read_catalog(self._open_store().list_objects())

    # -- restore

    def restored_notes(self, *, preview: bool) -> list[Path]:
        """Return the notes that there are once everything asked for is restored, and pushed if so asked."""
        if "restore" not in self._planned:
            self._begin(preview)
            settings = self._settings.restore
            if settings.create:
                require_token(os.environ)
            backups = plan_restore(self._catalog, settings)
            forget_undone(backups, settings.into)
            say(render_restore(self._catalog, backups, settings), preview=preview)
            where = naming.pushed_path if settings.push_to else naming.restored_path
            self._planned["restore"] = [where(backup.name) for backup in backups]
        return self._planned["restore"]

    def restore(self, repo: str, date: str, *, note: Path, log: Path) -> None:
        """Put one backup back."""
        name = BackupName(repo, naming.parse_date(date))
        with job("restore", repo, log):
            write_json(note, restore_repository(self._open_store(), name, self._settings.restore.into))

    def push(self, repo: str, date: str, *, restored: Path, note: Path, log: Path) -> None:
        """Push one restored repository to its new remote, which is made first where that is asked for."""
        settings = self._settings.restore
        with job("push", repo, log):
            done = read_json(restored, Restored)
            if done is None or settings.push_to is None:
                raise PushError(f"{restored} of {date} is missing or not whole", hint="run the restore again")
            write_json(note, push_restored(done, settings, self._settings.backup.github, os.environ))

    # -- verify

    def verified_notes(self, *, preview: bool) -> list[Path]:
        """Return the proofs that there are once everything that is due is proven."""
        if "verify" not in self._planned:
            self._begin(preview)
            backups = plan_verify(self._catalog, self._settings.verify, today=_today())
            missing = find_missing_backups(self._catalog, _receipt_names())
            say(render_verify(self._catalog, backups, missing), preview=preview)
            if not preview:
                shutil.rmtree(naming.VERIFIED, ignore_errors=True)
            self._bytes_to_verify = sum(self._catalog.restored_bytes(backup) for backup in backups)
            names = [*(backup.name for backup in backups), *missing]
            self._planned["verify"] = [naming.verified_path(name) for name in names]
            if not names and not preview:
                self.finish()  # Snakemake, with nothing to do, tells nobody of the end
        return self._planned["verify"]

    @property
    def has_verified(self) -> bool:
        """Whether proofs were asked for."""
        return "verify" in self._planned

    def verify(self, repo: str, date: str, *, note: Path, log: Path) -> None:
        """Prove one backup; raises JobFailedError, after the proof is kept, where it is bad."""
        name = BackupName(repo, naming.parse_date(date))
        with job("verify", f"{repo}-{date}", log, repository=repo):
            proof = prove(self._open_store(), name, naming.SCRATCH, clock=dt.datetime.now(dt.UTC))
            if proof.problem is not None:
                hint = "it is marked bad; the next backup makes a new one"
                raise ProofError(proof.problem, hint=hint, kind=proof.kind or "error")
            write_json(note, proof)

    # -- prune

    def prune_preview(self, *, preview: bool) -> list[Path]:
        """Show what would be deleted, and return nothing: ``prune`` has no inputs."""
        if preview:
            say(render_plan(self._prune_plan()), preview=True)
        return []

    def prune(self, log: Path) -> None:
        """Delete what the policy lets go, and say what was done."""
        with job("prune", "store", log, repository="-"):
            self._begin(preview=False)
            plan = self._prune_plan()
            say(render_plan(plan))
            if plan.refusal is None:
                store = self._open_store()
                pruned = prune(store, self._catalog, plan)
                for backup in pruned.deleted:  # or verify would miss what went on purpose
                    naming.receipt_path(backup.name).unlink(missing_ok=True)
                say(render_pruned(pruned, keeps_versions=store.keeps_versions()))
                freed = sum(backup.stored.size for backup in pruned.deleted)
                self._remember("prune", len(pruned.deleted), freed)
                report = render_plan(plan) + render_pruned(pruned, keeps_versions=False)
                log.write_text(report, encoding="utf-8")

    def _prune_plan(self) -> PrunePlan:
        listed = [repository.name for repository in self._open_host().list_repositories()]
        return plan_prune(self._catalog, listed, self._settings.retention, today=_today())

    # -- unpin

    def unpin(self, log: Path) -> None:
        """Let the pinned backups of the repositories that are asked for go as the policy says."""
        with job("unpin", "store", log, repository="-"):
            if not self._settings.unpin:
                raise SettingsError("nothing to unpin", hint="--config unpin='[repository, …]'")
            self._begin(preview=False)
            released, refused = unpin(self._open_store(), self._catalog, self._settings.unpin)
            lines = [f"unpinned {name.repo} of {name.date}" for name in released]
            lines += [f"not unpinned: {key}: {why}" for key, why in sorted(refused.items())]
            text = "\n".join(lines or ["no pinned backup of these repositories"])
            say(text)
            log.write_text(f"{text}\n", encoding="utf-8")
            if refused:
                raise StoreError("not all of them could be unpinned", hint=next(iter(refused.values())))

    # -- both ends of a run

    def _begin(self, preview: bool) -> None:
        """Take the lock, and forget what failed in an earlier run."""
        self._lock = self._lock or acquire_lock(naming.LOCK)
        if not preview:
            shutil.rmtree(naming.FAILURES, ignore_errors=True)
            naming.DURATIONS.unlink(missing_ok=True)
            shutil.rmtree(naming.SCRATCH, ignore_errors=True)

    def finish(self) -> None:
        """Say what came of restore and verify, once; nothing where neither was asked for."""
        if self._is_summed_up:
            return
        self._is_summed_up = True
        for target, notes in self._planned.items():
            done = sum(note.exists() for note in notes)
            failures = [failure for failure in read_failures() if failure.step in {target, "push"}]
            ended = f"{done} of {len(notes)} done, {len(failures)} failed" if notes else "nothing was due"
            lines = ["", f"{target}: {ended}"]
            lines += [line for failure in failures for line in render_failure(failure)]
            say("\n".join(lines))
            if target == "verify":
                self._remember("verify", len(notes), self._bytes_to_verify, failures)

    def _remember(self, kind: Kind, total: int, bytes_done: int, failures: Sequence[Failure] = ()) -> None:
        """Have the store remember this run."""
        now = dt.datetime.now(dt.UTC)
        record = record_of_care(
            kind,
            self._run,
            self._catalog,
            started_at=self._started_at,
            seconds=(now - self._started_at).total_seconds(),
            total=total,
            bytes_done=bytes_done,
            failures=failures,
        )
        remember(self._open_store(), record)


def _receipt_names() -> Sequence[BackupName]:
    names = (naming.parse_receipt_name(path.name) for path in naming.RECEIPTS.glob("*"))
    return [name for name in names if name is not None]


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()

"""What stands between an increment and its base: the plan for its archive job, and the note in the store."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from repo_maintenance import naming
from repo_maintenance.bases import IncrementPlan, Proposal, find_fault, plan_increment
from repo_maintenance.errors import StoreError
from repo_maintenance.manifest import Base, Manifest
from repo_maintenance.naming import BackupName, BaseName
from repo_maintenance.pins import read_refs
from repo_maintenance.planning import Decision
from repo_maintenance.records import Receipt, read_json, receipt_of, write_json
from repo_maintenance.stores import Store

CONCURRENT_READS = 16


def forget_plans() -> None:
    """Drop what an earlier run has planned: without a plan, a backup is full."""
    shutil.rmtree(naming.BASES, ignore_errors=True)


def plan_increments(
    store: Store,
    decisions: Sequence[Decision],
    proposals: Mapping[str, Proposal],
    receipts: Mapping[str, Receipt],
) -> dict[str, str]:
    """Write for each repository whose next backup is an increment what it is an increment on.

    ``proposals`` and ``receipts``, those of the proposed bases, are by repository. Asks the store for one
    note for each proposed base. Returns what each backup will be, in words, by repository; raises StoreError.
    """

    def settle(decision: Decision) -> str:
        repo = decision.repository.name
        proposal, receipt = proposals[repo], receipts.get(repo)
        if proposal.base is None:
            return f"full: {proposal.reason}"
        noted = read_refs(store, proposal.base.name) if receipt else None
        fault = find_fault(receipt, noted, decision.repository.id)
        if receipt is None or noted is None or fault:
            return f"full: the one of {proposal.base.name.date} {fault}"
        write_json(naming.base_path(repo), plan_increment(proposal, decision.date, receipt, noted))
        return f"increment {proposal.reason}"

    with ThreadPoolExecutor(CONCURRENT_READS) as pool:
        kinds = pool.map(settle, decisions)
        return {decision.repository.name: kind for decision, kind in zip(decisions, kinds, strict=True)}


def read_plan(manifest: Manifest, repo: str) -> IncrementPlan | None:
    """Return what the backup that a manifest describes is to be an increment on; None: it is to be full."""
    plan = read_json(naming.base_path(repo), IncrementPlan)
    if plan is None or (plan.backup_date, plan.repository_id) != (
        manifest.backup_date,
        manifest.repository_id,
    ):
        return None
    return plan


def note_base(store: Store, name: BackupName, base: Base) -> None:
    """Note in the store what an increment stands on, and then see that this is there, as it was.

    In this order, and before the increment itself is stored: ``prune`` deletes no backup that a note names.
    Raises StoreError where the base is gone, or is another one.
    """
    note = naming.base_key(BaseName(name, base.backup_date))
    store.put_note(note, f"{base.model_dump_json(indent=2)}\n".encode())
    found = store.find(base.key)
    receipt = receipt_of(found) if found else None
    if receipt is None or receipt.sha256 != base.sha256:
        raise StoreError(
            f"{store.locate(base.key)}, on which this is an increment, is gone or is another one",
            hint="run the backup again: it makes a full one",
            kind="base lost",
        )

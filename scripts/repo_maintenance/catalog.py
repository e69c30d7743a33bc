"""What the store holds: the backups of each repository and their proofs, all from one listing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from repo_maintenance.naming import (
    BackupName,
    ProofName,
    is_history_key,
    parse_object_key,
    parse_pin_key,
    parse_proof_key,
    parse_refs_key,
)
from repo_maintenance.stores import StoredObject


@dataclass(frozen=True)
class Backup:
    """One stored backup, as far as a listing tells."""

    name: BackupName
    stored: StoredObject
    proof: ProofName | None = None
    """The newest proof of this very content; None where it was never tried since it was stored."""
    pinned_on: dt.date | None = None
    """The day (UTC) on which it was found to hold what upstream has rewritten, if it was."""

    @property
    def is_good(self) -> bool:
        """Whether it was proven restorable."""
        return self.proof is not None and self.proof.is_good

    @property
    def is_bad(self) -> bool:
        """Whether its last proof failed."""
        return self.proof is not None and not self.proof.is_good


@dataclass(frozen=True)
class Catalog:
    """All backups in a store, by repository, oldest first."""

    backups: dict[str, list[Backup]]
    proofs: dict[BackupName, list[StoredObject]] = field(default_factory=dict)
    """Every proof of a backup, also those of replaced content, and of a backup that is gone."""
    history: list[str] = field(default_factory=list)
    """The keys of the records of runs."""
    pins: dict[BackupName, StoredObject] = field(default_factory=dict)
    """Every note that keeps a backup, also of one that is gone."""
    refs: dict[BackupName, StoredObject] = field(default_factory=dict)
    """The refs of each backup that has them noted, also of one that is gone."""

    def __iter__(self) -> Iterator[Backup]:
        for name in sorted(self.backups):
            yield from self.backups[name]

    def newest(self, repo: str) -> Backup | None:
        """Return the newest backup of a repository."""
        backups = self.backups.get(repo)
        return backups[-1] if backups else None

    def newest_until(self, repo: str, date: dt.date | None) -> Backup | None:
        """Return the newest backup at or before a date (None: of any date) that is not known to be bad.

        Where all of them are bad, the newest of these: better a try than nothing.
        """
        candidates = [one for one in self.backups.get(repo, ()) if date is None or one.name.date <= date]
        sound = [one for one in candidates if not one.is_bad]
        usable = sound or candidates
        return usable[-1] if usable else None

    def find(self, name: BackupName) -> Backup | None:
        """Return the backup of that name."""
        return next((one for one in self.backups.get(name.repo, ()) if one.name == name), None)

    def notes_of(self, name: BackupName) -> list[StoredObject]:
        """Return all that is stored about a backup, and is of no use without it."""
        beside = [notes[name] for notes in (self.pins, self.refs) if name in notes]
        return [*self.proofs.get(name, ()), *beside]

    def matching(self, patterns: Iterable[str]) -> list[str]:
        """Return the repositories whose whole name is, or matches, one of the patterns."""
        compiled = [re.compile(pattern) for pattern in patterns]
        return [name for name in sorted(self.backups) if any(one.fullmatch(name) for one in compiled)]


def read_catalog(objects: Iterable[StoredObject]) -> Catalog:
    """Return what a listing holds; objects that are not named as ours are none of our business."""
    history: list[str] = []
    pins: dict[BackupName, StoredObject] = {}
    refs: dict[BackupName, StoredObject] = {}
    stored: dict[BackupName, StoredObject] = {}
    proofs: dict[BackupName, list[tuple[ProofName, StoredObject]]] = {}
    for item in objects:
        if name := parse_object_key(item.key):
            stored[name] = item
        elif proof := parse_proof_key(item.key):
            proofs.setdefault(proof.backup, []).append((proof, item))
        elif pinned := parse_pin_key(item.key):
            pins[pinned] = item
        elif noted := parse_refs_key(item.key):
            refs[noted] = item
        elif is_history_key(item.key):
            history.append(item.key)
    backups: dict[str, list[Backup]] = {}
    for name in sorted(stored):
        proof = _newest_proof(stored[name], proofs.get(name, []))
        pinned_on = pins[name].modified.date() if name in pins else None
        backups.setdefault(name.repo, []).append(Backup(name, stored[name], proof, pinned_on))
    kept = {name: [item for _proof, item in found] for name, found in proofs.items()}
    return Catalog(backups, kept, history, pins, refs)


def _newest_proof(backup: StoredObject, proofs: list[tuple[ProofName, StoredObject]]) -> ProofName | None:
    """Return the newest proof; one that is older than the object is of a content that has been replaced."""
    valid = [(item.modified, proof) for proof, item in proofs if item.modified >= backup.modified]
    return max(valid, key=lambda one: one[0])[1] if valid else None

"""What the store holds: the backups of each repository and their proofs, all from one listing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from repo_maintenance.naming import (
    BackupName,
    BaseName,
    ProofName,
    is_history_key,
    parse_base_key,
    parse_object_key,
    parse_pin_key,
    parse_proof_key,
    parse_refs_key,
)
from repo_maintenance.stores import StoredObject

# An increment's tarball is at most so large, as a share of its base's: a larger one is made a full one.
# So a full backup that took an increment's place on the same day is not taken for one by the note of it.
LARGEST_INCREMENT = 0.5


@dataclass(frozen=True)
class Backup:
    """One stored backup, as far as a listing tells."""

    name: BackupName
    stored: StoredObject
    proof: ProofName | None = None
    """The newest proof of this very content; None where it was never tried since it was stored."""
    pinned_on: dt.date | None = None
    """The day (UTC) on which it was found to hold what upstream has rewritten, if it was."""
    base: dt.date | None = None
    """The day of the full backup that it is an increment on, as far as a listing tells; None: it is full."""
    based_at: dt.datetime | None = None
    """When it was noted that it stands on that one."""
    needs: frozenset[dt.date] = frozenset()
    """The days of all full backups that are noted for it: that it stands on, or once stood on."""

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
    bases: dict[BackupName, dict[dt.date, StoredObject]] = field(default_factory=dict)
    """Every note of what a backup is an increment on, also of one that is gone, or is still being made."""

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
        sound = [one for one in candidates if not self.is_broken(one)]
        usable = sound or candidates
        return usable[-1] if usable else None

    def find(self, name: BackupName) -> Backup | None:
        """Return the backup of that name."""
        return next((one for one in self.backups.get(name.repo, ()) if one.name == name), None)

    def base_of(self, backup: Backup) -> Backup | None:
        """Return the full backup that an increment stands on; None where it is none, or that one is gone."""
        return self.find(BackupName(backup.name.repo, backup.base)) if backup.base else None

    def has_lost_base(self, backup: Backup) -> bool:
        """Whether it stands on what can't be restored: that is gone, is bad, or was stored anew since."""
        if backup.base is None or backup.based_at is None:
            return False
        base = self.base_of(backup)
        return base is None or base.is_bad or base.stored.modified > backup.based_at

    def is_broken(self, backup: Backup) -> bool:
        """Whether it is known that it can't be restored."""
        return backup.is_bad or self.has_lost_base(backup)

    def restored_bytes(self, backup: Backup) -> int:
        """Return what is read to restore a backup: its own size, and that of what it stands on."""
        base = self.base_of(backup)
        return backup.stored.size + (base.stored.size if base else 0)

    def notes_of(self, name: BackupName) -> list[StoredObject]:
        """Return all that is stored about a backup, and is of no use without it; not what it stands on."""
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
    bases: dict[BackupName, dict[dt.date, StoredObject]] = {}
    for item in objects:
        if name := parse_object_key(item.key):
            stored[name] = item
        elif proof := parse_proof_key(item.key):
            proofs.setdefault(proof.backup, []).append((proof, item))
        elif based := parse_base_key(item.key):
            _note_base(bases, based, item)
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
        based_on = bases.get(name, {})
        base = _find_base(name, based_on, stored)
        based_at = based_on[base].modified if base else None
        backups.setdefault(name.repo, []).append(
            Backup(name, stored[name], proof, pinned_on, base, based_at, frozenset(based_on))
        )
    kept = {name: [item for _proof, item in found] for name, found in proofs.items()}
    return Catalog(backups, kept, history, pins, refs, bases)


def _note_base(
    bases: dict[BackupName, dict[dt.date, StoredObject]], note: BaseName, item: StoredObject
) -> None:
    """Take a note of a base into account; one of the same day or later is no note of ours."""
    if note.base < note.backup.date:
        bases.setdefault(note.backup, {})[note.base] = item


def _find_base(
    name: BackupName, noted: Mapping[dt.date, StoredObject], stored: Mapping[BackupName, StoredObject]
) -> dt.date | None:
    """Return the newest base that is noted for a backup; None where it is too large to be an increment."""
    newest = max(noted, default=None)
    base = stored.get(BackupName(name.repo, newest)) if newest else None
    if base is not None and stored[name].size > LARGEST_INCREMENT * base.size:
        return None
    return newest


def _newest_proof(backup: StoredObject, proofs: list[tuple[ProofName, StoredObject]]) -> ProofName | None:
    """Return the newest proof; one that is older than the object is of a content that has been replaced."""
    valid = [(item.modified, proof) for proof, item in proofs if item.modified >= backup.modified]
    return max(valid, key=lambda one: one[0])[1] if valid else None

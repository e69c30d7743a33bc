"""What became of stored repositories that the host no longer lists under their name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from repo_maintenance.hosts.base import Repository

MAX_LOOKUPS = 20


class Fate(StrEnum):
    """What became of a repository."""

    RENAMED = "renamed"
    TRANSFERRED = "transferred"
    VANISHED = "vanished"


@dataclass(frozen=True)
class Movement:
    """A stored repository that the host no longer lists under its name; its backups are kept."""

    name: str
    fate: Fate
    now: str | None
    """Its ``owner/name`` now, where that is known."""

    def __str__(self) -> str:
        return f"{self.name} {'was' if self.now else 'has'} {self.fate_in_words}; its backups are kept"

    @property
    def fate_in_words(self) -> str:
        """``renamed to …``, ``transferred to …`` or ``vanished``."""
        return f"{self.fate} to {self.now}" if self.now else str(self.fate)


def find_movements(
    listed: Iterable[Repository], stored_ids: Mapping[str, str | None], locate: Callable[[str], str | None]
) -> list[Movement]:
    """Return what became of each stored repository that is not listed under its name any more, by name.

    That is also so where another repository has its name now.

    ``stored_ids`` has the repository's id for each name in the store, None where the store does not say.
    ``locate`` asks the host where an id is now; it is called for the first twenty only.
    """
    by_id = {repository.id: repository for repository in listed}
    id_of = {repository.name: repository.id for repository in by_id.values()}
    gone = [
        (name, stored_id)
        for name, stored_id in sorted(stored_ids.items())
        if name not in id_of or stored_id not in {None, id_of[name]}
    ]
    movements = []
    lookups = 0
    for name, stored_id in gone:
        if stored_id in by_id:
            movements.append(Movement(name, Fate.RENAMED, by_id[stored_id].full_name))
            continue
        now = None
        if stored_id is not None and lookups < MAX_LOOKUPS:
            lookups += 1
            now = locate(stored_id)
        movements.append(Movement(name, Fate.TRANSFERRED if now else Fate.VANISHED, now))
    return movements

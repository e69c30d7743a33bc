"""Promises of the plan of increments: when a backup is full, and what an increment stands on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_maintenance.bases import IncrementPlan, Proposal, find_fault, plan_increment, propose
from repo_maintenance.catalog import Backup, Catalog
from repo_maintenance.manifest import Base
from repo_maintenance.pins import NotedRefs
from repo_maintenance.prune import plan_prune
from repo_maintenance.records import Receipt
from repo_maintenance.settings import RetentionSettings
from tests.unit.kept import (
    FIRST,
    FULL_BYTES,
    REPO,
    SHA256,
    Kept,
    catalog_of,
    date_of,
    receipt,
    receipt_of_newest,
)

WEEKS = [Kept(0, None, FULL_BYTES), Kept(7, 0, 10), Kept(14, 0, 20)]


@pytest.mark.parametrize(
    ("backups", "day", "expected"),
    [
        ([], 0, (None, "no full one of an earlier day")),
        ([Kept(0, None, FULL_BYTES)], 0, (None, "no full one of an earlier day")),
        ([Kept(0, None, FULL_BYTES)], 7, (0, "on 2026-01-04, number 1")),
        (WEEKS, 21, (0, "on 2026-01-04, number 3")),
        (WEEKS, 14, (0, "on 2026-01-04, number 2")),
        ([*WEEKS, Kept(21, 0, 30)], 28, (None, "one in 4")),
        ([*WEEKS, Kept(21, None, FULL_BYTES)], 28, (21, "on 2026-01-25, number 1")),
        ([Kept(0, None, FULL_BYTES, True)], 7, (None, "the one of 2026-01-04 failed its proof")),
        (
            [*WEEKS[:2], Kept(14, 0, 20, True)],
            21,
            (None, "an increment on 2026-01-04 failed its proof"),
        ),
        (
            [Kept(0, None, 100), Kept(7, 0, 50), Kept(14, 0, 50)],
            21,
            (None, "the increments on 2026-01-04 take as much as it"),
        ),
        (WEEKS[1:], 21, (None, "no full one of an earlier day")),
        (
            [Kept(-7, None, FULL_BYTES), *WEEKS[1:]],
            21,
            (None, "what the increments before it stand on is gone"),
        ),
    ],
)
def test_what_the_next_one_is(backups: list[Kept], day: int, expected: tuple[int | None, str]) -> None:
    """Full where it is the first, the fourth, or where something is wrong; else on the last full one."""
    found = propose(
        date_of(day),
        catalog_of(backups).backups.get(REPO, []),
        receipt_of_newest(backups, len([one for one in backups if one.base is not None])),
        full_every=4,
        force=False,
    )

    base = None if expected[0] is None else date_of(expected[0])
    assert (base, expected[1]) == (found.base.name.date if found.base else None, found.reason)


def test_asked_for_by_hand_it_is_full() -> None:
    """``force=true`` makes full backups."""
    found = propose(date_of(21), catalog_of(WEEKS).backups[REPO], None, full_every=4, force=True)
    assert (None, "asked for by force=true") == (found.base, found.reason)


def test_the_receipt_knows_better_than_the_listing() -> None:
    """A full backup that replaced an increment of the same day is a base, for all that is noted of it."""
    backups = [Kept(0, None, FULL_BYTES), Kept(7, 0, 400)]
    newest = receipt(backup_date=date_of(7))
    found = propose(date_of(14), catalog_of(backups).backups[REPO], newest, full_every=4, force=False)
    assert found.base is not None
    assert date_of(7) == found.base.name.date


def test_what_was_pruned_counts() -> None:
    """The newest says which one it is: pruning the others does not put off the next full one for ever."""
    backups = [Kept(0, None, FULL_BYTES), Kept(60, 0, 10)]
    found = propose(
        date_of(67),
        catalog_of(backups).backups[REPO],
        receipt_of_newest(backups, 3),
        full_every=4,
        force=False,
    )
    assert (None, "one in 4") == (found.base, found.reason)


@pytest.mark.parametrize(("day", "number"), [(60, 3), (67, 4)])
def test_each_increment_says_which_one_it_is(day: int, number: int) -> None:
    """One of today that is made anew keeps its number; the next day's has the next one."""
    backups = [Kept(0, None, FULL_BYTES), Kept(60, 0, 10)]
    known = receipt_of_newest(backups, 3)
    found = propose(date_of(day), catalog_of(backups).backups[REPO], known, full_every=9, force=False)
    assert (number, f"on {FIRST}, number {number}") == (found.increment, found.reason)


def test_what_says_nothing_of_itself_is_counted() -> None:
    """Where the newest does not say which one it is, those that are there are counted."""
    found = propose(date_of(21), catalog_of(WEEKS).backups[REPO], None, full_every=9, force=False)
    assert (3, date_of(0)) == (found.increment, found.base.name.date if found.base else None)


def test_a_base_may_be_of_the_same_moment_as_the_note() -> None:
    """Only what was stored after the note was written is another base than the one that was noted."""
    base, increment = catalog_of(WEEKS[:2]).backups[REPO]
    same = replace(base, stored=replace(base.stored, modified=increment.stored.modified))
    later = replace(same, stored=replace(base.stored, modified=increment.stored.modified + dt.timedelta(1)))
    expected = [f"on {FIRST}, number 2", f"the one of {FIRST} was stored anew since"]
    proposed = (
        propose(date_of(14), [one, increment], None, full_every=9, force=False) for one in (same, later)
    )
    assert expected == [found.reason for found in proposed]


def test_the_plan_says_all_that_the_base_holds() -> None:
    """Which full backup it is, by key and digest; all its refs, those of pull requests too; wiki and LFS."""
    main, pull, page = "1" * 40, "2" * 40, "3" * 40
    noted = NOTED.model_copy(
        update={
            "refs": {"refs/heads/main": main},
            "pull_requests": {"refs/pull/1/head": pull},
            "wiki_refs": {"refs/heads/master": page},
            "lfs_objects": [SHA256],
        }
    )
    (base,) = catalog_of(WEEKS[:1]).backups[REPO]
    plan = plan_increment(Proposal(base, "", 7), date_of(7), receipt(), noted)

    known = receipt()
    assert (
        IncrementPlan(
            backup_date=date_of(7),
            repository_id="id",
            base=Base(repository=f"acme/{REPO}", backup_date=FIRST, key=known.key, sha256=SHA256),
            base_bytes=FULL_BYTES,
            increment=7,
            refs={"refs/heads/main": main, "refs/pull/1/head": pull},
            wiki_refs={"refs/heads/master": page},
            lfs_objects=[SHA256],
        )
        == plan
    )


NOTED = NotedRefs(repository_id="id", refs={}, sha256=SHA256)


@pytest.mark.parametrize(
    ("base", "noted", "expected"),
    [
        (receipt(), NOTED, None),
        (None, NOTED, "does not say what it is"),
        (receipt(repository_id="other"), NOTED, "is of another repository"),
        (receipt(base_date=FIRST), NOTED, "is an increment itself"),
        (receipt(incomplete="1 of 2 LFS objects missing"), NOTED, "is incomplete"),
        (receipt(), None, "has no note of what it holds"),
        (receipt(), NotedRefs(repository_id="id", refs={}), "has no note of what it holds"),
        (receipt(sha256="b" * 64), NOTED, "has no note of what it holds"),
        (receipt(), NOTED.model_copy(update={"repository_id": "x"}), "has no note of what it holds"),
    ],
)
def test_what_can_be_stood_on(base: Receipt | None, noted: NotedRefs | None, expected: str | None) -> None:
    """Only a whole full backup of this very repository, of which it is noted what it holds."""
    assert expected == find_fault(base, noted, "id")


class World:
    """A store over many days, in which things happen."""

    def __init__(self, full_every: int) -> None:
        self.full_every = full_every
        self.kept: list[Kept] = []
        self.number = 0
        self.day = 0

    def push(self, size: int) -> None:
        """Back up today what was pushed, as planned; an increment is of that size."""
        backups = catalog_of(self.kept).backups.get(REPO, [])
        newest = receipt_of_newest(self.kept, self.number)
        found = propose(date_of(self.day), backups, newest, full_every=self.full_every, force=False)
        self.kept = [one for one in self.kept if one.day != self.day]
        if found.base is None:
            self.number = 0
            self.kept.append(Kept(self.day, None, FULL_BYTES))
            return
        self._check(found.base)
        self.number = found.increment
        base = (found.base.name.date - FIRST).days
        self.kept.append(Kept(self.day, base, size))

    def _check(self, base: Backup) -> None:
        day = (base.name.date - FIRST).days
        assert Kept(day, None, FULL_BYTES) in self.kept
        assert day < self.day
        assert (
            len([one for one in self.kept if one.base == day and one.day != self.day]) < self.full_every - 1
        )

    def prune(self, size: int) -> None:
        """Let go of what the policy lets go."""
        policy = RetentionSettings(
            enabled=True,
            keep_last=1 + size % 3,
            daily_days=0,
            weekly_weeks=size % 4,
            monthly_months=0,
            yearly_years=0,
        )
        catalog = catalog_of(self.kept)
        gone = {one.name.date for one in plan_prune(catalog, [REPO], policy, today=date_of(self.day)).going}
        self.kept = [one for one in self.kept if date_of(one.day) not in gone]
        days = {one.day for one in self.kept}
        assert all(one.base in days for one in self.kept if one.base is not None)

    def spoil(self, size: int) -> None:
        """Let the proof of some backup fail; then nothing is made on it, nor on what it stands on."""
        if self.kept:
            place = size % len(self.kept)
            self.kept[place] = self.kept[place]._replace(is_bad=True)

    def wait(self, size: int) -> None:
        """Let some days pass."""
        self.day += size % 10


happenings = st.sampled_from([World.push, World.push, World.wait, World.wait, World.prune, World.spoil])


@given(st.integers(1, 6), st.lists(st.tuples(happenings, st.integers(1, 500)), max_size=60))
@settings(max_examples=300)
def test_whatever_happens_every_increment_has_a_sound_base(
    full_every: int, events: list[tuple[Callable[[World, int], None], int]]
) -> None:
    """Over any course of pushes, prunes and failed proofs: it stands on a good full one that is there."""
    world = World(full_every)
    for happen, size in events:
        happen(world, size)


def test_a_catalog_knows_an_increment_by_its_note_and_its_size() -> None:
    """One that is too large for an increment is none, whatever is noted; both are kept with what is noted."""
    small, large = Kept(7, 0, 500), Kept(7, 0, 501)
    for one, base in ((small, FIRST), (large, None)):
        backup = catalog_of([Kept(0, None, FULL_BYTES), one]).backups[REPO][1]
        assert (base, frozenset({FIRST})) == (backup.base, backup.needs)


def test_a_lost_base_is_known_from_the_listing() -> None:
    """Gone, bad, or stored anew since: what stands on it is broken, and an older one is restored instead."""
    fine = [Kept(-7, None, FULL_BYTES), *WEEKS]
    assert date_of(14) == _newest(catalog_of(fine))
    gone = catalog_of([fine[0], *WEEKS[1:]])
    bad = catalog_of([fine[0], WEEKS[0]._replace(is_bad=True), *WEEKS[1:]])
    assert {date_of(-7)} == {_newest(gone), _newest(bad)}
    anew = catalog_of(fine)
    base = anew.backups[REPO][1]
    later = replace(base.stored, modified=base.stored.modified + dt.timedelta(days=30))
    anew.backups[REPO][1] = replace(base, stored=later)
    assert date_of(0) == _newest(anew)


def _newest(catalog: Catalog) -> dt.date:
    found = catalog.newest_until(REPO, None)
    assert found is not None
    return found.name.date

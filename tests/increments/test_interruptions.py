"""Whatever cuts a run off, no increment is ever without its base; the next run and a restore are right."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.catalog import read_catalog
from repo_maintenance.naming import BackupName, BaseName
from repo_maintenance.prune import plan_prune, prune
from repo_maintenance.settings import load_settings
from tests.increments.chain import INCREMENTAL, REPO, Chain
from tests.increments.killed import LAST_ONLY, kill_at
from tests.servers import repositories
from tests.unit.making import back_up, step_archive, step_mirror, step_upload
from tests.unit.organization import utc_today

MOMENTS_OF_AN_UPLOAD = 6
"""Before and after the note of the base, the tarball, and the note of the refs."""

DELETED = 4 + 3 + 3 + 1
"""The noted refs of four backups, three increments, the notes of their base, and that."""


def assert_sound(chain: Chain, scratch: Path) -> None:
    """See that each stored increment has its base and the note that keeps it, and that all come back."""
    catalog = chain.catalog()
    for backup in catalog:
        week = (backup.name.date - chain.first_day).days // 7
        if base := chain.manifest(week)["base"]:
            date = dt.date.fromisoformat(base["backup_date"])
            assert catalog.find(BackupName(REPO, date)) is not None
            assert date in catalog.bases[backup.name]
        chain.restore(week, scratch / backup.name.date.isoformat())


def prune_to_the_last(chain: Chain, week: int) -> None:
    """Let go of all but the last, on the day of a week."""
    catalog = chain.catalog()
    prune(chain.store, catalog, plan_prune(catalog, [REPO], LAST_ONLY, today=chain.day(week)))


@pytest.mark.parametrize("moment", range(1, MOMENTS_OF_AN_UPLOAD + 2))
def test_an_upload_that_is_killed(chain: Chain, tmp_path: Path, moment: int) -> None:
    """Killed before or after each thing that it stores, it leaves a store in order; so does a prune then."""
    chain.back_up(0)
    chain.organization.push(REPO)
    chain.organization.resolve(today=chain.day(1), incremental=INCREMENTAL)
    settings = load_settings(chain.organization.config(incremental=INCREMENTAL), {})
    step_mirror(settings, REPO)
    step_archive(chain.name(1))
    chain.seen[chain.day(1)] = chain.upstream()

    assert (moment <= MOMENTS_OF_AN_UPLOAD) == kill_at(moment, "upload", chain.day(1))

    assert_sound(chain, tmp_path / "after")
    prune_to_the_last(chain, 1)
    assert_sound(chain, tmp_path / "pruned")
    chain.back_up(1)
    assert [None, 0] == chain.bases()
    chain.push_and_back_up(2)
    assert [None, 0, 0] == chain.bases()
    assert_sound(chain, tmp_path / "next")


@pytest.mark.parametrize("moment", [1, 2, 3, 4])
def test_the_upload_of_a_base_that_is_killed(chain: Chain, tmp_path: Path, moment: int) -> None:
    """Killed before what it holds is noted, a full backup is no base: the next one is full, and a base."""
    chain.organization.resolve(today=chain.day(0), incremental=INCREMENTAL)
    settings = load_settings(chain.organization.config(incremental=INCREMENTAL), {})
    step_mirror(settings, REPO)
    step_archive(chain.name(0))
    chain.seen[chain.day(0)] = chain.upstream()
    assert kill_at(moment, "upload", chain.day(0))

    chain.back_up(0)
    for week in (1, 2):
        chain.push_and_back_up(week)

    assert {1: [None, 0, 0], 2: [None, None, 1], 3: [None, None, 1], 4: [None, 0, 0]}[moment] == chain.bases()
    assert_sound(chain, tmp_path)


@pytest.mark.parametrize("moment", range(1, 2 * DELETED + 2, 2))
def test_a_prune_that_is_killed(chain: Chain, tmp_path: Path, moment: int) -> None:
    """Killed before each deletion, it leaves no increment without its base; a later one is whole."""
    for week in range(4):
        chain.push_and_back_up(week)
    chain.push_and_back_up(4, force=True)
    chain.push_and_back_up(5)

    assert (moment < 2 * DELETED) == kill_at(moment, "prune", chain.day(5))

    assert_sound(chain, tmp_path)
    prune_to_the_last(chain, 12)
    assert [chain.name(4), chain.name(5)] == [backup.name for backup in chain.catalog()]
    assert [chain.name(5)] == list(chain.catalog().bases)


def test_what_a_killed_upload_noted_goes_in_the_end(chain: Chain) -> None:
    """The note of an increment that never came keeps its base for a month, and is then swept away."""
    chain.back_up(0)
    chain.push_and_back_up(9, force=True)
    note = BaseName(chain.name(1), chain.day(0))
    chain.store.put_note(naming.base_key(note), b"{}")

    prune_to_the_last(chain, 5)
    assert [chain.name(0), chain.name(9)] == [backup.name for backup in chain.catalog()]
    prune_to_the_last(chain, 9)

    assert [chain.name(9)] == [backup.name for backup in chain.catalog()]
    assert {} == chain.catalog().bases


def test_what_the_store_does_not_delete_keeps_its_base(chain: Chain, tmp_path: Path) -> None:
    """Where an increment can't be deleted, for a lock say, its base stays, and prune says why."""
    for week in range(3):
        chain.push_and_back_up(week)
    chain.push_and_back_up(9, force=True)

    class Locked(type(chain.store)):  # type: ignore[misc]
        """A store in which one object is locked."""

        def delete(self, keys: list[str]) -> dict[str, str]:
            """Delete all but that one."""
            locked = naming.object_key(chain.name(1))
            refused: dict[str, str] = super().delete([key for key in keys if key != locked])
            return refused | ({locked: "it is locked"} if locked in keys else {})

    store = Locked(chain.organization.backups)
    catalog = read_catalog(store.list_objects())
    done = prune(store, catalog, plan_prune(catalog, [REPO], LAST_ONLY, today=chain.day(9)))

    base = naming.object_key(chain.name(0))
    assert {naming.object_key(chain.name(1)): "it is locked", base: "an increment on it was not deleted"} == (
        done.refused
    )
    assert [0, 1, 9] == [(one.name.date - chain.first_day).days // 7 for one in chain.catalog()]
    assert_sound(chain, tmp_path)


def make_today(chain: Chain) -> BackupName:
    """Return the name of today's backup, after a base of an earlier day was stored."""
    chain.back_up(0)
    return BackupName(REPO, utc_today())


def run_today(chain: Chain, *, force: bool) -> None:
    """Push, and back up today."""
    chain.organization.push(REPO)
    found = chain.organization.resolve(incremental=INCREMENTAL, force=force)
    settings = load_settings(chain.organization.config(incremental=INCREMENTAL), {})
    for decision in found.due:
        back_up(settings, chain.store, decision.name)
    chain.seen[utc_today()] = chain.upstream()


@pytest.mark.parametrize("forced", [(False, True), (True, False), (False, False), (True, True)])
def test_todays_full_backup_and_increment_replace_each_other(
    chain: Chain, tmp_path: Path, forced: tuple[bool, bool]
) -> None:
    """What was noted of the one that was replaced does no harm: what is there is known for what it is."""
    name = make_today(chain)
    for force in forced:
        run_today(chain, force=force)

    catalog = chain.catalog()
    today = catalog.find(name)
    assert today is not None
    expected = None if forced[-1] else chain.day(0)
    assert expected == today.base
    assert_sound(chain, tmp_path / "before")
    tomorrow = chain.organization.resolve(today=utc_today() + dt.timedelta(days=40), incremental=INCREMENTAL)
    (decision,) = tomorrow.decisions
    base = name.date if forced[-1] else chain.day(0)
    assert decision.kind.startswith(f"increment on {base}, number ")
    prune(chain.store, catalog, plan_prune(catalog, [REPO], LAST_ONLY, today=utc_today()))
    assert_sound(chain, tmp_path / "after")


def test_another_machine_s_backup_of_the_same_push_is_no_fault(chain: Chain, tmp_path: Path) -> None:
    """Two runs at once, one of them making full ones: one is stored, and nothing is noted of the other's."""
    chain.back_up(0)
    chain.organization.push(REPO)
    chain.seen[chain.day(1)] = chain.upstream()
    chain.organization.resolve(today=chain.day(1), incremental=INCREMENTAL)
    settings = load_settings(chain.organization.config(incremental=INCREMENTAL), {})
    step_mirror(settings, REPO)
    step_archive(chain.name(1))
    here = Path.cwd()
    there = tmp_path / "there"
    there.mkdir()
    with pytest.MonkeyPatch.context() as place:
        place.chdir(there)
        (there / "backups").symlink_to(here / "backups")
        chain.back_up(1, incremental=None)

    step_upload(chain.store, chain.name(1))

    assert [None, None] == chain.bases()
    assert_sound(chain, tmp_path / "restored")
    chain.push_and_back_up(2)
    chain.push_and_back_up(3)
    assert [None, None, 1, 1] == chain.bases()
    assert_sound(chain, tmp_path / "next")


def test_a_pushed_back_clock_never_costs_a_base(chain: Chain) -> None:
    """A base that was stored anew after an increment was made on it is not trusted: the next one is full."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    base = chain.tarball(0)
    base.write_bytes(base.read_bytes())
    later = dt.datetime.now(dt.UTC).timestamp() + 5
    os.utime(base, (later, later))

    assert chain.catalog().has_lost_base(next(one for one in chain.catalog() if one.base))
    chain.back_up(2)
    assert [None, 0, None] == chain.bases()


def test_a_mirror_that_upstream_rewrote_keeps_its_pin_and_base(chain: Chain) -> None:
    """A pinned increment outlives every policy, and what it stands on with it."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    repositories.force_push(chain.path)
    chain.store.put_note(naming.pin_key(chain.name(1)), b"{}")
    for week in (2, 3):
        chain.push_and_back_up(week, force=True)

    prune_to_the_last(chain, 3)

    assert [0, 1, 3] == [(one.name.date - chain.first_day).days // 7 for one in chain.catalog()]


def test_a_job_that_failed_leaves_nothing_to_stand_on(chain: Chain) -> None:
    """A plan of an earlier run is never used: each run plans anew, and one for full backups has none."""
    chain.back_up(0)
    chain.organization.push(REPO)
    chain.organization.resolve(today=chain.day(1), incremental=INCREMENTAL)
    assert naming.base_path(REPO).exists()

    chain.back_up(1, incremental=None)

    assert not naming.base_path(REPO).exists()
    assert [None, None] == chain.bases()

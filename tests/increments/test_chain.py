"""Promises of the chain: what is wrong with a base is named, is seen by the next run, and costs no more."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.assessment import build_overview
from repo_maintenance.errors import JobFailedError, ProofError
from repo_maintenance.inventory import survey
from repo_maintenance.overview import State
from repo_maintenance.settings import ReportSettings, load_settings
from repo_maintenance.stores.folder import METADATA_SUFFIX
from repo_maintenance.unpacking import unpack_backup
from repo_maintenance.verify import Proof, prove
from tests.increments.chain import INCREMENTAL, REPO, Chain
from tests.servers import repositories
from tests.unit.making import step_archive, step_mirror, step_upload


def proven(chain: Chain, week: int, scratch: Path) -> Proof:
    """Try the backup of a week, and keep the proof."""
    name = chain.name(week)
    return prove(chain.store, name, scratch, clock=dt.datetime.now(dt.UTC))


def lose(chain: Chain) -> None:
    """Take the base away."""
    chain.store.delete([naming.object_key(chain.name(0))])


def flip_a_bit(chain: Chain) -> None:
    """Damage the base."""
    content = bytearray(chain.tarball(0).read_bytes())
    content[len(content) // 2] ^= 1
    chain.tarball(0).write_bytes(content)


def swap(chain: Chain) -> None:
    """Put another full backup, whole and with fitting metadata, in the base's place."""
    other = chain.tarball(9)
    for path in (other, other.with_name(other.name + METADATA_SUFFIX)):
        path.replace(chain.tarball(0).with_name(path.name.replace(other.name, chain.tarball(0).name)))


@pytest.mark.parametrize(
    ("harm", "kind", "problem"),
    [
        (lose, "missing base", "its base {} is missing"),
        (flip_a_bit, "altered base", "the SHA-256 of its base {} is "),
        (swap, "altered base", "the SHA-256 of its base {} is "),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_base_that_is_not_what_it_was_is_named(
    chain: Chain, tmp_path: Path, harm: Callable[[Chain], None], kind: str, problem: str
) -> None:
    """A proof of an increment proves its base with it; restoring says as clearly what is wrong with which."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    chain.push_and_back_up(9, force=True)
    assert proven(chain, 1, tmp_path).is_good
    harm(chain)

    proof = proven(chain, 1, tmp_path)

    assert (False, kind) == (proof.is_good, proof.kind)
    where = chain.store.locate(naming.object_key(chain.name(0)))
    assert problem.format(where) in str(proof.problem)
    (tmp_path / "restored").mkdir()
    with pytest.raises(ProofError, match=str(proof.problem)[:40]):
        unpack_backup(chain.store, chain.name(1), tmp_path / "restored")


def test_a_proof_names_the_base_that_it_proves(chain: Chain, tmp_path: Path) -> None:
    """What was checked says which base, and the bytes that were read are those of both."""
    chain.back_up(0)
    chain.push_and_back_up(1)

    proof = proven(chain, 1, tmp_path)

    assert f"its base of {chain.day(0)} by SHA-256" in proof.checked
    assert sum(backup.stored.size for backup in chain.catalog()) == proof.size_bytes


def test_an_increment_can_not_be_put_on_itself(chain: Chain, tmp_path: Path) -> None:
    """A manifest that names its own day, as no run writes it, is refused rather than followed."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    chain.store.delete([naming.object_key(chain.name(0))])
    later = chain.tarball(1)
    for path in (later, later.with_name(later.name + METADATA_SUFFIX)):
        path.rename(path.with_name(path.name.replace(later.name, chain.tarball(0).name)))

    (tmp_path / "restored").mkdir()
    with pytest.raises(ProofError, match="it says that it stands on the later backup"):
        unpack_backup(chain.store, chain.name(0), tmp_path / "restored")


def test_without_a_base_the_next_one_is_full_at_once(chain: Chain, tmp_path: Path) -> None:
    """The run after a base has vanished makes a full backup, though nothing was pushed."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    lose(chain)

    found = chain.back_up(2)

    (decision,) = found.decisions
    assert (f"the newest stands on that of {chain.day(0)}, which is lost", True) == (
        *(decision.reason, decision.is_due),
    )
    assert [0, None] == chain.bases()
    chain.restore(2, tmp_path / "restored")


def test_a_bad_base_makes_the_next_one_full(chain: Chain, tmp_path: Path) -> None:
    """Once a base has failed its proof, no increment is made on it, and the newest is known to be lost."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    flip_a_bit(chain)
    assert not proven(chain, 0, tmp_path).is_good
    settings = load_settings(chain.organization.config(), {})
    now = dt.datetime.now(dt.UTC)
    resolution = survey(settings, chain.organization.host, chain.store, today=now.date())
    overview = build_overview(resolution, [], {}, ReportSettings(), late_after_days=999, now=now)

    assert State.BAD == overview.repositories[0].state
    assert f"full: the one of {chain.day(0)} failed its proof" == chain.kind(2)
    chain.push_and_back_up(2)
    chain.push_and_back_up(3)
    assert [None, 0, None, 2] == chain.bases()


def test_a_bad_increment_makes_the_next_one_full(chain: Chain, tmp_path: Path) -> None:
    """An increment that can't be restored says that something is wrong: the next one stands on nothing."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    chain.tarball(1).write_bytes(chain.tarball(1).read_bytes()[:-9])
    assert not proven(chain, 1, tmp_path).is_good

    assert f"full: an increment on {chain.day(0)} failed its proof" == chain.kind(2)


def test_what_a_base_holds_must_be_noted_of_that_very_tarball(chain: Chain) -> None:
    """A note that is missing, old, damaged, or of another tarball makes the next backup full, no worse."""
    chain.back_up(0)
    chain.organization.push(REPO)
    assert f"increment on {chain.day(0)}, number 1" == chain.kind(1)
    note = chain.organization.backups / naming.refs_key(chain.name(0))
    whole = note.read_bytes()

    for content in (None, b"damaged", whole[: len(whole) // 2]):
        note.unlink(missing_ok=True)
        if content is not None:
            note.write_bytes(content)
        assert f"full: the one of {chain.day(0)} has no note of what it holds" == chain.kind(1)
    note.write_bytes(whole)
    metadata = chain.tarball(0).with_name(chain.tarball(0).name + METADATA_SUFFIX)
    described = json.loads(metadata.read_text())
    metadata.write_text(json.dumps(described | {"sha256": "0" * 64}))
    naming.receipt_path(chain.name(0)).unlink()
    assert f"full: the one of {chain.day(0)} has no note of what it holds" == chain.kind(1)


def test_notes_of_earlier_versions_are_read(chain: Chain) -> None:
    """A store that was filled before there were increments goes on: the next one is full, then they begin."""
    chain.back_up(0, incremental=None)
    note = chain.organization.backups / naming.refs_key(chain.name(0))
    old = {"repository_id": REPO, "refs": repositories.refs(chain.path)}
    note.write_bytes(gzip.compress(json.dumps(old).encode()))
    chain.push_and_back_up(1)
    chain.push_and_back_up(2)

    assert [None, None, 1] == chain.bases()


def test_a_base_that_went_before_the_upload_stops_it(chain: Chain) -> None:
    """Deleted between plan and upload, a base fails the job by name; the next run makes a full backup."""
    chain.back_up(0)
    chain.organization.push(REPO)
    chain.organization.resolve(today=chain.day(1), incremental=INCREMENTAL)
    settings = load_settings(chain.organization.config(incremental=INCREMENTAL), {})
    step_mirror(settings, REPO)
    step_archive(chain.name(1))
    lose(chain)

    with pytest.raises(JobFailedError, match="on which this is an increment, is gone"):
        step_upload(chain.store, chain.name(1))

    assert [] == list(chain.catalog())
    chain.back_up(1)
    assert [None] == chain.bases()


def test_a_small_increment_is_no_shrunk_backup(chain: Chain) -> None:
    """Sizes are compared by what a restore reads: an increment counts with its base."""
    chain.back_up(0)
    chain.push_and_back_up(1)
    settings = load_settings(chain.organization.config(), {})
    now = dt.datetime.now(dt.UTC)
    resolution = survey(settings, chain.organization.host, chain.store, today=now.date())
    overview = build_overview(resolution, [], {}, ReportSettings(), late_after_days=999, now=now)

    base, increment = (backup.stored.size for backup in chain.catalog())
    (one,) = overview.repositories
    assert (base, base + increment, base + increment) == (
        *(one.previous_bytes, one.newest_bytes, one.stored_bytes),
    )

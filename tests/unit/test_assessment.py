"""Promises of the overview: each repository is in the worst state that holds, and no figure is guessed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from repo_maintenance.movements import Fate, Movement
from repo_maintenance.overview import State
from tests.unit.report.scene import MB, NOW, PUSHED_AT, Scene, days_ago, failure

NAME = "lecture"


def _backed_up(scene: Scene, days: int = 5, *, is_matched: bool = True, incomplete: str = "") -> None:
    scene.upstream(NAME, is_matched=is_matched)
    scene.backup(NAME, days, incomplete=incomplete)
    scene.proof(NAME, days, proven=0)


def _never(scene: Scene) -> None:
    scene.upstream(NAME)


def _name_taken(scene: Scene) -> None:
    _backed_up(scene)
    scene.movements.append(Movement(NAME, Fate.RENAMED, "acme/other"))


def _failed(scene: Scene) -> None:
    _backed_up(scene)
    scene.run(0, failures=[failure(NAME)])


def _failed_long_ago(scene: Scene) -> None:
    _backed_up(scene)
    scene.run(7, failures=[failure(NAME)])
    scene.run(0)


def _failed_before_a_verify(scene: Scene) -> None:
    _failed(scene)
    scene.run(0, kind="verify")


def _bad(scene: Scene) -> None:
    scene.upstream(NAME)
    scene.backup(NAME, 40)
    scene.proof(NAME, 40, proven=30)
    scene.backup(NAME, 5)
    scene.proof(NAME, 5, proven=1, is_good=False)


def _good_after_bad(scene: Scene) -> None:
    _bad(scene)
    scene.backup(NAME, 0)


def _late(scene: Scene) -> None:
    _backed_up(scene, 41)


def _not_yet_late(scene: Scene) -> None:
    _backed_up(scene, 40)


def _push_waits(scene: Scene) -> None:
    _backed_up(scene, 20)
    scene.listed[0] = scene.matched[0] = scene.listed[0].model_copy(
        update={"pushed_at": NOW - dt.timedelta(days=11)}
    )


def _push_of_today(scene: Scene) -> None:
    _backed_up(scene)
    scene.listed[0] = scene.matched[0] = scene.listed[0].model_copy(update={"pushed_at": NOW})


def _incomplete(scene: Scene) -> None:
    _backed_up(scene, incomplete="2 LFS objects")


def _foreign(scene: Scene) -> None:
    _backed_up(scene)
    scene.receipts.clear()


def _unproven(scene: Scene) -> None:
    scene.upstream(NAME)
    scene.backup(NAME, 5)


def _proof_of_replaced_content(scene: Scene) -> None:
    _unproven(scene)
    scene.proof(NAME, 5, proven=6)


def _gone(scene: Scene) -> None:
    scene.backup(NAME, 90)
    scene.movements.append(Movement(NAME, Fate.VANISHED, None))


def _gone_and_bad(scene: Scene) -> None:
    scene.backup(NAME, 90)
    scene.proof(NAME, 90, proven=1, is_good=False)


def _left_out(scene: Scene) -> None:
    _backed_up(scene, 90, is_matched=False)


CASES: list[tuple[Callable[[Scene], None], State]] = [
    (_never, State.NEVER),
    (_name_taken, State.NEVER),
    (_failed, State.FAILED),
    (_failed_long_ago, State.SAFE),
    (_failed_before_a_verify, State.FAILED),
    (_bad, State.BAD),
    (_good_after_bad, State.SAFE),
    (_late, State.LATE),
    (_not_yet_late, State.SAFE),
    (_push_waits, State.LATE),
    (_push_of_today, State.SAFE),
    (_incomplete, State.INCOMPLETE),
    (_foreign, State.INCOMPLETE),
    (_unproven, State.UNPROVEN),
    (_proof_of_replaced_content, State.UNPROVEN),
    (_gone, State.GONE),
    (_gone_and_bad, State.BAD),
    (_left_out, State.LEFT_OUT),
]


@pytest.mark.parametrize(("build", "expected"), CASES, ids=lambda one: getattr(one, "__name__", None))
def test_a_repository_is_in_the_worst_state_that_holds(
    build: Callable[[Scene], None], expected: State
) -> None:
    """What is not safe is never called so, and what is safe is not called anything else."""
    scene = Scene()
    build(scene)

    assert expected == scene.only().state


def test_every_state_is_shown_by_a_case() -> None:
    """The table above leaves no state out."""
    assert set(State) == {state for _build, state in CASES}


def test_the_worse_state_wins() -> None:
    """A repository that is failed, late and incomplete at once is called failed."""
    scene = Scene()
    _backed_up(scene, 90, incomplete="2 LFS objects")
    scene.run(0, failures=[failure(NAME)])

    assert State.FAILED == scene.only().state


def test_the_figures_come_from_the_listing() -> None:
    """Number, sizes, age, growth, proof and restore time are those of what is stored."""
    scene = Scene()
    scene.upstream(NAME, size_bytes=7 * MB)
    for days, size in ((80, 1), (36, 2), (20, 4), (5, 9)):
        scene.backup(NAME, days, size=size * MB, note="its default branch is gone")
    scene.proof(NAME, 36, proven=30, seconds=4)
    scene.proof(NAME, 5, proven=2, seconds=3)

    one = scene.only()

    assert (4, 16 * MB) == (one.backups, one.stored_bytes)
    assert (days_ago(80), days_ago(5), 5) == (one.oldest, one.newest, one.age_days)
    assert (9 * MB, 4 * MB) == (one.newest_bytes, one.previous_bytes)
    assert 7 * MB == one.growth_bytes  # 9 MB against the 2 MB of 36 days ago: 20 days are too few
    assert (days_ago(2), 3) == (one.last_proven, one.restore_seconds)
    assert (f"acme/{NAME}", 7 * MB, PUSHED_AT) == (one.full_name, one.upstream_bytes, one.pushed_at)
    assert ("its default branch is gone", None) == (one.note, one.waiting_since)


def test_what_is_not_known_is_not_made_up() -> None:
    """A repository without a backup has no age, size before, growth or proof, and costs nothing."""
    scene = Scene()
    _never(scene)

    one = scene.only()

    assert (0, 0, 0) == (one.backups, one.stored_bytes, one.cost)
    unknown = (one.newest, one.age_days, one.newest_bytes, one.growth_bytes, one.last_proven)
    assert {None} == {*unknown, one.restore_seconds, one.previous_bytes}


def test_the_cost_is_that_of_the_storage_classes() -> None:
    """Each backup costs what its class does; a class without a price costs as much as STANDARD."""
    scene = Scene()
    gib = 1 << 30
    for days, storage_class in ((9, "GLACIER"), (8, "STANDARD"), (7, "NEW_CLASS")):
        scene.backup(NAME, days, size=gib, storage_class=storage_class)

    overview = scene.overview(prices={"STANDARD": 0.02, "GLACIER": 0.004}, currency="EUR")

    assert pytest.approx(0.044) == overview.cost
    assert "EUR" == overview.currency


def test_the_totals_are_the_sums() -> None:
    """Of many repositories: matched, safe, states, backups and bytes add up, and each is named once."""
    scene = Scene()
    scene.safe("b")
    scene.safe("a")
    scene.upstream("c")
    scene.backup("z", 3, size=2 * MB)

    overview = scene.overview()

    assert ["a", "b", "c", "z"] == [one.name for one in overview.repositories]
    assert (3, 2) == (overview.matched, overview.safe)
    assert (5, 6 * MB) == (overview.backups, overview.stored_bytes)
    shown = {state: count for state, count in overview.states.items() if count}
    assert {State.SAFE: 2, State.NEVER: 1, State.GONE: 1} == shown
    assert set(State) == set(overview.states)


def test_a_renamed_repository_says_where_it_is() -> None:
    """What is stored under an old name is told of, with the new name."""
    scene = Scene()
    scene.backup("old", 9)
    scene.movements.append(Movement("old", Fate.RENAMED, "acme/new"))

    assert (State.GONE, "renamed to acme/new") == (scene.only().state, scene.only().movement)


def test_an_empty_organisation_has_an_overview() -> None:
    """Where nothing is listed and nothing stored, all figures are 0."""
    overview = Scene().overview()

    assert (0, 0, 0, 0, []) == (
        *(overview.matched, overview.safe, overview.backups, overview.cost),
        overview.repositories,
    )

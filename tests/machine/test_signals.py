"""SIGTERM and SIGINT to Snakemake alone, as a cancelled Action or an impatient administrator sends them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.machine import scenes
from tests.machine.scenes import NAMES, Stage, Stopped
from tests.servers.seaweed import SeaweedServer

EXIT_SECONDS = 10.0
TERM, INT = signal.SIGTERM, signal.SIGINT
JOBS = [
    ("clone", TERM),
    ("clone", INT),
    ("clone by git", TERM),
    ("lfs", TERM),
    ("upload", TERM),
    ("upload", INT),
]
HALF_DONE = [*JOBS, ("lookups", INT)]
SCENES = [*HALF_DONE, ("listing", TERM), ("listing", INT)]
Scene = tuple[str, signal.Signals]
Played = dict[Scene, "Future[Stopped]"]


def named(scene: Scene) -> str:
    """Return how a scene is called in a test's id."""
    return f"{scene[0]}-{scene[1].name}"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, seaweed: SeaweedServer) -> Iterator[Played]:
    """Play all scenes, several at a time, since most of each is waiting."""
    stages: dict[str, Callable[[Path], AbstractContextManager[Stage]]] = {
        "clone": partial(scenes.slow_clones, by_git=False),
        "clone by git": partial(scenes.slow_clones, by_git=True),
        "lfs": scenes.slow_lfs,
        "listing": scenes.slow_listing,
        "upload": partial(scenes.stalled_uploads, seaweed=seaweed),
        "lookups": partial(scenes.stalled_lookups, seaweed=seaweed),
    }

    def play(scene: Scene, root: Path) -> Stopped:
        with stages[scene[0]](root) as stage:
            return scenes.play(stage, scene[1], again=scene in HALF_DONE)

    with ThreadPoolExecutor(scenes.CORES) as pool:
        folders = {scene: tmp_path_factory.mktemp(named(scene)) for scene in SCENES}
        yield {scene: pool.submit(play, scene, folder) for scene, folder in folders.items()}


@pytest.mark.parametrize("scene", SCENES, ids=named)
def test_a_signal_ends_the_run_within_ten_seconds(played: Played, scene: Scene) -> None:
    """Whatever it waits for, a run that is told to stop is gone within ten seconds, and its code is not 0."""
    stopped = played[scene].result()

    assert stopped.seconds < EXIT_SECONDS
    assert stopped.code != 0


# What such a run had started, for there to be something that could outlive it.
CHILDREN = {"clone": "index-pack", "clone by git": "git-remote-http", "lfs": "git-lfs"}


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene[0] in CHILDREN], ids=named)
def test_no_child_outlives_the_run(played: Played, scene: Scene) -> None:
    """Git, its helpers and git-lfs end with the run that has started them."""
    stopped = played[scene].result()

    assert [] != [child for child in stopped.had if CHILDREN[scene[0]] in child.command]
    assert not stopped.left


@pytest.mark.parametrize("scene", [scene for scene in JOBS if scene[0] != "lfs"], ids=named)
def test_the_summary_says_what_was_not_reached(played: Played, scene: Scene) -> None:
    """After a signal the summary tells what failed from what was not begun, and calls nothing backed up."""
    stopped = played[scene].result()

    assert stopped.summary is not None, f"there is no summary:\n{stopped.output}"
    outcomes = {item["repository"]: item["outcome"] for item in stopped.summary["repositories"]}
    assert set(NAMES) == set(outcomes)
    assert len(stopped.begun) == scenes.CORES
    not_begun = set(NAMES) - stopped.begun
    assert dict.fromkeys(not_begun, "not reached") == {name: outcomes[name] for name in not_begun}
    assert "backed up" not in outcomes.values()
    assert stopped.summary["ok"] is False
    assert f"not reached  {stopped.summary['not_reached']:6}" in stopped.output


@pytest.mark.parametrize("scene", HALF_DONE, ids=named)
def test_the_next_run_completes_everything(played: Played, scene: Scene) -> None:
    """After a signal the next run needs no hand: it stores what was cut off and what was not begun."""
    following = played[scene].result().following
    summary = played[scene].result().following_summary

    assert following is not None
    assert summary is not None
    assert following.code == 0, following.output
    assert summary["ok"] is True
    assert summary["total"] == summary["backed_up"] + summary["up_to_date"]

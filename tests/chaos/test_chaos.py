"""The chaos run in short: a few kills, the same checks."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from tests.chaos.plan import plan_steps
from tests.chaos.run import run_chaos
from tests.servers.seaweed import SeaweedServer

SEED = 2026
KILLS = 5
REPOSITORIES = 12


def test_after_kills_and_faults_a_calm_run_puts_everything_right(
    tmp_path: Path, seaweed: SeaweedServer
) -> None:
    """Whatever was killed, cut, altered and damaged: afterwards every backup restores to upstream's refs."""
    said: list[str] = []

    figures = run_chaos(tmp_path, seaweed, seed=SEED, kills=KILLS, repositories=REPOSITORIES, say=said.append)

    assert not figures.problems, "\n".join([*said, *figures.problems])
    assert figures.kills == KILLS
    assert figures.stored > 0


def test_a_seed_repeats_the_plan() -> None:
    """The same seed plans the same kills, faults, pushes and damage; another one does not."""
    names = ["one", "two"]

    first, again, other = (list(islice(plan_steps(seed, names), 30)) for seed in (SEED, SEED, SEED + 1))

    assert first == again
    assert first != other

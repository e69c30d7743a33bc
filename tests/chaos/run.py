"""The chaos run: ``python -m tests.chaos.run --seed N --kills 30 --repositories 20``.

The same seed gives the same plan; what a kill hits depends on the machine's speed, so each step is printed
with what was done and what the run was busy with.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from tests.chaos.drive import Played, play
from tests.chaos.plan import Step, plan_steps
from tests.chaos.verdict import Bucket, find_problems
from tests.chaos.world import World
from tests.machine.running import Running
from tests.servers.seaweed import SeaweedServer

CALM_SECONDS = 240.0
# Some runs are over before their end comes; those are not counted as killed.
STEPS_PER_KILL = 2
Say = Callable[[str], None]


@dataclass
class Figures:
    """What happened in a chaos run."""

    repositories: int
    steps: list[Played] = field(default_factory=list)
    pushes: int = 0
    refusals: int = 0
    broken: tuple[int, int] = (0, 0)
    """Connections broken: to GitHub, to S3."""
    mirrored: int = 0
    stored: int = 0
    rebuilt_last: int = 0
    """Repositories that the calm run made."""
    objects: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many runs were ended from outside."""
        return sum(played.ended_by_itself is None for played in self.steps)

    def render(self) -> str:
        """Return the figures for the screen."""
        ended = [one for one in self.steps if one.ended_by_itself is None]
        endings = Counter(str(one.step.ending) for one in ended)
        phases = Counter(phase for one in ended for phase in one.busy_with)
        codes = Counter(one.ended_by_itself for one in self.steps if one.ended_by_itself is not None)
        rows = {
            "runs": f"{len(self.steps)} + 2 calm ones, of {self.repositories} repositories",
            "ended": _count(endings),
            "while busy with": _count(phases),
            "over by themselves": _count({f"exit code {code}": count for code, count in codes.items()}),
            "orphans": str(sum(one.orphans for one in self.steps)),
            "files damaged": str(sum(len(one.damaged) for one in self.steps)),
            "faults": f"{self.refusals} answers of git, {self.broken[0]} connections to GitHub, "
            f"{self.broken[1]} to S3",
            "pushes": str(self.pushes),
            "mirrors begun": str(self.mirrored),
            "backups stored": str(self.stored),
            "rebuilt by the calm run": str(self.rebuilt_last),
            "objects": f"{self.objects}, each of them read, restored and compared",
            "time": f"{self.seconds:.0f} s",
            "problems": str(len(self.problems)),
        }
        return "\n".join(f"{name + ':':<26}{value}" for name, value in rows.items())


@dataclass
class Chaos:
    """A chaos run that goes on."""

    world: World
    bucket: Bucket
    runs: ExitStack
    """What the runs leave lives on, and is ended with this."""
    figures: Figures
    say: Say

    def play(self, step: Step) -> None:
        """Play one step, and look at the bucket as the end of the run has left it."""
        world, figures = self.world, self.figures
        self.say(f"step {step.number:2}: {step.describe()}")
        world.break_things(step)
        world.github.clear_requests()
        for push in step.pushes:
            if push.after < 0:
                world.push(push)
        run = self.runs.enter_context(Running(world.workspace))
        played = play(world, step, run)
        played.problems += self.bucket.find_problems()
        if "Traceback" in played.output and played.ended_by_itself is not None:
            played.problems.append(f"the run showed a traceback: {run.log}")
        figures.steps.append(played)
        figures.mirrored += played.output.count(": Mirror ")
        figures.stored += played.output.count(": stored s3://")
        figures.problems += [f"step {step.number}: {problem}" for problem in played.problems]
        self.say(f"         {played.describe()}")
        for problem in played.problems:
            self.say(f"         WRONG: {problem}")

    def calm_down(self) -> None:
        """Run twice without faults: the first makes what is missing, the second finds nothing to do."""
        self.world.heal()
        calm = self.runs.enter_context(Running(self.world.workspace))
        code = calm.wait(CALM_SECONDS)
        self.figures.rebuilt_last = calm.output().count(": Mirror ")
        self.say(f"calm run: exit code {code} after {time.monotonic() - calm.started_at:.1f} s")
        if code:
            self.figures.problems.append(f"the calm run failed with {code}: {calm.log}")
        self.figures.problems += find_problems(self.world, self.bucket)
        idle = self.world.workspace.backup()
        if idle.code or idle.made:
            problem = f"the run after the calm one made {idle.made}, and exited with {idle.code}"
            self.figures.problems.append(problem)


def run_chaos(
    folder: Path, seaweed: SeaweedServer, *, seed: int, kills: int, repositories: int, say: Say = print
) -> Figures:
    """Play all steps, then run calmly, and return what happened, with all that is wrong then."""
    figures = Figures(repositories)
    began = time.monotonic()
    with World(folder, repositories, seaweed) as world, ExitStack() as runs:
        chaos = Chaos(world, Bucket(world, world.make_earlier_backups()), runs, figures, say)
        for step in islice(plan_steps(seed, world.pushable), STEPS_PER_KILL * kills):
            chaos.play(step)
            if figures.kills == kills:
                break
        chaos.calm_down()
        figures.pushes = world.pushes
        figures.refusals = sum(fault.hits for fault in world.refused)
        figures.broken = (world.git_proxy.broken, world.s3_proxy.broken)
        figures.objects = len(world.list_keys())
    figures.seconds = time.monotonic() - began
    return figures


def _count(counted: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "none"


def main(arguments: Sequence[str]) -> int:
    """Run from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Kill, break, push and damage; then everything must be right."
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--repositories", type=int, default=20)
    parser.add_argument("--keep", action="store_true", help="keep the folder also where all went well")
    options = parser.parse_args(arguments)
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{options.seed}-"))
    print(f"seed {options.seed}, in {folder}", flush=True)
    with SeaweedServer(folder / "seaweed") as seaweed:
        figures = run_chaos(
            folder,
            seaweed,
            seed=options.seed,
            kills=options.kills,
            repositories=options.repositories,
            say=lambda text: print(text, flush=True),
        )
    print(f"\nseed:                     {options.seed}\n{figures.render()}")
    for problem in figures.problems:
        print(f"WRONG: {problem}")
    if not figures.problems and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if figures.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

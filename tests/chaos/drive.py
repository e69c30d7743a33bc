"""Plays one step of a chaos run: starts the workflow, pushes and breaks things meanwhile, and ends it."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from repo_maintenance.naming import PARTIAL
from tests.chaos.plan import Damage, Ending, Loss, Moment, Step
from tests.chaos.world import World
from tests.machine.places import files_below
from tests.machine.running import POLL_SECONDS, Running, wait_until

LONGEST_RUN_SECONDS = 25.0
# Ten seconds are promised; the rest is for a machine that is busy with other things.
LONGEST_EXIT_SECONDS = 15.0
SIGNALS = {Ending.TERM: signal.SIGTERM, Ending.INT: signal.SIGINT}


@dataclass
class Played:
    """What became of a step."""

    step: Step
    busy_with: tuple[str, ...] = ()
    """What the run was doing when it was ended."""
    seconds: float = 0.0
    ended_by_itself: int | None = None
    """The exit code of a run that was over before its end came."""
    orphans: int = 0
    """Children that outlived Snakemake."""
    damaged: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    output: str = ""

    def describe(self) -> str:
        """Return in one line what was done."""
        how = f"over by itself ({self.ended_by_itself})" if self.ended_by_itself is not None else "ended"
        return (
            f"{how} after {self.seconds:.1f} s, busy with {' + '.join(self.busy_with) or 'nothing'}; "
            f"{self.orphans} orphans; damaged: {', '.join(self.damaged) or 'nothing'}"
        )


def play(world: World, step: Step, run: Running) -> Played:
    """Play a step to its end; ``run`` has been started by the caller, who also ends what it leaves."""
    played = Played(step)
    waiting = sorted((push for push in step.pushes if push.after >= 0), key=lambda push: push.after)
    due_at: float | None = None
    while not run.has_ended:
        now = time.monotonic() - run.started_at
        while waiting and waiting[0].after <= now:
            world.push(waiting.pop(0))
        if due_at is None and _has_come(step.moment, run, world):
            due_at = now + step.delay
        if now > min(due_at if due_at is not None else LONGEST_RUN_SECONDS, LONGEST_RUN_SECONDS):
            break
        time.sleep(POLL_SECONDS)
    played.seconds = time.monotonic() - run.started_at
    played.busy_with = find_work(run, world)
    if run.has_ended:
        played.ended_by_itself = run.wait()
    else:
        _end(step.ending, run, played)
    played.orphans = len(run.children())
    played.damaged = [_damage(world.workspace.path, damage) for damage in step.damages]
    played.output = run.output()
    return played


def find_work(run: Running, world: World) -> tuple[str, ...]:
    """Return what a run is doing, as the files that it has made tell."""
    output = run.output()
    if "selected," not in output:
        return ("listing",) if _was_listed(world) else ("start",)
    results = run.workspace.path / "results"
    descriptions = {path.stem for path in results.glob("archives/*.json")}
    tarballs = {path.name.removesuffix(".tar.gz") for path in results.glob("archives/*.tar.gz")}
    found = {
        "mirror": any(results.glob(f"mirrors/{PARTIAL}*")),
        "archive": bool(tarballs - descriptions),
        "upload": bool(descriptions),
    }
    return tuple(name for name, is_so in found.items() if is_so) or ("between jobs",)


def _has_come(moment: Moment, run: Running, world: World) -> bool:
    if moment is Moment.START:
        return True
    return _was_listed(world) if moment is Moment.LISTING else "selected," in run.output()


def _was_listed(world: World) -> bool:
    return bool(world.github.api_requests())


def _end(ending: Ending, run: Running, played: Played) -> None:
    if ending is Ending.POWER_LOSS:
        run.kill_all()
    elif ending is Ending.KILL:
        run.kill_main()
    else:
        run.signal(SIGNALS[ending])
        if not wait_until(lambda: run.has_ended, LONGEST_EXIT_SECONDS):
            played.problems.append(f"{ending} did not end the run within {LONGEST_EXIT_SECONDS:.0f} s")
            run.kill_all()
        elif run.wait() == 0:
            played.ended_by_itself = 0
            if "(100%) done" not in run.output() and "Nothing to be done" not in run.output():
                played.problems.append(f"the run exited with 0 after {ending}, and was not done")


def _damage(folder: Path, damage: Damage) -> str:
    """Damage one file of ``results`` or ``.snakemake``; returns its name and what was done to it."""
    found = sorted(path for name in ("results", ".snakemake") for path in files_below(folder / name))
    if not found:
        return "none there"
    path = found[int(damage.place * len(found))]
    with suppress(OSError):  # an orphan may have taken it away meanwhile
        content = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(
            {
                Loss.ZERO: bytes(len(content)),
                Loss.CUT: content[: len(content) // 2],
                Loss.EMPTY: b"",
            }[damage.loss]
        )
    return f"{path.relative_to(folder)} ({damage.loss})"

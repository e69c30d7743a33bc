"""Plans a chaos run: all chance is drawn here, from one seed, before anything happens."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count

from tests.servers.proxy import Break, Direction, Kind

GIT_KINDS: tuple[Kind, ...] = ("cut", "reset", "stall")
# Requests to S3 are signed, so altered ones must be refused; what guards answers is TLS, which is not here.
S3_KINDS: tuple[Kind, ...] = ("cut", "reset", "reset", "alter")
CONNECTIONS = 30
BYTES = (200, 2_000, 20_000, 200_000, 2_000_000, 20_000_000)
FIRST_BODY_BYTES = 8_000


class Ending(StrEnum):
    """How a run is ended."""

    POWER_LOSS = "kill -9 of everything"
    KILL = "kill -9 of Snakemake alone"
    TERM = "SIGTERM"
    INT = "SIGINT"


class Moment(StrEnum):
    """From when on the time until the end of a run is counted."""

    START = "start"
    LISTING = "listing"
    WORK = "work"


class Change(StrEnum):
    """What is pushed upstream."""

    COMMIT = "commit"
    BRANCH = "branch"
    DELETION = "deletion"
    FORCED = "forced push"


class Loss(StrEnum):
    """What a loss of power does to a file."""

    ZERO = "zeros"
    CUT = "cut"
    EMPTY = "empty"


@dataclass(frozen=True)
class Push:
    """A push, some seconds after the start of the run, or before it."""

    after: float
    repository: str
    change: Change


@dataclass(frozen=True)
class Damage:
    """A file of the run that is damaged after it; ``place`` (0 to 1) picks it from the sorted list."""

    place: float
    loss: Loss


@dataclass(frozen=True)
class Refusal:
    """An answer of git's server: a 503, or a body that ends after some bytes, for a few requests."""

    status: int | None
    after_bytes: int | None
    times: int


@dataclass(frozen=True)
class Step:
    """One run, what happens meanwhile, and how it ends."""

    number: int
    pushes: tuple[Push, ...]
    refusals: tuple[Refusal, ...]
    git_breaks: tuple[Break | None, ...]
    s3_breaks: tuple[Break | None, ...]
    latency: float
    """Seconds for each 64 KiB, both ways, where a connection has no fault."""
    moment: Moment
    delay: float
    ending: Ending
    damages: tuple[Damage, ...]

    def describe(self) -> str:
        """Return the plan of the step in one line."""
        pushed = ", ".join(f"{push.repository} ({push.change}, {push.after:+.1f} s)" for push in self.pushes)
        broken = [sum(one is not None for one in breaks) for breaks in (self.git_breaks, self.s3_breaks)]
        return (
            f"{self.ending} {self.delay:.2f} s after {self.moment}; "
            f"faults: {len(self.refusals)} for git, {broken[0]} connections to GitHub, {broken[1]} to S3; "
            f"pushes: {pushed or 'none'}"
        )


def plan_steps(seed: int, pushable: Sequence[str]) -> Iterator[Step]:
    """Yield steps without end: the same ones for the same seed and repositories."""
    source = random.Random(seed)  # noqa: S311 - a test's chance is to be repeatable
    for number in count(1):
        yield _step(source, number, pushable)


def _step(source: random.Random, number: int, pushable: Sequence[str]) -> Step:
    moment = source.choices(list(Moment), [1, 1, 7])[0]
    longest = {Moment.START: 2.0, Moment.LISTING: 0.4, Moment.WORK: 3.5}[moment]
    return Step(
        number=number,
        pushes=tuple(_push(source, pushable) for _ in range(source.randint(3, 10))),
        refusals=tuple(_refusal(source) for _ in range(source.choice((0, 0, 1, 2)))),
        git_breaks=(None, *_breaks(source, GIT_KINDS, source.choice((0.0, 0.0, 0.1, 0.3)))),
        s3_breaks=_breaks(source, S3_KINDS, source.choice((0.0, 0.1, 0.3, 0.5))),
        latency=source.choice((0.0, 0.001, 0.003)),
        moment=moment,
        delay=source.uniform(0.0, longest),
        ending=source.choices(list(Ending), [4, 4, 1, 1])[0],
        damages=tuple(
            Damage(source.random(), source.choice(list(Loss))) for _ in range(source.choice((0, 0, 1, 3)))
        ),
    )


def _push(source: random.Random, pushable: Sequence[str]) -> Push:
    change = source.choices(list(Change), [6, 2, 1, 1])[0]
    return Push(source.choice((-1.0, source.uniform(0.0, 5.0))), source.choice(pushable), change)


def _refusal(source: random.Random) -> Refusal:
    times = source.randint(1, 5)
    if source.random() < 0.5:
        return Refusal(503, None, times)
    return Refusal(None, source.choice(BYTES), times)


def _breaks(source: random.Random, kinds: Sequence[Kind], share: float) -> tuple[Break | None, ...]:
    return tuple(_break(source, kinds) if source.random() < share else None for _ in range(CONNECTIONS))


def _break(source: random.Random, kinds: Sequence[Kind]) -> Break:
    kind = source.choice(kinds)
    after = int(source.choice(BYTES) * source.random())
    if kind == "alter":
        return Break(kind, FIRST_BODY_BYTES + after, "up")
    directions: tuple[Direction, ...] = ("down", "up")
    return Break(kind, after, source.choice(directions))

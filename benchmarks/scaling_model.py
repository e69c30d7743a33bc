"""How the cost of backups grows: a simulation of a run, and arithmetic for all around it."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.scaling_figures import StoragePrice, value_of
from repo_maintenance.stores.s3_upload import MULTIPART_THRESHOLD_BYTES, PART_BYTES

SIMULATED_AT_MOST = 10_000
"""More are as many times this: the order of jobs makes no difference at that size."""
MB, GB = 10**6, 10**9
LARGEST_MB = 10_000
"""GitHub asks for no more: https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits"""
WEEKS_A_YEAR = 52
WEEKS_A_MONTH = WEEKS_A_YEAR / 12


@dataclass(frozen=True)
class Setting:
    """Where backups are made."""

    name: str
    nodes: int
    """How many work at the same time; 0: no nodes, this machine does it."""
    cpus: int
    """Of the machine, or of each node."""
    slots: int
    """Repositories that are worked on at the same time, on the machine or on each node: `--cores`."""


@dataclass(frozen=True)
class Work:
    """What it takes to back some repositories up, without what comes before."""

    seconds: float
    peak_disk_bytes: float
    """The most that mirrors and tarballs take at a moment, on one machine."""


def sample_sizes(count: int) -> list[int]:
    """Return sizes in bytes, log-normal, the largest 10 GB, scaled to the mean that is assumed."""
    generator = random.Random(1)  # noqa: S311
    median, mean = value_of("median size"), value_of("mean size")
    spread = math.sqrt(2 * math.log(mean / median))
    drawn = [min(generator.lognormvariate(0, spread), LARGEST_MB / median) for _ in range(count)]
    scale = mean * MB * count / sum(drawn)
    return [round(scale * one) for one in drawn]


def simulate(sizes: Sequence[int], cpus: int, slots: int) -> Work:
    """Work through repositories, the largest first, as Snakemake does with `--cores` slots.

    Each waits for GitHub (a slot, no CPU), then needs one CPU, then waits for the store. Events are kept in a
    heap: (moment, number, what ends, size).
    """
    waiting_sizes = sorted(sizes, reverse=True)
    events: list[tuple[float, int, str, int]] = []
    ready: list[int] = []
    free_cpus, number, now, disk, peak = cpus, 0, 0.0, 0.0, 0.0

    def wait(until: float, what: str, size: int) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (until, number, what, size))

    for _slot in range(min(slots, len(sizes))):
        size = waiting_sizes.pop(0)
        disk += 2 * size
        wait(now + _fetch_seconds(size), "fetched", size)
    queue = iter(waiting_sizes)
    while events:
        peak = max(peak, disk)
        now, _, what, size = heapq.heappop(events)
        if what == "fetched":
            ready.append(size)
        elif what == "packed":
            free_cpus += 1
            wait(now + _store_seconds(size), "stored", size)
        else:
            disk -= 2 * size
            following = next(queue, None)
            if following is not None:
                disk += 2 * following
                wait(now + _fetch_seconds(following), "fetched", following)
        while free_cpus and ready:
            free_cpus -= 1
            size = ready.pop(0)
            wait(now + _cpu_seconds(size), "packed", size)
    return Work(now, peak)


def _fetch_seconds(size: int) -> float:
    return value_of("wait for GitHub") + size / (value_of("rate of a fetch") * MB)


def _cpu_seconds(size: int) -> float:
    return value_of("CPU of a backup") + value_of("CPU of a MB") * size / MB


def _store_seconds(size: int) -> float:
    return 3 * value_of("wait for S3") + size / (value_of("rate of an upload") * MB)


def work(count: int, setting: Setting) -> Work:
    """Return what backing up ``count`` repositories takes in a setting."""
    sizes = sample_sizes(min(count, SIMULATED_AT_MOST))
    times = max(1.0, count / SIMULATED_AT_MOST)
    if not setting.nodes:
        done = simulate(sizes, setting.cpus, setting.slots)
        return Work(done.seconds * times, done.peak_disk_bytes)
    each = round(value_of("repositories a submission"))
    groups = [sizes[start : start + each] for start in range(0, len(sizes), each)]
    runs = [simulate(group, setting.cpus, setting.slots) for group in groups]
    moments = [0.0] * setting.nodes
    for run in runs:
        begun = heapq.heappop(moments)
        heapq.heappush(moments, begun + run.seconds + value_of("overhead of a submission"))
    serial = value_of("submitting") * len(groups)
    return Work(max(*moments, serial) * times, max(run.peak_disk_bytes for run in runs))


def resolve_seconds(count: int, due: float, objects: float) -> float:
    """Return what a run takes before its first job: lists, decisions, the graph of jobs."""
    hours, left = divmod(api_requests(count), round(value_of("GitHub's quota")))
    listing = hours * 3600 + left * value_of("wait for GitHub's API")
    store = list_requests(objects) * value_of("listing of 1,000 objects")
    planning = due * value_of("CPU of planning") + (count - due) * value_of("CPU of an unchanged one")
    return value_of("start") + listing + store + planning


def api_requests(count: int) -> int:
    """Return how many requests list an organisation, a hundred repositories each."""
    return math.ceil(count / 100)


def list_requests(objects: float) -> int:
    """Return how many requests list a bucket, a thousand objects each; at least one."""
    return max(1, math.ceil(objects / 1000))


def put_requests(sizes: Sequence[int]) -> float:
    """Return how many PUT-like requests a repository needs on average: tarball, and note of refs."""
    parts = [
        1 if size < MULTIPART_THRESHOLD_BYTES else 2 + math.ceil(size / max(PART_BYTES, size / 10_000))
        for size in sizes
    ]
    return 1 + sum(parts) / len(parts)


@dataclass(frozen=True)
class Year:
    """What an organisation's store holds and asks for, after a year of weekly runs with 5 % changed."""

    stored_bytes: float
    puts_a_month: float
    gets_a_month: float


def year(count: int) -> Year:
    """Return the store after a year, without retention, and the requests of a month at its end."""
    changed = value_of("changed in a week") * count
    mean = value_of("mean size") * MB
    objects = 2 * (count + WEEKS_A_YEAR * changed)
    puts = changed * put_requests(sample_sizes(SIMULATED_AT_MOST)) + list_requests(objects) + 3
    return Year(
        stored_bytes=mean * (count + WEEKS_A_YEAR * changed),
        puts_a_month=puts * WEEKS_A_MONTH,
        gets_a_month=2 * changed * WEEKS_A_MONTH,
    )


def first_requests(count: int) -> tuple[float, float]:
    """Return the PUT-like and the GET-like requests of a first backup."""
    return count * put_requests(sample_sizes(SIMULATED_AT_MOST)) + 4, float(count)


def storage_dollars(size: float, price: StoragePrice) -> float:
    """Return what storing some bytes costs a month, tier by tier."""
    left, total = size / GB, 0.0
    for upto, dollars in price.tiers:
        here = min(left, upto)
        total += here * dollars
        left -= here
    return total


def request_dollars(puts: float, gets: float, price: StoragePrice) -> float:
    """Return what requests cost."""
    return (puts * price.per_1000_puts + gets * price.per_1000_gets) / 1000


def memory_bytes(count: int) -> float:
    """Return the peak memory of the main process."""
    return value_of("memory of the process") * MB + count * value_of("memory of a repository") * 1000

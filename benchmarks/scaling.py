"""How time, quota, requests and money grow, as tables: what docs/scaling.md shows.

``.venv/bin/python -m benchmarks.scaling`` prints them; a test compares the two.
"""

from __future__ import annotations

import math

from benchmarks.scaling_figures import FIGURES, PRICES, value_of
from benchmarks.scaling_model import (
    WEEKS_A_YEAR,
    Setting,
    api_requests,
    first_requests,
    memory_bytes,
    request_dollars,
    resolve_seconds,
    storage_dollars,
    work,
    year,
)
from benchmarks.tables import render_table

COUNTS = (100, 10_000, 1_000_000)
GITHUB_MOST_PER_ORGANIZATION = 100_000
DURATIONS = ((86_400, "d"), (3600, "h"), (60, "min"))
SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"))
ONE_MACHINE = Setting("one machine, `--cores 4`", 0, 4, 4)
MORE_CORES = Setting("one machine, `--cores 16`", 0, 4, 16)
SLURM = Setting("Slurm, 20 submissions", 20, 4, 4)
SETTINGS = (ONE_MACHINE, MORE_CORES, SLURM)


def render_seconds(seconds: float) -> str:
    """Return a duration in its largest unit, two digits that count."""
    for unit, name in DURATIONS:
        if seconds >= unit:
            return f"{_two_digits(seconds / unit)} {name}"
    return f"{_two_digits(seconds)} s"


def render_bytes(size: float) -> str:
    """Return a size in its largest unit, two digits that count."""
    unit, name = next((unit, name) for unit, name in SIZES if size >= unit)
    return f"{_two_digits(size / unit)} {name}"


def _two_digits(number: float) -> str:
    digits = max(0, 1 - math.floor(math.log10(number))) if number else 0
    rounded = round(number, 1 - math.floor(math.log10(number))) if number else 0
    return f"{rounded:,.{digits}f}"


def _dollars(number: float) -> str:
    return f"${_two_digits(number)}"


def table_of_runs() -> str:
    """Return how long runs take: a first backup, and a weekly run."""
    share = value_of("changed in a week")
    headers = ["repositories", *(f"{count:,}" for count in COUNTS)]
    rows = [
        ["lists and plan, first", *(render_seconds(resolve_seconds(count, count, 0)) for count in COUNTS)]
    ]
    for setting in SETTINGS:
        done = [work(count, setting).seconds for count in COUNTS]
        rows.append([f"first backup, {setting.name}", *map(render_seconds, done)])
    objects = [2 * count * (1 + WEEKS_A_YEAR * share) for count in COUNTS]
    planning = [
        resolve_seconds(count, share * count, stored) for count, stored in zip(COUNTS, objects, strict=True)
    ]
    rows.append(["lists and plan, weekly, after a year", *map(render_seconds, planning)])
    for setting in SETTINGS:
        done = [work(round(count * share), setting).seconds for count in COUNTS]
        rows.append([f"weekly, 5 % changed, {setting.name}", *map(render_seconds, done)])
    return render_table(headers, rows)


def table_of_means() -> str:
    """Return what runs need: requests, disk and memory."""
    headers = ["repositories", *(f"{count:,}" for count in COUNTS)]
    quota = value_of("GitHub's quota")
    requests = [api_requests(count) for count in COUNTS]
    organizations = [math.ceil(count / GITHUB_MOST_PER_ORGANIZATION) for count in COUNTS]
    disks = [[work(count, setting).peak_disk_bytes for count in COUNTS] for setting in (ONE_MACHINE, SLURM)]
    first = [first_requests(count) for count in COUNTS]
    rows = [
        ["organisations, at least", *map(str, organizations)],
        ["requests to GitHub's API, a run", *(f"{one:,}" for one in requests)],
        ["of a token's quota of an hour", *(f"{100 * one / quota:,.0f} %" for one in requests)],
        ["memory of the main process, one run for all", *(render_bytes(memory_bytes(one)) for one in COUNTS)],
        ["disk, one machine", *map(render_bytes, disks[0])],
        ["disk, a node", *map(render_bytes, disks[1])],
        ["small files in `results/` and `.snakemake/`", *(f"{9 * one:,}" for one in COUNTS)],
        ["submissions to Slurm, first backup", *(f"{math.ceil(one / 50):,}" for one in COUNTS)],
        ["S3 requests, first backup: PUT, GET", *(f"{puts:,.0f}, {gets:,.0f}" for puts, gets in first)],
    ]
    return render_table(headers, rows)


def table_of_money() -> str:
    """Return what the store costs, by storage class."""
    headers = ["repositories", *(f"{count:,}" for count in COUNTS)]
    years = [year(count) for count in COUNTS]
    rows = [
        ["stored after a year, no retention", *(render_bytes(one.stored_bytes) for one in years)],
        [
            "S3 requests a month: PUT and LIST, GET",
            *(f"{one.puts_a_month:,.0f}, {one.gets_a_month:,.0f}" for one in years),
        ],
    ]
    for price in PRICES:
        first = [request_dollars(*first_requests(count), price) for count in COUNTS]
        rows.append([f"first backup's requests, {price.name}", *map(_dollars, first)])
        rows.append(
            [
                f"a month after a year, {price.name}",
                *(
                    _dollars(
                        storage_dollars(one.stored_bytes, price)
                        + request_dollars(one.puts_a_month, one.gets_a_month, price)
                    )
                    for one in years
                ),
            ]
        )
    return render_table(headers, rows)


def table_of_figures() -> str:
    """Return what all is computed from, and where each figure comes from."""
    lines = [f"| {name} | {one.value:g} {one.unit} | {one.source} |" for name, one in FIGURES.items()]
    return "\n".join(["| figure | value | where from |", "|---|---|---|", *lines])


def render() -> str:
    """Return the part of docs/scaling.md that is computed."""
    parts = [
        "## Time",
        table_of_runs(),
        "## Quota, memory, disk",
        table_of_means(),
        "## Storage and money",
        table_of_money(),
        "## What this is computed from",
        table_of_figures(),
    ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(render())

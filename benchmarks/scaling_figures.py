"""The figures that `benchmarks.scaling` computes from: measured ones, assumptions, and list prices."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A number, and where it comes from."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class StoragePrice:
    """The list price of a storage class, US East (N. Virginia), in US dollars."""

    name: str
    tiers: tuple[tuple[float, float], ...]
    """GB a month in each tier, and what a GB costs there."""
    per_1000_puts: float
    """PUT, COPY, POST and LIST."""
    per_1000_gets: float
    """GET and HEAD."""


FIRST_BACKUP = "benchmarks/README.md, *First backup*"
MEASURED = "measured on 2026-11-25, 2 cores (AMD EPYC), CPU seconds: "
DRY_RUN = "benchmarks/README.md, *dry run*, 1,000 and 10,000 repositories"
ASSUMED = "assumed"

FIGURES = {
    "start": Figure(2.0, "s", f"{FIRST_BACKUP}: (c)"),
    "CPU of planning": Figure(0.003, "s a repository", f"{DRY_RUN}: 3.5 and 26.6 s of CPU time"),
    "CPU of an unchanged one": Figure(
        0.0006, "s", "benchmarks/README.md, *nothing to do*: 1.3 s of 1,000, less the start"
    ),
    "memory of the process": Figure(140, "MB", f"{DRY_RUN}: peaks of 193 and 667 MB"),
    "memory of a repository": Figure(53, "kB", "the same"),
    "CPU of a backup": Figure(0.035, "s", f"{FIRST_BACKUP}: (d), 0 ms: 7.9 s of 200, less the start"),
    "CPU of a MB": Figure(0.09, "s", f"{MEASURED}8 repositories of 2 MB: 1.5 s for 16.4 MB"),
    "listing of 1,000 objects": Figure(0.12, "s", "benchmarks/README.md, *Prune and verify at scale*"),
    "overhead of a submission": Figure(
        13, "s", "3 s until the node's Snakemake works (measured), 10 s until its end is seen (the profile)"
    ),
    "submitting": Figure(0.3, "s a submission", "Snakemake's own waits when a group ends, and `sbatch`"),
    "repositories a submission": Figure(50, "", "profiles/slurm"),
    "wait for GitHub": Figure(0.3, "s a fetch", f"{ASSUMED}; 2 requests, each a round trip and an answer"),
    "wait for GitHub's API": Figure(0.5, "s a request", f"{ASSUMED}, of 100 repositories"),
    "rate of a fetch": Figure(20, "MB/s", f"{ASSUMED}, for each fetch"),
    "wait for S3": Figure(
        0.1, "s a request", f"{ASSUMED}; 3 requests a backup (counted): PUT, HEAD, PUT of the refs"
    ),
    "rate of an upload": Figure(50, "MB/s", f"{ASSUMED}, for each upload"),
    "median size": Figure(1, "MB", ASSUMED),
    "mean size": Figure(20, "MB", f"{ASSUMED}; log-normal, as sizes of repositories are"),
    "changed in a week": Figure(0.05, "of all", ASSUMED),
    "GitHub's quota": Figure(
        5000,
        "requests an hour",
        "[GitHub](https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api)",
    ),
}

# As of 2025: https://aws.amazon.com/s3/pricing/
PRICES = (
    StoragePrice(
        "Standard",
        ((50_000, 0.023), (450_000, 0.022), (math.inf, 0.021)),
        per_1000_puts=0.005,
        per_1000_gets=0.0004,
    ),
    StoragePrice("Standard-IA", ((math.inf, 0.0125),), per_1000_puts=0.01, per_1000_gets=0.001),
    StoragePrice("Glacier Instant Retrieval", ((math.inf, 0.004),), per_1000_puts=0.02, per_1000_gets=0.01),
)


def value_of(name: str) -> float:
    """Return a figure's number."""
    return FIGURES[name].value

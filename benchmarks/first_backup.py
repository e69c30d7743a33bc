"""Times a first backup: this workflow, cloning alone, the plain sequence, and Snakemake's own start.

.venv/bin/python -m benchmarks.first_backup --repositories 200 --cores 4 --repeats 3
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.contenders import (
    CloneOnly,
    PlainSequence,
    ShellPipes,
    Workflow,
    snakemake_start,
    snakemake_version,
)
from benchmarks.harness import Contender, Measurement, median_of, run_interleaved
from benchmarks.repositories import copy_sources, make_large_repository, make_small_repositories
from benchmarks.servers import ROOT, Stores, open_stores, serve_github
from benchmarks.suite import folder_maker
from benchmarks.tables import (
    Goal,
    describe_machine,
    median_ratio,
    megabytes,
    render_measurements,
    render_table,
)

# The first is what must be, the second what is to be reached.
MAX_FLOOR_RATIOS = (1.5, 1.15)
MIN_SPEEDUP = 2.0
MAX_PEAK_BYTES = 250_000_000
Found = Mapping[str, Sequence[Measurement]]


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    repositories: int
    cores: int
    repeats: int
    sources: Path | None
    store: str
    large_mb: int
    latency_ms: int
    wikis: bool
    checkout: Path
    json: Path | None
    work: Path | None


@dataclass(frozen=True)
class Report:
    """Everything that a run found."""

    title: str
    machine: dict[str, str]
    measurements: dict[str, list[Measurement]]
    ratios: dict[str, tuple[float, float]]
    """What is divided by what → of wall times, of CPU times."""
    large_peak_bytes: int | None
    goals: list[Goal]


def main() -> None:
    """Make, serve, time, print."""
    options = _parse(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=options.work) as name:
        report, labels = _run(options, Path(name))
    print(_render(report, labels, options))
    if options.json is not None:
        options.json.write_text(json.dumps(asdict(report), indent=2) + "\n")


def _parse(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_backup", description=__doc__)
    parser.add_argument("--repositories", type=int, default=200, help="small repositories to make")
    parser.add_argument("--cores", type=int, default=4, help="for Snakemake, and clones at a time")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sources", type=Path, help="a folder of real repositories to add")
    parser.add_argument("--store", choices=("s3", "folder"), default="s3")
    parser.add_argument(
        "--large-mb", type=int, default=300, help="of the memory run's repository; 0: no such run"
    )
    parser.add_argument("--latency-ms", type=int, default=20, help="of the network to GitHub, one way")
    parser.add_argument(
        "--wikis", action="store_true", help="GitHub says of every repository that it has one"
    )
    parser.add_argument(
        "--checkout", type=Path, default=ROOT, help="of the workflow to time; this one by default"
    )
    parser.add_argument("--json", type=Path, help="a file for all figures")
    parser.add_argument(
        "--work", type=Path, help="a folder to work in, instead of the system's temporary one"
    )
    return Options(**vars(parser.parse_args(arguments)))


def _run(options: Options, work: Path) -> tuple[Report, dict[str, str]]:
    repositories = work / "repositories"
    _say(f"making {options.repositories} repositories")
    size = make_small_repositories(repositories, options.repositories)
    real = copy_sources(options.sources, repositories) if options.sources else 0
    fresh = folder_maker(work / "runs")
    machine = describe_machine()
    with open_stores(options.store, work / "store") as stores:
        found, labels = _time(options, repositories, stores, fresh)
        large = _large_run(options, work / "large", stores, fresh)
    title = f"{options.repositories} small repositories ({megabytes(size)} MB)"
    title += f" and {real} real ones" if real else ""
    report = Report(title, machine, found, _ratios(found), large, _goals(found, large))
    return report, labels


def _time(
    options: Options, repositories: Path, stores: Stores, fresh: Callable[[], Path]
) -> tuple[dict[str, list[Measurement]], dict[str, str]]:
    with serve_github(repositories, latency_ms=options.latency_ms, wikis=options.wikis) as site:
        workflow = Workflow(site, stores, options.cores, options.checkout)
        contenders: dict[str, tuple[str, Contender]] = {
            "a": (f"(a) cloning alone, {options.cores} at a time", CloneOnly(site, options.cores)),
            "b": ("(b) plain sequence, one at a time", PlainSequence(site, stores)),
            "e": (
                f"(e) `xargs -P {options.cores}`, tar piped into s5cmd",
                ShellPipes(site, stores, options.cores),
            ),
            "version": ("(c) `snakemake --version`", snakemake_version),
            "start": ("(c) Snakemake, one trivial rule", snakemake_start),
            "d": (f"(d) this workflow, `--cores {options.cores}`", workflow),
        }
        _say("warming up: byte code, disk cache")
        workflow(fresh())
        found = run_interleaved(
            {name: contender for name, (_label, contender) in contenders.items()},
            options.repeats,
            fresh_folder=fresh,
            server_pids=[site.pid, *stores.pids()],
            say=_say,
        )
    return found, {name: label for name, (label, _contender) in contenders.items()}


def _large_run(options: Options, folder: Path, stores: Stores, fresh: Callable[[], Path]) -> int | None:
    """Back up one large repository; returns the peak memory of the main process in bytes."""
    if not options.large_mb:
        return None
    _say(f"one repository of {options.large_mb} MB, for the memory")
    make_large_repository(folder, options.large_mb)
    with serve_github(folder, latency_ms=options.latency_ms, wikis=options.wikis) as site:
        return Workflow(site, stores, options.cores, options.checkout)(fresh()).peak_bytes


def _ratios(found: Found) -> dict[str, tuple[float, float]]:
    wall = {name: [one.seconds for one in every] for name, every in found.items()}
    cpu = {name: [one.cpu_seconds for one in every] for name, every in found.items()}

    def both(above: Callable[[Mapping[str, list[float]]], list[float]], below: str) -> tuple[float, float]:
        return median_ratio(above(wall), wall[below]), median_ratio(above(cpu), cpu[below])

    def without_start(times: Mapping[str, list[float]]) -> list[float]:
        return [whole - start for whole, start in zip(times["d"], times["start"], strict=True)]

    return {
        "d / a": both(lambda times: times["d"], "a"),
        "(d - start) / a": both(without_start, "a"),
        "b / d": both(lambda times: times["b"], "d"),
        "e / d": both(lambda times: times["e"], "d"),
    }


def _goals(found: Found, large_peak: int | None) -> list[Goal]:
    ratios = _ratios(found)
    above_floor, speedup = ratios["(d - start) / a"][0], ratios["b / d"][0]
    peak = median_of(found["d"]).peak_bytes or 0
    goals = [
        *(
            Goal(
                f"(d) at most {ratio} x (a) plus Snakemake's start",
                above_floor <= ratio,
                f"{above_floor:.2f} x (a) plus the start",
            )
            for ratio in MAX_FLOOR_RATIOS
        ),
        Goal("(d) ahead of (e)", ratios["e / d"][0] > 1, f"(e) / (d) {ratios['e / d'][0]:.2f}"),
        Goal(f"(b) / (d) at least {MIN_SPEEDUP:.0f}", speedup >= MIN_SPEEDUP, f"{speedup:.2f}"),
        _memory_goal("small repositories", peak),
    ]
    return goals if large_peak is None else [*goals, _memory_goal("one large repository", large_peak)]


def _memory_goal(what: str, peak: int) -> Goal:
    limit = megabytes(MAX_PEAK_BYTES)
    text = f"peak memory of the main process under {limit} MB, {what}"
    return Goal(text, peak < MAX_PEAK_BYTES, f"{megabytes(peak)} MB")


def _render(report: Report, labels: Mapping[str, str], options: Options) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    ratios = [(name, f"{wall:.2f}", f"{cpu:.2f}") for name, (wall, cpu) in report.ratios.items()]
    return "\n".join(
        [
            _title(report, options),
            "",
            machine,
            "",
            render_measurements(report.measurements, labels),
            "",
            render_table(("ratio, median of the rounds", "of wall times", "of CPU times"), ratios),
            "",
            *map(str, report.goals),
        ]
    )


def _title(report: Report, options: Options) -> str:
    far = f"GitHub {options.latency_ms} ms away"
    return f"### {report.title}, store: {options.store}, {far}, {options.repeats} rounds"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

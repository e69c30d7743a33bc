"""The dashboard's pictures: trends over the runs on record, as SVG that takes its colours from the page."""

from __future__ import annotations

import datetime as dt
import io
import logging
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from repo_maintenance.history import RunRecord
from repo_maintenance.report import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST_RUNS = 2
SECONDS_A_DAY = 86_400
TICKS = 4
WIDTH, HEIGHT = 4.0, 1.9  # inches
# Drawn in these, and then replaced by the page's own colours, which know whether it is dark.
INK, MUTED, GRID, ACCENT, BAD = "#010203", "#010204", "#010205", "#010206", "#010207"
COLOURS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    ACCENT: "var(--accent)",
    BAD: "var(--bad)",
}
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "repo-maintenance",
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": MUTED,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "ytick.left": False,
}


class Chart(NamedTuple):
    """A picture, and the same in words."""

    title: str
    words: str
    svg: str


def draw_charts(runs: Sequence[RunRecord]) -> list[Chart] | None:
    """Return the trends of the runs that made backups, oldest first; none where these are too few.

    None where matplotlib is not installed.
    """
    backups = [run for run in runs if run.kind == "backup"]
    if not _has_matplotlib():
        return None
    if len(backups) < FEWEST_RUNS:
        return []
    return [
        Chart("Coverage", _coverage_in_words(backups), _draw("coverage", _coverage, backups)),
        Chart("Growth", _growth_in_words(backups), _draw("growth", _growth, backups)),
        Chart("Durations", _durations_in_words(backups), _draw("durations", _durations, backups)),
    ]


def _has_matplotlib() -> bool:
    # It says at INFO, and at length, that it builds its font cache.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def _draw(name: str, fill: Callable[[Axes, Sequence[RunRecord]], None], runs: Sequence[RunRecord]) -> str:
    """Return one picture as an SVG element that can stand in a page beside others."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        fill(axes, runs)
        axes.margins(x=0.03, y=0.12)
        axes.set_ylim(bottom=0)
        axes.set_xticks(*_ticks(runs[0].started_at, runs[-1].started_at))
        target = io.StringIO()
        figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    return _adopt(target.getvalue(), name)


def _adopt(svg: str, name: str) -> str:
    """Return the element alone, without a size of its own, with names and colours that fit the page."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'(<svg [^>]*?)\swidth="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(<svg [^>]*?)\sheight="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", element)
    element = element.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    for drawn, shown in COLOURS.items():
        element = element.replace(drawn, shown)
    return element


def _coverage(axes: Axes, runs: Sequence[RunRecord]) -> None:
    from matplotlib.ticker import MaxNLocator

    moments = _days(runs)
    axes.step(moments, [run.total for run in runs], where="post", color=MUTED, linewidth=1, linestyle=":")
    covered = [run.covered for run in runs]
    axes.fill_between(moments, covered, step="post", color=ACCENT, alpha=0.18, linewidth=0)
    axes.step(moments, covered, where="post", color=ACCENT, linewidth=1.8)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def _growth(axes: Axes, runs: Sequence[RunRecord]) -> None:
    from matplotlib.ticker import MaxNLocator

    moments = _days(runs)
    stored = [run.bytes_stored + run.bytes_done for run in runs]
    axes.fill_between(moments, stored, color=ACCENT, alpha=0.18, linewidth=0)
    axes.plot(moments, stored, color=ACCENT, linewidth=1.8)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda value, _place: words.size(int(value)))


def _durations(axes: Axes, runs: Sequence[RunRecord]) -> None:
    from matplotlib.ticker import MaxNLocator

    for ok, colour, marker in ((True, ACCENT, "o"), (False, BAD, "X")):
        chosen = [run for run in runs if run.ok is ok]
        moments, seconds = _days(chosen), [run.seconds for run in chosen]
        axes.vlines(moments, 0, seconds, color=colour, linewidth=1, alpha=0.5)
        axes.plot(moments, seconds, marker, color=colour, markersize=4 if ok else 6)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda value, _place: _round_duration(value))


def _ticks(first: dt.datetime, last: dt.datetime) -> tuple[list[float], list[str]]:
    """Return a few moments, evenly spaced, in days since 1970, and each in words as short as will do."""
    span = last - first
    if span > dt.timedelta(days=400):
        form = "%b %Y"
    else:
        form = "%-d %b" if span >= dt.timedelta(days=TICKS) else "%-d %b, %H:%M"
    moments = [first + span * place / (TICKS - 1) for place in range(TICKS)]
    return [one.timestamp() / SECONDS_A_DAY for one in moments], [f"{one:{form}}" for one in moments]


def _days(runs: Sequence[RunRecord]) -> list[float]:
    """Return when runs began as matplotlib counts: in days since 1970."""
    return [run.started_at.timestamp() / SECONDS_A_DAY for run in runs]


def _round_duration(seconds: float) -> str:
    minute, hour = words.SECONDS_A_MINUTE, words.SECONDS_AN_HOUR
    if seconds < 2 * minute:
        return f"{seconds:g} s"
    return f"{seconds / minute:.3g} min" if seconds < 2 * hour else f"{seconds / hour:.3g} h"


def _coverage_in_words(runs: Sequence[RunRecord]) -> str:
    first, last = runs[0], runs[-1]
    return (
        f"{last.covered:,} of {last.total:,} matched repositories had a backup after the last run, "
        f"{first.covered:,} of {first.total:,} after the first of {len(runs)} on record."
    )


def _growth_in_words(runs: Sequence[RunRecord]) -> str:
    first, last = (words.size(run.bytes_stored + run.bytes_done) for run in (runs[0], runs[-1]))
    return f"All backups took {last} after the last run, {first} after the first on record."


def _durations_in_words(runs: Sequence[RunRecord]) -> str:
    longest = max(run.seconds for run in runs)
    failed = sum(not run.ok for run in runs)
    return (
        f"The last run took {words.duration(runs[-1].seconds)}, the longest {words.duration(longest)}; "
        f"{failed} of {len(runs)} runs had failures."
    )

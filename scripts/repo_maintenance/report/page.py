"""``index.html``: the dashboard, one page that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from repo_maintenance.history import RunRecord
from repo_maintenance.overview import Overview, State
from repo_maintenance.report import words
from repo_maintenance.report.charts import draw_charts
from repo_maintenance.report.verdict import LEVELS, Level, explain, find_matters, judge, rank

HERE = Path(__file__).parent
RUNS_SHOWN = 30
FINDINGS_SHOWN = 100
MATTERS_SHOWN = 12
SEVERITIES = {"critical": Level.BAD, "warning": Level.WARN, "notice": Level.QUIET}
SIGNS = {Level.BAD: "✕", Level.WARN: "!", Level.QUIET: "·", Level.GOOD: "✓"}


class Tile(NamedTuple):
    """One figure that is read at a glance."""

    label: str
    figure: str
    below: str
    level: Level = Level.QUIET


def render_page(overview: Overview) -> str:
    """Return the dashboard; whatever comes from outside is escaped."""
    script = _read("dashboard.js")
    charts = draw_charts(overview.runs)
    ordered = sorted(overview.repositories, key=lambda one: (rank(one.state), one.name))
    return (
        _environment()
        .get_template("dashboard.html.jinja")
        .render(
            overview=overview,
            verdict=judge(overview),
            tiles=_tiles(overview),
            matters=find_matters(overview),
            matters_shown=MATTERS_SHOWN,
            charts=[(chart, Markup(chart.svg)) for chart in charts or []],  # noqa: S704 - of our own making
            can_draw=charts is not None,
            repositories=ordered,
            runs=list(reversed(overview.runs))[:RUNS_SHOWN],
            findings=overview.health[:FINDINGS_SHOWN],
            severities=SEVERITIES,
            states=[(state, count) for state, count in overview.states.items() if count],
            today=overview.generated_at.date(),
            style=Markup(_read("dashboard.css")),  # noqa: S704 - a file beside this one
            script=Markup(script),  # noqa: S704 - a file beside this one
            script_digest=_digest(script),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: getattr(words, name) for name in ("size", "change", "duration", "days_ago", "moment", "money")
    }
    environment.filters["coded"] = _coded
    environment.globals |= {"levels": LEVELS, "signs": SIGNS, "explain": explain}
    environment.globals |= {"rank": rank, "NONE": words.NONE}
    return environment


def _coded(text: str) -> Markup:
    """Return a text, escaped, with what stands between backticks as code."""
    code = Markup("<code>{}</code>")
    parts = words.split_code(text)
    return Markup("").join(code.format(part) if is_code else part for part, is_code in parts)


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """Return what a Content-Security-Policy knows the page's own script by, so that no other runs."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _tiles(overview: Overview) -> list[Tile]:
    matched = [one for one in overview.repositories if one.is_matched]
    safe = Level.GOOD if overview.safe == overview.matched > 0 else Level.BAD
    proven = sum(one.last_proven is not None for one in matched)
    ages = [one.age_days for one in matched if one.age_days is not None]
    oldest = max(ages, default=None)
    late = overview.states[State.LATE] > 0
    return [
        Tile("Safe", f"{overview.safe:,} of {overview.matched:,}", "matched repositories", safe),
        Tile(
            "Proven",
            f"{proven:,} of {overview.matched:,}",
            "restored at least once, and whole",
            Level.GOOD if proven == overview.matched > 0 else Level.WARN,
        ),
        Tile(
            "Oldest newest backup",
            words.NONE if oldest is None else f"{oldest:,} {'day' if oldest == 1 else 'days'}",
            "the longest that any has waited",
            Level.BAD if late else Level.QUIET,
        ),
        _last_run(overview.last_backup_run, overview),
        Tile(
            "Stored",
            words.size(overview.stored_bytes),
            f"{overview.backups:,} {'backup' if overview.backups == 1 else 'backups'}",
        ),
        Tile("Estimated cost", words.money(overview.cost, overview.currency), "a month, storage alone"),
    ]


def _last_run(run: RunRecord | None, overview: Overview) -> Tile:
    if run is None:
        return Tile("Last backup run", words.NONE, "none is on record", Level.WARN)
    below = f"{run.failed:,} failed" if run.failed else f"took {words.duration(run.seconds)}"
    when = words.ago(run.started_at, overview.generated_at)
    return Tile("Last backup run", when, below, Level.QUIET if run.ok else Level.BAD)

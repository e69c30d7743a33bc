"""What came of a run, as GitHub shows it: outputs for later steps, annotations, and the page of the job."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from repo_maintenance import naming
from repo_maintenance.action.commands import Annotation
from repo_maintenance.action.inputs import Task
from repo_maintenance.action.running import OUTPUT
from repo_maintenance.jobs import read_failures
from repo_maintenance.records import Failure, read_json
from repo_maintenance.summary import Summary

# GitHub shows ten of a level and a step: https://docs.github.com/en/actions/reference/limits
SHOWN = 10
# GitHub shows no page of more than 1 MiB; some room is left for what others append.
PAGE_BYTES = 900_000
REASON_LINES = 20
# How what a person wants to read begins. Report and health write their pages themselves.
PREVIEWS = {
    "backup": "repository +action ",
    **dict.fromkeys(("verify", "restore", "prune"), "repository +backup of "),
}
TOLD = {
    "verify": r"verify: \d",
    "restore": r"restore: \d",
    "prune": "repository +backup of ",
    "preflight": "(ok|warning|failure) ",
}
# Where Snakemake itself speaks again.
_SNAKEMAKE = re.compile(r"^(\[\w{3} \w{3} |Job stats:|Using shell:|Complete log)", re.MULTILINE)
KEPT = (
    naming.RESULTS / "logs",
    Path(".snakemake/log"),
    naming.SUMMARY,
    naming.SUMMARY.with_suffix(".md"),
    naming.RESULTS / "health.json",
    naming.RESULTS / "health.md",
)


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    task: Task
    ended: str
    """``success``, ``failure`` or ``cancelled``, as the runner calls it."""
    is_preview: bool = False
    summary: Summary | None = None
    """Of a backup that came to its end."""
    page: str = ""
    """The summary as Markdown."""
    failures: list[Failure] = field(default_factory=list)
    said: str = ""
    report: Path | None = None
    """The report that this run wrote."""
    goes_with_runner: bool = False
    """Whether the machine is gone after the job."""


def gather(task: Task, ended: str, *, is_preview: bool, reports: Path, goes_with_runner: bool) -> Outcome:
    """Return what the run in this folder left behind; ``reports`` is where reports are written."""
    page = naming.SUMMARY.with_suffix(".md")
    written = [reports / "index.html", reports / "report.md"] if task == "report" else []
    return Outcome(
        task=task,
        ended=ended,
        is_preview=is_preview,
        summary=read_json(naming.SUMMARY, Summary),
        page=page.read_text(encoding="utf-8") if page.exists() else "",
        failures=read_failures(),
        said=OUTPUT.read_text(encoding="utf-8", errors="replace") if OUTPUT.exists() else "",
        report=next((path for path in written if path.exists()), None),
        goes_with_runner=goes_with_runner,
    )


def list_outputs(outcome: Outcome) -> dict[str, str]:
    """Return the outputs; the counts are empty where there are none, as of a preview."""
    names = sorted({failure.repository for failure in outcome.failures})
    is_known = bool(names) or (outcome.ended == "success" and not outcome.is_preview)
    counts = {"total": "", "backed-up": "", "up-to-date": "", "failed": str(len(names)) if is_known else ""}
    if summary := outcome.summary:
        counts = {
            "total": str(summary.total),
            "backed-up": str(summary.backed_up),
            "up-to-date": str(summary.up_to_date),
            "failed": str(summary.failed + summary.not_reached),
        }
    return {**counts, "failed-names": json.dumps(names), "report": str(outcome.report or "")}


def annotate(outcome: Outcome) -> list[Annotation]:
    """Return what stands on the page of the run: each failure, or why there was no run; then what to heed."""
    errors = [_of_failure(failure) for failure in outcome.failures]
    if outcome.ended == "failure" and not errors:
        errors = [
            Annotation("error", f"{outcome.task} failed", reason) for reason in find_reasons(outcome.said)
        ]
    return [*_bounded(errors, "failed"), *_bounded(list(_warnings(outcome)), "to heed")]


def _of_failure(failure: Failure) -> Annotation:
    hint = f" → {failure.hint}" if failure.hint else ""
    title = f"{failure.step} of {failure.repository} failed"
    return Annotation("error", title, f"{failure.kind}: {failure.message}{hint}")


def _warnings(outcome: Outcome) -> Iterator[Annotation]:
    if (summary := outcome.summary) is None:
        return
    if outcome.goes_with_runner and not summary.store.startswith("s3://"):
        message = f"{summary.store} lies on this runner and goes with it: set backup.s3 in the configuration"
        yield Annotation("warning", "These backups are not kept", message)
    for result in summary.repositories:
        if result.incomplete:
            yield Annotation("warning", f"{result.repository} is incomplete", result.incomplete)
    if summary.not_reached:
        message = f"{summary.not_reached} repositories: the run ended before their turn"
        yield Annotation("warning", "Not reached", message)


def _bounded(found: list[Annotation], what: str) -> list[Annotation]:
    """Return as many as GitHub shows, the last of which says how many more there are."""
    if len(found) <= SHOWN:
        return found
    shown = found[: SHOWN - 1]
    more = f"{len(found) - len(shown)} more {what}"
    return [*shown, Annotation(found[0].level, more, "the job's summary names them all")]


def find_reasons(said: str) -> list[str]:
    """Return why a run ended that no repository's failure explains, from what it said last."""
    findings = re.findall(r"^failure +(.+)$", said, re.MULTILINE)
    if findings:
        return findings
    starts = [match.end() for match in re.finditer(r"^Error: ", said, re.MULTILINE)]
    if starts:
        return ["\n".join(said[starts[-1] :].splitlines()[:REASON_LINES])]
    return ["the run ended before it had an outcome; its log says why"]


def render_page(outcome: Outcome) -> str:
    """Return what this step adds to the job's page, no longer than GitHub shows."""
    if outcome.is_preview:
        return _as_said(f"Preview of {outcome.task}", _told(outcome.said, PREVIEWS.get(outcome.task)))
    if outcome.page:
        return _cut(outcome.page, PAGE_BYTES)
    mark = "✅" if outcome.ended == "success" else "❌"
    if outcome.task in TOLD or outcome.ended != "success":
        said = outcome.said or "The run said nothing; see its log."
        return _as_said(f"{mark} {outcome.task}", _told(said, TOLD.get(outcome.task)))
    return ""


def _told(said: str, begin: str | None) -> str:
    """Return what the tool itself said for a person, or all where that is not to be found."""
    found = re.search(rf"^{begin}", said, re.MULTILINE) if begin else None
    if found is None:
        return said
    told = said[found.start() :]
    end = _SNAKEMAKE.search(told)
    return told[: end.start()] if end else told


def _as_said(title: str, said: str) -> str:
    """Return what a run said as it stands: its fence is longer than any in it, so that nothing gets out."""
    text = _cut(said.strip("\n"), PAGE_BYTES)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"## {title}\n\n{fence}text\n{text}\n{fence}\n"


def _cut(text: str, limit: int) -> str:
    """Return text of at most so many bytes, cut between lines; a last line says so."""
    content = text.encode()
    if len(content) <= limit:
        return text
    kept = content[:limit].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n\n… cut here: the rest is in the artifact.\n"


def kept_files(reports: Path) -> Iterable[Path]:
    """Return what is kept as the job's artifact: logs, summaries and the report, of those that are there."""
    return [path for path in (*KEPT, reports) if path.exists()]

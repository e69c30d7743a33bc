"""What a health check found, for people: on the screen, and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from repo_maintenance.health.check import Check
from repo_maintenance.health.findings import HealthFinding, HealthReport
from repo_maintenance.health.registry import Registry
from repo_maintenance.markdown import escape
from repo_maintenance.settings.health import Severity

HEADERS = ("repository", "check", "what")
MOST_ROWS = 40


def render_plan(names: Sequence[str], registry: Registry, source: str) -> str:
    """Return what a run would do: each repository, each check, and which is not for all of them."""
    chosen = {name: registry.checks_for(name) for name in names}
    counts = Counter(check.name for checks in chosen.values() for check in checks)
    checks = [
        (check.name, str(registry.severity_of(check)), f"{counts[check.name]} of {len(names)}", check.summary)
        for check in registry.checks
    ]
    repositories = [(name, _named(checks_for, registry.checks)) for name, checks_for in chosen.items()]
    tables = [
        tabulate(checks, ("check", "severity", "repositories", "what it means"), disable_numparse=True),
        tabulate(repositories, ("repository", "checks"), disable_numparse=True),
    ]
    return "\n\n".join([*tables, f"{render_headline(names, registry, source)}\n"])


def render_headline(names: Sequence[str], registry: Registry, source: str) -> str:
    """Return in one line what is going to be looked at."""
    return f"Health of {source}: {len(names)} repositories, {len(registry.checks)} checks"


def render_screen(report: HealthReport) -> str:
    """Return the findings as tables, the worst first, each followed by what to do."""
    lines = [""]
    for severity in Severity:
        lines += _group(severity, [one for one in report.findings if one.severity is severity])
    for reason, repositories in _unchecked(report):
        lines.append(f"NOT CHECKED {reason} ({_many(len(repositories), 'repository', 'repositories')})")
    if idle := _not_applicable(report):
        lines.append(f"NOT APPLICABLE {', '.join(idle)}")
    for failed in report.failed:
        lines.append(f"FAILED {failed.repository}: {failed.message}")
        lines += [f"       {failed.hint}"] if failed.hint else []
    return "\n".join([*lines, summary_line(report)]) + "\n"


def summary_line(report: HealthReport) -> str:
    """Return in one line how things stand."""
    counts = ", ".join(
        _many(report.count(severity), one, many)
        for severity, one, many in (
            (Severity.CRITICAL, "critical", "critical"),
            (Severity.WARNING, "warning", "warnings"),
            (Severity.NOTICE, "notice", "notices"),
        )
    )
    checked = report.repositories - len(report.failed)
    return f"Health of {report.source}: {checked} of {report.repositories} repositories checked: {counts}"


def render_markdown(report: HealthReport) -> str:
    """Return the whole report as Markdown; what came out of a repository is escaped."""
    lines = [f"# {escape(summary_line(report))}", ""]
    for severity in Severity:
        found = [one for one in report.findings if one.severity is severity]
        if found:
            rows = [f"| {escape(one.repository)} | {one.check} | {escape(one.message)} |" for one in found]
            remedies = [f"- {check}: {remedy}" for check, remedy in _remedies(found)]
            head = [f"## {str(severity).capitalize()}", "", "| repository | check | what |", "|---|---|---|"]
            lines += [*head, *rows, "", "What to do:", "", *remedies, ""]
    missed = [
        f"- {escape(reason)}: {', '.join(map(escape, repositories))}"
        for reason, repositories in _unchecked(report)
    ]
    lines += ["## Not checked", "", *missed, ""] if missed else []
    idle = _not_applicable(report)
    lines += ["## Not applicable", "", *(f"- {name}" for name in idle), ""] if idle else []
    failed = [f"- {escape(one.repository)}: {escape(one.message)}" for one in report.failed]
    lines += ["## Failed", "", *failed, ""] if failed else []
    return "\n".join(lines)


def _group(severity: Severity, found: list[HealthFinding]) -> list[str]:
    if not found:
        return []
    rows = [(one.repository, one.check, one.message) for one in found[:MOST_ROWS]]
    more = [f"… and {len(found) - MOST_ROWS} more in results/health.md"] if len(found) > MOST_ROWS else []
    remedies = [f"  {check}: {remedy}" for check, remedy in _remedies(found)]
    table = tabulate(rows, HEADERS, tablefmt="simple", disable_numparse=True)
    return [severity.upper(), table, *more, "What to do:", *remedies, ""]


def _remedies(found: list[HealthFinding]) -> list[tuple[str, str]]:
    """Return what to do, once for each check."""
    return list(dict.fromkeys((one.check, one.remedy) for one in found))


def _unchecked(report: HealthReport) -> Iterator[tuple[str, list[str]]]:
    """Yield each thing that could not be looked at, with the repositories."""
    reasons: dict[str, dict[str, None]] = {}
    for one in report.unchecked:
        reasons.setdefault(f"{one.check}: {one.reason}", {})[one.repository] = None
    yield from ((reason, list(names)) for reason, names in sorted(reasons.items()))


def _not_applicable(report: HealthReport) -> list[str]:
    """Return the checks that had nothing to say of any repository: of a mere folder, say."""
    return [check.name for check in report.checks if not check.looked_at] if not report.failed else []


def _named(checks: list[Check], all_checks: list[Check]) -> str:
    left_out = [one.name for one in all_checks if one not in checks]
    return f"all but {', '.join(left_out)}" if left_out else "all"


def _many(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"

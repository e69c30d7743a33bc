"""Promises of the report's files: right at the first line, whole, and harmless whatever a name holds."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from repo_maintenance.job_summary import JOB_SUMMARY_BYTES
from repo_maintenance.markdown import escape
from repo_maintenance.overview import Overview
from repo_maintenance.report import append_job_summary, render_line, write_report
from repo_maintenance.report.charts import draw_charts
from repo_maintenance.report.markdown import render_markdown
from repo_maintenance.report.page import render_page
from repo_maintenance.report.schema import render_report_schema
from tests.unit.report.scene import Scene, failure
from tests.unit.report.variety import HOSTILE, of_every_state, of_many

PROJECT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parents[1] / "golden" / "report.md"


class _Page(HTMLParser):
    """Collects the elements of a page, its ids, and what a screen reader and a browser would follow."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src", "xlink:href"}:
                self.addresses.append(value or "")


def test_the_text_is_that_of_the_golden_file() -> None:
    """The report of an organisation with a repository in each state is what a person looked through."""
    assert GOLDEN.read_text(encoding="utf-8") == render_markdown(of_every_state().overview())


def test_the_kept_schema_is_what_the_types_say() -> None:
    """docs/report-schema.json did not drift; to write it: `python -m repo_maintenance.report.schema`."""
    kept = (PROJECT / "docs" / "report-schema.json").read_text(encoding="utf-8")

    assert render_report_schema() == kept


def test_the_three_files_are_written_and_read_back(tmp_path: Path) -> None:
    """What a program reads from report.json is the whole overview; nothing else is left in the folder."""
    overview = of_every_state().overview()

    write_report(overview, tmp_path / "report")

    written = (tmp_path / "report" / "report.json").read_bytes()
    assert overview == Overview.model_validate_json(written)
    names = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert ["index.html", "report.json", "report.md"] == names


def test_the_screen_says_in_one_line_how_it_is() -> None:
    """The line has the verdict and where to read more."""
    line = render_line(of_every_state().overview(), Path("results/report"))

    assert line.startswith("report: 6 of 7 repositories are not safe: 1 never backed up")
    assert "results/report/index.html" in line
    assert "\n" not in line


@pytest.mark.parametrize("text", ["a|b", "`x`", "<img src=x>", "*a*", "two\nlines", "@someone", "[a](b)"])
def test_what_comes_from_outside_is_shown_as_it_is(text: str) -> None:
    """Nothing in a name or message breaks a table of Markdown, makes a link, or mentions a person."""
    shown = escape(text)

    assert "\n" not in shown
    assert [] == re.findall(r"(?<!\\)[|`*@\[\]]|<", shown)


def test_a_job_summary_is_appended(tmp_path: Path) -> None:
    """What other steps wrote into the summary of a GitHub Action stays."""
    path = tmp_path / "summary"
    path.write_text("before\n")

    append_job_summary(of_every_state().overview(), path)

    before, _, ours = path.read_text().partition("\n\n")
    assert ("before", True) == (before, ours.startswith("## ❌ 6 of 7 repositories are not safe"))
    assert "All 9 repositories" in ours


def test_a_job_summary_that_would_be_too_long_has_what_is_urgent(tmp_path: Path) -> None:
    """GitHub refuses a summary above 1 MiB as a whole: what fits is the verdict and what needs attention."""
    path = tmp_path / "summary"
    path.write_bytes(b"x" * (JOB_SUMMARY_BYTES - 100_000))

    append_job_summary(of_many(1000).overview(), path)

    assert path.stat().st_size <= JOB_SUMMARY_BYTES
    assert "of 1,000 repositories are not safe" in path.read_text()


def test_a_job_summary_that_can_not_be_written_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The report is made all the same."""
    append_job_summary(of_every_state().overview(), tmp_path / "missing" / "summary")

    assert "can't be written" in caplog.text


def test_the_page_needs_nothing_but_itself() -> None:
    """No address in the page leads outside, no id stands twice, and all script is one."""
    page = _Page(render_page(of_every_state().overview()))

    assert [] == [one for one in page.addresses if not one.startswith(("#", "data:,"))]
    assert sorted(set(page.ids)) == sorted(page.ids)
    assert (3, 1, 0) == (page.tags.count("svg"), page.tags.count("script"), page.tags.count("img"))


def test_hostile_words_stay_words() -> None:
    """A name or message that is HTML is shown, not run: in the page there is one script, our own."""
    scene = Scene()
    scene.upstream("a")
    scene.run(1)
    scene.run(0, failures=[failure("a", HOSTILE, HOSTILE)])
    overview = scene.overview().model_copy(update={"source": HOSTILE, "store": HOSTILE, "currency": HOSTILE})

    text = render_page(overview)

    assert text.count("<script>") == 1
    assert "<img" not in text
    assert "<img" not in render_markdown(overview)


def test_commands_stand_out_from_the_advice() -> None:
    """What stands between backticks is code, in both, and the rest of a hint from outside stays escaped."""
    scene = Scene()
    scene.upstream("a")
    scene.run(0, failures=[failure("a", hint="run `git <fsck> | less`, <b>now</b>")])

    assert "<code>git &lt;fsck&gt; | less</code>, &lt;b&gt;now" in render_page(scene.overview())
    assert r"run `git <fsck> \| less`, &lt;b&gt;now" in render_markdown(scene.overview())


def test_without_matplotlib_the_page_says_how_to_have_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has its tables, and names what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    text = render_page(of_every_state().overview())

    assert "pip install" in text
    assert "<svg" not in text
    assert text.count("<tr") > 30


def test_pictures_begin_with_the_second_run() -> None:
    """One run is no trend: the page says so instead of drawing a dot."""
    scene = Scene()
    scene.safe("a")
    scene.run(0)

    assert [] == draw_charts(scene.runs)
    assert "from the second run on" in render_page(scene.overview())


def test_pictures_say_in_words_what_they_show() -> None:
    """Whoever does not see a picture reads the figures that it shows, and its colours follow the page's."""
    charts = draw_charts(of_every_state().runs)

    assert charts is not None
    assert ["Coverage", "Growth", "Durations"] == [chart.title for chart in charts]
    assert charts[0].words.startswith("6 of 7 matched repositories had a backup after the last run")
    for chart in charts:
        assert "var(--accent)" in chart.svg
        assert [] == re.findall(r"#01020\d", chart.svg)


def test_the_same_report_is_the_same_page() -> None:
    """Nothing in the page is random: written again, it is left alone."""
    overview = of_every_state().overview()

    assert render_page(overview) == render_page(overview)


def test_health_findings_are_in_the_page_and_counted_in_the_text() -> None:
    """What the newest health check found is shown beside the backups."""
    finding = {
        "repository": "a",
        "check": "licence",
        "severity": "warning",
        "subject": "",
        "message": "it has no licence",
        "remedy": "add a file LICENSE",
    }
    content = of_every_state().overview().model_dump() | {"health": [finding]}
    overview = Overview.model_validate(content)

    assert "it has no licence" in render_page(overview)
    assert "| health | 1 warning |" in render_markdown(overview)

"""Makes the pictures of the docs from real runs: half a year of weekly backups, with what goes wrong in life.

``.venv/bin/python -m tests.browser.showcase`` needs Debian's faketime, chromium and chromium-driver: each run
of Snakemake is a real one, on a day of the past.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
import tempfile
from pathlib import Path

from repo_maintenance.example import make_example
from tests.browser.chromium import open_browser
from tests.servers.repositories import corrupt, make_repository, push_commit
from tests.workflow.workspace import PROJECT, Workspace

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
IMAGES = PROJECT / "docs" / "images"
WEEKS = 26
NAMES = ("website", "notebooks", "lecture-dynamics", "lecture-statistics", "style-guide", "datasets")
LATER = {
    6: "lecture-julia",
    12: "teaching-tools",
    17: "continuous-integration",
    WEEKS - 1: "lecture-causality",
}
WIDTH, HEIGHT = 1180, 1520  # pixels
LEFT_OUT, DELETED = 18, 21  # weeks


class Showcase:
    """An organisation in a folder, and its backups."""

    def __init__(self, folder: Path) -> None:
        self.excluded: list[str] = []
        self.workspace = Workspace(folder, {})
        self.upstream = make_example(folder / "quantlectures")
        for place, name in enumerate(NAMES):
            self._make(name, 40_000 * (place + 1))

    def _make(self, name: str, size: int) -> None:
        make_repository(self.upstream / f"{name}.git", commits=12, tags=["v1"], size_bytes=size)

    def live(self) -> None:
        """Play half a year, a backup and a verify each week."""
        today = dt.datetime.now(dt.UTC).replace(hour=3, minute=0, second=0)
        for week in range(WEEKS):
            moment = today - dt.timedelta(weeks=WEEKS - 1 - week)
            self._change(week, moment - dt.timedelta(days=1))
            self._run(moment, "backup")
            if week < WEEKS - 1:
                self._run(moment + dt.timedelta(hours=2), "verify")
            print(f"week {week + 1} of {WEEKS}", file=sys.stderr)

    def _change(self, week: int, moment: dt.datetime) -> None:
        """Let people work: they push, add repositories, delete one, leave one out, and one breaks."""
        if week in LATER:
            self._make(LATER[week], 60_000 * (1 + week))
            self._date(LATER[week], moment)
        for place, name in enumerate(NAMES):
            if week == 0 or (week + place) % (place + 2) == 0:
                if week:
                    push_commit(self.upstream / f"{name}.git")
                self._date(name, moment)
        if week == LEFT_OUT:
            self.excluded = ["notebooks"]
        if week == DELETED:
            shutil.rmtree(self.upstream / "style-guide.git")
        if week == WEEKS - 1:
            corrupt(self.upstream / "website.git")
            self._date("website", moment)

    def _date(self, name: str, moment: dt.datetime) -> None:
        git_dir = self.upstream / f"{name}.git"
        for path in [git_dir, *git_dir.rglob("*")]:
            os.utime(path, (moment.timestamp(), moment.timestamp()))

    def _run(self, moment: dt.datetime | None, target: str) -> None:
        backup = {"folder": self.upstream.name, "exclude": self.excluded, "max_age_days": 14}
        self.workspace.config = {"backup": {**backup, "git": {"attempts": 1}}}
        self.workspace.environment = _on(moment) if moment else {}
        done = self.workspace.run("--cores", "2", target)
        if done.code and "Error: " in done.output:
            raise RuntimeError(done.output)

    def report(self) -> Path:
        """Take back in what was left out, make the report of today, and return its page."""
        self.excluded = []
        self._run(None, "report")
        return self.workspace.path / "results" / "report" / "index.html"


def _on(moment: dt.datetime) -> dict[str, str]:
    """Return the environment of a process for which it is that moment; the times of files stay true."""
    clock = {"FAKETIME": f"@{moment:%Y-%m-%d %H:%M:%S}", "TZ": "UTC", "LD_PRELOAD": str(LIBRARY)}
    return {**clock, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}


def main() -> None:
    """Live half a year, and take the pictures."""
    if LIBRARY is None:
        raise SystemExit("Error: libfaketime is missing: apt-get install faketime")
    with tempfile.TemporaryDirectory() as folder:
        showcase = Showcase(Path(folder) / "workspace")
        showcase.live()
        page = showcase.report()
        IMAGES.mkdir(exist_ok=True)
        with open_browser(Path(folder) / "profile") as browser:
            for name, is_dark in (("dashboard.png", False), ("dashboard-dark.png", True)):
                browser.open(page, width=WIDTH, height=HEIGHT, is_dark=is_dark)
                browser.picture(IMAGES / name)
        if len(sys.argv) > 1:
            shutil.copytree(page.parent, sys.argv[1], dirs_exist_ok=True)


if __name__ == "__main__":
    main()

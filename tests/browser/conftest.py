"""The browser, and the pages that it opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from repo_maintenance.report import write_report
from tests.browser.chromium import Browser, open_browser
from tests.unit.report.scene import Scene
from tests.unit.report.variety import of_every_state, of_many


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return one headless browser for all tests."""
    with open_browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the dashboards of three safe repositories, of one in each state, and of a thousand."""
    few = Scene()
    for name in ("lecture-intro", "lecture-python", "data_tools"):
        few.safe(name)
    few.run(7)
    few.run(0)
    folder = tmp_path_factory.mktemp("pages")
    scenes = {"three": few, "every state": of_every_state(), "a thousand": of_many(1000)}
    for name, scene in scenes.items():
        write_report(scene.overview(), folder / name)
    return {name: folder / name / "index.html" for name in scenes}

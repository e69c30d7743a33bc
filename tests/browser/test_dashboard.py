"""The dashboard in a real browser: it opens from a file, is sorted, filtered, and read on any screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from repo_maintenance.overview import State
from tests.browser.chromium import IS_INSTALLED, Browser

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="needs Debian's chromium and chromium-driver")

Pages = dict[str, Path]
EVERY = ("three", "every state", "a thousand")
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, level AA: https://www.w3.org/TR/WCAG22/#contrast-minimum
PHONE = 375

VISIBLE_NAMES = """
return [...document.querySelectorAll("#table tbody tr")].filter((row) => row.checkVisibility())
    .map((row) => row.cells[0].firstChild.textContent.trim());
"""
# Each text that is seen, against the nearest colour behind it, as WCAG computes contrast.
POOR_CONTRASTS = """
const channels = (text) => text.match(/[\\d.]+/g).map(Number);
const luminance = (text) => {
  const [r, g, b] = channels(text).map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const colour = getComputedStyle(one).backgroundColor;
    const [, , , alpha = 1] = channels(colour);
    if (alpha === 1) return colour;
  }
  return "rgb(255, 255, 255)";
};
const poor = [];
for (const element of document.querySelectorAll("body *:not(script)")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const colour = element.closest("svg") ? style.fill : style.color;
  const [one, other] = [luminance(colour), luminance(behind(element))].sort((a, b) => b - a);
  const contrast = (one + 0.05) / (other + 0.05);
  if (contrast < arguments[0]) poor.push(`${element.tagName} ${element.textContent.trim()}: ${contrast}`);
}
return poor;
"""


def _names(browser: Browser) -> list[str]:
    names: list[str] = browser.ask(VISIBLE_NAMES)
    return names


def _sort(browser: Browser, header: str) -> None:
    browser.driver.find_element(By.XPATH, f"//table[@id='table']//button[text()='{header}']").click()


def _search(browser: Browser, text: str) -> None:
    field = browser.driver.find_element(By.ID, "search")
    field.clear()
    field.send_keys(text)


def _values(browser: Browser, column: int) -> list[str]:
    values: list[str] = browser.ask(
        "return [...document.querySelectorAll('#table tbody tr')]"
        ".map((row) => row.cells[arguments[0]].dataset.value)",
        column,
    )
    return values


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 768, 1280])
@pytest.mark.parametrize("name", EVERY)
def test_it_opens_without_a_complaint_a_request_or_a_scrollbar(
    browser: Browser, pages: Pages, name: str, width: int, *, is_dark: bool
) -> None:
    """On any screen the page stays within it, asks the network nothing, and its console stays empty."""
    browser.open(pages[name], width=width, is_dark=is_dark)

    assert width >= browser.ask("return document.documentElement.scrollWidth")
    assert [] == [one for one in browser.addresses() if not one.startswith(("file:", "data:"))]
    assert [] == browser.complaints()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("width", [PHONE, 1280])
def test_no_repository_is_cut_off(browser: Browser, pages: Pages, name: str, width: int) -> None:
    """On a phone as on a desk, all that is said of a repository is seen without scrolling sideways."""
    browser.open(pages[name], width=width)

    box = "document.getElementById('table').parentElement"
    assert 0 == browser.ask(f"return {box}.scrollWidth - {box}.clientWidth")


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 1280])
def test_every_text_can_be_read(browser: Browser, pages: Pages, width: int, *, is_dark: bool) -> None:
    """Each text stands out from what is behind it as WCAG asks, by day and by night, in pictures too."""
    browser.open(pages["every state"], width=width, is_dark=is_dark)

    assert [] == browser.ask(POOR_CONTRASTS, LEAST_CONTRAST)


def test_the_verdict_is_seen_first(browser: Browser, pages: Pages) -> None:
    """Whether all is safe stands at the top of a phone's first screen, in the title, and as the one h1."""
    browser.open(pages["every state"], width=PHONE, height=667)
    (heading,) = browser.driver.find_elements(By.TAG_NAME, "h1")

    assert "6 of 7 repositories are not safe" == heading.text
    assert heading.rect["y"] + heading.rect["height"] < 200
    assert browser.driver.title.startswith("6 of 7 repositories are not safe: 1 never backed up")

    browser.open(pages["three"])
    assert "All 3 repositories are safe" == browser.driver.find_element(By.TAG_NAME, "h1").text


@pytest.mark.parametrize(("name", "count"), [("three", 3), ("every state", 9), ("a thousand", 1000)])
def test_every_repository_has_a_row(browser: Browser, pages: Pages, name: str, count: int) -> None:
    """Nothing is left out or shown twice."""
    browser.open(pages[name])

    assert count == len(set(_names(browser))) == len(_names(browser))


def test_a_column_is_sorted_up_and_down(browser: Browser, pages: Pages) -> None:
    """A click sorts by number, another one the other way round; a screen reader hears which."""
    browser.open(pages["a thousand"])

    _sort(browser, "Size")
    sizes = [int(one) for one in _values(browser, 5)]
    assert sorted(sizes) == sizes
    header = browser.driver.find_element(By.XPATH, "//th[button[text()='Size']]")
    assert "ascending" == header.get_attribute("aria-sort")

    _sort(browser, "Size")
    assert sorted(sizes, reverse=True) == [int(one) for one in _values(browser, 5)]
    assert "descending" == header.get_attribute("aria-sort")
    assert 1 == len(browser.driver.find_elements(By.CSS_SELECTOR, "#table th[aria-sort]"))


def test_names_are_sorted_as_people_do(browser: Browser, pages: Pages) -> None:
    """By name, in the order of the alphabet."""
    browser.open(pages["every state"])

    _sort(browser, "Repository")

    assert sorted(_names(browser)) == _names(browser)


def test_what_has_no_value_stands_last(browser: Browser, pages: Pages) -> None:
    """A repository that was never proven is not taken for the one proven last, whichever the direction."""
    browser.open(pages["every state"])
    for _direction in range(2):
        _sort(browser, "Proven")
        values = _values(browser, 3)
        assert [""] * 5 == values[4:]
        assert "" not in values[:4]


def test_a_search_leaves_what_fits(browser: Browser, pages: Pages) -> None:
    """Part of a name is enough, in any case; the count is said, also to a screen reader."""
    browser.open(pages["a thousand"])

    _search(browser, "REPOSITORY-004")

    assert sorted(f"repository-004{digit}" for digit in range(10)) == sorted(_names(browser))
    shown = browser.driver.find_element(By.ID, "shown")
    assert ("10 of 1,000 shown", "polite") == (shown.text, shown.get_attribute("aria-live"))


def test_a_search_that_finds_nothing_can_be_taken_back(browser: Browser, pages: Pages) -> None:
    """The page says that nothing fits, and one click shows all again."""
    browser.open(pages["three"])

    _search(browser, "no such repository")
    assert [] == _names(browser)
    browser.driver.find_element(By.ID, "reset").click()

    assert 3 == len(_names(browser))


def test_a_state_is_chosen(browser: Browser, pages: Pages) -> None:
    """Each state shows the repositories in it, alone, and together with a search."""
    browser.open(pages["every state"])
    choice = Select(browser.driver.find_element(By.ID, "state"))
    for state in State:
        choice.select_by_value(state.value)
        assert 1 == len(_names(browser))

    choice.select_by_value("late")
    _search(browser, "bad")
    assert [] == _names(browser)


def test_it_is_used_without_a_mouse(browser: Browser, pages: Pages) -> None:
    """A column header is a button that takes the focus and the Enter key."""
    browser.open(pages["every state"])
    button = browser.driver.find_element(By.XPATH, "//button[text()='Repository']")

    button.send_keys(Keys.ENTER)

    assert sorted(_names(browser)) == _names(browser)
    assert browser.ask("return document.activeElement === arguments[0]", button)


def test_a_screen_reader_finds_its_way(browser: Browser, pages: Pages) -> None:
    """Fields have labels, pictures words, tables captions; the table stays one on a phone."""
    browser.open(pages["every state"], width=PHONE)
    nodes = browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {
        (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node
    }
    roles = [node["role"]["value"] for node in nodes if "role" in node]

    assert ("searchbox", "Search") in named
    assert ("combobox", "State") in named
    assert {"banner", "main", "contentinfo"} <= set(roles)
    assert 3 == len([name for role, name in named if role == "image" and ":" in name])
    assert 9 + 1 <= roles.count("row")
    assert 9 * 7 <= roles.count("cell") + roles.count("gridcell")
    assert 8 + 6 == roles.count("columnheader")  # of the repositories, and of the last runs


def test_hostile_words_are_not_run(browser: Browser, pages: Pages) -> None:
    """HTML in a failure's message is read, not obeyed."""
    browser.open(pages["every state"])

    assert browser.ask("return window.broken === undefined")
    assert "<img src=x onerror=" in browser.driver.find_element(By.TAG_NAME, "main").text


def test_it_is_printed_in_full(browser: Browser, pages: Pages) -> None:
    """On paper there are the verdict and every row, dark on white, and no buttons to press."""
    browser.open(pages["every state"], is_dark=True)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})

    assert 9 == len(_names(browser))
    assert not browser.driver.find_element(By.ID, "controls").is_displayed()
    assert [] == browser.ask(POOR_CONTRASTS, LEAST_CONTRAST)
    printed = browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
    assert len(printed["data"]) > 10_000

"""Promises of the registry: a check is one file, its settings are checked, and a bad one is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from repo_maintenance.errors import HealthError, SettingsError
from repo_maintenance.health.registry import Registry
from repo_maintenance.settings import HealthSettings, Severity, load_settings
from repo_maintenance.settings.health import CHECKS, check_files
from tests.unit.health.making import commit, look, messages

PAGE = Path(__file__).parents[3] / "docs" / "health-checks.md"
BUNDLED = sorted(path.stem for path in CHECKS.glob("*.py") if not path.stem.startswith("_"))


def example() -> str:
    """Return the check that docs/health-checks.md shows."""
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(shown)


def plugin(folder: Path, name: str = "missing_changelog", text: str | None = None) -> Path:
    """Write the file of a check, by default that of the documentation."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(example() if text is None else text, encoding="utf-8")
    return path


@pytest.mark.parametrize("as_folder", [True, False])
def test_a_check_is_added_by_one_file(as_folder: bool, tmp_path: Path) -> None:
    """The file of the documentation, or a folder with it, named in the settings, is a check like any."""
    file = plugin(tmp_path / "checks")
    bare = commit(tmp_path / "one.git", {"README.md": "x\n"})
    plugins = (file.parent if as_folder else file,)

    found = look(bare, "missing_changelog", plugins=plugins, settings={"severity": "warning"})

    assert [("no changelog", Severity.WARNING)] == [(one.message, one.severity) for one in found.findings]
    commit(bare, {"CHANGELOG.md": "x\n"})
    assert [] == look(bare, "missing_changelog", plugins=plugins).findings


def test_every_bundled_file_is_a_check_that_says_what_to_do() -> None:
    """Each file in the folder holds a check, with a sentence and a remedy, and is documented."""
    checks = Registry.load(HealthSettings()).checks
    page = PAGE.read_text(encoding="utf-8")

    assert BUNDLED == [check.name for check in checks]
    assert all(check.summary.endswith(".") and len(check.remedy) > 20 for check in checks)
    for check in checks:
        (section,) = re.findall(rf"^### `{check.name}`\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL)
        assert f"**Severity** {check.severity}." in section
        assert all(f"`{limit}` ({value})" in section for limit, value in check.limits.items())


@pytest.mark.parametrize(
    ("health", "said"),
    [
        ({"checks": {"stale_branch": {}}}, "unknown check; did you mean 'stale_branches'?"),
        ({"checks": {"xyz": {}}}, "unknown check; there are: archived_dependencies, "),
        ({"checks": {"large_files": {"enabeld": False}}}, "unknown key; did you mean 'enabled'?"),
        ({"checks": {"large_files": {"severity": "high"}}}, "health.checks.large_files.severity"),
        ({"checks": {"large_files": {"patterns": ["*"]}}}, "not a regular expression"),
        ({"checks": {"large_files": {"limits": {"max_mb": -1}}}}, "greater than or equal to 0"),
        ({"index": {"pypi_url": "pypi.org"}}, "an address begins with https://"),
    ],
)
def test_slips_in_the_settings_are_named_with_the_nearest(health: dict[str, Any], said: str) -> None:
    """A check that there isn't is refused when the settings are loaded, as are its keys and values."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"health": health}, {})

    assert said in str(caught.value)


def test_an_unknown_limit_is_refused_with_those_that_there_are() -> None:
    """A limit that no check has would be heeded by nobody."""
    settings = HealthSettings.model_validate(
        {"checks": {"large_files": {"limits": {"mb": 1}}, "no_backup": {}}}
    )

    with pytest.raises(
        SettingsError, match=r"large_files\.limits\.mb: unknown limit; valid here: max_mb, most"
    ):
        Registry.load(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def bad(:\n", "can't be loaded"),
        ("import nowhere_to_be_found\n", "can't be loaded: ModuleNotFoundError: No module named"),
        ("raise RuntimeError('out of order')\n", "can't be loaded: RuntimeError: out of order"),
        ("x = 1\n", "holds no check bad"),
        (None, "can't be loaded"),
    ],
)
def test_a_plugin_that_is_none_is_named(text: str | None, said: str, tmp_path: Path) -> None:
    """A file with a fault, without a check, or that is not there ends the run before any job begins."""
    path = tmp_path / "bad.py" if text is None else plugin(tmp_path, "bad", text)

    with pytest.raises(SettingsError, match=re.escape(said)):
        Registry.load(HealthSettings(plugins=[path]))


def test_a_check_that_breaks_is_named(tmp_path: Path) -> None:
    """An error in a check is said with its name; it does not pass for a clean repository."""
    text = (
        "from repo_maintenance.health import Severity, check\n"
        "@check(severity=Severity.NOTICE, remedy='none')\n"
        "def broken(repository):\n    '''Break.'''\n    return 1 / 0\n"
    )
    path = plugin(tmp_path, "broken", text)

    with pytest.raises(HealthError, match="the check broken failed: ZeroDivisionError: division by zero"):
        look(commit(tmp_path / "one.git", {"a": "x"}), "broken", plugins=(path,))


@pytest.mark.parametrize(
    ("settings", "is_looked_at"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"patterns": ["lecture-.*"]}, False),
        ({"patterns": ["lect.*"]}, True),
        ({"exclude": ["lecture"]}, False),
        ({"exclude": ["lect"]}, True),
    ],
)
def test_which_repositories_a_check_looks_at(
    settings: dict[str, Any], is_looked_at: bool, tmp_path: Path
) -> None:
    """Each check can be switched off, for all or by whole names."""
    found = look(commit(tmp_path / "one.git", {"a": "x"}), "missing_license", settings=settings)

    assert (["no license"] if is_looked_at else []) == messages(found)


def test_files_that_begin_with_an_underscore_are_no_checks(tmp_path: Path) -> None:
    """What several checks share stands beside them."""
    plugin(tmp_path / "checks", "_shared", "x = 1\n")

    assert set(BUNDLED) == set(check_files([tmp_path / "checks"]))

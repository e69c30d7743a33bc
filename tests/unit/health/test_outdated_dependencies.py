"""Promises of the check for outdated dependencies, against a real server in the index's place."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from repo_maintenance.health.index import IndexUnreachableError, PackageIndex, Releases
from repo_maintenance.health.manifests import Dependency
from repo_maintenance.health.versions import how_far_behind
from repo_maintenance.settings import IndexSettings
from tests.servers.package_index import PackageIndexServer
from tests.unit.health.making import NOWHERE, commit, look, messages

NAME = "outdated_dependencies"
SHA = "0123456789abcdef0123456789abcdef01234567"
NUMPY = Dependency("pypi", "numpy", "<2")


@pytest.fixture
def index() -> Iterator[PackageIndexServer]:
    """Serve an index that knows a few packages."""
    with PackageIndexServer() as server:
        server.add_python("numpy", "1.26.4", "2.0.0", "2.4.1", "3.0.0rc1")
        server.add_python("zero", "0.1.0", "0.2.0", "0.3.5")
        server.add_npm("react", "17.0.2", "18.3.1", "19.2.0", "20.0.0-beta.1")
        server.add_npm("@types/node", "18.0.0", "18.19.1")
        server.add_action("actions/checkout", v3="a" * 40, v4=SHA, v6="c" * 40, **{"v6.0.2": "c" * 40})
        yield server


@pytest.mark.parametrize(
    ("dependency", "expected"),
    [
        (Dependency("pypi", "numpy", "<2"), "1.26.4 → 2.4.1"),
        (Dependency("pypi", "NumPy", "==2.0.0"), None),
        (Dependency("pypi", "numpy", ">=1.20"), None),
        (Dependency("pypi", "numpy", ""), None),
        (Dependency("pypi", "numpy", "==1.26.3"), "==1.26.3 → 2.4.1"),
        (Dependency("pypi", "numpy", ">=5"), None),
        (Dependency("pypi", "zero", "==0.1.0"), "0.1.0 → 0.3.5"),
        (Dependency("pypi", "not-in-the-index", "==1"), None),
        (Dependency("npm", "react", "^17.0.0"), "17.0.2 → 19.2.0"),
        (Dependency("npm", "react", ">=17"), None),
        (Dependency("npm", "react", "latest"), None),
        (Dependency("npm", "react", "github:acme/react"), None),
        (Dependency("npm", "@types/node", "~18.0.0"), None),
        (Dependency("npm", "../../etc", "1"), None),
        (Dependency("action", "actions/checkout", "v3"), "v3 → v6.0.2"),
        (Dependency("action", "actions/checkout", "v6"), None),
        (Dependency("action", "actions/checkout", SHA), "v4 → v6.0.2"),
        (Dependency("action", "actions/checkout", "main"), None),
    ],
)
def test_what_counts_as_outdated(
    dependency: Dependency, expected: str | None, index: PackageIndexServer, tmp_path: Path
) -> None:
    """Only a declaration that holds back a release of a newer major version, and never a pre-release."""
    packages = PackageIndex(IndexSettings.model_validate(index.settings), tmp_path)

    behind = how_far_behind(dependency, packages.releases(dependency))

    assert expected == (str(behind) if behind and behind.majors else None)


def test_each_file_is_a_finding(index: PackageIndexServer, tmp_path: Path) -> None:
    """Each file names what is outdated in it, with what it holds and what there is."""
    files = {
        "requirements.txt": "numpy<2\nzero==0.3.5\n",
        "package.json": '{"dependencies": {"react": "^17.0.0"}}',
        ".github/workflows/ci.yml": f"      - uses: actions/checkout@{'f' * 40} # v3\n",
    }
    found = look(commit(tmp_path / "one.git", files), NAME, index=index.settings)

    assert {
        "requirements.txt: numpy 1.26.4 → 2.4.1",
        "package.json: react 17.0.2 → 19.2.0",
        ".github/workflows/ci.yml: actions/checkout v3 → v6.0.2",
    } == set(messages(found))
    assert [] == found.unchecked


def test_how_far_is_too_far_can_be_set(index: PackageIndexServer, tmp_path: Path) -> None:
    """A limit of 0 finds every newer release, of 2 only what is two major versions behind."""
    bare = commit(
        tmp_path / "one.git",
        {"requirements.txt": "numpy==2.0.0\n", "package.json": '{"dependencies": {"react": "18"}}'},
    )

    def with_settings(**settings: object) -> int:
        return len(look(bare, NAME, index=index.settings, settings=settings).findings)

    assert [1, 2, 0] == [with_settings(limits={"majors": majors}) for majors in (1, 0, 2)]
    assert 0 == with_settings(ignore=["react"])


def test_a_second_line_for_an_older_python_is_no_fault(index: PackageIndexServer, tmp_path: Path) -> None:
    """A file that allows the newest release in one line may hold it back in another, for older machines."""
    text = "numpy<2; python_version < '3.9'\nnumpy>=2; python_version >= '3.9'\n"

    assert (
        []
        == look(commit(tmp_path / "one.git", {"requirements.txt": text}), NAME, index=index.settings).findings
    )


def test_a_file_that_cannot_be_read_is_a_finding(index: PackageIndexServer, tmp_path: Path) -> None:
    """Nobody can install from a broken file: that is said, and the other files are looked at."""
    files = {"pyproject.toml": "[project\n", "requirements.txt": "numpy<2\n"}
    found = look(commit(tmp_path / "one.git", files), NAME, index=index.settings)

    assert "pyproject.toml can't be read: " in messages(found)[0]
    assert "requirements.txt: numpy 1.26.4 → 2.4.1" == messages(found)[1]


def test_without_a_network_it_is_said_and_nothing_is_claimed(tmp_path: Path) -> None:
    """No finding, no all-clear, no failure: the index is named that can't be reached, once."""
    bare = commit(tmp_path / "one.git", {"requirements.txt": "numpy<2\nzero==0.1\n"})

    found = look(bare, NAME)

    assert ([], ["127.0.0.1:9 can't be reached"]) == (found.findings, [one.reason for one in found.unchecked])


def test_an_index_is_asked_once_a_day_and_not_at_all_when_it_is_silent(
    index: PackageIndexServer, tmp_path: Path
) -> None:
    """A thousand repositories that need numpy cost one request; an index that is away costs one time-out."""
    settings = IndexSettings.model_validate(index.settings)
    for _run in range(2):
        packages = PackageIndex(settings, tmp_path)
        packages.releases(NUMPY)
        packages.releases(Dependency("pypi", "NumPy", "==1"))
    assert ["/pypi/numpy/json"] == index.asked

    index.statuses["/pypi/zero/json"] = 503
    packages = PackageIndex(settings, tmp_path)
    for name in ("zero", "other"):
        with pytest.raises(IndexUnreachableError, match="answered 503"):
            packages.releases(Dependency("pypi", name, ""))
    assert 2 == len(index.asked)


def test_one_odd_answer_does_not_silence_an_index(index: PackageIndexServer, tmp_path: Path) -> None:
    """What is no JSON, or in no form of an index, says nothing of one package; the next is asked for."""
    index.answers |= {
        "/pypi/broken/json": b"<html>",
        "/pypi/odd/json": ["x"],
        "/pypi/older/json": {"releases": {"1": "x"}},
    }
    packages = PackageIndex(IndexSettings.model_validate(index.settings), tmp_path)

    with pytest.raises(IndexUnreachableError, match="JSON"):
        packages.releases(Dependency("pypi", "broken", ""))
    assert [[], []] == [packages.releases(Dependency("pypi", name, "")).versions for name in ("odd", "older")]
    assert 4 == len(packages.releases(NUMPY).versions)


def test_an_old_answer_is_better_than_none(index: PackageIndexServer, tmp_path: Path) -> None:
    """Where the index is away, what it said last week is used; once it is back, it is asked again."""
    settings = IndexSettings.model_validate(index.settings)
    PackageIndex(settings, tmp_path).releases(NUMPY)
    (kept,) = tmp_path.rglob("*.json")
    old = Releases.model_validate_json(kept.read_text())
    kept.write_text(
        old.model_copy(update={"asked_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}).model_dump_json()
    )

    index.statuses["/pypi/numpy/json"] = 500
    assert old.versions == PackageIndex(settings, tmp_path).releases(NUMPY).versions
    index.statuses.clear()
    PackageIndex(settings, tmp_path).releases(NUMPY)
    assert 3 == len(index.asked)


def test_the_token_goes_to_github_alone(index: PackageIndexServer, tmp_path: Path) -> None:
    """Neither PyPI nor npm is shown a password, not even one that a .netrc holds for the host."""
    packages = PackageIndex(
        IndexSettings.model_validate(index.settings), tmp_path, token=lambda: "secret-token"
    )

    for dependency in (
        NUMPY,
        Dependency("npm", "react", "1"),
        Dependency("action", "actions/checkout", "v1"),
    ):
        packages.releases(dependency)

    assert [None, None, "Bearer secret-token"] == [one.get("authorization") for one in index.headers]
    assert not any("secret-token" in path.read_text() for path in tmp_path.rglob("*.json"))


def test_a_netrc_is_not_read(
    index: PackageIndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password of somebody's .netrc goes to no index."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))

    PackageIndex(IndexSettings.model_validate(index.settings), tmp_path / "cache").releases(NUMPY)

    assert "authorization" not in index.headers[0]


def test_without_the_extra_npm_is_not_checked(
    index: PackageIndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where npm's ranges can't be read, it is said what is missing; Python's are judged all the same."""
    monkeypatch.setitem(sys.modules, "semantic_version", None)
    files = {"package.json": '{"dependencies": {"react": "17"}}', "requirements.txt": "numpy<2\n"}

    found = look(commit(tmp_path / "one.git", files), NAME, index=index.settings)

    assert ["requirements.txt: numpy 1.26.4 → 2.4.1"] == messages(found)
    assert ["npm's ranges can't be read: install '.[health]'"] == [one.reason for one in found.unchecked]


def test_very_many_dependencies_are_bounded(index: PackageIndexServer, tmp_path: Path) -> None:
    """A repository that declares a million packages does not ask for a million; what was left out is said."""
    bare = commit(tmp_path / "one.git", {"requirements.txt": "".join(f"p{number}\n" for number in range(20))})

    found = look(bare, NAME, index={**NOWHERE, **index.settings}, settings={"limits": {"most": 10}})

    assert ["more than 10 dependencies; the rest was left out"] == [one.reason for one in found.unchecked]
    assert [] == index.asked


def test_the_npm_registry_is_npms_own(
    index: PackageIndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a setting, npm's own variable names the registry; without either, nothing is claimed."""
    settings = IndexSettings.model_validate({**index.settings, "npm_url": None})
    package = Dependency("npm", "react", "^1.0.0")
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    with pytest.raises(IndexUnreachableError, match=r"health\.index\.npm_url"):
        PackageIndex(settings, tmp_path).releases(package)

    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{index.settings['npm_url']}/")

    assert PackageIndex(settings, tmp_path).releases(package).known
    assert "/react" in index.asked

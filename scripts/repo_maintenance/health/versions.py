"""How far what is declared lies behind what there is. Pure: given the releases, it asks nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from repo_maintenance.health.index import Releases
from repo_maintenance.health.manifests import Dependency

LONGEST_VERSION = 100
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
TAG = re.compile(r"v?(?P<version>[0-9]+(?:\.[0-9]+){0,3})")


class RangesUnreadableError(Exception):
    """Ranges of npm can't be read: the package that does so is not installed."""


@dataclass(frozen=True)
class Behind:
    """How far a dependency is behind."""

    held: str
    """The newest release that the declaration allows; the declaration itself, where it allows none."""
    newest: str
    majors: int
    """How many major versions lie between; where the major version is 0, minor ones count."""

    def __str__(self) -> str:
        return f"{self.held} → {self.newest}"


def how_far_behind(dependency: Dependency, releases: Releases) -> Behind | None:
    """Return how far a dependency is behind, or None where it may be the newest, or nothing can be said.

    Pre-releases are nobody's newest. Raises RangesUnreadableError.
    """
    judges = {"pypi": _python, "npm": _npm, "action": _action}
    return judges[dependency.kind](dependency, releases) if releases.known else None


def _python(dependency: Dependency, releases: Releases) -> Behind | None:
    versions = _final_versions(releases.versions)
    if not versions or not dependency.wanted:
        return None
    try:
        allowed = SpecifierSet(dependency.wanted)
    except InvalidSpecifier:
        return None
    held = [version for version in versions if allowed.contains(version)]
    return _compare(dependency.wanted, held, versions)


def _npm(dependency: Dependency, releases: Releases) -> Behind | None:
    """Judge an npm range; what is no range, such as a tag, a path or an address, holds nothing back."""
    try:
        from semantic_version import NpmSpec
        from semantic_version import Version as NpmVersion
    except ImportError as error:
        raise RangesUnreadableError("npm's ranges can't be read: install '.[health]'") from error
    versions = _final_versions(releases.versions)
    if not versions or len(dependency.wanted) > LONGEST_VERSION:
        return None
    try:
        allowed = NpmSpec(dependency.wanted)
        held = [one for one in versions if allowed.match(NpmVersion(_three_numbers(one)))]
    except ValueError:
        return None
    return _compare(dependency.wanted, held, versions)


def _action(dependency: Dependency, releases: Releases) -> Behind | None:
    """Judge an action by its tag, the commit of one, or a comment that names one; a branch is never old."""
    named = {tag: match["version"] for tag in releases.versions if (match := TAG.fullmatch(tag))}
    wanted = dependency.wanted
    if COMMIT.fullmatch(wanted):
        tags = [tag for tag in named if releases.commits.get(tag) == wanted]
        wanted = max(tags, key=lambda tag: Version(named[tag]), default=dependency.said)
    match = TAG.fullmatch(wanted)
    if match is None or not named:
        return None
    held, newest = Version(match["version"]), max(Version(version) for version in named.values())
    if newest.release[: len(held.release)] <= held.release:
        return None
    return Behind(wanted, _tag_of(newest, named), _majors_between(held, newest))


def _tag_of(version: Version, named: dict[str, str]) -> str:
    return max((tag for tag in named if Version(named[tag]) == version), key=len)


def _compare(wanted: str, held: list[Version], versions: list[Version]) -> Behind | None:
    newest = max(versions)
    if newest in held:
        return None
    best = max(held, default=None)
    if best is None:
        return _behind_without_a_release(wanted, newest)
    return Behind(str(best), str(newest), _majors_between(best, newest))


def _behind_without_a_release(wanted: str, newest: Version) -> Behind | None:
    """Judge a declaration that no release meets, such as one of a yanked release, by its own number."""
    match = re.search(r"[0-9]+(\.[0-9]+)*", wanted)
    if match is None or len(match[0]) > LONGEST_VERSION or Version(match[0]) >= newest:
        return None  # it asks for what is yet to come
    return Behind(wanted, str(newest), _majors_between(Version(match[0]), newest))


def _majors_between(held: Version, newest: Version) -> int:
    if held.major == newest.major == 0:
        return newest.minor - held.minor
    return newest.major - held.major


def _final_versions(texts: Iterable[str]) -> list[Version]:
    found = []
    for text in texts:
        try:
            version = Version(text) if len(text) <= LONGEST_VERSION else None
        except InvalidVersion:
            continue
        if version is not None and not version.is_prerelease:
            found.append(version)
    return found


def _three_numbers(version: Version) -> str:
    return f"{version.major}.{version.minor}.{version.micro}"

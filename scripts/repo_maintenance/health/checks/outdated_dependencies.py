"""Dependencies that hold back the newest release."""

from __future__ import annotations

from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, NotChecked, Severity, check
from repo_maintenance.health.index import IndexUnreachableError
from repo_maintenance.health.manifests import Dependency, Manifest, read_manifests
from repo_maintenance.health.versions import Behind, RangesUnreadableError, how_far_behind

MOST_NAMED = 8


@check(
    severity=Severity.NOTICE,
    remedy="raise the versions, or let Dependabot do so: https://docs.github.com/en/code-security/dependabot",
    limits={"majors": 1, "most": 500},
)
def outdated_dependencies(repository: Examined) -> Iterator[Found | NotChecked]:
    """Find declared dependencies that hold back a release `majors` or more major versions ahead."""
    unknown: dict[str, None] = {}
    asked: set[Dependency] = set()
    for manifest in read_manifests(repository.tree):
        if manifest.problem:
            yield Found(f"{manifest.path} can't be read: {manifest.problem}", manifest.path, "mend the file")
        fresh = [one for one in manifest.dependencies if one not in asked]
        if len(asked) + len(fresh) > repository.limits["most"]:
            yield NotChecked(f"more than {repository.limits['most']} dependencies; the rest was left out")
            break
        asked.update(fresh)
        if old := _find_old(repository, manifest, unknown):
            named = ", ".join(f"{name} {behind}" for name, behind in list(old.items())[:MOST_NAMED])
            more = f" and {len(old) - MOST_NAMED} more" if len(old) > MOST_NAMED else ""
            yield Found(f"{manifest.path}: {named}{more}", manifest.path)
    yield from (NotChecked(reason) for reason in unknown)


def _find_old(repository: Examined, manifest: Manifest, unknown: dict[str, None]) -> dict[str, Behind]:
    """Return what is too far behind in one file; why something could not be judged goes to ``unknown``.

    A name that stands there several times, for different versions of Python say, is as new as its newest.
    """
    found: dict[tuple[str, str], list[Behind | None]] = {}
    for dependency in manifest.dependencies:
        if repository.is_ignored(dependency.name):
            continue
        try:
            behind = how_far_behind(dependency, repository.index.releases(dependency))
        except (IndexUnreachableError, RangesUnreadableError) as error:
            unknown[str(error)] = None
            continue
        found.setdefault((dependency.kind, dependency.name), []).append(behind)
    return {
        name: min(all_behind, key=lambda one: one.majors)
        for (_kind, name), several in sorted(found.items())
        if len(all_behind := [one for one in several if one]) == len(several)
        and all(one.majors >= repository.limits["majors"] for one in all_behind)
    }

"""Large files in the history, which every clone pays for."""

from __future__ import annotations

from collections.abc import Iterator

import humanfriendly

from repo_maintenance.health import Examined, Found, Severity, check

BYTES_PER_MB = 1_000_000


@check(
    severity=Severity.WARNING,
    remedy="move such files to Git LFS, or take them out of the history with git filter-repo",
    limits={"max_mb": 50, "most": 5},
    archived=True,
)
def large_files(repository: Examined) -> Iterator[Found]:
    """Find files of more than `max_mb` MB in the history, also those deleted since."""
    sizes = repository.tree.sizes(at_least=repository.limits["max_mb"] * BYTES_PER_MB + 1)
    if not sizes:
        return
    found = {
        blob.path: sizes[blob.object_id]
        for blob in repository.tree.history()
        if blob.object_id in sizes and not repository.is_ignored(blob.path)
    }
    largest = sorted(found, key=lambda path: (-found[path], path))
    most = repository.limits["most"]
    for path in largest[:most]:
        gone = "" if path in repository.tree.files else ", in the history only"
        yield Found(f"{path}: {humanfriendly.format_size(found[path])}{gone}", path)
    if len(largest) > most:
        yield Found(f"{len(largest) - most} more large files")

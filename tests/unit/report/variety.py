"""Whole organisations for pages and pictures: one repository of each state, or a thousand."""

from __future__ import annotations

from repo_maintenance.movements import Fate, Movement
from tests.unit.report.scene import MB, NOW, Scene, failure

HOSTILE = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>"


def of_every_state() -> Scene:
    """Return an organisation with a repository in each state, and a failure whose words are hostile."""
    scene = Scene()
    scene.safe("lecture-python")
    scene.upstream("never")
    scene.upstream("failed")
    scene.backup("failed", 12)
    scene.proof("failed", 12, proven=10)
    scene.upstream("bad")
    scene.backup("bad", 8)
    scene.proof("bad", 8, proven=2, is_good=False)
    scene.upstream("late")
    scene.backup("late", 55)
    scene.proof("late", 55, proven=50)
    scene.upstream("incomplete")
    scene.backup("incomplete", 4, incomplete="2 LFS objects are missing upstream")
    scene.proof("incomplete", 4, proven=1)
    scene.upstream("unproven")
    scene.backup("unproven", 1, size=250 * MB)
    scene.backup("gone", 90)
    scene.movements.append(Movement("gone", Fate.RENAMED, "acme/lecture-python"))
    scene.upstream("left-out", is_matched=False)
    scene.backup("left-out", 60)
    for week in range(30, 0, -1):
        stored = (60 - week) * 5 * MB
        scene.run(7 * week, total=7, covered=6 - week // 6, bytes_stored=stored, seconds=60 + week % 7 * 9)
    scene.run(6, kind="verify", total=5, done=5)
    scene.run(0, failures=[failure("failed", HOSTILE)], total=7, covered=6, bytes_stored=310 * MB)
    return scene


def of_many(count: int) -> Scene:
    """Return an organisation of so many repositories: nearly all safe, each with a dozen backups."""
    scene = Scene()
    for number in range(count):
        name = f"repository-{number:04d}"
        scene.upstream(name)
        for week in range(11, -1, -1):
            scene.backup(name, 7 * week + 1 + number % 5, size=(1 + number * 37 % 400) * MB - week * 50_000)
        if number % 97:
            scene.proof(name, 1 + number % 5, proven=0, seconds=1.5 + number % 50)
    failures = [failure("repository-0042"), failure("repository-0666")] if count > 666 else []
    for week in range(200, 0, -1):
        scene.run(
            *(7 * week,),
            total=max(1, count - week * 2),
            covered=max(1, count - week * 2),
            bytes_stored=(220 - week) * count * MB,
            seconds=300 + (200 - week) * 2 + week % 5 * 20,
        )
    scene.run(0, failures=failures, total=count, covered=count, bytes_stored=221 * count * MB)
    assert NOW.tzinfo is not None
    return scene

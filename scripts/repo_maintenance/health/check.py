"""What a check is: a function that looks at one repository and yields what it finds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from repo_maintenance.health.examined import Examined
from repo_maintenance.settings.health import Severity


@dataclass(frozen=True)
class Found:
    """Something that is to be done."""

    message: str
    subject: str = ""
    """What it is about: a path, a branch or a package, which `ignore` can name."""
    remedy: str | None = None
    """What to do about this very one; None where the check's own remedy will do."""


@dataclass(frozen=True)
class NotChecked:
    """Something that could not be looked at: no finding, and no all-clear."""

    reason: str


Look = Callable[[Examined], Iterable[Found | NotChecked]]


@dataclass(frozen=True)
class Check:
    """One check."""

    name: str
    """That of its function, and of its file."""
    summary: str
    """What a finding means, in a sentence: the first line of the function's docstring."""
    severity: Severity
    remedy: str
    look: Look
    limits: Mapping[str, int] = field(default_factory=dict)
    """The limits that the settings may change, with their defaults."""
    archived: bool = False
    """Whether archived repositories are looked at, in which nothing can be mended until they are revived."""
    empty: bool = False
    """Whether repositories without a commit are looked at."""
    hosted: bool = False
    """Whether it asks what a service such as GitHub knows: of a mere folder, it has nothing to say."""


def check(
    *,
    severity: Severity,
    remedy: str,
    limits: Mapping[str, int] | None = None,
    archived: bool = False,
    empty: bool = False,
    hosted: bool = False,
) -> Callable[[Look], Check]:
    """Make a check of a function, which is called with one repository at a time."""

    def make(look: Look) -> Check:
        summary = (inspect.getdoc(look) or "").partition("\n")[0]
        name = getattr(look, "__name__", "")
        return Check(name, summary, severity, remedy, look, limits or {}, archived, empty, hosted)

    return make

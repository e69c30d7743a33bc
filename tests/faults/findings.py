"""Looks at findings, as the tests of the preflight do."""

from __future__ import annotations

from repo_maintenance.findings import Finding, Level


def find(findings: list[Finding], word: str) -> Finding:
    """Return the one finding that has a word in its message."""
    (found,) = [finding for finding in findings if word in finding.message]
    return found


def check_well_formed(findings: list[Finding]) -> None:
    """Check that each finding is a line of its own, and that what is not well has a remedy."""
    assert [] == [finding for finding in findings if "\n" in str(finding)]
    assert [] == [one for one in findings if one.level is not Level.OK and not one.remedy]

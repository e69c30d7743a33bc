"""The look at the bucket before a run: reachable, writable, not public, versioned, encrypted, locked."""

from __future__ import annotations

import pytest

from repo_maintenance.findings import Finding, Level
from tests.faults.findings import check_well_formed, find
from tests.faults.s3_gateway import S3Gateway
from tests.faults.storing import Space
from tests.servers.seaweed import SeaweedServer

pytestmark = pytest.mark.usefixtures("s3_environment")


def bucket_findings(space: Space, url: str, **options: object) -> list[Finding]:
    """Return what is found of the bucket."""
    findings = list(space.connect(url, **options).check())
    check_well_formed(findings)
    return findings


def test_a_bucket_without_versions_is_warned_of(space: Space, seaweed: SeaweedServer) -> None:
    """Without versioning a deleted or replaced object is gone: a warning, with object lock a failure."""
    findings = bucket_findings(space, seaweed.endpoint_url)
    assert Level.WARNING == find(findings, "versioning").level
    assert [Level.OK, Level.OK] == [find(findings, word).level for word in ("is reachable", "is writable")]

    locked = bucket_findings(space, seaweed.endpoint_url, object_lock={"mode": "GOVERNANCE", "days": 1})
    assert Level.FAILURE == find(locked, "versioning").level
    assert Level.FAILURE == find(locked, "object lock").level


def test_a_bucket_with_versions_and_lock_is_fit(space: Space, seaweed: SeaweedServer) -> None:
    """Versioning and object lock, as configured, are found to be well."""
    fit = Space(space.client, seaweed.new_bucket(ObjectLockEnabledForBucket=True), space.prefix)
    options = {"object_lock": {"mode": "GOVERNANCE", "days": 1}, "sse": "AES256"}
    findings = bucket_findings(fit, seaweed.endpoint_url, **options)
    for word in ("versioning is enabled", "object lock is enabled", "encrypted as configured: AES256"):
        assert Level.OK == find(findings, word).level


def answer(gateway: S3Gateway, query: str, body: str) -> None:
    """Let a look at the bucket's configuration be answered with some XML."""
    gateway.refuse(200, "", query=query, body=body)


@pytest.mark.parametrize(("is_public", "level"), [("true", Level.FAILURE), ("false", Level.OK)])
def test_a_public_policy_is_a_failure(space: Space, gateway: S3Gateway, is_public: str, level: Level) -> None:
    """A bucket whose policy lets everybody in is no place for private repositories."""
    answer(gateway, "policyStatus", f"<PolicyStatus><IsPublic>{is_public}</IsPublic></PolicyStatus>")
    assert level == find(bucket_findings(space, gateway.url), "policy").level


SWITCHES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@pytest.mark.parametrize("off", [None, *SWITCHES])
def test_the_public_access_block_is_judged(space: Space, gateway: S3Gateway, off: str | None) -> None:
    """Each of the four switches that is off is named; all of them on is well."""
    switches = "".join(f"<{name}>{str(name != off).lower()}</{name}>" for name in SWITCHES)
    answer(
        gateway,
        "publicAccessBlock",
        f"<PublicAccessBlockConfiguration>{switches}</PublicAccessBlockConfiguration>",
    )
    finding = find(bucket_findings(space, gateway.url), "public access")
    expected = (Level.OK, True) if off is None else (Level.WARNING, off in finding.message)
    assert expected == (finding.level, True)


def test_a_look_that_is_not_allowed_is_a_warning(space: Space, gateway: S3Gateway) -> None:
    """A role that may list and write is enough for backups: what it may not look at is a warning each."""
    for query in ("publicAccessBlock", "policyStatus", "versioning", "encryption"):
        gateway.refuse(403, "AccessDenied", query=query)

    findings = bucket_findings(space, gateway.url)

    assert [] == [finding for finding in findings if finding.level is Level.FAILURE]
    assert 4 == sum("AccessDenied" in finding.message for finding in findings)

"""The look before a run: each finding one line, ok, a warning, or a failure with its remedy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from repo_maintenance.clock import check_clock
from repo_maintenance.errors import JobFailedError
from repo_maintenance.findings import Level
from repo_maintenance.hosts.github_check import check_github
from repo_maintenance.preflight import check_selection, run_preflight
from repo_maintenance.run import Run
from repo_maintenance.settings import BackupSettings
from repo_maintenance.stores.folder import FolderStore
from repo_maintenance.stores.s3_check import check_bucket
from tests.conftest import TOKEN
from tests.faults.findings import check_well_formed, find
from tests.faults.in_process import connect
from tests.faults.storing import Space
from tests.servers.github import Account, FakeGitHub, Fault, matching
from tests.servers.seaweed import SeaweedServer
from tests.workflow.workspace import Workspace

LEVELS = set(Level)
NOW = dt.datetime.now(dt.UTC)


def configure(github: FakeGitHub, seaweed: SeaweedServer, space: Space, token: str) -> Workspace:
    """Return the current folder, in which the workflow is configured."""
    s3 = {
        "bucket": space.bucket,
        "prefix": space.prefix,
        "region": "us-east-1",
        "endpoint_url": seaweed.endpoint_url,
    }
    backup = {"organization": "acme", "github": {"api_url": github.api_url}, "s3": s3}
    return Workspace(Path.cwd(), {"backup": backup}, seaweed.environment() | {"GITHUB_TOKEN": token})


def test_the_preflight_of_a_sound_place(github: FakeGitHub, seaweed: SeaweedServer, space: Space) -> None:
    """``snakemake --cores 1 preflight`` looks at everything, a line each, stores nothing, exits with 0."""
    github.add_repository("acme", "one")

    run = configure(github, seaweed, space, TOKEN).run("--cores", "1", "preflight")

    assert run.code == 0, run.output
    found = [line.split(":")[0].split() for line in run.output.splitlines() if line[:9].strip() in LEVELS]
    assert {"github", "bucket", "git", "git-lfs", "clock", "disk"} <= {line[1] for line in found}
    assert [] == [line for line in run.output.splitlines() if line.startswith("failure ")]
    assert "ok       repositories: 1 of 1 are selected" in run.output.splitlines()
    assert [] == [key for key in space.objects() if key.endswith(".gz")]
    assert [] == github.git_requests()


def test_the_preflight_of_a_broken_place(github: FakeGitHub, seaweed: SeaweedServer, space: Space) -> None:
    """A wrong token and a missing bucket are both found at once, each with a remedy; the code is not 0."""
    broken = Space(space.client, "no-such-bucket", space.prefix)

    run = configure(github, seaweed, broken, "wrong").run("--cores", "1", "preflight")

    failures = [line for line in run.output.splitlines() if line.startswith("failure ")]
    assert (True, 2) == (run.code != 0, len(failures)), run.output
    assert [True, True] == ["→" in line for line in failures]
    assert ["failure  github", "failure  bucket"] == [line.split(":")[0] for line in failures]
    assert "Traceback" not in run.output


def test_a_wrong_organisation_is_found_before_a_run(github: FakeGitHub) -> None:
    """An organisation that GitHub does not know is a failure that names the key; the rest is seen too."""
    findings = run_preflight(
        connect(github, owner="acne"), FolderStore(Path("stored")), Path("results"), BackupSettings()
    )
    (finding,) = [one for one in findings if one.level is Level.FAILURE]
    assert "backup.organization: GitHub knows no organisation or user 'acne'" == finding.message
    assert finding.remedy
    assert "git" in [one.subject for one in findings]


@pytest.mark.parametrize(
    ("patterns", "said"),
    [
        (["lecture-.*"], "ok       repositories: 2 of 3 are selected"),
        (
            ["lecture"],
            (
                "failure  repositories: backup.patterns, backup.exclude: none of the 3 repositories match "
                "→ patterns match whole names, such as lecture-b, lecture-a, website; .* stands for anything"
            ),
        ),
    ],
)
def test_how_many_repositories_match_is_said(github: FakeGitHub, patterns: list[str], said: str) -> None:
    """A pattern that matches nothing is found before a run, with the nearest names, by a single request."""
    for name in ("lecture-a", "lecture-b", "website"):
        github.add_repository("acme", name)

    found = check_selection(connect(github), BackupSettings(patterns=patterns))

    assert said == str(found)
    assert 1 == len(github.requests)


def test_an_organisation_that_shows_nothing_is_warned_of(github: FakeGitHub) -> None:
    """Where the token sees no repository at all, a backup of nothing would look like a success."""
    found = check_selection(connect(github), BackupSettings())
    assert (Level.WARNING, "GitHub organisation or user acme shows none") == (found.level, found.message)


# -- GitHub


@pytest.mark.parametrize(
    ("scopes", "level", "said"),
    [
        ("repo, read:org", Level.OK, "the token's scopes: repo, read:org"),
        ("public_repo", Level.WARNING, "lack repo"),
        ("", Level.WARNING, "lack repo"),
    ],
)
def test_the_tokens_scopes_are_judged(github: FakeGitHub, scopes: str, level: Level, said: str) -> None:
    """A classic token that can't read private repositories is warned of; a good one is named as such."""
    github.add_token(TOKEN, Account("robot", scopes=scopes))
    findings = list(connect(github).check())
    check_well_formed(findings)
    assert level == find(findings, said).level


def test_a_refused_token_is_a_failure(github: FakeGitHub) -> None:
    """A wrong token is found by a request that costs no quota."""
    github.revoke_token(TOKEN)
    (finding,) = connect(github).check()
    assert (Level.FAILURE, True) == (finding.level, "GITHUB_TOKEN" in (finding.remedy or ""))
    assert ["/api/v3/rate_limit"] == [request.path for request in github.requests]


def test_a_missing_token_is_warned_of_once(github: FakeGitHub, caplog: pytest.LogCaptureFixture) -> None:
    """Without a token the look says what is missing, with a remedy; the listing then keeps quiet of it."""
    github.add_repository("acme", "open")
    host = connect(github, {})

    finding = find(list(host.check()), "GITHUB_TOKEN is not set")
    listed = host.list_repositories()

    assert (Level.WARNING, True) == (finding.level, "set GITHUB_TOKEN" in (finding.remedy or ""))
    assert ["open"] == [repository.name for repository in listed]
    assert "" == caplog.text
    connect(github, {}).list_repositories()
    assert "GITHUB_TOKEN is not set" in caplog.text


def test_an_address_that_is_no_api_is_a_failure(github: FakeGitHub) -> None:
    """A path at which GitHub has nothing is a finding that names the setting."""
    github.fault(Fault(matching("/rate_limit"), status=404, body={"message": "Not Found"}))
    (finding,) = connect(github).check()
    assert (Level.FAILURE, "it answered 404") == (finding.level, finding.message)
    assert "backup.github.api_url" in (finding.remedy or "")


def test_an_app_without_a_key_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Where GitHub can't even be asked, the preflight says which variable is missing, and fails."""
    environment = {"REPO_MAINTENANCE_BACKUP__ORGANIZATION": "acme"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_APP_ID", "1")
        run = Run.start({}, environment)
        with pytest.raises(JobFailedError, match="GITHUB_APP_ID is set, but no key"):
            run.preflight(Path("preflight.log"))
    assert "set GITHUB_APP_PRIVATE_KEY" in capsys.readouterr().err


@pytest.mark.parametrize(("remaining", "level"), [(5000, Level.OK), (600, Level.OK), (10, Level.WARNING)])
def test_a_quota_that_runs_out_is_warned_of(github: FakeGitHub, remaining: int, level: Level) -> None:
    """What is left of the quota is said, with the time at which it starts anew; looking costs none of it."""
    github.set_quota(TOKEN, remaining=remaining)
    finding = find(list(connect(github).check()), "requests left until")
    assert (level, True) == (finding.level, f"{remaining} of 5000" in finding.message)


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("status", [403, 500, 503])
def test_an_ill_github_is_a_failure(github: FakeGitHub, status: int) -> None:
    """Where GitHub does not answer as it should, that is a finding, not a crash."""
    github.fault(Fault(matching("/rate_limit"), status=status, body={"message": "No"}))
    findings = list(connect(github).check())
    assert [Level.FAILURE] == [finding.level for finding in findings]
    assert str(status) in str(findings[0])


def test_answers_that_make_no_sense_are_a_failure(github: FakeGitHub) -> None:
    """An address at which something else than GitHub answers is a finding that names the setting."""
    github.fault(Fault(matching("/rate_limit"), status=200, body="<html>Welcome</html>"))
    (finding,) = [one for one in connect(github).check() if one.level is Level.FAILURE]
    assert "backup.github.api_url" in (finding.remedy or "")


# -- the clock

SKEWS = [(0, Level.OK), (30, Level.OK), (300, Level.WARNING), (1200, Level.FAILURE), (-1200, Level.FAILURE)]


@pytest.mark.parametrize(("seconds", "level"), SKEWS)
def test_a_wrong_clock_is_found(
    github: FakeGitHub, space: Space, seaweed: SeaweedServer, seconds: int, level: Level
) -> None:
    """The clock is compared with GitHub's and the store's: S3 refuses requests from 15 minutes on."""
    now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    requester = connect(github).client.requester
    store = space.connect(seaweed.endpoint_url)

    found = [
        *check_github(requester, None, now=now),
        *check_bucket(seaweed.client(), store._settings, now=now),
    ]

    assert [level, level] == [finding.level for finding in found if finding.subject == "clock"]


@pytest.mark.parametrize("header", [None, "", "yesterday", "Mon, 32 Nov 2026 00:00:00 GMT", "a, b"])
def test_a_server_without_a_clock_is_no_crash(header: str | None) -> None:
    """A ``Date`` that is missing or makes no sense is a warning."""
    assert Level.WARNING == check_clock("the store", header, NOW).level


def test_all_findings_come_together(github: FakeGitHub) -> None:
    """One look finds everything: no failure hides another."""
    github.revoke_token(TOKEN)
    Path("stored").write_text("a file, no folder")
    findings = run_preflight(connect(github), FolderStore(Path("stored")), Path("results"), BackupSettings())
    subjects = [finding.subject for finding in findings if finding.level is Level.FAILURE]
    assert ["github", "store"] == subjects

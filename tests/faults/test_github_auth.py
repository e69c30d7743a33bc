"""Who the tool is to GitHub: a token or an App; a wrong one, one that has ended, one that sees a part."""

from __future__ import annotations

import base64
import logging
import time
from pathlib import Path

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import HostError, JobFailedError
from repo_maintenance.mirror import mirror_repository
from repo_maintenance.records import Failure, read_json
from tests.conftest import TOKEN
from tests.faults.in_process import connect, folder_backups, mirror, names, settings_for
from tests.servers import github_access
from tests.servers.github import Account, App, FakeGitHub, Fault, Installation, matching
from tests.servers.repositories import refs
from tests.unit.making import files_below, step_mirror
from tests.workflow.workspace import Workspace

WRONG = "ghp_" + "Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3i2"
ACCESS_TOKENS = matching("/access_tokens")


@pytest.fixture(scope="module")
def app() -> App:
    """Return a GitHub App with a key of its own."""
    return App.with_new_key()


@pytest.fixture
def installed(github: FakeGitHub, app: App) -> FakeGitHub:
    """Return GitHub with the App installed on the organisation, which has one private repository."""
    github.install_app(app, "someone-else", "acme")
    github.add_repository("acme", "secret", private=True)
    return github


def as_app(app: App, **more: str) -> dict[str, str]:
    """Return the environment that names an App."""
    return {"GITHUB_APP_ID": str(app.id), "GITHUB_APP_PRIVATE_KEY": app.private_key_pem or ""} | more


def issued(github: FakeGitHub) -> int:
    """Return how many installation tokens GitHub was asked for."""
    return sum(ACCESS_TOKENS(request) for request in github.requests)


def test_a_wrong_token_is_one_line_and_touches_nothing(github: FakeGitHub, tmp_path: Path) -> None:
    """With a token that GitHub refuses, a run says so in one line, exits non-zero, and changes nothing."""
    github.add_repository("acme", "one", private=True)
    backup = {"organization": "acme", "github": {"api_url": github.api_url}}
    workspace = Workspace(tmp_path / "run", {"backup": backup}, {"GITHUB_TOKEN": WRONG})
    kept = workspace.path / "results" / "repositories" / "one.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("from before\n")

    run = workspace.backup()

    *before, said = run.output.strip().splitlines()
    refused = "Error: GitHub refuses the token (401 Bad credentials) (set GITHUB_TOKEN to "
    assert (True, refused) == (run.code != 0, said[: len(refused)])
    assert [] == [line for line in before if "rror" in line or "Traceback" in line]
    assert WRONG not in run.output
    assert "from before\n" == kept.read_text()
    left = {name for name in files_below(workspace.path) if not name.startswith(".snakemake/")}
    assert {"config/config.yaml", "results/lock", "results/repositories/one.json"} == left


def test_a_token_that_ends_during_a_run_is_named(github: FakeGitHub) -> None:
    """A token revoked after the listing fails each private repository as refused; nothing half-made stays."""
    github.add_repository("acme", "one", private=True)
    backups = folder_backups(github)
    backups.resolve()
    github.revoke_token(TOKEN)

    with pytest.raises(JobFailedError, match=r"^one: mirror failed: .*token"):
        step_mirror(backups.settings, "one")

    failure = read_json(naming.failure_path("one"), Failure)
    assert failure is not None
    assert ("access denied", False) == (failure.kind, failure.transient)
    assert set() == files_below(naming.MIRRORS)


@pytest.mark.parametrize("given", ["variable", "one line", "file"])
def test_an_app_sees_what_it_is_installed_on(
    installed: FakeGitHub, app: App, tmp_path: Path, given: str
) -> None:
    """An App's id and key, given as text or as a file, list the organisation's private repositories."""
    key = app.private_key_pem or ""
    (tmp_path / "app.pem").write_text(key)
    environment = {
        "variable": as_app(app),
        "one line": as_app(app) | {"GITHUB_APP_PRIVATE_KEY": key.replace("\n", "\\n")},
        "file": {"GITHUB_APP_ID": str(app.id), "GITHUB_APP_PRIVATE_KEY_FILE": str(tmp_path / "app.pem")},
    }[given]

    assert ["secret"] == names(connect(installed, environment))


def test_an_app_comes_before_a_token(installed: FakeGitHub, app: App) -> None:
    """Where both are given, the App is used: a runner's own token is set everywhere."""
    assert ["secret"] == names(connect(installed, as_app(app, GITHUB_TOKEN=WRONG)))


def test_each_clone_takes_a_fresh_token(
    installed: FakeGitHub, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where tokens end before the run does, every mirror is made with one that GitHub has just issued."""
    monkeypatch.setattr(github_access, "TOKEN_SECONDS", 60)
    host = connect(installed, as_app(app))
    host.list_repositories()

    used = []
    for _ in range(2):
        installed.revoke_issued_tokens()
        password = host.git_access().password or ""
        used.append(password)
        assert password in installed.access.issued

    assert 2 == len(set(used))


def test_a_token_that_lasts_is_used_again(installed: FakeGitHub, app: App) -> None:
    """A token that is valid for half an hour more serves many clones: no request for each."""
    host = connect(installed, as_app(app))

    passwords = {host.git_access().password for _ in range(5)}

    assert (1, 1) == (len(passwords), issued(installed))


def test_git_is_given_the_apps_token(installed: FakeGitHub, app: App, tmp_path: Path) -> None:
    """What git sends is the installation's token, under the user name that GitHub asks for."""
    host = connect(installed, as_app(app))
    (repository,) = host.list_repositories()

    mirror_repository(repository, tmp_path / "m", settings_for(installed).backup, host.git_access)

    sent = {request.authorization for request in installed.git_requests() if request.authorization}
    (basic,) = sent
    user, _, password = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
    assert ("x-access-token", True) == (user, password in installed.access.issued)
    upstream = installed.repository("acme", "secret").path
    assert refs(upstream) == refs(tmp_path / "m" / "secret.git")


def test_an_app_that_is_not_installed_is_named(github: FakeGitHub, app: App) -> None:
    """An App without an installation on the organisation is an error that says what to do."""
    github.install_app(app, "someone-else")
    with pytest.raises(HostError, match=r"not installed on acme.*install it"):
        connect(github, as_app(app)).list_repositories()


@pytest.mark.parametrize("wrong", ["key", "id"])
def test_a_refused_app_is_named(installed: FakeGitHub, app: App, wrong: str) -> None:
    """A key or an id of another App is one line that names the variables and shows no key."""
    other = App.with_new_key(app.id)
    given = as_app(other) if wrong == "key" else as_app(app, GITHUB_APP_ID="1")

    with pytest.raises(HostError, match=r"GitHub refuses the App.*GITHUB_APP_PRIVATE_KEY") as refused:
        connect(installed, given).list_repositories()

    said = str(refused.value)
    assert (False, False) == ("\n" in said, "BEGIN" in said)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "set GITHUB_APP_PRIVATE_KEY or GITHUB_APP_PRIVATE_KEY_FILE"),
        ({"GITHUB_APP_PRIVATE_KEY": "no key"}, "GITHUB_APP_PRIVATE_KEY is no private key"),
        ({"GITHUB_APP_PRIVATE_KEY_FILE": "/nowhere.pem"}, r"can't read /nowhere\.pem"),
    ],
)
def test_an_app_without_a_usable_key_is_named(
    github: FakeGitHub, environment: dict[str, str], said: str
) -> None:
    """A missing, broken or unreadable key is an error before GitHub is asked anything."""
    with pytest.raises(HostError, match=said):
        connect(github, {"GITHUB_APP_ID": "4321"} | environment)
    assert [] == github.requests


@pytest.mark.usefixtures("waits")
def test_github_failing_to_issue_a_token_is_explained(installed: FakeGitHub, app: App) -> None:
    """A mirror's job that can get no token fails by one line that names GitHub, after some attempts."""
    fault = installed.fault(Fault(ACCESS_TOKENS, status=502))

    with pytest.raises(HostError, match="GitHub"):
        connect(installed, as_app(app)).git_access()

    assert fault.hits > 1


def test_a_limit_on_issuing_tokens_is_not_waited_for_without_end(
    installed: FakeGitHub, app: App, waits: list[float]
) -> None:
    """The bound on waits for GitHub's limits holds for an App's own requests, too."""
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 7200)}
    body = {"message": "API rate limit exceeded for installation ID 5002."}
    installed.fault(Fault(ACCESS_TOKENS, status=403, headers=reset, body=body))

    with pytest.raises(HostError, match="rate limit"):
        connect(installed, as_app(app), max_wait=60).git_access()

    assert [] == [seconds for seconds in waits if seconds > 60]


def partial_tokens(github: FakeGitHub, app: App) -> dict[str, dict[str, str]]:
    """Return environments whose credentials see a part of the organisation only."""
    github.install_app(app, "acme", repositories=("open",))
    actions, _end = github.access.issue(Installation(1, "acme", ("open",)))
    github.add_token("scopeless", Account("robot", scopes="public_repo"))
    return {
        "anonymous": {},
        "Actions": {"GITHUB_TOKEN": actions},
        "App": as_app(app),
        "scopes": {"GITHUB_TOKEN": "scopeless"},
    }


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("anonymous", "GITHUB_TOKEN is not set: only public repositories"),
        ("Actions", "GitHub Actions' own"),
        ("App", "installed on selected repositories of acme only"),
        ("scopes", "lack repo"),
    ],
)
def test_credentials_that_see_a_part_only_are_warned_of(
    github: FakeGitHub, app: App, caplog: pytest.LogCaptureFixture, kind: str, said: str
) -> None:
    """A run with such credentials lists what they see, and a warning says what is missing and why."""
    github.add_repository("acme", "open")
    github.add_repository("acme", "secret", private=True)
    environment = partial_tokens(github, app)[kind]
    caplog.set_level(logging.WARNING)

    assert ["open"] == names(connect(github, environment))

    assert 1 == sum(said in record.getMessage() for record in caplog.records)


def test_credentials_that_see_all_are_not_warned_of(
    github: FakeGitHub, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A token with the scope ``repo`` sees private repositories, and nothing is said against it."""
    github.add_repository("acme", "secret", private=True)
    caplog.set_level(logging.WARNING)

    mirror(github, "secret", tmp_path / "m")

    assert [] == [record.getMessage() for record in caplog.records]
    assert any(request.authorization for request in github.git_requests())
    assert TOKEN not in caplog.text

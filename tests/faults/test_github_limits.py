"""GitHub's limits and bad days: what is waited for, for how long, and what is asked again."""

from __future__ import annotations

import time

import pytest

from repo_maintenance import naming
from repo_maintenance.errors import HostError
from repo_maintenance.hosts import github as github_host
from repo_maintenance.hosts.github_retry import ATTEMPTS
from tests.conftest import TOKEN
from tests.faults.in_process import connect, names
from tests.servers.github import FakeGitHub, Fault, matching
from tests.servers.proxy import Break, FaultProxy

LISTING = matching("/orgs/acme/repos")
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}


@pytest.fixture
def one(github: FakeGitHub) -> FakeGitHub:
    """Return GitHub with one repository in the organisation."""
    github.add_repository("acme", "one")
    return github


@pytest.mark.parametrize("status", [403, 429])
def test_a_used_up_quota_is_waited_for(one: FakeGitHub, waits: list[float], status: int) -> None:
    """Where the quota starts anew within ``github.max_wait``, the run waits until then, and lists all."""
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 600)}
    body = {"message": "API rate limit exceeded for user ID 1."}
    one.fault(Fault(LISTING, times=1, status=status, headers=headers, body=body))

    assert ["one"] == names(connect(one, max_wait=900))

    assert [True] == [570 < seconds <= 602 for seconds in waits]


@pytest.mark.parametrize("status", [403, 429])
def test_a_longer_wait_is_not_waited_for(one: FakeGitHub, waits: list[float], status: int) -> None:
    """Where the quota starts anew later, the run stops at once and says when to come back."""
    reset = int(time.time()) + 7200
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    one.fault(Fault(LISTING, status=status, headers=headers, body={"message": "API rate limit exceeded"}))

    with pytest.raises(HostError, match="rate limit is used up") as stopped:
        names(connect(one, max_wait=3600))

    moments = [time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(reset + late)) for late in (0, 1, 60)]
    assert any(f"run again after {moment}" in str(stopped.value) for moment in moments), stopped.value
    assert "backup.github.max_wait" in str(stopped.value)
    assert ([], 1) == (waits, len(one.api_requests()))


@pytest.mark.parametrize("status", [403, 429, 503])
def test_what_github_asks_to_wait_is_waited(one: FakeGitHub, waits: list[float], status: int) -> None:
    """``Retry-After`` is obeyed to the second, whichever way GitHub refuses."""
    one.fault(Fault(LISTING, times=1, status=status, headers={"Retry-After": "17"}, body=SECONDARY))

    assert ["one"] == names(connect(one))

    assert [17] == waits


@pytest.mark.parametrize("status", [403, 429, 503])
def test_no_request_to_wait_goes_beyond_the_bound(one: FakeGitHub, waits: list[float], status: int) -> None:
    """``Retry-After`` beyond ``github.max_wait`` ends the run, so that no server holds it for a day."""
    one.fault(Fault(LISTING, status=status, headers={"Retry-After": "86400"}, body=SECONDARY))

    with pytest.raises(HostError, match="run again"):
        names(connect(one, max_wait=900))

    assert [] == [seconds for seconds in waits if seconds > 900]


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_is_waited_for_a_minute_and_longer(
    one: FakeGitHub, waits: list[float], status: int
) -> None:
    """Where GitHub does not say how long, a minute is waited at least, and each time longer."""
    one.fault(Fault(LISTING, times=3, status=status, body=SECONDARY))

    assert ["one"] == names(connect(one))

    assert [60, 120, 240] == waits


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_without_end_ends_the_run(one: FakeGitHub, waits: list[float], status: int) -> None:
    """The growing waits stay below ``github.max_wait``; then the run stops."""
    one.fault(Fault(LISTING, status=status, body=SECONDARY))

    with pytest.raises(HostError, match="rate limit"):
        names(connect(one, max_wait=300))

    assert [60, 120, 240] == waits


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_asked_again(one: FakeGitHub, status: int) -> None:
    """One answer of a server that is unwell costs a second request, and nothing else."""
    one.fault(Fault(LISTING, times=1, status=status))
    assert ["one"] == names(connect(one))


def test_server_errors_are_asked_again_ever_later_but_not_for_ever(
    one: FakeGitHub, waits: list[float]
) -> None:
    """The waits double, by no fixed amount, and after some attempts the run ends with GitHub's answer."""
    fault = one.fault(Fault(LISTING, status=500))

    with pytest.raises(HostError, match="500"):
        names(connect(one))

    assert 1 + ATTEMPTS == fault.hits
    assert [1, 2, 3, 4, 5] == [int(seconds).bit_length() - 1 for seconds in waits]
    assert len(waits) == len({seconds % 1 for seconds in waits})


@pytest.mark.parametrize("status", [400, 401, 404, 451])
def test_what_will_not_pass_is_not_asked_again(one: FakeGitHub, waits: list[float], status: int) -> None:
    """An answer that would be the same again ends the run at once, in one line."""
    fault = one.fault(Fault(matching("repos|/user"), status=status, body={"message": "No."}))

    with pytest.raises(HostError) as stopped:
        names(connect(one))

    assert "\n" not in str(stopped.value)
    assert ([], fault.hits) == (waits, len({request.path for request in one.api_requests()}))


CUTS = {
    "before the answer": Break("cut", 0),
    "by a reset": Break("reset", 0),
    "in the status line": Break("cut", 9),
    "in the headers": Break("cut", 300),
    "in the body": Break("cut", 3000),
    "in the body, by a reset": Break("reset", 3000),
    "by silence": Break("stall", 0),
    "by silence in the body": Break("stall", 3000),
}


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_dropped_connection_is_made_again(
    one: FakeGitHub, monkeypatch: pytest.MonkeyPatch, cut: Break
) -> None:
    """A connection that breaks once, wherever in the answer, costs a second one; the listing is whole."""
    monkeypatch.setattr(github_host, "TIMEOUT_SECONDS", 1)
    with FaultProxy("127.0.0.1", one.port) as proxy:
        one.announce_as(proxy.url)
        one.api_url = f"{proxy.url}/api/v3"
        proxy.plan(cut)

        assert ["one"] == names(connect(one))

    assert 1 == proxy.broken


@pytest.mark.usefixtures("waits")
def test_a_server_that_is_not_there_is_named(one: FakeGitHub) -> None:
    """Where nobody answers, one line says which address was tried."""
    one.api_url = "http://127.0.0.1:9/api/v3"
    with pytest.raises(HostError, match=r"can't be reached at http://127\.0\.0\.1:9") as stopped:
        names(connect(one))
    assert "\n" not in str(stopped.value)


def test_an_unchanged_listing_costs_no_quota(github: FakeGitHub) -> None:
    """Answers are kept by ETag: asked again, GitHub says 304, which it does not count."""
    path = github.add_repository("acme", "one").path
    for number in range(150):
        github.add_repository("acme", f"copy-{number}", path)
    names(connect(github))
    left = github.access.quota(TOKEN).remaining
    github.clear_requests()

    again = names(connect(github))

    assert [304, 304] == [request.status for request in github.api_requests()]
    assert (151, left) == (len(again), github.access.quota(TOKEN).remaining)


def test_only_changed_pages_are_sent_again(github: FakeGitHub) -> None:
    """A push changes one page of the listing, and costs one request of the quota."""
    path = github.add_repository("acme", "one").path
    for number in range(150):
        github.add_repository("acme", f"copy-{number}", path)
    host = connect(github)
    before = {repository.name: repository.pushed_at for repository in host.list_repositories()}
    github.touch_push("acme", "copy-149")
    github.clear_requests()

    after = {repository.name: repository.pushed_at for repository in connect(github).list_repositories()}

    assert [304, 200] == [request.status for request in github.api_requests()]
    assert {"copy-149"} == {name for name, moment in after.items() if moment != before[name]}


def test_a_spoilt_cache_of_listings_costs_one_request(one: FakeGitHub) -> None:
    """A half-written cache is never believed: the listing is asked for whole again."""
    names(connect(one))
    for page in naming.LISTINGS.iterdir():
        page.write_text(page.read_text()[:50])

    assert ["one"] == names(connect(one))
    assert 200 == one.api_requests()[-1].status

"""Promises of where a restored repository may be pushed to: the token reaches its own host, encrypted."""

from __future__ import annotations

import pytest

from repo_maintenance.errors import PushError
from repo_maintenance.push import push_access, remote_address

SECRET = "a-token"


@pytest.mark.parametrize(
    "address",
    [
        "http://github.com/new/a.git",
        "http://127.0.0.1.example.org/new/a.git",
        "git://github.com/new/a.git",
        "ssh://github.com/new/a.git",
        "ext::sh -c id",
        "new/a.git",
        "",
    ],
)
def test_a_token_never_goes_over_an_open_line(address: str) -> None:
    """Only https is allowed, and http to this machine alone; the error says what to give."""
    with pytest.raises(PushError, match="protocol") as refused:
        push_access(address, SECRET)
    assert "https://" in str(refused.value.hint)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("address", ["https://me:hidden@github.com/new/a.git", "https://hidden@github.com/a"])
def test_no_password_stands_in_an_address(address: str) -> None:
    """An address is logged and noted, so a password in it is refused, and is not repeated."""
    with pytest.raises(PushError, match="must not hold") as refused:
        push_access(address, SECRET)
    assert "hidden" not in str(refused.value)


def test_the_token_is_for_the_remote_s_own_host() -> None:
    """A redirection elsewhere does not get it, and neither does a folder."""
    access = push_access("https://git.example.org:8443/new/a.git", SECRET)
    assert ("git.example.org:8443", SECRET, ("https",)) == (access.host, access.password, access.protocols)
    assert push_access("file:///srv/new/a.git", SECRET).password is None


def test_a_name_can_not_leave_its_place_in_the_address() -> None:
    """Each repository has its own address, whatever characters its name has."""
    template = "https://github.com/new/{repo}.git"
    assert "https://github.com/new/a-b.c.git" == remote_address(template, "a-b.c")
    assert "https://github.com/new/a%3Fb%23.git" == remote_address(template, "a?b#")

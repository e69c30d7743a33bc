"""Promises of the workflow commands: what comes from outside stays text, and secrets are masked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from repo_maintenance.action.commands import Annotation, Mute, find_secrets, mask


def parse(command: str) -> tuple[str, str, str]:
    """Read an annotation as GitHub's runner does: its level, title and message."""
    level, _space, rest = command.removeprefix("::").partition(" ")
    properties, _end, data = rest.partition("::")
    (title,) = [part.removeprefix("title=") for part in properties.split(",")]
    for escape, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        title = title.replace(escape, character)
        if escape not in {"%3A", "%2C"}:
            data = data.replace(escape, character)
    return level, title, data


@given(title=st.text(), message=st.text())
def test_a_message_arrives_as_it_is(title: str, message: str) -> None:
    """Whatever a repository or an error is called, the runner reads back exactly that, from one line."""
    command = str(Annotation("error", title, message))

    assert ("error", title, message) == parse(command)
    assert not set("\r\n") & set(command)


def test_a_message_is_no_second_command() -> None:
    """A message that holds a command of its own does not become one."""
    command = str(Annotation("error", "a::b,file=x", "first\n::set-output name=a::b"))

    assert "::error title=a%3A%3Ab%2Cfile=x::first%0A::set-output name=a::b" == command


def test_each_secret_is_masked_line_by_line() -> None:
    """Tokens, keys and the addresses of channels are masked; names of files and empty values are not."""
    environment = {
        "GITHUB_TOKEN": "ghs_0123456789",
        "GITHUB_APP_PRIVATE_KEY": "-----BEGIN KEY-----\nabcdefgh\n",
        "GITHUB_APP_PRIVATE_KEY_FILE": "/run/key.pem",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_SESSION_TOKEN": "session-token",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "REPO_MAINTENANCE_NOTIFY_MAIL": "mailtos://user:pass@example.org",
        "REPO_MAINTENANCE_HEARTBEAT_URL": "https://hc.example.org/uuid",
        "REPO_MAINTENANCE_FORCE": "true-ish",
        "SMTP_PASSWORD": "short",
    }

    assert [
        "ghs_0123456789",
        "-----BEGIN KEY-----",
        "abcdefgh",
        "session-token",
        "mailtos://user:pass@example.org",
        "https://hc.example.org/uuid",
    ] == list(find_secrets(environment))
    assert "::add-mask::50%25" == mask("50%")


def test_nobody_can_end_a_mute_but_who_began_it() -> None:
    """Each stretch without commands has a token of its own that can't be guessed."""
    one, other = Mute.new(), Mute.new()

    assert one.token != other.token
    assert 32 == len(one.token)
    assert f"::stop-commands::{one.token}" == one.begin
    assert f"::{one.token}::" == one.end

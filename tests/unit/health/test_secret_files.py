"""Promises of the check for files that look like secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repo_maintenance.settings import Severity
from tests.unit.health.making import commit, look, messages

PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n"
SECRET = "hunter2hunter2"
SECRETS = {
    "id_rsa": PRIVATE,
    "deploy/id_ed25519": PRIVATE,
    "server.key": "-----BEGIN PRIVATE KEY-----\n",
    "certs/both.pem": "-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\n",
    ".env": f"PORT=80\nexport DB_PASSWORD='{SECRET}'\n",
    "app/.env.production": f"STRIPE_SECRET_KEY={SECRET}\n",
    ".npmrc": f"//registry.example.org/:_authToken={SECRET}\n",
    ".pypirc": f"[pypi]\nusername = a\npassword = {SECRET}\n",
    ".netrc": "machine a login b password c\n",
    ".aws/credentials": "[default]\n",
    "keys.kdbx": "x",
    "my-service-account.json": json.dumps({"private_key": "-----BEGIN"}),
    ".git-credentials": "https://a:b@example.org\n",
}
HARMLESS: dict[str, str | bytes] = {
    "id_rsa.pub": "ssh-rsa AAAA\n",
    "chain.pem": "-----BEGIN CERTIFICATE-----\n",
    "public.key": "-----BEGIN PUBLIC KEY-----\n",
    ".env": "PORT=80\nDEBUG=1\nDB_PASSWORD=\nAPI_KEY=${API_KEY}\n",
    ".env.example": f"API_KEY={SECRET}\n",
    ".npmrc": "save-exact=true\n//registry.example.org/:_authToken=${NPM_TOKEN}\n",
    "docs/environment.md": f"password = {SECRET}\n",
    "keynote.key": b"PK\x03\x04" + bytes(range(256)),
}


@pytest.mark.parametrize("path", SECRETS)
def test_each_kind_of_secret_is_found(path: str, tmp_path: Path) -> None:
    """A key, a password file or a token is critical, and what it says is shown to nobody."""
    found = look(commit(tmp_path / "one.git", {path: SECRETS[path]}), "secret_files")

    assert [f"{path} looks like a secret"] == messages(found)
    assert [Severity.CRITICAL] == [finding.severity for finding in found.findings]
    assert SECRET not in found.model_dump_json()


@pytest.mark.parametrize("path", HARMLESS)
def test_what_only_sounds_like_one_is_none(path: str, tmp_path: Path) -> None:
    """Public keys, certificates, templates and settings without a secret are no finding."""
    assert [] == look(commit(tmp_path / "one.git", {path: HARMLESS[path]}), "secret_files").findings


def test_deleting_a_secret_does_not_hide_it(tmp_path: Path) -> None:
    """What was deleted can still be cloned: it is found, also on another branch, and the finding says so."""
    path = commit(tmp_path / "one.git", {"id_rsa": PRIVATE, "a.txt": "x\n"})
    commit(path, {"id_rsa": None})
    commit(path, {"b/.netrc": "x"}, branch="topic")

    assert {
        "id_rsa looks like a secret, in the history only",
        "b/.netrc looks like a secret, in the history only",
    } == set(messages(look(path, "secret_files")))


def test_a_secret_of_before_counts_where_the_file_is_now_clean(tmp_path: Path) -> None:
    """A token that was overwritten is in the history all the same."""
    path = commit(tmp_path / "one.git", {".env": SECRETS[".env"]})
    commit(path, {".env": "PORT=80\n"})

    assert [".env looks like a secret"] == messages(look(path, "secret_files"))


def test_known_ones_can_be_left_alone_and_many_are_counted(tmp_path: Path) -> None:
    """Keys for tests are named in `ignore`; a folder full of keys does not fill the report."""
    files = {f"tests/{number}.p12": "x" for number in range(3)} | {
        f"live/{number}.p12": "y" for number in range(4)
    }
    found = look(
        commit(tmp_path / "one.git", files),
        "secret_files",
        settings={"ignore": ["tests/.*"], "limits": {"most": 2}},
    )

    assert ["live/0.p12 looks like a secret", "live/1.p12 looks like a secret"] == messages(found)[:2]
    assert ["2 more files that look like secrets"] == messages(found)[2:]

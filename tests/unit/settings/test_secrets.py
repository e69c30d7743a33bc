"""Promises about secrets: a configuration that holds one is refused, and its words are repeated nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from repo_maintenance.errors import SettingsError
from repo_maintenance.settings import load_settings

CLASSIC = "ghp_" + "a1B2" * 9
FINE_GRAINED = "github_pat_" + "A1b2" * 10
INSTALLATION = "ghs_" + "x9Y8" * 9
AWS_ID = "AKIA" + "ABCDEFGH12345678"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEsomething\n"


@pytest.mark.parametrize(
    ("path", "config", "secret"),
    [
        ("backup.github.token", {"backup": {"github": {"token": "hunter2secret"}}}, "hunter2secret"),
        ("github_token", {"github_token": "hunter2secret"}, "hunter2secret"),
        (
            "backup.s3.secret_access_key",
            {"backup": {"s3": {"bucket": "b", "secret_access_key": "s3cr3t"}}},
            "s3cr3t",
        ),
        ("backup.s3.password", {"backup": {"s3": {"bucket": "b", "password": 73571234}}}, "73571234"),
        ("backup.organization", {"backup": {"organization": CLASSIC}}, CLASSIC),
        ("backup.organization", {"backup": {"organization": f"x {FINE_GRAINED}"}}, FINE_GRAINED),
        ("backup.patterns.1", {"backup": {"patterns": ["a", INSTALLATION]}}, INSTALLATION),
        ("backup.s3.bucket", {"backup": {"s3": {"bucket": AWS_ID}}}, AWS_ID),
        ("logging.format", {"logging": {"format": PEM}}, "MIIEsomething"),
        (
            "backup.github.api_url",
            {"backup": {"github": {"api_url": "https://robot:hunter2@github.example.org/api/v3"}}},
            "hunter2",
        ),
        (
            "notifications.channels.ops.url",
            {"notifications": {"channels": {"ops": {"url": "slack://T0KEN/s3cr3t"}}}},
            "s3cr3t",
        ),
        (
            "notifications.channels.ops",
            {"notifications": {"channels": {"ops": "https://hooks.example.org/s3cr3t"}}},
            "s3cr3t",
        ),
        ("notifications.channels", {"notifications": {"channels": {"slack://s3cr3t": {"x": 1}}}}, "s3cr3t"),
    ],
)
def test_a_secret_is_refused_and_not_repeated(path: str, config: dict[str, Any], secret: str) -> None:
    """The refusal names the place, never the value, wherever the value stands."""
    with pytest.raises(SettingsError) as refused:
        load_settings(config, {})

    assert f"{path}: " in str(refused.value)
    assert secret not in str(refused.value)


def test_a_secret_in_a_variable_for_settings_is_refused() -> None:
    """The environment is a secret's place, but not under a name that sets the configuration."""
    with pytest.raises(SettingsError, match=r"backup\.s3\.endpoint_url") as refused:
        load_settings(
            {}, {"REPO_MAINTENANCE_BACKUP__S3": "{bucket: b, endpoint_url: 'https://me:hunter2@host'}"}
        )
    assert "hunter2" not in str(refused.value)


def test_addresses_of_channels_set_nothing() -> None:
    """The variables of channels and heartbeat are read by those who send there, and are no settings."""
    secrets = {
        "REPO_MAINTENANCE_NOTIFY_OPS": "slack://s3cr3t",
        "REPO_MAINTENANCE_HEARTBEAT_URL": "https://hc/s3cr3t",
    }
    settings = load_settings({"notifications": {"channels": {"ops": None}}}, secrets)
    assert list(settings.notifications.channels) == ["ops"]
    assert "s3cr3t" not in repr(settings)


def test_a_secret_is_said_with_all_other_problems() -> None:
    """A secret hides no other problem, and is itself one problem only."""
    with pytest.raises(SettingsError, match="2 problems") as refused:
        load_settings({"backup": {"github": {"token": "hunter2"}, "max_age_days": 0}}, {})
    assert "backup.max_age_days" in str(refused.value)


def test_words_about_secrets_are_none() -> None:
    """A repository may be called `token-service`: only secrets, and places for them, are refused."""
    config = {"backup": {"organization": "secret-lab", "patterns": ["token-.*", "password_.*"]}}
    assert load_settings(config, {}).backup.patterns == ["token-.*", "password_.*"]

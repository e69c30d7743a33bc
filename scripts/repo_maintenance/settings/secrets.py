"""Finds secrets in a configuration, so that it can be refused: secrets come from the environment only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

_SECRET_KEY = re.compile(
    r"token|secret|password|passwd|credential|private_?key|access_?key|api_?key|aws_session", re.IGNORECASE
)
# The prefixes of GitHub's tokens: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
# and of AWS's key ids: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_SECRET_VALUE = re.compile(
    r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}"
    r"|\b(AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY"
)
_URL_WITH_USER = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s@]+@", re.IGNORECASE)


def find_secrets(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, why) for each place in a configuration that holds, or asks for, a secret.

    Never yields the value itself.
    """
    match value:
        case str() if _SECRET_VALUE.search(value):
            yield path, "looks like a token or a key"
        case str() if path.startswith("notifications.") and "://" in value:
            yield path, "a channel's address is a secret, and comes from REPO_MAINTENANCE_NOTIFY_{NAME}"
        case str() if _URL_WITH_USER.search(value):
            yield path, "an address with a user name or password in it"
        case Mapping():
            for key, item in value.items():
                inner = f"{path}.{key}" if path else str(key)
                if _SECRET_KEY.search(str(key)) and isinstance(item, str | int):
                    yield inner, "a secret's place is the environment"
                else:
                    yield from find_secrets(item, inner)
        case Sequence() if not isinstance(value, str | bytes):
            for index, item in enumerate(value):
                yield from find_secrets(item, f"{path}.{index}")
        case _:
            return

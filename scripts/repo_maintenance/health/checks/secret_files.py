"""Files that look like keys, passwords or tokens, anywhere in the history."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repo_maintenance.health import Examined, Found, Severity, check
from repo_maintenance.health.tree import Blob

# Always a secret, by their names alone.
SECRETS = re.compile(
    r"(.*/)?(\.netrc|_netrc|\.pgpass|\.my\.cnf|\.htpasswd|\.git-credentials|\.aws/credentials"
    r"|[^/]+\.(kdbx?|keystore|jks|p12|pfx|ppk)|credentials\.json|client_secrets?\.json)",
    re.IGNORECASE,
)
# A secret where the content says so: the name is also that of a public part, or of a harmless file.
PERHAPS = re.compile(
    r"(.*/)?(id_(rsa|dsa|ecdsa|ed25519)|[^/]+\.(pem|key)|\.npmrc|\.pypirc|\.dockercfg|\.docker/config\.json"
    r"|[^/]*service[-_]?account[^/]*\.json"
    r"|\.env(\.(?!(example|sample|template|dist|defaults?|schema)$)[^./]+)?)",
    re.IGNORECASE,
)
TELLING = re.compile(
    rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY|_authToken[ \t]*=[ \t]*[^\s$]|password[ \t]*[=:][ \t]*[^\s$]"
    rb"|\"auth\"\s*:\s*\"[^\"$]|\"private_key\"\s*:\s*\"-"
    rb"|^[ \t]*(export[ \t]+)?\w*(KEY|TOKEN|SECRET|PASSWORD|PASSWD)\w*[ \t]*=[ \t]*['\"]?[^\s'\"$<{]",
    re.IGNORECASE | re.MULTILINE,
)
READ_BYTES = 16_384


@check(
    severity=Severity.CRITICAL,
    remedy="take the secret for known: revoke it first, then remove it from the history (git filter-repo)",
    limits={"most": 10, "most_read": 100},
    archived=True,
)
def secret_files(repository: Examined) -> Iterator[Found]:
    """Find what looks like a key, a password or a token, also where it was deleted since."""
    seen: dict[str, None] = {}
    read = 0
    for blob in repository.tree.additions():
        if blob.path in seen or repository.is_ignored(blob.path):
            continue
        if SECRETS.fullmatch(blob.path):
            seen[blob.path] = None
        elif PERHAPS.fullmatch(blob.path) and read < repository.limits["most_read"]:
            read += 1
            if _tells(repository, blob):
                seen[blob.path] = None
    most = repository.limits["most"]
    for path in list(seen)[:most]:
        gone = "" if path in repository.tree.files else ", in the history only"
        yield Found(f"{path} looks like a secret{gone}", path)
    if len(seen) > most:
        yield Found(f"{len(seen) - most} more files that look like secrets")


def _tells(repository: Examined, blob: Blob) -> bool:
    """Whether a file's content is that of a secret; it is looked at, and shown to nobody."""
    return TELLING.search(repository.tree.begins(blob, READ_BYTES)) is not None

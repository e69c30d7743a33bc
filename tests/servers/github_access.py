"""Decides who a request comes from and what that one may see: tokens, App installations, quotas."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.github_state import Repository

LONGEST_JWT = 600  # seconds: GitHub Docs, "Generating a JSON Web Token for a GitHub App"
TOKEN_SECONDS = 3600
HOUR = 3600


class BadCredentialsError(Exception):
    """A token that isn't valid; the text is GitHub's `message`."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a token belongs to.

    `scopes=None` is a fine-grained token, which has no X-OAuth-Scopes; `organisations=None` means a member of
    all; `write=False` may read only.
    """

    login: str
    scopes: str | None = "repo,read:org"
    organisations: tuple[str, ...] | None = None
    write: bool = True

    def may_use_private(self) -> bool:
        """Whether the token's scopes reach private repositories."""
        return self.scopes is None or "repo" in {scope.strip() for scope in self.scopes.split(",")}

    def belongs_to(self, owner: str) -> bool:
        """Whether `owner` is the account itself or an organisation that it is a member of."""
        if owner.lower() == self.login.lower() or self.organisations is None:
            return True
        return owner.lower() in {name.lower() for name in self.organisations}


@dataclass(frozen=True, slots=True)
class Installation:
    """An App's installation on an account, for all of its repositories (None) or for those named."""

    id: int
    login: str
    repositories: tuple[str, ...] | None = None
    permissions: tuple[tuple[str, str], ...] = (("contents", "read"), ("metadata", "read"))


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App; with `private_key_pem` its JSON Web Tokens are verified, else only decoded."""

    id: int = 4321
    slug: str = "backup-app"
    private_key_pem: str | None = field(default=None, repr=False)

    @classmethod
    def with_new_key(cls, app_id: int = 4321) -> App:
        """Return an App with an RSA key of its own."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return cls(app_id, private_key_pem=pem.decode())

    def check(self, token: str) -> None:
        """Raise BadCredentialsError unless `token` is this App's JSON Web Token, of ten minutes at most."""
        try:
            claims = self._claims(token)
        except jwt.ExpiredSignatureError:
            raise BadCredentialsError(
                "'Expiration time' claim ('exp') must be a numeric value in the future"
            ) from None
        except jwt.InvalidTokenError:
            raise BadCredentialsError("A JSON web token could not be decoded") from None
        if claims["exp"] > time.time() + LONGEST_JWT + 5:
            raise BadCredentialsError("'Expiration time' claim ('exp') is too far in the future")
        if str(claims["iss"]) != str(self.id):
            raise BadCredentialsError("'Issuer' claim ('iss') must be an Integer")

    def _claims(self, token: str) -> dict[str, Any]:
        required: Any = {"require": ["exp", "iat", "iss"], "verify_iss": False}
        if self.private_key_pem is None:
            return jwt.decode(token, options=required | {"verify_signature": False, "verify_exp": True})
        private = serialization.load_pem_private_key(self.private_key_pem.encode(), password=None)
        assert isinstance(private, rsa.RSAPrivateKey)
        return jwt.decode(token, private.public_key(), algorithms=["RS256"], options=required)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: nobody, an account by its token, or an App's installation."""

    token: str | None = None
    account: Account | None = None
    installation: Installation | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether the request carried no credentials."""
        return self.token is None

    def can_read(self, repository: Repository) -> bool:
        """Whether the repository exists for this viewer."""
        if self.installation is not None:
            return repository.visibility == "public" or self._installed_on(repository)
        if not repository.private:
            return True
        account = self.account
        return (
            account is not None and account.may_use_private() and account.belongs_to(repository.owner.login)
        )

    def can_write(self, repository: Repository) -> bool:
        """Whether a push would be taken."""
        if self.installation is not None:
            return self._installed_on(repository) and ("contents", "write") in self.installation.permissions
        account = self.account
        if account is None or not account.write or not account.belongs_to(repository.owner.login):
            return False
        return self.can_read(repository) and account.scopes != ""

    def sees_installation(self, repository: Repository) -> bool:
        """Whether the repository is among those that the viewer's installation was given."""
        return self.installation is not None and self._installed_on(repository)

    def _installed_on(self, repository: Repository) -> bool:
        assert self.installation is not None
        if repository.owner.login.lower() != self.installation.login.lower():
            return False
        return self.installation.repositories is None or repository.name in self.installation.repositories


@dataclass(slots=True)
class Quota:
    """Requests that a token has in an hour."""

    limit: int
    used: int = 0
    reset: int = field(default_factory=lambda: int(time.time()) + HOUR)

    @property
    def remaining(self) -> int:
        """How many are left."""
        return max(0, self.limit - self.used)

    def renew(self) -> None:
        """Start anew once the reset is past."""
        if self.reset <= time.time():
            self.used, self.reset = 0, int(time.time()) + HOUR

    def take(self) -> None:
        """Count a request."""
        self.used = min(self.limit, self.used + 1)


@dataclass(slots=True)
class Access:
    """The valid tokens, those issued to App installations with their end (seconds since 1970), the quotas."""

    tokens: dict[str, Account]
    issued: dict[str, tuple[Installation, float]] = field(default_factory=dict)
    quotas: dict[str | None, Quota] = field(default_factory=dict)
    limit: int = 5000
    anonymous_limit: int = 60

    def issue(self, installation: Installation) -> tuple[str, float]:
        """Return a fresh installation token and its end, one hour on."""
        token, end = f"ghs_{secrets.token_hex(18)}", time.time() + TOKEN_SECONDS
        self.issued[token] = (installation, end)
        return token, end

    def viewer(self, token: str | None) -> Viewer:
        """Return who a token belongs to; raises BadCredentialsError for one unknown or ended."""
        if token is None:
            return Viewer()
        if token in self.tokens:
            return Viewer(token, account=self.tokens[token])
        installation, end = self.issued.get(token, (None, 0.0))
        if installation is None or end <= time.time():
            raise BadCredentialsError("Bad credentials")
        return Viewer(token, installation=installation)

    def quota(self, token: str | None) -> Quota:
        """Return the quota of a token, or of those without one."""
        limit = self.anonymous_limit if token is None else self.limit
        quota = self.quotas.setdefault(token, Quota(limit))
        quota.renew()
        return quota


def api_token(authorization: str | None) -> str | None:
    """Return the token of an API request's Authorization: `token …`, `Bearer …` or Basic."""
    if not authorization:
        return None
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        return basic_token(authorization)
    return value.strip()


def basic_token(authorization: str | None) -> str | None:
    """Return a Basic Authorization's password, or its user name where the password is empty; else None."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return user if password in ("", "x-oauth-basic") else password

"""The section ``backup``: each key with a description, a default and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PositiveInt, field_validator, model_validator

from repo_maintenance.settings.sections import NonEmpty, RegularExpression, Section, WebAddress, bare_name

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

Choice = Literal["include", "exclude", "only"]
Visibility = Literal["public", "private", "internal"]


class GitHubSettings(Section):
    """How GitHub is reached."""

    api_url: WebAddress = "https://api.github.com"
    """Address of GitHub's API. For GitHub Enterprise Server: `https://HOST/api/v3`."""

    max_wait: PositiveInt = 900
    """The longest wait for a rate limit, in seconds; where GitHub asks for more, the run stops."""

    @property
    def is_loopback(self) -> bool:
        """Whether the server runs on this machine, the only place where plain http is allowed."""
        return urlsplit(self.api_url).hostname in LOOPBACK_HOSTS

    @field_validator("api_url")
    @classmethod
    def _is_encrypted(cls, url: str) -> str:
        if url.startswith("http://") and urlsplit(url).hostname not in LOOPBACK_HOSTS:
            raise ValueError("a token must not travel over plain http; use https://")
        return url


class GitSettings(Section):
    """How git behaves on a bad network."""

    attempts: PositiveInt = 4
    """How often a transfer is tried in all, where its failure may pass."""

    wait_seconds: Annotated[float, Field(ge=0)] = 5.0
    """The wait before the second attempt; it doubles with each further one, with some chance added."""

    stall_seconds: PositiveInt = 60
    """A transfer slower than 1,000 bytes a second for so long is given up."""


class FilterSettings(Section):
    """Which of the repositories whose names match are kept."""

    archived: Choice = "include"
    """Archived repositories: `include`, `exclude`, or `only` these."""

    forks: Choice = "include"
    """Forks: `include`, `exclude`, or `only` these."""

    visibility: list[Visibility] = ["public", "private", "internal"]
    """Keep repositories of these visibilities."""

    topics: list[str] = []
    """Keep repositories that carry at least one of these topics; all where the list is empty."""

    max_size_mb: PositiveInt | None = None
    """Leave out repositories that GitHub reports as larger than this, in MB; `null` for no limit."""


class ObjectLockSettings(Section):
    """How long new objects can't be deleted."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    """`GOVERNANCE` can be lifted by those with the permission to; `COMPLIANCE` by nobody."""

    days: PositiveInt
    """For how many days from the upload."""


class S3Settings(Section):
    """An S3 bucket, or one of a compatible service, as the store."""

    bucket: NonEmpty
    """Name of the bucket."""

    region: str | None = None
    """Region of the bucket; `null` leaves it to the AWS environment."""

    prefix: str = "backups/"
    """What every key begins with; a slash is added at its end where it has none."""

    endpoint_url: WebAddress | None = None
    """Address of an S3-compatible service; `null` for AWS."""

    storage_class: NonEmpty | None = None
    """Storage class of new objects, such as `STANDARD_IA`; `null` for the bucket's default."""

    sse: Literal["AES256", "aws:kms"] | None = None
    """Encryption of new objects at rest; `null` for the bucket's default."""

    kms_key_id: NonEmpty | None = None
    """The KMS key for `sse: aws:kms`; `null` for the account's own key for S3."""

    object_lock: ObjectLockSettings | None = None
    """Keeps new objects from being deleted; the bucket must have been made with object lock."""

    acl: Literal["private", "bucket-owner-full-control", "bucket-owner-read"] | None = None
    """Canned ACL of new objects; the public ones are not offered. `null` sends none."""

    @field_validator("bucket")
    @classmethod
    def _is_no_address(cls, bucket: str) -> str:
        return bare_name(bucket, "the bucket alone, and its folder in prefix")

    @model_validator(mode="after")
    def _key_needs_kms(self) -> Self:
        if self.kms_key_id is not None and self.sse != "aws:kms":
            raise ValueError("kms_key_id: goes with sse: aws:kms only")
        return self

    @field_validator("prefix")
    @classmethod
    def _is_folder(cls, prefix: str) -> str:
        if prefix.startswith("/") or ".." in prefix.split("/"):
            raise ValueError("a prefix must not begin with a slash nor hold '..'")
        return prefix if prefix.endswith("/") or not prefix else f"{prefix}/"


class IncrementalSettings(Section):
    """Backups that hold only what the last full one lacks."""

    full_every: PositiveInt = 26
    """At the latest, one in so many backups of a repository is full; 1: all are."""


class BackupSettings(Section):
    """What is backed up, from where, to where, and how often."""

    enabled: bool = True
    """`false`: a run does nothing and says so."""

    organization: NonEmpty | None = None
    """The GitHub organisation or user whose repositories are backed up."""

    folder: Path | None = None
    """A folder of git repositories, bare or not, as the source in place of GitHub."""

    patterns: list[RegularExpression] = [".*"]
    """Python regular expressions, matched against the whole name; what matches one is kept."""

    exclude: list[RegularExpression] = []
    """Python regular expressions, matched against the whole name; what matches one is left out."""

    filters: FilterSettings = FilterSettings()
    """Further conditions on what is kept."""

    github: GitHubSettings = GitHubSettings()
    """How GitHub is reached."""

    git: GitSettings = GitSettings()
    """How git behaves on a bad network."""

    s3: S3Settings | None = None
    """The bucket that backups go to."""

    directory: Path = Path("backups")
    """The local folder that backups go to where `s3` is not given."""

    max_age_days: PositiveInt = 30
    """A repository without a push gets a new backup when its newest is older than this many days."""

    incremental: IncrementalSettings | None = None
    """Lets a backup hold only what the last full one lacks; `null`: each backup is full."""

    replace_rewritten: bool = False
    """Whether a second backup on a day replaces the first, also where history was rewritten in between."""

    cache: Path | None = None
    """A folder that keeps mirrors between runs, so that only what is new is fetched; `null` for none."""

    pull_requests: bool = True
    """Whether the mirror holds `refs/pull/*`, the heads of pull requests."""

    wikis: bool = True
    """Whether the wiki of a repository is backed up beside it, where there is one."""

    lfs: bool = True
    """Whether the Git LFS objects of all refs are backed up with a repository."""

    keep_mirrors: bool = False
    """Keep `results/mirrors/` after the upload instead of deleting each mirror."""

    keep_archives: bool = False
    """Keep `results/archives/` after the upload instead of deleting each tarball."""

    @field_validator("organization")
    @classmethod
    def _is_no_address(cls, organization: str | None) -> str | None:
        return bare_name(organization, "the organisation or user alone") if organization else organization

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.organization is not None and self.folder is not None:
            raise ValueError("organization, folder: give one of the two, not both")
        return self

"""Promises of loading: file and environment in, settings out, or every problem at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_maintenance.errors import SettingsError
from repo_maintenance.settings import Settings, load_settings

ROOT = Path(__file__).parents[3]
LEGACY = """
backup:
  enabled: true
  organization: "quantecon"        # a GitHub organisation or user
  patterns: ["lecture-.*"]         # Python regular expressions, matched against the whole name
  exclude: []
  s3: {bucket: "bucket-name", region: "us-east-1", prefix: "backups/", endpoint_url: null}
logging: {level: INFO, format: "%(asctime)s - %(name)s - %(levelname)s - %(message)s", file: null}
"""


def problems_of(config: dict[str, Any], environment: dict[str, str] | None = None) -> list[str]:
    """Return the lines of the refusal that name a problem."""
    with pytest.raises(SettingsError) as refused:
        load_settings(config, environment or {})
    return [line.strip() for line in str(refused.value).splitlines() if line.startswith("  ")]


def test_a_file_of_the_earlier_tool_works_as_it_is() -> None:
    """The shape that an earlier tool had is read, each key as what it says."""
    loaded = load_settings(yaml.safe_load(LEGACY), {})

    backup = loaded.backup
    assert (
        *(backup.enabled, backup.organization),
        *(backup.patterns, backup.exclude),
    ) == (True, "quantecon", ["lecture-.*"], [])
    assert backup.s3 is not None
    assert (
        *(backup.s3.bucket, backup.s3.region),
        *(backup.s3.prefix, backup.s3.endpoint_url),
    ) == ("bucket-name", "us-east-1", "backups/", None)
    assert (loaded.logging.level, loaded.logging.file) == ("INFO", None)


def test_our_own_file_loads() -> None:
    """`config/config.yaml` is a valid configuration, and what it says are the defaults."""
    content = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    assert Settings() == load_settings(content, {})


def test_what_a_commented_file_offers_is_valid() -> None:
    """Every key that `config/config.yaml` holds as a comment is right as soon as its mark is taken away."""
    lines = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8").splitlines()
    offered = [line.replace("# ", "", 1) if _is_key(line) else line for line in lines]
    config = yaml.safe_load("\n".join(offered))

    assert len(config["backup"]) > len(yaml.safe_load("\n".join(lines))["backup"])
    assert load_settings(config, {}).backup.organization is not None


def _is_key(line: str) -> bool:
    """Tell a key that was made a comment from prose."""
    text = line.strip().removeprefix("# ").strip()
    word = text.partition(":")[0]
    return line.startswith("  #") and ":" in text and word.isidentifier() and word.islower()


def test_nothing_at_all_is_a_configuration() -> None:
    """Without a file everything has its default: the example, into the folder `backups`, every 30 days."""
    backup = load_settings({}, {}).backup
    assert (None, None, Path("backups"), 30, True) == (
        *(backup.organization, backup.folder, backup.directory),
        *(backup.max_age_days, backup.enabled),
    )


def test_the_environment_overrides_the_file() -> None:
    """A variable wins over the file; its neighbours in the same section stay as the file has them."""
    environment = {
        "REPO_MAINTENANCE_BACKUP__ORGANIZATION": "other",
        "REPO_MAINTENANCE_BACKUP__S3__BUCKET": "elsewhere",
        "REPO_MAINTENANCE_BACKUP__PATTERNS": "[a.*, b]",
        "REPO_MAINTENANCE_BACKUP__MAX_AGE_DAYS": "7",
        "REPO_MAINTENANCE_BACKUP__ENABLED": "false",
        "REPO_MAINTENANCE_BACKUP__FILTERS": "{forks: exclude}",
        "REPO_MAINTENANCE_LOGGING__LEVEL": "DEBUG",
        "REPO_MAINTENANCE_FORCE": "true",
        "UNRELATED": "x",
    }
    loaded = load_settings(yaml.safe_load(LEGACY), environment)

    backup = loaded.backup
    assert (
        *(backup.organization, backup.patterns),
        *(backup.max_age_days, backup.enabled),
    ) == ("other", ["a.*", "b"], 7, False)
    assert backup.s3 is not None
    assert (backup.s3.bucket, backup.s3.region) == ("elsewhere", "us-east-1")
    assert (backup.filters.forks, loaded.logging.level, loaded.force) == ("exclude", "DEBUG", True)


def test_a_variable_unsets_with_null() -> None:
    """`null` takes away what the file gives, so that a bucket can be left for a folder."""
    loaded = load_settings(yaml.safe_load(LEGACY), {"REPO_MAINTENANCE_BACKUP__S3": "null"})
    assert loaded.backup.s3 is None


def test_a_name_of_digits_stays_a_name() -> None:
    """An organisation called 0123 is not the number 123."""
    assert load_settings({}, {"REPO_MAINTENANCE_BACKUP__ORGANIZATION": "0123"}).backup.organization == "0123"


@pytest.mark.parametrize(
    "environment",
    [
        {"REPO_MAINTENANCE_BACKUP__ORGANISATION": "x"},
        {"REPO_MAINTENANCE_BACKUP__PATTERNS": "[a, b"},
        {"REPO_MAINTENANCE_BACKUP__MAX_AGE_DAYS": "often"},
        {"REPO_MAINTENANCE_BACKUP": "text", "REPO_MAINTENANCE_BACKUP__S3__BUCKET": "b"},
    ],
)
def test_a_bad_variable_is_refused(environment: dict[str, str]) -> None:
    """A variable is checked like the file, and the refusal names it or its key."""
    with pytest.raises(SettingsError, match=r"(?i)backup"):
        load_settings({}, environment)


def test_every_problem_is_said_at_once() -> None:
    """Unknown keys, wrong types and bad expressions are all listed, each with its path in the file."""
    lines = problems_of(
        {
            "backup": {
                "organisation": "quantecon",
                "patterns": ["lecture-(", "fine"],
                "exclude": "not-a-list",
                "max_age_days": "soon",
                "filters": {"forks": "no", "visibility": ["secret"]},
                "s3": {"buckett": "b"},
                "github": {"api_url": "ftp://example.org"},
            },
            "loging": {},
        }
    )
    paths = [
        *("backup.organisation", "backup.patterns.0", "backup.exclude", "backup.max_age_days"),
        *("backup.filters.forks", "backup.filters.visibility.0", "backup.s3.buckett", "backup.s3.bucket"),
        *("backup.github.api_url", "loging"),
    ]
    assert sorted(paths) == sorted(line.partition(":")[0] for line in lines)


@pytest.mark.parametrize(
    ("config", "nearest"),
    [
        ({"backup": {"organisation": "x"}}, "organization"),
        ({"backup": {"max_age": 3}}, "max_age_days"),
        ({"backup": {"s3": {"bucket": "b", "end_point": None}}}, "endpoint_url"),
        ({"backup": {"filters": {"fork": "only"}}}, "forks"),
        ({"bakup": {}}, "backup"),
    ],
)
def test_the_nearest_key_is_offered(config: dict[str, Any], nearest: str) -> None:
    """Whoever mistypes a key is told the one that was meant."""
    [line] = problems_of(config)
    assert f"did you mean '{nearest}'?" in line


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"organization": "x"}, "organization: unknown key; it stands elsewhere: backup.organization"),
        ({"backup": {"bucket": "x"}}, "backup.bucket: unknown key; it stands elsewhere: backup.s3.bucket"),
        ({"backup": None}, "backup: nothing in it; indent its keys below it"),
        ({"backup": {"s3": "my-bucket"}}, "backup.s3: not a section; indent its keys below it"),
        ({"backup": {"patterns": "a.*"}}, 'backup.patterns: not a list; write ["a.*"]'),
        ({"backup": {"exclude": None}}, "backup.exclude: not a list; write […]"),
    ],
)
def test_a_key_in_the_wrong_place_or_shape_is_named_with_the_right_one(
    config: dict[str, Any], said: str
) -> None:
    """Whoever puts a key elsewhere, forgets to indent, or leaves out brackets, reads what to write."""
    assert [said] == problems_of(config)


@pytest.mark.parametrize(
    ("organization", "name"),
    [
        ("https://github.com/my-org", "my-org"),
        ("https://github.com/my-org/repo", "my-org"),
        ("github.com/my-org/", "my-org"),
        ("my-org/repo", "my-org"),
        ("/", "my-name"),
    ],
)
def test_an_address_in_place_of_an_organisation_is_refused(organization: str, name: str) -> None:
    """Whoever copies the organisation's address is told its name, before the network is asked."""
    [line] = problems_of({"backup": {"organization": organization}})
    assert f"backup.organization: name the organisation or user alone, such as {name}" == line


@pytest.mark.parametrize("bucket", ["s3://my-bucket", "s3://my-bucket/backups/", "my-bucket/backups"])
def test_an_address_in_place_of_a_bucket_is_refused(bucket: str) -> None:
    """Whoever copies the bucket's address is told its name, and where its folder goes."""
    [line] = problems_of({"backup": {"s3": {"bucket": bucket}}})
    assert "backup.s3.bucket: name the bucket alone, and its folder in prefix, such as my-bucket" == line


def test_an_access_point_is_a_bucket() -> None:
    """The ARN of an access point, which has slashes, is taken as S3 takes it."""
    arn = "arn:aws:s3:us-east-1:123456789012:accesspoint/backups"
    loaded = load_settings({"backup": {"s3": {"bucket": arn}}}, {})
    assert loaded.backup.s3 is not None
    assert arn == loaded.backup.s3.bucket


def test_the_valid_keys_are_offered_where_none_is_near() -> None:
    """Whoever invents a key is told those that there are in that section."""
    [line] = problems_of({"backup": {"s3": {"bucket": "b", "xyzzy": 1}}})
    assert all(key in line for key in ("bucket", "region", "prefix", "endpoint_url"))


keys = st.sampled_from(["backup", "s3", "bucket", "patterns", "logging", "organization", "force"]) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40)
@given(st.dictionaries(keys, values, max_size=4), st.dictionaries(st.text(), st.text(), max_size=2))
def test_no_configuration_ends_in_a_traceback(config: dict[str, Any], variables: dict[str, str]) -> None:
    """Whatever YAML and environment hold, there are settings, or a refusal that a user can read."""
    environment = {f"REPO_MAINTENANCE_{name}": value for name, value in variables.items()}
    try:
        loaded = load_settings(config, environment)
    except SettingsError as error:
        assert str(error)
    else:
        assert isinstance(loaded, Settings)

"""The sections ``restore``, ``verify`` and ``retention``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, field_validator

from repo_maintenance.naming import parse_date
from repo_maintenance.settings.sections import RegularExpression, Section


class RestoreSettings(Section):
    """What is put back, from which day, and to where; meant for the command line."""

    repositories: list[RegularExpression] = [".*"]
    """Names or regular expressions, matched against the whole names of stored repositories."""

    date: str = "latest"
    """`latest`, or YYYYMMDD, also YYYY-MM-DD: the newest backup of that day or before."""

    into: Path = Path("results/restored")
    """The folder that gets a folder for each repository."""

    push_to: str | None = None
    """Address of the remote that each is pushed to, with `{repo}` for its name; `null` pushes nothing."""

    create: bool = False
    """Make repositories that are missing at `push_to` by GitHub's API, private."""

    @field_validator("date", mode="before")
    @classmethod
    def _is_a_day(cls, date: object) -> object:
        text = str(date)  # YAML reads 20261122 as a number, and 2026-11-22 as a date
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):  # as previews and reports show it
            text = text.replace("-", "")
        if text != "latest":
            try:
                parse_date(text)
            except ValueError as error:
                raise ValueError("give latest, or a day as YYYYMMDD") from error
        return text

    @field_validator("push_to")
    @classmethod
    def _names_each(cls, address: str | None) -> str | None:
        if address is not None and "{repo}" not in address:
            raise ValueError("must hold {repo}, or all repositories would go to one remote")
        return address


class VerifySettings(Section):
    """Which backups are proven restorable by a run of `verify`."""

    which: Literal["due", "newest", "all"] = "due"
    """`due`: those not proven for `every_days`, oldest proof first; `newest` of each repository; or `all`."""

    every_days: PositiveInt = 30
    """How long a proof lasts."""

    budget_mb: PositiveInt | None = None
    """How much is downloaded in one run, in MB, so that a weekly run proves all in turn; `null`: no limit."""


class RetentionSettings(Section):
    """Which backups `prune` keeps: what any of the rules keeps, stays."""

    enabled: bool = False
    """`prune` deletes nothing until this is `true`."""

    keep_last: Annotated[int, Field(ge=1)] = 3
    """The newest backups of each repository, whatever their age."""

    daily_days: Annotated[int, Field(ge=0)] = 30
    """One backup a day for so many days."""

    weekly_weeks: Annotated[int, Field(ge=0)] = 12
    """One backup a week for so many weeks."""

    monthly_months: Annotated[int, Field(ge=0)] = 12
    """One backup a month for so many months."""

    yearly_years: Annotated[int, Field(ge=0)] = 10
    """One backup a year for so many years."""

    max_vanished: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Nothing is deleted where more than this share of the stored repositories is no longer listed."""

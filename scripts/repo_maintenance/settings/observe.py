"""The section ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from repo_maintenance.settings.sections import Section

Price = Annotated[float, Field(ge=0)]

# USD for a GiB and month in us-east-1, 2026: https://aws.amazon.com/s3/pricing/
PRICES = {
    "STANDARD": 0.023,
    "INTELLIGENT_TIERING": 0.023,
    "STANDARD_IA": 0.0125,
    "ONEZONE_IA": 0.01,
    "GLACIER_IR": 0.004,
    "GLACIER": 0.0036,
    "DEEP_ARCHIVE": 0.00099,
}


class ReportSettings(Section):
    """What the report says, and where it is written."""

    directory: Path = Path("results/report")
    """The folder that gets `report.json`, `report.md` and `index.html`."""

    currency: str = "USD"
    """The currency of `prices`."""

    prices: dict[str, Price] = PRICES
    """Price of a GiB and month by S3 storage class; a class that is not named counts as `STANDARD`."""

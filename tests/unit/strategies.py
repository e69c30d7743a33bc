"""What hypothesis draws from."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from repo_maintenance.naming import REPOSITORY_PATTERN, BackupName

repository_names = st.from_regex(REPOSITORY_PATTERN, fullmatch=True).filter(
    lambda name: name not in {".", ".."}
)
dates = st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31))
moments = st.datetimes(
    dt.datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone itself
    dt.datetime(2100, 12, 31),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)
backup_names = st.builds(BackupName, repository_names, dates)

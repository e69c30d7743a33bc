"""The section ``alerts``: each with its threshold."""

from __future__ import annotations

from pydantic import PositiveInt

from repo_maintenance.settings.sections import Section


class AlertSettings(Section):
    """What an administrator is told of, and from which threshold on."""

    max_age_days: PositiveInt = 40
    """A newest backup that is older than so many days is late; more than `backup.max_age_days`."""

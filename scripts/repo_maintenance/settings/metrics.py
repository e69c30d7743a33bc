"""The section ``metrics``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from repo_maintenance.settings.sections import Section, WebAddress


def _for_the_collector(path: Path) -> Path:
    if path.suffix != ".prom":
        raise ValueError("its name must end in .prom: the node exporter reads no other files")
    return path


class MetricsSettings(Section):
    """Where the metrics for Prometheus go at the end of each backup and verify."""

    textfile: Annotated[Path, AfterValidator(_for_the_collector)] | None = None
    """A file `….prom` in the folder of the node exporter's textfile collector; `null` for none."""

    pushgateway: WebAddress | None = None
    """Address of a Pushgateway, such as `http://pushgateway:9091`; `null` for none."""

    @property
    def is_configured(self) -> bool:
        """Whether the metrics go anywhere by themselves."""
        return self.textfile is not None or self.pushgateway is not None

"""Hands the metrics to Prometheus: as a file for the textfile collector, or to a Pushgateway."""

from __future__ import annotations

from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path

from prometheus_client import CollectorRegistry, push_to_gateway, write_to_textfile
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from repo_maintenance.errors import MetricsError
from repo_maintenance.metrics import Family

NAMESPACE = "repo_maintenance"
TIMEOUT_SECONDS = 10.0


class _Found(Collector):
    """Metrics that were found once."""

    def __init__(self, metrics: list[GaugeMetricFamily]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return them."""
        return self._metrics


def registry_of(families: Iterable[Family], source: str) -> CollectorRegistry:
    """Return the metrics as prometheus_client has them; each has the label ``source``.

    So two organisations that are backed up on one machine are told apart.
    """
    registry = CollectorRegistry()
    registry.register(_Found([_convert(family, source) for family in families]))
    return registry


def write_textfile(registry: CollectorRegistry, path: Path) -> None:
    """Write the metrics to a file, through another one beside it and a rename; raises MetricsError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(path), registry)
    except OSError as error:
        hint = "check metrics.textfile, and who may write there"
        raise MetricsError(f"{path}: {error.strerror or error}", hint=hint) from error


def push(registry: CollectorRegistry, gateway: str, source: str) -> None:
    """Put the metrics in place of those that were pushed of this source before; raises MetricsError."""
    try:
        push_to_gateway(
            gateway, NAMESPACE, registry, grouping_key={"source": source}, timeout=TIMEOUT_SECONDS
        )
    except (OSError, HTTPException, ValueError) as error:
        hint = "check metrics.pushgateway, and that it runs"
        raise MetricsError(f"{gateway} does not take them: {error}", hint=hint) from error


def _convert(family: Family, source: str) -> GaugeMetricFamily:
    names = list(family.samples[0][0])
    metric = GaugeMetricFamily(f"{NAMESPACE}_{family.name}", family.meaning, labels=["source", *names])
    for labels, value in family.samples:
        metric.add_metric([source, *(labels[name] for name in names)], value)
    return metric

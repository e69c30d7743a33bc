"""From how everything stands to metrics for Prometheus.

in:   the host's list and the store alone; the section metrics of the configuration
out:  metrics.textfile, metrics.pushgateway; results/metrics.prom where neither is configured
"""


localrules:
    metrics,


rule metrics:
    """Write and push metrics for Prometheus: how everything stands."""
    log:
        "results/logs/metrics.log",
    message:
        "Metrics"
    run:
        meter.produce(Path(log[0]))

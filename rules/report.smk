"""From the listing, the store and its history to a report: whether all is safe, and what is not.

in:   the host's list, the store's list, its newest proofs and records of runs
out:  report.json, report.md and index.html in the folder report.directory of the configuration
"""


localrules:
    report,


rule report:
    """Say whether every repository is safe: report.json, report.md, and the dashboard index.html."""
    log:
        "results/logs/report.log",
    message:
        "Report"
    run:
        observer.report(Path(log[0]))

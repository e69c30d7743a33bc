"""From the listings and a mirror to what is to be done about each repository.

in:   results/health/facts/{repo}.json    what the listings say (written when the run looks around)
out:  results/health/{repo}.json          what was found, until the next run; all of it: results/health.json
"""


rule health:
    """Check every repository for what a backup does not cure; findings never fail the run."""
    input:
        checked_notes,
    message:
        "Every repository is looked at"


rule check_repository:
    """Step of health: look at one repository with every check that is for it."""
    input:
        facts="results/health/facts/{repo}.json",
    output:
        note="results/health/{repo}.json",
    log:
        "results/logs/health/{repo}.log",
    resources:
        disk_mb=mirror_mb,
    message:
        "Check {wildcards.repo}"
    run:
        checkup.check(log=Path(log[0]), **paths(input, output))

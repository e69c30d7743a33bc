"""Whether a backup would work: GitHub, the store and this machine, each finding with a remedy.

in:   nothing
out:  nothing but what is said; fails where a backup would be in vain
"""


localrules:
    preflight,


rule preflight:
    """Check token, bucket, clock, git and disk before anything is done."""
    log:
        "results/logs/preflight.log",
    message:
        "Preflight"
    run:
        this_run.preflight(Path(log[0]))

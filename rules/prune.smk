"""From all backups to those that the policy keeps.

in:   the host's list and the store's list; the section retention of the configuration
out:  nothing but what is said; `snakemake -n prune` shows what would go, and why
"""


localrules:
    prune,


rule prune:
    """Delete the backups that the retention policy lets go; -n shows which, and why."""
    input:
        prune_preview,
    log:
        "results/logs/prune.log",
    message:
        "Prune"
    run:
        upkeep.prune(Path(log[0]))

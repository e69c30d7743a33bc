"""From stored backups to proofs: each is restored into scratch space, and the proof is kept beside it.

in:   the store alone; which backups: the section verify of the configuration
out:  results/verified/{repo}-{date}.json    the proof, also stored beside the backup
"""


rule verify:
    """Prove stored backups by restoring them; fails where one can't be."""
    input:
        verified_notes,
    message:
        "Every backup whose turn it was is proven"


rule verify_backup:
    """Step of verify: restore a backup into scratch space, compare it with its manifest, and keep the proof."""
    output:
        note="results/verified/{repo}-{date}.json",
    log:
        "results/logs/verify/{repo}-{date}.log",
    message:
        "Verify {wildcards.repo} of {wildcards.date}"
    run:
        upkeep.verify(wildcards.repo, wildcards.date, log=Path(log[0]), **paths(output))

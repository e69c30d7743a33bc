"""From stored backups back to repositories: download, check, unpack, check again; then push, if so asked.

in:   the store alone; which, from when and to where: --config restore='{…}'
out:  results/restore/{repo}-{date}.json    that it is restored, how it was checked
      results/pushed/{repo}-{date}.json     that it is pushed, where that was asked for
"""


rule restore:
    """Put stored repositories back, checked: --config restore='{repositories: […], date: …, into: …}'."""
    input:
        restored_notes,
    message:
        "Every repository that was asked for is restored"


rule restore_repository:
    """Step of restore: download a backup, check it in every way, and only then give its folder the final name."""
    output:
        note="results/restore/{repo}-{date}.json",
    log:
        "results/logs/restore/{repo}-{date}.log",
    message:
        "Restore {wildcards.repo} as of {wildcards.date}"
    run:
        upkeep.restore(wildcards.repo, wildcards.date, log=Path(log[0]), **paths(output))


rule push_repository:
    """Step of restore: push a repository to its new remote: branches, tags, notes and LFS objects."""
    input:
        restored="results/restore/{repo}-{date}.json",
    output:
        note="results/pushed/{repo}-{date}.json",
    log:
        "results/logs/push/{repo}-{date}.log",
    message:
        "Push {wildcards.repo}"
    run:
        upkeep.push(wildcards.repo, wildcards.date, log=Path(log[0]), **paths(input, output))

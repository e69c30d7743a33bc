"""From a record to a stored backup: mirror, archive, upload.

in:   results/repositories/{repo}.json                    what upstream says (written when the run resolves)
out:  results/uploaded/{repo}-{date}.tar.gz.uploaded      the receipt of a stored and checked backup
"""


rule mirror_repository:
    """Step of backup: make a complete bare mirror of a repository."""
    input:
        record="results/repositories/{repo}.json",
    output:
        folder=temp_unless(settings.backup.keep_mirrors, directory("results/mirrors/{repo}")),
    log:
        "results/logs/mirror/{repo}.log",
    priority: larger_first
    resources:
        disk_mb=disk_mb,
    message:
        "Mirror {wildcards.repo}"
    run:
        steps.mirror(settings, this_run.open_host, log=Path(log[0]), **paths(input, output))


rule archive_repository:
    """Step of backup: write the mirror to a dated tarball, and describe it."""
    input:
        record="results/repositories/{repo}.json",
        folder="results/mirrors/{repo}",
    output:
        tarball=temp_unless(settings.backup.keep_archives, "results/archives/{repo}-{date}.tar.gz"),
        description=temp_unless(settings.backup.keep_archives, "results/archives/{repo}-{date}.json"),
    log:
        "results/logs/archive/{repo}-{date}.log",
    priority: 1
    resources:
        disk_mb=disk_mb,
    message:
        "Archive {wildcards.repo}"
    run:
        steps.archive(wildcards.date, log=Path(log[0]), watch=watch.compare, **paths(input, output))


rule upload_backup:
    """Step of backup: store the tarball, check that it arrived whole, and write its receipt."""
    input:
        record="results/repositories/{repo}.json",
        tarball="results/archives/{repo}-{date}.tar.gz",
        description="results/archives/{repo}-{date}.json",
    output:
        receipt=report(
            "results/uploaded/{repo}-{date}.tar.gz.uploaded",
            caption="captions/receipt.rst",
            category="Backups",
            labels={"repository": "{repo}", "date": "{date}"},
        ),
    log:
        "results/logs/upload/{repo}-{date}.log",
    priority: 2
    resources:
        disk_mb=disk_mb,
    message:
        "Upload {wildcards.repo}"
    run:
        steps.upload(this_run.open_store, wildcards.date, log=Path(log[0]), **paths(input, output))

"""Back up every repository of a GitHub organisation, and prove that each backup can be restored."""

from snakemake.utils import min_version

min_version("9.27")


include: "rules/settings.smk"


configfile: "config/config.yaml"


report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/backup.smk"
include: "rules/restore.smk"
include: "rules/verify.smk"
include: "rules/prune.smk"
include: "rules/preflight.smk"
include: "rules/alerts.smk"
include: "rules/report.smk"
include: "rules/metrics.smk"
include: "rules/health.smk"


rule backup:
    """Back up every repository that is new, changed, or whose newest backup is too old."""
    input:
        due_receipts,
    message:
        "Every repository is backed up"


onstart:
    keep_linear(workflow)
    this_run.begin()


onsuccess:
    end_run()


onerror:
    end_run()

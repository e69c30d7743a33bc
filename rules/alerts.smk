"""What an administrator is told of: the alerts that stand, the channels, and pins that a person lets go.

in:   the host's list and the store; the sections alerts and notifications; addresses from the environment
out:  nothing but what is said and sent; `unpin` deletes the notes of pinned backups
"""


localrules:
    alerts,
    notify_test,
    unpin,


rule alerts:
    """Show every alert that stands, with what to do about it; sends nothing."""
    log:
        "results/logs/alerts.log",
    message:
        "Alerts"
    run:
        notifier.show(Path(log[0]))


rule notify_test:
    """Send one message to each channel of the section notifications."""
    log:
        "results/logs/notify-test.log",
    message:
        "Test of the channels"
    run:
        notifier.test(Path(log[0]))


rule unpin:
    """Let pinned backups go as the policy says: --config unpin='[repository, …]'."""
    log:
        "results/logs/unpin.log",
    message:
        "Unpin"
    run:
        upkeep.unpin(Path(log[0]))

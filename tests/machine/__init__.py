"""What the machine does to a run: a second run, signals, a full disk, another machine, a loss of power."""

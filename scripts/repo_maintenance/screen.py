"""What is said to a person on the screen: where it goes, and that it steers no terminal."""

from __future__ import annotations

import sys


def say(text: str, *, preview: bool = False) -> None:
    """Print for a person: a preview where Snakemake prints its own, all else beside the log."""
    print(text, file=sys.stdout if preview else sys.stderr, flush=True)


def printable(text: str) -> str:
    r"""Return a text from outside on one line, harmless to print.

    Whatever is not printable is written ``\xNN``: line breaks, and what would steer a terminal.
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)

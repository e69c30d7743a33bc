"""How Snakemake was called: the name that remedies give it, and what two of its options take too much of."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from repo_maintenance.errors import SettingsError

NAME = "snakemake"
CONFIG = ("--config", "-C")
CONFIG_FILES = ("--configfile", "--configfiles")
# What Snakemake 9.27 takes for a key: `parse_config` in its cli.py.
_KEY = re.compile(r"[a-zA-Z_][\w-]*\w")


def name_of(called: str, on_path: str | None) -> str:
    """Return what to type for a Snakemake that was called by the path ``called``, its ``sys.argv[0]``.

    ``on_path`` is the one that PATH finds: then its name is enough. So it is where another program, such as a
    test, is what was called.
    """
    path = Path(called)
    if path.parts[-2:] == (NAME, "__main__.py"):
        return f"python -m {NAME}"
    return called if path.name == NAME and called != on_path else NAME


_CALLED_AS = name_of(sys.argv[0] if sys.argv else NAME, shutil.which(NAME))


def as_invoked(arguments: str) -> str:
    """Return the command that runs Snakemake with ``arguments``, in quotes: ``.venv/bin/snakemake``, say."""
    return f"`{_CALLED_AS} {arguments}`"


def refuse_swallowed(words: Sequence[str]) -> None:
    """Raise SettingsError where ``--config`` or ``--configfile`` takes a word that was meant otherwise.

    ``words`` are the command line after the command. Both options take every word up to the next option, as
    argparse has it (``nargs="+"``); of what can't be a setting or a file, Snakemake tells in a traceback.
    """
    for option, taken in _taken_words(words):
        if option in CONFIG:
            _check_settings(option, taken)
        else:
            _check_files(option, taken)


def stop_at_swallowed() -> None:
    """End Snakemake with one line where ``refuse_swallowed`` refuses its command line.

    Called by ``profiles/default``: Snakemake reads its profile before it parses what these options take. The
    library is forgotten again, since the workflow takes the one beside it, which may be another than this.
    """
    try:
        refuse_swallowed(sys.argv[1:])
    except SettingsError as error:
        sys.exit(f"Error: {error}")
    library, *_inner = __name__.split(".")
    for name in [one for one in sys.modules if one == library or one.startswith(f"{library}.")]:
        del sys.modules[name]


def _taken_words(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    for place, word in enumerate(words):
        if word == "--":  # only targets follow
            return
        if word in {*CONFIG, *CONFIG_FILES}:
            following = words[place + 1 :]
            end = next((n for n, one in enumerate(following) if one.startswith("-")), len(following))
            yield word, list(following[:end])


def _check_settings(option: str, taken: Sequence[str]) -> None:
    if any(word.startswith("=") for word in taken) or any(word.endswith("=") for word in taken[:-1]):
        raise SettingsError(f"{option} {' '.join(taken)}: a space beside =", hint="write key=value")
    for word in taken:
        if "=" not in word:
            raise _swallowed(word, option, taken, "a setting")
    for word in taken:
        key, _equals, value = word.partition("=")
        if _KEY.fullmatch(key):
            continue
        if "." in key:
            raise SettingsError(f"{option}: {key} has dots", hint=f"write {option} {_nested(key, value)}")
        raise SettingsError(f"{option}: there is no key {key!r}", hint="config/README.md explains every key")


def _nested(key: str, value: str) -> str:
    """Return a key with dots as ``--config`` takes it: ``section='{key: value}'``."""
    section, *inner = key.split(".")
    return f"{section}='{''.join(f'{{{name}: ' for name in inner)}{value}{'}' * len(inner)}'"


def _check_files(option: str, taken: Sequence[str]) -> None:
    for word in taken:
        if not Path(word).exists():
            if word != taken[0] and word.isidentifier():
                raise _swallowed(word, option, taken, "a file")
            raise SettingsError(f"{option}: there is no file {word}", hint="correct the path")
    from repo_maintenance.settings.slips import refuse_slips  # heavier than the look at the words

    for word in taken:
        if Path(word).suffix != ".json":
            refuse_slips(Path(word))


def _swallowed(word: str, option: str, taken: Sequence[str], taken_for: str) -> SettingsError:
    kept = [one for one in taken if one != word]
    return SettingsError(
        f"{option} takes every word that follows for {taken_for}, also '{word}'",
        hint=f"put the target first: {as_invoked(shlex.join([word, option, *kept] if kept else [word]))}",
    )

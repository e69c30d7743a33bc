"""Slips in a YAML file, each said with its line: Snakemake itself says only that the file is not valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from repo_maintenance.errors import SettingsError


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice in one section, and one that is a section itself, as in ``{{ name }}``.

    Of two, YAML would silently take the last.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is no word", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def refuse_slips(path: Path) -> None:
    """Raise SettingsError, with line and column, where a file is no YAML, or no section at its top.

    A file that is not there is Snakemake's to complain of, or to replace by ``--configfile``.
    """
    try:
        content = yaml.load(path.read_bytes(), Loader=_Strict)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        return
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        raise SettingsError(f"{where}: {error.problem or error.context}", hint=_hint(error)) from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: {error}", hint="save it as UTF-8 text") from error
    if not isinstance(content, dict):
        what = "empty" if content is None else "no section at its top"
        raise SettingsError(f"{path}: {what}", hint="begin with backup: and indent its keys below it")


def _hint(error: yaml.MarkedYAMLError) -> str:
    if "\\t" in str(error.problem):
        return "indent with spaces; YAML takes no tabs"
    if "no word" in str(error.problem):
        return "put quotes around a value that begins with [ or {; placeholders are not filled in here"
    if "twice" in str(error.problem):
        return "keep one of the two"
    return "keys of one section begin in the same column; each [ { and quote needs its end"

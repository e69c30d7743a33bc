"""Poetry's own way to write versions, turned into Python's (PEP 440)."""

from __future__ import annotations

import re

_CARET = re.compile(r"\^\s*(?P<version>[0-9]+(?:\.[0-9]+)*)(?P<rest>\S*)")
_TILDE = re.compile(r"~(?!=)\s*(?P<version>[0-9]+(?:\.[0-9]+)*)(?P<rest>\S*)")


def poetry_specifier(text: str) -> str:
    """Return the specifier that a version constraint of Poetry stands for.

    https://python-poetry.org/docs/dependency-specification/#version-constraints; alternatives (``||``), which
    PEP 440 can't say, stand for any version.
    """
    if "||" in text or text.strip() in {"", "*"}:
        return ""
    return ",".join(_part(part.strip()) for part in text.split(",") if part.strip())


def _part(part: str) -> str:
    if caret := _CARET.fullmatch(part):
        return f">={caret['version']}{caret['rest']},<{_next_after_caret(caret['version'])}"
    if tilde := _TILDE.fullmatch(part):
        numbers = [int(one) for one in tilde["version"].split(".")]
        kept = numbers[:2]
        return f">={tilde['version']}{tilde['rest']},<{_dotted([*kept[:-1], kept[-1] + 1])}"
    return f"=={part}" if re.match(r"[0-9]", part) else part


def _next_after_caret(version: str) -> str:
    """Return the first version that changes the leftmost number that is not zero."""
    numbers = [int(one) for one in version.split(".")]
    place = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    return _dotted([*numbers[:place], numbers[place] + 1])


def _dotted(numbers: list[int]) -> str:
    return ".".join(str(number) for number in numbers)

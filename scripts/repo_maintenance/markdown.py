"""Markdown, as far as all pages share it: how text from outside is shown as it is."""

from __future__ import annotations

import html
import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]|~@#])")


def escape(text: str) -> str:
    """Return text from outside so that Markdown, and the HTML in it, shows it as it is, on one line."""
    return escape_part(" ".join(text.split()))


def escape_part(text: str) -> str:
    """Return a part of a line likewise, with the space around it."""
    return _SPECIAL.sub(r"\\\1", html.escape(text, quote=False))

"""Texts that keep to a width."""

from __future__ import annotations

import html
import textwrap


def wrapped(text: str, width: int, *, lines: int = 3) -> str:
    """A text in lines of at most ``width`` characters, cut after ``lines`` of them, safe for a figure.

    Examples
    --------
    >>> wrapped("Weekly median resolution time", 16)
    'Weekly median<br>resolution time'
    >>> wrapped("one two three four", 5, lines=2)
    'one<br>two …'
    >>> wrapped("share_of_work_packages", 12)
    'share_of_<br>work_<br>packages'
    """
    # identifiers too long for a line break behind their underscores
    words = [w.replace("_", "_\0 ") if len(w) > width else w for w in text.split(" ")]
    lined = textwrap.wrap(" ".join(words), width, break_long_words=True) or [""]
    made = [line.replace("\0 ", "").rstrip("\0") for line in lined]
    if len(made) > lines:
        made = made[:lines]
        made[-1] = made[-1][: width - 2] + " …"
    return "<br>".join(html.escape(line, quote=False) for line in made)

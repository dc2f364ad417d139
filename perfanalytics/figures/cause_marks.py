"""How causes are marked in a figure: by a sign before the name, so that color never carries it alone."""

from __future__ import annotations

from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped

SIGNS = {"confirmed": "✓ ", "refuted": "✗ ", "suspected": ""}
ROOT = "◆ "
COLORS = {"confirmed": style.INK, "refuted": style.GREY, "suspected": style.INK}
LEGEND = "✓ confirmed   ✗ refuted   no sign: suspected   ◆ root cause"


def marked(name: str, state: str, root: bool, width: int, *, lines: int = 4) -> str:
    """The name with its signs, in lines, bold where confirmed.

    Examples
    --------
    >>> marked("No triage", "confirmed", True, 30)
    '<b>◆ ✓ No triage</b>'
    >>> marked("Few people", "refuted", False, 8)
    '✗ Few<br>people'
    """
    bold = state == "confirmed" or root
    # bold letters are wider
    text = wrapped((ROOT if root else "") + SIGNS[state] + name, width - 2 if bold else width, lines=lines)
    return f"<b>{text}</b>" if bold else text


def legend(y: float) -> dict[str, object]:
    """What the signs mean, below the figure."""
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0.0,
        "y": y,
        "xanchor": "left",
        "yanchor": "top",
        "yshift": -6,
        "text": LEGEND,
        "showarrow": False,
        "font": {"size": 11, "color": style.GREY},
    }

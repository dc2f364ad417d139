"""report: results -> one HTML file that opens without network, verdict first."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfanalytics._version import __version__
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result
from perfanalytics.figures.as_json import figure_json
from perfanalytics.figures.plot import FIGURES, figure_dict, further_figures
from perfanalytics.figures.scorecard import LEGEND
from perfanalytics.spc.scorecard import Scorecard

if TYPE_CHECKING:
    import pandas as pd

#: Rows of a table that are printed; the saved result has all of them.
LONGEST_TABLE = 500
#: Tables of more rows can be sorted.
FEWEST_SORTED = 3


@dataclass(frozen=True, slots=True)
class ReportItem:
    """One entry of a report.

    Parameters
    ----------
    name : str
        Heading.
    result : Result, optional
        What was found; None when it could not be computed (then ``error`` says why).
    question : str
        What was asked; printed under the heading.
    group : str
        Chapter of the report ("Control charts"); entries of one group stand together.
    error : str
        Why there is no result.
    serves : str
        The objective it serves.
    extra : tuple of (title, DataFrame)
        Further tables, shown before those of the result.
    verdict : str
        What is said where there is no result: an entry of words and tables (records, for example).
    brief : bool
        Only the verdict, figure and caveats of the result, with the tables in ``extra``; the rest is in the
        saved result.
    """

    name: str
    result: Result | None
    _: KW_ONLY
    question: str = ""
    group: str = "Results"
    error: str = ""
    serves: str = ""
    extra: tuple[tuple[str, pd.DataFrame], ...] = ()
    verdict: str = ""
    brief: bool = False


def report(
    results: Mapping[str, Result] | Sequence[Result | ReportItem],
    path: str | Path,
    *,
    title: str,
    subtitle: str = "",
    background: Sequence[tuple[str, pd.DataFrame]] = (),
    contents: bool = True,
) -> Path:
    """Write one self-contained HTML page.

    The page has a table of contents with every verdict, then for each result the verdict, the figure, the
    numbers, the doubts and the method. The drawing library is inside the file, once; figures are drawn when
    they come into view, and all of them before printing.

    Parameters
    ----------
    results : mapping of name to Result, or sequence of Result and ReportItem
    path : path
        Where to write; the folder must exist.
    title, subtitle : str
    background : sequence of (title, DataFrame)
        What a reader must know first (operational definitions, objectives, events); printed at the end.
    contents : bool
        Whether it begins with the table of contents; False for a page of a single entry.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        When there is nothing to report, or something that is not a result.

    Examples
    --------
    >>> import perfanalytics as perf, tempfile, pathlib
    >>> chart = perf.control_chart([5, 4, 6, 5, 12, 5, 6, 4])
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "report.html"
    >>> page = perf.report({"A first chart": chart}, path, title="First")
    >>> page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    True
    """
    items = _items(results)
    if not items:
        raise InputError("a report needs at least one result")
    path = Path(path)
    entries = [_entry(i, item) for i, item in enumerate(items)]
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        groups.setdefault(entry["group"], []).append(entry)
    here = Path(__file__).parent
    page = _template(here).render(
        title=title,
        subtitle=subtitle,
        groups=groups,
        contents=contents,
        background=_tables(background),
        failed=sum(1 for e in entries if e["error"]),
        version=__version__,
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=(here / "page.js").read_text(encoding="utf-8"),
        sorting=(here / "sort.js").read_text(encoding="utf-8"),
        plotly=_plotly() if any(e["figure"] for e in entries) else "",
    )
    path.write_text(page, encoding="utf-8")
    return path


def _items(results: Mapping[str, Result] | Sequence[Result | ReportItem]) -> list[ReportItem]:
    if isinstance(results, Result):
        results = [results]
    if isinstance(results, Mapping):
        results = [ReportItem(str(name), result) for name, result in results.items()]
    items = []
    for given in results:
        if isinstance(given, Result):
            given = ReportItem(f"{given.provenance.measure}: {given.kind.replace('_', ' ')}", given)
        if not isinstance(given, ReportItem) or not isinstance(given.result, Result | None):
            given = given.result if isinstance(given, ReportItem) else given
            raise InputError(f"a report is made of results, got {type(given).__name__}")
        items.append(given)
    return items


def _entry(number: int, item: ReportItem) -> dict[str, Any]:
    """What the template needs of one item, as plain texts."""
    result = item.result
    entry: dict[str, Any] = {
        "id": f"r{number}-{re.sub(r'[^a-z0-9]+', '-', item.name.lower()).strip('-')}",
        "name": item.name,
        "question": item.question,
        "group": item.group,
        "serves": item.serves,
        "error": item.error,
        "verdict": item.error or item.verdict,
        "definition": "",
        "figure": "",
        "height": 0,
        "further": (),
        "undrawn": (),
        "caveats": (),
        "symbols": (),
        "tables": (),
        "method": (),
    }
    if result is None:
        entry["tables"] = () if item.error else _tables(item.extra)
        return entry
    entry["verdict"] = result.verdict
    entry["caveats"] = result.caveats
    measure = getattr(result, "measure", None)
    if isinstance(measure, Measure) and measure.definition:
        entry["definition"] = f"{measure.label}: {measure.definition}"
    undrawn = []
    if result.kind in FIGURES:
        own, why = _drawn(lambda: [figure_dict(result)])
        entry["figure"], entry["height"] = own[0] if own else ("", 0)
        undrawn.append(why)
    entry["further"], why = _drawn(lambda: further_figures(result))
    entry["undrawn"] = tuple(w for w in (*undrawn, why) if w)
    whole = isinstance(result, Scorecard)
    if whole:
        entry["symbols"] = LEGEND
    if item.brief:
        entry["tables"] = _tables(item.extra)
        return entry
    entry["tables"] = _tables((*item.extra, *result.tables()), longest=None if whole else LONGEST_TABLE)
    entry["method"] = _method(result)
    return entry


def _drawn(draw: Callable[[], list[dict[str, Any]]]) -> tuple[list[tuple[str, int]], str]:
    """Figures as JSON with their heights; none, and why in words, where drawing fails.

    A fault in a drawing must not cost the verdict and the numbers of all other entries: whatever it raises is
    told at the entry.
    """
    try:
        return [(figure_json(f), _height(f)) for f in draw()], ""
    except Exception as error:
        told = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        return (
            [],
            f"The figure could not be drawn ({told.rstrip('.')}). Verdict and numbers do not depend on it.",
        )


def _height(figure: Mapping[str, Any]) -> int:
    """The room a figure needs before it is drawn."""
    return int(figure.get("layout", {}).get("height", 420))


def _tables(
    tables: Sequence[tuple[str, pd.DataFrame]], *, longest: int | None = LONGEST_TABLE
) -> list[dict[str, Any]]:
    """Tables as HTML; long ones are folded away."""
    return [
        {
            "title": f"{title} ({len(frame)})" if len(frame) > 1 else title,
            "html": _table(frame, longest),
            "open": len(frame) <= 30 or longest is None,
        }
        for title, frame in tables
        if len(frame)
    ]


def _table(frame: pd.DataFrame, longest: int | None = LONGEST_TABLE) -> str:
    """An HTML table: texts to the left, numbers to the right, columns without any value left out.

    A single row is told as name and value, which stays readable however many columns there are.
    """
    told = {"verdict", "caveats"}  # the page says these in words
    shown = [
        c for c in frame.columns if c not in told and not frame[c].isna().all() and (frame[c] != "").any()
    ]
    if len(frame) == 1:
        pairs = zip(shown, frame.loc[:, shown].iloc[0].tolist(), strict=True)
        told_pairs = (f"<div><dt>{html.escape(str(c))}</dt><dd>{_cell(v)}</dd></div>" for c, v in pairs)
        return f"<dl class='one'>{''.join(told_pairs)}</dl>"
    numeric = {c: frame[c].dtype.kind in "iufb" for c in shown}
    head = "".join(f"<th{'' if numeric[c] else ' class=t'}>{html.escape(str(c))}</th>" for c in shown)
    rows = []
    printed = frame.loc[:, shown].head(len(frame) if longest is None else longest)
    sortable = len(printed) > FEWEST_SORTED
    for row in printed.itertuples(index=False):
        cells = zip(shown, row, strict=True)
        rows.append(
            "".join(
                f"<td{'' if numeric[c] else ' class=t'}{_sorted_by(v) if sortable else ''}>{_cell(v)}</td>"
                for c, v in cells
            )
        )
    body = "".join(f"<tr>{r}</tr>" for r in rows)
    kind = " class=sortable" if sortable else ""
    text = f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    left = len(frame) - len(printed)
    return text + (f"<p class='more'>{left:,} more rows are in the saved result.</p>" if left > 0 else "")


def _sorted_by(value: object) -> str:
    """What a number is sorted by where it is not printed in full; texts and dates sort as they stand."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return ""
    exact = repr(float(value))
    return f" data-v={exact}" if exact != _cell(value) and value not in (float("inf"), float("-inf")) else ""


def _cell(value: object) -> str:
    """One value as a person reads it."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    if hasattr(value, "isoformat"):
        return html.escape(
            value.isoformat(sep=" ").removesuffix(" 00:00:00") if hasattr(value, "hour") else str(value)
        )
    return html.escape(f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value))


def _number(value: float) -> str:
    """Four significant digits, without exponents where a person reads the number easily."""
    if value == 0 or value in (float("inf"), float("-inf")):
        return {0.0: "0", float("inf"): "∞", float("-inf"): "-∞"}[value]
    if 1e-4 <= abs(value) < 1e7:
        digits = max(0, 3 - int(f"{value:e}".split("e")[1]))
        text = f"{value:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.3g}"


def _method(result: Result) -> list[tuple[str, str]]:
    rows = [("method", result.method.name)]
    rows += [(str(k), _text(v)) for k, v in result.method.parameters.items()]
    p = result.provenance
    rows += [("measure", p.measure), ("points", f"{p.n:,}"), ("clock", p.clock), ("data hash", p.data_hash)]
    if p.selection:
        rows.append(("selection", _text(p.selection)))
    if p.load_ids:
        rows.append(("loads", ", ".join(map(str, p.load_ids))))
    rows.append(("computed by", f"perfanalytics {p.version}"))
    rows += [("reference", r) for r in result.method.references]
    return rows


def _text(value: object) -> str:
    words = getattr(value, "text", None)  # rules and sets of rules say themselves in words
    if isinstance(words, str):
        return words
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_text(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)


def _template(folder: Path) -> Any:
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((folder / "page.html.j2").read_text(encoding="utf-8"))


def _plotly() -> str:
    """The source of plotly.js, as it travels in the plotly package."""
    from plotly.offline import get_plotlyjs

    source: str = get_plotlyjs()
    return source.replace("</script", "<\\/script")

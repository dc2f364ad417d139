"""cause_effect("text") -> CauseEffect: the cause-and-effect diagram (Ishikawa, fishbone)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from perfanalytics.baselines.wording import count
from perfanalytics.core.archive import Archive
from perfanalytics.core.improvement_records import Cause
from perfanalytics.core.result import Caveat, Method
from perfanalytics.practices.car.cause_diagram import (
    CauseDiagram,
    common_doubts,
    fields_of,
    provenance_of,
    states_text,
)
from perfanalytics.practices.car.cause_nodes import NO_CATEGORY, Drawn, read_causes

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CauseEffect(CauseDiagram):
    """Causes of an effect by category: a cause-and-effect diagram. Fields: :class:`CauseDiagram`."""

    kind: ClassVar[str] = "cause_effect"
    schema_version: ClassVar[int] = 1

    def text(self) -> str:
        """The diagram as an indented text: what :func:`cause_effect` was given, without comments."""
        return self._text(categories=True)

    def summary(self) -> pd.DataFrame:
        """One row: effect, analysis, categories, causes, confirmed, refuted, suspected, root, caveats,
        verdict."""
        import pandas as pd

        row = {"effect": self.effect, "analysis": self.analysis, "categories": len(self.categories)}
        return pd.DataFrame(
            [{**row, **self.counts(), "caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}]
        )


def cause_effect(
    source: str | Iterable[Cause] | Archive, *, analysis: str | None = None, effect: str | None = None
) -> CauseEffect:
    """The cause-and-effect diagram of a causal analysis.

    Parameters
    ----------
    source : str, Cause records, or Archive
        An indented text: the effect on the first line, below it the categories, below them causes and
        sub-causes of any depth. Behind a name, in brackets, may stand its state, that it is a root cause, and
        after a colon the evidence: ``No triage [confirmed, root: chart of week 36]``. Or records of causes
        (``category`` is the branch, ``because_of`` the sub-causes), or an archive with both.
    analysis : str, optional
        The causal analysis; needed with an archive.
    effect : str, optional
        What records of causes explain; of an archive the outcome of the analysis.

    Returns
    -------
    CauseEffect
        ``.causes()`` gives the records, ``.text()`` the text.

    Raises
    ------
    InputError
        For a text that is not indented properly, unknown marks, causes behind each other in a circle.
    UnknownNameError
        For an analysis that is not in the archive.

    References
    ----------
    Ishikawa (1986), Guide to Quality Control, 2nd edition, chapter 3.

    Examples
    --------
    >>> d = cause_effect('''
    ... Incidents take too long
    ...   Method
    ...     No decision tree for triage [confirmed, root: comparison "New triage"]
    ...       Nobody owns it
    ...   People
    ...     Few people know the network
    ... ''')
    >>> d.name.tolist()
    ['No decision tree for triage', 'Nobody owns it', 'Few people know the network']
    >>> cause_effect(d.causes("CAR-1"), effect=d.effect).text() == d.text()
    True
    """
    drawn = read_causes(source, analysis=analysis, effect=effect, categories=True)
    fields = fields_of(drawn)
    return CauseEffect(
        verdict=_verdict(drawn),
        caveats=tuple(_doubts(drawn)),
        method=Method(
            "cause_effect",
            {"source": _kind_of(source), "categories": list(drawn.categories)},
            ("Ishikawa (1986), Guide to Quality Control, chapter 3",),
        ),
        provenance=provenance_of(fields),
        **fields,
    )


def _kind_of(source: object) -> str:
    return "text" if isinstance(source, str) else "archive" if isinstance(source, Archive) else "records"


def _doubts(drawn: Drawn) -> Iterator[Caveat]:
    yield from common_doubts(drawn)
    used = {n.category or NO_CATEGORY for n in drawn.nodes}
    empty = [c for c in drawn.categories if c not in used]
    if empty:
        yield Caveat(
            "empty-category",
            f"No cause was found, or looked for, in: {', '.join(empty)}.",
            {"categories": ", ".join(empty)},
        )
    lost = [n.name for n in drawn.nodes if not n.category and n.parent < 0]
    if lost:
        yield Caveat("no-category", f"Without a category: {', '.join(lost)}.", {"causes": ", ".join(lost)})
    if drawn.nodes and not any(n.state == "confirmed" for n in drawn.nodes):
        yield Caveat(
            "nothing-confirmed",
            "No cause is confirmed: the diagram collects what may be, data must say what is.",
            {"confirmed": 0},
        )


def _verdict(drawn: Drawn) -> str:
    once = [n for n in drawn.nodes if not n.repeated]
    if not once:
        return f"No cause of {drawn.effect!r} is on record."
    counts = {s: sum(n.state == s for n in once) for s in ("confirmed", "refuted", "suspected")}
    where = Counter(n.category or NO_CATEGORY for n in once)
    first, many = where.most_common(1)[0]
    in_categories = (
        f"in {first}" if len(where) == 1 else f"in {len(where)} categories, most in {first} ({many})"
    )
    text = f"{count(len(once), 'possible cause')} of {drawn.effect!r} {in_categories}: {states_text(counts)}."
    roots = [n.name for n in once if n.root and n.state != "refuted"]
    if roots:
        text += f" {'Root cause' if len(roots) == 1 else 'Root causes'}: {'; '.join(roots)}."
    return text

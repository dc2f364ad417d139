"""why_tree("text") -> WhyTree: asking why until a cause is found that can be removed (5 whys)."""

from __future__ import annotations

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
from perfanalytics.practices.car.cause_nodes import Drawn, read_causes

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class WhyTree(CauseDiagram):
    """A why-tree: behind each cause those behind it. See :class:`CauseDiagram` for the fields."""

    kind: ClassVar[str] = "why_tree"
    schema_version: ClassVar[int] = 1

    def text(self) -> str:
        """The tree as an indented text."""
        return self._text(categories=False)

    def summary(self) -> pd.DataFrame:
        """One row: effect, analysis, whys (the longest branch), branches (their ends), causes, confirmed,
        refuted, suspected, root, caveats, verdict."""
        import pandas as pd

        whys = int(self.depth.max()) + 1 if len(self.depth) else 0
        row = {
            "effect": self.effect,
            "analysis": self.analysis,
            "whys": whys,
            "branches": len(_ends(self.drawn())),
        }
        return pd.DataFrame(
            [{**row, **self.counts(), "caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}]
        )


def why_tree(
    source: str | Iterable[Cause] | Archive, *, analysis: str | None = None, effect: str | None = None
) -> WhyTree:
    """The why-tree of a causal analysis: each cause with those behind it.

    Parameters
    ----------
    source : str, Cause records, or Archive
        An indented text: the effect on the first line, below each line the causes behind it, marked as in
        :func:`cause_effect`. Or records of causes (``because_of`` says what is behind), or an archive.
    analysis : str, optional
        The causal analysis; needed with an archive.
    effect : str, optional
        What records of causes explain; of an archive the outcome of the analysis.

    Returns
    -------
    WhyTree
        With a caveat for each branch that ends without evidence, and where no root cause is named.

    Raises
    ------
    InputError
        For a text that is not indented properly, unknown marks, causes behind each other in a circle.
    UnknownNameError
        For an analysis that is not in the archive.

    References
    ----------
    Ohno (1988), Toyota Production System, chapter 2.

    Examples
    --------
    >>> t = why_tree('''
    ... Mail was down for days
    ...   The migration went wrong [confirmed: PRB-17]
    ...     No trial run was made [confirmed, root: minutes of 21 May]
    ...     The tool was new
    ... ''')
    >>> t.caveat_codes, t.causes("CAR-1")[0].because_of
    (('ends-without-evidence',), ('No trial run was made', 'The tool was new'))
    """
    drawn = read_causes(source, analysis=analysis, effect=effect, categories=False)
    fields = fields_of(drawn)
    origin = "text" if isinstance(source, str) else "archive" if isinstance(source, Archive) else "records"
    return WhyTree(
        verdict=_verdict(drawn),
        caveats=tuple(_doubts(drawn)),
        method=Method("why_tree", {"source": origin}, ("Ohno (1988), Toyota Production System, chapter 2",)),
        provenance=provenance_of(fields),
        **fields,
    )


def _ends(drawn: Drawn) -> list[int]:
    """Where branches end: causes with nothing behind them."""
    above = {n.parent for n in drawn.nodes}
    return [k for k, n in enumerate(drawn.nodes) if k not in above and not n.repeated]


def _doubts(drawn: Drawn) -> Iterator[Caveat]:
    yield from common_doubts(drawn)
    ends = [drawn.nodes[k] for k in _ends(drawn)]
    bare = [n.name for n in ends if n.state != "refuted" and not n.evidence]
    if bare:
        yield Caveat(
            "ends-without-evidence",
            f"Branches that end without evidence: {'; '.join(bare)}.",
            {"causes": "; ".join(bare), "branches": len(ends)},
        )
    if drawn.nodes and not any(n.root for n in drawn.nodes):
        yield Caveat("no-root", "No cause is named as the root: nothing yet to be removed.", {"root": 0})
    above = {n.parent for n in drawn.nodes}
    half = [n.name for n in drawn.nodes if n.root and n.state == "suspected" and not n.repeated]
    if half:
        yield Caveat(
            "root-not-confirmed",
            f"Root cause, but not confirmed: {'; '.join(half)}.",
            {"causes": "; ".join(half)},
        )
    early = [n.name for k, n in enumerate(drawn.nodes) if n.root and k in above]
    if early:
        yield Caveat(
            "root-not-last",
            f"Root cause, though something is behind it: {'; '.join(early)}.",
            {"causes": "; ".join(early)},
        )


def _verdict(drawn: Drawn) -> str:
    once = [n for n in drawn.nodes if not n.repeated]
    if not once:
        return f"No cause of {drawn.effect!r} is on record."
    counts = {s: sum(n.state == s for n in once) for s in ("confirmed", "refuted", "suspected")}
    whys = max(n.depth for n in once) + 1
    text = (
        f"{count(len(once), 'cause')} of {drawn.effect!r}, up to {count(whys, 'why')} deep: "
        f"{states_text(counts)}."
    )
    roots = [f"{n.name} ({n.state})" for n in once if n.root and n.state != "refuted"]
    if not roots:
        return f"{text} No root cause is named yet."
    return f"{text} {'Root cause' if len(roots) == 1 else 'Root causes'}: {'; '.join(roots)}."

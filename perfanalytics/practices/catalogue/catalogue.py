"""catalogue: the ready-made service measures, to look through, to search, and to write into a plan."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perfanalytics.core.errors import InputError, UnknownNameError, nearest
from perfanalytics.practices.catalogue import reading
from perfanalytics.practices.catalogue.bindings import Binding, proposed, read_bindings
from perfanalytics.practices.catalogue.entry import CatalogueEntry, told
from perfanalytics.practices.catalogue.plan_text import plan_text
from perfanalytics.practices.catalogue.trace import CLAUSES, ITIL, PRACTICES, PROCESSES

if TYPE_CHECKING:
    import pandas as pd


def catalogue() -> Catalogue:
    """The catalogue of service measures.

    Returns
    -------
    Catalogue
        Every entry has an operational definition, unit, direction, scale, base measures and formula, a
        recommended chart, baseline and model, the usual traps, and its trace to reference models.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> perf.catalogue().search("reopen").names
    ('incident_reopen_rate', 'request_handling_time')
    >>> perf.catalogue().search(process="RAF.3", clause="4.5.5.2").names
    ('problem_recurrence_rate', 'problem_from_trends_share')
    """
    return Catalogue(reading.entries())


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Catalogue:
    """Service measures, all or those that were searched for.

    Parameters
    ----------
    entries : tuple of CatalogueEntry
    hint : str
        What to search for instead, where nothing was found; "" otherwise.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> print(perf.catalogue().search("queue stock"))
    request_backlog: Open requests (residual, every week, statistic sum)
    """

    entries: tuple[CatalogueEntry, ...]
    hint: str = ""

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the measures, in the order of the catalogue; what a search finds, best first."""
        return tuple(e.name for e in self.entries)

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas, each once."""
        return tuple(dict.fromkeys(e.area for e in self.entries))

    def get(self, name: str) -> CatalogueEntry:
        """The measure of that name.

        Raises
        ------
        UnknownNameError
            With the nearest name.

        Examples
        --------
        >>> import perfanalytics as perf
        >>> perf.catalogue().get("defect_density")
        CatalogueEntry(defect_density: Defects per unit of size, defects per size point, laney_u chart)
        """
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise UnknownNameError("measure of the catalogue", str(name), self.names)

    def search(
        self,
        words: str = "",
        *,
        process: str | None = None,
        clause: str | None = None,
        practice: str | None = None,
    ) -> Catalogue:
        """The measures that fit all that is asked for.

        Parameters
        ----------
        words : str
            All of them must occur, as parts of words, in name, title, definition, keywords, base measures or
            traps. Hits in names, titles and keywords come first.
        process : str, optional
            Identifier of the process reference model ("RAF.1"; "RAF" for all of them), or an ITIL process
            ("incident").
        clause : str, optional
            Clause of ISO/IEC 20000-1:2011 ("8.1"; "8" for all under it).
        practice : str, optional
            Specific practice of CMMI-SVC ("OPP-1.3"; "OPP" for all of them).

        Returns
        -------
        Catalogue
            Empty where nothing fits: its ``hint`` is the nearest word then.

        Raises
        ------
        UnknownNameError
            For a process, clause or practice that is none.
        """
        found = list(self.entries)
        if process is not None:
            ids = _identifiers("process", process, PROCESSES, ".", ITIL)
            found = [e for e in found if ids & {*e.trace.processes, *e.trace.itil}]
        if clause is not None:
            ids = _identifiers("clause", clause, CLAUSES, ".")
            found = [e for e in found if ids & set(e.trace.clauses)]
        if practice is not None:
            ids = _identifiers("practice", practice, PRACTICES, "-")
            found = [e for e in found if ids & set(e.trace.practices)]
        asked = words.lower().split()
        ranked = [(e, _rank(e, asked)) for e in found]
        hits = sorted(((e, r) for e, r in ranked if r is not None), key=lambda pair: pair[1])
        return Catalogue(tuple(e for e, _ in hits), "" if hits else self._hint(asked))

    def missing(self, bases: str | Path) -> dict[str, tuple[str, ...]]:
        """The measures that cannot be computed from somebody's data, and what they lack.

        Parameters
        ----------
        bases : path
            A file that says where base measures are found (docs/catalogue.md).

        Returns
        -------
        mapping of name to what is missing, in words

        Raises
        ------
        PlanError, UnknownNameError
            For mistakes in the file.
        """
        return _missing(self.entries, read_bindings(bases))

    def plan(
        self, names: Sequence[str] | None = None, *, bases: str | Path | None = None, name: str = "my-service"
    ) -> str:
        """A measurement plan with these measures, their recommended charts and baselines.

        Parameters
        ----------
        names : sequence of str, optional
            Default: all. With ``bases``: all that can be computed.
        bases : path, optional
            A file that says where base measures are found. Without, the plan asks for the files and columns
            that the catalogue proposes.
        name : str
            What the plan, its repository and its report are called.

        Returns
        -------
        str
            The text of the plan (TOML).

        Raises
        ------
        UnknownNameError
            For a name that is not in the catalogue.
        InputError
            When a measure that was named lacks base measures: says which. When there is nothing to write.
        PlanError
            For mistakes in the file.

        Examples
        --------
        >>> import perfanalytics as perf
        >>> text = perf.catalogue().plan(["change_success_rate"])
        >>> 'file = "changes.csv"' in text, 'chart = "p"' in text
        (True, True)
        """
        chosen = [self.get(n) for n in dict.fromkeys(names)] if names is not None else list(self.entries)
        if bases is None:
            kinds = {e.record.name: e.record for e in chosen}
            bindings = {k: proposed(kind, chosen) for k, kind in kinds.items()}
        else:
            bindings = read_bindings(bases)
            lacking = _missing(chosen, bindings)
            if names is not None and lacking:
                told_each = (f"{n}: {'; '.join(what)}" for n, what in lacking.items())
                raise InputError(f"missing in {Path(bases).name}:\n" + "\n".join(told_each))
            chosen = [e for e in chosen if e.name not in lacking]
        if not chosen:
            raise InputError("no measure is left to write into a plan: name some of the catalogue")
        return plan_text(chosen, bindings, name=name, proposed=bases is None)

    def to_frame(self) -> pd.DataFrame:
        """One row per measure; lists are joined with commas."""
        import pandas as pd

        rows = [
            {
                "name": e.name,
                "title": e.title,
                "area": e.area,
                "definition": e.definition,
                "unit": e.full_unit,
                "better": e.better,
                "scale": e.scale,
                "formula": e.formula,
                "base_measures": ", ".join(b.name for b in e.base),
                "records": e.record.name,
                "chart": e.advice.chart["chart"],
                "every": e.advice.chart.get("every", ""),
                "statistic": e.advice.chart.get("statistic", ""),
                "baseline": e.advice.baseline_told,
                "model": e.advice.model,
                "factors": ", ".join(e.advice.factors),
                "controllable": ", ".join(e.advice.controllable),
                "traps": e.traps,
                "practices": ", ".join(e.trace.practices),
                "clauses": ", ".join(e.trace.clauses),
                "processes": ", ".join(e.trace.processes),
                "itil": ", ".join(e.trace.itil),
                "keywords": ", ".join(e.keywords),
            }
            for e in self.entries
        ]
        return pd.DataFrame(rows, columns=FRAME_COLUMNS)

    def text(self) -> str:
        """The measures under their areas, as plain text."""
        if not self.entries:
            return repr(self)
        width = max(len(e.name) for e in self.entries)
        lines: list[str] = []
        for area in self.areas:
            lines += ["", area] if lines else [area]
            lines += [f"  {e.name:<{width}}  {e.title}" for e in self.entries if e.area == area]
        return "\n".join([*lines, "", f"{len(self)} measure{'' if len(self) == 1 else 's'}"])

    def __repr__(self) -> str:
        if not self.entries:
            return "no measures" + (f"; did you mean {self.hint!r}?" if self.hint else "")
        return "\n".join(f"{e.name}: {e.title} ({told(e.advice.chart)})" for e in self.entries)

    def _repr_html_(self) -> str:
        if not self.entries:
            return f"<p>{html.escape(repr(self))}</p>"
        left = "style='text-align:left'"
        head = "".join(f"<th {left}>{t}</th>" for t in ("name", "title", "formula", "chart"))
        rows = []
        for area in self.areas:
            rows.append(f"<tr><td colspan='4'><strong>{html.escape(area)}</strong></td></tr>")
            for e in (e for e in self.entries if e.area == area):
                texts = (html.escape(t) for t in (e.title, e.formula, told(e.advice.chart)))
                cells = "".join(f"<td {left}>{t}</td>" for t in (f"<code>{e.name}</code>", *texts))
                rows.append(f"<tr>{cells}</tr>")
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"

    def _hint(self, asked: Sequence[str]) -> str:
        """The nearest word of the catalogue for the first word that occurs nowhere."""
        texts = [_text(e) for e in self.entries]
        vocabulary = {w for text in texts for w in re.findall(r"[a-z]{3,}", text)}
        for word in asked:
            if not any(word in text for text in texts):
                return nearest(word, vocabulary) or ""
        return ""


#: Columns of :meth:`Catalogue.to_frame`.
FRAME_COLUMNS = [
    "name",
    "title",
    "area",
    "definition",
    "unit",
    "better",
    "scale",
    "formula",
    "base_measures",
    "records",
    "chart",
    "every",
    "statistic",
    "baseline",
    "model",
    "factors",
    "controllable",
    "traps",
    "practices",
    "clauses",
    "processes",
    "itil",
    "keywords",
]


def _missing(
    entries: Sequence[CatalogueEntry], bindings: Mapping[str, Binding]
) -> dict[str, tuple[str, ...]]:
    """Entries that lack something, with what."""
    out: dict[str, tuple[str, ...]] = {}
    for e in entries:
        binding = bindings.get(e.record.name)
        if binding is None:
            lacking = tuple(f"base measure '{b.name}' ({b.definition})" for b in e.base)
        else:
            lacking = binding.missing(e)
        if lacking:
            out[e.name] = lacking
    return out


def _identifiers(
    what: str, asked: str, known: Mapping[str, str], separator: str, names: Sequence[str] = ()
) -> set[str]:
    """The identifiers that are meant: itself, all under it, or names that hold the word.

    Raises
    ------
    UnknownNameError
    """
    text = asked.strip().lower()
    found = {i for i in known if i.lower() == text or i.lower().startswith(text + separator)}
    found |= {n for n in names if text and text in n}
    if not found:
        raise UnknownNameError(what, asked, (*known, *names))
    return found


def _near(entry: CatalogueEntry) -> str:
    words = (entry.name, entry.name.replace("_", " "), entry.title, entry.area, *entry.keywords)
    return " ".join(words).lower()


def _text(entry: CatalogueEntry) -> str:
    base = (f"{b.name} {b.definition}" for b in entry.base)
    return " ".join((_near(entry), entry.definition, *base, entry.traps)).lower()


def _rank(entry: CatalogueEntry, asked: Sequence[str]) -> int | None:
    """0: all words stand in name, title or keywords; 1: some only elsewhere; None: one is nowhere."""
    if all(word in _near(entry) for word in asked):
        return 0
    return 1 if all(word in _text(entry) for word in asked) else None

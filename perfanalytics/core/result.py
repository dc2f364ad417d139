"""What every answer has in common: Result, Estimate, Interval, Caveat, Method, Provenance."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from perfanalytics._version import __version__
from perfanalytics.core import codec
from perfanalytics.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Interval:
    """A range with its confidence.

    Parameters
    ----------
    low, high : float
        End points in the unit of the estimate; infinite for one-sided intervals.
    confidence : float
        Nominal level asked for, between 0 and 1.
    method : str
        How it was made ("order statistics", "t, Satterthwaite").
    achieved : float, optional
        The level really achieved where that differs (order statistics, exact binomial).

    Examples
    --------
    >>> Interval(1.0, 2.0, confidence=0.95, method="t").contains(1.5)
    True
    """

    kind: ClassVar[str] = "interval"

    low: float
    high: float
    _: KW_ONLY
    confidence: float
    method: str
    achieved: float | None = None

    def contains(self, value: float) -> bool:
        """Whether ``value`` lies in the interval, end points included."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its name, unit and, where there is one, its interval."""

    kind: ClassVar[str] = "estimate"

    name: str
    value: float
    _: KW_ONLY
    unit: str = ""
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Caveat:
    """A statistical doubt that travels with the result.

    Parameters
    ----------
    code : str
        Machine-readable, in kebab case ("too-few-points"); stable between versions.
    text : str
        One plain sentence with the number in it.
    evidence : mapping of str to float, int, bool or str
        The numbers behind the sentence.

    Examples
    --------
    >>> Caveat("too-few-points", "Only 9 points: limits need about 20.", {"n": 9, "needed": 20}).code
    'too-few-points'
    """

    kind: ClassVar[str] = "caveat"

    code: str
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.code or self.code != self.code.lower() or " " in self.code:
            raise InputError(f"a caveat code is kebab-case, got {self.code!r}")


@dataclass(frozen=True, slots=True)
class Method:
    """Every choice that made the numbers, so that the figures can be made again.

    Parameters
    ----------
    name : str
        What was computed ("control_chart", "ar1_level_change").
    parameters : mapping of str to JSON values
        Estimator, constants, rules, exclusions, degrees of freedom ...
    references : tuple of str
        Author, year, equation.

    Examples
    --------
    >>> Method("welch", {"confidence": 0.95}).key[:8]
    'ec7d94e3'
    """

    kind: ClassVar[str] = "method"

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A hash of name and parameters: equal keys mean equal choices."""
        text = json.dumps([self.name, codec.encode(self.parameters)], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the data of a result came from.

    Parameters
    ----------
    measure : str
        Name of the measure.
    data_hash : str
        Hash of values, sizes and times (:meth:`perfanalytics.Series.data_hash`).
    n : int
        Number of points, gaps included.
    selection : mapping
        How the repository was asked (where, since, until, every, statistic, as_of); empty for bare data.
    load_ids : tuple of int
        The loads the observations came from.
    clock : str
        "UTC", "local" (wall time, no zone given) or "none" (no times).
    version : str
        Version of the package that computed the result.
    """

    kind: ClassVar[str] = "provenance"

    measure: str
    _: KW_ONLY
    data_hash: str
    n: int
    selection: Mapping[str, Any] = field(default_factory=dict)
    load_ids: tuple[int, ...] = ()
    clock: str = "none"
    version: str = __version__


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Result:
    """Base of every result: frozen, comparable to the last bit, saved and read back.

    Subclasses are ``@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)``, set ``kind``
    (and add it to :data:`perfanalytics.core.kinds.KINDS`), raise ``schema_version`` when their fields
    change, and supply :meth:`summary` and :meth:`to_frame`. Arrays in them are read-only.
    """

    kind: ClassVar[str] = ""
    schema_version: ClassVar[int] = 1

    verdict: str
    caveats: tuple[Caveat, ...] = ()
    method: Method
    provenance: Provenance

    def summary(self) -> pd.DataFrame:
        """One row per chart, baseline, comparison or model. Columns never depend on arguments."""
        raise NotImplementedError

    def to_frame(self) -> pd.DataFrame:
        """One row per point or term. Columns never depend on arguments."""
        raise NotImplementedError

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The tables a report shows, each with its title."""
        return ("Summary", self.summary()), ("Numbers", self.to_frame())

    @property
    def caveat_codes(self) -> tuple[str, ...]:
        """The codes of the caveats, in order."""
        return tuple(c.code for c in self.caveats)

    def to_record(self) -> dict[str, Any]:
        """The result as plain JSON values; :meth:`from_record` gives it back, equal to the last bit."""
        return codec.to_record(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The result that :meth:`to_record` was called on.

        Raises
        ------
        RecordError
            When the record is of another kind, newer than this version, or damaged.
        """
        result = codec.from_record(record, expect=cls)
        assert isinstance(result, cls)
        return result

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Turn the saved fields of an older schema version into today's. Override with the change."""
        raise NotImplementedError(f"{cls.__name__} cannot read schema version {version}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return codec.same(self, other)

    def __hash__(self) -> int:
        return hash((self.kind, self.provenance.data_hash, self.method.key))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.provenance.measure}: {self.verdict}>"

    def _repr_html_(self) -> str:
        """The verdict, the small table, the doubts."""
        table = self.summary().to_html(index=False, border=0, na_rep="", float_format=lambda x: f"{x:.4g}")
        doubts = "".join(
            f"<li><code>{html.escape(c.code)}</code> {html.escape(c.text)}</li>" for c in self.caveats
        )
        return (
            f"<div><p><strong>{html.escape(self.verdict)}</strong></p>{table}"
            + (f"<ul>{doubts}</ul>" if doubts else "")
            + "</div>"
        )

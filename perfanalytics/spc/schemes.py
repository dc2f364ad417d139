"""Monitoring schemes with memory as values, and their design: the limit for a wanted run length."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, get_args

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.spc.run_chains import cusum_chain, ewma_chain, mewma_chain, solve_rising

EwmaLimits = Literal["exact", "asymptotic"]
Sides = Literal["two", "upper", "lower"]


def _positive(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InputError(f"{name}= is a number above 0, got {value!r}")


def _weight(lam: float) -> None:
    if isinstance(lam, bool) or not isinstance(lam, int | float) or not 0.01 <= lam <= 1:
        raise InputError(f"lam= is the weight of the newest point, 0.01 to 1; got {lam!r}")


def _word(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UnknownNameError(name, str(value), allowed)


@dataclass(frozen=True, slots=True)
class EwmaScheme:
    """An EWMA chart with known center and sigma.

    Parameters
    ----------
    lam : float
        Weight of the newest point, 0.01 to 1.
    width : float
        Width of the limits in sigma of the EWMA (L).
    limits : {"exact", "asymptotic"}
        Limits that widen with the first points, or those of a long series from the start.

    Examples
    --------
    >>> EwmaScheme(lam=0.1, width=2.7).text
    'EWMA (lambda 0.1, limits 2.7 sigma, exact)'
    """

    kind: ClassVar[str] = "ewma-scheme"

    _: KW_ONLY
    lam: float
    width: float
    limits: EwmaLimits = "exact"

    def __post_init__(self) -> None:
        _weight(self.lam)
        _positive("width", self.width)
        _word("kind of limits (limits=)", self.limits, get_args(EwmaLimits))

    @property
    def text(self) -> str:
        """The scheme in words."""
        return f"EWMA (lambda {self.lam:g}, limits {self.width:.4g} sigma, {self.limits})"


@dataclass(frozen=True, slots=True)
class CusumScheme:
    """A tabular CUSUM with known center and sigma.

    Parameters
    ----------
    k : float
        Reference value (allowance) in sigma: half the shift to be found.
    h : float
        Decision interval in sigma.
    head_start : float
        Where the sums start, in sigma (fast initial response: h / 2); below ``h``.
    sides : {"two", "upper", "lower"}

    Examples
    --------
    >>> CusumScheme(k=0.5, h=5).text
    'CUSUM (k 0.5, h 5, two sides)'
    """

    kind: ClassVar[str] = "cusum-scheme"

    _: KW_ONLY
    k: float
    h: float
    head_start: float = 0.0
    sides: Sides = "two"

    def __post_init__(self) -> None:
        _positive("h", self.h)
        if self.k < 0 or not 0 <= self.head_start < self.h:
            raise InputError(
                f"a CUSUM needs k >= 0 and 0 <= head_start < h, got k = {self.k}, {self.head_start}"
            )
        _word("sides of a CUSUM", self.sides, get_args(Sides))
        if self.sides == "two" and self.head_start > self.h / 2 + self.k:
            raise InputError("two sides cannot both start that high: give a head_start of at most h / 2 + k")

    @property
    def text(self) -> str:
        """The scheme in words."""
        start = f", head start {self.head_start:g}" if self.head_start else ""
        sides = {"two": "two sides", "upper": "upper side", "lower": "lower side"}[self.sides]
        return f"CUSUM (k {self.k:g}, h {self.h:.4g}{start}, {sides})"


@dataclass(frozen=True, slots=True)
class MewmaScheme:
    """A multivariate EWMA with known center and covariance.

    Parameters
    ----------
    p : int
        Number of measures.
    lam : float
        Weight of the newest point, 0.01 to 1.
    limit : float
        The chart signals when T2 exceeds it.
    limits : {"asymptotic", "exact"}
        The covariance of the EWMA of a long series at every point, or that of the points so far.

    Examples
    --------
    >>> MewmaScheme(p=2, lam=0.1, limit=8.64).text
    'MEWMA of 2 measures (lambda 0.1, limit 8.64)'
    """

    kind: ClassVar[str] = "mewma-scheme"

    _: KW_ONLY
    p: int
    lam: float
    limit: float
    limits: EwmaLimits = "asymptotic"

    def __post_init__(self) -> None:
        if isinstance(self.p, bool) or not isinstance(self.p, int) or self.p < 1:
            raise InputError(f"p= is the number of measures, at least 1; got {self.p!r}")
        _weight(self.lam)
        _positive("limit", self.limit)
        _word("kind of limits (limits=)", self.limits, get_args(EwmaLimits))

    @property
    def text(self) -> str:
        """The scheme in words."""
        exact = ", exact" if self.limits == "exact" else ""
        return f"MEWMA of {self.p} measures (lambda {self.lam:g}, limit {self.limit:.4g}{exact})"


def _wanted(arl: float) -> float:
    if isinstance(arl, bool) or not isinstance(arl, int | float) or not 2 <= arl <= 1e6:
        raise InputError(f"arl= is the wanted in-control average run length, 2 to 1,000,000; got {arl!r}")
    return float(arl)


def design_ewma(*, lam: float, arl: float, limits: EwmaLimits = "exact") -> float:
    """Width of the limits of an EWMA chart (L, in sigma) for a wanted in-control average run length.

    Parameters
    ----------
    lam : float
        Weight of the newest point, 0.01 to 1.
    arl : float
        Points between two false alarms on average, 2 to 1,000,000.
    limits : {"exact", "asymptotic"}
        Limits that widen with the first points (what the chart does by default), or fixed ones.

    Returns
    -------
    float

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    Two-sided, from the center line, center and sigma known. Agrees with ``xewma.crit`` of the R package spc.

    References
    ----------
    Crowder (1989), Journal of Quality Technology 21, 155-162; Lucas and Saccucci (1990), Technometrics 32,
    1-12; Steiner (1999), Journal of Quality Technology 31, 75-86.

    Examples
    --------
    >>> round(design_ewma(lam=0.1, arl=500, limits="asymptotic"), 4)
    2.8143
    """
    EwmaScheme(lam=lam, width=3.0, limits=limits)
    exact = limits == "exact"
    return solve_rising(
        lambda width: ewma_chain(lam, width, 0.0, exact_limits=exact).moments()[0], _wanted(arl), 0.05, 6.0
    )


def design_cusum(*, k: float, arl: float, head_start: float = 0.0, sides: Sides = "two") -> float:
    """Decision interval of a CUSUM (h, in sigma) for a wanted in-control average run length.

    Parameters
    ----------
    k : float
        Reference value in sigma: half the shift to be found; above 0.
    arl : float
        Points between two false alarms on average, 2 to 1,000,000.
    head_start : float
        As a share of h (0.5: the fast initial response of Lucas and Crosier), below 1; 0 for none.
    sides : {"two", "upper", "lower"}

    Returns
    -------
    float

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    Agrees with ``xcusum.crit`` of the R package spc.

    References
    ----------
    Vardeman and Ray (1985), Technometrics 27, 145-150; Lucas and Crosier (1982), Technometrics 24, 199-205.

    Examples
    --------
    >>> round(design_cusum(k=0.5, arl=500), 4)
    5.0707
    """
    _positive("k", k)
    if not 0 <= head_start < 1:
        raise InputError(f"head_start= is a share of h, 0 to below 1; got {head_start!r}")
    _word("sides of a CUSUM", sides, get_args(Sides))

    def arl_of(h: float) -> float:
        start = cusum_chain(k, h, 0.0, head_start * h)
        at = start.moments()[0]
        if sides != "two":
            return at
        zero = cusum_chain(k, h, 0.0).moments()[0]
        # Lucas and Crosier (1982), eq. 4, both sides alike
        return at - zero / 2

    return solve_rising(arl_of, _wanted(arl), 0.01, 20.0)


def design_mewma(*, p: int, lam: float, arl: float) -> float:
    """Limit of T2 of a MEWMA chart for a wanted in-control average run length.

    Parameters
    ----------
    p : int
        Number of measures.
    lam : float
        Weight of the newest point, 0.01 to 1.
    arl : float
        Points between two false alarms on average, 2 to 1,000,000.

    Returns
    -------
    float

    Raises
    ------
    InputError

    Notes
    -----
    Asymptotic covariance of the EWMA. Agrees with ``mewma.crit`` of the R package spc.

    References
    ----------
    Lowry, Woodall, Champ and Rigdon (1992), Technometrics 34, 46-53; Rigdon (1995), Journal of Statistical
    Computation and Simulation 52, 351-365; Knoth (2017), Journal of Quality Technology 49, 186-203.

    Examples
    --------
    >>> round(design_mewma(p=2, lam=0.1, arl=200), 3)
    8.634
    """
    MewmaScheme(p=p, lam=lam, limit=1.0)
    top = 40.0 + 4.0 * p
    return solve_rising(lambda limit: mewma_chain(p, lam, limit).moments()[0], _wanted(arl), 0.01, top)

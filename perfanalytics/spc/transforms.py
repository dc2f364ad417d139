"""Transformed data: charted on the scale where they are nearly normal, shown on the one people know.

Logarithms, Box and Cox's powers and Yeo and Johnson's powers (which also take zero and negative numbers).
All three rise with the value, so a point above its limit is above it on either scale. A power that is not
given is estimated by maximum likelihood from the points behind the limits, all series of a batch at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.segments import Flags, Segments

#: Name -> what it does, for ``.method``.
TRANSFORMS = {
    "log": "ln(x + shift)",
    "box_cox": "((x + shift)^lambda - 1) / lambda, ln(x + shift) where lambda is 0",
    "yeo_johnson": "((x + 1)^lambda - 1) / lambda from 0 on, "
    "-((1 - x)^(2 - lambda) - 1) / (2 - lambda) below 0",
}
#: A power is looked for between these, as Minitab does.
LOWEST, HIGHEST = -5.0, 5.0
#: Golden section steps: 0.618^36 of a bracket of 1 is 3e-8.
_STEPS = 36
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_KEYS = ("name", "lambda", "shift", "round_to")


@dataclass(frozen=True, slots=True)
class Transform:
    """A transformation of the values of a chart.

    Parameters
    ----------
    name : {"log", "box_cox", "yeo_johnson"}
    lam : float, optional
        The power; None: estimated by maximum likelihood. "log" has none.
    shift : float
        Added before logarithm or power, in the unit of the values; "yeo_johnson" has none.
    round_to : float, optional
        An estimated power is rounded to a multiple of it (0.5: to 0, 0.5, 1 ...); None: not at all.

    Examples
    --------
    >>> Transform("box_cox", lam=0.5).words
    'Box-Cox scale (lambda 0.5)'
    """

    kind: ClassVar[str] = "transform"

    name: str
    _: KW_ONLY
    lam: float | None = None
    shift: float = 0.0
    round_to: float | None = None

    def __post_init__(self) -> None:
        if self.name not in TRANSFORMS:
            raise UnknownNameError("transform", str(self.name), TRANSFORMS)
        for name in ("lam", "shift", "round_to"):
            value = getattr(self, name)
            if value is None and name != "shift":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
                key = "lambda" if name == "lam" else name
                raise InputError(f"{key!r} of transform= is a number, got {value!r}")
            object.__setattr__(self, name, float(value))
        if self.name == "log" and self.lam is not None:
            raise InputError("a log has no lambda: take transform='box_cox' for a power")
        if self.name == "log" and self.round_to is not None:
            raise InputError("a log has no lambda to be rounded")
        if self.name == "yeo_johnson" and self.shift != 0.0:
            raise InputError("yeo_johnson takes every number: it has no shift")
        if self.lam is not None and not LOWEST <= self.lam <= HIGHEST:
            raise InputError(f"lambda is a power between {LOWEST:g} and {HIGHEST:g}, got {self.lam:g}")
        if self.round_to is not None and not 0 < self.round_to <= 2:
            raise InputError(f"'round_to' of transform= is above 0 and at most 2, got {self.round_to:g}")

    @property
    def known(self) -> bool:
        """Whether nothing is left to be estimated."""
        return self.name == "log" or self.lam is not None

    @property
    def words(self) -> str:
        """ "log scale", "Box-Cox scale (lambda 0.31)"."""
        if self.name == "log":
            return "log scale"
        title = {"box_cox": "Box-Cox scale", "yeo_johnson": "Yeo-Johnson scale"}[self.name]
        return title if self.lam is None else f"{title} (lambda {self.lam:.3g})"

    def back(self, y: float) -> float:
        """The value behind a transformed one, for a known power; infinite beyond all of them.

        Examples
        --------
        >>> Transform("box_cox", lam=0.5).back(2.0)
        4.0
        """
        lam = 1.0 if self.lam is None else self.lam
        return float(back(self.name, np.array(y), np.array(lam), self.shift))

    def to_mapping(self) -> dict[str, Any]:
        """The form that ``transform=`` takes, as JSON values."""
        out: dict[str, Any] = {"name": self.name}
        if self.lam is not None:
            out["lambda"] = self.lam
        if self.shift:
            out["shift"] = self.shift
        if self.round_to is not None:
            out["round_to"] = self.round_to
        return out


def as_transform(transform: object) -> Transform | None:
    """What ``transform=`` means.

    Raises
    ------
    InputError, UnknownNameError

    Examples
    --------
    >>> as_transform({"name": "box_cox", "lambda": 0.5}).lam
    0.5
    """
    if transform is None or isinstance(transform, Transform):
        return transform
    if isinstance(transform, str):
        return Transform(transform)
    if isinstance(transform, Mapping):
        for key in transform:
            if key not in _KEYS:
                raise UnknownNameError("key of transform=", str(key), _KEYS)
        if "name" not in transform:
            raise InputError(f"transform= as a mapping needs a name: {', '.join(TRANSFORMS)}")
        return Transform(
            transform["name"],
            lam=transform.get("lambda"),
            shift=transform.get("shift", 0.0),
            round_to=transform.get("round_to"),
        )
    raise InputError(
        f"transform= takes None, one of {', '.join(TRANSFORMS)}, or a mapping like "
        f"{{'name': 'box_cox', 'lambda': 0.5}}; got {transform!r}"
    )


def forward(name: str, x: Floats, lam: Floats, shift: float) -> Floats:
    """The transformed values; NaN where there is none.

    Parameters
    ----------
    name : str
    x : float array
    lam : float array that broadcasts with ``x``
    shift : float

    Examples
    --------
    >>> forward("box_cox", np.array([4.0, 9.0]), np.array(0.5), 0.0).tolist()
    [2.0, 4.0]
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if name == "yeo_johnson":
            up = special.boxcox1p(np.maximum(x, 0.0), lam)
            down = special.boxcox1p(np.maximum(-x, 0.0), 2.0 - lam)
            return np.asarray(np.where(np.isnan(x), np.nan, up - down))
        y = x + shift
        out = np.log(y) if name == "log" else special.boxcox(y, lam)
        return np.asarray(np.where(y > 0, out, np.nan))


def back(name: str, y: Floats, lam: Floats, shift: float) -> Floats:
    """The values behind transformed ones.

    A number below all transformed values becomes the lowest value there is, one above all of them (a power
    below 0 has an upper bound) infinite.

    Examples
    --------
    >>> back("box_cox", np.array([2.0, -3.0]), np.array(0.5), 0.0).tolist()
    [4.0, 0.0]
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if name == "log":
            return np.asarray(np.exp(y) - shift)
        if name == "box_cox":
            return _power(y, lam) - shift
        up = _power(np.maximum(y, 0.0), lam) - 1.0
        down = _power(np.maximum(-y, 0.0), 2.0 - lam) - 1.0
        return np.asarray(np.where(np.isnan(y), np.nan, np.where(y >= 0, up, -down)))


def _power(y: Floats, lam: Floats) -> Floats:
    """Inverse of ``(x^lambda - 1) / lambda`` for x above 0, with its bounds."""
    lam = np.broadcast_to(lam, np.shape(y))
    outside = 1.0 + lam * y <= 0
    out = special.inv_boxcox(np.where(outside, 0.0, y), lam)
    return np.asarray(np.where(outside, np.where(lam > 0, 0.0, np.inf), out))


def powers(name: str, x: Floats, keep: Flags, segments: Segments, shift: float) -> Floats:
    """The power of each segment by maximum likelihood of its kept values; shape (m,).

    Between -5 and 5, on a grid and then by golden sections, all segments in each pass. 1 (no transformation)
    where fewer than 3 values are kept, or all are equal.

    References
    ----------
    Box and Cox (1964), Journal of the Royal Statistical Society B 26, 211-252, eq. 9. Yeo and Johnson (2000),
    Biometrika 87, 954-959, eq. 3.1.

    Examples
    --------
    >>> x = np.exp(np.linspace(-1, 1, 21))
    >>> found = powers("box_cox", x, np.ones(21, dtype=bool), Segments(np.array([0]), 21), 0.0)
    >>> abs(round(float(found[0]), 6))
    0.0
    """
    n = np.maximum(segments.counts(keep), 1).astype(np.float64)
    fixed = np.zeros(len(segments))
    if name == "box_cox":
        # over the geometric mean the Jacobian is a constant, and powers stay small
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = np.where(keep, np.log(np.where(keep, x + shift, 1.0)), 0.0)
        d = np.where(keep, logs - segments.expand(segments.sums(logs) / n), 0.0)

        def at(lam: Floats) -> Floats:
            # (e^(lambda d) - 1) / lambda
            return np.asarray(special.boxcox(np.exp(d), lam))
    else:
        v = np.where(keep, x, 0.0)
        fixed = segments.sums(np.sign(v) * np.log1p(np.abs(v))) / n

        def at(lam: Floats) -> Floats:
            return forward(name, v, lam, 0.0)

    def cost(lam: Floats) -> Floats:
        """Minus the profile log-likelihood over n / 2, apart from a constant."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            y = np.where(keep, at(segments.expand(lam)), 0.0)
            e = np.where(keep, y - segments.expand(segments.sums(y) / n), 0.0)
            out = np.log(segments.sums(e * e)) - 2.0 * (lam - 1.0) * fixed
        return np.where(np.isnan(out), np.inf, out)

    low = segments.minima(np.where(keep, x, np.inf))
    high = segments.maxima(np.where(keep, x, -np.inf))
    good = (segments.counts(keep) >= 3) & (high > low)
    found = _smallest(cost, len(segments))
    return np.where(good, found, 1.0)


def _smallest(cost: Callable[[Floats], Floats], m: int) -> Floats:
    """Where each of m functions of one number is smallest, between ``LOWEST`` and ``HIGHEST``."""
    grid = np.arange(LOWEST, HIGHEST + 0.25, 0.5)
    values = np.stack([cost(np.full(m, g)) for g in grid])
    center = grid[np.argmin(values, axis=0)]
    a, b = np.maximum(center - 0.5, LOWEST), np.minimum(center + 0.5, HIGHEST)
    c, d = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
    at_c, at_d = cost(c), cost(d)
    for _ in range(_STEPS):
        left = at_c < at_d
        a, b = np.where(left, a, c), np.where(left, d, b)
        new = np.where(left, b - _GOLDEN * (b - a), a + _GOLDEN * (b - a))
        at_new = cost(new)
        c, d = np.where(left, new, d), np.where(left, c, new)
        at_c, at_d = np.where(left, at_new, at_d), np.where(left, at_c, at_new)
    return np.asarray((a + b) / 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The transformation of each of m series (or segments).

    Parameters
    ----------
    name : str
    lam : float array, shape (m,)
        1 where there is none (log).
    shift : float
    """

    name: str
    lam: Floats
    shift: float

    def of(self, index: NDArray[np.int64]) -> Scale:
        """That of the series (or segments) at these positions."""
        return Scale(name=self.name, lam=self.lam[index], shift=self.shift)

    def back(self, y: Floats) -> Floats:
        """One transformed value a series (or segment) -> values; NaN where there is none."""
        out = back(self.name, y, self.lam, self.shift)
        return np.where(np.isinf(out), np.nan, out)

    def transform(self, i: int) -> Transform:
        """That of series ``i``, as a value."""
        return Transform(self.name, lam=None if self.name == "log" else float(self.lam[i]), shift=self.shift)


def transformed(
    asked: Transform, x: Floats, keep: Flags, offsets: NDArray[np.int64], used: Flags
) -> tuple[Floats, Scale]:
    """The transformed values of a batch, and the transformation of each series.

    Parameters
    ----------
    asked : Transform
    x : float array, shape (n,) or (n, k)
    keep : bool array, shape (n,)
        Rows behind the limits: the power is estimated from them.
    offsets : int array, shape (m + 1,)
    used : bool array, shape (n,)
        Rows that are not excluded: what cannot be transformed is an error there.

    Raises
    ------
    InputError
        For values that the transformation does not take.
    """
    if asked.name != "yeo_johnson":
        with np.errstate(invalid="ignore"):
            bad = (x + asked.shift <= 0) & (used if x.ndim == 1 else used[:, None])
        if bad.any():
            k = int(np.argwhere(bad)[0][0])
            i = int(np.searchsorted(offsets, k, side="right")) - 1
            value = x[k] if x.ndim == 1 else x[k][bad[k]][0]
            raise InputError(
                f"point {k - int(offsets[i])} is {value:g}: {asked.name} takes values above "
                f"{0.0 - asked.shift:g} only; transform='yeo_johnson' takes every number, and "
                f"{{'name': {asked.name!r}, 'shift': ...}} adds to each value first"
            )
    m, columns = len(offsets) - 1, 1 if x.ndim == 1 else x.shape[1]
    lam = np.full(m, 1.0 if asked.lam is None else asked.lam)
    if not asked.known:
        some = np.flatnonzero(np.diff(offsets) > 0)
        if len(some):
            flat = x.ravel()
            kept = np.repeat(keep, columns) & ~np.isnan(flat)
            lam[some] = powers(
                asked.name, flat, kept, Segments(offsets[:-1][some] * columns, len(flat)), asked.shift
            )
        if asked.round_to is not None:
            # + 0: no negative zero
            lam = np.round(lam / asked.round_to) * asked.round_to + 0.0
    each = np.repeat(lam, np.diff(offsets))
    y = forward(asked.name, x, each if x.ndim == 1 else each[:, None], asked.shift)
    return y, Scale(name=asked.name, lam=lam, shift=asked.shift)

"""Distribution: a named distribution of the time (effort, cost) of a step, by the numbers people have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Distribution:
    """A named distribution. Make one with the class methods, one for each family.

    Parameters
    ----------
    family : str
        "normal", "lognormal", "gamma", "weibull", "exponential", "triangular", "pert", "uniform", "constant"
        or "discrete".
    names : tuple of str
        Names of the parameters; for "discrete" the values as texts.
    numbers : tuple of float
        Their values; for "discrete" the probabilities.

    Examples
    --------
    >>> round(Distribution.lognormal(median=4.0, sigma=0.5).mean, 6)
    4.532594
    >>> Distribution.triangular(low=1, mode=2, high=6)
    Distribution.triangular(low=1, mode=2, high=6)
    """

    kind: ClassVar[str] = "named_distribution"

    family: str
    names: tuple[str, ...]
    numbers: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.family not in _QUANTILES:
            raise InputError(
                f"no distribution is called {self.family!r}: use one of Distribution."
                + ", Distribution.".join(_QUANTILES)
            )
        if len(self.names) != len(self.numbers) or not self.numbers:
            raise InputError(f"{self.family}: each parameter needs its number")
        if not all(math.isfinite(v) for v in self.numbers):
            raise InputError(f"the parameters of a {self.family} distribution are finite, got {self.numbers}")

    @classmethod
    def normal(cls, *, mean: float, sd: float) -> Distribution:
        """Normal; durations are rarely so, because it gives negative values."""
        _positive("normal", sd=sd)
        return _make("normal", mean=mean, sd=sd)

    @classmethod
    def lognormal(
        cls,
        *,
        median: float | None = None,
        sigma: float | None = None,
        mean: float | None = None,
        sd: float | None = None,
    ) -> Distribution:
        """Lognormal, by median and sigma (standard deviation of the logarithm), or by mean and sd.

        Raises
        ------
        InputError
            For another pair, or numbers that are not positive.

        Examples
        --------
        >>> Distribution.lognormal(mean=10, sd=5).mean
        10.0
        """
        if median is not None and sigma is not None and mean is None and sd is None:
            _positive("lognormal", median=median, sigma=sigma)
            return _make("lognormal", median=median, sigma=sigma)
        if mean is not None and sd is not None and median is None and sigma is None:
            _positive("lognormal", mean=mean, sd=sd)
            return _make("lognormal", mean=mean, sd=sd)
        raise InputError("a lognormal distribution needs median= and sigma=, or mean= and sd=")

    @classmethod
    def gamma(cls, *, mean: float, sd: float) -> Distribution:
        """Gamma, by its mean and standard deviation (shape ``(mean / sd)^2``, scale ``sd^2 / mean``)."""
        _positive("gamma", mean=mean, sd=sd)
        return _make("gamma", mean=mean, sd=sd)

    @classmethod
    def weibull(cls, *, shape: float, scale: float) -> Distribution:
        """Weibull; ``scale`` is the 63.2% point."""
        _positive("weibull", shape=shape, scale=scale)
        return _make("weibull", shape=shape, scale=scale)

    @classmethod
    def exponential(cls, *, mean: float) -> Distribution:
        """Exponential, by its mean."""
        _positive("exponential", mean=mean)
        return _make("exponential", mean=mean)

    @classmethod
    def triangular(cls, *, low: float, mode: float, high: float) -> Distribution:
        """Triangular between ``low`` and ``high``, most likely ``mode``."""
        if not low <= mode <= high or not low < high:
            raise InputError(f"a triangle needs low <= mode <= high and low < high: {low}, {mode}, {high}")
        return _make("triangular", low=low, mode=mode, high=high)

    @classmethod
    def pert(cls, *, low: float, mode: float, high: float) -> Distribution:
        """Beta-PERT between ``low`` and ``high``: mean ``(low + 4 mode + high) / 6``.

        References
        ----------
        Malcolm, Roseboom, Clark and Fazar (1959), Operations Research 7, 646-669; Vose (2008), Risk Analysis,
        section III.
        """
        if not low <= mode <= high or not low < high:
            raise InputError(f"PERT needs low <= mode <= high and low < high: {low}, {mode}, {high}")
        return _make("pert", low=low, mode=mode, high=high)

    @classmethod
    def uniform(cls, *, low: float, high: float) -> Distribution:
        """Every value between ``low`` and ``high`` alike."""
        if not low < high:
            raise InputError(f"a uniform distribution needs low < high: {low}, {high}")
        return _make("uniform", low=low, high=high)

    @classmethod
    def constant(cls, value: float) -> Distribution:
        """Always the same value."""
        return _make("constant", value=value)

    @classmethod
    def discrete(cls, probabilities: Mapping[float, float]) -> Distribution:
        """A few values with their probabilities, which sum to 1.

        Examples
        --------
        >>> Distribution.discrete({1: 0.75, 5: 0.25}).mean
        2.0
        """
        if not probabilities:
            raise InputError("a discrete distribution needs at least one value: discrete({1: 0.8, 5: 0.2})")
        values = sorted(float(v) for v in probabilities)
        shares = tuple(float(p) for _, p in sorted(probabilities.items()))
        if not (min(shares) >= 0 and abs(math.fsum(shares) - 1) <= 1e-9):
            raise InputError(
                f"probabilities are not negative and sum to 1, got a sum of {math.fsum(shares):g}"
            )
        if not all(math.isfinite(v) for v in values):
            raise InputError(f"the values of a discrete distribution are finite, got {values}")
        return cls("discrete", tuple(repr(v) for v in values), shares)

    @property
    def values(self) -> tuple[float, ...]:
        """The values of a discrete distribution; of others nothing."""
        return tuple(float(v) for v in self.names) if self.family == "discrete" else ()

    @property
    def parameters(self) -> dict[str, float]:
        """Name of parameter -> number."""
        return dict(zip(self.names, self.numbers, strict=True))

    @property
    def mean(self) -> float:
        """The exact mean."""
        return self._moments()[0]

    @property
    def variance(self) -> float:
        """The exact variance."""
        return self._moments()[1]

    @property
    def log_parameters(self) -> tuple[float, float]:
        """Mean and standard deviation of the logarithm of a lognormal distribution."""
        p = self.parameters
        if "median" in p:
            return math.log(p["median"]), p["sigma"]
        square = math.log1p((p["sd"] / p["mean"]) ** 2)
        return math.log(p["mean"]) - square / 2, math.sqrt(square)

    def quantile_at(self, z: Floats) -> Floats:
        """The quantile at the normal score ``z``: accurate in both tails.

        Examples
        --------
        >>> Distribution.exponential(mean=1.0).quantile_at(np.array([0.0])).round(4).tolist()
        [0.6931]
        """
        return _QUANTILES[self.family](self, np.asarray(z, dtype=float))

    def _moments(self) -> tuple[float, float]:
        p = self.parameters
        if self.family in ("normal", "gamma") or (self.family == "lognormal" and "mean" in p):
            return p["mean"], p["sd"] ** 2
        if self.family == "lognormal":
            m, s = self.log_parameters
            mean = math.exp(m + s * s / 2)
            return mean, mean * mean * math.expm1(s * s)
        if self.family == "weibull":
            one, two = (math.gamma(1 + k / p["shape"]) for k in (1, 2))
            return p["scale"] * one, p["scale"] ** 2 * (two - one * one)
        if self.family == "exponential":
            return p["mean"], p["mean"] ** 2
        if self.family == "constant":
            return p["value"], 0.0
        if self.family == "uniform":
            return (p["low"] + p["high"]) / 2, (p["high"] - p["low"]) ** 2 / 12
        if self.family == "triangular":
            a, b, c = p["low"], p["mode"], p["high"]
            return (a + b + c) / 3, (a * a + b * b + c * c - a * b - a * c - b * c) / 18
        if self.family == "pert":
            first, second, width = _beta(p)
            total = first + second
            spread = width * width * first * second / (total * total * (total + 1))
            return p["low"] + width * first / total, spread
        values, shares = np.array(self.values), np.array(self.numbers)
        mean = float(values @ shares)
        return mean, float((values - mean) ** 2 @ shares)

    def __repr__(self) -> str:
        if self.family == "discrete":
            inside = ", ".join(f"{v:g}: {p:g}" for v, p in zip(self.values, self.numbers, strict=True))
            return f"Distribution.discrete({{{inside}}})"
        if self.family == "constant":
            return f"Distribution.constant({self.numbers[0]:g})"
        inside = ", ".join(f"{k}={v:g}" for k, v in self.parameters.items())
        return f"Distribution.{self.family}({inside})"


def _make(family: str, **numbers: float) -> Distribution:
    return Distribution(family, tuple(numbers), tuple(float(v) for v in numbers.values()))


def _positive(family: str, **numbers: float) -> None:
    for name, value in numbers.items():
        if not (isinstance(value, int | float) and value > 0):
            raise InputError(f"{name} of a {family} distribution is above 0, got {value}")


def _beta(p: Mapping[str, float]) -> tuple[float, float, float]:
    """Both shapes of the beta distribution behind PERT, and its width."""
    width = p["high"] - p["low"]
    return 1 + 4 * (p["mode"] - p["low"]) / width, 1 + 4 * (p["high"] - p["mode"]) / width, width


def _lognormal(d: Distribution, z: Floats) -> Floats:
    m, s = d.log_parameters
    return np.exp(m + s * z)


def _gamma(d: Distribution, z: Floats) -> Floats:
    mean, sd = d.numbers
    shape = (mean / sd) ** 2
    low = special.gammaincinv(shape, special.ndtr(np.minimum(z, 0)))
    high = special.gammainccinv(shape, special.ndtr(-np.maximum(z, 0)))
    return np.asarray(np.where(z < 0, low, high) * sd * sd / mean)


def _weibull(d: Distribution, z: Floats) -> Floats:
    shape, scale = d.numbers
    return np.asarray(scale * (-special.log_ndtr(-z)) ** (1 / shape))


def _triangular(d: Distribution, z: Floats) -> Floats:
    low, mode, high = d.numbers
    below = low + np.sqrt(special.ndtr(z) * (high - low) * (mode - low))
    above = high - np.sqrt(special.ndtr(-z) * (high - low) * (high - mode))
    return np.asarray(np.where(special.ndtr(z) * (high - low) < mode - low, below, above))


def _pert(d: Distribution, z: Floats) -> Floats:
    first, second, width = _beta(d.parameters)
    low = special.betaincinv(first, second, special.ndtr(np.minimum(z, 0)))
    high = 1 - special.betaincinv(second, first, special.ndtr(-np.maximum(z, 0)))
    return np.asarray(d.parameters["low"] + width * np.where(z < 0, low, high))


def _discrete(d: Distribution, z: Floats) -> Floats:
    ends = np.cumsum(d.numbers)[:-1]
    return np.array(d.values)[np.searchsorted(ends, special.ndtr(z), side="right")]


_QUANTILES: dict[str, Callable[[Distribution, Floats], Floats]] = {
    "normal": lambda d, z: d.numbers[0] + d.numbers[1] * z,
    "lognormal": _lognormal,
    "gamma": _gamma,
    "weibull": _weibull,
    "exponential": lambda d, z: np.asarray(-d.numbers[0] * special.log_ndtr(-z)),
    "triangular": _triangular,
    "pert": _pert,
    "uniform": lambda d, z: np.asarray(d.numbers[0] + (d.numbers[1] - d.numbers[0]) * special.ndtr(z)),
    "constant": lambda d, z: np.full_like(z, d.numbers[0]),
    "discrete": _discrete,
}

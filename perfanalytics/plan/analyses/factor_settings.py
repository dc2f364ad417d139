"""What factors of a model are set to in a plan: numbers, levels, and what has a distribution."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from perfanalytics.baselines.result import Baseline
from perfanalytics.core.errors import InputError, PerfAnalyticsError, UnknownNameError
from perfanalytics.models.result import Model
from perfanalytics.models.simulation.distribution import Distribution
from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.tables import Value

#: A number or level, values, ``{ baseline = NAME }``, of a category the shares ``{ blue = 0.7, red = 0.3 }``,
#: ``{ distribution = "lognormal", median = 6, sigma = 0.4 }``.
Setting = Value | list[Value] | dict[str, Value | list[float]]
Settings = dict[str, Setting]
FAMILIES = ("normal", "lognormal", "gamma", "weibull", "exponential", "triangular", "pert", "uniform")


def stated(given: Mapping[str, Any]) -> Distribution:
    """A distribution that is written down: ``{ distribution = "normal", mean = 5, sd = 1 }``.

    Raises
    ------
    UnknownNameError, InputError
        For a family that does not exist, or parameters that are not its own.

    Examples
    --------
    >>> stated({"distribution": "pert", "low": 1, "mode": 2, "high": 6})
    Distribution.pert(low=1, mode=2, high=6)
    """
    family = str(given["distribution"])
    if family not in FAMILIES:
        raise UnknownNameError("distribution", family, FAMILIES)
    make = getattr(Distribution, family)
    named = {name: value for name, value in given.items() if name != "distribution"}
    takes = list(inspect.signature(make).parameters)
    if not set(named) <= set(takes):
        wrong = ", ".join(sorted(set(named) - set(takes)))
        raise InputError(f"a {family} distribution takes {', '.join(takes)}, not {wrong}")
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in named.values()):
        raise InputError(f"the parameters of a {family} distribution are numbers, got {named}")
    try:
        made = make(**named)
    except TypeError as error:
        raise InputError(f"a {family} distribution needs {', '.join(takes)}, got {named}") from error
    assert isinstance(made, Distribution)
    return made


def drawn_from(given: object, context: Context) -> Any:
    """What has the distribution that is meant; anything else as it is.

    Raises
    ------
    PerfAnalyticsError
        For a baseline that is not saved, or a distribution that cannot be.
    """
    if isinstance(given, dict):
        if isinstance(given.get("baseline"), str):
            return context.saved(str(given["baseline"]), Baseline)
        if isinstance(given.get("distribution"), str):
            return stated(given)
    return given


def settings_of(written: Mapping[str, Setting], model: Model, context: Context) -> dict[str, Any]:
    """Settings as the model takes them; shares of levels by the levels themselves, whatever their kind."""
    out = {}
    for name, given in written.items():
        made = drawn_from(given, context)
        if isinstance(made, dict):
            named = {str(level): level for level in model.levels.get(name, ())}
            # a level that is a number is a text as a key of a plan; 3 may be 3.0
            named |= {f"{v:g}": v for v in named.values() if isinstance(v, int | float)}
            made = {named.get(level, level): share for level, share in made.items()}
        out[name] = made
    return out


def wrong_settings(where: str, written: Mapping[str, Setting], known: Sequence[str]) -> Iterator[str]:
    """Names of no factor, and distributions that cannot be."""
    for name, given in written.items():
        if name not in known:
            yield f"{where}: {UnknownNameError('factor', name, known)}"
        elif isinstance(given, dict):
            try:
                if isinstance(given.get("distribution"), str):
                    stated(given)
                elif isinstance(given.get("baseline"), str):
                    if len(given) > 1:
                        raise InputError("a baseline stands alone: { baseline = NAME }")
                elif not given or not all(isinstance(v, int | float) for v in given.values()):
                    raise InputError(
                        "give { baseline = NAME }, { distribution = ... } with its parameters, or the "
                        "share of each level"
                    )
            except PerfAnalyticsError as error:
                yield f"{where}: {name}: {error}"

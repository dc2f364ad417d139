"""What was asked for, resolved against the data: exclusions, and where the limits come from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import from_record
from perfanalytics.core.errors import InputError
from perfanalytics.core.records import Exclusion
from perfanalytics.core.segments import Flags
from perfanalytics.spc.family import ChartFamily
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.options import Asked

#: "To the end" as a position.
_END = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimation:
    """Where limits come from.

    Parameters
    ----------
    estimator : str
        Name of the estimator, or "given" / "frozen" where the parameters came from elsewhere.
    positions : range, tuple of int, or None
        Positions (in each series) of the points limits are estimated from; None: all of them.
    frozen : mapping of parameter to float or array, or None
    source : str
        The estimator that made carried parameters.
    base : int or None
        Points that carried parameters rest on, where that is known.
    carried : Limits or None
        The limits that are carried on.
    how : mapping
        For ``.method``.
    """

    estimator: str
    positions: range | tuple[int, ...] | None = None
    frozen: Mapping[str, Any] | None = None
    source: str = ""
    base: int | None = None
    carried: Limits | None = None
    how: Mapping[str, Any]


def resolve_estimate(family: ChartFamily, estimate: object, asked: Asked | None = None) -> Estimation:
    """What ``estimate=`` means for this chart type.

    Raises
    ------
    InputError, UnknownNameError
        When it is none of the forms :func:`perfanalytics.control_chart` documents.
    """
    if isinstance(estimate, Mapping) and "kind" in estimate:
        # a record, or (in the parameters of a bulk method) one as text
        estimate = from_record(json.loads(estimate["record"]) if "record" in estimate else estimate)
    if isinstance(getattr(estimate, "limits", None), Limits):
        estimate = getattr(estimate, "limits")  # noqa: B009 (a ControlChart, which lies above this module)
    if isinstance(estimate, Limits):
        return _carried(family, estimate, asked)
    if estimate is None or isinstance(estimate, str):
        name = family.default if estimate is None else family.check_estimator(estimate)
        return Estimation(estimator=name, how={"estimate": name, "formula": family.estimators[name]})
    if isinstance(estimate, Mapping):
        return _given(family, estimate)
    if isinstance(estimate, slice | range | Sequence | np.ndarray):
        if isinstance(estimate, slice):
            if estimate.step not in (None, 1):
                raise InputError("estimate=slice(...) has no step; give the positions as a list instead")
            text = (
                f"points {estimate.start or 0} to {'the end' if estimate.stop is None else estimate.stop - 1}"
            )
            first, stop = int(estimate.start or 0), -1 if estimate.stop is None else int(estimate.stop)
            if first < 0 or (estimate.stop is not None and stop <= first):
                raise InputError(f"estimate={estimate}: give 0 <= start < stop")
            positions: range | tuple[int, ...] = range(first, _END if estimate.stop is None else stop)
        else:
            given = np.unique(np.asarray(list(estimate)))
            if given.dtype.kind not in "iu" or not len(given) or given[0] < 0:
                raise InputError("estimate= as a list takes 0-based positions of points")
            positions = tuple(int(k) for k in given)
            text = f"{len(positions)} chosen points, {positions[0]} to {positions[-1]}"
        name = family.default
        return Estimation(
            estimator=name,
            positions=positions,
            how={"estimate": name, "formula": family.estimators[name], "limits_from": text},
        )
    raise InputError(
        "estimate= takes None, the name of an estimator, a slice or positions of points, a mapping of "
        f"{', '.join(family.parameters)}, or the limits of another chart; got {type(estimate).__name__}"
    )


def _given(family: ChartFamily, given: Mapping[Any, Any]) -> Estimation:
    _check_carried(family)
    given = dict(family.optional) | dict(given)
    if set(given) != set(family.parameters):
        raise InputError(
            f"a {family.name} chart needs exactly {', '.join(family.parameters)} as given parameters; "
            f"got {', '.join(map(str, given)) or 'none'}"
        )
    values = {str(k): _number(v) for k, v in given.items()}
    bad = {
        k: v
        for k, v in values.items()
        if not np.isfinite(v).all() or (np.ndim(v) == 0 and k not in ("center", "location") and v < 0)
    }
    if bad:
        raise InputError(f"given parameters must be finite, and a sigma not negative; got {bad}")
    single = "covariance" not in family.parameters
    many = [k for k, v in values.items() if np.ndim(v) and single and k != "coefficients"]
    if many:
        raise InputError(f"{many[0]} of a {family.name} chart is one number, got {given[many[0]]!r}")
    level = values.get("center", 0.0)
    if "sigma" not in values and family.panels[0].floor == 0 and np.ndim(level) == 0 and level < 0:
        raise InputError(f"the center of a {family.name} chart is not negative")
    if family.panels[0].ceiling == 1.0 and not 0 <= values["center"] <= 1:
        raise InputError(f"the center of a {family.name} chart is a share between 0 and 1")
    return Estimation(estimator="given", frozen=values, how={"estimate": "given", "parameters": values})


def _number(value: Any) -> Any:
    """A parameter: a number, or an array of them for charts of several measures.

    Raises
    ------
    InputError
    """
    try:
        return float(value) if np.ndim(value) == 0 else np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"given parameters are numbers, got {value!r}") from None


def _check_carried(family: ChartFamily) -> None:
    if not family.parameters:
        raise InputError(
            f"limits of a {family.name} chart belong to its products: carry them on with "
            "options={'targets': {...}, 'spreads': {...}}"
        )


def _carried(family: ChartFamily, limits: Limits, asked: Asked | None) -> Estimation:
    if limits.chart != family.name:
        raise InputError(f"limits of a {limits.chart} chart cannot be carried onto a {family.name} chart")
    _check_carried(family)
    values = {k: _number(limits.parameters[k][-1]) for k in family.parameters}
    if any(np.isnan(v).any() for v in values.values()):
        raise InputError("these limits are empty: the chart they come from had too few points")
    said = limits.method.parameters
    for name, chosen in ({} if asked is None else asked.options).items():
        if name in said and said[name] != chosen:
            raise InputError(
                f"these limits were made with {name} = {said[name]!r}, now it is {chosen!r}: give "
                "the same options="
            )
    source = str(said.get("limits_estimate" if said.get("estimate") == "frozen" else "estimate", ""))
    base = int(said.get("limits_points", limits.n[-1]))
    return Estimation(
        estimator="frozen",
        frozen=values,
        source=source,
        base=base,
        carried=limits,
        how={
            "estimate": "frozen",
            "limits_points": base,
            "parameters": values,
            "limits_from": f"stage {len(limits.n) - 1} of the chart with data {limits.provenance.data_hash}, "
            f"{int(limits.n[-1])} points",
            "limits_estimate": source,
            **(
                {}
                if not limits.agreed_by
                else {
                    "limits_agreed": f"by {limits.agreed_by} on {limits.agreed_on}",
                    "limits_valid": f"{limits.valid_from or 'open'} to {limits.valid_until or 'open'}",
                }
            ),
        },
    )


def chosen_points(positions: range | tuple[int, ...] | None, offsets: NDArray[np.int64]) -> Flags | None:
    """Flat mask of the points limits come from; a series (or stage) without any uses all its own.

    Raises
    ------
    InputError
        When no series reaches the first position.
    """
    if positions is None:
        return None
    where = np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))
    if isinstance(positions, range):
        mask = (where >= positions.start) & (where < positions.stop)
    else:
        mask = np.isin(where, positions)
    if not mask.any():
        raise InputError("estimate= names no point of the series")
    return np.asarray(mask)


def resolve_exclude(exclude: object) -> tuple[Exclusion, ...]:
    """Exclusion records from what ``exclude=`` was given.

    Raises
    ------
    InputError
        For points without a reason.
    """
    if isinstance(exclude, Exclusion):
        return (exclude,)
    if isinstance(exclude, Mapping):
        return tuple(Exclusion(reason, point=_position(p)) for p, reason in exclude.items())
    if isinstance(exclude, Iterable) and not isinstance(exclude, str):
        records = tuple(exclude)
        if all(isinstance(e, Exclusion) for e in records):
            return records
        if any(hasattr(e, "because") for e in records):
            raise InputError(
                "a proposed point is not excluded yet: give its cause with "
                "draft.because('what was found', who=..., decided_on=...)"
            )
    raise InputError(
        "a point is excluded only with its cause, so that nobody deletes outliers until a chart looks "
        "stable: give exclude={14: 'new batch of material'} or "
        "Exclusion('new batch of material', point=14, who=..., decided_on=...)"
    )


def _position(point: object) -> int:
    if isinstance(point, bool) or not isinstance(point, int | np.integer):
        raise InputError(f"exclude= as a mapping has 0-based positions as keys, got {point!r}")
    if point < 0:
        raise InputError(f"exclude= as a mapping has 0-based positions as keys, not negative, got {point}")
    return int(point)

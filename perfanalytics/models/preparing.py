"""What every family does before it is fitted: the rows that can be used, as numbers, and what is doubted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import bytes_of
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Provenance
from perfanalytics.models.factors import Factor
from perfanalytics.models.formula import (
    Design,
    Parsed,
    check_columns,
    design,
    levels_of,
    parse,
    plain_level,
    row_label,
)

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: At most this many rows of the factors are kept with a model.
KEPT = 5000


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a fit, whatever the family. ``columns``: those with a part of their own."""

    formula: str
    family: str
    roles: tuple[Factor, ...]
    measure: Measure
    objective: Objective | None
    columns: dict[str, str]
    quantiles: tuple[float, ...]
    errors: str
    confidence: float
    folds: int
    seed: int

    @property
    def controllable(self) -> tuple[str, ...]:
        """The columns somebody can set."""
        return tuple(r.name for r in self.roles if r.controllable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Rows that can be used. ``y`` is on the scale of the fit, ``observed`` in the unit of the measure."""

    parsed: Parsed
    rows: pd.DataFrame
    levels: dict[str, tuple[Any, ...]]
    ranges: dict[str, tuple[float, float]]
    made: Design
    logged: bool
    observed: Floats
    y: Floats
    offset: Floats
    weights: Floats
    sizes: Floats
    divided: bool
    group: NDArray[np.int64]
    group_levels: tuple[Any, ...]
    order: NDArray[np.int64] | None
    dropped: int
    caveats: tuple[Caveat, ...]

    @property
    def labels(self) -> list[str]:
        """Labels of the rows."""
        return [str(label) for label in self.rows.index.tolist()]


def prepare(frame: pd.DataFrame, asked: Asked) -> Prepared:
    """The rows of a fit.

    Raises
    ------
    InputError, UnknownNameError
        See :func:`perfanalytics.fit`.
    """
    parsed = parse(asked.formula)
    check_columns(frame, (parsed.response, *parsed.columns, *asked.columns.values()))
    logged = _logged(parsed, asked)
    rows, caveats = _complete(frame, parsed, asked, logged)
    levels = levels_of(rows, parsed)
    unseen = _roles_fit(asked, levels)
    observed = rows[parsed.response].to_numpy(dtype=np.float64)
    _refuse_constant(observed, parsed.response)
    ranges = {
        name: (float(rows[name].min()), float(rows[name].max()))
        for name in parsed.columns
        if name not in levels
    }
    made = design(rows, parsed, levels, ranges)
    n, p = made.matrix.shape
    if n <= p:
        raise InputError(
            f"{count(n, 'complete row')} cannot tell {count(p, 'coefficient')} apart: at least {p + 1} are "
            f"needed, {10 * p} are wanted"
        )
    sizes = _column(rows, asked.columns.get("sizes"), 1.0)
    divided = asked.measure.scale == "proportion" and "sizes" in asked.columns
    counts = observed * sizes if divided else observed
    group, group_levels = _groups(rows, asked.columns.get("groups"))
    return Prepared(
        parsed=parsed,
        rows=rows,
        levels=levels,
        ranges=ranges,
        made=made,
        logged=logged,
        observed=observed,
        y=np.log(observed) if logged else counts,
        offset=_offset(rows, asked),
        weights=_column(rows, asked.columns.get("weights"), 1.0),
        sizes=sizes,
        divided=divided,
        group=group,
        group_levels=group_levels,
        order=_order(rows, asked.columns.get("time")),
        dropped=len(frame) - n,
        caveats=(
            *caveats,
            *_open_doubts(rows, parsed.response),
            *unseen,
            *_role_doubts(parsed, asked),
            *_scale_doubts(asked, logged),
        ),
    )


def kept_rows(ready: Prepared, seed: int) -> dict[str, NDArray[Any]]:
    """The columns of the right side; of many rows a sample, in their order."""
    n = len(ready.rows)
    own = np.arange(n)
    if n > KEPT:
        own = np.sort(np.random.default_rng(seed).choice(n, KEPT, replace=False))
    out: dict[str, NDArray[Any]] = {}
    for name in ready.parsed.columns:
        column = ready.rows[name]
        if name in ready.levels:
            place = {level: k for k, level in enumerate(ready.levels[name])}
            values = [column.iat[k] for k in own.tolist()]
            out[name] = read_only(np.array([place[plain_level(v)] for v in values], dtype=np.int64))
        else:
            out[name] = read_only(column.to_numpy(dtype=np.float64)[own])
    return out


def steps_of(x: Floats) -> Floats:
    """1 for columns of zeros and ones, the standard deviation for others."""
    coded = ((x == 0) | (x == 1)).all(axis=0)
    return np.asarray(np.where(coded, 1.0, x.std(axis=0, ddof=1)))


def provenance_of(ready: Prepared, asked: Asked) -> Provenance:
    """Where the numbers came from: a hash of all columns used."""
    digest = hashlib.blake2b(digest_size=16)
    for name in (ready.parsed.response, *ready.parsed.columns, *asked.columns.values()):
        column = ready.rows[name].to_numpy()
        digest.update(name.encode())
        if column.dtype.kind in "fiub":
            digest.update(np.ascontiguousarray(column, dtype=np.float64).tobytes())
        elif column.dtype.kind in "mM":
            digest.update(np.ascontiguousarray(column).view(np.int64).tobytes())
        else:
            digest.update(bytes(bytes_of(column.astype(object))[:]))
    return Provenance(asked.measure.name, data_hash=digest.hexdigest(), n=len(ready.rows))


def _logged(parsed: Parsed, asked: Asked) -> bool:
    """Whether the logarithm is fitted: families with a link of their own keep the response as it is."""
    if asked.family in ("gaussian", "mixed", "quantile"):
        return parsed.logged or asked.measure.scale in LOG_SCALES
    if parsed.logged:
        raise InputError(
            f"family {asked.family!r} has a link of its own: write {parsed.response!r} on the left side, "
            "without log()"
        )
    return False


def _refuse_constant(observed: Floats, response: str) -> None:
    """A response that is the same everywhere (but for rounding) has no variation to explain."""
    if len(observed) and np.ptp(observed) <= 1e-15 * np.abs(observed).max():
        raise InputError(
            f"the response {response!r} is {observed[0]:g} in all {count(len(observed), 'row')}: there is no "
            "variation to explain"
        )


def _complete(
    frame: pd.DataFrame, parsed: Parsed, asked: Asked, logged: bool
) -> tuple[pd.DataFrame, list[Caveat]]:
    """The rows that can be used; those that cannot are counted in caveats."""
    import pandas as pd

    own = {role: name for role, name in asked.columns.items() if role != "time"}
    names = list(dict.fromkeys([parsed.response, *parsed.columns, *own.values()]))
    if asked.family == "binomial" and pd.api.types.is_bool_dtype(frame[parsed.response].dtype):
        frame = frame.assign(**{parsed.response: frame[parsed.response].astype(float)})
    if not pd.api.types.is_numeric_dtype(frame[parsed.response].dtype):
        raise InputError(f"the response {parsed.response!r} must hold numbers")
    for role in ("weights", "offset", "exposure", "sizes"):
        if role in own and not pd.api.types.is_numeric_dtype(frame[own[role]].dtype):
            raise InputError(f"column {own[role]!r} ({role}=) must hold numbers")
    rows = frame[frame[names].notna().all(axis=1)]
    caveats = []
    missing = len(frame) - len(rows)
    if missing:
        share = percent(missing / len(frame))
        text = f"{count(missing, 'row')} ({share}) left out because a value was missing."
        caveats.append(Caveat("rows-with-missing-values", text, {"rows": missing, "of": len(frame)}))
    for name in names:
        if not pd.api.types.is_numeric_dtype(rows[name].dtype):
            continue
        infinite = np.isinf(rows[name].to_numpy(dtype=np.float64))
        if infinite.any():
            raise InputError(
                f"infinite input: column {name!r} is infinite in {count(int(infinite.sum()), 'row')}, the "
                f"first is {row_label(rows.index[infinite][0])}; leave the value empty where it is not known"
            )
    for role in ("weights", "exposure", "sizes"):
        if role in own:
            refuse(rows, own[role], ~(rows[own[role]] > 0), f"not above 0: {role}= needs positive numbers")
    values = rows[parsed.response]
    if logged or asked.family == "gamma":
        refuse(rows, parsed.response, values < 0, "negative", "it has no logarithm")
        zero = values == 0
        if zero.any():
            rows = rows[~zero]
            text = (
                f"{count(int(zero.sum()), 'row')} left out because {parsed.response} is 0, which has no "
                "logarithm: the model speaks of the other items."
            )
            caveats.append(Caveat("rows-with-zero-response", text, {"rows": int(zero.sum())}))
    refuse_response(rows, parsed.response, asked)
    return rows, caveats


def refuse_response(rows: pd.DataFrame, name: str, asked: Any) -> None:
    """Counts are whole numbers from 0, outcomes 0 or 1, shares between them; ``asked``: an Asked or a model.

    Raises
    ------
    InputError
    """
    values = rows[name]
    if asked.family in ("poisson", "negative_binomial"):
        refuse(rows, name, (values < 0) | (values != values.round()), "not a count (0, 1, 2, ...)")
    if asked.family != "binomial":
        return
    if "sizes" not in asked.columns:
        refuse(
            rows, name, ~values.isin([0, 1]), "neither 0 nor 1", "counts out of a number need sizes=column"
        )
        return
    sizes = rows[asked.columns["sizes"]]
    refuse(rows, asked.columns["sizes"], sizes != sizes.round(), "not a whole number: sizes= counts trials")
    hits = values * sizes if asked.measure.scale == "proportion" else values
    off = (hits - hits.round()).abs() > 1e-6
    what = "a share" if asked.measure.scale == "proportion" else "a count"
    refuse(rows, name, (hits < -1e-9) | (hits > sizes * (1 + 1e-9)) | off, f"not {what} out of sizes=")


def refuse(rows: pd.DataFrame, name: str, bad: Any, what: str, then: str = "") -> None:
    """Raise when some rows are bad, with how many and the first of them.

    Raises
    ------
    InputError
    """
    if bad.any():
        raise InputError(
            f"{name} is {what} in {count(int(bad.sum()), 'row')}, the first is "
            f"{row_label(rows.index[bad][0])}" + (f": {then}" if then else "")
        )


def _column(rows: pd.DataFrame, name: str | None, otherwise: float) -> Floats:
    if name is None:
        return np.full(len(rows), otherwise)
    return np.asarray(rows[name].to_numpy(dtype=np.float64))


def _offset(rows: pd.DataFrame, asked: Asked) -> Floats:
    offset = _column(rows, asked.columns.get("offset"), 0.0)
    if "exposure" in asked.columns:
        offset = offset + np.log(_column(rows, asked.columns["exposure"], 1.0))
    return offset


def _groups(rows: pd.DataFrame, name: str | None) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    """Position of each row among the groups, and the groups in the order of their names."""
    if name is None:
        return np.zeros(0, dtype=np.int64), ()
    values = [plain_level(v) for v in rows[name].tolist()]
    levels = tuple(sorted(dict.fromkeys(values), key=lambda v: (type(v).__name__, v)))
    place = {level: k for k, level in enumerate(levels)}
    return np.array([place[v] for v in values], dtype=np.int64), levels


def _order(rows: pd.DataFrame, time: str | None) -> NDArray[np.int64] | None:
    if time is None:
        return None
    column = rows[time]
    if column.isna().any():
        raise InputError(f"column {time!r} (time=) has missing values in rows that are used")
    return np.asarray(np.argsort(column.to_numpy(), kind="stable"))


def _roles_fit(asked: Asked, levels: dict[str, tuple[Any, ...]]) -> list[Caveat]:
    """A category has choices and a number a range; choices the data did not have are told."""
    out = []
    for role in asked.roles:
        if role.name not in levels and role.choices is not None:
            raise InputError(
                f"{role.name!r} holds numbers, so what is feasible is a range: "
                f"Factor({role.name!r}, low=, high=)"
            )
        if role.name in levels and (role.low is not None or role.high is not None):
            raise InputError(
                f"{role.name!r} is a category, so what is feasible are levels: "
                f"Factor({role.name!r}, choices=(...))"
            )
        strange = [str(v) for v in role.choices or () if v not in levels[role.name]]
        if strange:
            shown = ", ".join(strange)
            text = f"{role.name}: {shown} may be chosen, but was not in the data: nothing is said of it."
            out.append(Caveat("choices-not-seen", text, {"factor": role.name, "levels": shown}))
    return out


def _role_doubts(parsed: Parsed, asked: Asked) -> list[Caveat]:
    if asked.controllable:
        return []
    text = (
        "No factor is named as controllable: the model predicts, but without something to control it is "
        "not a process performance model."
    )
    return [Caveat("no-controllable-factor", text, {"factors": ", ".join(parsed.columns)})]


def _open_doubts(rows: pd.DataFrame, response: str) -> list[Caveat]:
    """Ages of open items, as ``repo.frame`` marks them beside the response, are no outcomes yet."""
    name = f"{response}_censored"
    k = int(rows[name].fillna(False).astype(bool).sum()) if name in rows.columns else 0
    if not k:
        return []
    text = (
        f"{count(k, 'item')} of {len(rows)} {'is' if k == 1 else 'are'} still open ({name}): the age so far, "
        "which can only grow, is taken as the outcome. Leave them out, or end the selection before them."
    )
    return [Caveat("censored-outcomes", text, {"n": k, "of": len(rows)})]


def _scale_doubts(asked: Asked, logged: bool) -> list[Caveat]:
    measure = asked.measure
    if asked.family not in ("gaussian", "mixed") or logged:
        return []
    if measure.scale not in ("count", "proportion", "ordinal"):
        return []
    text = (
        f"{measure.name} is a {measure.scale}, fitted here as if it were normal: predictions may leave its "
        "range, and its variance changes with its level."
    )
    better = {"count": "poisson or negative_binomial", "proportion": "binomial"}.get(str(measure.scale))
    text += f" A family that fits: {better}." if better else ""
    return [Caveat("scale-not-modelled", text, {"scale": str(measure.scale)})]

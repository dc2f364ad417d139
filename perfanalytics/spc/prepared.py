"""From a batch and what was asked to points, segments and setting: the same for one series and for many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.records import Exclusion
from perfanalytics.core.segments import Flags, Segments, blocks, keep_freed_memory
from perfanalytics.core.series import COLUMNS, SeriesBatch, resolve_exclusions
from perfanalytics.spc.asked import Estimation, chosen_points, resolve_estimate, resolve_exclude
from perfanalytics.spc.families import family_of
from perfanalytics.spc.family import ChartFamily
from perfanalytics.spc.kernel import Charted, Setting, chart_block
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.points import Points
from perfanalytics.spc.stability import FALSE_ALARMS, MODES, carried_mode, spanned
from perfanalytics.spc.stages import stage_starts
from perfanalytics.spc.transforms import (
    HIGHEST,
    LOWEST,
    TRANSFORMS,
    Scale,
    Transform,
    as_transform,
    transformed,
)

#: Arrays of fewer points are small enough for the allocator as it is.
SMALL = 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything the kernel needs, for all series of a batch.

    Parameters
    ----------
    setting : Setting
    points : Points
    starts : int array, shape (m,)
        Flat position of the first point of each segment (stage of a series).
    chosen : bool array or None
        The points limits are estimated from, where they were chosen.
    exclusions : mapping of flat position to Exclusion
    mode : str
        Key of the stability reference.
    parameters : mapping
        For ``.method``.
    labels : mapping of flat position to str
        What the stages that begin there are called; of one series only.
    carried : Limits or None
        The limits that are carried on.
    scale : Scale or None
        The transformation of each series; ``points`` are transformed.
    shown : float array or None
        The points before the transformation, where they are single values.
    """

    setting: Setting
    points: Points
    starts: NDArray[np.int64]
    chosen: Flags | None
    exclusions: dict[int, Exclusion]
    mode: str
    parameters: dict[str, Any]
    labels: Mapping[int, str] = field(default_factory=dict)
    carried: Limits | None = None
    scale: Scale | None = None
    shown: Floats | None = None

    def blocks(self, size: int = 1 << 16) -> Iterator[tuple[int, int, int, Charted | None]]:
        """Series ``first`` to ``last - 1``, the flat position of their first point, and their charts."""
        offsets = self.points.offsets
        if offsets[-1] > SMALL:
            keep_freed_memory()
        for first, last in blocks(offsets, size):
            a, b = int(offsets[first]), int(offsets[last])
            if a == b:
                yield first, last, a, None
                continue
            i, j = np.searchsorted(self.starts, [a, b])
            segments = Segments(self.starts[i:j] - a, b - a)
            chosen = None
            if self.chosen is not None:
                chosen = self.chosen[a:b]
                # a stage without a chosen point takes its limits from all of its own
                chosen = chosen | np.repeat(segments.counts(chosen) == 0, segments.lengths)
            part = self.points if len(offsets) == last + 1 and first == 0 else self.points.part(first, last)
            scale = None
            if self.scale is not None:
                scale = self.scale.of(np.searchsorted(offsets, self.starts[i:j], side="right") - 1)
            yield first, last, a, chart_block(part, segments, self.setting, chosen=chosen, scale=scale)


def still_open(batch: SeriesBatch, points: Points) -> Flags:
    """Used points that are censored, where the points are the values of the batch; shape (n,)."""
    if batch.censored is None or points.batch is not batch:
        return np.zeros(len(points.value), dtype=bool)
    out = batch.censored & ~np.isnan(points.value)
    return out if points.excluded is None else out & ~points.excluded


def _possible(batch: SeriesBatch) -> None:
    """Refuse what the declared scale cannot hold.

    Raises
    ------
    InputError
    """
    if batch.measure.scale in LOG_SCALES and batch.values.ndim == 1:
        bad = batch.values < 0
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            raise InputError(
                f"point {k} of {batch.measure.name} is {batch.values[k]:g}: a {batch.measure.scale} is not "
                "negative (declare scale='real' if it can be)"
            )


def _same_unit(carried: Limits | None, measure: Measure) -> None:
    """Refuse limits in another unit than that of the values.

    Raises
    ------
    InputError
    """
    if carried is None or carried.measure.unit == measure.unit:
        return
    if carried.measure.unit and measure.unit:
        raise InputError(
            f"these limits are in {carried.measure.unit} ({carried.measure.name}), the values in "
            f"{measure.unit} ({measure.name}): bring them to one unit first"
        )


def _uncertain(
    family: ChartFamily, mode: str, estimation: Estimation, chosen: Flags | None, offsets: NDArray[np.int64]
) -> str:
    """The mode of limits that rest on other or only some points: they are uncertain themselves."""
    base, estimator = estimation.base, estimation.source or family.default
    if chosen is not None and len(offsets) > 1:
        longest = int(np.diff(offsets).max())
        base = int(np.add.reduceat(chosen, offsets[:-1][np.diff(offsets) > 0]).max()) if longest else None
        if base is None or base >= longest:
            return mode
        if mode != "family":
            mode = "known_two_panels" if len(family.panels) > 1 else "known"
        estimator = estimation.estimator
    if base is None or estimator not in family.modes:
        return mode
    if "family" in (mode, family.modes[estimator]):
        through = carried_mode("family", base, estimator)
        return mode if through == "family" else through
    own = MODES[family.modes[estimator]][0]
    return mode if own is None else carried_mode(mode, base, own)


def prepare(
    batch: SeriesBatch,
    *,
    chart: str,
    rules: object,
    estimate: object,
    stages: object,
    exclude: object,
    sigmas: float | None,
    options: object = None,
    limits: object = None,
    transform: object = None,
) -> Prepared:
    """Resolve what was asked.

    Raises
    ------
    InputError, UnknownNameError
    """
    _possible(batch)
    family = family_of(chart).for_batch(batch)
    rule_set = family.rules_of(rules)
    asked = family.check(options, limits, sigmas)
    estimation = resolve_estimate(family, estimate, asked)
    _same_unit(estimation.carried, batch.measure)
    asked = replace(asked, estimator=estimation.source or estimation.estimator)
    change = transform_of(family, estimation, as_transform(transform))
    points = family.points(batch, asked.options)
    source = batch if points.batch is None else points.batch
    records = (*source.exclusions, *resolve_exclude(exclude))
    mask, by_point = resolve_exclusions(source, records) if records else (None, {})
    breaks = source.breaks if points.breaks is None else points.breaks
    points = replace(points, excluded=mask if by_point else None, breaks=breaks, batch=source)
    offsets = points.offsets
    none = isinstance(stages, tuple | list) and not stages
    if not family.ordered and not none:
        raise InputError(f"the points of a {family.name} chart are units, not times: it has no stages")
    staged = stage_starts(batch, source, offsets, ~np.isnan(points.value), stages)
    starts = np.union1d(offsets[:-1][np.diff(offsets) > 0], staged.starts).astype(np.int64)
    setting = Setting(
        family=family,
        rules=rule_set,
        asked=asked,
        estimator=estimation.estimator,
        frozen=estimation.frozen,
        measures=batch.values.shape[1] if family.several else 0,
    )
    simulated = "family" in family.modes.values() and not family.known_as
    if estimation.frozen is None:
        mode: str = family.modes[estimation.estimator]
    elif family.own is not None:
        mode = "own"
    elif simulated:
        mode = "family"
    else:
        mode = family.known_as or ("known_two_panels" if len(family.panels) > 1 else "known")
    chosen = chosen_points(estimation.positions, offsets)
    scale = shown = None
    if change is not None:
        shown = None if family.grouped else points.value
        values, scale = _rescaled(batch, points, change, chosen, family)
        points = replace(points, **_of_values(family, _with_values(batch, values), asked.options))
    if family.own is None:
        mode = _uncertain(family, mode, estimation, chosen, offsets)
    if family.span_option:
        mode = spanned(mode, int(asked.options[family.span_option]))
    parameters: dict[str, Any] = {
        "chart": family.name,
        **dict(estimation.how),
        **dict(points.how),
        **asked.options,
        "sigmas": asked.sigmas,
        "limits": f"{asked.limits}: {family.limit_kinds[asked.limits]}",
        "rules": rule_set,
        "rules_look_at": "points standardized by their own sigma; moving-range panels use the limits only",
        "on_a_line": "a point on a limit is inside, on the center line it ends a run (within 1e-9 sigma)",
        "gaps": "no moving range, run or trend crosses a gap, a missing or excluded point, or a stage border",
        "stages": list(staged.said),
        "stability": "signals and farthest point against those of stable series, "
        f"{FALSE_ALARMS:.0%} false alarms a chart",
        "stability_reference": mode,
    }
    if change is not None and scale is not None:
        parameters["transform"] = _said(change, scale)
    return Prepared(
        setting=setting,
        points=points,
        starts=starts,
        chosen=chosen,
        exclusions=by_point,
        mode=mode,
        parameters=parameters,
        labels=staged.labels,
        carried=estimation.carried,
        scale=scale,
        shown=shown,
    )


def transform_of(family: ChartFamily, estimation: Estimation, asked: Transform | None) -> Transform | None:
    """The transformation to be used: the one asked for, or that of limits that are carried on.

    Raises
    ------
    InputError
        For a chart type whose values have a law of their own, or limits on another scale.
    """
    old = None if estimation.carried is None else estimation.carried.transform
    if estimation.carried is not None:
        if asked is None or old is None:
            if asked is not None:
                raise InputError("these limits were made without a transformation: leave transform= out")
            return old
        same = asked.name == old.name and asked.shift == old.shift and asked.lam in (None, old.lam)
        if not same:
            raise InputError(f"these limits are on the {old.words}: leave transform= out, it is carried on")
        return old
    if asked is None:
        return None
    if not family.transformable:
        raise InputError(
            f"the values of a {family.name} chart are not transformed: its limits follow from what they are "
            "(counts, shares, times between events, several measures); transform= is for charts of one "
            "value a point and of subgroups"
        )
    if estimation.frozen is not None and not asked.known:
        raise InputError(
            "given parameters are those of the transformed values: give the lambda they belong to, "
            f"transform={{'name': {asked.name!r}, 'lambda': ...}}"
        )
    return asked


def _rescaled(
    batch: SeriesBatch, points: Points, change: Transform, chosen: Flags | None, family: ChartFamily
) -> tuple[Floats, Scale]:
    """The transformed values of a batch; a power is estimated from the rows behind the limits."""
    used = ~np.isnan(points.value) if points.excluded is None else ~points.excluded
    keep = used if chosen is None else used & chosen
    if family.grouped and batch.values.ndim == 1 and batch.subgroups is not None:
        # from subgroups to the rows they are made of
        new = np.ones(len(batch.values), dtype=bool)
        new[1:] = batch.subgroups[1:] != batch.subgroups[:-1]
        new[batch.offsets[:-1][batch.lengths > 0]] = True
        row = np.cumsum(new) - 1
        used, keep = used[row], keep[row]
        if batch.exclusions:
            gone, _ = resolve_exclusions(batch, batch.exclusions)
            used, keep = used & ~gone, keep & ~gone
    if chosen is not None:
        # a series without a chosen row takes its power from all of its own
        some = np.flatnonzero(batch.lengths > 0)
        seg = Segments(batch.offsets[some], len(keep))
        keep = keep | (np.repeat(seg.counts(keep) == 0, seg.lengths) & used)
    return transformed(change, batch.values, keep, batch.offsets, used)


def _with_values(batch: SeriesBatch, values: Floats) -> SeriesBatch:
    """The same batch with other values."""
    return SeriesBatch(
        values,
        batch.offsets,
        measure=batch.measure,
        ids=batch.ids,
        **{name: getattr(batch, name) for name in COLUMNS},
        covariates=batch.covariates,
        events=batch.events,
        exclusions=batch.exclusions,
        expected_every=batch.expected_every,
        selection=batch.selection,
        load_ids=batch.load_ids,
        clock=batch.clock if batch.when is not None else None,
    )


def _of_values(family: ChartFamily, batch: SeriesBatch, options: Any) -> dict[str, Any]:
    """What of the points depends on the values."""
    made = family.points(batch, options)
    return {"value": made.value, "columns": made.columns}


def _said(change: Transform, scale: Scale) -> dict[str, Any]:
    """The transformation, for ``.method``."""
    out = change.to_mapping() | {"formula": TRANSFORMS[change.name]}
    if not change.known:
        estimated = (
            f"maximum likelihood over the points behind the limits, all stages together, between {LOWEST:g} "
            f"and {HIGHEST:g}"
        )
        if change.round_to is not None:
            estimated += f", rounded to a multiple of {change.round_to:g}"
        out |= {"estimated": estimated}
        out |= {"lambda": float(scale.lam[0]) if len(scale.lam) == 1 else "one a series"}
    return out | {
        "shown": "levels on the original scale (the center is near the median), sigma, ranges and cumulative "
        "sums on the transformed one; rules look at the transformed values"
    }

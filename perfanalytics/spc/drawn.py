"""What is drawn of a chart: the arrays of each panel, on the scale of the measure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from perfanalytics.core.errors import InputError
from perfanalytics.spc.kernel import Charted, chart_block
from perfanalytics.spc.prepared import Prepared

_LINES = ("value", "center", "sigma", "lower", "upper")


def drawn_arrays(prepared: Prepared, charted: Charted | None) -> dict[str, Any]:
    """What is drawn of each panel, arrays of shape (panels, points)."""
    family = prepared.setting.family
    shape = (len(family.panels), len(prepared.points.value))
    arrays: dict[str, Any] = {name: np.full(shape, np.nan) for name in _LINES}
    if charted is not None:
        for k, (panel, line) in enumerate(zip(family.panels, charted.lines, strict=True)):
            lower, upper = panel.limits(line, prepared.setting.sigmas)
            value, center = line.value, line.center
            if prepared.scale is not None and panel.level:
                # one series: its transformation holds for every point
                value, center, lower, upper = (prepared.scale.back(x) for x in (value, center, lower, upper))
                if line.value is charted.block.points.value and prepared.shown is not None:
                    # the values as they came, to the last digit
                    value = prepared.shown
            for name, column in zip(_LINES, (value, center, line.sigma, lower, upper), strict=True):
                arrays[name][k] = column
    return arrays


def panel_names(prepared: Prepared) -> tuple[str, ...]:
    """Names of the panels; those that stay on a transformed scale say so."""
    scale = prepared.scale
    words = "" if scale is None or not len(scale.lam) else f", {scale.transform(0).words}"
    return tuple(p.name if p.level else p.name + words for p in prepared.setting.family.panels)


def is_share(prepared: Prepared) -> bool:
    """Whether the values are shares, told in percent."""
    share = prepared.points.share
    return prepared.setting.family.panels[0].ceiling == 1.0 if share is None else share


def carried_on(prepared: Prepared, charted: Charted | None, carry: int | None) -> dict[str, Any]:
    """The limits of a stage over the points behind it.

    Raises
    ------
    InputError
        When there is no such stage or none behind it, or the points themselves depend on the limits.
    """
    if carry is None:
        return {}
    family, starts = prepared.setting.family, prepared.starts
    if isinstance(carry, bool) or not isinstance(carry, int | np.integer) or not 0 <= carry < len(starts) - 1:
        raise InputError(
            f"carry= is the number of a stage that others follow; this chart has {len(starts)} "
            f"stage{'s' if len(starts) != 1 else ''}, so "
            + (f"0 to {len(starts) - 2} are possible" if len(starts) > 1 else "give stages= first")
            + f", not {carry!r}"
        )
    if family.deviations is not None or not family.parameters or charted is None:
        raise InputError(
            f"the points of a {family.name} chart depend on its limits: make a second chart on the limits of "
            "the stage instead, control_chart(..., estimate=first.limits)"
        )
    frozen = {name: charted.parameters[name][carry] for name in family.parameters}
    if any(np.isnan(value).any() for value in frozen.values()):
        raise InputError(f"stage {carry} has no limits that could be carried on")
    setting = replace(prepared.setting, frozen=frozen)
    old = drawn_arrays(prepared, chart_block(prepared.points, charted.block.segments, setting))
    behind = np.arange(len(prepared.points.value)) >= starts[carry + 1]
    return {"carried_stage": int(carry)} | {
        f"carried_{name}": np.where(behind, old[name], np.nan) for name in ("center", "lower", "upper")
    }

"""Statistical doubts about a capability study, as caveats."""

from __future__ import annotations

import math

import numpy as np

from perfanalytics.baselines.capability_sample import Sample
from perfanalytics.baselines.distributions import misfit
from perfanalytics.baselines.doubts import dependence_doubts
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.numbers import Options
from perfanalytics.baselines.wording import count
from perfanalytics.core.result import Caveat
from perfanalytics.core.series import Series
from perfanalytics.spc.result import ControlChart

#: Fewer values than this carry a caveat: a Cpk of 1.33 from 50 values may be anything from 1.05 to 1.61.
FEW = 50
#: Fewer values than this have none beyond the 0.135 and 99.865 percentiles.
FOR_TAILS = 741


def stability_caveat(stable: bool | None, signals: int, verdict: str) -> list[Caveat]:
    """A caveat where the process is not stable, or nobody can say."""
    if stable:
        return []
    if stable is None:
        return [Caveat("stability-unknown", f"Whether the process is stable cannot be said: {verdict}", {})]
    text = (
        f"The process is not stable ({count(signals, 'point')} with signals): the indices describe what was; "
        "capability of an unstable process predicts nothing."
    )
    return [Caveat("not-stable", text, {"signals": signals})]


def few_values(n: int) -> list[Caveat]:
    """A caveat for fewer than 50 values."""
    if n >= FEW:
        return []
    text = f"Only {count(n, 'value')}: indices from fewer than {FEW} are very uncertain; read the intervals."
    return [Caveat("too-few-points", text, {"n": n, "needed": FEW})]


def capability_doubts(
    series: Series,
    used: Sample,
    chart: ControlChart,
    fitted: Fitted | None,
    distribution: str,
    options: Options,
    *,
    within: bool,
) -> tuple[Caveat, ...]:
    """The doubts about indices of measured values."""
    n = len(used.values)
    out = few_values(n)
    if used.sd_overall == 0:
        text = f"All {n} values are {used.values[0]:g}: there is no variation, and indices mean nothing."
        out.append(Caveat("zero-variance", text, {"value": float(used.values[0])}))
    out += stability_caveat(chart.stable, chart.n_signals, chart.verdict)
    if fitted is not None:
        out += misfit(fitted)
    if distribution == "empirical" and n < FOR_TAILS:
        text = (
            f"{n} values have none at the 0.135 and 99.865 percentiles (that takes {FOR_TAILS}): the "
            "empirical indices rest on the outermost values and are too favorable."
        )
        out.append(Caveat("tails-not-seen", text, {"n": n, "needed": FOR_TAILS}))
    ratio = used.sd_within / used.sd_overall if used.sd_overall > 0 else math.nan
    if within and ratio < 0.8 and chart.stable is not False:
        text = (
            f"The spread within is only {ratio:.2f} of the overall one: Cp and Cpk tell what the process "
            "could do, Pp and Ppk what it does."
        )
        out.append(Caveat("drifts-between", text, {"ratio": float(ratio)}))
    out += dependence_doubts(used.size, options.dependence, asked=options.asked)
    different = len(np.unique(used.values))
    if n >= 20 and 1 < different < 8:
        text = f"Only {different} different values: the measurement is too coarse to estimate a spread."
        out.append(Caveat("coarse-measurement", text, {"different": different}))
    if series.weights is not None:
        out.append(Caveat("weights-ignored", "The series has weights; each value counts the same here.", {}))
    return tuple(out)

"""The doubts that come with a simulation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat
from perfanalytics.models.simulation.inputs import is_uncertain
from perfanalytics.models.simulation.parts import Batch, Part, Rework, Step
from perfanalytics.models.simulation.sources import Sample

#: Observed values below this number say little about the tails.
FEW_VALUES = 30
#: Standard errors between a simulation and a closed form from which on it is told.
TOO_FAR = 4.0


def input_doubts(processes: Sequence[Part], dependence: str, *, resamples: int) -> list[Caveat]:
    """Doubts about what went in; steps that several processes share are told once."""
    steps = tuple({s.name: s for process in processes for s in process.steps}.values())
    out = []
    if dependence == "independent" and len(steps) > 1:
        text = (
            f"The {len(steps)} steps are taken as independent of each other. Where items that are slow in "
            "one step are slow in others too, the spread is wider than told here: give correlation=."
        )
        out.append(Caveat("independence-assumed", text, {"steps": len(steps)}))
    loops = any(isinstance(p, Rework | Batch) for process in processes for p in process.walk())
    if dependence == "pairs" and loops:
        text = "Correlations given by pairs hold for the first pass of a step; later passes are independent."
        out.append(Caveat("later-passes-independent", text))
    unstable = [s.name for s in steps if s.stable is False]
    if unstable:
        text = f"The data behind {_listed(unstable)} were not stable: they may not go on like this."
        out.append(Caveat("input-not-stable", text, {"steps": ", ".join(unstable)}))
    out += [
        Caveat("input-doubtful", f"Step {s.name!r}: {doubt}.", {"step": s.name})
        for s in steps
        for doubt in s.doubts
    ]
    few = [s for s in steps if isinstance(s.source, Sample) and len(s.source.values) < FEW_VALUES]
    if few:
        least = min(few, key=_size)
        text = (
            f"{_listed([s.name for s in few])}: few observed values ({_size(least)} of {least.name}); "
            "nothing larger than the largest of them can come, so the upper tail is too short."
        )
        out.append(Caveat("few-observed-values", text, {"step": least.name, "n": _size(least)}))
    stated = [s.name for s in steps if s.origin.startswith("stated")]
    if stated:
        text = f"The times of {_listed(stated)} are stated, not estimated from data."
        out.append(Caveat("stated-inputs", text, {"steps": ", ".join(stated)}))
    if not resamples and any(is_uncertain(s) for s in steps):
        text = (
            "The intervals are those of the simulation only; the sample sizes of the inputs are not in them: "
            "give resamples=200."
        )
        out.append(Caveat("inputs-taken-as-known", text))
    return out


def output_doubts(totals: Floats, half_width: float) -> list[Caveat]:
    """Doubts about what came out."""
    out = []
    negative = int(np.count_nonzero(totals < 0))
    if negative:
        text = (
            f"{negative:,} of {len(totals):,} runs gave a negative total: no duration is negative. Look at "
            "negative values and normal distributions among the steps (lognormal or gamma instead)."
        )
        out.append(Caveat("negative-totals", text, {"share": negative / len(totals)}))
    if half_width > 0.02:
        text = (
            f"The probability is known to within {100 * half_width:.1f} points only by these {len(totals):,} "
            f"runs: {len(totals) * max(2, round((half_width / 0.005) ** 2)):,} would give half a point."
        )
        out.append(Caveat("few-runs", text, {"runs": len(totals), "half_width": half_width}))
    return out


def check_doubts(names: tuple[str, ...], exact: Floats, simulated: Floats, error: Floats) -> list[Caveat]:
    """Closed forms from which the simulation lies too far away."""
    out = []
    for name, a, b, se in zip(names, exact.tolist(), simulated.tolist(), error.tolist(), strict=True):
        gap = abs(b - a)
        if np.isnan(a) or gap <= TOO_FAR * se + 1e-9 * abs(a):
            continue
        far = gap / se if se > 0 else np.inf
        text = (
            f"{name}: the simulation gave {b:.6g}, the exact value is {a:.6g}, {far:.1f} standard "
            "errors away. Either the tail is too heavy for so few runs, or something is wrong: do not use "
            "these numbers before that is found."
        )
        out.append(Caveat("self-check-failed", text, {"exact": a, "simulated": b, "standard_errors": far}))
    return out


def _size(step: Step) -> int:
    assert isinstance(step.source, Sample)
    return len(step.source.values)


def _listed(names: list[str]) -> str:
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} other steps"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]

"""The verdict of a capability study."""

from __future__ import annotations

import math
from collections.abc import Sequence

from perfanalytics.baselines.capability_result import Capability
from perfanalytics.baselines.rows import Row
from perfanalytics.baselines.wording import count, number, percent, share_interval, span
from perfanalytics.core.records import Objective

_SAY = {"met": "met", "missed": "missed", "undecided": "not decided by these data"}


def against_minimum(
    rows: Sequence[Row], minimum: float | None, objective: Objective | None
) -> tuple[str | None, str]:
    """Standing and sentence: Ppk against the index asked for, else the share of items of the objective."""
    by_name = {r.quantity: r for r in rows}
    if minimum is not None:
        row = by_name["ppk"]
        standing = _standing(row.low >= minimum, row.high < minimum)
        return standing, f"Ppk shall be at least {minimum:g}: {_SAY[standing]}."
    if objective is None or objective.share is None:
        return None, ""
    row = by_name["ppm_observed"]
    share, low, high = 1 - row.estimate / 1e6, 1 - row.high / 1e6, 1 - row.low / 1e6
    standing = _standing(low >= objective.share, high < objective.share)
    said, interval = share_interval(share, low, high, row.confidence)
    return standing, (
        f"Objective {objective.name!r}: {percent(objective.share)} of items shall meet it; {said} did "
        f"{interval}, so it is {_SAY[standing]}."
    )


def _standing(met: bool, missed: bool) -> str:
    return "met" if met else "missed" if missed else "undecided"


def index(value: float, low: float, high: float, confidence: float) -> str:
    """An index with its interval, two decimals as is the custom."""
    if math.isnan(low):
        return f"{value:.2f}"
    return f"{value:.2f} ({percent(confidence)} interval {low:.2f} to {high:.2f})"


def ppm_words(ppm: float) -> str:
    """Parts per million as a percentage, or as parts per million where they are few.

    Examples
    --------
    >>> ppm_words(25_000.0), ppm_words(63.3), ppm_words(0.004)
    ('2.5%', '63 per million', 'less than 1 per million')
    """
    if ppm >= 1000:
        return percent(ppm / 1e6)
    if ppm < 1:
        return "less than 1 per million" if ppm > 0 else "0"
    return f"{number(round(ppm) if ppm >= 10 else ppm)} per million"


def stability_words(stable: bool | None, signals: int) -> str:
    """What the stability verdict means for capability."""
    if stable is None:
        return (
            " Whether the process is stable could not be judged: nobody knows whether it goes on like this."
        )
    if stable:
        return " The process was stable."
    return (
        f" The process was not stable ({count(signals, 'signal')}): capability of an unstable process "
        "predicts nothing."
    )


def verdict_of(made: Capability, sentence: str) -> str:
    """Two or three sentences: the index, what lies outside, stability, and what was asked for."""
    limits = span(
        -math.inf if math.isnan(made.lower) else made.lower,
        math.inf if math.isnan(made.upper) else made.upper,
        made.measure.unit,
    )
    name = made.measure.name
    if made.sd_overall == 0:
        return f"{name}: all {count(made.n, 'value')} are alike, so no index can be given. {sentence}".strip()
    ppk = index(*(made.value("ppk", p) for p in ("estimate", "low", "high", "confidence")))
    text = f"{name}, asked to be {limits}: Ppk is {ppk} from {count(made.n, 'value')}"
    expected, observed = made.value("ppm_overall"), made.value("ppm_observed")
    seen = round(observed * made.n / 1e6)
    text += f"; {number(seen) if seen else 'none'} of them lay outside"
    if math.isfinite(expected):
        ends = [ppm_words(made.value("ppm_overall", p)) for p in ("low", "high")]
        text += f", {ppm_words(expected)} are expected to"
        if not math.isnan(made.value("ppm_overall", "low")):
            text += f" ({ends[0]} to {ends[1]})"
    return f"{text}.{stability_words(made.stable, made.signals)} {sentence}".strip()

"""What a chart says, in one or two sentences that a meeting can read out."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from perfanalytics.spc.families import family_of
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.wording import moment, nth, number, p_text, points_word, unit_of

#: The tests that decide on a run chart.
RUN_TESTS = ("longest run", "crossings of the median")


def first_signal_text(chart: ControlChart, stage: int | None = None) -> str:
    """Where and how the first signal (of a stage) shows: "on 24 March 2016, above the limits"."""
    fired = chart.fired != 0
    if stage is not None:
        fired = fired & (chart.stage == stage)
    k = int(np.flatnonzero(fired.any(axis=0))[0])
    panel = int(np.flatnonzero(fired[:, k])[0])
    where = f"at {nth(k)}"
    if chart.when is not None:
        where = f"{'in' if chart.every in ('month', 'year') else 'on'} {moment(chart.when[k], chart.every)}"
    elif chart.labels is not None and chart.labels[k]:
        where = f"at {chart.labels[k]}"
    value = chart.value[panel, k]
    if panel > 0:
        return f"{where}, where the {chart.panels[panel]} exceeds its limit"
    for side, beyond in (("above", value > chart.upper[0, k]), ("below", value < chart.lower[0, k])):
        if beyond:
            return f"{where}, {side} the limits"
    bits = int(chart.fired[0, k])
    rule = next(r for bit, r in enumerate(chart.rules.rules) if bits >> bit & 1)
    return f"{where} ({rule.text})"


def levels_text(chart: ControlChart) -> str:
    """Center and limits of the last stage that has limits."""
    share = chart.is_share
    unit = "" if family_of(chart.chart).panels[0].unitless else unit_of(chart.measure)
    limits = chart.limits
    k = len(limits.n) - 1
    if k < 0 or np.isnan(limits.center[0, k]) or family_of(chart.chart).told is not None:
        return ""
    last = np.arange(int(limits.first[k]), int(limits.last[k]) + 1)
    wide = chart.spread(0)[last]
    spread = float(np.nanmedian(wide)) if np.isfinite(wide).any() else np.nan
    text = f"center {number(float(limits.center[0, k]), spread, share=share)}"
    if any(panel.main for panel in family_of(chart.chart).panels):
        # what is drawn starts from 0: say the level it is reckoned from, and how far it may go
        at, whose = float(limits.upper[0, k]), ""
        if np.isnan(at) and np.isfinite(chart.upper[0, last]).any():
            at, whose = (
                float(chart.upper[0, last][np.isfinite(chart.upper[0, last])][-1]),
                " of the newest point",
            )
        reach = number(at, spread)
        center = float(limits.parameters["center"][k])
        level = number(center, spread)
        if chart.transform is not None:
            level, unit = f"{number(chart.transform.back(center))}{unit}", f" on the {chart.transform.words}"
        return f"Reckoned from {level}, decision interval{whose} {reach}{unit} on either side."
    low, high = float(limits.lower[0, k]), float(limits.upper[0, k])
    if np.isfinite(low) and np.isfinite(high):
        text += f", limits {number(low, spread, share=share)} to {number(high, spread, share=share)}{unit}"
    elif np.isfinite(chart.upper[0, last]).any():
        seen = last[np.isfinite(chart.upper[0, last])][-1]
        low, high = float(chart.lower[0, seen]), float(chart.upper[0, seen])
        center = float(chart.center[0, seen])
        if center != float(limits.center[0, k]):  # an np chart: the center varies too
            text = f"center of the newest point {number(center, spread, share=share)}"
        text += (
            f", limits of the newest point {number(low, spread, share=share)} to "
            f"{number(high, spread, share=share)}{unit} ({_varies(chart)})"
        )
    else:
        text += unit
        if k:
            text += f", too few points for limits ({int(limits.n[k])})"
    if chart.transform is not None:
        text += f" (charted on the {chart.transform.words}; the center is near the median)"
    return text[0].upper() + text[1:] + "."


def _varies(chart: ControlChart) -> str:
    """Why the limits differ from point to point."""
    return family_of(chart.chart).of_size(int(chart.sizes is not None)).varies


def fitted_text(chart: ControlChart) -> str:
    """What the fit of the last stage found, for chart types that fit more than center and sigma."""
    sentence, limits = family_of(chart.chart).sentence, chart.limits
    if sentence is None or not len(limits.n) or np.isnan(limits.center[0, -1]):
        return ""
    return sentence(limits.parameters, len(limits.n) - 1)


def _of_tests(chart: ControlChart) -> str:
    """The verdict of a chart that tests whole stages: what the last stage shows."""
    stage = chart.tests[-1].stage
    run, crossings = (t for t in chart.tests[:] if t.stage == stage and t.name in RUN_TESTS)
    word = points_word(run.useful, chart.every)
    before = f" ({stage} stage{'s' if stage > 1 else ''} before it)" if stage else ""
    center = (
        f"Median {number(float(chart.limits.center[0, -1]), share=chart.is_share)}{unit_of(chart.measure)}."
    )
    if np.isnan(chart.p_value):
        return (
            f"Not judged: {run.useful} {word} off the median {_few(run.useful)} to tell random variation. "
            f"{center}"
        )
    facts = (
        f"the longest run is {run.statistic:.0f} (at most {run.bound:.0f} expected of {run.useful} {word} "
        f"off the median), and the median is crossed {crossings.statistic:.0f} times (at least "
        f"{crossings.bound:.0f})"
    )
    signals = any(t.signal for t in chart.tests if t.name in RUN_TESTS)
    opening = "Random variation only" if chart.stable else "Not only random variation"
    if signals and chart.stable:
        opening = "A signal that random series of this length show too often"
    return f"{opening}{before}: {facts}; {p_text(chart.p_value)}. {center}"


def _few(n: int) -> str:
    return "is too few" if n == 1 else "are too few"


def verdict_of(chart: ControlChart, hidden: Mapping[int, int] | None = None) -> str:
    """The verdict of a chart, from its numbers.

    ``hidden`` are the signals of stages that lie within the drawn limits, but not within those of the exact
    law of their counts.
    """
    hidden = hidden or {}
    n = chart.n_used
    word = points_word(n, chart.every)
    levels = f"{levels_text(chart)} {fitted_text(chart)}".strip()
    if n == 0:
        return "No chart: the series has no usable point."
    if chart.tests:
        return _of_tests(chart)
    if "no-limits" in chart.caveat_codes and not np.isfinite(chart.sigma[0]).any():
        rests = int(chart.limits.n.max(initial=0))
        if 0 < rests < n and len(chart.limits.n) == 1:
            verb = "is" if rests == 1 else "are"
            return f"No limits: {rests} chosen {points_word(rests, chart.every)} of {n} {verb} not enough."
        return (
            f"No limits: {n} usable {word} are not enough." if n > 1 else "No limits: only one usable point."
        )
    if chart.stable is None and "zero-variation" in chart.caveat_codes:
        value = number(_level(chart), share=chart.is_share)
        shows = f"the {word} shows" if n == 1 else f"the {n} {word} show"
        return f"Not judged: {shows} no variation (sigma is 0 at {value}{unit_of(chart.measure)})."
    told = family_of(chart.chart).told
    if told is not None:
        return told(chart)
    if len(chart.limits.n) > 1:
        return _of_stages(chart, levels, hidden)
    found = _found(chart, 0, hidden)
    if chart.stable is None:
        found = f"Not judged: {n} {word} {_few(n)} to tell whether it is stable; {found}"
    else:
        found = f"{'Stable' if chart.stable else 'Not stable'}: {found}"
    return f"{found}. {levels}".strip()


def _level(chart: ControlChart) -> float:
    """The level of the first stage: what is drawn of sums starts from 0."""
    if not any(panel.main for panel in family_of(chart.chart).panels):
        return float(chart.center[0, 0])
    center = float(chart.limits.parameters["center"][0])
    return center if chart.transform is None else float(chart.transform.back(center))


def _found(chart: ControlChart, stage: int, hidden: Mapping[int, int]) -> str:
    """What a stage shows: how many points signal, how many would by chance, where the first one is."""
    here = chart.stage == stage
    n = int(np.count_nonzero(here & ~np.isnan(chart.value[0]) & ~chart.excluded))
    signals = int(np.count_nonzero((chart.fired != 0).any(axis=0) & here))
    word = points_word(n, chart.every)
    count = (
        f"none of {n} {word} signals"
        if signals == 0
        else f"{signals} of {n} {word} signal{'s' if signals == 1 else ''}"
    )
    if n == 1:
        count = "it signals" if signals else "it does not signal"
    stable = chart.stage_stable[stage]
    if stable is None:
        return count
    judged = sum(s is not None for s in chart.stage_stable)
    p = p_text(min(1.0, judged * float(chart.stage_p_value[stage])))
    chance = f"{chart.stage_expected[stage]:.1f} expected by chance"
    if stable:
        return count + (f", which happens in stable processes ({chance}, {p})" if signals else "")
    if stage in hidden:
        return f"{count}, but by the exact probabilities of such counts {hidden[stage]} would ({p})"
    if signals == 0:
        return f"{count}, but the farthest point is too far out ({p})"
    first = "" if signals == 1 else "the first "
    return f"{count} ({chance}, {p}), {first}{first_signal_text(chart, stage)}"


def _of_stages(chart: ControlChart, levels: str, hidden: Mapping[int, int]) -> str:
    """The last stage by itself, then those before it."""
    limits = chart.limits
    last = len(limits.n) - 1
    since = (
        moment(limits.first_when[last], chart.every)
        if limits.first_when is not None
        else nth(int(limits.first[last]))
    )
    name = _name(limits.labels[last])
    since += f" ({name})" if name else ""
    text = (
        f"{_judged(chart, last, hidden, since=f' since {since}')}; before it, {_before(chart, last, hidden)}."
    )
    text = f"{text} {levels}".strip()
    if chart.carried_stage is not None:
        beyond = int(np.count_nonzero(chart.beyond_carried()[0]))
        behind = (chart.stage > chart.carried_stage) & ~np.isnan(chart.value[0]) & ~chart.excluded
        n = int(np.count_nonzero(behind))
        whose = "the first stage" if chart.carried_stage == 0 else f"stage {chart.carried_stage}"
        text += (
            f" {beyond or 'None'} of {n} later {points_word(n, chart.every)} "
            f"{'lies' if beyond < 2 else 'lie'} beyond the limits of {whose}."
        )
    return text


def _judged(chart: ControlChart, stage: int, hidden: Mapping[int, int], *, since: str = "") -> str:
    stable = chart.stage_stable[stage]
    found = _found(chart, stage, hidden)
    if stable is not None:
        return f"{'Stable' if stable else 'Not stable'}{since}: {found}"
    here = (chart.stage == stage) & ~np.isnan(chart.value[0]) & ~chart.excluded
    n = int(np.count_nonzero(here))
    word = points_word(n, chart.every)
    if n and (chart.sigma[0, here] == 0).all():
        return f"Not judged{since}: its {n} {word} show no variation"
    if n == 0:
        return f"Not judged{since}: there is no usable {points_word(1, chart.every)}"
    return f"Not judged{since}: {n} {word} {_few(n)} to tell whether it is stable; {found}"


def _before(chart: ControlChart, last: int, hidden: Mapping[int, int]) -> str:
    """The stages before the last one: in full where there is one, else how many of which kind."""
    if last == 1:
        text = _judged(chart, 0, hidden)
        return text[0].lower() + text[1:]
    states = chart.stage_stable[:last]
    counts = {
        word: [k for k, s in enumerate(states) if s is state]
        for word, state in (("stable", True), ("not stable", False), ("not judged", None))
    }
    told = []
    for word, which in counts.items():
        if which:
            names = ", ".join(stage_name(chart, k) for k in which)
            told.append(
                f"{len(which)} of {last} stages {word}" + (f" ({names})" if word == "not stable" else "")
            )
    return ", ".join(told)


def stage_name(chart: ControlChart, stage: int) -> str:
    """What a stage is called: its name, or where it begins ("from 3 June 2024")."""
    name = _name(chart.limits.labels[stage])
    if name:
        return name
    if chart.limits.first_when is not None:
        return f"from {moment(chart.limits.first_when[stage], chart.every)}"
    return f"from {nth(int(chart.limits.first[stage]))}"


def _name(label: str) -> str:
    """The label of a stage where it says more than its date or position."""
    return "" if re.fullmatch(r"(\d{4}-\d\d-\d\d.*|point \d+|)", label) else label

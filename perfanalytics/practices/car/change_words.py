"""What a search for changes says: the verdict and its doubts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from perfanalytics.baselines.wording import count
from perfanalytics.comparisons.words import number as plain
from perfanalytics.core.result import Caveat
from perfanalytics.spc.suggested_stages import NEEDED
from perfanalytics.spc.wording import moment, number, p_text, points_word, unit_of

#: Shifts and records told in the verdict; the tables have all of them.
TOLD = 3
_NAMES = {"level": "shift of level", "spread": "change of spread", "point": "single point"}


def doubts_of(made: Mapping[str, Any], before: Sequence[Caveat]) -> Iterator[Caveat]:
    """The doubts, those of the search first."""
    yield from before
    open_shifts = [k for k in range(len(made["point"])) if not made["inside"][k]]
    if open_shifts:
        said = "; ".join(
            f"{_NAMES[made['what'][k]]} about {_date(made, int(made['point'][k]))}" for k in open_shifts
        )
        yield Caveat(
            "unexplained",
            f"Nothing is on record for: {said}.",
            {"shifts": len(open_shifts)},
        )
    if not len(made["record"]):
        yield Caveat("nothing-recorded", "No change or event is on record to look for.", {"records": 0})
    outside = [str(n) for n, t in zip(made["record"], made["trace"], strict=True) if t == "outside the data"]
    if outside:
        yield Caveat(
            "outside-the-data",
            f"On record, but not within the data: {', '.join(outside)}.",
            {"records": ", ".join(outside)},
        )
    if made["chance"] >= 0.5:
        yield Caveat(
            "coincidence",
            f"The intervals take so much of the time that {plain(made['chance'], 2)} of the "
            f"{len(made['record'])} records would lie within one by chance: that one does says little.",
            {"by_chance": made["chance"], "records": len(made["record"])},
        )


def verdict_of(made: Mapping[str, Any]) -> str:
    """What the data show, what explains it, what left no trace."""
    n = int(np.count_nonzero(made["kept"]))
    name = made["measure"].name + (f" [{made['id']}]" if made["id"] else "")
    where = f"{n} {points_word(n, made['every'])} of {name}"
    if n < NEEDED:
        return f"Not searched: {n} points of {name} are too few ({NEEDED} are needed)."
    shifts = len(made["point"])
    if not shifts:
        few = f"{made['false_alarms']:.0%} of stable series would show something"
        first = f"Nothing changed visibly in {where} ({few})."
    else:
        sorts = [(s, int((made["what"] == s).sum())) for s in _NAMES]
        said = " and ".join(f"{c} {_NAMES[s]}{'s' if c > 1 else ''}" for s, c in sorts if c)
        verb = "stands" if shifts == 1 else "stand"
        rows = [_shift(made, k) for k in range(min(shifts, TOLD))]
        more = f" {shifts - TOLD} more stand in the table." if shifts > TOLD else ""
        first = f"{said[0].upper()}{said[1:]} {verb} out in {where}. {' '.join(rows)}{more}"
    quiet = [i for i in range(len(made["record"])) if made["trace"][i] == "none"]
    if quiet:
        told = "; ".join(_quiet(made, i) for i in quiet[:TOLD])
        rest = f"; and {len(quiet) - TOLD} more" if len(quiet) > TOLD else ""
        first += f" Without a trace: {told}{rest}."
    return first


def _date(made: Mapping[str, Any], point: int) -> str:
    return moment(made["when"][point], made["every"])


def _shift(made: Mapping[str, Any], k: int) -> str:
    what, at, low, high = made["what"][k], *(int(made[n][k]) for n in ("point", "low", "high"))
    before, after = float(made["before"][k]), float(made["after"][k])
    step = abs(after - before) / 2 or math.nan
    share = bool(made["is_share"]) and what != "spread"
    ends = f"{number(before, step, share=share)} to {number(after, step, share=share)}"
    unit = unit_of(made["measure"]) if what != "spread" else ""
    span = f" ({_date(made, low)} to {_date(made, high)})" if low < high else ""
    if what == "point":
        text = (
            f"{_date(made, at)}: {number(after, step, share=share)}{unit} instead of about "
            f"{number(before, step, share=share)}"
        )
    else:
        text = f"About {_date(made, at)}{span} the {what} went from {ends}{unit}"
    text += f" ({p_text(float(made['p_value'][k]))})"
    if made["inside"][k]:
        return f"{text}; on record: {made['recorded'][k]}."
    if made["recorded"][k]:
        days = abs(round(float(made["days"][k])))
        side = "before" if made["days"][k] < 0 else "after"
        return (
            f"{text}; nothing on record then (nearest: {made['recorded'][k]}, {count(days, 'day')} {side})."
        )
    return f"{text}; nothing on record."


def _quiet(made: Mapping[str, Any], i: int) -> str:
    effect, low, high = (float(made[n][i]) for n in ("effect", "effect_low", "effect_high"))
    name = str(made["record"][i])
    if math.isnan(effect):
        return name
    if made["logs"]:
        return f"{name} ({plain(effect, 2)} times, {plain(low, 2)} to {plain(high, 2)})"
    spread = (high - low) / 4
    share = bool(made["is_share"])
    ends = [number(v, spread, share=share).replace("%", " points") for v in (effect, low, high)]
    if share:
        ends[1] = ends[1].removesuffix(" points")
    return f"{name} (step {ends[0]}{unit_of(made['measure'])}, {ends[1]} to {ends[2]})"

"""Data quality of one measure: integrity, digits, sudden changes of volume and mix, late arrival."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.change_points import find_change
from perfanalytics.core.columns import Floats
from perfanalytics.core.data_quality import DataQuality
from perfanalytics.core.digit_preference import DigitPreference, digit_preference
from perfanalytics.core.measure import Measure
from perfanalytics.core.periods import period_number, period_start
from perfanalytics.core.records import When
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.core.series import Series
from perfanalytics.repository.checks import measure_checks
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.part import part_of
from perfanalytics.repository.selection import Where, attribute_types, measure_record, measure_row

#: Checks whose findings cannot be.
WRONG = frozenset(
    {
        "ends before it starts", "known before it happened", "known before it starts", "no denominator",
        "future time", "negative value", "out of range",
    }
)  # fmt: skip
#: Checks whose findings only say how the data are.
NOTE = frozenset({"open item", "zero duration", "repeated item"})
#: Level of the tests, and the size of an effect that is worth a word.
LEVEL, SMALL_EFFECT = 0.001, 0.1
#: Levels of an attribute that are watched; the others are taken together.
_LEVELS = 8
#: So many findings are put into words.
_SAID = 4
#: The period of the volume: the coarsest that leaves this many.
_PERIODS = 20
_NOW = "retired_load_id IS NULL AND series_id IN (SELECT series_id FROM series WHERE measure_id = ?)"


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the table."""

    check: str
    meaning: str
    found: int
    of: int
    standing: str
    p_value: float = float("nan")
    example: str | None = None


def data_quality(
    engine: Engine,
    name: str,
    *,
    where: Where | None = None,
    since: When | str | None = None,
    as_of: When | str | None = None,
    seed: int = 20260101,
) -> DataQuality:
    """See :meth:`perfanalytics.Repository.data_quality`."""
    measure_id, clock = measure_row(engine, name)
    measure = measure_record(engine, name)
    source, selection = part_of(engine, name, where=where, since=since, as_of=as_of)
    lines = [_integrity(row) for row in measure_checks(engine, measure_id, name, source=source)]
    total = int(engine.rows(f"SELECT count(*) FROM {source} WHERE {_NOW}", [measure_id])[0][0])
    columns = engine.columns(
        f"SELECT value, time, series_id FROM {source} WHERE {_NOW} ORDER BY time, row_id", [measure_id]
    )
    values = np.asarray(columns["value"], dtype=np.float64)
    when = np.asarray(columns["time"]).astype("datetime64[us]")
    attributes = attribute_types(engine, measure_id)
    lines += _missing_attributes(engine, measure_id, attributes, total, source)
    seen = values[~np.isnan(values)]
    digits = digit_preference(seen, measure.unit)
    lines.append(_digits(digits, measure))
    late, latest = _late(engine, measure_id, source)
    told = "known at the time of an earlier load, but not in it"
    if late:
        told += f" (up to {latest:.0f} days before)"
    lines.append(Found("late arrival", told, late, total, "look" if late else "fine"))
    every, number = _periods(when[~np.isnat(when)])
    changed, volume, starts = None, np.empty(0, np.int64), np.empty(0, "datetime64[us]")
    if every:
        volume, starts = _volume(number, every)
        rng = np.random.default_rng(seed)
        line, changed = _sudden_volume(volume, starts, every, rng)
        lines.append(line)
        groups = np.asarray(columns["series_id"])[~np.isnat(when)]
        lines += _sudden_mix(engine, measure_id, attributes, groups, number, starts, every, rng)
    lags = engine.rows(
        "SELECT quantile_cont(epoch(known) - epoch(time), [0.5, 0.95]), count(*) FROM "
        f"{source} WHERE {_NOW} AND known IS NOT NULL AND time IS NOT NULL AND value IS NOT NULL",
        [measure_id],
    )[0]
    if lags[1]:
        half, most = (float(x) / 86400 for x in lags[0])
        text = f"known after its time: half within {half:.1f} days, 95% within {most:.1f} days"
        lines.append(Found("lag", text, int(lags[1]), total, "note"))
    return _result(
        measure, clock, lines, total, digits, every, starts, volume, changed, values, when, selection
    )


def _integrity(row: dict[str, Any]) -> Found:
    found, check = row["found"], row["check"]
    standing = "fine" if not found else "wrong" if check in WRONG else "note" if check in NOTE else "look"
    return Found(check, row["meaning"], found, row["observations"], standing, example=row["example"])


def _missing_attributes(
    engine: Engine, measure_id: int, attributes: dict[str, tuple[int, str]], total: int, source: str
) -> list[Found]:
    out = []
    for name, (place, _) in attributes.items():
        n = engine.rows(
            f"SELECT count(*) FROM {source} o JOIN series s USING (series_id) WHERE s.measure_id = ? "
            f"AND o.retired_load_id IS NULL AND s.attribute_values[{place}] IS NULL",
            [measure_id],
        )[0][0]
        out.append(
            Found("missing attribute", f"observations without {name}", int(n), total, "look" if n else "fine")
        )
    return out


def _digits(digits: DigitPreference, measure: Measure) -> Found:
    check = "digit preference"
    if np.isnan(digits.step):
        return Found(check, "values lie on no steps: nothing is rounded that one could see", 0, 0, "fine")
    step = f"{digits.step:.4g} {measure.unit}".strip()
    if not len(digits.seen):
        return Found(
            check, f"recorded in steps of {step}; too few values of ten steps and more", 0, digits.n, "fine"
        )
    standing = "look" if digits.p_value < LEVEL and digits.effect > SMALL_EFFECT else "fine"
    extra = max(0, round((digits.rounded - digits.rounded_expected) * digits.n))
    on = f"{digits.multiple * digits.step:.4g} {measure.unit}".strip()
    text = (
        f"recorded in steps of {step}: {100 * digits.rounded:.0f}% of the values of ten steps and more are "
        f"multiples of {on}, where their neighbours let expect {100 * digits.rounded_expected:.0f}%"
    )
    if standing == "look" and digits.rounded > digits.rounded_expected + 0.02:
        text += ": they are rounded"
    elif standing == "look":
        text += f": the digit {int(np.argmax(digits.seen - digits.expected))} is preferred"
    return Found(check, text, extra if standing == "look" else 0, digits.n, standing, digits.p_value)


def _late(engine: Engine, measure_id: int, source: str) -> tuple[int, float]:
    """Observations that an earlier load of their source should have held, and how long before (days)."""
    rows = engine.rows(
        f"""WITH mine AS (SELECT load_id, source_id, last_event FROM load
                WHERE changed AND source_id IN (SELECT source_id FROM measure_source WHERE measure_id = ?)),
            earlier AS (SELECT a.load_id, max(b.last_event) AS held FROM mine a JOIN mine b
                ON a.source_id = b.source_id AND b.load_id < a.load_id GROUP BY a.load_id),
            firsts AS (SELECT row_id, min(load_id) AS load_id FROM observation
                WHERE series_id IN (SELECT series_id FROM series WHERE measure_id = ?) GROUP BY row_id),
            late AS (SELECT e.held, coalesce(o.known, o.time) AS moment FROM {source} o
                JOIN firsts f ON f.row_id = o.row_id AND f.load_id = o.load_id
                JOIN earlier e ON e.load_id = o.load_id
                WHERE {_NOW} AND coalesce(o.known, o.time) < e.held)
            SELECT count(*), coalesce(max(epoch(held) - epoch(moment)), 0) / 86400 FROM late""",
        [measure_id, measure_id, measure_id],
    )
    return int(rows[0][0]), float(rows[0][1])


def _periods(when: NDArray[np.datetime64]) -> tuple[str, NDArray[np.int64]]:
    for every in ("month", "week", "day"):
        number = (
            np.asarray(period_number(when, every), dtype=np.int64) if len(when) else np.empty(0, np.int64)
        )
        # the first and the last period are rarely whole
        if len(number) and int(np.ptp(number)) - 1 >= _PERIODS:
            return every, number
    return "", np.empty(0, np.int64)


def _volume(number: NDArray[np.int64], every: str) -> tuple[NDArray[np.int64], NDArray[np.datetime64]]:
    first = int(number.min())
    counts = np.bincount(number - first)
    return counts.astype(np.int64), period_start(np.arange(first, first + len(counts)), every)


def _sudden_volume(
    volume: NDArray[np.int64], starts: NDArray[np.datetime64], every: str, rng: np.random.Generator
) -> tuple[Found, np.datetime64 | None]:
    whole = volume[1:-1]
    # roots of counts: their variance hardly depends on their level
    change = find_change(np.sqrt(whole.astype(float)), draws=999, rng=rng)
    check = "sudden change of volume"
    if change is None or change.p_value > 0.01:
        p = float("nan") if change is None else change.p_value
        return Found(check, f"observations a {every} change their level", 0, len(whole), "fine", p), None
    before, after = float(whole[: change.at].mean()), float(whole[change.at :].mean())
    at = starts[1 + change.at]
    text = f"about {before:.0f} observations a {every} until {_day(at)}, about {after:.0f} from then on"
    return Found(check, text, 1, len(whole), "look", change.p_value, _day(at)), at


def _sudden_mix(
    engine: Engine,
    measure_id: int,
    attributes: dict[str, tuple[int, str]],
    groups: NDArray[Any],
    number: NDArray[np.int64],
    starts: NDArray[np.datetime64],
    every: str,
    rng: np.random.Generator,
) -> list[Found]:
    """For each attribute, the level whose share of the periods changes most surely (Bonferroni)."""
    out = []
    known = engine.rows("SELECT series_id, attribute_values FROM series WHERE measure_id = ?", [measure_id])
    ids = np.array([int(i) for i, _ in known])
    order = np.argsort(ids)
    at_group = order[np.searchsorted(ids[order], groups.astype(np.int64))]
    period = number - number.min()
    total = np.bincount(period, minlength=len(starts)).astype(float)
    for name, (place, _) in attributes.items():
        levels = [None if v is None else v[place - 1] for _, v in known]
        names, code = np.unique(["(missing)" if v is None else str(v) for v in levels], return_inverse=True)
        mine = code[at_group]
        largest = np.argsort(-np.bincount(mine, minlength=len(names)), kind="stable")[:_LEVELS]
        best: tuple[float, str, Any, float, float] | None = None
        looked = 0
        for level in largest.tolist():
            count = np.bincount(period[mine == level], minlength=len(starts))
            share = _shares(count[1:-1], total[1:-1])
            if share is None or count.sum() < _PERIODS or float(np.ptp(share)) == 0:
                continue
            looked += 1
            change = find_change(share, draws=999, rng=rng)
            if change is not None and (best is None or change.p_value < best[0]):
                raw = count[1:-1] / np.maximum(total[1:-1], 1)
                ends = float(raw[: change.at].mean()), float(raw[change.at :].mean())
                best = change.p_value, str(names[level]), starts[1 + change.at], *ends
        check, what = "sudden change of mix", f"shares of {name} a {every} change their level"
        if best is None or best[0] * looked > 0.01 or abs(best[4] - best[3]) < 0.02:
            p = float("nan") if best is None else min(1.0, best[0] * looked)
            out.append(Found(check, what, 0, looked, "fine", p))
            continue
        p, level_name, at, before, after = best
        text = (
            f"{name} {level_name}: {100 * before:.0f}% of the observations until {_day(at)}, "
            f"{100 * after:.0f}% from then on"
        )
        out.append(Found(check, text, 1, looked, "look", min(1.0, p * looked), f"{name}={level_name}"))
    return out


def _shares(count: NDArray[np.int64], total: Floats) -> Floats | None:
    """Shares on the arcsine scale, where their variance hardly depends on their level."""
    kept = total > 0
    if kept.sum() < _PERIODS:
        return None
    share = np.divide(count, total, out=np.full(len(total), np.nan), where=kept)
    share[~kept] = count.sum() / total.sum()
    return np.asarray(np.arcsin(np.sqrt(share)))


def _day(at: Any) -> str:
    return str(np.datetime64(at, "D"))


def _shown(f: Found) -> str:
    if f.check.startswith(("digit", "sudden")):
        return f.meaning
    return f"{'once' if f.found == 1 else f'{f.found:,} times'} {f.meaning}"


def _result(
    measure: Measure,
    clock: str,
    lines: list[Found],
    total: int,
    digits: DigitPreference,
    every: str,
    starts: NDArray[np.datetime64],
    volume: NDArray[np.int64],
    changed: np.datetime64 | None,
    values: Floats,
    when: NDArray[np.datetime64],
    selection: dict[str, object],
) -> DataQuality:
    wrong = [f for f in lines if f.standing == "wrong"]
    look = [f for f in lines if f.standing == "look"]
    text = f"{measure.name}: {total:,} observations"
    if not wrong and not look:
        text += f"; nothing found by {len(lines)} checks."
    else:
        text += ". "
        if wrong:
            text += "Wrong: " + "; ".join(f"{f.found:,} times {f.check}" for f in wrong) + ". "
        if look:
            shown = [_shown(f) for f in look[:_SAID]]
            if len(look) > _SAID:
                shown.append(f"{len(look) - _SAID} more in the table")
            text += "To be looked at: " + "; ".join(shown) + "."
    known = ~np.isnat(when)
    series = Series(values[known], measure=measure, when=when[known])
    return DataQuality(
        verdict=text.strip(),
        caveats=tuple(
            Caveat(
                f.check.replace(" ", "-"),
                f"{f.found:,} of {f.of:,}: {f.meaning}.",
                {"found": f.found, "of": f.of, "standing": f.standing},
            )
            for f in (*wrong, *look)
        ),
        method=Method(
            "data_quality",
            {
                "level": LEVEL,
                "smallest_effect": SMALL_EFFECT,
                "change": "CUSUM with AR(1) sieve, level 0.01; roots of counts, arcsines of shares",
                "levels_watched": _LEVELS,
                "fewest_periods": _PERIODS,
            },
            (
                "Camarda, Eilers and Gampe (2008), Statistical Modelling 8",
                "CMMI-SVC V1.3 (2010), Measurement and Analysis SP 2.1",
            ),
        ),
        provenance=Provenance(
            measure.name,
            data_hash=series.data_hash(),
            n=total,
            selection=selection,
            clock=clock if known.any() else "none",
        ),
        measure=measure,
        n=total,
        check=np.array([f.check for f in lines], dtype=object),
        meaning=np.array([f.meaning for f in lines], dtype=object),
        standing=np.array([f.standing for f in lines], dtype=object),
        found=np.array([f.found for f in lines], dtype=np.int64),
        of=np.array([f.of for f in lines], dtype=np.int64),
        share=np.array([f.found / f.of if f.of else 0.0 for f in lines]),
        p_value=np.array([f.p_value for f in lines], dtype=float),
        example=np.array([f.example for f in lines], dtype=object),
        digit_step=digits.step,
        digit_seen=digits.seen,
        digit_expected=digits.expected,
        every=every,
        period=starts,
        volume=volume,
        changed_at=changed,
    )

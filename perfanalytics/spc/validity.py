"""Do carried limits still hold? Their validity against the times of the points they are used on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import instant
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.guards import Guarded
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.points import Points
from perfanalytics.spc.wording import moment

#: Limits of which nobody said how long they hold are old when points came so many days after their data.
OLD = 365
_DAY = np.timedelta64(86_400_000_000, "us")


def judge_validity(batch: SeriesBatch, points: Points, limits: Limits | None) -> Guarded:
    """Which series have used points outside the validity of the limits they are charted on.

    Parameters
    ----------
    batch : SeriesBatch
        The points as series (subgroups, where points are those), m series.
    points : Points
    limits : Limits or None
        The limits carried on; None where there are none: nothing is doubted then.
    """
    when, m = batch.when, len(batch)
    if limits is None:
        return Guarded(flags={}, evidence={})
    flags, evidence = _borrowed(batch, points, limits)
    if when is None or not len(when):
        return Guarded(flags=flags, evidence=evidence, texts=_TEXTS)
    used = ~np.isnan(points.value)
    if points.excluded is not None:
        used = used & ~points.excluded
    series = np.repeat(np.arange(m), np.diff(points.offsets))

    def say(code: str, outside: NDArray[np.bool_], **facts: Any) -> None:
        count = np.bincount(series[outside], minlength=m)
        newest = np.full(m, np.datetime64("NaT", "us"))
        newest[series[outside]] = when[outside]
        flags[code] = count > 0
        evidence[code] = {
            "points": count,
            "newest": newest,
            **{name: np.full(m, fact, dtype=object) for name, fact in facts.items()},
        }

    if limits.valid_until is not None:
        end = instant(limits.valid_until, "UTC") + _DAY
        say(
            "limits-expired",
            used & (when >= end),
            valid_until=limits.valid_until.isoformat(),
            agreed_by=limits.agreed_by,
        )
    elif limits.data_until is not None:
        behind = when - limits.data_until
        say(
            "limits-old",
            used & (behind > OLD * _DAY),
            data_until=str(limits.data_until.astype("datetime64[D]")),
            days=OLD,
        )
    if limits.valid_from is not None:
        early = used & (when < instant(limits.valid_from, "UTC"))
        say("limits-not-yet-valid", early, valid_from=limits.valid_from.isoformat())
    return Guarded(flags=flags, evidence=evidence, texts=_TEXTS)


Flags = dict[str, NDArray[np.bool_]]
Evidence = dict[str, Mapping[str, NDArray[Any]]]


def _borrowed(batch: SeriesBatch, points: Points, limits: Limits) -> tuple[Flags, Evidence]:
    """Limits of another measure, where both say what they are."""
    old, new = limits.measure, batch.measure
    if not (old.is_named and new.is_named) or old.name == new.name:
        return {}, {}
    some = np.diff(points.offsets) > 0
    code = "limits-of-another-measure"
    return {code: some}, {code: {"measure": np.full(len(some), old.name, dtype=object)}}


def _day(text: Any) -> str:
    return moment(np.datetime64(dt.date.fromisoformat(str(text))))


def _points(e: Mapping[str, Any]) -> str:
    return f"{e['points']} point{'' if e['points'] == 1 else 's'}"


def _expired(e: Mapping[str, Any]) -> str:
    by = f" (agreed by {e['agreed_by']})" if e["agreed_by"] else ""
    return (
        f"The limits were valid until {_day(e['valid_until'])}{by}; {_points(e)} of this chart came later: "
        "agree on new limits, or on these again."
    )


def _old(e: Mapping[str, Any]) -> str:
    return (
        f"The limits rest on data until {_day(e['data_until'])}; {_points(e)} of this chart came more than "
        f"{e['days']} days later, and nobody said how long they hold."
    )


def _early(e: Mapping[str, Any]) -> str:
    return f"The limits are valid from {_day(e['valid_from'])}; {_points(e)} of this chart came earlier."


def _other(e: Mapping[str, Any]) -> str:
    return (
        f"The limits are those of another measure, {e['measure']}: whether they fit this one was not tested."
    )


_TEXTS = {
    "limits-of-another-measure": _other,
    "limits-expired": _expired,
    "limits-old": _old,
    "limits-not-yet-valid": _early,
}

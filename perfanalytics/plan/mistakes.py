"""How a mistake in a plan is told: what it is, and the nearest name that exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from perfanalytics.core.errors import PerfAnalyticsError, nearest

PERCENTILES = tuple(f"p{k}" for k in range(1, 100))


def unknown(where: str, key: str, name: str, known: Iterable[str]) -> Iterator[str]:
    """A name that is none of those known.

    Examples
    --------
    >>> list(unknown("[[chart]] 'a'", "chart", "indviduals", ["individuals", "p"]))
    ["[[chart]] 'a': chart 'indviduals' is not known; did you mean 'individuals'?"]
    """
    known = list(known)
    if name not in known:
        yield f"{where}: {key} '{name}' is not known; {_hint(name, known)}"


def undeclared(where: str, key: str, name: str | None, known: Iterable[str]) -> Iterator[str]:
    """A name that refers to nothing in the plan."""
    known = list(known)
    if name is not None and name not in known:
        yield f"{where}: {key} = '{name}' is not declared; {_hint(name, known)}"


def _hint(name: str, known: list[str]) -> str:
    hint = nearest(name, known)
    return f"did you mean '{hint}'?" if hint else f"known: {', '.join(sorted(known)) or 'none'}"


def bad_zone(where: str, key: str, name: str | None) -> Iterator[str]:
    """A time zone that does not exist."""
    if name is None:
        return
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        yield f"{where}: {key} = '{name}' is not known (a name like Europe/Berlin)"


def bad_statistic(where: str, name: str, known: tuple[str, ...]) -> Iterator[str]:
    """A statistic that is none of those known and no percentile."""
    if name not in known and name not in PERCENTILES:
        hint = nearest(name, (*known, *PERCENTILES))
        said = f"did you mean '{hint}'?" if hint else f"known: {', '.join(known)}, p1 to p99"
        yield f"{where}: statistic '{name}' is not known; {said}"


def tried(where: str, make: Callable[[Any], object], value: object) -> Iterator[str]:
    """What an object of the package says of itself when it cannot be made."""
    try:
        make(value)
    except PerfAnalyticsError as error:
        yield f"{where}: {error}"


def names(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """One name or several, as a tuple.

    Examples
    --------
    >>> names("team"), names(["team", "service"]), names("")
    (('team',), ('team', 'service'), ())
    """
    if isinstance(given, str):
        return (given,) if given else ()
    return tuple(given or ())

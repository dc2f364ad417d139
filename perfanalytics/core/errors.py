"""The exceptions of the package.

::

    PerfAnalyticsError
    ├── InputError            values, lengths or arguments that cannot be used   (also a ValueError)
    ├── UnknownNameError      a name that does not exist, with the nearest that does (also a LookupError)
    ├── RecordError           a saved record that cannot be read back
    ├── PlanError             a mistake in a measurement plan: file, table, key, what was expected
    └── RepositoryError       something is wrong with the measurement repository
        ├── RepositoryLockedError   another process holds the file for writing
        ├── MigrationError          the schema of the file cannot be brought up to date
        └── LoadError               a load was stopped; the repository is as it was before

A misuse of the package is an exception; a statistical doubt never is: it is a
:class:`~perfanalytics.core.result.Caveat` in the result.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PerfAnalyticsError(Exception):
    """Base of every exception the package raises on purpose."""


class InputError(PerfAnalyticsError, ValueError):
    """Values, lengths or arguments that cannot be used. The message says what would be right."""


class UnknownNameError(PerfAnalyticsError, LookupError):
    """A measure, attribute, chart, method ... that does not exist.

    Parameters
    ----------
    what : str
        What sort of name was asked for ("measure", "chart", ...).
    name : str
        The name that was not found.
    known : iterable of str
        The names that exist; the nearest one is offered as a hint.

    Examples
    --------
    >>> print(UnknownNameError("chart", "individual", ["individuals", "p"]))
    unknown chart 'individual': did you mean 'individuals'? Known: individuals, p
    """

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        self.what = what
        self.name = name
        self.known = tuple(sorted(known))
        self.nearest = nearest(name, self.known)
        message = f"unknown {what} {name!r}"
        message += f": did you mean {self.nearest!r}?" if self.nearest else ":"
        shown = ", ".join(self.known[:20]) + (", ..." if len(self.known) > 20 else "")
        super().__init__(f"{message} Known: {shown or 'none'}")


class RecordError(PerfAnalyticsError):
    """A saved record that cannot be read back: unknown kind, newer schema version, damaged content."""


class PlanError(PerfAnalyticsError):
    """A mistake in a measurement plan, with file, table, key, what was expected, and a hint."""


class RepositoryError(PerfAnalyticsError):
    """Something is wrong with the measurement repository."""


class RepositoryLockedError(RepositoryError):
    """Another process holds the repository file for writing."""


class MigrationError(RepositoryError):
    """The schema of a repository file cannot be brought up to date."""


class LoadError(RepositoryError):
    """A load was stopped. Nothing of it was kept: the repository is as it was before."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, or None when nothing is close.

    Examples
    --------
    >>> nearest("resolution_hour", ["resolution_hours", "made_sla"])
    'resolution_hours'
    """
    found = difflib.get_close_matches(str(name).lower(), [str(k).lower() for k in known], n=1, cutoff=0.6)
    if not found:
        return None
    return next(str(k) for k in known if str(k).lower() == found[0])

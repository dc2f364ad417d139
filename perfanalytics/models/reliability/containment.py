"""containment(counts) -> Containment: in which phase defects are injected and found, and what escapes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.core.series import Series
from perfanalytics.models.reliability.beta_binomial import Removal, exact_interval, removal_of

if TYPE_CHECKING:
    import pandas as pd

#: Fewer defects present than this: an efficiency says little.
FEW = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Containment(Result):
    """The defect containment matrix. Phases are in order; the last one is in operation, after release.

    Attributes
    ----------
    phases : text array, shape (k,)
    matrix : int array, shape (k, k)
        Defects injected in the phase of the row and found in the phase of the column, all releases together.
    injected, found, present : int arrays, shape (k,)
        Injected in a phase; found in it; in the product when it was worked on (escaped into it or injected in
        it).
    efficiency, efficiency_low, efficiency_high : float arrays, shape (k,)
        Removal efficiency: found of those present; of the last phase 1 by construction.
    contained, contained_low, contained_high : float arrays, shape (k,)
        Share of the defects of a phase that were found in it.
    escaped : int array, shape (k,)
        Defects that left the phase.
    total, before_release : int
        Defects, and those found before the last phase.
    removal, removal_low, removal_high : float
        Share found before release.
    releases : int
    release_injected, release_found, release_present : int arrays, shape (r, k)
    sizes : float array, shape (r,), or None
        Size of each release.
    confidence : float
    """

    kind: ClassVar[str] = "containment"
    schema_version: ClassVar[int] = 1

    phases: NDArray[Any]
    matrix: NDArray[np.int64]
    injected: NDArray[np.int64]
    found: NDArray[np.int64]
    present: NDArray[np.int64]
    efficiency: Floats
    efficiency_low: Floats
    efficiency_high: Floats
    contained: Floats
    contained_low: Floats
    contained_high: Floats
    escaped: NDArray[np.int64]
    total: int
    before_release: int
    removal: float
    removal_low: float
    removal_high: float
    releases: int
    release_injected: NDArray[np.int64]
    release_found: NDArray[np.int64]
    release_present: NDArray[np.int64]
    sizes: Floats | None
    confidence: float

    def to_frame(self) -> pd.DataFrame:
        """One row per phase: phase, injected, found, present, escaped, efficiency, efficiency_low,
        efficiency_high, escape_rate, contained, contained_low, contained_high."""
        import pandas as pd

        names = ("injected", "found", "present", "escaped", "efficiency", "efficiency_low", "efficiency_high")
        columns: dict[str, Any] = {n: getattr(self, n) for n in names}
        columns["escape_rate"] = 1 - self.efficiency
        columns |= {n: getattr(self, n) for n in ("contained", "contained_low", "contained_high")}
        return pd.DataFrame({"phase": self.phases} | columns)

    def matrix_frame(self) -> pd.DataFrame:
        """The matrix: one row per phase of injection, one column per phase of detection."""
        import pandas as pd

        return pd.DataFrame(self.matrix, index=list(self.phases), columns=list(self.phases))

    def summary(self) -> pd.DataFrame:
        """One row: phases, releases, total, before_release, removal, removal_low, removal_high, weakest
        (phase), weakest_efficiency, caveats, verdict."""
        import pandas as pd

        k = _weakest(self)
        return pd.DataFrame(
            [
                {
                    "phases": len(self.phases),
                    "releases": self.releases,
                    "total": self.total,
                    "before_release": self.before_release,
                    "removal": self.removal,
                    "removal_low": self.removal_low,
                    "removal_high": self.removal_high,
                    "weakest": None if k is None else str(self.phases[k]),
                    "weakest_efficiency": math.nan if k is None else float(self.efficiency[k]),
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Summary, phases, the matrix."""
        matrix = self.matrix_frame().reset_index(names="injected in")
        return ("Summary", self.summary()), ("Phases", self.to_frame()), ("Matrix", matrix)

    def predict(
        self,
        *,
        size: float | None = None,
        injected: Mapping[str, float] | None = None,
        found: Mapping[str, int] | None = None,
        confidence: float = 0.9,
        draws: int = 20_000,
        seed: int = 0,
    ) -> pd.DataFrame:
        """What a new release will find in each phase, and what will escape, with ranges.

        Parameters
        ----------
        size : float, optional
            Size of the release, in the unit of ``sizes``: injection is gamma-Poisson over releases.
        injected : mapping of phase to float, optional
            Expected number injected, where it is known otherwise (Poisson). Exactly one of size and injected.
        found : mapping of phase to int, optional
            Found so far in the first phases, each phase up to the last one named: the prediction starts from
            there.
        confidence : float
            Of the prediction ranges.
        draws, seed : int

        Returns
        -------
        DataFrame, one row per phase
            phase, injected, injected_low, injected_high, found, found_low, found_high, escaped, escaped_low,
            escaped_high: medians and ranges. The last row's ``found`` is what customers will see.

        Raises
        ------
        InputError, UnknownNameError

        Notes
        -----
        Removal efficiencies are beta-distributed over releases (beta-binomial, by maximum likelihood with
        three and more releases, Jeffreys' posterior of the pooled counts otherwise). Numbers found so far
        select, among the draws, those nearest to them (the closest twentieth): approximate Bayesian
        conditioning.

        References
        ----------
        Kan (2002), Metrics and Models in Software Quality Engineering, chapters 6 and 9; Griffiths (1973),
        Biometrics 29 (beta-binomial).
        """
        import pandas as pd

        if (size is None) == (injected is None):
            raise InputError("give size= of the release, or injected= expected in each phase: one of the two")
        if not 0 < confidence < 1:
            raise InputError(f"confidence lies between 0 and 1 (0.9 for 90%), got {confidence}")
        if draws < 1000:
            raise InputError(f"draws= is at least 1000, got {draws}")
        rng = np.random.default_rng(seed)
        k = len(self.phases)
        came = self._injections(size, injected, rng, draws)
        present = np.zeros(draws, dtype=np.int64)
        rows, seen = [], []
        for j in range(k):
            present = present + came[:, j]
            if j == k - 1:
                caught = present
            else:
                law = removal_of(self.release_found[:, j], self.release_present[:, j])
                caught = rng.binomial(present, law.draw(rng, draws))
            present = present - caught
            seen.append(caught)
            rows.append((came[:, j], caught, present))
        kept = self._like(found, seen, draws)
        tail = (1 - confidence) / 2
        table = [
            [x for part in row for x in np.quantile(part[kept], [0.5, tail, 1 - tail]).tolist()]
            for row in rows
        ]
        for name, value in (found or {}).items():
            # seen, not predicted
            table[self._phase(name)][3:6] = [float(value)] * 3
        names = [f"{a}{b}" for a in ("injected", "found", "escaped") for b in ("", "_low", "_high")]
        return pd.DataFrame(
            [[str(p), *r] for p, r in zip(self.phases, table, strict=True)], columns=["phase", *names]
        )

    def _injections(
        self, size: float | None, injected: Mapping[str, float] | None, rng: np.random.Generator, draws: int
    ) -> NDArray[np.int64]:
        k = len(self.phases)
        if injected is not None:
            expected = np.zeros(k)
            for name, value in injected.items():
                if not 0 <= value < math.inf:
                    raise InputError(f"injected= is a number of at least 0, got {value} for {name!r}")
                expected[self._phase(name)] = value
            return rng.poisson(expected, (draws, k))
        if self.sizes is None:
            raise InputError("size= needs the sizes= of the releases that containment() was given")
        assert size is not None
        if not 0 < size < math.inf:
            raise InputError(f"size= is above 0, got {size}")
        out = np.empty((draws, k), dtype=np.int64)
        for j in range(k):
            counts = self.release_injected[:, j]
            mean = counts.sum() / self.sizes.sum()
            # moments: what the counts vary beyond Poisson is the rate's own variation
            r = len(counts)
            beyond = float(
                ((counts - mean * self.sizes) ** 2).sum() - (mean * self.sizes).sum() * (1 - 1 / r)
            )
            variance = max(beyond, 0.0) / float((self.sizes**2).sum()) if r > 1 else 0.0
            # and the mean is known from so many defects only
            variance += mean**2 / (counts.sum() + 0.5) if mean > 0 else 0.0
            if mean == 0:
                out[:, j] = rng.poisson(rng.gamma(0.5, size / float(self.sizes.sum()), draws))
                continue
            out[:, j] = rng.poisson(rng.gamma(mean**2 / variance, variance / mean, draws) * size)
        return out

    def _like(
        self, found: Mapping[str, int] | None, seen: list[NDArray[np.int64]], draws: int
    ) -> NDArray[np.int64]:
        if not found:
            return np.arange(draws)
        for name, value in found.items():
            if not (0 <= value < math.inf and value == int(value)):
                raise InputError(f"found= are whole numbers of at least 0, got {value} for {name!r}")
        at = sorted((self._phase(name), int(value)) for name, value in found.items())
        if [j for j, _ in at] != list(range(len(at))):
            raise InputError(
                "found= names the first phases without a gap: give every phase up to the last one"
            )
        distance = np.zeros(draws)
        for j, value in at:
            least, most = int(seen[j].min()), int(seen[j].max())
            if not least <= value <= most:
                raise InputError(
                    f"{value} found in {self.phases[j]!r}: {draws:,} releases drawn from those known gave "
                    f"{least} to {most}, so they cannot say how this one goes on; another size= or injected=?"
                )
            distance += ((seen[j] - value) / max(float(seen[j].std()), 1.0)) ** 2
        return np.argsort(distance, kind="stable")[: max(draws // 20, 200)]

    def _phase(self, name: str) -> int:
        names = [str(p) for p in self.phases]
        if name not in names:
            raise UnknownNameError("phase", str(name), names)
        return names.index(name)


def containment(
    counts: ArrayLike,
    *,
    phases: Sequence[str],
    sizes: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Containment:
    """Removal efficiency of each phase from where defects were injected and where they were found.

    Parameters
    ----------
    counts : array_like of int, shape (k, k) or (r, k, k)
        Defects injected in the phase of the row, found in the phase of the column; one matrix, or one per
        release. No defect is found before it was injected: entries below the diagonal are 0.
    phases : sequence of str, length k
        In order; the last is operation, after release.
    sizes : array_like, shape (r,), optional
        Size of each release (thousand lines, function points, changes): for :meth:`Containment.predict`.
    confidence : float
        Of the intervals of efficiencies: exact where releases agree, beta-binomial where they vary.

    Raises
    ------
    InputError

    Notes
    -----
    Defects that nobody has found yet are missing: efficiencies are upper bounds until the release has been in
    operation for long.

    References
    ----------
    Kan (2002), Metrics and Models in Software Quality Engineering, chapter 6; Jones (2011), The Economics of
    Software Quality (removal efficiency).

    Examples
    --------
    >>> import perfanalytics as perf
    >>> c = perf.containment([[40, 20, 5], [0, 60, 10], [0, 0, 2]], phases=["design", "code", "operation"])
    >>> [round(float(e), 3) for e in c.efficiency], round(c.removal, 3)
    ([0.615, 0.842, 1.0], 0.876)
    """
    try:
        array = np.asarray(counts, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"counts= are whole numbers, one row and one column a phase: {error}") from error
    names = [str(p) for p in phases]
    k = len(names)
    if isinstance(phases, str) or k < 2 or len(set(names)) < k:
        raise InputError("phases= are at least two different names, in order")
    cube = _cube(array, names)
    size = None
    if sizes is not None:
        size = np.atleast_1d(np.asarray(sizes, dtype=float))
        if size.shape != (len(cube),) or not (np.isfinite(size).all() and (size > 0).all()):
            raise InputError(f"sizes= are {len(cube)} numbers above 0, one for each release")
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    injected, found = cube.sum(axis=2), cube.sum(axis=1)
    present = np.cumsum(injected, axis=1) - np.cumsum(found, axis=1) + found
    matrix = cube.sum(axis=0)
    laws = [removal_of(found[:, j], present[:, j]) for j in range(k)]
    rows = np.array([law.interval(confidence) for law in laws])
    own = np.diag(matrix)
    all_injected = matrix.sum(axis=1)
    contained = np.array(
        [exact_interval(int(a), int(b), confidence) for a, b in zip(own, all_injected, strict=True)]
    )
    total, late = int(matrix.sum()), int(matrix[:, -1].sum())
    whole = removal_of(injected.sum(axis=1) - found[:, -1], injected.sum(axis=1)).interval(confidence)
    result = Containment(
        verdict="",
        method=Method(
            "containment",
            {
                "efficiency": "found in a phase over present in it",
                "interval": "exact, beta-binomial where releases vary",
                "releases": len(cube),
                "phases": names,
                "confidence": confidence,
            },
            ("Kan (2002), Metrics and Models in Software Quality Engineering, chapter 6",),
        ),
        provenance=Series(cube.ravel().astype(float)).provenance(),
        phases=read_only(np.array(names, dtype=object)),
        matrix=read_only(matrix),
        injected=read_only(all_injected),
        found=read_only(matrix.sum(axis=0)),
        present=read_only(present.sum(axis=0)),
        efficiency=read_only(rows[:, 0]),
        efficiency_low=read_only(rows[:, 1]),
        efficiency_high=read_only(rows[:, 2]),
        contained=read_only(contained[:, 0]),
        contained_low=read_only(contained[:, 1]),
        contained_high=read_only(contained[:, 2]),
        escaped=read_only((present - found).sum(axis=0)),
        total=total,
        before_release=total - late,
        removal=whole[0],
        removal_low=whole[1],
        removal_high=whole[2],
        releases=len(cube),
        release_injected=read_only(injected),
        release_found=read_only(found),
        release_present=read_only(present),
        sizes=None if size is None else read_only(size),
        confidence=confidence,
    )
    return replace(result, verdict=_verdict(result), caveats=tuple(_doubts(result, laws)))


def _cube(array: NDArray[Any], names: list[str]) -> NDArray[np.int64]:
    k = len(names)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.shape[1:] != (k, k) or not len(array):
        raise InputError(
            f"counts= has shape ({k}, {k}) or (releases, {k}, {k}) for {k} phases, got {array.shape}"
        )
    values = array.astype(float)
    if not np.isfinite(values).all() or (values < 0).any() or (values != np.floor(values)).any():
        raise InputError("counts= are whole numbers of at least 0")
    for i in range(k):
        for j in range(i):
            if values[:, i, j].any():
                raise InputError(
                    f"defects injected in {names[i]!r} are found in {names[j]!r}, before: rows are phases "
                    "of injection, "
                    "columns of detection"
                )
    if values.sum() == 0:
        raise InputError("counts= has no defects")
    return values.astype(np.int64)


def _weakest(c: Containment) -> int | None:
    """The phase before release with the lowest efficiency, among those with enough defects."""
    ready = [j for j in range(len(c.phases) - 1) if c.present[j] >= FEW]
    return min(ready, key=lambda j: float(c.efficiency[j])) if ready else None


def _verdict(c: Containment) -> str:
    low, high = percent(c.removal_low, fine=True), percent(c.removal_high, fine=True)
    text = (
        f"{percent(c.removal, fine=True)} of {c.total:,} defects were found before {c.phases[-1]} "
        f"({percent(c.confidence)} interval {low} to {high}); {number(c.total - c.before_release)} escaped."
    )
    k = _weakest(c)
    if k is not None:
        text += (
            f" The weakest phase is {c.phases[k]}: it finds {percent(float(c.efficiency[k]))} of the "
            f"{int(c.present[k]):,} defects present."
        )
    return text


def _doubts(c: Containment, laws: Sequence[Removal]) -> list[Caveat]:
    text = (
        "Defects that nobody has found yet are not in the matrix: efficiencies are upper bounds as long "
        "as the last "
        "phase goes on."
    )
    out = [Caveat("upper-bounds", text, {"found_last": int(c.found[-1])})]
    few = [str(p) for p, n in zip(c.phases[:-1], c.present[:-1], strict=True) if n < FEW]
    if few:
        text = f"Fewer than {FEW} defects were present in {', '.join(few)}: the efficiency says little."
        out.append(Caveat("too-few-points", text, {"needed": FEW}))
    varied = [str(p) for p, law in zip(c.phases[:-1], laws[:-1], strict=True) if law.varies]
    if varied:
        text = f"Efficiency differs between releases in {', '.join(varied)}: intervals are beta-binomial."
        out.append(Caveat("releases-differ", text, {}))
    if c.sizes is None and c.releases > 1:
        text = (
            "Without sizes of the releases the number injected in a new one cannot be predicted from "
            "its size."
        )
        out.append(Caveat("no-sizes", text, {}))
    return out

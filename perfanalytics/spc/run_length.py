"""average_run_length: how often a rule set or scheme alarms falsely, and how soon it sees a shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Method, Provenance, Result
from perfanalytics.spc.families import family_of
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.rules import Rule, RuleSet, as_rule_set
from perfanalytics.spc.run_chains import (
    Chain,
    Distribution,
    cusum_chain,
    ewma_chain,
    mewma_chain,
    rule_automaton,
    rule_chain,
    two_sided,
)
from perfanalytics.spc.schemes import CusumScheme, EwmaScheme, MewmaScheme
from perfanalytics.spc.signals import find_signals

if TYPE_CHECKING:
    import pandas as pd

Scheme = EwmaScheme | CusumScheme | MewmaScheme

_CHAIN = "Champ and Woodall (1987), Technometrics 29, 393-399"
_REFERENCES = {
    "ewma": (
        "Crowder (1987), Technometrics 29, 401-407",
        "Steiner (1999), Journal of Quality Technology 31, 75-86",
    ),
    "cusum": (
        "Vardeman and Ray (1985), Technometrics 27, 145-150",
        "Lucas and Crosier (1982), Technometrics 24, 199-205",
    ),
    "mewma": ("Rigdon (1995), Journal of Statistical Computation and Simulation 52, 351-365",),
}
_COLUMNS = ("shift", "arl", "sd", "p05", "median", "p95", "within_25", "within_100", "standard_error")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RunLengths(Result):
    """Run lengths of a rule set or scheme: points until the first signal, for some shifts of the mean.

    Parameters
    ----------
    of : str
        What was judged, in words.
    exact : bool
        False where the numbers were simulated.
    shift : float array, shape (s,)
        Shift of the mean in sigma of the plotted points, present from the first point on.
    arl, sd : float arrays, shape (s,)
        Mean and standard deviation of the run length, in points.
    p05, median, p95 : float arrays, shape (s,)
        Percentiles: the smallest number of points within which at least that share has signalled.
    within_25, within_100 : float arrays, shape (s,)
        Share of charts with a signal within 25 and 100 points.
    standard_error : float array, shape (s,)
        Of ``arl``, from the simulation; 0 where exact.
    """

    kind: ClassVar[str] = "run_lengths"
    schema_version: ClassVar[int] = 1

    of: str
    exact: bool
    shift: Floats
    arl: Floats
    sd: Floats
    p05: Floats
    median: Floats
    p95: Floats
    within_25: Floats
    within_100: Floats
    standard_error: Floats

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            object.__setattr__(self, name, read_only(np.asarray(getattr(self, name), dtype=np.float64)))

    def summary(self) -> pd.DataFrame:
        """One row, for the smallest shift: of, exact, and the columns of :meth:`to_frame`."""
        frame = self.to_frame().iloc[[int(np.argmin(np.abs(self.shift)))]].reset_index(drop=True)
        frame.insert(0, "of", self.of)
        frame.insert(1, "exact", self.exact)
        return frame

    def to_frame(self) -> pd.DataFrame:
        """One row per shift.

        Columns: shift (sigma), arl, sd, p05, median, p95 (points), within_25, within_100 (shares),
        standard_error (points; 0 where exact).
        """
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in _COLUMNS})


def average_run_length(
    of: RuleSet | str | Rule | Sequence[Rule] | Scheme | ControlChart,
    *,
    shift: ArrayLike = 0.0,
    sigmas: float = 3.0,
    runs: int = 20_000,
    seed: int = 20260101,
) -> RunLengths:
    """How many points pass until the first signal: without a shift (false alarms) and with one.

    Parameters
    ----------
    of : RuleSet, name of one, rules, EwmaScheme, CusumScheme, MewmaScheme or ControlChart
        Of a chart: its main panel with its rules and the width of its limits, or its EWMA or CUSUM.
    shift : float or array_like of float, shape (s,)
        Shift of the mean in sigma of the plotted points, from the first point on (MEWMA: its distance).
    sigmas : float
        Width of the control limits in sigma, for rules; a chart brings its own.
    runs, seed : int
        Where no exact way exists (trends, alternating points, a MEWMA that is shifted or exact): simulated
        series, seed.

    Returns
    -------
    RunLengths

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    Independent normal points, center and sigma known: limits estimated from few points signal more often.
    Rules about zones give a Markov chain that is solved exactly; EWMA, CUSUM and MEWMA an integral equation.

    References
    ----------
    Champ and Woodall (1987), Technometrics 29, 393-399; Crowder (1987), Technometrics 29, 401-407; Vardeman
    and Ray (1985), Technometrics 27, 145-150; Rigdon (1995), Journal of Statistical Computation and
    Simulation 52, 351-365.

    Examples
    --------
    >>> average_run_length("western_electric").arl.round(2).tolist()
    [91.75]
    >>> average_run_length("limits_only", shift=[0, 1, 2]).arl.round(1).tolist()
    [370.4, 43.9, 6.3]
    """
    shifts = np.atleast_1d(np.asarray(shift, dtype=np.float64))
    if shifts.ndim != 1 or not len(shifts) or not np.isfinite(shifts).all():
        raise InputError("shift= is one or several finite numbers, in sigma")
    if isinstance(runs, bool) or not isinstance(runs, int) or runs < 100:
        raise InputError(f"runs= is a whole number of at least 100, got {runs!r}")
    if isinstance(of, ControlChart):
        sigmas, of = of.sigmas, _of_chart(of)
    if isinstance(of, EwmaScheme | CusumScheme | MewmaScheme):
        text, how = of.text, dict[str, Any](scheme=of)
        references = _REFERENCES[of.kind.partition("-")[0]]
        rows = [_of_scheme(of, float(d), runs, seed) for d in shifts]
        exact = not isinstance(of, MewmaScheme) or (of.limits == "asymptotic" and not (shifts != 0).any())
    else:
        if isinstance(sigmas, bool) or not isinstance(sigmas, int | float) or not 0 < sigmas < 100:
            raise InputError(
                f"sigmas= is the width of the limits in sigma, a positive number; got {sigmas!r}"
            )
        rules = as_rule_set(of)
        text, how = f"{rules.name} rules", {"rules": rules, "sigmas": float(sigmas)}
        references = (_CHAIN, rules.reference) if rules.reference else (_CHAIN,)
        # whichever points are marked, the pattern is complete at the same point
        first = [replace(r, mark="completing", tie="ends", gap="breaks") for r in rules.rules]
        automaton = rule_automaton(first, sigmas)
        exact = automaton is not None
        if automaton is None:
            rows = [_of_sample(_rule_runs(first, float(d), sigmas, runs, seed)) for d in shifts]
        else:
            step, probabilities = automaton
            rows = [_of_chain(rule_chain(step, probabilities(float(d)))) for d in shifts]
    how |= {
        "assumes": "independent normal points, center and sigma known, the shift from the first point on",
        "computed": "exactly" if exact else f"simulated, {runs} runs, seed {seed}",
    }
    columns = dict(zip(_COLUMNS[1:], np.array(rows).T, strict=True))
    return RunLengths(
        verdict=_verdict(text, shifts, columns),
        method=Method("average_run_length", how, references),
        provenance=Provenance("", data_hash="", n=0),
        of=text,
        exact=exact,
        shift=shifts,
        **columns,
    )


def _of_chart(chart: ControlChart) -> RuleSet | Scheme:
    """What the main panel of a chart goes by.

    Raises
    ------
    InputError
        For a chart whose points are neither independent nor one of the schemes.
    """
    chosen = chart.method.parameters
    if chart.chart == "ewma":
        exact = str(chosen["limits"]).startswith("exact")
        return EwmaScheme(
            lam=float(chosen["lam"]), width=chart.sigmas, limits="exact" if exact else "asymptotic"
        )
    if chart.chart == "cusum":
        return CusumScheme(k=float(chosen["k"]), h=chart.sigmas, head_start=float(chosen["head_start"]))
    if chart.chart == "mewma":
        exact = str(chosen["limits"]).startswith("exact")
        return MewmaScheme(
            p=len(chart.limits.parameters["center"][-1]),
            lam=float(chosen["lam"]),
            limit=float(chosen["limit_of_t2"]),
            limits="exact" if exact else "asymptotic",
        )
    if not family_of(chart.chart).panels[0].independent:
        raise InputError(
            f"run lengths of a {chart.chart} chart are not known here: give its rules or a scheme"
        )
    return chart.rules


def _row(mean: float, sd: float, law: Distribution, error: float) -> tuple[float, ...]:
    points = (law.quantile(0.05), law.quantile(0.5), law.quantile(0.95))
    return (mean, sd, *points, law.within(25), law.within(100), error)


def _of_chain(chain: Chain) -> tuple[float, ...]:
    return _row(*chain.moments(), chain.distribution(), 0.0)


def _of_sample(lengths: NDArray[np.int64]) -> tuple[float, ...]:
    sd = float(lengths.std(ddof=1))
    return _row(float(lengths.mean()), sd, Distribution.of(lengths), sd / float(np.sqrt(len(lengths))))


def _of_scheme(scheme: Scheme, shift: float, runs: int, seed: int) -> tuple[float, ...]:
    if isinstance(scheme, EwmaScheme):
        return _of_chain(ewma_chain(scheme.lam, scheme.width, shift, exact_limits=scheme.limits == "exact"))
    if isinstance(scheme, MewmaScheme):
        if shift == 0.0 and scheme.limits == "asymptotic":
            return _of_chain(mewma_chain(scheme.p, scheme.lam, scheme.limit))
        return _of_sample(_mewma_runs(scheme, shift, runs, seed))
    k, h, start = scheme.k, scheme.h, scheme.head_start
    if scheme.sides != "two":
        return _of_chain(cusum_chain(k, h, shift if scheme.sides == "upper" else -shift, start))
    up, down = (cusum_chain(k, h, d, start) for d in (shift, -shift))
    return _row(*two_sided(up, cusum_chain(k, h, shift), down, cusum_chain(k, h, -shift)), 0.0)


def _rule_runs(rules: Sequence[Rule], shift: float, sigmas: float, runs: int, seed: int) -> NDArray[np.int64]:
    """First signalling point (1-based) of simulated series, followed until each has signalled.

    A rule looks back over its window only: each piece of the series brings that many earlier points along.
    """
    rng = np.random.default_rng([seed, 1])
    back, piece = max(r.window for r in rules) if rules else 1, 64
    out = np.zeros(runs, dtype=np.int64)
    alive, past = np.arange(runs), np.full((runs, back), np.nan)
    done = 0
    while len(alive):
        if done >= 10_000_000 // piece or not rules:
            raise InputError("these rules hardly ever signal: their run length cannot be simulated")
        z = np.concatenate([past, shift + rng.standard_normal((len(alive), piece))], axis=1)
        link = ~np.isnan(z)
        link[:, 1:] &= ~np.isnan(z[:, :-1])
        link[:, 0] = False
        fired = find_signals(rules, z.ravel(), link.ravel(), limit=sigmas).reshape(z.shape)[:, back:] != 0
        found = fired.any(axis=1)
        out[alive[found]] = done + fired[found].argmax(axis=1) + 1
        alive, past = alive[~found], z[~found, -back:]
        done += piece
    return out


def _mewma_runs(scheme: MewmaScheme, shift: float, runs: int, seed: int) -> NDArray[np.int64]:
    rng = np.random.default_rng([seed, 2])
    out = np.zeros(runs, dtype=np.int64)
    alive, z = np.arange(runs), np.zeros((runs, scheme.p))
    flat, n = scheme.lam / (2.0 - scheme.lam), 0
    while len(alive):
        n += 1
        x = rng.standard_normal((len(alive), scheme.p))
        x[:, 0] += shift
        z = scheme.lam * x + (1.0 - scheme.lam) * z
        share = 1.0 - (1.0 - scheme.lam) ** (2 * n) if scheme.limits == "exact" else 1.0
        signal = (z * z).sum(axis=1) > scheme.limit * flat * share
        out[alive[signal]] = n
        alive, z = alive[~signal], z[~signal]
    return out


def _said(points: float) -> str:
    return f"{points:,.0f}" if points >= 20 else f"{points:.1f}"


def _verdict(text: str, shifts: Floats, columns: dict[str, Any]) -> str:
    text = text.replace("_", " ")
    out = []
    calm = np.flatnonzero(shifts == 0)
    if len(calm):
        i = int(calm[0])
        out.append(
            f"A stable process signals falsely after {_said(columns['arl'][i])} points on average, "
            f"within 25 points in {100 * columns['within_25'][i]:.0f}% of charts."
        )
    moved = np.flatnonzero(shifts != 0)
    if len(moved):
        i = int(moved[0])
        out.append(
            f"A shift of {abs(shifts[i]):g} sigma is seen after {_said(columns['arl'][i])} points on "
            f"average, in 95% of cases within {columns['p95'][i]:,.0f}."
        )
    return f"{text[0].upper() + text[1:]}: " + " ".join(
        s[0].lower() + s[1:] if k == 0 else s for k, s in enumerate(out)
    )

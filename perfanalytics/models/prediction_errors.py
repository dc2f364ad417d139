"""prediction_errors(predictions) -> PredictionErrors: a chart that says when a model stops predicting."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.practice_records import Decision
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.core.series import Series
from perfanalytics.models.backtest import Backtest
from perfanalytics.models.predictions import Predictions
from perfanalytics.models.predictive import t_cdf
from perfanalytics.models.shared_error import joint_df, mean_variance
from perfanalytics.models.simulation.sensitivity import rank_correlation
from perfanalytics.models.wording import off_by, varying
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.result import ControlChart

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Fewest outcomes for advice, and to say that nothing is predicted any more; chance of a false advice each.
FEWEST, ENOUGH, ALPHA = 8, 20, 0.0027


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PredictionErrors(Result):
    """Errors of predictions, as normal scores in their predicted distributions, on a control chart.

    Attributes
    ----------
    measure : Measure
        Of the outcome.
    chart : ControlChart
        Individuals chart of the scores with center 0 and sigma 1: what they are while the model holds.
    scores : float array, shape (n,)
        In the order in which outcomes became known.
    n : int
    bias, bias_p : float
        Mean score and the p-value of its difference from 0. Above 0: outcomes are higher than predicted.
    spread, spread_p : float
        Standard deviation of the scores (1 while the model holds) and its two-sided p-value.
    rank_correlation : float
        Of predicted and observed values.
    advice : {"wait", "keep", "look", "recalibrate", "retire"}
    """

    kind: ClassVar[str] = "prediction_errors"

    measure: Measure
    chart: ControlChart
    scores: Floats
    n: int
    bias: float
    bias_p: float
    spread: float
    spread_p: float
    rank_correlation: float
    advice: str

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome, the table of the chart."""
        return self.chart.to_frame()

    def summary(self) -> pd.DataFrame:
        """One row: measure, n, bias, bias_p, spread, spread_p, rank_correlation, signals (points on the
        chart), advice, caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "n": self.n,
                    "bias": self.bias,
                    "bias_p": self.bias_p,
                    "spread": self.spread,
                    "spread_p": self.spread_p,
                    "rank_correlation": self.rank_correlation,
                    "signals": signals_of(self.chart),
                    "advice": self.advice,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def decision(self, *, who: str, decided_on: dt.date, subject: str, what: str | None = None) -> Decision:
        """The record of what was decided about the model ("retire", "recalibrate" ...), for the repository.

        Parameters
        ----------
        who : str
        decided_on : date
        subject : str
            Name the model is saved under.
        what : str, optional
            What was decided where it differs from the advice.

        Returns
        -------
        Decision
            ``repo.declare(decision)`` keeps it.
        """
        return Decision(
            f"{what or self.advice} {subject}",
            what=what or self.advice,
            who=who,
            decided_on=decided_on,
            why=self.verdict,
            subject=subject,
        )


def prediction_errors(made: Predictions | Backtest) -> PredictionErrors:
    """Judge predictions by what then happened.

    Parameters
    ----------
    made : Predictions or Backtest
        With outcomes.

    Returns
    -------
    PredictionErrors
        ``advice``: "wait" (fewer than 8 outcomes), "retire" (20 or more outcomes, and what was predicted
        higher was not higher), "recalibrate" (the level or spread of the errors is off), "look" (the chart
        signals single outcomes), "keep".

    Raises
    ------
    InputError
        Without any outcome.

    Notes
    -----
    An outcome's score is its place in its own predicted distribution, turned into a normal score (probability
    integral transform): standard normal while the model holds, whatever the family. Level and spread are
    tested at 0.27% each, as the limits of a control chart; the level with the effective number of scores,
    n (1 - r) / (1 + r) for their lag-1 correlation r above 0. Predictions of one model share the errors of
    its parameters: they are in the variance of the level (covariance of the coefficients; delta method for
    families other than gaussian), and the spread is tested against one estimated on so many degrees of
    freedom (F). Predictions kept by earlier versions did not hold what they share: there the parameters
    count as known.

    References
    ----------
    Dawid (1984), Journal of the Royal Statistical Society A 147, 278-292. Gneiting, Balabdaoui and Raftery
    (2007), Journal of the Royal Statistical Society B 69, 243-268.
    """
    if isinstance(made, Predictions):
        known = np.flatnonzero(made.place >= 0)
        known = known[np.argsort(made.place[known], kind="stable")]
        scores, estimate, observed = made.error_scores(), made.estimate, made.observed
        origin = np.zeros(len(scores), dtype=np.int64)
    elif isinstance(made, Backtest):
        known, scores = np.arange(made.n), made.score
        estimate, observed, origin = made.estimate, made.observed, made.origin
    else:
        raise InputError(
            f"prediction_errors takes perf.predictions(...) with outcomes or a backtest, got "
            f"{type(made).__name__}"
        )
    known = known[~np.isnan(scores[known])]
    if not len(known):
        raise InputError("no outcome is known yet: give predictions.with_outcomes({...}) first")
    scores, estimate, observed, origin = scores[known], estimate[known], observed[known], origin[known]
    n = len(scores)
    measure = Measure(
        f"{made.measure.name}_prediction_error",
        definition="Normal score of the outcome in its predicted distribution",
        unit="sigma",
        better="target",
        scale="real",
    )
    chart = control_chart(Series(scores, measure=measure), estimate={"center": 0.0, "sigma": 1.0})
    bias = float(scores.mean())
    effective = _effective(scores)
    bias_sd = math.sqrt(mean_variance(made.shared[known], origin, effective))
    df = joint_df(made.spread_df[known], origin)
    bias_p = float(2 * t_cdf(df, np.asarray(-abs(bias) / bias_sd)))
    spread = float(scores.std(ddof=1)) if n > 1 else math.nan
    spread_p = math.nan
    if n > 1:
        below, above = _chance_of(spread**2, n - 1, df)
        spread_p = 2 * min(below, above)
    together = rank_correlation(estimate, observed) if n > 2 else math.nan
    advice = _advice(n, bias_p, spread_p, together, chart)
    doubts = []
    if n < FEWEST:
        text = f"Only {count(n, 'outcome')}: {FEWEST} are needed before anything can be advised."
        doubts.append(Caveat("too-few-outcomes", text, {"n": n, "needed": FEWEST}))
    return PredictionErrors(
        measure=made.measure,
        chart=chart,
        scores=read_only(scores),
        n=n,
        bias=bias,
        bias_p=bias_p,
        spread=spread,
        spread_p=spread_p,
        rank_correlation=together,
        advice=advice,
        verdict=_verdict(n, bias, spread, spread_p, together, chart, advice),
        caveats=tuple(doubts),
        method=Method(
            "prediction_errors",
            {
                "predictions": made.method.key,
                "fewest": FEWEST,
                "retire_from": ENOUGH,
                "alpha": ALPHA,
                "n_effective": effective,
                "bias_sd": bias_sd,
            },
            ("Dawid (1984), JRSS A 147, 278-292", "Gneiting et al. (2007), JRSS B 69, 243-268"),
        ),
        provenance=made.provenance,
    )


def _chance_of(ratio: float, df: float, of: float) -> tuple[float, float]:
    """Chance of a smaller and of a larger ratio of an observed variance to one estimated on ``of``."""
    if math.isinf(of):
        return float(special.gammainc(df / 2, df * ratio / 2)), float(
            special.gammaincc(df / 2, df * ratio / 2)
        )
    return float(special.fdtr(df, of, ratio)), float(special.fdtrc(df, of, ratio))


def _effective(scores: Floats) -> float:
    """Effective number of scores: neighbours that go together count for less, n (1 - r) / (1 + r)."""
    x = scores - scores.mean()
    bottom = float(x @ x)
    r = max(float(x[1:] @ x[:-1]) / bottom, 0.0) if bottom > 0 else 0.0
    return len(scores) * (1 - r) / (1 + r)


def signals_of(chart: ControlChart) -> int:
    """Points that signal."""
    return int(np.sum(chart.to_frame()["rules"].to_numpy() != ""))


def _advice(n: int, bias_p: float, spread_p: float, together: float, chart: ControlChart) -> str:
    if n < FEWEST:
        return "wait"
    if n >= ENOUGH and together <= 0:
        return "retire"
    if bias_p < ALPHA or spread_p < ALPHA:
        return "recalibrate"
    return "look" if chart.stable is False else "keep"


def _verdict(
    n: int, bias: float, spread: float, spread_p: float, together: float, chart: ControlChart, advice: str
) -> str:
    if advice == "wait":
        return f"Too early to say: {count(n, 'outcome')} known."
    if advice == "retire":
        return (
            f"Retire the model: over {count(n, 'outcome')} what it predicted higher was not higher (rank "
            f"correlation "
            f"{together:.2f})."
        )
    if advice == "recalibrate":
        text = (
            f"Recalibrate the model: on average {count(n, 'outcome')} lie {off_by(bias)} what was predicted"
        )
        if spread_p < ALPHA:
            text += f", and they vary {varying(spread)} it says"
        return f"{text}."
    if advice == "look":
        signals = signals_of(chart)
        return (
            f"The model predicts on the whole, but {count(signals, 'outcome')} "
            f"{'signals' if signals == 1 else 'signal'} on the chart: look why."
        )
    return (
        f"Keep the model: on average {count(n, 'outcome')} lie {off_by(bias)} what was predicted, and they "
        f"vary {varying(spread)} it says."
    )

"""evaluate_deployment(batch, deployments): what a staged deployment really brought."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.errors import InputError
from perfanalytics.core.improvement_records import Deployment
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import SeriesBatch
from perfanalytics.practices.opm.benefit_result import PredictedBenefit
from perfanalytics.practices.opm.deployment_result import NUMBERS, TEXTS, DeploymentEvaluation
from perfanalytics.practices.opm.deployment_stages import StageEffect, stage_effects, unit_of
from perfanalytics.practices.opm.improvement_terms import sign_of, text_array


def evaluate_deployment(
    batch: SeriesBatch,
    deployments: Sequence[Deployment],
    *,
    predicted: PredictedBenefit | tuple[float, float, float] | None = None,
    units: Mapping[str, Sequence[str]] | None = None,
    confidence: float = 0.95,
    on: dt.date | None = None,
) -> DeploymentEvaluation:
    """Evaluate a staged deployment: each stage against what was not deployed yet.

    Parameters
    ----------
    batch : SeriesBatch
        Periods (weeks ...) of one measure by unit (service, group), with times; as ``repo.batch(by=...)``.
    deployments : sequence of Deployment
        The stages, of one proposal. ``where`` says which units, by the attributes in the ids of the batch
        ("service=Mail").
    predicted : PredictedBenefit or (low, likely, high), optional
        What was predicted: the improvement of an item in the unit of the measure, positive = better.
    units : mapping of stage to ids, optional
        Instead of ``where``.
    confidence : float
    on : date, optional
        Data until this day only.

    Returns
    -------
    DeploymentEvaluation

    Raises
    ------
    InputError
        Without stages or times, for stages of several proposals, a unit in two stages, units that the batch
        does not have, a measure without direction, or when no stage can be evaluated.

    Notes
    -----
    The units of a stage (their mean, each less its own level before; of logarithms for durations and positive
    measures) are compared by ``difference_in_differences`` with units that are deployed later or never. Units
    that are deployed already are never the comparison: their own effect would be taken for the effect of the
    stage (Goodman-Bacon 2021). A comparison ends when the next stage begins; where that leaves fewer than 8
    periods, the units of the next stage are left out and it goes on. A stage for which nothing is left to
    compare with is said so, and not evaluated.

    Stages are combined with weights of their numbers of units. Their comparison units are partly the same, so
    that their errors go together; the standard error of the combination is the weighted sum of theirs, the
    largest it can be (full correlation): the interval can only be too wide. Whether the stages differ is
    tested by Cochran's Q, which takes them as independent.

    References
    ----------
    Goodman-Bacon (2021), Journal of Econometrics 225, 254-277. Callaway and Sant'Anna (2021), Journal of
    Econometrics 225, 200-230 (not-yet-treated comparison groups). Cochran (1954), Biometrics 10, 101-129.

    Examples
    --------
    >>> from perfanalytics.core.series import Series
    >>> hours = Measure("hours", definition="d", unit="hours", better="lower", scale="real")
    >>> when = np.datetime64("2024-01-01") + 7 * np.arange(60)
    >>> rng = np.random.default_rng(3)
    >>> late = {"a": 20, "b": 40, "c": 99}
    >>> made = {f"team={t}": Series(30 + rng.standard_normal(60) - 4 * (np.arange(60) >= k), measure=hours,
    ...                             when=when) for t, k in late.items()}
    >>> stages = [Deployment(f"to {t}", proposal="P", since=(when[k]).astype(object), where={"team": t})
    ...           for t, k in (("a", 20), ("b", 40))]
    >>> found = evaluate_deployment(SeriesBatch.from_series(made), stages, predicted=(3, 4, 5))
    >>> found.compared_with.tolist(), round(found.realized), found.standing
    (['b, c', 'c'], 4, 'as predicted')
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95), got {confidence}")
    sign = sign_of(batch.measure)
    scale = "log" if batch.measure.scale in LOG_SCALES else "raw"
    stages = stage_effects(batch, deployments, units=units, scale=scale, confidence=confidence, on=on)
    done = [s for s in stages if s.comparison is not None]
    if not done:
        raise InputError("no stage can be evaluated: " + "; ".join(f"{s.name}: {s.why}" for s in stages))
    rows = [_row(s, sign, scale) for s in stages]
    combined = _combined(done, sign, scale, confidence)
    hope = _predicted(predicted, confidence)
    against = _against(combined, hope, confidence)
    money = _money(predicted, combined)
    columns: dict[str, Any] = {n: text_array(r[n] for r in rows) for n in TEXTS}
    columns |= {n: np.array([r[n] for r in rows], dtype=float) for n in (*NUMBERS, "cost")}
    columns |= {n: np.array([r[n] for r in rows], dtype="datetime64[D]") for n in ("since", "until")}
    columns |= {n: np.array([r[n] for r in rows], dtype=np.int64) for n in ("n_units", "n_before", "n_after")}
    return DeploymentEvaluation(
        verdict=_verdict(stages, combined, hope, against, money, batch.measure, confidence),
        caveats=_doubts(stages, done, combined, predicted),
        method=Method(
            "evaluate_deployment",
            {
                "stages": "difference_in_differences against units not deployed yet",
                "weights": "units of the stage",
                "standard_error": "weighted sum of those of the stages (full correlation)",
                "heterogeneity": "Cochran's Q",
                "scale": scale,
                "confidence": confidence,
            },
            ("Goodman-Bacon (2021), Journal of Econometrics 225, 254-277",),
        ),
        provenance=batch.provenance(),
        proposal=deployments[0].proposal,
        measure=batch.measure,
        scale=scale,
        realized=combined["estimate"],
        realized_low=combined["low"],
        realized_high=combined["high"],
        predicted=hope[1],
        predicted_low=hope[0],
        predicted_high=hope[2],
        heterogeneity=combined["heterogeneity"],
        confidence=confidence,
        comparisons=tuple(s.comparison for s in done if s.comparison is not None),
        **against,  # type: ignore[arg-type]
        **money,
        **columns,
    )


def _row(s: StageEffect, sign: float, scale: str) -> dict[str, Any]:
    found = s.effect(sign, scale)
    return {
        "stage": s.name,
        "units": ", ".join(unit_of(u) for u in s.units),
        "compared_with": ", ".join(unit_of(u) for u in s.controls),
        "outcome": "not evaluated" if s.comparison is None else s.comparison.outcome,
        "why": s.why,
        "since": s.since,
        "until": s.until,
        "n_units": len(s.units),
        "n_before": s.n_before,
        "n_after": s.n_after,
        "level_before": s.level,
        "cost": math.nan if s.cost is None else s.cost,
        **found,
    }


def _combined(done: Sequence[StageEffect], sign: float, scale: str, confidence: float) -> dict[str, float]:
    """The stages together, in the unit of the measure."""
    weights = np.array([len(s.units) for s in done], dtype=float)
    weights /= weights.sum()
    center = np.array([s.center for s in done])
    se = np.array([s.se for s in done])
    df = min(s.df for s in done)
    level = float(weights @ [s.level for s in done])
    estimate, spread = float(weights @ center), float(weights @ se)
    half = float(special.stdtrit(df, (1 + confidence) / 2)) * spread
    ends = [_in_unit(v, level, sign, scale) for v in (estimate, estimate - half, estimate + half)]
    q = math.nan
    if len(done) > 1:
        precision = 1 / se**2
        pooled = float(precision @ center / precision.sum())
        q = 1 - float(special.chdtr(len(done) - 1, float(precision @ (center - pooled) ** 2)))
    slope = level * math.exp(estimate) if scale == "log" else 1.0
    return {
        "estimate": ends[0],
        "low": min(ends[1:]),
        "high": max(ends[1:]),
        "se": spread * slope,
        "df": df,
        "heterogeneity": q,
    }


def _in_unit(effect: float, level: float, sign: float, scale: str) -> float:
    """An effect on the scale as an improvement in the unit of the measure."""
    return sign * (level * math.expm1(effect) if scale == "log" else effect)


def _predicted(
    predicted: PredictedBenefit | tuple[float, float, float] | None, confidence: float
) -> tuple[float, float, float]:
    """Low, center, high of the predicted improvement."""
    if predicted is None:
        return math.nan, math.nan, math.nan
    if isinstance(predicted, PredictedBenefit):
        if predicted.quantity != "mean":
            raise InputError("a prediction about the share of items is not about the level of the measure")
        return predicted.improvement_low, predicted.improvement_mean, predicted.improvement_high
    low, likely, high = (float(v) for v in predicted)
    if not low <= likely <= high:
        raise InputError(f"predicted= is (low, likely, high) in their order, got {predicted}")
    return low, likely, high


def _against(
    combined: Mapping[str, float], hope: tuple[float, float, float], confidence: float
) -> dict[str, float | str]:
    """How what came stands against what was predicted."""
    low, center, high = hope
    if math.isnan(center):
        return {"probability_as_predicted": math.nan, "standing": ""}
    # the interval of a prediction is about 90%: benefits are predicted so, and low and high are meant so
    se = math.hypot(combined["se"], (high - low) / (2 * float(special.ndtri(0.95))))
    gap = combined["estimate"] - center
    if se == 0:
        return {"probability_as_predicted": float(gap >= 0), "standing": "as predicted"}
    probability = float(special.stdtr(combined["df"], gap / se))
    half = float(special.stdtrit(combined["df"], (1 + confidence) / 2)) * se
    standing = "as predicted"
    if gap < -half:
        standing = "less than predicted"
    elif gap > half:
        standing = "more than predicted"
    elif combined["low"] <= 0 <= combined["high"]:
        standing = "cannot tell"
    return {"probability_as_predicted": probability, "standing": standing}


def _money(
    predicted: PredictedBenefit | tuple[float, float, float] | None, combined: Mapping[str, float]
) -> dict[str, Any]:
    if not isinstance(predicted, PredictedBenefit):
        blank = dict.fromkeys(("benefit", "benefit_low", "benefit_high", "benefit_predicted"), math.nan)
        return blank | {"money": "", "period": ""}
    worth = predicted.volume_mean * predicted.worth_mean
    return {
        "benefit": combined["estimate"] * worth,
        "benefit_low": combined["low"] * worth,
        "benefit_high": combined["high"] * worth,
        "benefit_predicted": predicted.benefit_mean,
        "money": predicted.unit,
        "period": predicted.period,
    }


def _doubts(
    stages: Sequence[StageEffect],
    done: Sequence[StageEffect],
    combined: Mapping[str, float],
    predicted: object,
) -> tuple[Caveat, ...]:
    out = []
    for s in stages:
        if s.comparison is None:
            out.append(Caveat("stage-not-evaluated", f"Stage '{s.name}' is not evaluated: {s.why}."))
            continue
        if s.comparison.outcome == "not_attributable":
            text = f"Stage '{s.name}': the difference cannot be put down to it ({s.comparison.verdict})"
            out.append(Caveat("stage-not-attributable", text))
        if len(s.controls) == 1:
            text = (
                f"Stage '{s.name}' is compared with one unit only: whatever happened there counts against it."
            )
            out.append(Caveat("one-comparison-unit", text, {"unit": unit_of(s.controls[0])}))
    codes = dict.fromkeys(c for s in done if s.comparison for c in s.comparison.caveat_codes)
    if codes:
        said = ", ".join(codes)
        out.append(
            Caveat(
                "comparisons-doubtful", f"The comparisons have doubts of their own: {said}.", {"codes": said}
            )
        )
    if combined["heterogeneity"] < 0.05:
        text = (
            f"The stages differ in their effect (p = {combined['heterogeneity']:.3f}): the mean of them "
            f"describes "
            "none."
        )
        out.append(Caveat("stages-differ", text, {"p_value": combined["heterogeneity"]}))
    bare = [s.name for s in stages if s.cost is None]
    if bare:
        text = f"What it cost is not recorded for {', '.join(bare)}."
        out.append(Caveat("cost-missing", text, {"n": len(bare)}))
    if predicted is None:
        text = "Nothing was predicted: what came cannot be held against what was promised."
        out.append(Caveat("not-predicted", text))
    return tuple(out)


def _verdict(
    stages: Sequence[StageEffect],
    combined: Mapping[str, float],
    hope: tuple[float, float, float],
    against: Mapping[str, float | str],
    money: Mapping[str, Any],
    measure: Measure,
    confidence: float,
) -> str:
    done = sum(s.comparison is not None for s in stages)
    of = count(done, "stage") if done == len(stages) else f"{done} of {count(len(stages), 'stage')}"
    estimate = combined["estimate"]
    text = (
        f"Deployed in {count(len(stages), 'stage')}, {of} evaluated: {measure.name} became "
        f"{'better' if estimate >= 0 else 'worse'} by {_said(abs(estimate), measure)} ({percent(confidence)} "
        f"interval {_said(combined['low'], measure)} to {_said(combined['high'], measure)})."
    )
    if not math.isnan(hope[1]):
        how = {
            "as predicted": "that is consistent with it",
            "less than predicted": "that is less than predicted",
            "more than predicted": "that is more than predicted",
            "cannot tell": "whether it came cannot be told",
        }[str(against["standing"])]
        text += f" Predicted was {_said(hope[1], measure)}; {how}."
    if money["money"]:
        text += (
            f" In money: {number(money['benefit'], money['money'])} a {money['period']} "
            f"({percent(confidence)} interval {number(money['benefit_low'])} to "
            f"{number(money['benefit_high'], money['money'])}, at the predicted volume and worth); predicted "
            f"were {number(money['benefit_predicted'], money['money'])}."
        )
    return text


def _said(value: float, measure: Measure) -> str:
    if measure.unit in ("", "1"):
        return f"{number(100 * value)} percentage points"
    return number(value, measure.unit)

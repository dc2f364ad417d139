"""The verdict of a simulation."""

from __future__ import annotations

import math

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective


def verdict_of(
    measure: Measure,
    objective: Objective | None,
    *,
    runs: int,
    median: float,
    p10: float,
    p90: float,
    probability: float,
    simulation: tuple[float, float],
    inputs: tuple[float, float],
    standing: str | None,
    confidence: float,
    driver: tuple[str, str, float, float] | None,
    independent: bool,
) -> str:
    """Two or three sentences: how long, how probable, what drives it.

    ``driver``: name, kind, total share of the variance, rank correlation.
    """
    apart = abs(p90 - p10) / 20
    text = f"{measure.name}: half of all items take at most {number(median, measure.unit, spread=apart)}"
    if p90 > median:
        text += f", nine in ten at most {number(p90, measure.unit, spread=apart)}"
    text += f" ({runs:,} simulated)."
    if objective is not None:
        text += " " + _objective(objective, measure, probability, simulation, inputs, standing, confidence)
    if driver is not None:
        text += " " + _driver(*driver)
    if independent:
        text += " Steps are taken as independent of each other."
    return text


def _objective(
    objective: Objective,
    measure: Measure,
    probability: float,
    simulation: tuple[float, float],
    inputs: tuple[float, float],
    standing: str | None,
    confidence: float,
) -> str:
    side = "at most" if objective.direction == "at_most" else "at least"
    target = number(objective.target, measure.unit)
    text = f"{percent(probability, fine=True)} meet objective {objective.name!r} ({side} {target})"
    if math.isnan(inputs[0]):
        low, high = (percent(v, fine=True) for v in simulation)
        text += f", {low} to {high} by simulation error alone"
    else:
        low, high = (percent(v, fine=True) for v in inputs)
        text += f"; with the sample sizes of the inputs, {low} to {high} ({percent(confidence)} interval)"
    if objective.share is not None:
        wanted = percent(objective.share)
        text += {
            "met": f". The {wanted} asked for are met",
            "missed": f". The {wanted} asked for are missed",
            "undecided": f". Whether the {wanted} asked for are met cannot be said",
        }[standing or "undecided"]
    return text + "."


def _driver(name: str, kind: str, share: float, rank: float) -> str:
    called = "what all steps have in common" if kind == "common factor" else name
    if math.isnan(share):
        return f"{called[0].upper() + called[1:]} goes with the total most (rank correlation {rank:.2f})."
    shown = percent(min(max(share, 0.0), 1.0))
    return f"{called[0].upper() + called[1:]} drives it most ({shown} of its variance)."

"""The figure of prediction errors: their control chart, with the advice in the title."""

from __future__ import annotations

from typing import Any

from perfanalytics.figures import control_chart
from perfanalytics.models.prediction_errors import PredictionErrors


def draw(result: PredictionErrors) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    figure = control_chart.draw(result.chart)
    figure["layout"]["title"]["text"] = f"Prediction errors of {result.measure.name}: {result.advice}"
    return figure

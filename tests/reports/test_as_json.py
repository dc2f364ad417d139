from __future__ import annotations

import datetime as dt
import json

import numpy as np

from perfanalytics.figures.as_json import figure_json


def test_numbers_gaps_times_and_texts_survive():
    figure = {
        "y": np.array([1.0, np.nan, np.inf]),
        "n": np.array([1, 2]),
        "t": np.array(["2024-01-01T10:00", "NaT"], dtype="datetime64[us]"),
        "text": np.array(["a", None], dtype=object),
        "one": np.float64(2.5),
        "nan": float("nan"),
        "date": dt.date(2024, 1, 1),
        "nested": [{"x": (np.int64(1),)}],
    }
    assert json.loads(figure_json(figure)) == {
        "y": [1.0, None, None],
        "n": [1, 2],
        "t": ["2024-01-01T10:00:00", None],
        "text": ["a", None],
        "one": 2.5,
        "nan": None,
        "date": "2024-01-01",
        "nested": [{"x": [1]}],
    }


def test_a_text_cannot_end_the_script_it_stands_in():
    assert "</script" not in figure_json({"title": "</script><script>alert(1)</script>"})

"""plot: one verb for every result, and a clear word for what is none."""

import pytest

import perfanalytics as perf
from perfanalytics.figures.plot import figure_dict


@pytest.mark.parametrize("thing", [5, [1.0, 2.0], None, "chart"])
def test_what_is_no_result_is_refused_with_what_would_be_right(thing):
    with pytest.raises(perf.InputError, match=f"plot takes a result .* got {type(thing).__name__}"):
        perf.plot(thing)
    with pytest.raises(perf.InputError):
        figure_dict(thing)


def test_a_result_is_drawn():
    chart = perf.control_chart([3.0, 4, 5, 4, 3, 4])
    assert len(perf.plot(chart).data) == len(figure_dict(chart)["data"])

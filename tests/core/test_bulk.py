from __future__ import annotations

import pytest

from perfanalytics.core.bulk import method
from perfanalytics.core.errors import InputError, UnknownNameError


def test_a_parameter_that_does_not_exist_names_the_nearest():
    with pytest.raises(UnknownNameError, match="parameter of control_charts 'chrt': did you mean 'chart'"):
        method("control_charts", chrt="p")
    with pytest.raises(UnknownNameError, match="did you mean 'control_charts'"):
        method("control_chart")


def test_a_parameter_that_is_needed_is_asked_for():
    with pytest.raises(InputError, match="level_change needs at="):
        method("level_change")


def test_a_method_is_made_with_its_parameters():
    assert method("control_charts", chart="p").method.parameters["chart"] == "p"

"""The comparison methods: ``METHODS`` maps the name for ``method=`` to the method.

A new method is one file (or one family) here and its line in this list.
"""

from __future__ import annotations

from perfanalytics.comparisons.method import ComparisonMethod
from perfanalytics.comparisons.methods.means import WELCH
from perfanalytics.comparisons.methods.medians import MANN_WHITNEY
from perfanalytics.comparisons.methods.proportions import TWO_PROPORTIONS
from perfanalytics.comparisons.methods.series import AR1_LEVEL_CHANGE

METHODS: dict[str, ComparisonMethod] = {
    method.name: method for method in (AR1_LEVEL_CHANGE, WELCH, MANN_WHITNEY, TWO_PROPORTIONS)
}

"""The comparison methods: ``METHODS`` maps the name for ``method=`` to the method.

A new method is one file (or one family) here and its line in this list.
"""

from __future__ import annotations

from perfanalytics.comparisons.method import ComparisonMethod
from perfanalytics.comparisons.methods.bayes import BAYES
from perfanalytics.comparisons.methods.bootstrap import BOOTSTRAP
from perfanalytics.comparisons.methods.counts import CHI_SQUARE, FISHER, MCNEMAR
from perfanalytics.comparisons.methods.equivalence import TOST
from perfanalytics.comparisons.methods.long_run import AR1_RANKS, EFFECTIVE_N_WELCH, EWC_WELCH, NEWEY_WEST
from perfanalytics.comparisons.methods.means import WELCH
from perfanalytics.comparisons.methods.medians import MANN_WHITNEY
from perfanalytics.comparisons.methods.permutations import MEDIAN_PERMUTATION, PERMUTATION
from perfanalytics.comparisons.methods.poisson import POISSON_RATES
from perfanalytics.comparisons.methods.proportions import TWO_PROPORTIONS
from perfanalytics.comparisons.methods.ranks import BRUNNER_MUNZEL, WILCOXON
from perfanalytics.comparisons.methods.series import AR1_LEVEL_CHANGE
from perfanalytics.comparisons.methods.spreads import SPREAD_TESTS
from perfanalytics.comparisons.methods.t_tests import ONE_SAMPLE_T, PAIRED_T, STUDENT

METHODS: dict[str, ComparisonMethod] = {
    method.name: method
    for method in (
        # values in order of time
        AR1_LEVEL_CHANGE,
        AR1_RANKS,
        EWC_WELCH,
        EFFECTIVE_N_WELCH,
        NEWEY_WEST,
        # either
        BOOTSTRAP,
        BAYES,
        # independent items: center
        WELCH,
        STUDENT,
        MANN_WHITNEY,
        BRUNNER_MUNZEL,
        PERMUTATION,
        MEDIAN_PERMUTATION,
        TOST,
        # pairs, or one side against a given value
        PAIRED_T,
        WILCOXON,
        ONE_SAMPLE_T,
        MCNEMAR,
        # spread
        *SPREAD_TESTS,
        # counts
        TWO_PROPORTIONS,
        FISHER,
        CHI_SQUARE,
        POISSON_RATES,
    )
}

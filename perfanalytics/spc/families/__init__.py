"""The chart types. A new one is a file here and its line in ``CHARTS``."""

from __future__ import annotations

from perfanalytics.core.errors import UnknownNameError
from perfanalytics.spc.families.attributes import LANEY_P, LANEY_U, NP, C, P, U
from perfanalytics.spc.families.between_within import IMR_RS
from perfanalytics.spc.families.funnel import FUNNEL
from perfanalytics.spc.families.individuals import INDIVIDUALS
from perfanalytics.spc.families.memory import CUSUM, EWMA, MOVING_AVERAGE
from perfanalytics.spc.families.mewma import MEWMA
from perfanalytics.spc.families.multivariate import HOTELLING_T2
from perfanalytics.spc.families.normalized import I_PRIME, SHORT_RUN
from perfanalytics.spc.families.rare_events import G, T
from perfanalytics.spc.families.residual import RESIDUAL
from perfanalytics.spc.families.risk_adjusted import RISK_ADJUSTED_CUSUM
from perfanalytics.spc.families.run import RUN
from perfanalytics.spc.families.subgroups import MEDIAN, XBAR_R, XBAR_S
from perfanalytics.spc.family import ChartFamily

#: Word for ``chart=`` -> the chart type.
CHARTS: dict[str, ChartFamily] = {
    family.name: family
    for family in (
        INDIVIDUALS,
        XBAR_R,
        XBAR_S,
        MEDIAN,
        P,
        NP,
        LANEY_P,
        C,
        U,
        LANEY_U,
        G,
        T,
        EWMA,
        CUSUM,
        MOVING_AVERAGE,
        I_PRIME,
        SHORT_RUN,
        IMR_RS,
        RUN,
        HOTELLING_T2,
        FUNNEL,
        RISK_ADJUSTED_CUSUM,
        MEWMA,
        RESIDUAL,
    )
}


def family_of(chart: str) -> ChartFamily:
    """The chart type of that name.

    Raises
    ------
    UnknownNameError
    """
    if chart not in CHARTS:
        raise UnknownNameError("chart", str(chart), CHARTS)
    return CHARTS[chart]

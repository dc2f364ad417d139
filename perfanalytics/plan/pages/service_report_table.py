"""``[[service_report]]``: for whom, of which period, and which measure is of which content."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import model_validator

from perfanalytics.core.periods import Every
from perfanalytics.plan.tables import Name, Table, Texts, Where

Period = Literal["week", "month", "quarter", "year"]
#: Key -> the content of the report its measures are of.
MEASURES = ("workload", "nonconformities", "satisfaction")


class ServiceReportTable(Table):
    """``[[service_report]]``: audience, period, part of the data, and which measure is of which content.

    ``performance`` names objectives (or measures: all objectives about them).
    """

    name: Name
    audience: Literal["management", "customer", "operations"] = "management"
    period: Period | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    where: Where = {}
    by: str | Texts = []
    performance: Texts = []
    workload: Texts = []
    nonconformities: Texts = []
    satisfaction: Texts = []
    categories: Texts = []
    events: bool = True
    every: Every = "week"
    statistics: dict[str, str] = {}
    trend_since: dt.date | None = None

    @model_validator(mode="after")
    def _one_period(self) -> ServiceReportTable:
        if self.period is not None and (self.since or self.until):
            raise ValueError("the period is given once: either period, or since and until")
        if (self.since is None) != (self.until is None):
            raise ValueError("since and until belong together: the first day, and the day after the last")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError(f"since = {self.since} is not before until = {self.until}")
        return self

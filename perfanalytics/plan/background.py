"""What a reader of the report must know: definitions, objectives, what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfanalytics.plan.plan import Plan
from perfanalytics.plan.tables import ChangeTable, EventTable

if TYPE_CHECKING:
    import pandas as pd


def background(plan: Plan) -> tuple[tuple[str, pd.DataFrame], ...]:
    """What a reader must know to understand the results: definitions, objectives, what happened."""
    import pandas as pd

    definitions = [
        {
            "measure": m.name,
            "operational definition": m.definition,
            "unit": m.unit,
            "better": m.better,
            "subprocess": m.subprocess,
            "source": m.source,
        }
        for m in plan.measure
    ]
    goals = [
        {
            "objective": o.name,
            "measure": o.measure,
            "target": f"{o.statistic} {o.direction.replace('_', ' ')} {o.target:g}"
            + (f" for {o.share:.0%} of the items" if o.share is not None else ""),
            "by": o.by,
            "declared on": o.declared_on,
            "serves": o.serves,
        }
        for o in plan.objective
    ]
    changes: list[ChangeTable | EventTable] = [*plan.change]
    happened = [
        {"when": t.when, "what": t.name, "description": t.what, "who": t.who, "why": t.why}
        for t in [*changes, *plan.event]
    ]
    tables: dict[str, list[dict[str, Any]]] = {
        "Measures": definitions,
        "Objectives": goals,
        "Changes and events": happened,
    }
    return tuple((title, pd.DataFrame(rows).astype(object)) for title, rows in tables.items() if rows)

"""work_review(material) -> WorkReview: put together from what is on record and saved, nothing else."""

from __future__ import annotations

from dataclasses import replace

from perfanalytics.core.result import Method, Provenance
from perfanalytics.practices.qwm.work_review_doubts import doubts_of
from perfanalytics.practices.qwm.work_review_later_sections import (
    actions_section,
    changes_section,
    risks_section,
)
from perfanalytics.practices.qwm.work_review_result import SECTIONS, WorkReview, hash_of
from perfanalytics.practices.qwm.work_review_rows import Material, Rows
from perfanalytics.practices.qwm.work_review_sections import (
    data_section,
    objectives_section,
    prediction_section,
    stability_section,
)
from perfanalytics.practices.qwm.work_review_words import verdict_of


def work_review(material: Material) -> WorkReview:
    """The review of a work, from records and saved results.

    Every row names what it rests on; what is missing is said as a caveat. See
    :func:`perfanalytics.review_work`, which computes and saves the results first.

    Parameters
    ----------
    material : Material

    Examples
    --------
    >>> import datetime as dt
    >>> from perfanalytics.core.archive import Archive
    >>> from perfanalytics.core.practice_records import Work
    >>> bare = Work("Mail service")
    >>> work_review(Material(work=bare, archive=Archive.of([bare], on=dt.date(2024, 6, 30)))).caveat_codes[0]
    'no-objectives'
    """
    rows = Rows()
    objectives_section(material, rows)
    data_section(material, rows)
    stability_section(material, rows)
    prediction_section(material, rows)
    first = _made(material, rows)
    changes_section(material, rows, first)
    risks_section(material, rows)
    actions_section(material, rows)
    made = _made(material, rows)
    return replace(made, caveats=doubts_of(material, made), verdict=verdict_of(material, made))


def _made(material: Material, rows: Rows) -> WorkReview:
    columns = rows.arrays()
    return WorkReview(
        verdict="",
        method=Method(
            "work_review",
            {
                "sections": SECTIONS,
                "rests_on": {k.name: k.version for k in material.kept},
                "own_data": dict(material.work.where),
                "least_probability": material.work.least_probability,
            },
            ("CMMI-SVC V1.3 (2010), QWM SP 1.1 to 2.3",),
        ),
        provenance=Provenance(
            material.work.name,
            data_hash=hash_of(*(columns[n] for n in sorted(columns))),
            n=len(rows.columns),
        ),
        work=material.work,
        on=material.on,
        held_by=material.held_by,
        previous=0 if material.previous is None else material.previous.version,
        previous_on=None if (last := material.last()) is None else last.on,
        **columns,
    )

"""The page of a review: seven sections, each from the rows of the review and the results behind them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from perfanalytics.baselines.wording import count, percent
from perfanalytics.core.data_quality import DataQuality
from perfanalytics.practices.qwm.work_review_checks import PredictionCheck
from perfanalytics.practices.qwm.work_review_result import SECTIONS, WorkReview
from perfanalytics.practices.qwm.work_review_rows import Kept, Material
from perfanalytics.practices.qwm.work_review_sections import where_text
from perfanalytics.practices.qwm.work_review_tradeoff import TradeOff
from perfanalytics.practices.qwm.work_review_words import actions_in_words
from perfanalytics.reports.report import ReportItem, report

#: Role -> the section whose figures it is one of.
FIGURES = {
    "data_quality": 2,
    "chart": 3,
    "borrowed": 3,
    "capability": 3,
    "calibration": 4,
    "prediction": 4,
    "trade_off": 6,
    "alternatives": 6,
}


def write_page(review: WorkReview, material: Material, path: Path, *, version: int, plan: str) -> Path:
    """Write the page of a review."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return report(
        items(review, material),
        path,
        title=f"Review of {review.work.name}, {review.on}",
        subtitle=_subtitle(review, version, plan),
    )


def _subtitle(review: WorkReview, version: int, plan: str) -> str:
    text = f"Version {version} of the review"
    text += f", held by {', '.join(review.held_by)}" if review.held_by else ", who held it is not said"
    text += f"; the one before it is of {review.previous_on}" if review.previous_on else "; the first one"
    return f"{text}. Own data as known on {review.on}; plan {plan}."


def items(review: WorkReview, material: Material) -> list[ReportItem]:
    """The entries of the page, in the order of the sections."""
    out = [ReportItem("The review in short", review, group="In short")]
    for number, title in enumerate(SECTIONS, 1):
        group = f"{number}. {title}"
        # the register stands on the page itself, with its figure
        tables = tuple((t, f) for t, f in review.section_tables(number) if t != "Risks")
        out.append(
            ReportItem(title, None, group=group, verdict=_said(number, review, material), extra=tables)
        )
        out += [
            ReportItem(_heading(k, review.work.name), k.result, group=group) for k in _shown(number, material)
        ]
    return out


def _shown(number: int, material: Material) -> list[Kept]:
    """The results whose figures stand in a section; a result once."""
    found: dict[tuple[str, int], Kept] = {}
    for kept in material.kept:
        if kept.role == "risks" and number == 6:
            found[(kept.name, kept.version)] = kept
        elif FIGURES.get(kept.role) == number and _tells_more(kept):
            found.setdefault((kept.name, kept.version), kept)
    return list(found.values())


def _tells_more(kept: Kept) -> bool:
    """Whether the result says more than its line in the tables: nothing found is said there."""
    if isinstance(kept.result, DataQuality):
        row = kept.result.summary().iloc[0]
        return bool(row["wrong"] or row["look"])
    return not isinstance(kept.result, TradeOff) or kept.result.trades_off is True


def _heading(kept: Kept, work: str) -> str:
    name = kept.name.removeprefix(f"{work}: ")
    return f"{name[:1].upper()}{name[1:]} (version {kept.version})"


def _said(number: int, review: WorkReview, material: Material) -> str:
    """The sentence above the tables of a section."""
    empty = not (review.section == number).any()
    if number == 5:
        if review.previous_on is None:
            return "This is the first review on record: there is nothing to compare with."
        for kept in material.of("checks"):
            assert isinstance(kept.result, PredictionCheck)
            return f"Compared with the review of {review.previous_on}. {kept.result.verdict}"
        return f"Compared with the review of {review.previous_on}, which predicted nothing."
    if empty:
        return NOTHING[number]
    if number == 6:
        return " ".join(k.result.verdict for k in material.of("conflicts"))
    if number == 3:
        return (
            "First whether the own data are stable and fit what was borrowed, then what they are capable of: "
            "where a subprocess is not stable, its capability describes what was, not what will be."
        )
    if number == 4:
        return "The probability that each objective is met at the end, beside the least one declared."
    if number == 1:
        work = review.work
        least = "no least probability is declared"
        if work.least_probability is not None:
            least = f"each shall be met with a probability of at least {percent(work.least_probability)}"
            least += f", declared on {work.declared_on}" if work.declared_on else ", when is not said"
        return f"{count(len(work.objectives), 'objective')}; {least}."
    if number == 2:
        return (
            f"The own observations ({where_text(review.work.where)}) as they were known on {review.on}, and "
            "what the integrity checks found in them."
        )
    return actions_in_words(material)


NOTHING = {
    1: "No objective is on record.",
    2: "There are no own data.",
    3: "No subprocess is selected, or none of them has own data.",
    4: "No objective could be predicted.",
    6: "No risk is on record, and no conflict was found.",
    7: "No action is on record for this work.",
}


def frame_of(review: WorkReview, section: int, table: str) -> pd.DataFrame:
    """One table of the page.

    Raises
    ------
    KeyError
        When the review has no such table.
    """
    return dict(review.section_tables(section))[table]

"""Agreement beyond chance of people who classify: Cohen, Fleiss and Gwet."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.measurement_systems.agreement_rows import (
    ALL,
    Found,
    Line,
    Options,
    few_items,
    graded,
    interval,
)
from perfanalytics.baselines.measurement_systems.ratings import Ratings
from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

Floats = NDArray[np.float64]


def weight_matrix(scores: Floats, weights: str) -> Floats:
    """Credit for each pair of categories: 1 when equal, 0 for the farthest, by distance or its square.

    Examples
    --------
    >>> weight_matrix(np.array([0.0, 1, 2]), "linear")[0].tolist()
    [1.0, 0.5, 0.0]
    """
    if weights == "none" or len(scores) < 2:
        return np.eye(len(scores))
    far = np.abs(scores[:, None] - scores) / (scores.max() - scores.min())
    return np.asarray(1 - (far if weights == "linear" else far**2))


def cohen_kappa(table: Floats, credit: Floats) -> tuple[float, float, float, float, float]:
    """Kappa, its standard error, that under chance alone, observed and expected agreement.

    Parameters
    ----------
    table : float array, shape (q, q)
        Counts: first rater down, second across.
    credit : float array, shape (q, q)

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20; (1968), Psychological Bulletin 70. Fleiss,
    Cohen and Everitt (1969), Psychological Bulletin 72, equations 9 and 13.
    """
    n = float(table.sum())
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float(np.sum(credit * p)), float(rows @ credit @ columns)
    if expected >= 1 - 1e-12:
        return math.nan, math.nan, math.nan, observed, expected
    kappa = (observed - expected) / (1 - expected)
    both = (credit @ columns)[:, None] + (credit.T @ rows)
    spread = float(np.sum(p * (credit - both * (1 - kappa)) ** 2)) - (kappa - expected * (1 - kappa)) ** 2
    null = float(np.sum(np.outer(rows, columns) * (credit - both) ** 2)) - expected**2
    scale = n * (1 - expected) ** 2
    return kappa, math.sqrt(max(0.0, spread) / scale), math.sqrt(max(0.0, null) / scale), observed, expected


def cross_table(first: Floats, second: Floats, q: int) -> Floats:
    """Counts of pairs of categories, items with both ratings only."""
    both = ~(np.isnan(first) | np.isnan(second))
    pairs = first[both].astype(int) * q + second[both].astype(int)
    return np.bincount(pairs, minlength=q * q).reshape(q, q).astype(np.float64)


def cohen(ratings: Ratings, options: Options) -> Found:
    """Cohen's kappa of each pair of raters; of more than two also the mean of all pairs (Light)."""
    q, k = len(ratings.categories), len(ratings.raters)
    credit = weight_matrix(ratings.scores, options.weights)
    name = "kappa" if options.weights == "none" else f"{options.weights} weighted kappa"
    lines, kappas, agreed = [], [], []
    for a, b in combinations(range(k), 2):
        table = cross_table(ratings.codes[:, a], ratings.codes[:, b], q)
        about = f"{ratings.raters[a]} and {ratings.raters[b]}"
        if table.sum() < 2:
            raise InputError(f"{about} have fewer than 2 items in common")
        kappa, se, null, observed, expected = cohen_kappa(table, credit)
        low, high = interval(kappa, se, math.inf, options.confidence)
        p = math.nan if math.isnan(kappa) else two_sided(kappa, null)
        lines.append(Line(name, about, kappa, se, low, high, p, "normal, Fleiss, Cohen and Everitt 1969"))
        lines.append(Line("observed agreement", about, observed))
        lines.append(Line("expected agreement", about, expected))
        kappas.append(kappa)
        agreed.append(observed)
    if k > 2:
        lines.insert(0, Line(name, ALL, float(np.mean(kappas)), how="mean of all pairs (Light 1971)"))
        lines.insert(1, Line("observed agreement", ALL, float(np.mean(agreed)), how="mean of all pairs"))
    head, said = lines[0], float(agreed[0] if k == 2 else np.mean(agreed))
    words = _words(head, said, len(ratings.items), k, options.confidence, weighted=options.weights != "none")
    return Found(
        lines=tuple(lines),
        headline=0,
        words=words,
        caveats=(*_one_category(kappas), *few_items(len(ratings.items))),
        references=(
            "Cohen (1960), Educational and Psychological Measurement 20",
            "Cohen (1968), Psychological Bulletin 70",
            "Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72",
        ),
        choices={"weights": options.weights, "interval": "normal, standard error when kappa is not 0"},
    )


def generalized(counts: Floats, *, kind: str) -> tuple[float, float, float, float]:
    """Fleiss' kappa or Gwet's AC1, its standard error, observed and expected agreement.

    Items may have different numbers of ratings; those with one rating only tell of the categories.

    Parameters
    ----------
    counts : float array, shape (n, q)
    kind : {"fleiss", "gwet"}

    References
    ----------
    Fleiss (1971), Psychological Bulletin 76. Gwet (2008), British J. Math. Stat. Psychology 61; (2021),
    Educational and Psychological Measurement 81 (standard error of Fleiss' kappa when it is not 0).
    """
    rated = counts.sum(axis=1)
    counts, rated = counts[rated > 0], rated[rated > 0]
    n, q = counts.shape
    several = rated >= 2
    usable = int(several.sum())
    share = counts / rated[:, None]
    used = share.mean(axis=0)
    pairs = np.maximum(rated * (rated - 1), 1)
    agreed = np.where(several, np.sum(counts * (counts - 1), axis=1) / pairs, 0.0)
    observed = float(agreed.sum()) / usable
    if kind == "fleiss":
        expected, by_item = float(used @ used), share @ used
    else:
        scale = 1 / max(1, q - 1)
        expected, by_item = scale * float(used @ (1 - used)), scale * (share @ (1 - used))
    if expected >= 1 - 1e-12 or q == 1:  # of one category nobody knows how often chance would agree
        return math.nan, math.nan, observed, expected
    kappa = (observed - expected) / (1 - expected)
    each = np.where(several, n / usable * (agreed - expected) / (1 - expected), 0.0)
    each = each - 2 * (1 - kappa) * (by_item - expected) / (1 - expected)
    return kappa, math.sqrt(float(np.sum((each - kappa) ** 2)) / (n * (n - 1))), observed, expected


def fleiss_null(counts: Floats) -> float:
    """Standard error of Fleiss' kappa under chance alone, every item rated equally often.

    References
    ----------
    Fleiss, Nee and Landis (1979), Psychological Bulletin 86, equation 12.
    """
    n, m = len(counts), float(counts[0].sum())
    p = counts.sum(axis=0) / (n * m)
    pq = p * (1 - p)
    top = pq.sum() ** 2 - np.sum(pq * (1 - 2 * p))
    return math.sqrt(2 / (n * m * (m - 1)) * top) / float(pq.sum())


def fleiss(ratings: Ratings, options: Options) -> Found:
    """Fleiss' kappa, over all and for each category against the rest."""
    return _many(ratings, options, "fleiss")


def gwet(ratings: Ratings, options: Options) -> Found:
    """Gwet's AC1: chance agreement that does not rise when one category is very common."""
    return _many(ratings, options, "gwet")


def _many(ratings: Ratings, options: Options, kind: str) -> Found:
    counts = ratings.counts()
    rated = counts.sum(axis=1)
    if (rated >= 2).sum() < 2:
        raise InputError("fewer than 2 items were rated by 2 or more raters")
    name = "kappa" if kind == "fleiss" else "AC1"
    how = "t, Gwet 2021" if kind == "fleiss" else "t, Gwet 2008"
    even = len(set(rated.tolist())) == 1
    df = float((rated > 0).sum() - 1)

    def line(about: str, table: Floats) -> tuple[Line, float, float]:
        value, se, observed, expected = generalized(table, kind=kind)
        low, high = interval(value, se, df, options.confidence)
        p = math.nan
        if kind == "fleiss" and even and not math.isnan(value):
            p = two_sided(value, fleiss_null(table))
        return Line(name, about, value, se, low, high, p, how), observed, expected

    head, observed, expected = line(ALL, counts)
    lines = [head, Line("observed agreement", ALL, observed), Line("expected agreement", ALL, expected)]
    if kind == "fleiss" and len(ratings.categories) > 2:
        for j, category in enumerate(ratings.categories):
            apart = np.stack([counts[:, j], rated - counts[:, j]], axis=1)
            lines.append(line(f"category {category}", apart)[0])
    caveats = [*_one_category([head.estimate]), *few_items(len(ratings.items))]
    if kind == "fleiss" and observed > 0.8 and head.estimate < 0.4:
        text = (
            f"Raters agree on {percent(observed)} of pairs but kappa is only {number(head.estimate)}: one "
            "category is so common that chance alone would agree as well. Kappa says little about the rare "
            "categories here; Gwet's AC1 and the agreement for each category say more."
        )
        caveats.append(Caveat("prevalence", text, {"observed": observed, "kappa": head.estimate}))
    if not even:
        low, high = int(rated.min()), int(rated.max())
        text = f"Items have between {low} and {high} ratings: all are used; there is no test against chance."
        caveats.append(Caveat("unequal-ratings", text, {"fewest": low, "most": high}))
    references = ["Gwet (2008), British Journal of Mathematical and Statistical Psychology 61"]
    if kind == "fleiss":
        references = [
            "Fleiss (1971), Psychological Bulletin 76",
            "Fleiss, Nee and Landis (1979), Psychological Bulletin 86 (test against chance)",
            "Gwet (2021), Educational and Psychological Measurement 81 (standard error)",
        ]
    return Found(
        lines=tuple(lines),
        headline=0,
        words=_words(
            head, observed, len(ratings.items), len(ratings.raters), options.confidence, weighted=False
        ),
        caveats=tuple(caveats),
        references=tuple(references),
        choices={"interval": f"{how}: standard error when it is not 0, items sampled"},
    )


def two_sided(value: float, null: float) -> float:
    """p-value of a normal test against 0."""
    return float(2 * special.ndtr(-abs(value / null))) if null > 0 else math.nan


def _one_category(kappas: list[float]) -> list[Caveat]:
    if not any(math.isnan(v) for v in kappas):
        return []
    text = "All ratings are in one category: agreement beyond chance is not defined."
    return [Caveat("one-category", text, {})]


def _words(head: Line, observed: float, items: int, raters: int, confidence: float, *, weighted: bool) -> str:
    who, mean = ("the two raters", "") if raters == 2 else ("any two raters", " on average")
    who = f"with partial credit, {who}" if weighted else who
    said = f"{who} agree on {percent(observed)} of {items} items{mean}"
    if math.isnan(head.estimate):
        return f"{said}, all in one category: whether they can tell categories apart cannot be said."
    ends = ""
    if not math.isnan(head.low):
        ends = f" ({percent(confidence)} interval {head.low:.2f} to {head.high:.2f})"
    grade = graded(head.low, head.estimate, head.high)
    return f"{said}; {head.quantity} is {head.estimate:.2f}{ends}: {grade}."

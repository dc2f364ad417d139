"""A linear regression from the cross products of millions of rows."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from scipy import special
from scipy.linalg import solve_triangular

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.cross_products import CrossProducts
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.models.factors import Factor
from perfanalytics.models.formula import columns_of, design, parse
from perfanalytics.models.result import Model
from perfanalytics.models.tabulating import joint_test, role_list
from perfanalytics.models.wording import listed


def fit_products(
    products: CrossProducts,
    *,
    measure: Measure | None = None,
    objective: Objective | None = None,
    controllable: Sequence[str | Factor] = (),
    confidence: float = 0.95,
) -> Model:
    """Fit a linear regression to cross products made in the repository.

    Parameters
    ----------
    products : CrossProducts
        Of :meth:`perfanalytics.Repository.cross_products`.
    measure : Measure, optional
        Of the response.
    objective : Objective, optional
    controllable : sequence of str or Factor
    confidence : float
        Of the intervals of the coefficients.

    Returns
    -------
    Model
        A gaussian model that predicts like one of :func:`perfanalytics.fit`; it keeps no rows, so it has no
        cross-validation and no checks of residuals, and its smearing factor is that of the lognormal law.

    Raises
    ------
    InputError
        When terms are combinations of others.
    UnknownNameError
        When a controllable factor is no column of the terms.
    """
    import pandas as pd

    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    k, n = len(products.names), products.n
    r, target = products.root[:k, :k], products.root[:k, k]
    size = np.sqrt(np.sum(products.root[:, :k] ** 2, axis=0))
    if k and np.abs(np.diag(r) / size).min() < 1e-14:
        bad = products.names[int(np.argmin(np.abs(np.diag(r) / size)))]
        raise InputError(f"the data cannot tell this term from a combination of the others: {bad}")
    slopes = solve_triangular(r, target)
    inverse = solve_triangular(r, np.eye(k))
    scatter = inverse @ inverse.T
    center = products.means[:k]
    p = k + 1
    # with an intercept: the inverse of the whole X'X from the centered one
    unscaled = np.empty((p, p))
    unscaled[1:, 1:] = scatter
    unscaled[0, 1:] = unscaled[1:, 0] = -scatter @ center
    unscaled[0, 0] = 1 / n + float(center @ scatter @ center)
    rss = float(products.root[k, k] ** 2)
    total = float(np.sum(products.root[:, k] ** 2))
    df = float(n - p)
    sigma = math.sqrt(rss / df)
    coefficients = np.concatenate([[products.means[k] - float(center @ slopes)], slopes])
    terms = ["Intercept", *products.names]
    factors = np.array(["Intercept", *products.term_of], dtype=object)
    formula = f"{products.response} ~ {' + '.join(dict.fromkeys(products.term_of))}"
    if products.logged:
        formula = f"log({products.response}){formula[len(products.response) :]}"
    used = columns_of(formula.split("~")[1])
    declared = {f.name: f for f in (c if isinstance(c, Factor) else Factor(c) for c in controllable)}
    for name in declared:
        if name not in used:
            raise UnknownNameError("controllable factor (columns of the terms):", name, used)
    roles = role_list(used, declared)
    # the model matrix of new rows has its columns in the order of patsy: factors first
    one = {name: [products.levels[name][0]] for name in products.levels}
    one |= {name: [ends[1]] for name, ends in products.ranges.items()}
    made = design(pd.DataFrame(one), parse(formula), products.levels, products.ranges).names
    order = np.array([terms.index(name) for name in made])
    coefficients, unscaled = coefficients[order], unscaled[np.ix_(order, order)]
    factors = factors[order]
    measure = measure or Measure(products.response, definition="", unit="", better="unknown", scale=None)
    r2 = 1 - rss / total
    f = (total - rss) / k / (rss / df) if rss > 0 else math.nan
    covariance = sigma**2 * unscaled
    tested = sorted(
        (joint_test(coefficients, covariance, factors == t, df)[2], t)
        for t in dict.fromkeys(products.term_of)
    )
    drivers = [t for p_value, t in tested if p_value < 0.05]
    half = float(special.stdtrit(df, (1 + confidence) / 2)) * sigma
    item = (
        f"within a factor of {number(math.exp(min(half, 700.0)))}"
        if products.logged
        else f"within {number(half, measure.unit)}"
    )
    text = (
        f"{products.response}, {count(n, 'item')}: the factors explain {percent(r2)} of its variation"
        f"{' on the log scale' if products.logged else ''}; "
        + (f"it depends on {listed(drivers)}" if drivers else "none of them shows an effect")
        + f". A new item is predicted {item} either way ({percent(confidence)})."
    )
    caveats = [
        Caveat(
            "residuals-not-seen",
            "Computed from sums: residuals, their checks and errors out of sample are not known. Fit a "
            "sample of the rows with perf.fit to see them.",
            {"n": n},
        )
    ]
    if not declared:
        text += " None of its factors is controllable, so it is no process performance model."
        caveats.append(
            Caveat(
                "no-controllable-factor",
                "No factor is named as controllable: the model predicts, but without something to control it "
                "is not a process performance model.",
                {"factors": ", ".join(used)},
            )
        )
    digest = hashlib.blake2b(digest_size=16)
    for part in (products.means, products.root):
        digest.update(np.ascontiguousarray(part).tobytes())
    empty = read_only(np.zeros(0))
    coded = np.array([name != term for name, term in zip(products.names, products.term_of, strict=True)])
    spread = np.where(coded, 1.0, size / math.sqrt(n - 1))
    return Model(
        verdict=text,
        caveats=tuple(caveats),
        method=Method(
            "fit_products",
            {
                "formula": formula,
                "family": "gaussian",
                "scale": "log" if products.logged else "raw",
                "computation": products.computed_by,
                "condition": products.condition,
                "selection": dict(products.selection),
                "back_transform": "median exp(x b); mean exp(sigma^2 / 2)" if products.logged else "none",
                "extrapolation": "ranges and levels; combinations are not judged",
            },
            ("Chan, Golub and LeVeque (1983), American Statistician 37 (two-pass sums)",),
        ),
        provenance=Provenance(measure.name, data_hash=digest.hexdigest(), n=n),
        family="gaussian",
        link="identity",
        formula=formula,
        response=products.response,
        logged=products.logged,
        measure=measure,
        objective=objective,
        controllable=tuple(role.name for role in roles if role.controllable),
        roles=roles,
        columns={},
        levels=dict(products.levels),
        ranges=dict(products.ranges),
        kept={},
        terms=read_only(np.array(made, dtype=object)),
        factors=read_only(factors),
        coefficients=read_only(coefficients),
        unscaled=read_only(unscaled),
        covariance=read_only(covariance),
        errors="classical",
        steps=read_only(np.concatenate([[1.0], spread])[order]),
        sigma=sigma,
        df=df,
        df_test=df,
        smearing=math.exp(sigma**2 / 2) if products.logged else 1.0,
        parameters={},
        group_levels=(),
        arrays={},
        n=n,
        n_dropped=products.n_dropped,
        r2=r2,
        r2_adjusted=1 - (1 - r2) * (n - 1) / df,
        r2_cv=math.nan,
        f_statistic=f,
        f_df=float(k),
        f_p_value=float(special.fdtrc(k, df, f)) if not math.isnan(f) else math.nan,
        error_cv=math.nan,
        relative_error_cv=math.nan,
        folds=0,
        seed=0,
        largest_leverage=math.inf,
        breusch_pagan_p=math.nan,
        residual_lag1=math.nan,
        largest_vif=math.nan,
        largest_cook=math.nan,
        condition=math.sqrt(products.condition),
        checked=(),
        observed=empty,
        fitted=empty,
        leverage=empty,
        residuals=empty,
        confidence=confidence,
    )

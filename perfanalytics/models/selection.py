"""Selection of terms that prices itself: nested cross-validation, and what the same search finds in noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.models.factors import Factor
from perfanalytics.models.formula import parse
from perfanalytics.models.preparing import Asked, Prepared, prepare, provenance_of
from perfanalytics.models.searching import noise_of, path_of, search, sums_of
from perfanalytics.models.wording import listed

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

METHODS = ("best_subset", "stepwise", "lasso")
#: More terms than this have too many subsets to try them all, again and again.
MOST_TERMS = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ModelSelection(Result):
    """Which terms a search chose, and what it is worth.

    Attributes
    ----------
    formula : str
        With the chosen terms: to be given to :func:`perfanalytics.fit`.
    response, asked : str
        The response, and the formula with all candidates.
    search : str
        "best_subset", "stepwise" or "lasso".
    logged : bool
        Whether the logarithm of the response was used.
    terms : text array, shape (k,)
    chosen : bool array, shape (k,)
    chosen_in_folds : float array, shape (k,)
        Share of the outer folds in which the search chose the term: below one half it is luck.
    n : int
    r2 : float
        In the sample, after the search: too good by construction.
    r2_all : float
        In the sample, with all terms.
    r2_cv : float
        Out of sample: each fold is predicted by a search that did not see it. Mean over the repeats.
    r2_cv_low, r2_cv_high : float
        Smallest and largest of the repeats.
    r2_all_cv : float
        Out of sample with all terms, without a search.
    error_cv : float
        Root mean squared error out of sample, on the scale of the fit.
    noise_r2 : float array, shape (permutations,)
        In-sample R2 of the same search with the response shuffled.
    noise_share : float
        Share of shuffled responses for which the search found an R2 at least as good, the data counted too:
        with 19 permutations never below 1/20.
    noise_finds : float
        Share of shuffled responses in which it chose any term at all.
    path_terms : text array, shape (k + 1,)
        Terms the search would choose were it told how many: none, one ... all.
    path_r2, path_r2_cv, path_r2_error : float arrays, shape (k + 1,)
        Of these: R2 in the sample, out of sample (the terms chosen anew in each fold; mean over the repeats),
        and the standard error of the latter over folds. Empty in results of earlier versions.
    """

    kind: ClassVar[str] = "model_selection"
    schema_version: ClassVar[int] = 2

    formula: str
    response: str
    asked: str
    search: str
    logged: bool
    measure: Measure
    terms: NDArray[Any]
    chosen: NDArray[np.bool_]
    chosen_in_folds: Floats
    n: int
    r2: float
    r2_all: float
    r2_cv: float
    r2_cv_low: float
    r2_cv_high: float
    r2_all_cv: float
    error_cv: float
    noise_r2: Floats
    noise_share: float
    noise_finds: float
    path_terms: NDArray[Any]
    path_r2: Floats
    path_r2_cv: Floats
    path_r2_error: Floats

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 did not know the path."""
        none = {name: read_only(np.zeros(0)) for name in ("path_r2", "path_r2_cv", "path_r2_error")}
        return (
            fields | {"path_terms": read_only(np.zeros(0, dtype=object))} | none if version == 1 else fields
        )

    def path_frame(self) -> pd.DataFrame:
        """One row per number of terms: n_terms, terms, r2, r2_cv, r2_cv_error (standard error over folds)."""
        import pandas as pd

        return pd.DataFrame(
            {
                "n_terms": np.arange(len(self.path_terms)),
                "terms": self.path_terms,
                "r2": self.path_r2,
                "r2_cv": self.path_r2_cv,
                "r2_cv_error": self.path_r2_error,
            }
        )

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The summary, the candidates, what each number of terms is worth."""
        return ("Summary", self.summary()), ("Candidates", self.to_frame()), ("Path", self.path_frame())

    def to_frame(self) -> pd.DataFrame:
        """One row per candidate: term, chosen, chosen_in_folds."""
        import pandas as pd

        return pd.DataFrame(
            {"term": self.terms, "chosen": self.chosen, "chosen_in_folds": self.chosen_in_folds}
        )

    def summary(self) -> pd.DataFrame:
        """One row: the R2 of the sample beside that out of sample, and the benchmark of noise."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "response": self.response,
                    "formula": self.formula,
                    "search": self.search,
                    "scale": "log" if self.logged else "raw",
                    "n": self.n,
                    "candidates": len(self.terms),
                    "chosen": int(self.chosen.sum()),
                    "r2": self.r2,
                    "r2_cv": self.r2_cv,
                    "r2_cv_low": self.r2_cv_low,
                    "r2_cv_high": self.r2_cv_high,
                    "r2_all": self.r2_all,
                    "r2_all_cv": self.r2_all_cv,
                    "error_cv": self.error_cv,
                    "noise_r2_p95": float(np.quantile(self.noise_r2, 0.95)),
                    "noise_share": self.noise_share,
                    "noise_finds": self.noise_finds,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )


def select_model(
    formula: str,
    frame: pd.DataFrame,
    *,
    method: str = "best_subset",
    measure: Measure | None = None,
    folds: int = 10,
    repeats: int = 5,
    permutations: int = 199,
    seed: int = 1,
) -> ModelSelection:
    """Choose terms of a linear regression, and say what the choice is worth.

    Parameters
    ----------
    formula : str
        With all candidates. Factors come and go whole; ``a:b`` is a candidate of its own.
    frame : DataFrame
    method : {"best_subset", "stepwise", "lasso"}
        All subsets (at most 10 terms), stepwise in both directions, or lasso; each by its AICc.
    measure : Measure, optional
        Of the response; a duration or positive measure is taken as its logarithm.
    folds, repeats : int
        Outer folds, and how often they are drawn anew. The whole search is made again in each of them.
    permutations : int
        How often the response is shuffled and the search made again, at least 19.
    seed : int

    Returns
    -------
    ModelSelection

    Raises
    ------
    InputError, UnknownNameError
        As :func:`perfanalytics.fit`; for more than 10 terms with best_subset, fewer than 2 folds, or no
        intercept.

    References
    ----------
    Freedman (1983), American Statistician 37, 152-155 (screening noise). Varma and Simon (2006), BMC
    Bioinformatics 7 (nested cross-validation). Hurvich and Tsai (1989), Biometrika 76.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(4)
    >>> data = pd.DataFrame(rng.normal(size=(60, 4)), columns=["a", "b", "c", "hours"])
    >>> found = select_model("hours ~ a + b + c", data.assign(hours=data["hours"] + 2 * data["b"]))
    >>> found.formula, found.noise_share
    ('hours ~ b', 0.005)
    """
    if method not in METHODS:
        raise UnknownNameError("search (method=)", str(method), METHODS)
    counts = (folds, repeats, permutations)
    if any(isinstance(v, bool) or not isinstance(v, int | np.integer) for v in counts):
        raise InputError(f"folds, repeats and permutations are whole numbers, got {counts}")
    if folds < 2 or repeats < 1 or permutations < 19:
        raise InputError("folds is at least 2, repeats at least 1, permutations at least 19")
    name = formula.split("~")[0].strip() if isinstance(formula, str) else ""
    parsed = parse(formula)
    asked = Asked(
        formula=formula,
        family="gaussian",
        roles=tuple(Factor(c, controllable=True) for c in parsed.columns),
        measure=measure or Measure(parsed.response, definition="", unit="", better="unknown", scale=None),
        objective=None,
        columns={},
        quantiles=(),
        errors="classical",
        confidence=0.95,
        folds=folds,
        seed=seed,
    )
    ready = prepare(frame, asked)
    if not ready.made.has_intercept:
        raise InputError("a selection keeps the intercept: take '- 1' out of the formula")
    own = [k for k, factor in enumerate(ready.made.factor_of) if factor != "Intercept"]
    x, y = ready.made.matrix[:, own], ready.y
    names = list(dict.fromkeys(ready.made.factor_of[k] for k in own))
    if not names:
        raise InputError("a selection needs candidates: name terms on the right side of the formula")
    if method == "best_subset" and len(names) > MOST_TERMS:
        raise InputError(
            f"{len(names)} terms have {2 ** len(names):,} subsets; best_subset takes at most {MOST_TERMS}: "
            "use method='stepwise' or 'lasso'"
        )
    term_of = np.array([names.index(ready.made.factor_of[k]) for k in own])
    whole = search(sums_of(x, y), term_of, method)
    every = sums_of(x, y)
    path = path_of(every, term_of, method)
    full = _full(x, y, x)
    rng = np.random.default_rng(seed)
    r2s, errors, all_r2s, often = [], [], [], np.zeros(len(names))
    along, spread = [], []
    for _ in range(repeats):
        told, plain, lost = np.empty(len(y)), np.empty(len(y)), np.empty((len(names) + 1, len(y)))
        fold = rng.permutation(len(y)) % min(folds, len(y))
        for k in range(int(fold.max()) + 1):
            out = fold == k
            others = sums_of(x[~out], y[~out])
            chosen = search(others, term_of, method)
            told[out] = chosen.predict(x[out])
            lost[:, out] = [(y[out] - c.predict(x[out])) ** 2 for c in path_of(others, term_of, method)]
            plain[out] = _full(x[~out], y[~out], x[out])
            often += chosen.terms / (int(fold.max()) + 1) / repeats
        errors.append(float(np.mean((y - told) ** 2)))
        r2s.append(1 - errors[-1] * len(y) / every.yy)
        along.append(1 - lost.sum(axis=1) / every.yy)
        each = np.array([lost[:, fold == k].mean(axis=1) for k in range(int(fold.max()) + 1)])
        spread.append(each.std(axis=0, ddof=1) / np.sqrt(len(each)) * len(y) / every.yy)
        all_r2s.append(1 - float(np.sum((y - plain) ** 2)) / every.yy)
    noise, any_found = noise_of(x, y, term_of, method, permutations, rng)
    reached, found = int(np.sum(noise >= whole.r2 - 1e-12)), int(any_found.sum())
    share = (1 + reached) / (permutations + 1)
    kept = [t for t, c in zip(names, whole.terms.tolist(), strict=True) if c]
    shuffles = Shuffles(permutations, reached, found)
    result_caveats = _doubts(whole.r2, float(np.mean(r2s)), shuffles, often, whole.terms, names)
    return ModelSelection(
        verdict=_verdict(ready, kept, len(names), whole.r2, float(np.mean(r2s)), shuffles),
        caveats=(*ready.caveats, *result_caveats),
        method=Method(
            "select_model",
            {
                "search": method,
                "criterion": "AICc",
                "cross_validation": f"{folds} folds, the search in each, {repeats} times, seed {seed}",
                "permutations": permutations,
                "scale": "log" if ready.logged else "raw",
            },
            (
                "Freedman (1983), American Statistician 37, 152-155",
                "Varma and Simon (2006), BMC Bioinformatics 7, 91",
                "Hurvich and Tsai (1989), Biometrika 76, 297-307",
            ),
        ),
        provenance=provenance_of(ready, asked),
        formula=f"{name} ~ {' + '.join(kept) if kept else '1'}",
        response=parsed.response,
        asked=formula,
        search=method,
        logged=ready.logged,
        measure=asked.measure,
        terms=read_only(np.array(names, dtype=object)),
        chosen=read_only(whole.terms),
        chosen_in_folds=read_only(often),
        n=len(y),
        r2=whole.r2,
        r2_all=1 - float(np.sum((y - full) ** 2)) / every.yy,
        r2_cv=float(np.mean(r2s)),
        r2_cv_low=min(r2s),
        r2_cv_high=max(r2s),
        r2_all_cv=float(np.mean(all_r2s)),
        error_cv=float(np.sqrt(np.mean(errors))),
        noise_r2=read_only(noise),
        noise_share=share,
        noise_finds=found / permutations,
        path_terms=read_only(
            np.array(
                [" + ".join(t for t, c in zip(names, p.terms.tolist(), strict=True) if c) for p in path],
                dtype=object,
            )
        ),
        path_r2=read_only(np.array([p.r2 for p in path])),
        path_r2_cv=read_only(np.mean(along, axis=0)),
        path_r2_error=read_only(np.mean(spread, axis=0)),
    )


def _full(x: Floats, y: Floats, new: Floats) -> Floats:
    """Predictions with all terms."""
    center = x.mean(axis=0)
    b = np.linalg.lstsq(x - center, y - y.mean(), rcond=1e-10)[0]
    return np.asarray(y.mean() + (new - center) @ b)


@dataclass(frozen=True, slots=True)
class Shuffles:
    """Of so many shuffled data sets ``reached`` gave the R2 of the data, ``found`` gave any term."""

    n: int
    reached: int
    found: int

    @property
    def noise(self) -> bool:
        """More than 1 in 20 gave it. One more than was seen is counted, the data themselves."""
        return (1 + self.reached) / (self.n + 1) > 0.05

    def words(self) -> str:
        """How many reached the R2: a count, because a share of few data sets has a floor."""
        return f"{self.reached or 'none'} of {self.n:,} shuffled data sets"


def _doubts(
    r2: float,
    r2_cv: float,
    shuffles: Shuffles,
    often: Floats,
    chosen: NDArray[np.bool_],
    names: list[str],
) -> list[Caveat]:
    out: list[Caveat] = []
    if not chosen.any():
        return out
    if shuffles.noise:
        text = (
            f"The same search finds an R2 of {percent(r2)} or more in {shuffles.words()}: what was chosen "
            "may be noise."
        )
        evidence = {"share": (1 + shuffles.reached) / (shuffles.n + 1), "r2": r2, "reached": shuffles.reached}
        out.append(Caveat("fits-noise", text, evidence))
    if r2_cv < r2 / 2:
        text = f"R2 falls from {percent(r2)} to {percent(max(r2_cv, 0.0))} out of sample: mostly the search."
        out.append(Caveat("optimistic-fit", text, {"r2": r2, "r2_cv": r2_cv}))
    unsure = [t for t, c, o in zip(names, chosen.tolist(), often.tolist(), strict=True) if c and o < 0.5]
    if unsure:
        text = f"{listed(unsure)}: chosen here, but in fewer than half of the folds."
        out.append(Caveat("unstable-choice", text, {"terms": ", ".join(unsure)}))
    return out


def _verdict(
    ready: Prepared, kept: list[str], candidates: int, r2: float, r2_cv: float, shuffles: Shuffles
) -> str:
    start = f"{ready.parsed.response}, {count(len(ready.y), 'item')}, {count(candidates, 'candidate')}: "
    if not kept:
        return f"{start}the search found no term worth keeping."
    text = (
        f"{start}the search kept {listed(kept)}. They explain {percent(r2)} of the variation in these data, "
        f"{percent(max(r2_cv, 0.0))} of items the search did not see."
    )
    told = shuffles.words()
    if shuffles.noise:
        return f"{text} {told[0].upper()}{told[1:]} reach as much: this may be noise."
    something = f"In noise it finds something in {percent(shuffles.found / shuffles.n)}"
    return f"{text} {something}; {told} reached as much."

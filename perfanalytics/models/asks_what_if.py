"""What a fitted model answers about its factors: scenarios, profile, drivers, best setting, report card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result
from perfanalytics.models.goals import Goal
from perfanalytics.models.optimize import optimize
from perfanalytics.models.optimum import Optimum
from perfanalytics.models.profile import Profile, profile
from perfanalytics.models.review import ModelReview, review
from perfanalytics.models.sensitivity import Sensitivity, sensitivity
from perfanalytics.models.what_if import what_if
from perfanalytics.models.what_if_result import WhatIf


class AsksWhatIf:
    """Questions to :class:`perfanalytics.Model`, the same for all families."""

    __slots__ = ()

    objective: Objective | None

    def what_if(
        self,
        scenarios: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]],
        *,
        today: Mapping[str, Any] | None = None,
        objective: Objective | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
        mean_of: int | None = None,
        confidence: float = 0.95,
        rows: int | None = None,
        seed: int = 1,
    ) -> WhatIf:
        """What the outcome would be if factors were set otherwise, beside today.

        Parameters
        ----------
        scenarios : mapping of name to settings, or sequence of settings
            Settings map columns to what they would be: a number or level; or a distribution:
            ``perf.Distribution``, a baseline, a fitted distribution, values, of a category a mapping of level
            to share. Factors that are not set vary as they did in the data, together.
        today : mapping, optional
            What differs already from the data, in all scenarios: the factor's newest baseline, the column of
            ``exposure=``.
        objective, at_most, at_least : optional
            As for :meth:`probability`; without any, and without an objective of the model, no probability.
        mean_of : int, optional
            Also the interval of the average of so many items (1 to 500).
        confidence : float
        rows : int, optional
            Rows of the factors that are evaluated, from 50 on; default all that the model keeps (at most
            5,000), each so often that there are at least 500.
        seed : int

        Returns
        -------
        WhatIf

        Raises
        ------
        InputError, UnknownNameError
            Without scenarios, for columns or levels that the model does not know.

        Notes
        -----
        Intervals of means, probabilities and differences come from 1,000 draws of the parameters, the same
        for all scenarios (common random numbers). Where only a sample of the rows of the model is evaluated,
        the error of the sample is in them too. A model says what goes with what: only a controllable
        factor can be expected to bring what the scenario says.
        """
        return what_if(
            self,
            scenarios,
            today=today,
            objective=objective,
            at_most=at_most,
            at_least=at_least,
            mean_of=mean_of,
            confidence=confidence,
            rows=rows,
            seed=seed,
        )

    def profile(
        self,
        *,
        factors: Sequence[str] | None = None,
        at: Mapping[str, Any] | None = None,
        objective: Objective | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
        points: int = 25,
        confidence: float = 0.95,
    ) -> Profile:
        """Prediction profiler: the outcome along each factor, the others held.

        Parameters
        ----------
        factors : sequence of str, optional
            Default all, in the order of the formula.
        at : mapping, optional
            Where the others are held; default medians and most frequent levels.
        objective, at_most, at_least : optional
            As for :meth:`probability`.
        points : int
            Along a number, over its feasible range.
        confidence : float

        Returns
        -------
        Profile

        Raises
        ------
        InputError, UnknownNameError
        """
        return profile(
            self,
            factors=factors,
            at=at,
            objective=objective,
            at_most=at_most,
            at_least=at_least,
            points=points,
            confidence=confidence,
        )

    def sensitivity(
        self,
        *,
        today: Mapping[str, Any] | None = None,
        n: int = 1024,
        confidence: float = 0.95,
        seed: int = 1,
    ) -> Sensitivity:
        """What drives the outcome: a tornado over P10 to P90 of each factor, and Sobol shares of variance.

        Parameters
        ----------
        today : mapping, optional
            As for :meth:`what_if`: newer distributions of factors.
        n : int
            Sobol points, a power of 2 from 64 on.
        confidence : float
        seed : int

        Returns
        -------
        Sensitivity

        Raises
        ------
        InputError, UnknownNameError

        References
        ----------
        Saltelli, Annoni, Azzini, Campolongo, Ratto and Tarantola (2010), Computer Physics Communications
        181, 259-270.
        """
        return sensitivity(self, today=today, n=n, confidence=confidence, seed=seed)

    def optimize(
        self,
        goals: Sequence[Goal] | Goal | None = None,
        *,
        within: Mapping[str, Any] | None = None,
        today: Mapping[str, Any] | None = None,
        confidence: float = 0.95,
        rows: int = 200,
        seed: int = 1,
    ) -> Optimum:
        """The best setting of the controllable factors, and how sure it is.

        Parameters
        ----------
        goals : Goal or sequence of Goal, optional
            May be about several models (their controllable factors of the same name are one). Default: the
            probability of the objective of the model, without one its mean in the better direction.
        within : mapping of factor to (low, high), value or levels, optional
            Narrower than the feasible ranges of the factors.
        today : mapping, optional
            As for :meth:`what_if`.
        confidence : float
        rows, seed : int

        Returns
        -------
        Optimum

        Raises
        ------
        InputError, UnknownNameError
            Without a controllable factor or a direction.

        References
        ----------
        Derringer and Suich (1980), Journal of Quality Technology 12, 214-219.
        """
        if goals is None:
            single = self.objective is not None and self.objective.statistic == "item"
            goals = (Goal(self, of="probability" if single else "mean"),)
        chosen = (goals,) if isinstance(goals, Goal) else tuple(goals)
        return optimize(chosen, within=within, today=today, confidence=confidence, rows=rows, seed=seed)

    def review(
        self,
        *,
        stability: Sequence[Result] | Result = (),
        backtest: Result | None = None,
        calibration: Result | None = None,
        errors: Result | None = None,
        outcome: str | None = None,
    ) -> ModelReview:
        """Report card: is it a process performance model in CMMI's sense? Criterion by criterion.

        Parameters
        ----------
        stability : Baseline, ControlChart, or a sequence of them
            Of the outcome and the factors, over the period the model was made from.
        backtest : Backtest, optional
            Of :func:`perfanalytics.backtest`.
        calibration : Calibration, optional
            Of :func:`perfanalytics.calibrate`, to the work that uses the model.
        errors : PredictionErrors, optional
            Of :func:`perfanalytics.prediction_errors`.
        outcome : {"final", "interim"}, optional
            What is predicted.

        Returns
        -------
        ModelReview
            A row for each criterion: "yes", "no" or "unknown" (nobody gave the evidence), never guessed.

        Raises
        ------
        InputError
            For a result of another kind.

        References
        ----------
        CMMI Product Team (2010), CMMI for Services, Version 1.3, OPP SP 1.5 and glossary.
        """
        return review(
            self,
            stability=stability,
            backtest=backtest,
            calibration=calibration,
            errors=errors,
            outcome=outcome,
        )

"""The portfolio against brute force, and what is said of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.figures import portfolio as figure
from tests.practices.opm_samples import HOURS, back


def proposal(name, cost, benefit=None):
    return perf.Proposal(name, originator="A", outcome="o", cost=cost, expected_benefit=benefit)


def brute_force(cost, worth, budget, must=(), excludes=(), requires=()):
    """The largest value over every subset that keeps the rules; None where none does."""
    best = None
    n = len(cost)
    for chosen in itertools.product((0, 1), repeat=n):
        if np.dot(chosen, cost) > budget or any(not chosen[k] for k in must):
            continue
        if any(chosen[a] and chosen[b] for a, b in excludes):
            continue
        if any(chosen[a] and not chosen[b] for a, b in requires):
            continue
        value = float(np.dot(chosen, worth))
        best = value if best is None else max(best, value)
    return best


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_choice_is_that_of_brute_force(data):
    n = data.draw(st.integers(1, 6))
    cost = data.draw(st.lists(st.integers(0, 50), min_size=n, max_size=n))
    worth = data.draw(st.lists(st.integers(-20, 60), min_size=n, max_size=n))
    budget = data.draw(st.integers(0, 150))
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] != p[1])
    pairs = st.lists(pair, max_size=2) if n > 1 else st.just([])
    excludes, requires = data.draw(pairs), data.draw(pairs)
    must = data.draw(st.lists(st.integers(0, n - 1), max_size=1))
    wanted = brute_force(cost, worth, budget, must, excludes, requires)
    given = {
        "budget": budget,
        "values": {f"p{k}": float(w) for k, w in enumerate(worth)},
        "must": [f"p{k}" for k in must],
        "excludes": [(f"p{a}", f"p{b}") for a, b in excludes],
        "requires": [(f"p{a}", f"p{b}") for a, b in requires],
        "draws": 2,
    }
    ideas = [proposal(f"p{k}", c) for k, c in enumerate(cost)]
    if wanted is None:
        with pytest.raises(perf.InputError):
            perf.portfolio(ideas, **given)
        return
    made = perf.portfolio(ideas, **given)
    assert made.value_mean == pytest.approx(wanted, abs=1e-6)
    assert made.spent <= budget
    assert made.best[np.searchsorted(made.budgets, budget)] == pytest.approx(wanted, abs=1e-6)


def test_draws_are_chosen_for_alike_by_the_program_and_by_looking_at_every_choice(monkeypatch):
    from perfanalytics.practices.opm import portfolio_program as module

    ideas = [proposal(n, c) for n, c in zip("abcd", (10, 20, 30, 25), strict=True)]
    values = {"a": (-5, 5, 20), "b": (0, 12, 30), "c": (-20, 25, 60), "d": (5, 15, 22)}
    rules = {"budget": 55, "values": values, "requires": [("c", "a")], "excludes": [("b", "d")], "draws": 40}
    looked = perf.portfolio(ideas, **rules)
    monkeypatch.setattr(module, "ENUMERATED", 0)
    assert perf.portfolio(ideas, **rules) == looked


def test_uncertain_values_say_how_often_each_is_chosen():
    ideas = [proposal("sure", 50), proposal("bold", 50)]
    values = {"sure": 30.0, "bold": (-60, 40, 120)}
    made = perf.portfolio(ideas, budget=50, values=values, draws=2000)
    # PERT(-60, 40, 120): how often it is above 30, from its beta law
    from scipy import stats

    a, b = 1 + 4 * 100 / 180, 1 + 4 * 80 / 180
    above = 1 - stats.beta.cdf(90 / 180, a, b)
    at = made.proposal.tolist().index("bold")
    assert made.share_chosen[at] == pytest.approx(above, abs=2e-3)
    assert made.chosen.tolist() == [False, True]  # mean (-60 + 160 + 120) / 6 = 36.7 is more than 30
    assert made.npv_mean[at] == pytest.approx(36.667, abs=0.05)
    # what would be gained by knowing: mean of max(30, x) - mean of x
    x = -60 + 180 * stats.beta.ppf((np.arange(100_000) + 0.5) / 100_000, a, b)
    assert made.regret == pytest.approx(float(np.maximum(x, 30).mean() - x.mean()), abs=0.1)
    assert {"choice-uncertain", "near-miss"} <= set(made.caveat_codes)
    assert back(made) == made


def test_stated_benefits_are_discounted_and_said():
    made = perf.portfolio([proposal("x", 100, 60)], budget=100, periods=2, rate=0.1, draws=4)
    assert made.value_mean == pytest.approx(60 / 1.1 + 60 / 1.21 - 100)
    assert "value-only-stated" in made.caveat_codes
    assert made.basis.tolist() == ["stated"]


def test_predicted_benefits_bring_their_distribution():
    benefit = perf.predict_benefit(
        (0.0, 1.0, 2.0), volume=100, worth=1, measure=HOURS, investment={"tool": 50}, periods=1, draws=5000
    )
    made = perf.portfolio([proposal("x", 50)], budget=60, values={"x": benefit}, draws=500)
    assert made.npv_mean[0] == benefit.money.npv_mean
    assert made.npv_low[0] == pytest.approx(benefit.money.npv_low, abs=2)
    assert made.basis.tolist() == ["assumed"]


def test_a_rule_may_cost_and_nothing_may_be_worth_it():
    made = perf.portfolio([proposal("law", 10)], budget=10, values={"law": -5.0}, must=["law"], draws=2)
    assert "chosen-at-a-loss" in made.caveat_codes
    assert made.rule.tolist() == ["must"]
    none = perf.portfolio([proposal("x", 10)], budget=10, values={"x": -5.0}, draws=2)
    assert not none.chosen.any()
    assert none.verdict.startswith("No choice within the budget of 10 EUR")


def test_a_budget_below_every_cost_says_nothing_about_what_proposals_are_worth():
    made = perf.portfolio([proposal("x", 10, 5), proposal("y", 20, 9)], budget=9, draws=2)
    assert not made.chosen.any()
    assert made.verdict == (
        "The budget of 9 EUR is less than the cheapest proposal costs (10 EUR): none can be chosen."
    )


def test_values_that_are_only_stated_have_neither_interval_nor_draws_in_the_verdict():
    made = perf.portfolio([proposal("x", 10, 5), proposal("y", 20, 9)], budget=30, draws=2)
    assert made.verdict.endswith("net present value is 12 EUR, if each brings exactly what was said.")


def test_misuse_is_refused():
    ideas = [proposal("x", 10, 5), proposal("y", 20, 9)]
    with pytest.raises(perf.InputError, match="one proposal or more"):
        perf.portfolio([], budget=1)
    with pytest.raises(perf.InputError, match="what 'x' costs"):
        perf.portfolio([proposal("x", None, 5)], budget=1)
    with pytest.raises(perf.InputError, match="what 'x' is worth"):
        perf.portfolio([proposal("x", 5)], budget=1)
    with pytest.raises(perf.UnknownNameError, match="proposal"):
        perf.portfolio(ideas, budget=1, must=["z"])
    with pytest.raises(perf.InputError, match="costs 20, more than the budget"):
        perf.portfolio(ideas, budget=15, must=["y"])
    with pytest.raises(perf.InputError, match="'x' and 'y' exclude each other, and both must be chosen"):
        perf.portfolio(ideas, budget=40, must=["x", "y"], excludes=[("x", "y")])
    with pytest.raises(perf.InputError, match=r"\(x, y\) costs 30, more than the budget of 25"):
        perf.portfolio(ideas, budget=25, must=["x"], requires=[("x", "y")])
    with pytest.raises(perf.InputError, match="against itself"):
        perf.portfolio(ideas, budget=40, requires=[("x", "x")])
    with pytest.raises(perf.InputError, match="has no costs"):
        perf.portfolio(
            ideas, budget=40, values={"x": perf.predict_benefit(1.0, volume=1, worth=1, draws=100)}
        )


def test_the_figure_shows_the_chosen_first():
    ideas = [proposal("low", 10, 4), proposal("high", 10, 9)]
    told = figure.info(perf.portfolio(ideas, budget=10, draws=2))
    assert told.chosen.tolist() == [True, False]
    assert "high" in told.label[0]
    assert perf.plot(perf.portfolio(ideas, budget=10, draws=2)).data

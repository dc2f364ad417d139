"""Defect containment: by hand, beta-binomial by simulation, predictions, bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.reliability.beta_binomial import removal_of

PHASES = ["design", "code", "test", "operation"]
MATRIX = [[40, 20, 5, 2], [0, 60, 10, 4], [0, 0, 30, 6], [0, 0, 0, 2]]


def releases(r: int, seed: int, *, spread: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Releases with efficiencies 0.5, 0.6, 0.7, that vary by a beta law where ``spread`` is above 0."""
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(5, 20, r)
    cube = np.zeros((r, 4, 4), dtype=int)
    for k in range(r):
        came = rng.poisson(sizes[k] * np.array([4.0, 6.0, 1.0, 0.2]))
        found_now = [0.5, 0.6, 0.7, 1.0]
        if spread:
            found_now = [*[rng.beta(p / spread, (1 - p) / spread) for p in found_now[:3]], 1.0]
        left = np.zeros(4, dtype=int)
        for j in range(4):
            left[j] = came[j]
            for i in range(j + 1):
                cube[k, i, j] = rng.binomial(left[i], found_now[j])
                left[i] -= cube[k, i, j]
    return cube, sizes


def test_by_hand() -> None:
    c = perf.containment(MATRIX, phases=PHASES)
    assert c.injected.tolist() == [67, 74, 36, 2]
    assert c.found.tolist() == [40, 80, 45, 14]
    assert c.present.tolist() == [67, 101, 57, 14]
    assert c.efficiency.tolist() == pytest.approx([40 / 67, 80 / 101, 45 / 57, 1.0])
    assert c.contained.tolist() == pytest.approx([40 / 67, 60 / 74, 30 / 36, 1.0])
    assert c.removal == pytest.approx(165 / 179)
    assert c.escaped.tolist() == [27, 21, 12, 0]
    # R binom.test(40, 67)$conf.int
    assert [c.efficiency_low[0], c.efficiency_high[0]] == pytest.approx(
        [0.4700413458, 0.7151261044], abs=1e-9
    )
    assert "design" in c.verdict
    assert c.caveat_codes == ("upper-bounds",)
    assert perf.Containment.from_record(json.loads(json.dumps(c.to_record(), allow_nan=False))) == c


@settings(max_examples=60, deadline=None)
@given(cells=st.lists(st.integers(0, 50), min_size=10, max_size=10))
def test_defects_are_conserved(cells) -> None:
    matrix = np.zeros((4, 4), dtype=int)
    matrix[np.triu_indices(4)] = cells
    if not matrix.sum():
        return
    c = perf.containment(matrix, phases=PHASES)
    assert c.injected.sum() == c.found.sum() == c.total
    assert (c.present[1:] == c.escaped[:-1] + c.injected[1:]).all()
    assert c.escaped[-1] == 0
    known = ~np.isnan(c.efficiency)
    assert (c.efficiency_low[known] <= c.efficiency[known]).all()
    assert (c.efficiency[known] <= c.efficiency_high[known]).all()


def test_releases_that_differ_widen_the_interval() -> None:
    alike = perf.containment(releases(12, 1)[0], phases=PHASES)
    varied = perf.containment(releases(12, 1, spread=0.3)[0], phases=PHASES)
    assert "releases-differ" not in alike.caveat_codes
    assert "releases-differ" in varied.caveat_codes
    widths = [float(c.efficiency_high[0] - c.efficiency_low[0]) for c in (alike, varied)]
    assert widths[1] > 1.5 * widths[0]


def test_beta_binomial_finds_what_was_put_in() -> None:
    rng = np.random.default_rng(3)
    n = np.full(400, 60)
    law = removal_of(rng.binomial(n, rng.beta(6, 4, 400)), n)
    assert law.varies
    assert law.mean == pytest.approx(0.6, abs=0.03)
    assert law.alpha + law.beta == pytest.approx(10, rel=0.2)
    assert law.error == pytest.approx(np.sqrt(0.24 / 11 / 400 + 0.24 / 400 / 60 * 10 / 11), rel=0.2)
    flat = sum(removal_of(rng.binomial(40, 0.6, 10), np.full(10, 40)).varies for _ in range(100))
    assert flat / 100 < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 100)


@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_predictions_hold_their_confidence(spread) -> None:
    cube, sizes = releases(160, 5, spread=spread)
    held, n = 0, 0
    for k in range(0, 160, 8):
        past = perf.containment(cube[k : k + 7], phases=PHASES, sizes=sizes[k : k + 7])
        said = past.predict(size=float(sizes[k + 7]), draws=2000)
        came = cube[k + 7].sum(axis=0)
        held += int(((said["found_low"] <= came) & (came <= said["found_high"])).sum())
        n += 4
    # 90% of 80 numbers in 20 releases
    assert held / n > 0.80


def test_what_was_found_so_far_sharpens_the_prediction() -> None:
    cube, sizes = releases(10, 2)
    c = perf.containment(cube, phases=PHASES, sizes=sizes)
    plain = c.predict(size=12).set_index("phase")
    many = c.predict(size=12, found={"design": int(plain.loc["design", "found_high"]) + 3}).set_index("phase")
    assert many.loc["design", "injected"] > plain.loc["design", "injected"]
    known = c.predict(injected={"design": 50, "code": 70}).set_index("phase")
    assert known.loc["design", "injected"] == pytest.approx(50, abs=2)
    assert known.loc["test", "injected"] == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: perf.containment([[1, 2], [1, 3]], phases=["a", "b"]), "before"),
        (lambda: perf.containment([[1, 2, 3]], phases=["a", "b"]), "shape"),
        (lambda: perf.containment([[1.5, 2], [0, 3]], phases=["a", "b"]), "whole"),
        (lambda: perf.containment([[0, 0], [0, 0]], phases=["a", "b"]), "no defects"),
        (lambda: perf.containment([[1]], phases=["a"]), "two different"),
        (lambda: perf.containment(MATRIX, phases=PHASES, sizes=[1, 2]), "1 numbers"),
        (lambda: perf.containment(MATRIX, phases=PHASES).predict(size=3), "sizes="),
        (lambda: perf.containment(MATRIX, phases=PHASES).predict(), "one of the two"),
        (
            lambda: perf.containment(MATRIX, phases=PHASES).predict(
                injected={"design": 9}, found={"code": 3}
            ),
            "without a gap",
        ),
    ],
)
def test_misuse_is_told(call, says) -> None:
    with pytest.raises(InputError, match=says):
        call()


def test_unknown_phase() -> None:
    with pytest.raises(UnknownNameError, match="design"):
        perf.containment(MATRIX, phases=PHASES).predict(injected={"desing": 4})


def test_prediction_from_what_was_found() -> None:
    c = perf.containment(
        [[[40, 20, 5], [0, 60, 10], [0, 0, 2]], [[30, 25, 9], [0, 50, 20], [0, 0, 1]]],
        phases=["design", "code", "operation"],
        sizes=[10, 9],
    )
    row = c.predict(size=10, found={"design": 40}).iloc[0]
    assert (row["found"], row["found_low"], row["found_high"]) == (40, 40, 40)
    with pytest.raises(perf.InputError, match="4000 found in 'design'"):
        c.predict(size=10, found={"design": 4000})
    with pytest.raises(perf.InputError, match="whole numbers"):
        c.predict(size=10, found={"design": 40.7})

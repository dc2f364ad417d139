"""docs/real_data.md says what its code prints; its numbers against R (tests/reference/real_data.R)."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from print_page import BLOCK, PAGE

import perfanalytics as perf


def words(text: str) -> str:
    """Lines are folded on the page: only words count."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def page(real_data: Path) -> dict[str, object]:
    """Every block is run in order; each prints what the page says; the names they leave."""
    names: dict[str, object] = {"__name__": "docs", "folder": real_data}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) > 12
    # nothing is printed on the page that no code printed
    assert PAGE.read_text(encoding="utf-8").count("```text") == sum(bool(said) for _, said in blocks)
    for number, (code, said) in enumerate(blocks, 1):
        printed = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.simplefilter("error")
            exec(compile(code, f"{PAGE.name} block {number}", "exec"), names)
        assert words(printed.getvalue()) == words(said), f"block {number} differs: see print_page.py"
    return names


def test_the_page_prints_what_it_says(page) -> None:
    assert {"model", "actual", "grown", "lives"} <= set(page)


def test_effort_as_r_has_it(page) -> None:
    by_size = page["by_size"]
    assert by_size.coefficients.tolist() == pytest.approx([1.94337902906, 0.926370678233], rel=1e-10)
    assert by_size.r2 == pytest.approx(0.711435371316, rel=1e-10)
    fifty = by_size.predict({"kloc": [50]}, confidence=0.9).iloc[0]
    low, high = 67.4491140233, 1015.71839604
    assert fifty[["estimate", "item_low", "item_high"]].tolist() == pytest.approx(
        [261.74282399, low, high], rel=1e-8
    )
    model = page["model"]
    expected = [6.23255091972, 2.50782145166, 1.3866555499, 1.17106393877, 0.739738856651, 1.344903427]
    assert np.exp(model.coefficients).tolist() == pytest.approx(expected, rel=1e-9)
    assert model.sigma == pytest.approx(0.549498714735, rel=1e-9)
    # leave one out in R: 0.8505; 10-fold is a little more severe
    assert model.r2_cv == pytest.approx(0.8505, abs=0.02)


def test_what_the_page_says_of_the_effort_in_prose(page) -> None:
    nasa, effort = page["nasa"], page["effort"]
    by_size = perf.backtest(page["by_size"], nasa, time="year")
    drivers = perf.backtest(page["model"], nasa, time="year")
    found = [(round(b.error, 1), round(b.relative_error, 2)) for b in (by_size, drivers)]
    assert found == [(98.0, 0.26), (98.5, 0.29)]
    widths = [round(float(np.median(b.item_high / b.item_low))) for b in (by_size, drivers)]
    assert widths == [20, 7]
    others = nasa[nasa["center"] != "1"]
    general = perf.fit("act_effort ~ log(kloc)", others, measure=effort)
    worth = perf.prior_items(general, others, by="center")
    local = perf.calibrate(general, nasa[nasa["center"] == "1"], prior_n=worth)
    assert (round(local.local, 2), round(worth), round(local.weight, 2)) == (0.52, 26, 0.31)


def test_tasks_as_r_has_them(page) -> None:
    actual = page["actual"]
    assert actual.n == 10022
    assert actual.coefficients.tolist() == pytest.approx([0.0877343813972, 0.842422161142], rel=1e-8)
    assert actual.r2 == pytest.approx(0.675958602201, rel=1e-9)
    seven = actual.predict({"HoursEstimate": [7]}, confidence=0.9).iloc[0]
    expected = [5.62382599638, 1.49526510193, 21.1517133628]
    assert seven[["estimate", "item_low", "item_high"]].tolist() == pytest.approx(expected, rel=1e-7)


def test_clusters_as_r_has_them(page) -> None:
    # failed, Weibull shape and its interval, mean time to failure in days
    expected = {
        18: (964, 1.15721483346, 1.10028125418, 1.21709441625, 436.215888825),
        20: (400, 0.582140976416, 0.538199390121, 0.629670197801, 699.417825267),
        4: (108, 0.962430349957, 0.823235028075, 1.12516128071, 360.84442754),
        9: (126, 2.11925360008, 1.79715765691, 2.49907725357, 788.925179507),
    }
    for system, (failed, *numbers) in expected.items():
        life = page["lives"][system]
        assert life.n_failed == failed
        found = [life.shape, life.shape_low, life.shape_high, life.mttf]
        assert found == pytest.approx(numbers, rel=1e-5)
    # of node 22, the last one printed
    law = page["law"]
    found = [law.shape, law.shape_low, law.shape_high]
    assert found == pytest.approx([0.734641681863, 0.657713191019, 0.820568004565], rel=1e-5)
    # of system 23, the last one printed
    crow = page["crow"]
    found = [crow.shape, crow.shape_low, crow.shape_high]
    assert found == pytest.approx([1.02749420841, 0.944144395922, 1.1143192678], rel=1e-8)
    assert page["growth"].laplace == pytest.approx(-1.98485329808, rel=1e-8)


def test_the_recording_of_system_9_changed(page) -> None:
    lanl = page["lanl"]
    nine = lanl[lanl["System"] == 9]
    quarters = nine.groupby(nine["start"].dt.to_period("Q")).size()
    assert quarters.tolist()[:5] == [17, 5, 1, 8, 60]
    alive = page["lives"][20].to_frame().set_index("time")["survival"]
    assert alive[alive.index <= 150].iloc[-1] == pytest.approx(0.4, abs=0.02)
    assert alive.iloc[-1] == pytest.approx(0.22, abs=0.01)


@pytest.mark.slow
def test_how_far_ahead_growth_models_see(page) -> None:
    """The table of the page: the best model's 95% range against what came, by the length of the period."""
    held: dict[float, list[bool]] = {}
    for gaps in page["systems"].values():
        times = np.cumsum(gaps)
        for share in (0.5, 0.6, 0.7, 0.8, 0.9):
            k = int(share * len(times))
            now = float(times[k - 1])
            for far in (0.05, 0.1, 0.25, 0.5, 1, 2):
                until = now * (1 + far)
                if until > times[-1]:
                    continue
                growth = perf.reliability_growth(times[:k], next_period=far * now, out_of_sample=False)
                came = int(((times > now) & (times <= until)).sum())
                assert growth.best is not None
                held.setdefault(far, []).append(growth.best.ahead_low <= came <= growth.best.ahead_high)
    found = {far: (round(100 * float(np.mean(x))), len(x)) for far, x in held.items()}
    said = re.findall(r"^\| (1/20|1/10|1/4|1/2|1|2) \| (\d+)% \| (\d+) \|", PAGE.read_text("utf-8"), re.M)
    assert len(said) == 6
    assert {float(Fraction(far)): (int(share), int(n)) for far, share, n in said} == found


def test_failures_come_in_clusters(page) -> None:
    """Without any model: variance over mean of the failures in 30 days; 1 for independent failures."""
    lanl = page["lanl"]
    for system, least in ((2, 30), (9, 5), (18, 5), (20, 30), (23, 2)):
        when = lanl.loc[lanl["System"] == system, "start"]
        days = (when - when.min()) / pd.Timedelta(days=1)
        counts = np.bincount((days // 30).astype(int))
        assert counts.var(ddof=1) / counts.mean() > least

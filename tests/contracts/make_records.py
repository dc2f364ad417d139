"""Save one small result of each kind and schema version that is not saved yet.

Run ``python tests/contracts/make_records.py`` after adding a kind or raising a schema version. Files that
exist are never written again: they are what earlier versions saved, and must stay readable.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path

import numpy as np

import perfanalytics as perf
from perfanalytics.core.archive import Archive
from perfanalytics.practices.qwm.work_review import work_review
from perfanalytics.practices.qwm.work_review_rows import Kept, Material
from perfanalytics.practices.service_reports.service_report import service_report_of
from perfanalytics.practices.service_reports.service_report_material import ReportMaterial

RECORDS = Path(__file__).parent / "records"
HOURS = perf.Measure("hours", definition="Elapsed hours", unit="hours", better="lower", scale="duration")


def results() -> list[perf.Result]:
    """One small result of each kind."""
    rng = np.random.default_rng(20260101)
    when = np.datetime64("2024-01-01") + np.arange(40)
    values = np.round(np.exp(rng.normal(2, 0.4, 40)), 2)
    series = perf.Series(values, measure=HOURS, when=when, exclusions=[perf.Exclusion("power cut", point=3)])
    objective = perf.Objective("fast", measure="hours", target=10, direction="at_most", share=0.8)
    frame = series.to_frame().assign(
        hours=values, team=np.where(np.arange(40) % 2, "A", "B"), size=np.arange(40)
    )
    with tempfile.TemporaryDirectory() as folder, perf.Repository.open(":memory:") as repo:
        path = Path(folder) / "hours.csv"
        path.write_text("item,day,hours\n1,2024-01-01,5\n2,2024-01-02,7\n3,2024-02-31,8\n", encoding="utf-8")
        source = perf.Source(
            "hours",
            file=path,
            key=("item",),
            columns={"day": "date", "hours": "number"},
            formats={"day": "%Y-%m-%d"},
            max_rejected=0.5,
            measures=(perf.SourceMeasure(HOURS, value="hours", when="day", item="item"),),
        )
        load = repo.load(source)
        quality = repo.data_quality("hours")
    process = perf.sequence(
        perf.step("triage", perf.Distribution.lognormal(median=0.5, sigma=0.6)),
        perf.rework(perf.step("resolve", perf.baseline(series.take(20, 40))), probability=0.2),
        perf.parallel(perf.step("test", perf.Distribution.gamma(mean=2, sd=1)), perf.step("inform", 1.0)),
    )
    simulated = perf.Objective("fast", measure="total", target=15, direction="at_most", share=0.8)
    model = perf.fit("hours ~ size", frame, measure=HOURS, objective=objective, controllable=("size",))
    figures = perf.period_figures(
        {("", ""): series, ("team", "A"): series.take(0, 20)},
        since=dt.date(2024, 1, 1),
        until=dt.date(2024, 2, 10),
        objective=objective,
    )
    made = perf.predictions(model, frame.head(10)).with_outcomes(dict(enumerate(values[:9])))
    return [
        model.what_if({"small": {"size": 5}}, rows=50),
        model.profile(points=4),
        model.sensitivity(n=64),
        model.optimize(rows=50),
        model.review(),
        perf.calibrate(model, frame.head(6), prior_n=5),
        perf.backtest(model, frame, time="size", first=30),
        made,
        perf.prediction_errors(made),
        perf.trend(series),
        figures,
        service_report_of(
            ReportMaterial(
                name="Desk",
                audience="operations",
                since=figures.since,
                until=figures.until,
                archive=Archive.of([HOURS, objective], on=dt.date(2024, 2, 20)),
                performance=("fast",),
                kept=(
                    Kept(role="performance", subject="fast", name="Desk: fast", version=1, result=figures),
                ),
            )
        ),
        perf.cost_benefit(investment={"tool": (1, 2, 4)}, benefits={"hours": 2.0}, periods=2, runs=200),
        load,
        perf.simulate(process, runs=500, rng=1, objective=simulated, resamples=40, sensitivity=1000),
        perf.compare_processes({"now": process, "less": process.parts[1]}, runs=500, rng=1),
        quality,
        perf.control_chart(series),
        perf.control_chart(series).limits,
        perf.control_charts({"a": series.take(0, 20), "b": series.take(20, 40)}),
        perf.scorecard([perf.control_chart(series.take(0, 20)), perf.control_chart(series)], points=5),
        perf.phase_one(np.r_[values, 95.0]),
        perf.average_run_length("western_electric", shift=[0.0, 1.0]),
        perf.operating_characteristic("p", size=50, center=0.2, at=[0.1, 0.2, 0.4]),
        perf.suggest_stages(np.r_[values[:20], values[20:] / 3], of="level", draws=199),
        perf.baseline(series, objective=objective),
        perf.baselines_of({"a": series.take(0, 20), "b": series.take(20, 40)}),
        perf.strata(frame, value="hours", by="team", measure=HOURS),
        perf.baseline(series.take(0, 25), objective=objective).drift(series),
        perf.fit_distribution(series, family=("normal", "weibull")),
        perf.capability(series, objective=objective),
        perf.capabilities({"a": series.take(0, 20), "b": series.take(20, 40)}, upper=12.0),
        perf.gauge_study(
            {"mm": np.round(values[:24], 1), "part": np.arange(24) // 4, "who": np.arange(24) // 2 % 2},
            value="mm",
            part="part",
            operator="who",
            tolerance=30.0,
        ),
        perf.agreement([["a", "b"], ["a", "a"], ["b", "b"], ["b", None], ["c", "c"]], method="krippendorff"),
        perf.compare(series.take(0, 20), series.take(20), objective=objective),
        perf.adjust({"a": perf.compare(series.take(0, 20), series.take(20), order="none")}),
        perf.sample_size("ar1_level_change", effect=0.8, rho=0.4, n_before=100, every="week"),
        perf.fit("hours ~ team + size", frame, measure=HOURS, controllable=("team",)),
        perf.select_model("hours ~ team + size", frame, measure=HOURS, repeats=1, permutations=19),
        *queues_and_reliability(values),
        *work_reviews(series, objective),
        *organizational_performance(series),
        *improvements(series),
        *causal_analysis(series),
        *causal_resolution(series),
    ]


def organizational_performance(series: perf.Series) -> list[perf.Result]:
    """One small result of each kind about what traces to what."""
    archive = perf.Archive.of(
        [
            HOURS,
            perf.BusinessObjective("Customers can work again"),
            perf.Objective(
                "fast", measure="hours", target=10, direction="at_most", serves="Customers can work again"
            ),
            perf.Process("Resolution", parent="Service"),
            perf.Decision(
                "Agreed", what="In force", who="Board", decided_on=dt.date(2024, 3, 1), subject="Hours"
            ),
        ],
        {"Hours": perf.baseline(series), "Weekly": perf.control_chart(series)},
        newest={"hours": dt.datetime(2024, 2, 9)},
    )
    return [
        perf.objective_tree(archive),
        perf.register(archive, "baseline"),
        perf.select_subprocesses(archive, outcome="hours", candidates=["hours"], series={"hours": series}),
    ]


def improvements(series: perf.Series) -> list[perf.Result]:
    """One small result of each kind of organizational performance management."""
    day = dt.date(2024, 1, 25)
    asked = perf.SuccessCriterion(
        "a tenth less", proposal="Triage", measure="hours", least_ratio=0.9, declared_on=dt.date(2024, 1, 2)
    )
    pilot = perf.Pilot("Desk", proposal="Triage", measure="hours", since=day, until=dt.date(2024, 2, 10))
    proposal = perf.Proposal("Triage", originator="Desk", outcome="Slow", cost=10, expected_benefit=8)
    goal = perf.Objective("fast", measure="hours", target=10, direction="at_most", share=0.8)
    units = perf.SeriesBatch.from_series({"team=a": series, "team=b": series, "team=c": series.take(0, 38)})
    benefit = perf.predict_benefit(
        (0.5, 1, 2), volume=10, worth=2, measure=HOURS, investment={"tool": 9}, draws=200
    )
    stage = perf.Deployment("to a", proposal="Triage", since=day, where={"team": "a"}, cost=5)
    noise = np.random.default_rng(2).normal(0, 0.1, (3, 40))
    apart = perf.SeriesBatch.from_series(
        {
            f"team={t}": perf.Series(series.values * np.exp(noise[k]), measure=HOURS, when=series.when)
            for k, t in enumerate("abc")
        }
    )
    return [
        perf.improvement_register(perf.Archive.of([proposal, asked, pilot, stage], on=dt.date(2024, 3, 1))),
        perf.organization_capability([goal], {"hours": units}, every="day", costs={"fast": 2}),
        benefit,
        perf.plan_pilot(series.take(0, 24), asked, expected=0.6),
        perf.judge_pilot(pilot, asked, series, selected="at random"),
        perf.portfolio([proposal], budget=20, values={"Triage": benefit}, draws=20),
        perf.evaluate_deployment(apart, [stage], predicted=benefit),
    ]


def work_reviews(series: perf.Series, objective: perf.Objective) -> list[perf.Result]:
    """One small result of each kind about the review of a work."""
    by = dt.date(2024, 3, 31)
    goal = perf.Objective("fast", measure="hours", target=10, direction="at_most", share=0.8, by=by)
    then, now = (perf.predict_objective(s, goal) for s in (series.take(0, 25), series))
    score = perf.Measure("score", definition="Score", unit="points", better="higher", scale="real")
    good = perf.Objective("good", measure="score", statistic="mean", target=1, direction="at_least")
    other = perf.Series(1 / series.values, measure=score, when=series.when)
    pulls = perf.trade_off(series, other, objectives=(goal, good))
    risk = perf.Risk("late", what="Parts come late", objective="fast", cost=100, owner="A. Meier")
    work = perf.Work("A", where={"team": "A"}, objectives=["fast"], least_probability=0.7)
    action = perf.Action("call", what="Call the supplier", work="A", due=dt.date(2024, 2, 1))
    archive = Archive.of([work, goal, action, HOURS], on=dt.date(2024, 2, 9))
    kept = Kept(role="prediction", subject="fast", name="A: prediction: fast", version=1, result=now)
    return [
        now,
        pulls,
        perf.risk_register("A", [risk], {"fast": now}, on=archive.on),
        perf.objective_conflicts("A", [goal, good], predictions={}, trade_offs=[pulls], on=archive.on),
        perf.check_predictions("A", {"fast": then}, {"fast": now}),
        work_review(Material(work=work, archive=archive, kept=(kept,), held_by=("A. Meier",))),
    ]


def causal_analysis(series: perf.Series) -> list[perf.Result]:
    """One small result of each kind of selecting outcomes and looking for their causes."""
    return [
        perf.pareto({"Network": 12, "Mail": 7, "Printer": 3}),
        perf.cause_effect("Late\n  Method\n    No triage [confirmed, root: chart]\n      Habit\n  People"),
        perf.why_tree("Late\n  No triage [confirmed: chart]\n    Habit [root]"),
        perf.candidate_causes(
            {"hours": series.values, "team": np.tile(["A", "B"], 20), "size": np.arange(40) % 11},
            value="hours",
            candidates=["team", "size"],
            measure=HOURS,
        ),
        perf.fmea(
            [
                perf.FailureMode(
                    "wrong group", effect="hours lost", cause="guess", severity=4, occurrence=8, detection=6
                )
            ]
        ),
        perf.check_sheet(
            {"what": ["a", "b"] * 20, "shift": ["day"] * 25 + ["night"] * 15}, rows="what", columns="shift"
        ),
        perf.group_distributions(
            {"hours": series.values, "team": np.tile(["A", "B"], 20)}, value="hours", by="team", measure=HOURS
        ),
        perf.defects_by_cause_and_phase(
            {
                "cause": ["logic", "data"] * 20,
                "in": ["design"] * 40,
                "found": ["design"] * 20 + ["operation"] * 20,
            },
            cause="cause",
            found="found",
            injected="in",
            phases=["design", "operation"],
        ),
        perf.what_changed(
            series, recorded=[perf.Change("New triage", when=dt.date(2024, 1, 20), what="Triage")], draws=199
        ),
    ]


def causal_resolution(series: perf.Series) -> list[perf.Result]:
    """One small result of each kind of acting on causes and evaluating what was done."""
    case = perf.CausalAnalysis("C1", outcome="Too slow", measure="hours", lesson="Ask early")
    cause = perf.Cause("No triage", analysis="C1", state="confirmed", root=True, evidence="minutes")
    proposal = perf.Proposal(
        "Triage",
        originator="Desk",
        outcome="Too slow",
        cause="No triage",
        analysis="C1",
        expected_benefit=900.0,
    )
    wanted = perf.SuccessCriterion(
        "shorter", proposal="Triage", measure="hours", least_ratio=0.9, declared_on=dt.date(2024, 1, 10)
    )
    change = perf.Change("New triage", when=dt.date(2024, 1, 21), what="Triage")
    action = perf.Action(
        "train", what="Train", proposal="Triage", state="done", cost=100.0, change="New triage"
    )
    goal = perf.Objective("fast", measure="hours", target=10, direction="at_most", share=0.8)
    effect = perf.evaluate_effect(
        series.take(0, 20),
        series.take(20),
        objective=goal,
        criterion=wanted,
        proposal=proposal,
        actions=[action],
        causes=[cause],
        change=change,
        value=(0.5, 1.0, 2.0),
    )
    chart = perf.control_chart(series)
    archive = Archive.of(
        [HOURS, case, cause, proposal, wanted, change, action, goal],
        {"Hours": chart, "Effect": effect},
        on=dt.date(2024, 2, 9),
    )
    return [
        effect,
        perf.evaluate_recurrence(chart, at=dt.date(2024, 1, 21), analysis="C1"),
        perf.action_plan(archive, "C1"),
        perf.search_analyses(archive, cause="triage"),
        perf.causal_review(archive, "C1"),
    ]


def queues_and_reliability(values: np.ndarray) -> list[perf.Result]:
    """One small result of each kind about queues, reliability and defects."""
    starts = np.datetime64("2024-01-01") + np.arange(12) * np.timedelta64(30, "D")
    outages = perf.availability(
        starts,
        starts + (values[:12] * 60).astype("timedelta64[m]"),
        since=np.datetime64("2024-01-01"),
        until=np.datetime64("2025-01-01"),
        target=0.99,
    )
    return [
        perf.queue(arrivals=[2, 3], service=0.5, servers=4, discipline="priority", within=1, target=0.9),
        perf.staffing(arrivals=[100, 60], per=1800, service=180, within=20, patience=240),
        perf.capacity([80, 100, 130], service=180, servers=14, per=1800, within=20, target=0.8),
        perf.simulate_queue(np.arange(40.0), values, servers=8, within=4, target=0.8),
        perf.reliability_growth(np.cumsum(values), models=("goel_okumoto", "power_law", "poisson")),
        outages,
        perf.structure({"database": outages, "network": 0.999}),
        perf.lifetimes(values, censored=np.arange(40) % 5 == 0),
        perf.containment([[9, 4, 1], [0, 12, 3], [0, 0, 1]], phases=["design", "code", "operation"]),
    ]


def main() -> None:
    RECORDS.mkdir(exist_ok=True)
    for result in results():
        path = RECORDS / f"{result.kind}-{result.schema_version}.json"
        if not path.exists():
            path.write_text(json.dumps(result.to_record(), indent=1) + "\n", encoding="utf-8")
            print("saved", path.name)


if __name__ == "__main__":
    main()

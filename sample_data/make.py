"""Make the sample data: a small service desk over one year, with known truths hidden in it.

Run ``python sample_data/make.py`` to write the four CSV files beside this script again. The files
are committed; a test checks that this script gives the same bytes. The truths are listed in
``sample_data/README.md`` and as constants here, so that the tests can look for them.
"""

from __future__ import annotations

import csv
import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SEED = 20240101
START, END = dt.date(2024, 1, 1), dt.date(2024, 12, 31)

# --- the truths -----------------------------------------------------------------------------------
TRIAGE_CHANGE = dt.date(2024, 9, 2)  # a new triage step: resolution time falls ...
TRIAGE_RATIO = 0.70  # ... to 70% of what it was
OUTAGE = (dt.date(2024, 5, 13), dt.date(2024, 5, 17))  # special cause: mail migration went wrong
OUTAGE_RATIO = 4.0  # resolution times in that week
DAY_RHO, DAY_SD = 0.5, 0.35  # lag-1 correlation and spread of the common daily level (log hours)
NETWORK_RATIO = 1.6  # the Network group takes longer
REASSIGNMENT_RATIO = 1.45  # each reassignment multiplies the resolution time
PRIORITY_HOURS = {1: 4.0, 2: 10.0, 3: 22.0, 4: 34.0}  # median hours by priority
SLA_HOURS = {1: 8.0, 2: 24.0, 3: 72.0, 4: 120.0}
CHANGE_SUCCESS = 0.94  # change success rate: stable the whole year, for every kind of change
EFFORT_SLOPE = 0.92  # log effort on log size
EFFORT_PER_POINT = 6.5  # hours at size 1
COMPLEXITY_RATIO = 1.5  # complex work packages take half as much again
REVIEW_EFFECT = -1.2  # log defects per unit of review coverage (0 to 1): the controllable factor
# three people who count sizes: one counts higher; counting twice differs
COUNTER_BIAS, COUNTER_SD = 1.2, 0.5
SUPPLIER_CHANGE = dt.date(2024, 7, 1)  # a new supplier contract: fewer of their tickets on time ...
SUPPLIER_ON_TIME = (0.93, 0.84)  # ... before and since
BACKLOG_RHO = 0.8  # lag-1 correlation of the open requests from one week to the next
RECURRENCE = 0.12  # problems that come back after they were resolved: the same all year
OUTAGE_COMPLAINTS = 5.0  # complaints about Mail in the week of the outage, as a multiple
# contact type has no effect on anything; nor has the team on effort

GROUPS = {"Service desk": 0.45, "Applications": 0.25, "Network": 0.18, "Workplace": 0.12}
SERVICES = {"Mail": 0.3, "ERP": 0.25, "Intranet": 0.2, "Printing": 0.15, "Télephonie": 0.1}
CONTACTS = {"Phone": 0.55, "Portal": 0.35, "E-mail": 0.1}


def stamp(t: dt.datetime | None) -> str:
    """Day first, no padding, as the tool of this service desk writes it; ``?`` when unknown."""
    return "?" if t is None else f"{t.day}/{t.month}/{t.year} {t:%H:%M}"


def pick(rng: np.random.Generator, shares: dict[str, float]) -> str:
    return list(shares)[int(np.searchsorted(np.cumsum(list(shares.values())), rng.random()))]


def daily_level(rng: np.random.Generator, days: int) -> np.ndarray:
    """AR(1) level of each day on the log scale."""
    level = np.empty(days)
    level[0] = rng.normal(0, DAY_SD)
    for i in range(1, days):
        level[i] = DAY_RHO * level[i - 1] + rng.normal(0, DAY_SD * np.sqrt(1 - DAY_RHO**2))
    return level


@dataclass
class Incident:
    """What is fixed for one incident; the log tells only what was known at the time of each row."""

    number: str
    opened: dt.datetime
    resolved: dt.datetime
    closed: dt.datetime
    priority: int
    group: str
    service: str
    contact: str
    reopened: int
    made: bool

    def row(self, state: str, at: dt.datetime, moves: int) -> tuple[dt.datetime, str, list[object]]:
        done = at >= self.resolved
        line: list[object] = [self.number, state, stamp(at), stamp(self.opened)]
        line += [stamp(self.resolved if done else None), stamp(self.closed if at >= self.closed else None)]
        line += [self.priority, self.group, self.service, self.contact, moves, self.reopened if done else 0]
        line += [str(self.made).lower() if done else "?"]
        return at, self.number, line


def incidents(rng: np.random.Generator) -> list[list[object]]:
    """The event log: one row per update of an incident."""
    header = [
        "number", "state", "updated_at", "opened_at", "resolved_at", "closed_at", "priority",
        "assignment_group", "service", "contact_type", "reassignment_count", "reopen_count", "made_sla",
    ]  # fmt: skip
    workdays = [START + dt.timedelta(d) for d in range((END - START).days + 1)]
    workdays = [d for d in workdays if d.weekday() < 5]
    level = daily_level(rng, len(workdays))
    extract = dt.datetime.combine(END, dt.time(23, 59))
    rows: list[tuple[dt.datetime, str, list[object]]] = []
    number = 0
    for day, common in zip(workdays, level, strict=True):
        for _ in range(rng.poisson(9.0)):
            number += 1
            name = f"INC{number:06d}"
            minute = int(rng.integers(7 * 60, 18 * 60))
            opened = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
            priority = int(rng.choice([1, 2, 3, 4], p=[0.04, 0.16, 0.6, 0.2]))
            group, service, contact = pick(rng, GROUPS), pick(rng, SERVICES), pick(rng, CONTACTS)
            moves = int(rng.poisson(0.7))
            log_hours = np.log(PRIORITY_HOURS[priority]) + common + rng.normal(0, 0.75)
            log_hours += moves * np.log(REASSIGNMENT_RATIO)
            log_hours += np.log(NETWORK_RATIO) if group == "Network" else 0.0
            log_hours += np.log(TRIAGE_RATIO) if day >= TRIAGE_CHANGE else 0.0
            log_hours += np.log(OUTAGE_RATIO) if OUTAGE[0] <= day <= OUTAGE[1] else 0.0
            hours = float(np.exp(log_hours))
            resolved = opened + dt.timedelta(minutes=max(1, round(60 * hours)))
            closed = resolved + dt.timedelta(days=5)
            made = hours <= SLA_HOURS[priority]
            reopened = int(rng.random() < 0.02)

            fixed = Incident(
                name, opened, resolved, closed, priority, group, service, contact, reopened, made
            )
            steps = [fixed.row("New", opened, 0)]
            span = resolved - opened
            moments = [opened + span * ((k + 1) / (moves + 2)) for k in range(moves)]
            steps += [fixed.row("Active", at, k + 1) for k, at in enumerate(moments)]
            if rng.random() < 0.2:
                steps.append(fixed.row("Awaiting user", opened + span * 0.75, moves))
                steps.append(fixed.row("Active", opened + span * 0.9, moves))
            steps.append(fixed.row("Resolved", resolved, moves))
            steps.append(fixed.row("Closed", closed, moves))
            rows += [s for s in steps if s[0] <= extract]
    rows.sort(key=lambda r: (r[1], r[0]))
    table = [r[2] for r in rows]
    return [header, *spoil(rng, table)]


def spoil(rng: np.random.Generator, table: list[list[object]]) -> list[list[object]]:
    """Some mess on purpose; README.md counts it."""
    out = [list(r) for r in table]  # the rows are changed below
    where = rng.choice(len(out), size=16, replace=False)
    for k in where[:6]:
        out[k][2] = "31/2/2024 10:00"  # a day that does not exist
    for k in where[6:10]:
        out[k][10] = "two"  # a number in words
    for k in where[10:12]:
        out[k][1] = "-100"  # a stray state
    copies = [list(out[k]) for k in rng.choice(len(out), size=12, replace=False)]
    return out + copies  # exact duplicates, at the end of the file


def changes(rng: np.random.Generator) -> list[list[object]]:
    """Change requests: implemented on a day, successful or not."""
    rows: list[list[object]] = [
        ["change_id", "implemented_on", "service", "type", "successful", "downtime_minutes"]
    ]
    number = 0
    for d in range((END - START).days + 1):
        day = START + dt.timedelta(d)
        for _ in range(rng.poisson(7.5 if day.weekday() < 5 else 2.0)):
            number += 1
            good = bool(rng.random() < CHANGE_SUCCESS)
            kind = pick(rng, {"standard": 0.6, "normal": 0.33, "emergency": 0.07})
            down = 0 if good else int(rng.exponential(45)) + 1
            rows.append(
                [
                    f"CHG{number:05d}",
                    day.isoformat(),
                    pick(rng, SERVICES),
                    kind,
                    "yes" if good else "no",
                    down,
                ]
            )
    return rows


def availability(rng: np.random.Generator) -> list[list[object]]:
    """Downtime of each service on each day, in minutes of the agreed service time."""
    rows: list[list[object]] = [["service", "day", "agreed_minutes", "downtime_minutes", "breaks"]]
    for service in SERVICES:
        for d in range((END - START).days + 1):
            day = START + dt.timedelta(d)
            agreed = 16 * 60 if day.weekday() < 5 else 8 * 60
            breaks = int(rng.poisson(0.25))
            down = sum(min(120.0, float(rng.lognormal(1.8, 0.7))) for _ in range(breaks))
            if service == "Mail" and OUTAGE[0] <= day <= OUTAGE[1]:
                breaks, down = breaks + 3, down + float(rng.uniform(150, 320))
            rows.append([service, day.strftime("%Y-%m-%d"), agreed, round(down), breaks])
    return rows


def work_packages(rng: np.random.Generator) -> list[list[object]]:
    """Effort and defects of the work packages of small projects."""
    rows: list[list[object]] = [
        ["package", "project", "team", "finished_on", "size_points", "complexity", "review_coverage",
         "estimate_hours", "effort_hours", "defects"],
    ]  # fmt: skip
    for k in range(2000):
        project = f"P{1 + k // 50:02d}"
        finished = START + dt.timedelta(days=int(366 * k / 2000))
        size = float(np.round(np.exp(rng.normal(1.6, 0.7)), 1))
        complexity = pick(rng, {"simple": 0.7, "complex": 0.3})
        coverage = float(np.round(rng.beta(2, 2), 2))
        expected = np.log(EFFORT_PER_POINT) + EFFORT_SLOPE * np.log(size)
        expected += np.log(COMPLEXITY_RATIO) if complexity == "complex" else 0.0
        effort = float(np.exp(expected + rng.normal(0, 0.45)))
        estimate = 5 * round(float(np.exp(expected - 0.1 + rng.normal(0, 0.35))) / 5) or 5
        defects = int(rng.poisson(0.6 * size**0.8 * np.exp(REVIEW_EFFECT * coverage)))
        team = pick(rng, {"Blue": 0.4, "Green": 0.35, "Red": 0.25})
        rows.append(
            [f"WP{k + 1:04d}", project, team, finished.isoformat(), size, complexity, coverage, estimate,
             f"{effort:.2f}", defects]
        )  # fmt: skip
    return rows


def size_counts(rng: np.random.Generator) -> list[list[object]]:
    """A gauge study: three people count the size of the same ten work packages, twice each."""
    rows: list[list[object]] = [["package", "counter", "turn", "size_points"]]
    size = np.exp(rng.normal(2.2, 0.45, 10))
    level = {"Ines": 0.0, "Jon": COUNTER_BIAS, "Kim": 0.0}
    for turn in (1, 2):
        for k in rng.permutation(10).tolist():
            for counter, bias in level.items():
                seen = size[k] + bias + rng.normal(0, COUNTER_SD)
                rows.append([f"G{k + 1:02d}", counter, turn, f"{max(seen, 0.1):.1f}"])
    return rows


def service_weeks(rng: np.random.Generator) -> list[list[object]]:
    """The figures that the service desk reports of each service and week, in one wide table."""
    weeks = [START + dt.timedelta(7 * k) for k in range(52)]
    rows: list[list[object]] = []
    for service, share in SERVICES.items():
        backlog, size = 40 * share, 600 * share
        deviation = 0.0
        for week in weeks:
            deviation = BACKLOG_RHO * deviation + rng.normal(0, np.sqrt(1 - BACKLOG_RHO**2))
            received = int(rng.poisson(240 * share))
            fulfilled = max(1, received + int(rng.integers(-4, 5)))
            hours = round(float(fulfilled * rng.gamma(40, 0.62 / 40)), 1)
            supplier_tickets = int(rng.poisson(30 * share)) + 1
            new_contract = week >= SUPPLIER_CHANGE
            users = int(3000 * share)
            bad_week = service == "Mail" and week <= OUTAGE[1] < week + dt.timedelta(7)
            returned = int(rng.binomial(fulfilled, 0.3))
            scores = rng.choice([1, 2, 3, 4, 5], p=[0.03, 0.07, 0.2, 0.4, 0.3], size=returned)
            cost = 5000 * share + 14.0 * fulfilled
            releases = int(rng.poisson(0.8))
            figures: dict[str, object] = {
                "service": service,
                "week": week.isoformat(),
                "requests_received": received,
                "requests_forecast": round(240 * share),
                "requests_fulfilled": fulfilled,
                "requests_on_time": int(rng.binomial(fulfilled, 0.9)),
                "requests_reworked": int(rng.binomial(fulfilled, 0.05)),
                "requests_open": round(max(0.0, backlog + 0.2 * backlog * deviation)),
                "handling_hours": hours,
                "staff_hours": round(240 * share * 0.62 / 0.78, 1),
                "calls_offered": (calls := int(rng.poisson(300 * share)) + 1),
                "calls_abandoned": (lost := int(rng.binomial(calls, 0.06))),
                "calls_in_time": int(rng.binomial(calls - lost, 0.85)),
                "surveys_sent": fulfilled,
                "surveys_returned": returned,
                "score_sum": int(scores.sum()),
                "satisfied": int((scores >= 4).sum()),
                "users": users,
                "complaints": int(rng.poisson(users / 1000 * 2 * (OUTAGE_COMPLAINTS if bad_week else 1))),
                "targets_measured": 6,
                "targets_met": int(rng.binomial(6, 0.92)),
                "reports_due": 1,
                "reports_on_time": int(rng.random() < 0.95),
                "releases": releases,
                "releases_successful": int(rng.binomial(releases, 0.9)),
                "releases_on_date": int(rng.binomial(releases, 0.8)),
                "release_incidents": int(rng.poisson(0.5 * releases)),
                "recovery_tests": (tests := int(rng.poisson(0.4))),
                "recovery_tests_failed": int(rng.binomial(tests, 0.12)),
                "backups": 14,
                "backups_successful": int(rng.binomial(14, 0.97)),
                "capacity_available": round(size),
                "capacity_used": round(float(size * rng.normal(0.68, 0.03)), 1),
                "supplier_tickets": supplier_tickets,
                "supplier_on_time": int(rng.binomial(supplier_tickets, SUPPLIER_ON_TIME[new_contract])),
                "deliveries": (deliveries := int(rng.poisson(1.5))),
                "deliveries_rejected": int(rng.binomial(deliveries, 0.08)),
                "security_incidents": int(rng.poisson(0.25)),
                "vulnerabilities_due": (due := int(rng.poisson(8 * share)) + 1),
                "vulnerabilities_in_time": int(rng.binomial(due, 0.87)),
                "items_audited": 40,
                "items_deviating": int(rng.binomial(40, 0.04)),
                "cost_planned": round(5000 * share + 14.0 * 240 * share),
                "cost_actual": round(float(cost * rng.lognormal(0, 0.04))),
                "cost_unplanned_capacity": round(float(60 * share * rng.gamma(2.0))),
            }
            if not rows:
                rows.append(list(figures))
            rows.append(list(figures.values()))
    return rows


def problems(rng: np.random.Generator) -> list[list[object]]:
    """Problem records: about one a working day."""
    rows: list[list[object]] = [
        ["problem_id", "opened_on", "cause_known_on", "resolved_on", "service", "origin", "incidents",
         "recurred"],
    ]  # fmt: skip
    for d in range((END - START).days + 1):
        day = START + dt.timedelta(d)
        for _ in range(int(rng.poisson(1.0)) if day.weekday() < 5 else 0):
            known = day + dt.timedelta(days=1 + round(float(rng.lognormal(1.6, 0.7))))
            resolved = known + dt.timedelta(days=1 + round(float(rng.lognormal(2.2, 0.8))))
            origin = pick(rng, {"incidents": 0.7, "trend analysis": 0.3})
            linked = int(rng.poisson(3.0)) + 1 if origin == "incidents" else int(rng.poisson(0.5))
            service, recurred = pick(rng, SERVICES), bool(rng.random() < RECURRENCE)
            rows.append(
                [f"PRB{len(rows):04d}", day.isoformat(), known.isoformat() if known <= END else "",
                 resolved.isoformat() if resolved <= END else "", service, origin, linked,
                 ("yes" if recurred else "no") if resolved <= END else ""]
            )  # fmt: skip
    return rows


#: New files come last, so that the streams of the others stay as they are.
FILES = {
    "incidents.csv": incidents,
    "changes.csv": changes,
    "availability.csv": availability,
    "work_packages.csv": work_packages,
    "size_counts.csv": size_counts,
    "service_weeks.csv": service_weeks,
    "problems.csv": problems,
}


def write(folder: Path) -> None:
    """Write the files into ``folder``, each from its own stream of random numbers."""
    for stream, (name, make) in zip(
        np.random.SeedSequence(SEED).spawn(len(FILES)), FILES.items(), strict=True
    ):
        rows = make(np.random.default_rng(stream))
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

"""The command line: ``perfanalytics ...``.

Only click is imported here; every command imports what it needs when it runs, so that ``--help`` is quick.
Exit codes: 0 done, 1 something asked for could not be done (all the rest is done), 2 misuse, 3 new signals
(``monitor`` only).
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from perfanalytics._version import __version__
from perfanalytics.core.errors import PerfAnalyticsError, PlanError

if TYPE_CHECKING:
    from perfanalytics.plan.running import PlanRun

FILE = click.Path(path_type=Path)
DONE, NOT_ALL_DONE, MISUSE, SIGNALS = 0, 1, 2, 3


class _Date(click.ParamType[dt.date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date like 2024-03-31", param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="perfanalytics")
def cli() -> None:
    """Quantitative process performance: baselines, control charts, before/after comparisons and models.

    Start with `perfanalytics demo`, or with `perfanalytics init` for a plan of your own.
    """


@cli.command()
@click.argument("plan", type=FILE)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Only the analyses of this name (* and ? allowed); repeatable.",
)
@click.option("--since", type=_Date(), help="First day of the analyses that name none (2024-03-31).")
@click.option("--repository", type=FILE, help="Repository file, instead of the one in the plan.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the source files, instead of the plan's.",
)
@click.option("--report", "report_to", type=FILE, help="HTML file to write, instead of the one in the plan.")
@click.option("--quiet", is_flag=True, help="No progress display.")
def run(
    plan: Path,
    only: tuple[str, ...],
    since: dt.date | None,
    repository: Path | None,
    data: Path | None,
    report_to: Path | None,
    quiet: bool,
) -> None:
    """Run a measurement plan: load, check, chart, compare, model, save and report.

    Ends by printing the verdicts and where the report is.
    """
    from perfanalytics.plan.running import run_plan

    with _Progress(quiet) as told:
        done = run_plan(
            plan, data=data, repository=repository, report_to=report_to, only=only, since=since, progress=told
        )
    _tell(done)


@cli.command()
@click.argument("plan", type=FILE)
def check(plan: Path) -> None:
    """Check a measurement plan without touching any data."""
    from perfanalytics.plan.analyses import ANALYSES
    from perfanalytics.plan.checking import check_plan
    from perfanalytics.plan.reading import read_plan

    checked = read_plan(plan)
    mistakes = list(check_plan(checked))
    if mistakes:
        raise PlanError("\n".join(f"{plan.name}: {m}" for m in mistakes))
    parts: dict[str, Sized] = {
        "sources": checked.source,
        "measures": checked.measure,
        "objectives": checked.objective,
    }
    parts |= {kind.many: asked for kind in ANALYSES if (asked := getattr(checked, kind.key))}
    click.echo(f"{plan}: the plan is valid: " + ", ".join(_counted(len(v), k) for k, v in parts.items()))


@cli.command()
@click.argument("plan", type=FILE, default="plan.toml")
@click.option(
    "--measures",
    multiple=True,
    metavar="NAME,...",
    help="Measures of the catalogue to write into it ('all' for all of them); repeatable.",
)
@click.option("--bases", type=FILE, help="File that says where the base measures are in your data.")
def init(plan: Path, measures: tuple[str, ...], bases: Path | None) -> None:
    """Write a commented measurement plan to start from, or one with measures of the catalogue."""
    if plan.exists():
        raise PerfAnalyticsError(f"{plan} exists already; nothing was written")
    names = [name.strip() for text in measures for name in text.split(",") if name.strip()]
    if measures:
        from perfanalytics.practices.catalogue.catalogue import catalogue as service_measures

        known = service_measures()
        everything = names == ["all"]
        text = known.plan(None if everything else names, bases=bases, name=plan.stem)
        lacking = known.missing(bases) if everything and bases is not None else {}
        for name, what in lacking.items():
            click.echo(f"left out: {name}: missing {'; '.join(what)}", err=True)
    elif bases is not None:
        raise PerfAnalyticsError("--bases goes with --measures NAME,... (or --measures all)")
    else:
        text = (Path(__file__).parent / "plan" / "template.toml").read_text(encoding="utf-8")
    plan.write_text(text, encoding="utf-8")
    click.echo(f"wrote {plan}; edit it, then: perfanalytics check {plan} && perfanalytics run {plan}")


@cli.command()
@click.argument("words", nargs=-1)
@click.option("--process", help="Process of the reference model or of ITIL (RAF.1, incident).")
@click.option("--clause", help="Clause of ISO/IEC 20000-1 (8.1).")
@click.option("--practice", help="Specific practice of CMMI-SVC (OPP-1.3).")
@click.option("--show", metavar="NAME", help="Everything about the measure of this name.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def catalogue(
    words: tuple[str, ...],
    process: str | None,
    clause: str | None,
    practice: str | None,
    show: str | None,
    as_json: bool,
) -> None:
    """List ready-made service measures: all, or those with these WORDS."""
    import json

    from perfanalytics.practices.catalogue.catalogue import Catalogue
    from perfanalytics.practices.catalogue.catalogue import catalogue as service_measures

    known = service_measures()
    if show is not None and (words or process or clause or practice):
        raise PerfAnalyticsError("--show NAME tells about one measure: leave words and filters out")
    if show is not None:
        found = Catalogue((known.get(show),))
    else:
        found = known.search(" ".join(words), process=process, clause=clause, practice=practice)
    if as_json:
        click.echo(json.dumps([e.to_record() for e in found], indent=1, ensure_ascii=False))
    elif show is not None:
        click.echo(found.entries[0].text())
    else:
        click.echo(found.text())
    if not len(found):
        sys.exit(NOT_ALL_DONE)


@cli.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default="perfanalytics-demo",
    show_default=True,
)
@click.option("--quiet", is_flag=True, help="No progress display.")
def demo(folder: Path, quiet: bool) -> None:
    """Run the plan of the sample service desk in a folder of its own."""
    import shutil

    from perfanalytics.plan.running import run_plan

    sample = _sample_data()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(sample.iterdir()):
            if file.suffix in (".csv", ".toml", ".md"):
                shutil.copyfile(file, folder / file.name)
    except OSError as error:
        raise PerfAnalyticsError(f"cannot write into {folder}: {error.strerror or error}") from error
    with _Progress(quiet) as told:
        done = run_plan(folder / "plan.toml", progress=told)
    _tell(done)


@cli.command()
@click.argument("plan", type=FILE)
@click.option("--only", multiple=True, metavar="NAME", help="Only the charts of this name (* and ? allowed).")
@click.option("--repository", type=FILE, help="Repository file, instead of the one in the plan.")
@click.option(
    "--report", "report_to", type=FILE, default="charts.html", show_default=True, help="Page to write."
)
def charts(plan: Path, only: tuple[str, ...], repository: Path | None, report_to: Path) -> None:
    """Draw the charts of a plan that signal, and a scorecard of all of them.

    Uses the data that are in the repository already; `run` and `monitor` load new ones.
    """
    from perfanalytics.plan.charting import chart_plan

    items = chart_plan(plan, repository=repository, report_to=report_to, only=only)
    for item in items:
        click.echo(f"{item.name}: {item.error or (item.result.verdict if item.result else '')}")
    click.echo(f"report: {report_to}")
    if any(item.error for item in items):
        sys.exit(NOT_ALL_DONE)


@cli.command()
@click.argument("plan", type=FILE)
@click.option("--only", multiple=True, metavar="NAME", help="Only the charts of this name (* and ? allowed).")
@click.option("--repository", type=FILE, help="Repository file, instead of the one in the plan.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of the source files.")
@click.option("--json", "as_json", is_flag=True, help="Print the new signals as JSON.")
def monitor(
    plan: Path, only: tuple[str, ...], repository: Path | None, data: Path | None, as_json: bool
) -> None:
    """Load what is new, chart it on frozen limits, tell the new signals.

    The first run freezes the limits. Exit code 3 where there are new signals, for a scheduler to alert.
    """
    import json
    from dataclasses import asdict

    from perfanalytics.plan.monitoring import monitor as watch_plan

    watch = watch_plan(plan, data=data, repository=repository, only=only)
    if as_json:
        click.echo(json.dumps(asdict(watch), indent=1))
    else:
        for name in watch.started:
            click.echo(f"{name}: limits frozen; signals are told from the next run on")
        for s in watch.signals:
            where = s.when.removesuffix("T00:00:00") or s.label or "a new point"
            click.echo(f"{s.chart}: {s.panel} {s.value:g} on {where}: {', '.join(s.rules)} ({s.direction})")
        for name, text in watch.doubts:
            click.echo(f"{name}: {text}")
        for name, reason in watch.failures:
            click.echo(f"{name}: NOT DONE: {reason}", err=True)
        click.echo(f"{watch.points} new points, {len(watch.signals)} new signals")
    # signals are told once: what failed beside them must not hide them
    if watch.signals:
        sys.exit(SIGNALS)
    if watch.failures:
        sys.exit(NOT_ALL_DONE)


@cli.command()
@click.argument("plan", type=FILE)
@click.option("--chart", "only", required=True, multiple=True, metavar="NAME", help="The charts to agree on.")
@click.option("--by", required=True, metavar="WHO", help="Who agreed: a person or a board.")
@click.option("--on", type=_Date(), help="When it was agreed (2024-03-31); today when left out.")
@click.option("--valid-from", type=_Date(), help="First day the limits are for.")
@click.option("--valid-until", type=_Date(), help="Last day the limits are for.")
@click.option("--note", default="", help="Why, for the history.")
@click.option("--repository", type=FILE, help="Repository file, instead of the one in the plan.")
def agree(
    plan: Path,
    only: tuple[str, ...],
    by: str,
    on: dt.date | None,
    valid_from: dt.date | None,
    valid_until: dt.date | None,
    note: str,
    repository: Path | None,
) -> None:
    """Keep the limits of charts as agreed ones, with who agreed and for how long.

    They are saved as `limits: NAME` in versions; `monitor` charts on them, and `limits_from` of a plan names
    them.
    """
    from perfanalytics.plan.agreeing import agree_limits

    kept = agree_limits(
        plan,
        only=only,
        by=by,
        on=on or dt.date.today(),
        valid_from=valid_from,
        valid_until=valid_until,
        note=note,
        repository=repository,
    )
    for name, (version, verdict) in kept.items():
        click.echo(f"{name}, version {version}: {verdict}")


@cli.command()
@click.argument("work")
@click.option(
    "--plan", type=FILE, default="plan.toml", show_default=True, help="Plan that declares the work."
)
@click.option("--repository", type=FILE, help="Repository file, instead of the one in the plan.")
@click.option(
    "--report", "report_to", type=FILE, default="review.html", show_default=True, help="Page to write."
)
@click.option("--on", type=_Date(), help="Day of the review (2024-06-30): only what was known then is used.")
@click.option("--held-by", default="", metavar="NAMES", help="Who takes part, separated by commas.")
def review(
    work: str, plan: Path, repository: Path | None, report_to: Path, on: dt.date | None, held_by: str
) -> None:
    """Review a piece of work: objectives, data, stability, predictions, changes, risks, actions.

    Uses the data that are in the repository already; the review is kept, so that the next one shows what
    changed and which predictions came true.
    """
    from perfanalytics.plan.pages.reviewing import review_work

    names = tuple(name.strip() for name in held_by.split(",") if name.strip())
    done = review_work(work, plan=plan, repository=repository, report_to=report_to, on=on, held_by=names)
    click.echo(done.review.verdict)
    for doubt in done.review.caveats:
        click.echo(f"  {doubt.code}: {doubt.text}")
    click.echo(f"kept as: {done.name}, version {done.version}\nreport:  {done.report}")


@cli.command("service-report")
@click.argument("name", required=False)
@click.option(
    "--plan", type=FILE, default="plan.toml", show_default=True, help="Plan that declares the service report."
)
@click.option("--since", type=_Date(), help="First day of the period (2024-10-01).")
@click.option("--until", type=_Date(), help="The day after its last one (2025-01-01).")
@click.option(
    "--audience",
    type=click.Choice(["management", "customer", "operations"]),
    help="Who reads it, instead of the plan's.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="ATTRIBUTE=VALUE",
    help="Only this part of the data, instead of the plan's; repeatable.",
)
@click.option("--on", type=_Date(), help="Only what was known on this day is used.")
@click.option("--repository", type=FILE, help="Repository file, instead of the one in the plan.")
@click.option(
    "--report",
    "report_to",
    type=FILE,
    default="service_report.html",
    show_default=True,
    help="Page to write.",
)
def service_report_command(
    name: str | None,
    plan: Path,
    since: dt.date | None,
    until: dt.date | None,
    audience: str | None,
    where: tuple[str, ...],
    on: dt.date | None,
    repository: Path | None,
    report_to: Path,
) -> None:
    """Report on a service for a period: targets, events, workload, nonconformities, trends, satisfaction.

    Uses the data that are in the repository already. NAME may be left out where the plan has one service
    report.
    """
    from perfanalytics.plan.pages.service_reporting import service_report

    done = service_report(
        name,
        plan=plan,
        repository=repository,
        report_to=report_to,
        since=since,
        until=until,
        audience=audience,
        where=_where(where) if where else None,
        on=on,
    )
    click.echo(done.service_report.verdict)
    for doubt in done.service_report.caveats:
        click.echo(f"  {doubt.code}: {doubt.text}")
    click.echo(f"kept as: {done.name}, version {done.version}\nreport:  {done.report}")


@cli.command()
@click.argument("analysis")
@click.option(
    "--plan", type=FILE, default="plan.toml", show_default=True, help="Plan that declares the analysis."
)
@click.option("--repository", type=FILE, help="Repository file, instead of the one in the plan.")
@click.option("--report", "report_to", type=FILE, help="Page to write; causal-ANALYSIS.html when left out.")
@click.option("--on", type=_Date(), help="Day from which delays are counted (2024-06-30).")
@click.option("--held-by", default="", metavar="NAMES", help="Who takes part, separated by commas.")
def causal(
    analysis: str,
    plan: Path,
    repository: Path | None,
    report_to: Path | None,
    on: dt.date | None,
    held_by: str,
) -> None:
    """Write the page of a causal analysis: selection, signal, causes, actions, effect, lesson.

    From the records and from what `run` has saved; the review is kept in versions.
    """
    import re

    from perfanalytics.plan.pages.causal import review_causal_analysis

    page = report_to or Path(f"causal-{re.sub(r'[^A-Za-z0-9.-]+', '-', analysis).strip('-')}.html")
    names = tuple(name.strip() for name in held_by.split(",") if name.strip())
    done = review_causal_analysis(
        analysis, plan=plan, repository=repository, report_to=page, on=on, held_by=names
    )
    click.echo(done.review.verdict)
    for doubt in done.review.caveats:
        click.echo(f"  {doubt.code}: {doubt.text}")
    for name, reason in done.not_done.items():
        click.echo(f"{name}: NOT DONE: {reason}", err=True)
    click.echo(f"kept as: {done.name}, version {done.version}\nreport:  {done.report}")


@cli.command()
@click.argument("words", nargs=-1)
@click.option(
    "--in",
    "path",
    type=FILE,
    default="plan.toml",
    show_default=True,
    help="Plan (TOML) or repository to search.",
)
@click.option("--outcome", default="", help="Words in the outcome, measure or objective.")
@click.option("--cause", default="", help="Words in one of the causes, their category or phase.")
@click.option("--subprocess", default="", help="Process or subprocess; those within it count.")
@click.option("--repository", type=FILE, help="Repository file, instead of the one in the plan.")
def analyses(
    words: tuple[str, ...], path: Path, outcome: str, cause: str, subprocess: str, repository: Path | None
) -> None:
    """Find causal analyses by outcome, cause, subprocess or any WORDS, with lesson and effect."""
    from perfanalytics.plan.pages.causal import find_analyses

    found = find_analyses(
        path,
        repository=repository,
        outcome=outcome,
        cause=cause,
        subprocess=subprocess,
        text=" ".join(words),
    )
    if len(found.analysis):
        click.echo(f"{found.text()}\n")
    click.echo(found.verdict)
    if not len(found.analysis):
        sys.exit(NOT_ALL_DONE)


@cli.command()
@click.argument("repository", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", help="Only the results of this name.")
def history(repository: Path, name: str | None) -> None:
    """List the saved results of a repository, every version with who saved it and when."""
    from perfanalytics.repository.repository import Repository

    with Repository.open(repository, read_only=True) as repo:
        frame = repo.history(name)
    click.echo(frame.to_string(index=False) if len(frame) else "nothing is saved yet")


@cli.command()
@click.argument("plan", type=FILE)
@click.option("--repository", type=FILE, help="Repository file, instead of the one in the plan.")
def objectives(plan: Path, repository: Path | None) -> None:
    """Print what serves which objective, in which state it is, and the gaps."""
    from perfanalytics.plan.pages.tracing import tree_of_plan

    tree = tree_of_plan(plan, repository=repository)
    click.echo(f"{tree.text()}\n\n{tree.verdict}")


@cli.command("register")
@click.argument("repository", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--what", help="Only this register: baseline, model or limits.")
def registers(repository: Path, what: str | None) -> None:
    """List the baselines, models and limits in force: version, age, agreement, standing, next review."""
    from perfanalytics.plan.pages.tracing import registers_of

    books = registers_of(repository, what=what)
    click.echo("\n\n".join(book.text() for book in books) or "nothing is saved yet")


@cli.command()
@click.argument("repository", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def measures(repository: Path) -> None:
    """List the measures of a repository with their operational definitions."""
    from perfanalytics.repository.repository import Repository

    with Repository.open(repository, read_only=True) as repo:
        for m in repo.measures():
            click.echo(f"{m.label}: {m.definition} (better: {m.better}; scale: {m.scale})")


@cli.command()
@click.argument("repository", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="A new or empty folder.",
)
def export(repository: Path, folder: Path) -> None:
    """Write all records and saved results, every version, as CSV tables and JSON."""
    from perfanalytics.repository.repository import Repository

    with Repository.open(repository, read_only=True) as repo:
        written = repo.export(folder)
    click.echo(f"{_counted(len(written), 'files')} written to {folder}")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; mistakes are told in a sentence, not as a stack trace."""
    try:
        cli.main(args=arguments, prog_name="perfanalytics", standalone_mode=True)
    except PerfAnalyticsError as error:
        click.echo(f"perfanalytics: {error}", err=True)
        sys.exit(MISUSE)


def _where(given: tuple[str, ...]) -> dict[str, str | list[str]]:
    """``attribute=value`` of the command line; an attribute named twice has both values."""
    found: dict[str, list[str]] = {}
    for text in given:
        attribute, equals, value = text.partition("=")
        if not equals or not attribute or not value:
            raise PerfAnalyticsError(f"--where {text!r} is not ATTRIBUTE=VALUE (service=Mail)")
        found.setdefault(attribute, []).append(value)
    return {k: v[0] if len(v) == 1 else v for k, v in found.items()}


def _counted(n: int, plural: str) -> str:
    """A number of things, one of them in the singular: ``1 gauge study``, ``1 forecast of queues``."""
    if n != 1:
        return f"{n} {plural}"
    head, of, rest = plural.partition(" of ")
    for ending, single in (("ies", "y"), ("yses", "ysis"), ("rices", "rix"), ("s", "")):
        if head.endswith(ending):
            return f"1 {head.removesuffix(ending)}{single}{of}{rest}"
    return f"1 {plural}"


def _sample_data() -> Path:
    """The sample data: inside an installed package, beside the package in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "_sample_data", package.parent / "sample_data"):
        if (folder / "plan.toml").is_file():
            return folder
    raise PerfAnalyticsError("the sample data did not travel with this installation")


class _Progress:
    """A progress display on a terminal, plain lines elsewhere, nothing when quiet."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.bar: Any = None

    def __enter__(self) -> Callable[[str, int, int], None]:
        if self.quiet:
            return lambda what, step, steps: None
        if not sys.stderr.isatty():
            return lambda what, step, steps: click.echo(f"[{step}/{steps}] {what}", err=True)
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            transient=True,
        )
        self.bar.start()
        task = self.bar.add_task("", total=None)
        return lambda what, step, steps: self.bar.update(task, description=what, completed=step, total=steps)

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()


def _tell(done: PlanRun) -> None:
    """The verdicts, then where the report is; exit code 1 when something could not be done."""
    group = ""
    for item in done.items:
        if item.group != group:
            group = item.group
            click.echo(f"\n{click.style(group, bold=True)}")
        if item.error:
            click.echo(f"  {item.name}: {click.style('NOT DONE', fg='red')}: {item.error}")
        elif item.result is not None:
            doubts = ", ".join(dict.fromkeys(item.result.caveat_codes))
            click.echo(f"  {item.name}: {item.result.verdict}" + (f" [caveats: {doubts}]" if doubts else ""))
        elif item.verdict:
            click.echo(f"  {item.name}: {item.verdict}")
    click.echo(f"\nrepository: {done.repository}\nreport:     {done.report}")
    if done.failures:
        click.echo(
            f"{len(done.failures)} of what was asked for could not be done; all the rest is done", err=True
        )
        sys.exit(NOT_ALL_DONE)

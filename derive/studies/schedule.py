"""`derive schedule`: a learning-rate schedule by itself, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from derive.algebra import digits
from derive.checks.errors import Errors
from derive.checks.printed import printed
from derive.document import (
    Amount,
    Block,
    Cell,
    Document,
    Figure,
    Form,
    Line,
    Quantity,
    Section,
    Step,
    Table,
    Witness,
    say,
)
from derive.figures.chart import Axis, Chart, Curve
from derive.formula import Name, Symbol, bind
from derive.language import Words
from derive.numerals import Policy
from derive.schedules import BASE, Plateau, Schedule, by_recursion, options_in_force, rates, schedules
from derive.source import Item
from derive.studies.base import Study
from derive.studies.listening import listened
from derive.studies.plan import Plan
from derive.studies.timetable import Timetable, events, marks, read, runs, thinned

MOST_ROWS = 25
MOST_RUNS = 100  # of equal rates that are all in the table, where they are longer than an epoch
MOST_WORKED = 12  # epochs with a change that are worked in full
MOST_CHECKED = 5_000  # epochs in which the recursion is compared with the closed form
MOST_DRAWN = 1_000
SMALL = 6  # epochs up to which all are worked
TOLERANCE = 1e-30


def study(item: Item, policy: Policy, words: Words) -> Study:
    """The worked study of a file of `derive schedule`."""
    plan = Plan(read(item), policy, words)
    found = (
        listened(plan, plan.table.schedule)
        if isinstance(plan.table.schedule, Plateau)
        else parts(plan, plan.table.schedule)
    )
    sections = [Section("givens", say("section.givens"), (givens(plan),)), *found]
    sections.append(Section("plot", say("section.rates"), (picture(plan),)))
    last = len(plan.floats) - 1
    plan.hold({0, last})
    summary = say("schedule.summary", first=Amount(plan.rate(0)), last=Amount(plan.rate(last)), epoch=last)
    conventions = [say("convention.schedule.epochs")]
    conventions += [] if plan.table.has_base else [say("convention.schedule.no_base")]
    document = plan.desk.document(
        plan.table.name or words.plain("title.schedule", name=title(plan.table.choice.name)),
        sections,
        quantities(plan),
        summary=(summary,),
        conventions=conventions,
        in_force={"schedule": options_in_force(plan.table.choice)},
    )
    return Study(document, plan.desk.calculation, tuple(witnesses(plan, document)))


def title(name: str) -> str:
    """A schedule's name at the head of a page: PyTorch's, where it has one."""
    aliases = (alias for alias in schedules.known if schedules.canonical(alias) == name and alias[:1].isupper())
    return next(aliases, name.replace("_", " "))


# the parts ----------------------------------------------------------------------------------------------------------------
def givens(plan: Plan) -> Table:
    """The base rate, the options in force, the number of epochs."""
    rows: list[tuple[Cell, ...]] = []
    for node in plan.desk.calculation.given:
        name = plan.desk.name(node.id)
        role = say("given.base_rate") if node.id == "base_lr" else say("given.schedule_option", name=node.id)
        rows.append((role, name, Amount(name)))
    known = {name.id for name in plan.table.constants}
    for option, value in options_in_force(plan.table.choice)[plan.table.choice.name].items():
        if option not in known and not isinstance(value, list) and value is not None:
            shown = f"{value:g}" if isinstance(value, float) else str(value).lower()
            rows.append((say("given.schedule_option", name=option), "", shown))
    rows.append((say("given.epochs"), "", str(plan.table.epochs)))
    header = (say("table.role"), say("table.symbol"), say("table.value"))
    return Table("givens", say("table.givens"), header, tuple(rows))


def parts(plan: Plan, schedule: Schedule) -> list[Section]:
    told = Told.of(plan, schedule)
    return [
        Section("rule", say("section.schedule"), rule(plan, schedule)),
        Section("epochs", say("section.epochs"), tuple(worked(plan, schedule, told))),
        Section("changes", say("section.changes"), (changes(plan, told),)),
    ]


@dataclass(frozen=True)
class Told:
    """The epochs that are worked, with what happens in them; how many are left out."""

    epochs: tuple[int, ...]
    why: Mapping[int, str]
    left_out: int

    @classmethod
    def of(cls, plan: Plan, schedule: Schedule) -> Told:
        last = plan.table.epochs - 1
        found = dict(events(plan.floats)) | {e: "milestone" for e in marks(plan.table) if e <= last}
        epochs = sorted(found)
        chosen = epochs[:MOST_WORKED]
        always = {e for e in (0, 1, 2, last) if e <= last} if last >= SMALL else set(range(last + 1))
        return cls(tuple(sorted({*chosen, *always})), found, len(epochs) - len(chosen))


def rule(plan: Plan, schedule: Schedule) -> tuple[Block, ...]:
    """The rule in letters, as a recursion and as a closed form, or why one of them is missing."""
    name = plan.table.choice.name
    more = schedule.epochs is None or schedule.epochs > 1
    now = max([1, *plan.restarts_from(schedule)]) if more else 0  # an epoch in which every formula has its numbers
    plan.hold({0, now, max(now - 1, 0)})
    target = plan.rate(now, "e")
    blocks: list[Block] = [say(f"schedule.{name}")]
    if schedule.closed is not None:
        closed, restarts = plan.restarted(plan.formula(schedule.closed, now), now, values=False)
        lines = ([restarts] if restarts else []) + [Line(target, (Form(closed),), has_value=False)]
        blocks.append(Step("rule/closed", say("step.closed"), (), tuple(lines)))
    else:
        blocks.append(say("schedule.no_closed"))
    if schedule.recursion is None:
        blocks.append(say("schedule.no_recursion"))
    elif more and not (schedule.closed and plan.desk.policy.as_you_go):
        first = Line(plan.rate(0), (Form(bind(schedule.first, plan.letters)),), has_value=False)
        step, _ = plan.restarted(plan.formula(schedule.recursion, now, plan.rate(now - 1, "e−1")), now)
        lines = ([] if schedule.first == BASE else [first]) + [Line(target, (Form(step),), has_value=False)]
        blocks.append(Step("rule/recursion", say("step.recursion"), (), tuple(lines)))
    return tuple(blocks)


def worked(plan: Plan, schedule: Schedule, told: Told) -> Iterator[Block]:
    """Each epoch in which something happens: by the closed form, and by the recursion beside it."""
    recursive = schedule.recursion is not None and not (schedule.closed and plan.desk.policy.as_you_go)
    plan.hold({*told.epochs, *((e - 1 for e in told.epochs if e) if recursive else ())})
    for e in told.epochs:
        found: tuple[Line, ...] = ()
        if schedule.closed is not None:
            found = plan.lines(e, plan.formula(schedule.closed, e))
        if recursive and e:
            assert schedule.recursion is not None
            again = plan.lines(e, plan.formula(schedule.recursion, e))
            found += again if again[-1].forms != (found[-1].forms if found else ()) else ()
        elif schedule.closed is None:
            found = plan.lines(e, plan.formula(schedule.step, e) if e else bind(schedule.first, plan.letters))
        why = (say(f"schedule.why.{told.why[e]}"),) if e in told.why else ()
        plan.desk.values.home.setdefault(f"lr@{e}", f"epochs/{e}")
        yield Step(f"epochs/{e}", say("step.epoch", number=e), why, found)
    if told.left_out:
        yield say("schedule.left_out", count=told.left_out)


def changes(plan: Plan, told: Told) -> Table:
    """Runs of equal rates, where they are few; else some epochs."""
    equal = runs(plan.floats)
    few = len(equal) <= MOST_ROWS or 2 * len(equal) <= min(plan.table.epochs, 2 * MOST_RUNS)
    chosen = [start for start, _ in equal] if few else thinned(plan.table.epochs, told.epochs, MOST_ROWS)
    ends = dict(equal)
    plan.hold(set(chosen))
    rows: list[tuple[Cell, ...]] = [(span(e, ends[e]) if few else str(e), Amount(plan.rate(e))) for e in chosen]
    header = (say("table.epochs" if few else "table.epoch"), Name("lr", (), Symbol("η", sub="e")))
    return Table(
        "changes", say("table.changes" if few else "table.some_epochs"), header, tuple(rows), fold=len(rows) > MOST_ROWS
    )


def span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def picture(plan: Plan) -> Figure:
    """The rate over the epochs; each holds until the next."""
    starts = [start for start, _ in runs(plan.floats)]
    if len(starts) > MOST_DRAWN:
        starts = thinned(plan.table.epochs, events(plan.floats), MOST_DRAWN)
    points = [(float(e), plan.floats[e]) for e in starts]
    points.append((float(plan.table.epochs), plan.floats[-1]))
    heading = plan.desk.words.plain("figure.rates")
    return Figure(
        "rates", say("figure.rates"), Chart(heading, Axis("e"), Axis("η"), (Curve("η", tuple(points), "steps"),))
    )


def quantities(plan: Plan) -> dict[str, Quantity]:
    found = plan.desk.quantities({})
    rate = Name("lr", (), Symbol("η", bold=True), (plan.table.epochs,), scalar=False)
    return {**found, "lr": Quantity("hyper", (plan.table.epochs,), np.array(plan.floats), rate)}


# witnesses ----------------------------------------------------------------------------------------------------------------
def witnesses(plan: Plan, document: Document) -> Iterator[Witness]:
    schedule = plan.table.schedule
    if isinstance(schedule, Schedule) and schedule.closed is not None and schedule.recursion is not None:
        yield recursion(plan.table, schedule)
    yield printed(document)


def recursion(table: Timetable, schedule: Schedule) -> Witness:
    """The rates one from the other against the closed form, with 50 digits."""
    epochs, errors = min(table.epochs, MOST_CHECKED), Errors()
    ours = rates(schedule, table.base, epochs, digits())
    theirs = by_recursion(schedule, table.base, epochs, digits())
    largest = max(float(abs(rate)) for rate in ours)
    for one, other in zip(ours, theirs, strict=True):
        errors.compare(one, other, max(float(abs(one)), 1e-3 * largest, 1e-300))
    note = say("witness.first_epochs", count=f"{epochs:,}") if epochs < table.epochs else None
    return errors.witness("recursion", "lr", TOLERANCE, note)

"""The page of a schedule that listens to a metric: what happened after each epoch, and the rates that came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from derive.algebra import EXACT, digits
from derive.document import Amount, Block, Cell, Form, Line, Say, Section, Step, Table, say
from derive.formula import Name, Symbol, bind
from derive.schedules import BEFORE, Plateau, value
from derive.studies.plan import Plan
from derive.studies.timetable import Heard, thinned, walked

MOST_ROWS = 200  # epochs that are all in the table
MOST_WORKED = 12
FOLDED = 25
BRIEF = 60  # rows of the table of many epochs
OUTCOMES = {"improved": "improved", "reduced": "reduced", "cooling": "cooling", "not": "not_reduced"}


def listened(plan: Plan, plateau: Plateau) -> list[Section]:
    """The rule, the reductions worked, the table of all epochs."""
    heard = walked(plan.table, plateau, plan.desk.policy)
    for e, epoch in enumerate(heard):
        plan.keep(e, digits().number(epoch.rate), epoch.rate)
    reduced = [e for e, epoch in enumerate(heard[:-1]) if epoch.outcome == "reduced"]
    return [
        Section("rule", say("section.schedule"), rule(plan, plateau)),
        Section("epochs", say("section.epochs"), tuple(worked(plan, plateau, heard, reduced))),
        Section("changes", say("section.walk"), (table(plan, plateau, heard, reduced),)),
    ]


def rule(plan: Plan, plateau: Plateau) -> tuple[Block, ...]:
    """When a metric counts as better, and what a reduction does."""
    sample = Name("lr@reduced", (), Symbol("η", sub="e+1"))
    after = value(plateau.reduced, plateau.constants, EXACT, plan.table.base)
    plan.desk.values.hold(sample.id, digits().number(after), after)
    formula = bind(plateau.reduced, {**plan.letters, BEFORE: plan.rate(0, "e")})
    line = Line(sample, (Form(formula),), has_value=False)
    return (
        say("schedule.reduce_on_plateau"),
        say(
            f"plateau.better.{plateau.mode}.{plateau.threshold_mode}",
            threshold=number(plan, "threshold", plateau.threshold),
        ),
        say(
            "plateau.patience",
            patience=plateau.patience,
            cooldown=plateau.cooldown,
            eps=number(plan, "eps", plateau.eps),
        ),
        say("schedule.listens"),
        Step("rule/reduced", say("step.reduced"), (), (line,)),
    )


def worked(plan: Plan, plateau: Plateau, heard: Sequence[Heard], reduced: Sequence[int]) -> Iterator[Block]:
    """Each reduction."""
    for e in reduced[:MOST_WORKED]:
        formula = bind(plateau.reduced, {**plan.letters, BEFORE: plan.rate(e)})
        plan.desk.values.home.setdefault(f"lr@{e + 1}", f"epochs/{e + 1}")
        why = (say("plateau.why", epoch=e, patience=plateau.patience),)
        yield Step(f"epochs/{e + 1}", say("step.epoch", number=e + 1), why, plan.lines(e + 1, formula))
    if not reduced:
        yield say("plateau.never")
    if len(reduced) > MOST_WORKED:
        yield say("schedule.left_out", count=len(reduced) - MOST_WORKED)


def table(plan: Plan, plateau: Plateau, heard: Sequence[Heard], reduced: Sequence[int]) -> Table:
    """What happened after each epoch; of very many, after some."""
    chosen: Sequence[int] = range(len(heard))
    if len(heard) > MOST_ROWS:
        chosen = thinned(len(heard), reduced, BRIEF)
    rows: list[tuple[Cell, ...]] = []
    for e in chosen:
        epoch = heard[e]
        cells = [number(plan, f"{letter}@{e}", x) for letter, x in (("metric", epoch.metric), ("best", epoch.best))]
        rows.append((str(e), Amount(plan.rate(e)), *cells, outcome(plateau, epoch)))
    header = (
        say("table.epoch"),
        Name("lr", (), Symbol("η", sub="e")),
        say("table.metric"),
        say("table.best"),
        say("table.outcome"),
    )
    return Table("changes", say("table.walk"), header, tuple(rows), fold=len(rows) > FOLDED)


def number(plan: Plan, id: str, x: Fraction) -> Amount:
    """A given number in a cell or a sentence."""
    name = Name(id, (), Symbol("m"))
    plan.desk.values.define(name, digits().number(x), x)
    return Amount(name)


def outcome(plateau: Plateau, heard: Heard) -> Say:
    """What came of an epoch's metric."""
    if heard.outcome == "waited":
        return say("plateau.waited", waited=heard.waited, patience=plateau.patience)
    return say(f"plateau.{OUTCOMES[heard.outcome]}")

"""What long training has come to: the loss on the way, and the parameters before and after."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

import numpy as np

from derive.algebra import UNKNOWN, Value
from derive.derivation.teller import Teller
from derive.derivation.update import MOST_OPEN, MOST_ROWS, comparison, looks_equal
from derive.document import Amount, Block, Cell, Figure, Quantity, Say, Section, Table, say
from derive.figures.chart import Axis, Chart, Curve
from derive.formula import Name
from derive.graph import Node, leaf
from derive.ids import timed
from derive.language import Words
from derive.reader import places
from derive.training.loop import Course, LastStep, last_step

MOST_LOSSES = 24  # rows of the table, beside the last
DECADES = 100.0  # the largest loss over the smallest from which on the axis is logarithmic


def told(
    teller: Teller, course: Course, words: Words, known: Mapping[str, Quantity]
) -> tuple[Section, dict[str, Quantity], tuple[Say, ...]]:
    """(the section on training, the quantities of its steps that are not known yet, what is said first)."""
    last = last_step(course)
    hold(teller, course, last)
    return (
        section(teller, course, last, words),
        quantities(teller, course, last, known),
        sentences(teller, course, last),
    )


def hold(teller: Teller, course: Course, last: LastStep) -> None:
    """Makes the numbers of the recorded losses and of the last step known to the page."""
    found: dict[Node, Value] = {loss_at(step): [[loss]] for step, loss in course.losses.items()}
    found |= {node: last.values[node] for node in last.nodes}
    assert last.after.loss is not None
    found[last.after.loss.total] = [[course.loss_after]]
    teller.values.adopt(found)


def loss_at(step: int) -> Node:
    return leaf((1, 1), timed("L", step), "loss")


def sentences(teller: Teller, course: Course, last: LastStep) -> tuple[Say, ...]:
    """The loss at the start and at the end, and why training ended before its time."""
    assert last.after.loss is not None
    found: list[Say] = []
    if course.steps_before:
        found.append(say("trained.resumed", steps=f"{course.steps_before:,}"))
    before, after = (teller.naming.entry(node, 0, 0) for node in (loss_at(1), last.after.loss.total))
    if course.batches.several:
        before = Name("loss before training", (), before.symbol)
        teller.values.define(before, course.loss_before, UNKNOWN)
    if course.made == 1 and not course.batches.several:
        found += comparison(teller)
    else:
        change = course.loss_after - course.loss_before
        key = "trained.fell" if change < 0 else "trained.rose"
        key = "trained.stayed" if looks_equal(teller, before, after) else key
        found.append(say(key, steps=f"{course.made:,}", before=Amount(before), after=Amount(after)))
    if course.batches.several:
        sizes = [model.x.shape[0] for model in course.batches.models]
        samples, size = str(course.batches.whole.x.shape[0]), str(sizes[0])
        found.append(say("trained.batches", samples=samples, size=size, count=str(len(sizes)), last=str(sizes[-1])))
    match course.stopped:
        case "until":
            limit = Name("until")
            teller.values.define(limit, course.until, UNKNOWN)
            found.append(say("trained.until", loss=Amount(limit)))
        case "interrupted":
            found.append(say("trained.interrupted", planned=f"{course.planned:,}"))
        case "diverged":
            culprit = leaf((2, 2), course.culprit, "") if course.culprit != "L" else loss_at(1)
            found.append(say("trained.diverged", name=teller.naming.whole(culprit), step=f"{course.at:,}"))
    return tuple(found)


def section(teller: Teller, course: Course, last: LastStep, words: Words) -> Section:
    blocks: list[Block] = [*sentences(teller, course, last), losses(teller, course, last), curve(course, words)]
    blocks.append(parameters(teller, course, last))
    return Section("training", say("section.training"), tuple(blocks))


def spaced(course: Course) -> list[int]:
    """Some of the recorded steps, the more the earlier."""
    known = sorted(course.losses)
    if len(known) <= MOST_LOSSES:
        return known
    wanted = [course.made ** (i / (MOST_LOSSES - 1)) for i in range(MOST_LOSSES)]
    return sorted({known[min(bisect_left(known, round(step)), len(known) - 1)] for step in wanted})


def losses(teller: Teller, course: Course, last: LastStep) -> Table:
    """The loss after so many steps."""
    assert last.after.loss is not None
    rows = [(f"{step - 1:,}", Amount(teller.naming.entry(loss_at(step), 0, 0))) for step in spaced(course)]
    if not course.batches.several:
        rows.append((f"{course.made:,}", Amount(teller.naming.entry(last.after.loss.total, 0, 0))))
    header = (say("table.steps_done"), teller.naming.entry(loss_at(1), 0, 0))
    return Table("training/L", say("table.course.loss"), header, tuple(rows), fold=len(rows) > MOST_OPEN)


def curve(course: Course, words: Words) -> Figure:
    points = [(float(step - 1), loss) for step, loss in course.losses.items()]
    if not course.batches.several:
        points.append((float(course.made), course.loss_after))
    heights = [loss for _, loss in points]
    log = min(heights) > 0 and max(heights) / min(heights) > DECADES
    title = words.plain("trained.curve")
    axes = Axis(words.plain("table.steps_done")), Axis(words.plain("given.loss"), log=log)
    return Figure("training/curve", say("trained.curve"), Chart(title, *axes, (Curve("L", tuple(points)),)))


def parameters(teller: Teller, course: Course, last: LastStep) -> Table:
    """Every parameter before the first step and after the last."""
    model = teller.model
    pairs = list(zip(model.iterations[0].parameters, last.iteration.parameters, strict=True))
    short = sum(p.shape[0] * p.shape[1] for p, _ in pairs) <= MOST_ROWS
    rows: list[tuple[Cell, ...]] = []
    for first, now in pairs:
        new = last.iteration.updated.get(now)
        frozen = say("table.frozen")
        if short:
            for row, column in places(first):
                name = teller.entry(first, row, column)
                rows.append((name, Amount(name), frozen if new is None else Amount(teller.entry(new, row, column))))
        else:
            whole = teller.naming.whole(first)
            rows.append((whole, Amount(whole, 3), frozen if new is None else Amount(teller.naming.whole(new), 3)))
    header = (say("table.parameter"), say("table.value"), say("trained.after", steps=f"{course.made:,}"))
    return Table("training/parameters", say("trained.parameters"), header, tuple(rows), fold=len(rows) > 40)


def quantities(teller: Teller, course: Course, last: LastStep, known: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Every recorded loss, and all of the last step under its number."""
    model, naming = teller.model, teller.naming
    found = {
        node.id: Quantity(
            node.role,
            model.contract.shape(node),
            model.contract.squeezed(node, np.asarray(teller.values.floats[node.id], dtype=float)),
            naming.whole(node),
        )
        for node in (*map(loss_at, course.losses), *last.nodes)
        if node.id not in known
    }
    assert last.after.loss is not None
    end = last.after.loss.total
    after = Quantity(
        "loss", (), np.asarray(teller.values.floats[end.id], dtype=float).reshape(()), naming.entry(end, 0, 0)
    )
    return {"L@1": known["L"], **found, end.id: after, "L+": after}

"""The update of every parameter, and what it did to the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.algebra import evaluate
from derive.derivation.teller import Teller
from derive.document import Amount, Cell, Line, Say, Step, Table, say
from derive.formula import Name, Symbol, entry
from derive.graph import Node
from derive.ids import kind, place, plain, state
from derive.model import Iteration, Layer
from derive.optimizers import SINGLE
from derive.reader import places, uses

MOST_ROWS = 400
MOST_OPEN = 12  # lines of a step that is not folded
MOST_TABLES = 40  # entries of parameters whose course over the steps is shown


def rate_step(teller: Teller, layer: Layer, prefix: str) -> tuple[Step, ...]:
    """The learning rate of a training step by its schedule, before the first update of it."""
    model = teller.model
    updated = [each for each in model.forward.layers if any(p in model.updated for p in each.parameters)]
    if model.rate is None or not model.letters or not updated or layer is not updated[-1]:
        return ()
    id = f"{prefix}/rate"
    teller.values.home.setdefault(model.rate.id, id)
    return (Step(id, say("step.rate", number=model.now.number), (), teller.lines(model.rate)),)


def steps(teller: Teller, layer: Layer, form: str, prefix: str) -> tuple[Step, ...]:
    """The updates of one layer's parameters, line by line as the optimizer makes them."""
    model, found = teller.model, list[Step]()
    for parameter in layer.parameters:
        if not model.updated:
            continue
        letter = kind(parameter.id)[0]
        id = f"{prefix}/{layer.k}/{place(parameter.id)}"
        title = say(f"step.update.{letter}", k=layer.k)
        if parameter not in model.updated:
            found.append(Step(id, title, (say("update.frozen", name=teller.naming.whole(parameter)),)))
            continue
        nodes = (*model.now.lines[parameter], model.updated[parameter])
        lines = tuple(line for line in in_order(teller, nodes, form))
        for node in nodes:
            teller.values.home.setdefault(node.id, id)
        assert model.spec.optimizer is not None
        why: tuple[Say, ...] = (say(f"update.{model.spec.optimizer.name}"),)
        if model.spec.optimizer.in_force.get("momentum") and model.spec.optimizer.name == "sgd":
            why = (*why, say("update.momentum"), say("optimizer.note.sgd_momentum"))
        found.append(Step(id, title, why, lines, uses(lines, teller.values, id), fold=len(lines) > MOST_OPEN))
    return tuple(found)


def in_order(teller: Teller, nodes: Sequence[Node], form: str) -> Iterator[Line]:
    """Entry by entry, all lines of an entry together; what is one number for all entries comes first."""
    if form == "matrix":
        yield from (teller.matrix_line(node) for node in nodes)
        return
    single = [node for node in nodes if state(node.id)[0] in SINGLE]
    for node in single:
        yield from teller.lines(node)
    for row, column in places(nodes[-1]):
        yield from (teller.line(node, row, column) for node in nodes if node not in single)


def comparison(teller: Teller) -> tuple[Say, ...]:
    """The loss before and after."""
    model = teller.model
    first = model.iterations[0].forward
    if model.after is None or model.after.loss is None or model.symbolic:
        return ()
    assert first.loss is not None
    before, after = (teller.naming.entry(run.loss.total, 0, 0) for run in (first, model.after) if run.loss)
    change = float(teller.values.value(after)) - float(teller.values.value(before))
    key = "loss_after.fell" if change < 0 else "loss_after.rose" if change > 0 else "loss_after.stayed"
    if change and looks_equal(teller, before, after):
        lower, higher = (after, before) if change < 0 else (before, after)
        return (say(f"{key}_little", before=Amount(before), by=Amount(difference(teller, lower, higher))),)
    return (say(key, before=Amount(before), after=Amount(after)),)


def course(teller: Teller) -> tuple[Table, ...]:
    """The loss over the steps, and what every parameter and its optimizer's state went through."""
    model = teller.model
    if len(model.iterations) < 2 or model.symbolic:
        return ()
    losses = [run.loss.total for run in (*(i.forward for i in model.iterations), model.after) if run and run.loss]
    rows = [(str(t), Amount(teller.naming.entry(loss, 0, 0))) for t, loss in enumerate(losses)]
    header = (say("table.steps_done"), teller.naming.entry(losses[0], 0, 0))
    found = [Table("course/L", say("table.course.loss"), header, tuple(rows), fold=len(rows) > MOST_OPEN)]
    entries = [(k, row, column) for k, p in enumerate(model.parameters) for row, column in places(p)]
    changing = [(k, r, c) for k, r, c in entries if model.parameters[k] in model.updated]
    if len(changing) <= MOST_TABLES:
        found += [course_of(teller, *place, fold=len(changing) > 2) for place in changing]
    return tuple(found)


def course_of(teller: Teller, k: int, row: int, column: int, *, fold: bool) -> Table:
    """One entry of a parameter, step by step: its gradient, the optimizer's lines, its new value."""
    model, naming = teller.model, teller.naming
    first = model.iterations[0].parameters[k]
    name = naming.entry(first, row, column)
    gradient = naming.entry(model.iterations[0].gradient[first], row, column)
    letters = [state(node.id)[0] for node in model.iterations[-1].lines[model.iterations[-1].parameters[k]]]
    letters = [letter for letter in letters if letter not in SINGLE and letter != "g"]
    header = (say("table.step"), gradient, *(naming.letter(letter) for letter in letters), name)
    rows: list[tuple[Cell, ...]] = [("0", "", *("" for _ in letters), Amount(name))]
    rows += [(str(i.number), *course_row(teller, i, k, row, column, letters)) for i in model.iterations]
    return Table(f"course/{name.key}", say("table.course.parameter", name=name), header, tuple(rows), fold=fold)


def course_row(
    teller: Teller, iteration: Iteration, k: int, row: int, column: int, letters: Sequence[str]
) -> list[Cell]:
    parameter = iteration.parameters[k]
    by_letter = {state(node.id)[0]: node for node in iteration.lines[parameter]}
    nodes = [
        iteration.gradient[parameter],
        *(by_letter.get(letter) for letter in letters),
        iteration.updated[parameter],
    ]
    return ["" if node is None else Amount(teller.naming.entry(node, row, column)) for node in nodes]


def summary(teller: Teller) -> Table | None:
    """Every parameter with its gradient and its new value."""
    model = teller.model
    if not model.parameters or not model.gradient:
        return None
    size = sum(p.shape[0] * p.shape[1] for p in model.parameters)
    new, short = bool(model.updated), size <= MOST_ROWS
    changes = new and short and hidden_changes(teller)
    header = [say("table.parameter"), say("table.value"), say("table.gradient")]
    header += [say("table.change")] if changes else []
    header += [say("table.updated")] if new else []
    rows = [
        row
        for p in model.parameters
        for row in (entries(teller, p, changes=changes, new=new) if short else whole(teller, p, new))
    ]
    return Table("summary", say("table.summary"), tuple(header), tuple(rows), fold=len(rows) > 40)


def hidden_changes(teller: Teller) -> bool:
    """Whether a change is too small to be seen between a value and the new value as they are shown."""
    for parameter, updated in teller.model.updated.items():
        for row, column in () if teller.model.symbolic else places(parameter):
            old, new = teller.entry(parameter, row, column), teller.entry(updated, row, column)
            if teller.values.value(old) != teller.values.value(new) and looks_equal(teller, old, new):
                return True
    return False


def looks_equal(teller: Teller, one: Name, other: Name) -> bool:
    """Whether two numbers are the same once they are rounded to be shown."""
    first, second = (teller.values.rounded(teller.values.value(name), None) for name in (one, other))
    return first == second


def entries(teller: Teller, parameter: Node, *, changes: bool, new: bool) -> list[tuple[Cell, ...]]:
    model, rows = teller.model, []
    updated = model.updated.get(parameter)
    for row, column in places(parameter):
        name = teller.entry(parameter, row, column)
        gradient = teller.naming.entry(model.gradient[parameter], row, column)
        cells: list[Cell] = [name, Amount(name), Amount(gradient)]
        if changes:
            cells.append(
                "" if updated is None else Amount(difference(teller, name, teller.entry(updated, row, column)))
            )
        if new:
            cells.append(say("table.frozen") if updated is None else Amount(teller.entry(updated, row, column)))
        rows.append(tuple(cells))
    return rows


def difference(teller: Teller, old: Name, new: Name) -> Name:
    """New value minus old, a number of its own."""
    name = Name(f"change to {entry(plain(new.id)[1], new.index)}", (), Symbol("Δ"))
    found = new - old
    teller.values.define(name, evaluate(found, teller.values.value, teller.values.algebra), teller.exactly(found))
    return name


def whole(teller: Teller, parameter: Node, new: bool) -> list[tuple[Cell, ...]]:
    model = teller.model
    nodes = [parameter, model.gradient[parameter]]
    cells: list[Cell] = [teller.naming.whole(parameter), *(Amount(teller.naming.whole(n), 3) for n in nodes)]
    if new:
        updated = model.updated.get(parameter)
        cells.append(say("table.frozen") if updated is None else Amount(teller.naming.whole(updated), 3))
    return [tuple(cells)]

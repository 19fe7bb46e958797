"""The update of every parameter, and what it did to the loss."""

from __future__ import annotations

from derive.algebra import evaluate
from derive.build import Layer
from derive.contract import kind, plain
from derive.derivation.teller import Teller, places, uses
from derive.document import Amount, Cell, Line, Say, Step, Table, say
from derive.formula import Name, Symbol, entry
from derive.graph import Node

MOST_ROWS = 400


def steps(teller: Teller, layer: Layer, form: str, prefix: str) -> tuple[Step, ...]:
    """The updates of one layer's parameters."""
    model, found = teller.model, list[Step]()
    for parameter in (layer.W, layer.b):
        if parameter is None or not model.updated:
            continue
        letter = kind(parameter.id)[0]
        id = f"{prefix}/{layer.k}/{letter}"
        title = say(f"step.update.{letter}", k=layer.k)
        if parameter in model.frozen:
            found.append(Step(id, title, (say("update.frozen", name=teller.naming.whole(parameter)),)))
            continue
        updated = model.updated[parameter]
        lines: tuple[Line, ...] = (teller.matrix_line(updated),) if form == "matrix" else teller.lines(updated)
        teller.values.home.setdefault(updated.id, id)
        assert model.spec.optimizer is not None
        why = (say(f"update.{model.spec.optimizer.name}"),)
        found.append(Step(id, title, why, lines, uses(lines, teller.values, id), fold=len(lines) > 12))
    return tuple(found)


def comparison(teller: Teller) -> tuple[Say, ...]:
    """The loss before and after."""
    model = teller.model
    if model.after is None or model.after.loss is None or model.symbolic:
        return ()
    assert model.forward.loss is not None
    before, after = (teller.naming.entry(run.loss.total, 0, 0) for run in (model.forward, model.after) if run.loss)
    change = float(teller.values.value(after)) - float(teller.values.value(before))
    key = "loss_after.fell" if change < 0 else "loss_after.rose" if change > 0 else "loss_after.stayed"
    if change and looks_equal(teller, before, after):
        lower, higher = (after, before) if change < 0 else (before, after)
        return (say(f"{key}_little", before=Amount(before), by=Amount(difference(teller, lower, higher))),)
    return (say(key, before=Amount(before), after=Amount(after)),)


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

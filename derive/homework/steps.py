"""Steps of an author's own: terms of a sum, an exponential, a share of a gradient, whatever the sheet asks for.

    check:
      steps: {exp_z1: "exp(-z1[1])", part_2: "dL/dz2[2] * w7"}

A step is a formula in the names of the network and of the steps before it. Where it stands in the formula of another
quantity, that one is computed from it: so what follows from a wrong term is followed through.
"""

from __future__ import annotations

from collections.abc import Mapping

from derive import formula as fm
from derive.errors import InputError
from derive.formula import Apply, Formula, Name
from derive.graph import Node, leaf
from derive.homework.circuit import STEP, Circuit, Entry
from derive.homework.forms import form
from derive.homework.symbols import parse_formula
from derive.notation import stepped
from derive.options import text
from derive.source import Item

MOST_STEPS = 500


def with_steps(circuit: Circuit, steps: Mapping[str, Item], *, last: bool = False) -> Circuit:
    """The circuit with the author's own steps in it; `last`: behind all that is there, in the order they are given."""
    if len(steps) > MOST_STEPS:
        raise next(iter(steps.values())).error(f"more than {MOST_STEPS} steps")
    for name, item in steps.items():
        if circuit.find(name) is not None:
            raise item.at_key().error(f"'{name}' is the name of another step already")
        try:
            formula = parse_formula(text(item), circuit.names)
        except InputError as problem:
            where = "" if problem.column is None else f"column {problem.column}: "
            raise item.error(f"{where}{problem.problem}") from None
        circuit = with_step(circuit, leaf((1, 1), name, STEP), formula, last=last)
    return circuit


def with_step(circuit: Circuit, node: Node, formula: Formula, *, last: bool = False) -> Circuit:
    """The circuit with one more entry, behind the last of those it is computed from, and used by those after it."""
    name = Name(node.id, (), stepped(node.id))
    parents = tuple(dict.fromkeys(n.key for n in fm.names(formula)))
    new = Entry(name.key, name, node, 0, 0, formula, parents)
    entries = list(circuit.entries.values())
    place = len(entries) if last else max((circuit.order[key] for key in parents), default=-1)
    before, after = entries[: place + 1], entries[place + 1 :]
    return circuit.of([*before, new, *(used(entry, name, formula) for entry in after)], node, name)


def used(entry: Entry, name: Name, formula: Formula) -> Entry:
    """An entry with a step in the place of its formula, wherever that stands in its own."""
    if entry.formula is None or isinstance(formula, Name):
        return entry
    changed = replaced(entry.formula, name, form(formula))
    if changed is entry.formula:
        return entry
    parents = tuple(dict.fromkeys(n.key for n in fm.names(changed)))
    return Entry(entry.key, entry.name, entry.node, entry.row, entry.column, changed, parents)


def replaced(f: Formula, name: Name, meant: str) -> Formula:
    """A formula with a name for every part in it that is written as meant; not for the whole of it."""
    if not isinstance(f, Apply):
        return f
    args = tuple(name if isinstance(a, Apply) and form(a) == meant else replaced(a, name, meant) for a in f.args)
    if all(new is old for new, old in zip(args, f.args, strict=True)):
        return f
    return Apply(f.head, args, f.axis)

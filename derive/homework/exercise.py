"""What a file gives to be marked by: a network, a study of an optimizer or an average, or a sheet of formulas.

A sheet has no network: `given` are its numbers, `steps` its formulas, in order.

    given: {x: 1, w: 0.5, b: 0.1}
    steps: {z: "w*x + b", a: "tanh(z)"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module

from derive.algebra import Value
from derive.errors import offered
from derive.graph import Node, leaf
from derive.homework.circuit import Circuit
from derive.homework.steps import with_steps
from derive.language import Words
from derive.naming import Naming
from derive.notation import read as read_notation
from derive.notation import stepped
from derive.numerals import Policy as Numbers
from derive.options import described, mapping, number, text
from derive.solution import kept
from derive.source import Item
from derive.spec import Spec
from derive.studies.calculation import Calculation, Symbols
from derive.tensor import Tensor

SHEET = ("name", "id", "given", "steps", "check", "numbers")
#: A key that only files of a study have, and the study.
STUDIES = {"gradients": "optimizer", "function": "optimizer", "values": "ema"}


@dataclass(frozen=True)
class Exercise:
    """name, id: of the assignment · circuit: its numbers · check, numbers: how it is marked and shown, as the file says"""

    name: str
    id: str
    circuit: Circuit
    check: Item | None
    numbers: Item | None = None


def of_network(spec: Spec) -> Circuit:
    """The network of a file as single numbers, with the author's own steps; refuses one that has no numbers."""
    model = kept(spec)
    if model.missing:
        names = ", ".join(node.id for node in model.missing[:3])
        raise spec.item.error(f"answers can only be marked where all numbers are given; there are none for {names}")
    circuit = Circuit(model, Naming(model, read_notation(spec.notation, None)))
    return with_steps(circuit, own_steps(spec.check))


def own_steps(check: Item | None) -> Mapping[str, Item]:
    """The author's own steps, by name."""
    given = {} if check is None else mapping(check)
    return mapping(given["steps"]) if "steps" in given else {}


def without_network(item: Item) -> Exercise | None:
    """The exercise of a file that has no network; None for one that has."""
    top = item.value
    if not isinstance(top, dict) or "layers" in top:
        return None
    found = next((study for key, study in STUDIES.items() if key in top), "")
    if found:
        return of_study(found, item, top)
    return of_sheet(item, top) if "steps" in top and "inputs" not in top else None


def of_study(kind: str, item: Item, top: Mapping[str, Item]) -> Exercise:
    """An optimizer, or an average, worked by itself."""
    rest = {key: value for key, value in top.items() if key not in ("id", "check")}
    study = import_module(f"derive.studies.{kind}").study(replace(item, value=rest), Numbers(), Words("en"))
    circuit = Circuit(study.calculation, Symbols(study.calculation))
    check = top.get("check")
    return Exercise(name_of(top), id_of(top), with_steps(circuit, own_steps(check)), check, top.get("numbers"))


def of_sheet(item: Item, top: Mapping[str, Item]) -> Exercise:
    """A sheet of formulas."""
    for key, value in top.items():
        if key not in SHEET:
            raise value.at_key().error(f"unknown key '{key}'.{offered(key, SHEET, 'Keys of a sheet are')}")
    given: dict[Node, Tensor] = {}
    for name, value in (mapping(top["given"]) if "given" in top else {}).items():
        found = number(value)
        given[leaf((1, 1), name, "input")] = Tensor.of([[found.exact]], [[found.text]])
    steps = mapping(top["steps"])
    if not steps:
        raise top["steps"].error(f"expected {{name: formula}}, not {described(top['steps'])}")
    calculation = Calculation(tuple(given), given)
    circuit = Circuit(calculation, Given(calculation))
    return Exercise(
        name_of(top), id_of(top), with_steps(circuit, steps, last=True), top.get("check"), top.get("numbers")
    )


class Given(Symbols):
    """The numbers of a sheet go by the names their author gives them."""

    def symbol(self, id: str, column: int, *, of_many: bool) -> Value:
        return stepped(id)


def name_of(top: Mapping[str, Item]) -> str:
    return text(top["name"]) if "name" in top else ""


def id_of(top: Mapping[str, Item]) -> str:
    return text(top["id"]) if "id" in top else ""

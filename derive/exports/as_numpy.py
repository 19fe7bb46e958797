"""A network as a NumPy program: every quantity of its page on a line of its own, and the page's numbers beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.exports.spelling import HELPERS, NumPy, definition, names_for
from derive.exports.text import arrays, comment, expected, heading, kinks, labels, lost, opening, results_of, verdict
from derive.formula import Formula, bind
from derive.graph import Leaf, Node
from derive.ids import is_after, kind, step
from derive.language import Words
from derive.model import Model
from derive.ops.base import Elementwise, z
from derive.ops.structural import Linear
from derive.solution import Solution
from derive.spelling import spell

PARTS = {
    **dict.fromkeys(("error", "loss", "penalty"), "loss"),
    **dict.fromkeys(("gradient", "slope"), "backward"),
    **dict.fromkeys(("updated", "state"), "update"),
    "running": "running",
}


def write(solution: Solution, model: Model, words: Words) -> str:
    """The text of the program."""
    nodes = model.all_nodes()
    leaves = [node for node in nodes if isinstance(node.op, Leaf)]
    computed = [node for node in nodes if not isinstance(node.op, Leaf)]
    functions = activations(computed)
    dialect = NumPy(names_for(node.id for node in nodes), {op.body: name for name, op in functions.items()})
    corners = kinks(computed, model, solution)
    body = list(program(computed, model, corners, dialect, words))
    defined = [line for name, op in functions.items() for line in function(name, op, dialect)]
    helpers = [line for name, text in HELPERS.items() if name in dialect.called for line in (*text, "", "")]
    results = {node.id: dialect.variables[node.id] for node in computed if node.id in solution.document.quantities}
    lines = [
        *opening(solution, words, "numpy"),
        *(["import math"] if "erf" in dialect.called else []),
        "import sys",
        "",
        "import numpy as np",
        "",
        'np.seterr(all="ignore")  # ' + words.plain("export.branches"),
        *(["", ""] if helpers or defined else []),
        *helpers,
        *defined,
        *heading(words, "export.given"),
        comment(words.plain("export.rows")),
        *arrays(leaves, model, dialect.variables, "np.array({})", "np.zeros({})"),
        *body,
        *expected(solution, results, set() if corners else lost(model, solution), words),
        *results_of(results),
        *verdict(words, "numpy"),
    ]
    return "\n".join(lines).rstrip() + "\n"


def activations(nodes: Sequence[Node]) -> dict[str, Elementwise]:
    """The activations in use by what they are called: `leaky_relu_2` is the second with other options."""
    found: dict[str, Elementwise] = {}
    for node in nodes:
        op = node.op
        if not isinstance(op, Elementwise) or len(op.parameters) > 1 or op.by_formula:
            continue
        if any(op.body == other.body for other in found.values()):
            continue
        name, number = op.name, 2
        while name in found or name in HELPERS:
            name, number = f"{op.name}_{number}", number + 1
        found[name] = op
    return found


def function(name: str, op: Elementwise, dialect: NumPy) -> list[str]:
    """The definition of an activation."""
    body: Formula = bind(op.body if op.stable is None else op.stable, {})
    dialect.variables.setdefault(z.id, "z")
    return [f"def {name}(z):", f"    return {spell(body, dialect)}", "", ""]


def program(
    nodes: Sequence[Node], model: Model, corners: dict[Node, list[float]], dialect: NumPy, words: Words
) -> Iterator[str]:
    """The lines of the computed quantities, part by part."""
    last = ("", 0)
    group = ""
    for node in nodes:
        part, number = part_of(node), step(node.id)
        if (part, number) != last:
            last, group = (part, number), ""
            several = "step" if len(model.iterations) > 1 else "once"
            yield from heading(words, f"export.{part}.{several}", step=str(number))
        if remark := told(node, words):
            if remark != group:
                yield comment(remark)
            group = remark
        yield from labels(node, model)
        name = dialect.variables[node.id]
        yield f"{name} = {spell(definition(node), dialect)}"
        for at in corners.get(node, ()):
            yield comment(words.plain("export.kink", at=f"{at:g}"))
            yield f"{name} = np.where(np.abs({name} - {at!r}) < 1e-12, {at!r}, {name})"


def part_of(node: Node) -> str:
    """The part of the program in which a quantity is computed."""
    if is_after(node.id) and node.role not in ("updated", "state", "running"):
        return "again"
    return PARTS.get(node.role, "forward")


def told(node: Node, words: Words) -> str:
    """The remark above a line: which layer it belongs to."""
    if isinstance(node.op, Linear) and node.role == "preactivation":
        return words.plain("export.layer", number=kind(node.id)[1])
    if node.role == "gradient":
        letter, number = kind(node.id)
        return words.plain("export.layer", number=number.partition(".")[0]) if letter != "x" else ""
    if node.role == "state":
        return "".join(kind(node.id))
    return ""

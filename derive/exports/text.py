"""What programs of both kinds are made of: remarks, arrays of given numbers, and the comparison with the page.

A program is made of derive's own ids and of numbers. What a user has written (a title, labels) stands in remarks alone,
on one line each, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from derive.algebra import FLOATS, evaluate
from derive.graph import Node
from derive.language import Words
from derive.model import Model
from derive.ops.base import Elementwise
from derive.solution import Solution
from derive.tensor import Floats
from derive.version import __version__

WIDTH = 100
ENCODING = "# -*- coding: utf-8 -*-"  # PEP 263; with it the second line is not looked at
LIBRARIES = {"numpy": "NumPy", "torch": "PyTorch"}


def one_line(text: str) -> str:
    """A text as it may stand in a remark: nothing in it ends the line."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def comment(text: str) -> str:
    return f"# {one_line(text)}"


def heading(words: Words, key: str, **args: str) -> list[str]:
    """The title of a part, on a line that shows where it begins."""
    title = one_line(words.plain(key, **args))
    return ["", f"# {title} {'-' * max(3, WIDTH - 3 - len(title))}"]


def opening(solution: Solution, words: Words, kind: str) -> list[str]:
    """What a reader is told first. The first line is ours: Python would take a title like `coding: …` there for the encoding."""
    told = comment(words.plain("export.by", version=__version__, library=LIBRARIES[kind]))
    return [ENCODING, comment(solution.document.title), "#", told, comment(words.plain("export.run")), ""]


def rows(value: Floats, indent: str = "") -> str:
    """The numbers of a matrix as Python writes them: every one reads back as the same float64."""
    lines = [f"[{', '.join(repr(x) for x in line)}]" for line in np.atleast_2d(value).astype(float).tolist()]
    alone = f"[{', '.join(lines)}]"
    if len(indent) + len(alone) <= WIDTH:
        return alone
    return "[\n" + "".join(f"{indent}    {line},\n" for line in lines) + f"{indent}]"


def arrays(leaves: Iterable[Node], model: Model, variables: Mapping[str, str], form: str, zeros: str) -> list[str]:
    """The given numbers, single ones as numbers; with the author's own names beside them."""
    lines = []
    for node in leaves:
        value = model.given[node].value
        single = node.role == "hyper" and node.shape == (1, 1)
        text = repr(float(value[0, 0])) if single else form.format(rows(value))
        if value.size > 1 and not value.any():
            text = zeros.format(value.shape)
        lines += [*labels(node, model), f"{variables[node.id]} = {text}"]
    return lines


def kinks(nodes: Iterable[Node], model: Model, solution: Solution) -> dict[Node, list[float]]:
    """Where a quantity stands exactly on a kink of what is made of it, and float64 beside it: the quantity, the kinks."""
    floats, found = model.numbers(), dict[Node, list[float]]()
    for node in nodes:
        if not isinstance(node.op, Elementwise) or not node.inputs[0].id:
            continue
        source = node.inputs[0]
        for kink in node.op.kinks:
            at = float(evaluate(kink, lambda name: name, FLOATS))
            exact = solution.document.values.floats[source.id]
            if np.any((exact == at) & (floats[source] != at)):
                found.setdefault(source, []).append(at)
    return found


def lost(model: Model, solution: Solution) -> set[str]:
    """The ids of what is 0 but for rounding, and then divided by something as small: float64 cannot reach the page's numbers."""
    floats, exact = model.numbers(), solution.document.values.floats
    off = {node.id: np.abs(value - exact[node.id]) for node, value in floats.items() if node.id in exact}
    return {id for id, difference in off.items() if (difference > 1e-11 * np.abs(exact[id]) + 1e-13).any()}


def labels(node: Node, model: Model) -> list[str]:
    """The author's own names of a quantity and its entries."""
    found = [model.labels.of[node.id]] if node.id in model.labels.of else []
    found += [name for name, (id, _) in model.labels.entries.items() if id == node.id]
    return [comment(", ".join(found))] if found else []


def expected(solution: Solution, ids: Iterable[str], without: set[str], words: Words) -> list[str]:
    """The page's numbers; of a vector, a row. without: ids that are not compared"""
    wanted = list(ids)
    left_out = [id for id in wanted if id in without]
    remark = [comment(words.plain("export.lost", names=", ".join(left_out)))] if left_out else []
    lines = [*heading(words, "export.page"), *remark, "page = {"]
    for id in (id for id in wanted if id not in without):
        value = solution.document.quantities[id].value
        text = repr(float(value)) if value.ndim == 0 else rows(value, "    ")
        lines.append(f'    "{id}": {text},')
    return [*lines, "}"]


def results_of(results: Mapping[str, str]) -> list[str]:
    lines, line = ["results = {"], "   "
    for id, text in results.items():
        part = f' "{id}": {text},'
        if len(line) + len(part) > WIDTH:
            lines.append(line)
            line = "   "
        line += part
    return [*lines, line, "}"] if results else []


KINDS = {
    "numpy": {"array": "np.array", "of": "np", "size": "size", "shown": "np.array2string(value, precision=9)"},
    "torch": {"array": "torch.tensor", "of": "torch", "size": "numel()", "shown": "value.tolist()"},
}


def verdict(words: Words, kind: str) -> list[str]:
    """Says whether all numbers agree; the words of the program itself are English, as its code is."""
    array, of, size, shown = KINDS[kind].values()
    return [
        *heading(words, "export.verdict"),
        comment(words.plain("export.tolerance")),
        "numbers, wrong = 0, {}",
        "for name, expected in page.items():",
        f"    expected = {array}(expected)",
        f"    found = {of}.reshape(results[name], expected.shape)",
        f"    numbers += expected.{size}",
        "    if not (abs(found - expected) <= 1e-8 * abs(expected) + 1e-10).all():",
        "        wrong[name] = abs(found - expected).max().item()",
        "",
        'if __name__ == "__main__":',
        "    for name, value in results.items():",
        f'        print(name, "=", {shown})',
        '    told = ", ".join(f"{name} by up to {difference:.2g}" for name, difference in wrong.items())',
        '    print(f"these differ from the page: {told}" if wrong else f"all {numbers} numbers agree")',
        "    sys.exit(1 if wrong else 0)",
    ]

"""Reference of notations and canonical ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from derive.build import build
from derive.document import Cell, Section, say
from derive.model import Model
from derive.naming import Naming
from derive.notation import CHOICES, PRESETS
from derive.printers.site import Typed
from derive.site.pages import Page, Site, section, table
from derive.solution import Solution, solve
from derive.spec import load

#: The network in whose letters the notations are compared: a unit of a second layer is the example.
NET = {
    "inputs": 2,
    "layers": [{"linear": {"out": 2}}, "sigmoid", {"linear": {"out": 2}}, "sigmoid"],
    "loss": "mse",
    "optimizer": {"sgd": {"lr": 0.1}},
}
#: What is compared: (id, row, column) of an entry, counted from 0.
COMPARED = (
    ("x", 0, 1), ("t", 0, 1), ("W2", 0, 1), ("b2", 0, 1), ("z2", 0, 1), ("a1", 0, 1), ("a2", 0, 1), ("L", 0, 0),
    ("dL/dz2", 0, 1), ("dL/dW2", 0, 1), ("lr", 0, 0), ("W2+", 0, 1),
)  # fmt: skip
#: Networks whose quantities show all ids there are.
SHOWN: dict[str, tuple[str, str | dict[str, Any]]] = {
    "mazur": ("unit", "mazur"),
    "adam": (
        "state",
        {
            "inputs": [1],
            "targets": [1],
            "layers": [{"linear": {"out": 1, "weight": [[0.5]], "bias": [0]}}],
            "loss": "mse",
            "optimizer": "adam",
            "steps": 2,
        },
    ),
    "batch_norm": ("norm", "batch_norm"),
    "softmax": (
        "jacobian",
        {
            "inputs": [1],
            "targets": [1, 0],
            "layers": [{"linear": {"out": 2, "weight": [[0.5], [0.1]], "bias": [0, 0]}}, "softmax"],
            "loss": "mse",
        },
    ),
}


def pages(site: Site) -> Iterator[Page]:
    for name, made in (("notations", of_notations), ("ids", of_ids)):
        title = site.words.plain(f"site.reference.title.{name}")
        intro = (say(f"site.reference.intro.{name}"),)
        yield Page(f"reference/{name}.html", title, site.sheet(title, list(made(site)), intro))


def of_notations(site: Site) -> Iterator[Section]:
    model = build(load(NET))
    naming = {preset: Naming(model, notation) for preset, notation in PRESETS.items()}
    nodes = {node.id: node for node in model.all_nodes()}
    header = (say("site.head.id"), *(Typed(preset) for preset in PRESETS))
    rows: list[tuple[Cell, ...]] = []
    for id, row, column in COMPARED:
        symbols = [found.entry(nodes[id], row, column, delta=True) for found in naming.values()]
        rows.append((Typed(id_of(model, id, row, column)), *symbols))
    found = table("compared", "notations", (), rows)
    yield section("compared", say("site.reference.compared"), type(found)(found.id, found.title, header, tuple(rows)))
    switches = [
        (Typed(name), Typed(" | ".join(choice or '""' for choice in choices))) for name, choices in CHOICES.items()
    ]
    yield section(
        "switches",
        say("site.reference.switches"),
        say("site.reference.switched"),
        table("switches/table", "switches", ("switch", "values"), switches),
    )


def id_of(model: Model, id: str, row: int, column: int) -> str:
    """The canonical id of an entry."""
    node = next(node for node in model.all_nodes() if node.id == id)
    return next(key for r, c, key in model.contract.entries(node) if (r, c) == (row, column))


def of_ids(site: Site) -> Iterator[Section]:
    rules = [(Typed(example), say(f"site.ids.{key}")) for key, example in GRAMMAR.items()]
    yield section(
        "grammar", say("site.reference.grammar"), table("grammar/table", "grammar", ("id", "meaning"), rows=rules)
    )
    for name, (about, net) in SHOWN.items():
        solution = solve(net, lang=site.language)
        title = say(f"site.ids.of.{about}")
        yield section(
            name, title, table(f"{name}/table", "ids", ("id", "quantity", "role", "shape"), quantities(solution))
        )


#: Ways to speak of a quantity: what is explained -> an example.
GRAMMAR = {
    "whole": "W2",
    "entry": "W2[1,2]",
    "sample": "a1[3,2]",
    "gradient": "dL/dW2",
    "after": "W2+",
    "state": "m.W1",
    "step": "W1@2",
    "last": "W1+@2[1,1]",
    "label": "w5, dL/dw5, w5+",
}


def quantities(solution: Solution) -> Iterator[tuple[Cell, ...]]:
    for id, quantity in solution.document.quantities.items():
        shape = " × ".join(map(str, quantity.shape)) or "1"
        yield Typed(id), quantity.symbol, say(f"site.role.{quantity.role}"), shape

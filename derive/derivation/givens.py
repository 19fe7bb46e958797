"""What is given: the numbers, the layers, the labelled diagram."""

from __future__ import annotations

from collections.abc import Mapping

from derive.derivation.teller import Teller
from derive.dialects.text import Text
from derive.document import Amount, Block, Cell, Figure, Table, say
from derive.figures.network import Column, Edge, Kind, Network, Unit
from derive.formula import Symbol, entry
from derive.graph import Node
from derive.language import Words
from derive.model import Layer
from derive.ops.activations import activations
from derive.optimizers import option_name

MOST_NUMBERED = 6  # edges between two layers up to which their numbers are written at them
MOST_UNITS = 8  # a wider layer is drawn with its first units, dots, and its last


def blocks(teller: Teller, words: Words) -> tuple[Block, ...]:
    figure = diagram(teller, words)
    return (*([Figure("network", say("figure.network"), figure)] if figure else []), numbers(teller), layers(teller))


def numbers(teller: Teller) -> Table:
    """The given numbers, entry by entry, or whole where they are many."""
    model = teller.model
    options = [node for node in model.hyper if node is not model.rate]
    rate = () if model.letters else (model.rate,)
    given = [node for node in (model.x, model.t, *model.parameters, *rate, *options) if node is not None]
    rows: list[tuple[Cell, ...]] = []
    for node in given:
        name = teller.naming.whole(node)
        role = say("given.named", name=option_name(node.id)) if node in options else say(f"given.{node.role}")
        role = say("given.drawn", how=model.drawn_by[node]) if node in model.drawn else role
        if node.id in model.letters:
            role = say("given.base_rate") if node.id == "base_lr" else say("given.schedule_option", name=node.id)
        shape = name.shape or teller.model.contract.shape(node)
        rows.append(
            (
                role,
                name,
                " × ".join(map(str, shape)) or "1",
                say("given.missing") if node in model.missing else Amount(name),
            )
        )
    if model.steps_before:
        rows.append((say("given.steps_before"), "", "", f"{model.steps_before:,}"))
    if model.spec.loss is not None:
        rows.append((say("given.loss"), "", "", with_options(model.spec.loss.name, model.spec.loss.in_force)))
    if model.spec.optimizer is not None and model.updated:
        words = {n: v for n, v in model.spec.optimizer.in_force.items() if v and isinstance(v, (bool, str))}
        rows.append((say("given.optimizer"), "", "", with_options(model.spec.optimizer.name, words)))
    header = (say("table.role"), say("table.symbol"), say("table.shape"), say("table.value"))
    return Table("givens", say("table.givens"), header, tuple(rows))


def with_options(name: str, options: Mapping[str, object]) -> str:
    """A loss or an optimizer with its options, as the file would write them."""
    named = ", ".join(f"{option}: {shown(value)}" for option, value in options.items() if shown(value))
    return f"{name} ({named})" if named else name


def shown(option: object) -> str:
    """An option's value, as the file would write it."""
    if isinstance(option, tuple):
        return ", ".join(map(shown, option))
    return str(option).lower() if isinstance(option, bool) else str(option)


def layers(teller: Teller) -> Table:
    """The layers with their numbers of parameters."""
    rows: list[tuple[Cell, ...]] = []
    total = 0
    for layer in teller.model.forward.layers:
        count = sum(n.shape[0] * n.shape[1] for n in (layer.W, layer.b) if n is not None)
        total += count
        kinds = " → ".join(
            [*(["linear"] if layer.W else []), *(activations.title(choice.name) for choice, _ in layer.activations)]
        )
        sizes = f"{layer.source.shape[1]} → {layer.output.shape[1]}"
        rows.append((str(layer.k), kinds, sizes, str(count)))
    rows.append((say("table.total"), "", "", str(total)))
    header = (say("table.layer"), say("table.kind"), say("table.sizes"), say("table.parameters"))
    return Table("layers", say("table.layers"), header, tuple(rows))


# the diagram --------------------------------------------------------------------------------------------------------------
def diagram(teller: Teller, words: Words) -> Network | None:
    """The network of the first sample, with labels and numbers where there is room."""
    model = teller.model
    weighted = [layer for layer in model.forward.layers if layer.k]
    if not weighted:
        return None
    columns = [column(teller, weighted[0].source, words.plain("figure.inputs"), "input", "")]
    edges: list[Edge] = []
    for layer in weighted:
        last = layer is weighted[-1]
        bias_units, bias_edges = biases(teller, layer)
        columns[-1] = Column(columns[-1].title, (*bias_units, *columns[-1].units), columns[-1].omitted)
        title = words.plain("figure.output") if last else words.plain("figure.hidden", k=layer.k)
        caption = ", ".join(activations.title(choice.name) for choice, _ in layer.activations)
        columns.append(column(teller, layer.output, title, "output" if last else "hidden", caption))
        edges += [*bias_edges, *wires(teller, layer)]
    return Network(tuple(columns), tuple(edges), model.spec.name or words.plain("figure.network"))


def drawn(node: Node) -> list[int]:
    width = node.shape[1]
    return list(range(width)) if width <= MOST_UNITS else [*range(MOST_UNITS - 2), width - 1]


def unit_id(node: Node, column: int) -> str:
    return entry(node.id, (column + 1,))


def column(teller: Teller, node: Node, title: str, kind: Kind, caption: str) -> Column:
    units = tuple(
        Unit(unit_id(node, j), symbol(teller, node, 0, j), value(teller, node, 0, j), kind, caption)
        for j in drawn(node)
    )
    return Column(title, units, omitted=node.shape[1] - len(units))


def symbol(teller: Teller, node: Node, row: int, column: int) -> Symbol:
    found = teller.naming.quantity(node.id, row, column, node.shape)
    if teller.model.contract.batched and node.role in ("input", "activation", "preactivation"):
        if teller.notation.sample == "superscript":
            return Symbol(found.base, found.sub, found.sup.removesuffix("(1)"), found.mark)
        return Symbol(found.base, found.sub.partition(",")[2], found.sup, found.mark)
    return found


def value(teller: Teller, node: Node, row: int, column: int) -> str:
    batch = teller.model.contract.batched and node.role != "parameter"
    if teller.values.symbolic or batch:
        return ""
    name = teller.entry(node, row, column)
    return Text(teller.style).numeral(teller.values.numeral(name))


def biases(teller: Teller, layer: Layer) -> tuple[list[Unit], list[Edge]]:
    """A +1 unit for the bias: one with edges to all; a shared bias carries its symbol, separate ones their edges do."""
    b = layer.b
    if b is None or layer.z is None or layer.z.shape[1] > MOST_UNITS:
        return [], []
    shared = b.id in teller.model.contract.shared
    id = f"bias{layer.k}"
    on = "−1" if teller.notation.bias_as == "threshold" else "+1"
    unit = Unit(
        id, symbol(teller, b, 0, 0) if shared else Symbol(""), value(teller, b, 0, 0) if shared else "", "bias", on
    )
    edges = [
        Edge(
            f"{b.id}[{j + 1}]",
            id,
            unit_id(layer.output, j),
            None if shared else symbol(teller, b, 0, j),
            "" if shared else numbered(teller, layer, b, 0, j),
            f"backward/{layer.k}/b",
        )
        for j in drawn(layer.z)
    ]
    return [unit], edges


def numbered(teller: Teller, layer: Layer, node: Node, row: int, column: int) -> str:
    """The number at an edge, where the edges of its layer are few enough to leave room for it."""
    assert layer.W is not None
    return value(teller, node, row, column) if layer.W.shape[0] * layer.W.shape[1] <= MOST_NUMBERED else ""


def wires(teller: Teller, layer: Layer) -> list[Edge]:
    assert layer.W is not None and layer.z is not None
    return [
        Edge(
            entry(layer.W.id, (j + 1, i + 1)),
            unit_id(layer.source, i),
            unit_id(layer.output, j),
            symbol(teller, layer.W, j, i),
            numbered(teller, layer, layer.W, j, i),
            f"backward/{layer.k}/W",
        )
        for j in drawn(layer.z)
        for i in drawn(layer.source)
    ]

"""Names of quantities in the notation in force: from a node and an entry to the symbol on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, cached_property

from derive.formula import Name, Partial, Symbol, entry
from derive.graph import Leaf, Node
from derive.ids import base, is_after, kind, multiple, split, state, step
from derive.layers import SAMPLED as LAYERED
from derive.layers import STATISTICS
from derive.model import Model
from derive.notation import Notation, labelled, symbol
from derive.optimizers import CONSTANT, OPTIONS, STATES

ROWS = ("b", "weight", "pos_weight", "l", "gamma", "beta", *STATISTICS, "running_mean", "running_var")
MOST_COMPARED = 5_000  # entries whose symbols are compared
SAMPLED = ("a", "z", "p", "x", "n", "y", "drop", "s")  # gradients that are one per sample
MARK = "\u0303"  # a tilde above a letter
PLAIN = {"p": "p||{j}", "u": "u||{j}", "weight": "c||{j}", "pos_weight": "ρ||{j}"}
#: The strengths of penalties whose index is not their id's, and the penalty.
FIXED = {
    "lambda_l1": Symbol("λ", "1"),
    "lambda_l2": Symbol("λ", "2"),
    "lambda_norm": Symbol("λ"),
    "penalty": Symbol("Ω"),
}
HAT, BAR = "\u0302", "\u0304"
ACCENTS = HAT + BAR + MARK


class Naming:
    """Makes the names of one model in one notation."""

    def __init__(self, model: Model, notation: Notation) -> None:
        self.model, self.notation = model, notation
        layers = model.forward.layers
        self.depth = max((layer.k for layer in layers), default=0)
        self.hidden = sum(1 for layer in layers if 0 < layer.k < self.depth)
        self.sizes = {0: model.x.shape[1]} | {layer.k: layer.output.shape[1] for layer in layers if layer.k}
        self.inputs = {layer.k: layer.source.shape[1] for layer in layers if layer.k}
        #: The symbol of an entry (id, row, column, shape) of a quantity that is not a derivative.
        self.quantity: Callable[[str, int, int, tuple[int, ...]], Symbol] = cache(self._quantity)
        #: The template of a letter and its number.
        self.template: Callable[[str, str], str] = cache(self._template)

    def check(self) -> None:
        """Refuses labels and letters under which two quantities would look the same."""
        spec, model = self.model.spec, self.model
        lettered = spec.notation is not None and isinstance(spec.notation.value, dict)
        named = [
            n for n in (model.x, model.t, *model.parameters, *model.forward.nodes, model.rate) if n and kind(n.id)[0]
        ]
        if not (lettered or spec.labels) or sum(n.shape[0] * n.shape[1] for n in named) > MOST_COMPARED:
            return
        seen: dict[Symbol | Partial, str] = {}
        for node in dict.fromkeys(named):
            for row, column, key in model.contract.entries(node):
                symbol = self.quantity(node.id, row, column, node.shape)
                other = seen.setdefault(symbol, key)
                if other == key:
                    continue
                culprit = next(
                    (spec.labels[id] for id in (node.id, other.partition("[")[0]) if id in spec.labels), None
                )
                culprit = spec.notation if culprit is None else culprit
                if culprit is not None:
                    raise culprit.error(f"{other} and {key} would have the same symbol on the page")

    # entries --------------------------------------------------------------------------------------------------------
    def entry(self, node: Node, row: int, column: int, *, delta: bool = False) -> Name:
        """An entry, counted from 0; a gradient by z is δ where `delta` asks for it."""
        index = self.model.contract.index(node, row, column)
        return Name(self.id(node, delta=delta), index, self.symbol(node, row, column, delta=delta))

    def id(self, node: Node, *, delta: bool) -> str:
        """The id behind a name: with a factor in front for what this notation shows a multiple of."""
        of, _ = split(node.id)
        letter, _ = kind(node.id)
        if letter == "b" and self.notation.bias_as == "threshold":
            return multiple(node.id, -1)
        if of != "L" or not delta:
            return node.id
        if self.notation.sign == "descent" and letter == "z":
            return multiple(node.id, -1)
        return multiple(node.id, self.batch_mean) if letter in SAMPLED else node.id

    @cached_property
    def batch_mean(self) -> int:
        """The number of samples the loss is averaged over, in a notation whose gradients are those of single samples."""
        loss = self.model.forward.loss
        samples = self.model.x.shape[0]
        if self.notation.sign != "sample" or loss is None or mixes_samples(self.model):
            return 1
        return samples if loss.factor.denominator % samples == 0 and loss.factor != 1 else 1

    def symbol(self, node: Node, row: int, column: int, *, delta: bool = False) -> Symbol | Partial:
        of, by = split(node.id)
        if not of:
            return self.quantity(node.id, row, column, node.shape)
        letter, number = kind(node.id)
        if of == "L" and delta and letter == "z":
            return self.templated(self.notation.delta, number, row, column, by)
        below = self.quantity(by, row, column, node.shape)
        if of == "L":
            own = letter in SAMPLED and not delta and self.batch_mean != 1
            loss = self.quantity("L", 0, 0, (1, 1))
            return Partial(loss, below, self.notation.d) if own else self.derivative(loss, below)
        return Partial(self.quantity(of, row, column, node.shape), below, self.notation.d)

    def derivative(self, of: Symbol, by: Symbol) -> Symbol | Partial:
        if self.notation.derivative == "prefix":
            return replace(by, base=f"d{by.base}")
        return Partial(of, by, self.notation.d)

    def _quantity(self, id: str, row: int, column: int, shape: tuple[int, ...]) -> Symbol:
        letter, parameter = state(id)
        if letter:
            return self.remembered(letter, parameter, self.quantity(base(parameter), row, column, shape), id)
        plain = base(id)
        if plain in OPTIONS and plain not in self.model.letters:
            return OPTIONS[plain]
        if self.model.letters and (scheduled := self.scheduled(plain, step(id))):
            return scheduled
        mark = self.notation.update if is_after(id) else ""
        if plain in FIXED or plain == "data_loss" or plain.startswith("lambda_"):
            return replace(self.part_of_loss(plain), mark=mark)
        node_index = self.index(plain, row, column, shape)
        label = self.model.labels.of.get(entry(plain, node_index)) or self.model.labels.of.get(plain)
        if label and (node_index == () or entry(plain, node_index) in self.model.labels.of):
            return replace(labelled(label), mark=mark)
        letter, number = kind(plain)
        return replace(self.templated(self.template(letter, number), number, row, column, plain), mark=mark)

    def scheduled(self, id: str, number: int) -> Symbol | None:
        """The rate of a step, or a letter of the schedule's formula; its rates go by the notation's letter."""
        if id == "epoch":
            return Symbol("e")
        rate = symbol(self.notation.rate, {}).base
        if id in ("lr", "base_lr"):
            return Symbol(rate, sub=str(number) if id == "lr" else "0")
        found = self.model.letters.get(id)
        return replace(found, base=rate) if found and found.base == "η" else found

    def part_of_loss(self, id: str) -> Symbol:
        """The strength of a penalty, the penalty, and the loss of the data; a single strength is plain λ."""
        if id == "data_loss":
            return Symbol(self.notation.loss.split("|")[0], sub="data")
        alone = sum(node.id.startswith("lambda") for node in self.model.forward.nodes) == 1
        found = FIXED.get(id) or Symbol("λ", id.removeprefix("lambda_"))
        return replace(found, sub="") if alone else found

    def letter(self, letter: str) -> Name:
        """What an optimizer computes, as the head of a column."""
        return Name(letter, (), self.state_symbol(letter))

    def state_symbol(self, letter: str) -> Symbol:
        """How a letter of an optimizer is written: with a mark where the notation has it for something else."""
        symbol, n = STATES.get(letter, Symbol(letter)), self.notation
        taken = {template.split("|")[0] for template in (n.x, n.target, n.z, n.a, n.error, n.delta, n.weight)}
        return replace(symbol, base=symbol.base + MARK) if symbol.base in taken else symbol

    def remembered(self, letter: str, parameter: str, of: Symbol, id: str) -> Symbol:
        """What an optimizer remembers of a parameter: m of w₅ after step 2 is m with the index w5,2."""
        if letter in CONSTANT:
            return STATES[letter]
        first = next(iter(self.model.iterations)).number
        time = step(id) if "@" in id else first
        return replace(self.state_symbol(letter), sub=f"{of.base}{of.sub},{time}", sup=of.sup, bold=of.bold)

    def index(self, id: str, row: int, column: int, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.model.contract.index(Node(Leaf(), (), shape, id), row, column)

    def _template(self, letter: str, number: str) -> str:
        n = self.notation
        last = number.split(".")[0] == str(self.depth)
        shared = letter + number in self.model.contract.shared
        return {
            "x": n.x,
            "t": n.target,
            "W": n.weight,
            "b": n.shared_bias if shared else n.bias,
            "L": n.loss,
            "l": n.error,
            "z": n.output_z if last and n.output_z else n.z,
            "a": n.output_a if last and n.output_a else n.a,
            "lr": n.rate,
            **PLAIN,
            **self.normalizing(letter + number),
        }[letter]

    def normalizing(self, id: str) -> dict[str, str]:
        """Templates of the quantities of normalizing layers, dropout and residual blocks, placed as z and b are."""
        n = self.notation
        unit, layer = n.bias.split("|", 1)[1], n.shared_bias.split("|", 1)[1]
        sup, sub = layer.split("|") if id in self.model.contract.rowwise else unit.split("|")
        apart = "," if sup[:1] not in ("", "(", "[") else ""  # σ² of layer 1 is not σ to the power 21
        squared = f"2{apart}{sup}|{sub}"
        z, a = (letter if len(letter) == 1 else "" for letter in (n.z.split("|")[0], n.a.split("|")[0]))
        return {
            "gamma": f"γ|{unit}",
            "beta": f"β|{unit}",
            "mean": f"μ|{sup}|{sub}",
            "var": f"σ|{squared}",
            "running_mean": f"μ{BAR}|{unit}",
            "running_var": f"σ{BAR}|{squared}",
            "n": f"{z}{HAT}|{unit}" if z else f"n|{unit}",
            "y": f"{z}{MARK}|{unit}" if z else f"y|{unit}",
            "drop": f"{a}{MARK}|{unit}" if a else f"d|{unit}",
            "mask": f"r|{unit}",
            "s": f"s|{unit}",
            "eps": f"ε|{layer}",
            "momentum": f"ρ|{layer}",
            "chance": f"p|{layer}",
        }

    def templated(self, template: str, number: str, row: int, column: int, id: str) -> Symbol:
        letter, _ = kind(id)
        k = int(number.split(".")[0] or 0)
        named = symbol(template, self.places(k, number, row, column, parameter=letter == "W"))
        if letter == "l" and self.model.forward.loss and self.model.forward.loss.each.shape[1] == 1:
            number = str(row + 1)
            above = self.notation.sample == "superscript"
            return replace(named, sub="", sup=f"({number})") if above else replace(named, sub=number)
        if id in self.model.contract.rowwise:
            return named if not self.model.contract.batched else self.of_sample(named, row)
        if self.model.contract.batched and letter in ("x", "t", "u", "z", "a", "l", "p", *LAYERED):
            return self.of_sample(named, row)
        return named

    def of_sample(self, named: Symbol, row: int) -> Symbol:
        """The symbol of a sample's own quantity."""
        if self.notation.sample == "superscript":
            return replace(named, sup=f"{named.sup}({row + 1})")
        return replace(named, sub=f"{row + 1},{named.sub}" if named.sub else str(row + 1))

    def places(self, k: int, number: str, row: int, column: int, *, parameter: bool) -> dict[str, str]:
        """What the places of a template stand for, for a weight (row: to, column: from) or an entry of a layer."""
        j, i = (row, column) if parameter else (column, 0)
        before = sum(self.inputs[layer] * self.sizes[layer] for layer in range(1, k))
        units = [self.sizes[layer] for layer in range(max(k, 0))]
        shown = str(k - 1 + self.notation.first_layer) + number[len(str(k)) :] if k else "0"
        output = k == self.depth or not number
        unit = f"o{j + 1}" if output else f"h{j + 1}" if self.hidden == 1 else f"h{k}{j + 1}"
        to = sum(units) + j + 1 if k else (sum(list(self.sizes.values())[:-1]) + j + 1)
        width = self.inputs.get(k, 1)
        return {
            "k": shown,
            "j": str(j + 1),
            "i": str(i + 1),
            "u": unit,
            "J": str(to),
            "I": str(sum(units[:-1]) + i + 1),
            "f": str(before + j * width + i + 1),
            "g": str(before + i * self.sizes.get(k, 1) + j + 1),
        }

    # whole quantities -----------------------------------------------------------------------------------------------
    def whole(self, node: Node, *, delta: bool = False) -> Name:
        """The matrix or vector itself, bold; a single number stays an entry."""
        if node.shape == (1, 1) and self.model.contract.shape(node) == ():
            return self.entry(node, 0, 0)
        shape = node.shape[::-1] if self.turned(node.id) else node.shape
        return Name(self.id(node, delta=delta), (), self.whole_symbol(node, delta=delta), shape, scalar=False)

    def whole_symbol(self, node: Node, *, delta: bool) -> Symbol | Partial:
        of, by = split(node.id)
        letter, number = kind(node.id)
        if of == "L" and delta and letter == "z":
            return self.bold(self.notation.delta, number, matrix=self.model.contract.batched)
        below = self.bold_quantity(by)
        if not of:
            return below
        if of == "L":
            own = letter in SAMPLED and not delta and self.batch_mean != 1
            loss = self.quantity("L", 0, 0, (1, 1))
            return Partial(loss, below, self.notation.d) if own else self.derivative(loss, below)
        return Symbol("D", *self.layer_place(number), bold=True)  # the slopes of all units of a layer

    def layer_place(self, number: str) -> tuple[str, str]:
        """(subscript, superscript) of a whole quantity of a layer."""
        named = self.bold(self.notation.a, number, matrix=False)
        return named.sub, named.sup

    def bold_quantity(self, id: str) -> Symbol:
        letter, parameter = state(id)
        if letter:
            return self.remembered(letter, parameter, self.bold_quantity(base(parameter)), id)
        plain = base(id)
        mark = self.notation.update if is_after(id) else ""
        if label := self.model.labels.of.get(plain):
            return replace(labelled(label), mark=mark, bold=True)
        letter, number = kind(plain)
        if letter == "l":  # the vector of losses must not look like the loss
            one, whole = (self.template(kind, "").split("|")[0] for kind in ("l", "L"))
            return Symbol("ℓ" if one == whole else one, bold=True, mark=mark)
        row = letter in ROWS or plain in self.model.contract.rowwise
        matrix = letter == "W" or (self.model.contract.batched and not row)
        return replace(self.bold(self.template(letter, number), number, matrix=matrix), mark=mark)

    def bold(self, template: str, number: str, *, matrix: bool) -> Symbol:
        letter, sup, _ = template.split("|")
        k = int(number.split(".")[0] or 0)
        places = {"k": str(k - 1 + self.notation.first_layer) + number[len(str(k)) :] if k else "0"}
        layered = sup.replace("{k}", places["k"])
        plain, accent = letter.rstrip(ACCENTS), letter[len(letter.rstrip(ACCENTS)) :]
        capital = matrix and plain.isascii() and (len(plain) == 1 or plain == "dz")
        base = plain[:-1] + plain[-1].upper() + accent if capital else letter
        return Symbol(base, "" if layered or not number else places["k"], layered, bold=True)

    def turned(self, id: str) -> bool:
        """Whether the matrix is shown transposed: samples as columns, or weights as (in, out)."""
        letter, _ = kind(id)
        return (letter == "W") == (self.notation.layout == "rows") and letter not in ("L", "lr")

    def partial(self, u: Name, v: Name) -> Name:
        """∂u/∂v of two entries: a factor of a chain."""
        assert isinstance(u.symbol, Symbol) and isinstance(v.symbol, Symbol)
        return Name(f"d{u.key}/d{v.key}", (), Partial(u.symbol, v.symbol, self.notation.d))


def mixes_samples(model: Model) -> bool:
    """Whether one sample's output depends on the others: then no gradient is that of a sample alone."""
    stages = [stage for layer in model.forward.layers for stage in layer.stages]
    return any(stage.name == "batch_norm" and stage.running for stage in stages)

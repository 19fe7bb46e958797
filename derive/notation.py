"""The notation in force: which letter stands for what, how matrices lie, where signs go.

A preset is a table of templates `letter|superscript|subscript` with the places {k} layer, {j} unit, {i} unit of the
layer before, {n} sample, {u} the unit's own name (h1, o1), {f} a weight's running number, {J} and {I} units numbered
through the whole network. Every entry of the table is also a switch of its own in net.yaml.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any

from derive.errors import nearest
from derive.formula import Partial, Symbol
from derive.options import mapping, text
from derive.source import Item

Letter = str


@dataclass(frozen=True)
class Notation:
    """One family of symbols and conventions.

    x, target, z, a, weight, bias, shared_bias, loss, error: letters of the quantities, as templates
    delta: δ of a layer, ∂L/∂z · rate: the learning rate · update: the mark of an updated value
    layout: `columns` (z = Wx + b, samples are columns) or `rows` (z = xW + b, W is (in, out))
    derivative: `fraction` (∂L/∂w) or `prefix` (dw) · d: ∂ or d · sign: `gradient`; `descent` for δ = −∂L/∂z; `sample` for dz = m·∂J/∂z, the gradient of a sample's own loss
    times: · or × or nothing · log: ln or log · first_layer: the number of the first layer with weights
    sample: where the number of a sample stands, `subscript` or `superscript` · bias_as: `b`, `weight` (w₀·1) or `threshold` (θ on −1)
    """

    preset: str = "standard"
    x: Letter = "x||{j}"
    target: Letter = "t||{j}"
    z: Letter = "z|({k})|{j}"
    a: Letter = "a|({k})|{j}"
    weight: Letter = "w|({k})|{j}{i}"
    bias: Letter = "b|({k})|{j}"
    shared_bias: Letter = "b|({k})|"
    loss: Letter = "L||"
    error: Letter = "ℓ||{j}"
    delta: Letter = "δ|({k})|{j}"
    rate: Letter = "η||"
    update: str = "+"
    layout: str = "columns"
    derivative: str = "fraction"
    d: str = "∂"
    sign: str = "gradient"
    times: str = "·"
    log: str = "ln"
    first_layer: int = 1
    sample: str = "subscript"
    bias_as: str = "b"
    output_z: Letter = ""
    output_a: Letter = ""


LETTERS = ("x", "target", "z", "a", "weight", "bias", "shared_bias", "loss", "error", "delta", "rate")
CHOICES = {
    "layout": ("columns", "rows"),
    "derivative": ("fraction", "prefix"),
    "d": ("∂", "d"),
    "sign": ("gradient", "descent", "sample"),
    "times": ("·", "×", ""),
    "log": ("ln", "log"),
    "bias_as": ("b", "weight", "threshold"),
    "update": ("+", "new", "′"),
    "first_layer": ("0", "1", "2"),
    "sample": ("subscript", "superscript"),
}
#: Other words people use for the same switches.
SYNONYMS = {
    "L": "loss",
    "E": "loss",
    "C": "loss",
    "J": "loss",
    "η": "rate",
    "lr": "rate",
    "α": "rate",
    "t": "target",
    "w": "weight",
    "W": "weight",
    "b": "bias",
    "δ": "delta",
    "activation": "a",
    "preactivation": "z",
}
ORDERS = {"to-from": "{j}{i}", "from-to": "{i}{j}"}
NUMBERINGS = {"target": "w||{f}", "source": "w||{g}"}

PRESETS: dict[str, Notation] = {
    "standard": Notation(),
    "mazur": Notation(
        x="i||{j}",
        target="target||{u}",
        z="net||{u}",
        a="out||{u}",
        weight="w||{f}",
        bias="b||{u}",
        shared_bias="b||{k}",
        loss="E||total",
        error="E||{u}",
        delta="δ||{u}",
    ),
    "nielsen": Notation(
        target="y||{j}",
        z="z|{k}|{j}",
        a="a|{k}|{j}",
        weight="w|{k}|{j}{i}",
        bias="b|{k}|{j}",
        shared_bias="b|{k}|",
        loss="C||",
        error="C||{j}",
        delta="δ|{k}|{j}",
        first_layer=2,
    ),
    "ng": Notation(
        target="y||{j}",
        z="z|[{k}]|{j}",
        a="a|[{k}]|{j}",
        weight="w|[{k}]|{j}{i}",
        bias="b|[{k}]|{j}",
        shared_bias="b|[{k}]|",
        loss="J||",
        error="ℒ||{j}",
        delta="dz|[{k}]|{j}",
        sign="sample",
        sample="superscript",
        rate="α||",
        derivative="prefix",
        log="log",
        times="",
    ),
    "d2l": Notation(
        target="y||{j}",
        a="h|({k})|{j}",
        loss="J||",
        log="log",
        output_z="o||{j}",
        output_a="ŷ||{j}",
    ),
    "bishop": Notation(
        z="a|({k})|{j}",
        a="z|({k})|{j}",
        loss="E||",
        error="E||{j}",
    ),
    "haykin": Notation(
        x="x||{j}",
        target="d||{J}",
        z="v||{J}",
        a="y||{J}",
        weight="w||{J}{I}",
        bias="θ||{J}",
        shared_bias="θ|({k})|",
        loss="E||",
        error="E||{J}",
        delta="δ||{J}",
        sign="descent",
        bias_as="threshold",
    ),
    "rows": Notation(target="t||{j}", weight="w|({k})|{i}{j}", rate="lr||", layout="rows", d="d"),
}
PRESETS = {name: replace(notation, preset=name) for name, notation in PRESETS.items()}


def read(item: Item | None, preset: str | None = None) -> Notation:
    """The notation a file asks for; `preset` (from the command line) takes the place of the file's."""
    if item is None:
        return PRESETS[preset or "standard"]
    if not isinstance(item.value, dict):
        return PRESETS[preset or known_preset(item)]
    entries = dict(mapping(item))
    chosen = entries.pop("preset", None)
    notation = PRESETS[preset or (known_preset(chosen) if chosen else "standard")]
    for key, value in entries.items():
        notation = switched(notation, key, value)
    return notation


def known_preset(item: Item) -> str:
    name = text(item)
    if name not in PRESETS:
        raise item.error(f"unknown notation '{name}'.{nearest(name, PRESETS)}")
    return name


def switched(notation: Notation, key: str, item: Item) -> Notation:
    """The notation with one switch set."""
    key = SYNONYMS.get(key, key)
    value = text(item) if not (item.value is None and key == "times") else ""
    if key == "index_order":
        return replace(notation, weight=template_with(notation.weight, one_of(value, ORDERS, item)))
    if key == "numbering":
        return replace(notation, weight=one_of(value, NUMBERINGS, item))
    known = [field.name for field in fields(Notation)] + ["index_order", "numbering"]
    if key not in known or key == "preset":
        raise item.at_key().error(f"unknown notation switch '{key}'.{nearest(key, known)}")
    if key in CHOICES:
        if value not in CHOICES[key]:
            raise item.error(f"expected one of {', '.join(c or 'nothing' for c in CHOICES[key])}")
        chosen: dict[str, Any] = {key: int(value) if key == "first_layer" else value}
        return replace(notation, **chosen)
    if not value.strip():
        raise item.error("an empty letter")
    return replace(notation, **lettered(notation, key, value.strip()))


def one_of(value: str, table: dict[str, str], item: Item) -> str:
    if value not in table:
        raise item.error(f"expected one of {', '.join(table)}.{nearest(value, table)}")
    return table[value]


def template_with(template: str, indices: str) -> str:
    letter, sup, sub = template.split("|")
    return f"{letter}|{sup}|{indices if '{j}' in sub else sub}"


def lettered(notation: Notation, key: str, letter: str) -> dict[str, Any]:
    """A new letter in the place of the old one; losses per output go with the loss."""

    def swap(name: str) -> str:
        _, *places = (getattr(notation, name) or "||{j}").split("|")
        return "|".join([letter.replace("|", "¦").replace("{", "(").replace("}", ")"), *places])

    names = {"loss": ("loss", "error"), "bias": ("bias", "shared_bias")}.get(key, (key,))
    return {name: swap(name) for name in names}


def symbol(template: str, places: dict[str, str]) -> Symbol:
    """A template filled in; indices of more than one digit are kept apart by commas."""
    letter, sup, sub = template.split("|")
    found = re.findall(r"\{(\w)\}", sub)
    if sum(len(places[place]) for place in found) > len(found):
        sub = sub.replace("}{", "},{")
    return Symbol(letter, filled(sub, places), filled(sup, places))


def filled(template: str, places: dict[str, str]) -> str:
    return re.sub(r"\{(\w)\}", lambda place: places[place[1]], template)


def stepped(name: str) -> Symbol | Partial:
    """The name of a step as its author spells it: dL_dW2 is ∂L/∂W₂, Wx_t2 is W with indices x and t2."""
    if match := re.fullmatch(r"d(?P<of>[^\W\d_]{1,2}\d*)[_/]d(?P<by>[^\W\d_]\w*)", name):
        return Partial(indexed(match["of"]), indexed(match["by"]))
    return indexed(name)


def indexed(name: str) -> Symbol:
    """A name with every part behind an underscore as an index; of two letters as in Wx the second is one too."""
    first, *more = name.split("_")
    pair = re.fullmatch(r"(?P<base>[A-Z])(?P<sub>[a-z]\d*)", first)
    symbol = Symbol(pair["base"], pair["sub"]) if pair else labelled(first)
    return replace(symbol, sub=",".join(filter(None, (symbol.sub, *more)))) if first else Symbol(name)


def labelled(label: str) -> Symbol:
    """The author's label as a symbol: w5 is w with index 5, net_h1 is net with index h1."""
    match = re.fullmatch(r"(?P<base>[^\W\d_]+)_?\{?(?P<sub>[A-Za-z]*\d*(?:,\d+)*)\}?", label)
    if match and (match["sub"] or len(match["base"]) <= 12):
        plain = match["base"], match["sub"]
        return Symbol(*plain)
    match = re.fullmatch(r"(?P<base>[^\W\d_]+)_\{?(?P<sub>\w+)\}?", label)
    return Symbol(match["base"], match["sub"]) if match else Symbol(label)

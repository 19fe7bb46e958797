"""What rules of mistakes are written with: one step of the computation, and the wrong formulas it may be given.

A rule is a function from a `Step` to the formulas a mistake would put in the place of the right one, in the same names.
So the same rule says what a number would have been, what a formula would have been, and what stands in the feedback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from derive import formula as fm
from derive.formula import Apply, Formula, Name, Number
from derive.graph import Node, Op
from derive.homework.circuit import Circuit, Entry, kind_of
from derive.ids import after, derivative, split, timed
from derive.ids import step as when
from derive.model import Layer, Model

Rule = Callable[["Step"], Iterable[Formula]]
PARTS = "FLSBOENDCX"  # the parts of the list of misconceptions, in its order
MOST = 10  # formulas of a rule for one thing that may be any of several: the other units of a wide layer

MANY = 20  # wrong formulas of one rule at one step, at most
WIDE = 32  # terms of sums that are put into one another, at most: their formulas grow with the square


@dataclass(frozen=True)
class Mistake:
    """A rule by its id in the list of misconceptions, `B1`.

    on:     the kinds of entries it may happen at (`Entry.kind`); none: any that is computed
    prior:  1 common … 3 rare · lesson: the topic in which what is right is derived
    """

    id: str
    rule: Rule
    on: frozenset[str]
    prior: int
    lesson: str

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the list."""
        return PARTS.index(self.id[0]), int(self.id[1:])

    def at(self, step: Step) -> list[Formula]:
        """The formulas it gives at a step, those that are not the right one."""
        found = dict.fromkeys(self.rule(step))
        return [f for f in found if f != step.formula]


class Library:
    """All rules, by id, in the order of the list."""

    def __init__(self) -> None:
        self.rules: dict[str, Mistake] = {}
        self._by_kind: dict[str, list[Mistake]] = {}

    def __call__(self, id: str, *on: str, prior: int = 2, lesson: str = "") -> Callable[[Rule], Rule]:
        def register(rule: Rule) -> Rule:
            assert id not in self.rules, f"rule {id} is defined twice"
            self.rules[id] = Mistake(id, rule, frozenset(on), prior, lesson)
            return rule

        return register

    def of(self, kind: str) -> list[Mistake]:
        """The rules that may apply to a kind of entry."""
        if kind not in self._by_kind:
            self._by_kind[kind] = [m for m in self if not m.on or kind in m.on]
        return self._by_kind[kind]

    def __iter__(self) -> Iterator[Mistake]:
        return iter(sorted(self.rules.values(), key=lambda mistake: mistake.place))


mistakes = Library()


@dataclass(frozen=True)
class Step:
    """One computed entry as a rule sees it: its formula, and what stands around it in the network.

    Rows and columns count from 0: row = sample, column = unit; of a weight W[row = to, column = from].
    """

    circuit: Circuit
    entry: Entry
    _cache: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def formula(self) -> Formula:
        assert self.entry.formula is not None
        return self.entry.formula

    @property
    def kind(self) -> str:
        return self.entry.kind

    @property
    def node(self) -> Node:
        return self.entry.node

    @property
    def row(self) -> int:
        return self.entry.row

    @property
    def column(self) -> int:
        return self.entry.column

    @property
    def model(self) -> Model | None:
        """The network; None where it is a calculation without one."""
        found = self.circuit.quantities
        return found if isinstance(found, Model) else None

    # what stands in the formula ---------------------------------------------------------------------------------------
    @cached_property
    def names(self) -> tuple[Name, ...]:
        """The names in the formula, each once, in order."""
        return tuple(dict.fromkeys(fm.names(self.formula)))

    def used(self, *kinds: str) -> list[Name]:
        """Those of some kinds: `step.used("b")` the bias of a pre-activation."""
        return [name for name in self.names if self.circuit.entries[name.key].kind in kinds]

    def entry_of(self, name: Name) -> Entry:
        return self.circuit.entries[name.key]

    def behind(self, name: Name) -> Formula:
        """The formula by which another entry is computed; its name where it is given."""
        return self.circuit.entries[name.key].formula or name

    # what stands around it --------------------------------------------------------------------------------------------
    def named(self, id: str, row: int = 0, column: int = 0) -> Name | None:
        """The name of an entry of another quantity, or None where there is none such."""
        node = self.circuit.nodes.get(id)
        if node is None or not (0 <= row < node.shape[0] and 0 <= column < node.shape[1]):
            return None
        found: Name = self.circuit.array(node)[row, column]
        return found

    def all_of(self, id: str) -> list[Name]:
        """The names of all entries of a quantity; none where there is no such quantity."""
        node = self.circuit.nodes.get(id)
        return [] if node is None else list(self.circuit.array(node).ravel())

    def others(self, name: Name) -> list[Name]:
        """The other entries of the quantity a name belongs to."""
        return [other for other in self.all_of(name.id) if other != name]

    def alike(self, name: Name) -> list[Name]:
        """The entries of all quantities of a name's kind in the same training step, its own quantity's first: all biases."""
        at = self.entry_of(name)
        found = [
            node for node in self.circuit.nodes.values() if (kind_of(node.id), when(node.id)) == (at.kind, at.step)
        ]
        found.sort(key=lambda node: node.id != name.id)
        return [other for node in found for other in self.circuit.array(node).ravel() if other != name]

    def across(self, id: str, axis: int) -> list[Name]:
        """A quantity's entries in this one's column, of all samples (axis 0), or in its row, of all units (1)."""
        array = self.circuit.array(self.circuit.nodes[id])
        return list(array[:, self.column] if axis == 0 else array[self.row])

    @property
    def op(self) -> Op:
        """What it is computed by."""
        return self.node.op

    @property
    def source(self) -> Name | None:
        """The entry in the same place of what it is computed from first: z of an activation."""
        return self.source_of(self.entry.name)

    def source_of(self, name: Name) -> Name | None:
        """The same of another entry: the score z behind a probability p."""
        at = self.entry_of(name)
        return self.named(at.node.inputs[0].id, at.row, at.column)

    def beside(self, name: Name) -> list[Name]:
        """The other entries of the row a name belongs to: those of the other units."""
        at = self.entry_of(name)
        found = (self.named(name.id, at.row, column) for column in range(at.node.shape[1]))
        return [other for other in found if other is not None and other != name]

    def elsewhere(self, id: str) -> list[str]:
        """The ids of the quantities of the same kind in the other layers, in the same training step."""
        kind = kind_of(id)
        return [o for o in self.circuit.nodes if o != id and kind_of(o) == kind and when(o) == when(id)]

    @property
    def linear(self) -> Layer | None:
        """The linear layer whose weights or biases the step belongs to."""
        parameter = split(self.entry.node.id)[1]
        layers = [] if self.model is None else self.model.iterations[self.entry.step - 1].forward.layers
        return next((layer for layer in layers for p in (layer.W, layer.b) if p and p.id == parameter), None)

    @property
    def samples(self) -> int:
        """How many samples are worked at once."""
        return 1 if self.model is None else self.model.forward.output.shape[0]

    def id(self, letter: str, layer: str | int, *, by: bool = False) -> str:
        """The id of a quantity of a layer in the same training step: `z1`, or with `by` the derivative `dL/dz1`."""
        plain = timed(f"{letter}{layer}", self.entry.step)
        return derivative("L", plain) if by else plain

    def updated(self, name: Name) -> Name | None:
        """A parameter's entry after the update of its step."""
        at = self.entry_of(name)
        return self.named(after(name.id), at.row, at.column)

    # wrong formulas ---------------------------------------------------------------------------------------------------
    def put(self, values: Mapping[Name, Formula | int]) -> Formula:
        """The formula with some names replaced."""
        return fm.bind(self.formula, {name: fm.formula(value) for name, value in values.items()})

    def without(self, *names: Name) -> Formula:
        """The formula without some factors: they are taken to be 1."""
        return self.put(dict.fromkeys(names, 1))

    def rewritten(self, change: Callable[[Apply], Formula | None]) -> Formula:
        """The formula with every part replaced for which `change` gives another, from the inside outwards."""
        return rewritten(self.formula, change)

    @property
    def terms(self) -> tuple[Formula, ...]:
        """The terms of a sum; the formula alone where it is none."""
        return fm.parts(self.formula, "add")


def rewritten(f: Formula, change: Callable[[Apply], Formula | None]) -> Formula:
    """A formula with every part replaced for which `change` gives another, from the inside outwards."""
    if not isinstance(f, Apply):
        return f
    made = fm.rebuild(f.head, tuple(rewritten(arg, change) for arg in f.args), f.axis)
    if isinstance(made, Apply) and (found := change(made)) is not None:
        return found
    return made


def numbered(value: int | fm.Fraction) -> Number:
    """A constant in a wrong formula."""
    return Number(fm.Fraction(value))

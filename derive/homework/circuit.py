"""A calculation as single numbers: every entry of every named quantity, with its formula in the entries before it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property
from typing import Protocol

import numpy as np

from derive.algebra import EXACT, UNKNOWN, Value, evaluate
from derive.errors import InputError
from derive.formula import Formula, Name, names
from derive.graph import Node, expand
from derive.homework.compute import numbers
from derive.homework.ladder import Reference
from derive.homework.names import Names
from derive.ids import kind, state, step, untimed
from derive.numerals import Policy
from derive.values import Quantities, Values, as_decimal

MOST_ENTRIES = 3_000  # more numbers than anybody is asked for
MOST_TERMS = 100_000  # names in all their formulas
STEP = "step"  # the role of a step of the author's own
PARAMETERS = ("W", "b", "gamma", "beta", "theta", "running_mean", "running_var")
_NUMBERS = re.compile(r"(?<=[A-Za-z])\d+(?:\.\d+)?")


class Naming(Protocol):
    """What gives entries their symbols on the page."""

    def entry(self, node: Node, row: int, column: int, *, delta: bool = False) -> Name: ...


@dataclass(frozen=True, eq=False)
class Entry:
    """One number of the calculation.

    key:     its canonical id, `dL/dW2[1,1]` · name: the same in formulas, with its symbol · row, column: from 0
    formula: in the names of other entries; None where it is given · parents: the keys of these, in order
    """

    key: str
    name: Name
    node: Node
    row: int
    column: int
    formula: Formula | None
    parents: tuple[str, ...]

    @property
    def given(self) -> bool:
        return self.formula is None

    @property
    def kind(self) -> str:
        """What it is, whatever its layer and step: `z`, `dL/dz`, `da/dz`, `dL/dW`, `W+`, `m` (of a state), `l`, `L`."""
        return STEP if self.node.role == STEP else kind_of(self.node.id)

    @property
    def layer(self) -> str:
        """The number of its layer: `1` of `dL/dW1`, `1.2` of `a1.2`, of a state that of its parameter; "" without one."""
        return kind(self.node.id)[1]

    @property
    def step(self) -> int:
        """The training step it belongs to, counted from 1."""
        return step(self.node.id)


class Circuit:
    """A model, or another calculation, as entries in the order of computation.

    Raises InputError where there are no numbers, or more than can be marked.
    """

    def __init__(self, quantities: Quantities, naming: Naming) -> None:
        self.quantities, self.naming = quantities, naming
        self.nodes = {node.id: node for node in quantities.all_nodes() if is_number(node.id)}
        size = sum(node.shape[0] * node.shape[1] for node in self.nodes.values())
        if size > MOST_ENTRIES:
            raise InputError(f"{size:,} numbers are too many to be marked one by one; at most {MOST_ENTRIES:,}")
        self._names: dict[Node, Value] = {}
        self._references: dict[str, Reference] = {}
        self._wrong: dict[str, list[tuple[str, Formula]]] = {}
        self.entries: dict[str, Entry] = {found.key: found for found in self._entries()}

    def of(self, entries: Sequence[Entry], node: Node, name: Name) -> Circuit:
        """The same calculation with a step of the author's own among its entries."""
        made = Circuit.__new__(Circuit)
        made.quantities, made.naming = self.quantities, self.naming
        made.nodes = {**self.nodes, node.id: node}
        made._names = {**self._names, node: np.full((1, 1), name, dtype=object)}
        made._references, made._wrong = {}, {}
        made.entries = {entry.key: entry for entry in entries}
        made.values = self.values
        formula = made.entries[name.key].formula
        assert formula is not None
        value = evaluate(formula, self.values.value, self.values.algebra)
        exact = evaluate(formula, self.values.known_exactly, EXACT) if self.values.exact else UNKNOWN
        self.values.hold(node.id, value, exact)
        return made

    @cached_property
    def order(self) -> dict[str, int]:
        """Key -> its place in the order of computation."""
        return {key: place for place, key in enumerate(self.entries)}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """All keys, in the order of computation."""
        return tuple(self.entries)

    def _entries(self) -> Iterator[Entry]:
        terms = 0
        for node in self.nodes.values():
            formulas: Value = None
            if node.inputs:
                formulas = np.broadcast_to(np.asarray(expand(node, self.array), dtype=object), node.shape)
            for row, column in np.ndindex(node.shape):
                formula: Formula | None = None if formulas is None else formulas[row, column]
                parents = () if formula is None else tuple(dict.fromkeys(name.key for name in names(formula)))
                terms += len(parents)
                if terms > MOST_TERMS:
                    raise InputError("the formulas of this network are too long to be marked by")
                name = self.array(node)[row, column]
                yield Entry(name.key, name, node, row, column, formula, parents)

    def array(self, node: Node) -> Value:
        """The names of all entries of a quantity."""
        if node not in self._names:
            found = np.empty(node.shape, dtype=object)
            for row, column in np.ndindex(node.shape):
                index = self.quantities.contract.index(node, row, column)
                found[row, column] = Name(node.id, index, self.naming.entry(node, row, column).symbol)
            self._names[node] = found
        return self._names[node]

    # numbers ----------------------------------------------------------------------------------------------------------
    @cached_property
    def values(self) -> Values:
        """The right numbers, with 50 digits where the network is small enough."""
        return Values(self.quantities, Policy())

    @cached_property
    def floats(self) -> dict[str, float]:
        """The right number of every entry."""
        arrays = self.values.floats
        return {key: float(arrays[e.node.id][e.row, e.column]) for key, e in self.entries.items()}

    def exact(self, key: str) -> Fraction | None:
        """The right number where it is a fraction that is known; else None."""
        at = self.entries[key]
        if at.node.id not in self.values.exact:
            return None
        found: Value = self.values.exact[at.node.id][at.row, at.column]
        return None if found is UNKNOWN else found

    def decimal(self, key: str) -> Decimal:
        """The right number to 60 digits, or to those of a float64 where the network is large."""
        at = self.entries[key]
        return as_decimal(self.values.arrays[at.node.id][at.row, at.column])

    def reference(self, key: str) -> Reference:
        """The right number, to be held against what was written."""
        if key not in self._references:
            exact = self.exact(key)
            if exact is None and not self.decimal(key):
                exact = Fraction(0)  # terms that cancel: as short as a number can be
            precise = (lambda: self.decimal(key)) if exact is None else (lambda: exact)
            self._references[key] = Reference(self.floats[key], 0.0, precise, exact)
        return self._references[key]

    def wrong(self, key: str) -> list[tuple[str, Formula]]:
        """(rule, formula) of every mistake that may be made in a step."""
        from derive.homework.mistakes import Step, mistakes

        if key not in self._wrong:
            at = self.entries[key]
            step = Step(self, at)
            rules = [] if at.given else mistakes.of(at.kind)
            self._wrong[key] = [(rule.id, formula) for rule in rules for formula in rule.at(step)]
        return self._wrong[key]

    @cached_property
    def misreadings(self) -> dict[str, list[Fraction]]:
        """What may be read in the place of a number of the task; kept here, it is the same for all students."""
        return {}

    def adopt_mistakes(self, other: Circuit) -> None:
        """Takes over the wrong formulas of the same exercise with other numbers: they are the same."""
        self._wrong = other._wrong

    def chain(self, changed: Mapping[str, float]) -> dict[str, float]:
        """Every entry computed from those before it, where what `changed` says is used in the place of some.

        The value of such an entry is still the one that is computed.
        """
        found: dict[str, float] = dict(self.floats)
        used = {**self.floats, **changed}
        moved = {key for key, value in changed.items() if value != self.floats[key]}
        if not moved:
            return found
        with np.errstate(all="ignore"):
            for key, at in self.entries.items():
                if at.formula is None or moved.isdisjoint(at.parents):
                    continue
                value = numbers(at.formula, used)
                found[key] = float(value) if isinstance(value, float) or np.isrealobj(value) else math.nan
                if key not in changed and found[key] != used[key]:
                    used[key] = found[key]
                    moved.add(key)
        return found

    def runs(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """Every entry for several sets of numbers at once: rows of numbers in the place of what is given."""
        found: dict[str, Value] = {**self.floats, **given}
        moved = set(given)
        for key, at in self.entries.items():
            if at.formula is not None and not moved.isdisjoint(at.parents):
                found[key] = numbers(at.formula, found)
                moved.add(key)
        return found

    # finding ----------------------------------------------------------------------------------------------------------
    @cached_property
    def names(self) -> Names:
        """What a student may call the entries."""
        return Names(self)

    def find(self, step: str) -> tuple[str, ...] | None:
        """The keys behind an id, an entry, a label or another spelling; None if there are none."""
        return (step,) if step in self.entries else self.names.resolve(step)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Key -> the author's name for the entry, or its canonical id."""
        return {key: self.names.label(key) for key in self.entries}

    def label(self, key: str) -> str:
        """The author's name for an entry, or its canonical id."""
        return self.labels[key]


def is_number(id: str) -> bool:
    """Whether an id is of something worked out: a study has lines in letters as well, of any step t."""
    _, at, time = id.partition("@")
    return not at or time.isdigit()


@cache
def kind_of(id: str) -> str:
    """An id without the numbers of layer and step, and without the mark of a second forward pass."""
    letter, _ = state(id)
    if letter:
        return letter
    plain = _NUMBERS.sub("", untimed(id))
    return plain if plain.rstrip("+") in PARAMETERS else plain.rstrip("+")

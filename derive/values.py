"""The numbers behind the names: of one model, in one rounding policy.

Where the network is small enough every value is computed with 50 digits; what is shown, and what the printed formulas
are checked against, comes from those. float64 is what the API and the JSON give.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from derive.algebra import EXACT, FLOATS, UNKNOWN, Algebra, Value, digits
from derive.algebra import evaluate as evaluate_formula
from derive.contract import Contract
from derive.errors import InputError
from derive.formula import Formula, Name, names
from derive.graph import Node, evaluate, leaf
from derive.ids import plain
from derive.labels import Labels
from derive.numerals import WIDE, Numeral, Policy, decimal, literal
from derive.ops.base import Slope
from derive.ops.structural import Linear, MatMul
from derive.spelling import Shown
from derive.tensor import Tensor

PRECISE_UP_TO = 150_000  # multiplications that are done with 50 digits
LARGEST_FRACTION_BITS = 256
HUGE = 10**17  # binary exponents beyond which a number is not even shown in scientific notation
SHOWN_ROWS = SHOWN_COLUMNS = 8


def as_fraction(value: Any) -> Fraction:
    """A float or a 50-digit number, exactly."""
    if isinstance(value, Fraction):
        return value
    if hasattr(value, "_mpf_"):
        sign, mantissa, exponent, _ = value._mpf_
        magnitude = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
        return -magnitude if sign else magnitude
    return Fraction(float(value))


def is_finite(value: Any) -> bool:
    return bool(value == value and abs(value) != math.inf)


def as_decimal(value: Any) -> Decimal:
    """The same to 60 digits, for numbers of any size: e to the −10⁹ is one."""
    if not hasattr(value, "_mpf_"):
        return decimal(Fraction(value))
    sign, mantissa, exponent, _ = value._mpf_
    if exponent < -HUGE:
        return Decimal(0)
    size = WIDE.multiply(Decimal(int(mantissa)), WIDE.power(Decimal(2), Decimal(int(exponent))))
    return -size if sign else size


class Quantities(Protocol):
    """Named quantities as graphs, with the numbers at their leaves: a network's model, or another calculation."""

    @property
    def contract(self) -> Contract: ...
    @property
    def labels(self) -> Labels: ...
    @property
    def symbolic(self) -> bool: ...
    @property
    def given(self) -> Mapping[Node, Tensor]: ...
    @property
    def every_node(self) -> list[Node]: ...
    def all_nodes(self) -> list[Node]: ...
    def numbers(self) -> dict[Node, Value]: ...


def cost(model: Quantities) -> int:
    """Multiplications in all matrix products."""
    products = [n for n in model.every_node if isinstance(n.op, (Linear, MatMul))]
    return sum(n.shape[0] * n.shape[1] * n.inputs[0].shape[1] for n in products)


class Values:
    """Numbers by name: to compute with, and as they are shown.

    turned: ids whose matrix is shown transposed · home: the step each quantity comes from, for links
    An id with a factor in front (`-1*dL/dz2`) is that multiple of the quantity (δ = −∂L/∂z in some books).
    """

    def __init__(self, model: Quantities, policy: Policy) -> None:
        self.policy = policy
        self.contract = model.contract
        self.nodes = {node.id: node for node in model.all_nodes()}
        self.symbolic = model.symbolic
        self._rounded: dict[str, Value] = {}
        self._numerals: dict[tuple[str, tuple[int, ...]], Numeral] = {}
        self.small = cost(model) <= PRECISE_UP_TO
        precise = replace(digits(), as_written=policy.as_you_go)
        self.algebra: Algebra = precise if self.small else FLOATS
        self.home: dict[str, str] = {}
        self.turned: Callable[[str], bool] = lambda id: False
        self.text = {node.id: tensor.text for node, tensor in model.given.items()}
        self.extra: dict[str, tuple[Any, Any]] = {}
        floats = model.numbers()
        self.floats = {node.id: floats[node] for node in self.nodes.values()}
        self.arrays, self.exact = self._precise(model) if self.small else (self.floats, {})
        if self.small:
            self.floats = {id: np.asarray(array, dtype=float) for id, array in self.arrays.items()}

    def _precise(self, model: Quantities) -> tuple[dict[str, Value], dict[str, Value]]:
        known, fractions = {}, {}
        for node, tensor in model.given.items():
            known[node] = np.frompyfunc(self.algebra.number, 1, 1)(
                np.where(
                    np.frompyfunc(lambda e: e is UNKNOWN, 1, 1)(tensor.exact).astype(bool), tensor.value, tensor.exact
                )
            )
            fractions[node] = tensor.exact
        exact = evaluate(self.nodes.values(), fractions, EXACT, _small_fractions)
        try:
            arrays = evaluate(
                self.nodes.values(), known, self.algebra, lambda node, value: self._settle(node, value, exact)
            )
        except ZeroDivisionError:
            if not self.policy.as_you_go:
                raise
            raise InputError("rounding as you go leaves a divisor that is 0; give it more digits") from None
        named = {node.id: arrays[node] for node in self.nodes.values()}
        if self.policy.as_you_go:
            given = {node.id: array for node, array in fractions.items()}
            return named, given | {id: np.frompyfunc(as_fraction, 1, 1)(array) for id, array in self._rounded.items()}
        return named, {node.id: exact[node] for node in self.nodes.values()}

    def _settle(self, node: Node, value: Value, exact: dict[Node, Value]) -> Value:
        """A value as soon as it is there: exact where that is known (0.1 has no end in binary), rounded as one goes."""
        number = self.algebra.number
        if node.id and any(hasattr(v, "_mpc_") for v in np.ravel(value)):
            raise InputError(f"{node.id} is not a real number: a root or a logarithm of a negative one")
        if self.policy.as_you_go and not node.id:
            return value
        if not self.policy.as_you_go:
            return np.frompyfunc(lambda v, e: v if e is UNKNOWN else number(e), 2, 1)(value, exact[node])
        if not all(is_finite(v) for v in np.ravel(value)):
            raise InputError(f"rounding as you go leaves {node.id} infinite; give it more digits")
        rounded = np.frompyfunc(lambda v: Fraction(self.policy.rounded(as_decimal(v))), 1, 1)(value)
        self._rounded[node.id] = rounded
        return np.frompyfunc(number, 1, 1)(rounded)

    # finding --------------------------------------------------------------------------------------------------------
    def place(self, name: Name) -> tuple[int, int]:
        """Row and column of an entry."""
        node = self.nodes[plain(name.id)[1]]
        match name.index:
            case ():
                return 0, 0
            case (i,):
                return (i - 1, 0) if node.shape[1] == 1 and node.shape[0] > 1 else (0, i - 1)
            case (i, j):
                return i - 1, j - 1
        raise KeyError(name.key)

    def value(self, name: Name) -> Value:
        """The number (or matrix) a name stands for, as it is shown: turned, and with its sign."""
        if name.id in self.extra:
            return self.extra[name.id][0]
        factor, id = plain(name.id)
        value = self.arrays[id][self.place(name)] if name.scalar else self.arrays[id]
        if not name.scalar and self.turned(id):
            value = value.T
        return value if factor == 1 else value * factor

    def define(self, name: Name, value: Any, exact: Any) -> None:
        """A value of its own for a name that is no entry of the graph: a factor of a chain."""
        self.extra[name.id] = (value, exact)

    def hold(self, id: str, value: Any, exact: Any, numeral: Numeral | None = None) -> None:
        """A number worked out elsewhere, under an id of its own: its lines are checked like any other.

        numeral: how it is written, where that is not for the policy to say
        """
        self.nodes[id] = leaf((1, 1), id, "state")
        self.arrays[id], self.exact[id] = (np.array([[x]], dtype=object) for x in (value, exact))
        self.floats[id] = np.array([[float(value)]])
        if numeral is not None:
            self._numerals[id, ()] = numeral

    def branch(self, policy: Policy) -> Values:
        """The same numbers, shown by another policy; what is held, defined or adopted from here on stays apart."""
        other = copy(self)
        other.policy, other._numerals = policy, {}
        for name in ("nodes", "arrays", "exact", "floats", "text", "extra", "home"):
            setattr(other, name, dict(getattr(self, name)))
        return other

    def without(self, hidden: Collection[str]) -> Values:
        """The same without the numbers of some ids, and without links: what is not there cannot be printed."""
        other = self.branch(self.policy)
        other.extra, other.home = {}, {}
        for name in ("nodes", "arrays", "exact", "floats", "text"):
            setattr(other, name, {id: value for id, value in getattr(self, name).items() if id not in hidden})
        return other

    def adopt(self, values: Mapping[Node, Value]) -> None:
        """Quantities from outside the model's own graph: those of the last of many steps."""
        for node, value in values.items():
            if node.id not in self.nodes:
                self.nodes[node.id] = node
                self.arrays[node.id] = self.floats[node.id] = np.asarray(value, dtype=float)

    def known_exactly(self, name: Name) -> Any:
        """The exact fraction, or UNKNOWN."""
        if name.id in self.extra:
            return self.extra[name.id][1]
        factor, id = plain(name.id)
        if id not in self.exact:
            return UNKNOWN
        return self.exact[id][self.place(name)] * factor

    def follows(self, f: Formula, target: Name) -> bool:
        """Whether a formula, in the exact numbers that are known, gives exactly the target."""
        if not target.scalar or not all(name.scalar for name in names(f)):
            return False
        exact = evaluate_formula(f, self.known_exactly, EXACT)
        return exact is not UNKNOWN and exact == self.known_exactly(target)

    # showing --------------------------------------------------------------------------------------------------------
    def numeral(self, name: Name) -> Numeral:
        key = (name.id, name.index)
        if key not in self._numerals:
            self._numerals[key] = self._numeral(name)
        return self._numerals[key]

    def _numeral(self, name: Name) -> Numeral:
        if name.id in self.text and (not self.policy.exact or self.policy.as_you_go):
            written = literal(self.text[name.id][self.place(name)] or "x")
            if written is not None:
                return written
        exact = self.known_exactly(name)
        if exact is UNKNOWN and self.is_step(name):
            exact = as_fraction(self.value(name))
        return self.rounded(self.value(name), None if exact is UNKNOWN else exact)

    def is_step(self, name: Name) -> bool:
        """Whether this is the slope of a function by cases where it is constant: 0 or 1, and exactly that."""
        node = self.nodes.get(plain(name.id)[1])
        stepped = node is not None and isinstance(node.op, Slope) and bool(node.op.of.kinks)
        return stepped and self.small and self.value(name) in (0, 1)

    def rounded(self, value: Any, exact: Fraction | None) -> Numeral:
        return self.policy.numeral(as_decimal(value) if exact is None else decimal(exact), exact)

    def shown(self, name: Name, largest: int = SHOWN_COLUMNS) -> Shown:
        """What is written in the place of a name."""
        link = self.home.get(plain(name.id)[1], "")
        if name.scalar:
            return Shown(self.numeral(name), link=link)
        return Shown(rows=self.matrix(name, largest), link=link)

    def matrix(self, name: Name, largest: int) -> tuple[tuple[Numeral | None, ...], ...]:
        """The numerals of a matrix; of a large one the first and last rows and columns, None for what is left out."""
        node = self.nodes[plain(name.id)[1]]
        turned = self.turned(node.id)
        height, width = node.shape[::-1] if turned else node.shape
        rows, columns = sample(height, max(largest, 3)), sample(width, largest)

        def cell(r: int | None, c: int | None) -> Numeral | None:
            if r is None or c is None:
                return None
            row, column = (c, r) if turned else (r, c)
            return self.numeral(Name(name.id, self.contract.index(node, row, column)))

        return tuple(tuple(cell(r, c) for c in columns) for r in rows)


def sample(size: int, largest: int) -> list[int | None]:
    """All positions, or the first ones, a gap, and the last."""
    if size <= largest:
        return list(range(size))
    return [*range(max(1, largest - 2)), None, size - 1]


def _small_fractions(node: Node, value: Value) -> Value:
    def keep(x: Any) -> Any:
        if x is UNKNOWN or x.denominator.bit_length() + x.numerator.bit_length() > LARGEST_FRACTION_BITS:
            return UNKNOWN
        return x

    return np.frompyfunc(keep, 1, 1)(value)

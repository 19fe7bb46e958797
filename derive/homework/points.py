"""Points at which formulas of a circuit are compared: only what is given is drawn, everything else computed from it.

A pool of candidates is worked out in float64; the points are those of them that have a value everywhere, lie away from
all kinks and, as far as the pool has them, on both sides of each. They are then computed with 50 digits and more.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from hashlib import blake2b
from typing import Any, cast

import numpy as np

from derive import formula as fm
from derive.algebra import FLOATS, STRUCTURE, UNKNOWN, Value, digits, evaluate
from derive.formula import Apply, Formula, Function, Name, Number
from derive.graph import Shape
from derive.homework.circuit import Circuit, Entry
from derive.ids import state, untimed
from derive.model import Model
from derive.optimizers import SINGLE

POOL, POINTS, SIDE = 160, 24, 4  # candidates, points, and how many on either side of a kink
NEAR = 1e-3  # a kink
LARGEST = 1e300
COUNTS = ("epoch", "t", "time", "t0")  # hyper-parameters that count something
POSITIVE = ("v", "vhat", "vmax", "running_var", "s")  # what holds squares

Sized = tuple[Value, Value]  # float64 values, and the largest magnitude met on the way


def gauge(f: Formula, at: Callable[[Name], Sized]) -> Sized:
    """The float64 values of a formula, with the largest magnitude of all that stands in it; nan where there is none."""
    match f:
        case Name():
            return at(f)
        case Number():
            value = np.float64(f.value)
            return value, abs(value)
        case Apply(head=Function() as function, args=args):
            inner = dict(zip(function.parameters, (gauge(arg, at) for arg in args), strict=True))
            assert function.body is not None
            value, size = gauge(function.body, inner.__getitem__)
            return value, np.maximum.reduce(np.broadcast_arrays(size, *(own for _, own in inner.values())))
        case Apply(head="cases"):
            pairs = fm.branches(f)
            conditions = [gauge(when, at)[0] for _, when in pairs if when is not None]
            found = [gauge(value, at) for value, _ in pairs]
            return FLOATS.choose(conditions, [v for v, _ in found]), FLOATS.choose(conditions, [s for _, s in found])
        case Apply(head=str(head), args=args):
            found = [gauge(arg, at) for arg in args]
            values = [value for value, _ in found]
            value = STRUCTURE[head](values, f.axis) if head in STRUCTURE else FLOATS(head, *values)
            size = np.asarray(abs(np.asarray(value, dtype=float)))
            for _, own in found:
                size = np.maximum(size, own)
            return value, size
    raise TypeError(f"no value of {f!r}")


def kinks(f: Formula) -> Iterator[Formula]:
    """What is 0 where the formula, or a function in it, has a kink or a jump."""
    if not isinstance(f, Apply):
        return
    if isinstance(f.head, Function):
        assert f.head.body is not None
        inner = dict(zip(f.head.parameters, f.args, strict=True))
        yield from (fm.bind(kink, inner) for kink in kinks(f.head.body))  # those of the arguments come below
    elif f.head == "abs":
        yield f.args[0]
    elif f.head in ("max", "min", "gt", "ge", "lt", "le"):
        yield f.args[0] - f.args[1]
    for arg in f.args:
        yield from kinks(arg)


class Points:
    """The pool, the points in it, and the value of every entry there.

    fixed:     keys that keep their given number: what the student wrote as a number
    overrides: formulas in the place of the entries' own
    """

    def __init__(self, circuit: Circuit, seed: str, fixed: frozenset[str], overrides: Mapping[str, Formula]) -> None:
        self.circuit, self.fixed, self.overrides = circuit, fixed, overrides
        self.leaves = self.drawn(seed)
        self._sized: dict[str, Sized] = {}
        self._precise: dict[tuple[str, tuple[int, ...]], Value] = {}

    # drawing ----------------------------------------------------------------------------------------------------------
    def drawn(self, seed: str) -> dict[str, list[Fraction]]:
        """The given entries at every candidate; of the later half, near the numbers of the file."""
        rows: dict[str, list[Entry]] = {}
        found: dict[str, list[Fraction]] = {}
        for entry in self.circuit.entries.values():
            if entry.given:
                rows.setdefault(f"{entry.node.id}/{entry.row}", []).append(entry)
        for name, entries in rows.items():
            dice = random.Random(int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big"))
            for entry in entries:
                given = self.given(entry)
                constant = entry.key in self.fixed or self.is_constant(entry, given)
                draw = self.range_of(entry, given)
                far = [given if constant else draw(dice) for _ in range(POOL * 3 // 4)]
                near = [
                    given if constant or entry.node.role in ("mask", "target") else moved(given, dice)
                    for _ in range(POOL // 4)
                ]
                found[entry.key] = [*far, *near]
            if entries[0].node.role == "target" and self.encoding == "probabilities":
                normalize([found[entry.key] for entry in entries])
        return found

    @property
    def encoding(self) -> str:
        return self.circuit.quantities.encoding if isinstance(self.circuit.quantities, Model) else "values"

    @cached_property
    def loss(self) -> str:
        model = self.circuit.quantities
        return model.spec.loss.name if isinstance(model, Model) and model.spec.loss else ""

    def given(self, entry: Entry) -> Fraction:
        tensor = self.circuit.quantities.given[entry.node]
        exact = tensor.exact[entry.row, entry.column]
        return Fraction(float(tensor.value[entry.row, entry.column])) if exact is UNKNOWN else cast(Fraction, exact)

    def is_constant(self, entry: Entry, given: Fraction) -> bool:
        """Class indices, counts, and the zeros an optimizer starts from."""
        name, role = untimed(entry.node.id), entry.node.role
        if role == "target":
            return self.encoding == "classes"
        if role == "hyper":
            return name in COUNTS or (given > 1 and given.denominator == 1 and not name.startswith("lr"))
        return role == "count" or (role == "state" and given == 0)

    def range_of(self, entry: Entry, given: Fraction) -> Callable[[random.Random], Fraction]:
        """How an entry is drawn."""
        name, role = untimed(entry.node.id), entry.node.role
        letter = state(name)[0] or name.rstrip("0123456789")
        if role == "mask":
            return lambda dice: Fraction(dice.randint(0, 1))
        if role == "target":
            if self.loss == "hinge_embedding":
                return lambda dice: Fraction(dice.choice((-1, 1)))
            if self.encoding != "values" or self.loss in ("bce", "bce_with_logits", "kl_div"):
                return share
        if role == "hyper":
            if letter.startswith("eps"):
                return lambda dice: Fraction(dice.randint(1, 10**6), 10**8)
            return share if 0 <= given <= 1 else lambda dice: given * (1 + share(dice))
        if letter in POSITIVE and role != "parameter" and letter not in SINGLE:
            return share
        return lambda dice: Fraction(dice.choice((-1, 1)) * dice.randint(1, 2000), 1000)

    # values in float64 ------------------------------------------------------------------------------------------------
    def formula(self, key: str) -> Formula | None:
        return self.overrides.get(key) or self.circuit.entries[key].formula

    def needed(self, ends: Iterable[str], have: Callable[[str], bool]) -> list[str]:
        """The entries that have to be computed for these, in an order in which that can be done."""
        order: dict[str, None] = {}
        path: set[str] = set()
        stack = [(key, False) for key in ends]
        while stack:
            key, ready = stack.pop()
            if ready:
                order[key] = None
                path.discard(key)
            elif key in path:
                raise Circular(key)
            elif key not in order and not have(key):
                path.add(key)
                stack.append((key, True))
                f = self.formula(key)
                if key in self.overrides and f is not None:
                    parents: Iterable[str] = dict.fromkeys(name.key for name in fm.names(f))
                else:
                    parents = self.circuit.entries[key].parents
                stack.extend((parent, False) for parent in parents)
        return list(order)

    def sized(self, name: Name) -> Sized:
        """The values of an entry at all candidates."""
        if name.key not in self._sized:
            with np.errstate(all="ignore"):
                for key in self.needed([name.key], self._sized.__contains__):
                    f = self.formula(key)
                    if key in self.leaves:
                        value = np.array([float(x) for x in self.leaves[key]])
                    else:
                        assert f is not None
                        value = np.broadcast_to(np.asarray(gauge(f, self.own)[0], dtype=float), (POOL,))
                    self._sized[key] = value, abs(value)
        return self._sized[name.key]

    def own(self, name: Name) -> Sized:
        return self._sized[name.key]

    def gauged(self, f: Formula) -> Sized:
        """A formula at all candidates."""
        for name in fm.names(f):
            self.sized(name)
        with np.errstate(all="ignore"):
            value, size = gauge(f, self.own)
        shape: Shape = (POOL,)
        return np.broadcast_to(np.asarray(value, dtype=float), shape), np.broadcast_to(size, shape)

    @cached_property
    def usable(self) -> tuple[Value, list[Value]]:
        """(which candidates have all values and are near no kink, the kinks' values)."""
        good = np.ones(POOL, dtype=bool)
        found: dict[Formula, Value] = {}
        for key, entry in self.circuit.entries.items():
            good &= self.sized(entry.name)[1] <= LARGEST
            f = self.formula(key)
            for kink in kinks(f) if f is not None else ():
                if any(True for _ in fm.names(kink)) and kink not in found:
                    found[kink] = self.gauged(kink)[0]
        for value in found.values():
            good &= (abs(value) > NEAR) | (value == value[0]).all()
        return good, list(found.values())

    @cached_property
    def chosen(self) -> tuple[int, ...]:
        """The points, as places in the pool: the first that can be used, and more where a kink has but one side."""
        good, values = self.usable
        return self.both_sides(tuple(np.flatnonzero(good)[:POINTS].tolist()), values)

    def both_sides(self, chosen: tuple[int, ...], values: Iterable[Value]) -> tuple[int, ...]:
        """The points, with others from the pool until each of these values has both signs often enough."""
        good, _ = self.usable
        found = dict.fromkeys(chosen)
        for value in values:
            for side in (value > 0, value < 0):
                missing = SIDE - sum(bool(side[i]) for i in found)
                if missing > 0:
                    more = [i for i in np.flatnonzero(good & side).tolist() if i not in found]
                    found |= dict.fromkeys(more[:missing])
        return tuple(sorted(found))

    # values with 50 digits and more -----------------------------------------------------------------------------------
    def precise(self, f: Formula, places: tuple[int, ...]) -> Value:
        """A formula at some points, as an array of long numbers; nan where it has no real value."""
        wanted = dict.fromkeys(name.key for name in fm.names(f))
        for key in self.needed(wanted, lambda key: (key, places) in self._precise):
            own = self.formula(key)
            if key in self.leaves:
                number = digits().number
                self._precise[key, places] = objects([number(self.leaves[key][i]) for i in places])
            else:
                assert own is not None
                self._precise[key, places] = self.computed(own, places)
        return self.computed(f, places)

    def computed(self, f: Formula, places: tuple[int, ...]) -> Value:
        return long(f, lambda name: self._precise[name.key, places], len(places))


class Circular(Exception):
    """Formulas that were put in the place of others need each other."""


def long(f: Formula, lookup: Callable[[Name], Value], count: int) -> Value:
    """A formula at `count` points, in long numbers; nan where it has no real value."""
    try:
        found = evaluate(f, lookup, digits())
    except (ArithmeticError, ValueError, TypeError):
        found = objects([alone(f, lambda name, i=i: lookup(name)[i]) for i in range(count)])  # type: ignore[misc]
    if not isinstance(found, np.ndarray):
        found = objects([found] * count)
    return objects([x if hasattr(x, "_mpf_") else digits().number("nan") for x in found])


def alone(f: Formula, lookup: Callable[[Name], Any]) -> Any:
    try:
        return evaluate(f, lookup, digits())
    except (ArithmeticError, ValueError, TypeError):
        return None


def objects(values: list[Any]) -> Value:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def share(dice: random.Random) -> Fraction:
    return Fraction(dice.randint(1, 999), 1000)


def moved(given: Fraction, dice: random.Random) -> Fraction:
    """A number near the given one, of the same sign."""
    return given * Fraction(dice.randint(800, 1200), 1000)


def normalize(columns: list[list[Fraction]]) -> None:
    """Makes the numbers of every candidate add up to 1."""
    for i in range(POOL):
        total = sum((column[i] for column in columns), Fraction(0))
        for column in columns:
            column[i] = column[i] / total if total else column[i]

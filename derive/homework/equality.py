"""Whether a student's formula is right: equality by values, at points at which the whole network is computed.

Three-valued: where too few points can tell, nobody is called wrong. Numbers given as literals are right where the
student names no letter for them: hyper-parameters and masks; all else that is given is drawn.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import blake2b
from typing import Any

import numpy as np

from derive import formula as fm
from derive.algebra import Value, digits
from derive.formula import Formula, Name
from derive.homework.circuit import Circuit
from derive.homework.forms import form
from derive.homework.points import LARGEST, Circular, Points, Sized, gauge, kinks, long, objects

#: How equal a formula is to the right one, best first; `circular` names the answer or what is computed from it.
LEVELS = ("identical", "same_form", "equivalent", "equal_on_network", "undecided", "circular", "not_equal")
RIGHT = LEVELS[:4]
INFORMATIVE = 8  # points that have to agree
SAME, NOISE = Fraction(1, 10**90), Fraction(1, 10**110)  # of the values, and of the largest number on the way
SAME_BITS, NOISE_BITS = (math.log2(bound.denominator) for bound in (SAME, NOISE))
UNSURE_BITS = 4  # by which the exponents alone may mislead
CANCELLED = 1e40  # how far numbers on the way may exceed those of the right formula
FREE, MOST_FREE = 48, 12  # candidates at which symbols are independent, and how many are used
CLEAR, SEEN = 1e-6, 4  # a difference that float64 sees, and at how many points all digits confirm it


@dataclass(frozen=True)
class Counterexample:
    """A point at which two formulas differ: the numbers of the names in them, and what they come to."""

    at: Mapping[str, float]
    right: float
    student: float


@dataclass(frozen=True)
class Equality:
    """level: one of LEVELS · names: of `circular`, the keys that must not be used."""

    level: str
    counterexample: Counterexample | None = None
    names: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        return self.level in RIGHT


@dataclass
class Judge:
    """Compares formulas in the names of one circuit; what it has computed is kept."""

    circuit: Circuit
    seed: str = ""
    _points: dict[object, Points] = field(default_factory=dict)
    _free: dict[str, tuple[Sized, list[Any]]] = field(default_factory=dict)
    _anywhere: dict[object, tuple[Formula, Value]] = field(default_factory=dict)
    _after: dict[str, frozenset[str]] = field(default_factory=dict)
    _before: dict[str, frozenset[str]] = field(default_factory=dict)

    def compare(self, student: Formula, key: str, overrides: Mapping[str, Formula] | None = None) -> Equality:
        """How equal a student's formula is to that of the entry `key`.

        overrides: the student's own formulas for earlier entries, which then stand for these
        """
        entry = self.circuit.entries[key]
        right = entry.name if entry.formula is None else entry.formula
        used = dict.fromkeys(name.key for name in fm.names(student))
        if entry.formula is not None and (own := tuple(k for k in used if k == key or k in self.after(key))):
            return Equality("circular", names=own)
        if student == right:
            return Equality("identical")
        if form(student) == form(right):
            return Equality("same_form")
        others = self.reached((key, *used), {k: f for k, f in (overrides or {}).items() if k != key})
        return self.decided(student, right, key, others)

    def same(
        self, student: Formula, other: Formula, overrides: Mapping[str, Formula] | None = None, key: str = ""
    ) -> bool:
        """Whether a student's formula has the same values on the network as another, right or wrong.

        key: the entry it is an answer for; then it may hold numbers for what it does not name, as in `compare`
        """
        if form(student) == form(other):
            return True
        used = [name.key for one in (student, other) for name in fm.names(one)]
        others = self.reached(used, overrides or {})
        try:
            points = self.points(frozenset(), others)
            if self.on_network(student, other, points).right:
                return True
            unnamed = self.unnamed(student, key, points) if key else frozenset()
            return bool(unnamed) and self.on_network(student, other, self.points(unnamed, others)).right
        except Circular:
            return False

    # which points -----------------------------------------------------------------------------------------------------
    def points(self, fixed: frozenset[str], overrides: Mapping[str, Formula]) -> Points:
        """The points of the circuit, some entries fixed to their given numbers, some formulas replaced."""
        kept: object = (fixed, frozenset(overrides.items()))
        if kept not in self._points:
            if len(self._points) > 40:  # each student's own formulas come and go
                self._points = {k: p for k, p in self._points.items() if not p.overrides}
            seed = self.seed or "/".join(self.circuit.nodes)
            self._points[kept] = Points(self.circuit, seed, fixed, overrides)
        return self._points[kept]

    def reached(self, ends: Iterable[str], overrides: Mapping[str, Formula]) -> dict[str, Formula]:
        """The formulas in the place of others that make a difference to some entries."""
        found: dict[str, Formula] = {}
        stack = list(ends) if overrides else []
        while stack:
            end = stack.pop()
            for k in {end, *self.ancestors(end)} & overrides.keys() - found.keys():
                found[k] = overrides[k]
                stack += [name.key for name in fm.names(overrides[k])]
        return found

    def ancestors(self, key: str) -> frozenset[str]:
        if key not in self._before:
            found, stack = set[str](), [key]
            while stack:
                for parent in self.circuit.entries[stack.pop()].parents:
                    if parent not in found:
                        found.add(parent)
                        stack.append(parent)
            self._before[key] = frozenset(found)
        return self._before[key]

    def after(self, key: str) -> frozenset[str]:
        """The entries that are computed from one."""
        if key not in self._after:
            found = {key}
            for k, entry in self.circuit.entries.items():
                if not found.isdisjoint(entry.parents):
                    found.add(k)
            self._after[key] = frozenset(found - {key})
        return self._after[key]

    def unnamed(self, student: Formula, key: str, points: Points) -> frozenset[str]:
        """What the student may have written as a number: the answer depends on it, the formula does not name it.

        A mask of 0 only in the answer's own line: further on it would make everything 0, and so anything right.
        """
        entries, named = self.circuit.entries, {name.key for name in fm.names(student)}
        given = (entries[k] for k in self.ancestors(key) if entries[k].given and k not in named)
        return frozenset(
            e.key
            for e in given
            if e.node.role == "hyper"
            or (e.node.role == "mask" and (points.given(e) != 0 or e.key in entries[key].parents))
        )

    # deciding ---------------------------------------------------------------------------------------------------------
    def decided(self, student: Formula, right: Formula, key: str, overrides: Mapping[str, Formula]) -> Equality:
        try:
            points = self.points(frozenset(), overrides)
            found = self.on_network(student, right, points)
            if not found.right and (unnamed := self.unnamed(student, key, points)):
                again = self.on_network(student, right, self.points(unnamed, overrides))
                found = found if again.level == "undecided" else again
        except Circular:
            return Equality("undecided")
        return found

    def on_network(self, student: Formula, right: Formula, points: Points) -> Equality:
        """Equality where every named quantity is computed from what is given, or even where they stand for anything."""
        a, b = points.gauged(right), points.gauged(student)
        bends = turning(student, points)
        places, telling, nothing = self.places(a, b, bends, points)
        if len(places) < INFORMATIVE:
            return Equality("undecided")
        own = turning(right, points) if bends else []  # the network's own kinks may have but one side
        strange = [value for value in bends if not any(np.allclose(abs(value), abs(known)) for known in own)]
        undecided = any(not sees_both(value, places) for value in strange)
        if clear := [i for i in places if abs(a[0][i] - b[0][i]) > CLEAR * max(a[1][i], b[1][i])]:
            places = tuple(clear[:SEEN])  # to be seen with all digits
        elif self.anywhere(student, right, points) and not bends:
            enough = nothing or np.count_nonzero(telling[list(places)]) >= INFORMATIVE
            return Equality("equivalent" if enough else "undecided")
        verdicts = list(agreements(points.precise(right, places), points.precise(student, places), a[1], b[1], places))
        wrong = [i for i, verdict in zip(places, verdicts, strict=True) if verdict is False]
        if wrong:
            return Equality("not_equal", self.shown(student, right, points, wrong))
        agreed = sum(verdict is True and bool(telling[i]) for i, verdict in zip(places, verdicts, strict=True))
        if undecided or (agreed < INFORMATIVE and not nothing):
            return Equality("undecided")
        return Equality("equivalent" if self.anywhere(student, right, points) else "equal_on_network")

    def places(self, a: Sized, b: Sized, bends: list[Value], points: Points) -> tuple[tuple[int, ...], Value, bool]:
        """(the points to compare at, which candidates say something as not both are 0, whether none ever does)."""
        good, _ = points.usable
        telling = (np.nan_to_num(a[0]) != 0) | (np.nan_to_num(b[0]) != 0)
        places = points.both_sides(points.chosen, bends)
        if np.count_nonzero(telling[list(places)]) < INFORMATIVE:  # units that are off say nothing
            more = np.flatnonzero(good & telling)[:INFORMATIVE].tolist()
            places = tuple(sorted({*places, *more}))
        nothing = not telling[good].any() and int(np.count_nonzero(good)) > INFORMATIVE
        return tuple(i for i in places if b[1][i] <= LARGEST and a[1][i] <= LARGEST), telling, nothing

    def shown(self, student: Formula, right: Formula, points: Points, wrong: list[int]) -> Counterexample:
        """The point at which the difference is clearest."""
        a, b = points.gauged(right)[0], points.gauged(student)[0]
        best = max(wrong, key=lambda i: abs(a[i] - b[i]) / (abs(a[i]) + abs(b[i]) or 1))
        named = dict.fromkeys((*fm.names(right), *fm.names(student)))
        return Counterexample({n.key: float(points.sized(n)[0][best]) for n in named}, float(a[best]), float(b[best]))

    # symbols that are independent -------------------------------------------------------------------------------------
    def anywhere(self, student: Formula, right: Formula, points: Points) -> bool:
        """Whether formulas that are equal on the network are so whatever their names stand for."""
        drawn = {name.key: self.free(name, points) for f in (student, right) for name in fm.names(f)}
        lookup = {key: found[0] for key, found in drawn.items()}
        with np.errstate(all="ignore"):
            a, b = (gauge(f, lambda name: lookup[name.key]) for f in (right, student))
        if np.ndim(a[0]) == 0 and np.ndim(b[0]) == 0:
            return True  # neither has a name in it
        sizes = [np.broadcast_to(f[1], (FREE,)) for f in (a, b)]
        places = np.flatnonzero((sizes[0] <= LARGEST) & (sizes[1] <= LARGEST))[:MOST_FREE].tolist()
        if len(places) < INFORMATIVE:
            return False
        with np.errstate(all="ignore"):
            near = np.isclose(np.broadcast_to(a[0], (FREE,))[places], np.broadcast_to(b[0], (FREE,))[places], rtol=1e-4)
        if not near.all():
            return False
        lookups = {key: objects([found[1][i] for i in places]) for key, found in drawn.items()}
        kept = id(right), tuple(places), points.fixed
        if kept not in self._anywhere or self._anywhere[kept][0] is not right:
            self._anywhere[kept] = right, long(right, lambda name: lookups[name.key], len(places))
        x, y = self._anywhere[kept][1], long(student, lambda name: lookups[name.key], len(places))
        return all(v is True for v in agreements(x, y, sizes[0], sizes[1], places))

    def free(self, name: Name, points: Points) -> tuple[Sized, list[Any]]:
        """Values of a name by itself: between −2 and 2, above 0, and between 0 and 1, so that logarithms have some."""
        entry = self.circuit.entries[name.key]
        fixed = name.key in points.fixed or (entry.given and points.is_constant(entry, points.given(entry)))
        kept = f"{name.key} fixed" if fixed else name.key
        if kept not in self._free:
            dice = random.Random(blake2b(f"{self.seed}{name.key}".encode(), digest_size=8).digest())
            drawn = [points.given(entry) if fixed else independent(i, dice) for i in range(FREE)]
            value = np.array([float(x) for x in drawn])
            self._free[kept] = (value, abs(value)), [digits().number(x) for x in drawn]
        return self._free[kept]


def independent(i: int, dice: random.Random) -> Fraction:
    """A number between 0 and 1, between 0 and 2, or between −2 and 2, in turn."""
    size = Fraction(dice.randint(1, 999 if i % 3 == 0 else 2000), 1000)
    return size * dice.choice((-1, 1)) if i % 3 == 2 else size


def agreements(a: Value, b: Value, size: Value, other: Value, places: Iterable[int]) -> Iterator[bool | None]:
    """For every point whether two long numbers agree; None where numbers on the way are too large to tell."""
    for x, y, place in zip(a, b, places, strict=True):
        first = float(size[place])
        largest = max(first, float(other[place]))
        if x != x or y != y or largest > CANCELLED * max(first, 1e-30):
            yield None
        else:
            yield agree(x, y, largest)


def agree(x: Any, y: Any, largest: float) -> bool:
    """Whether two long numbers agree; their binary exponents decide where they can."""
    off = x - y
    if not off:
        return True
    if all(hasattr(number, "_mpf_") for number in (x, y, off)):
        allowed = max(size_of(x), size_of(y)) - SAME_BITS, math.frexp(largest)[1] - NOISE_BITS
        if math.isinf(size_of(off)):
            return False
        away = size_of(off) - max(allowed)
        if abs(away) > UNSURE_BITS:
            return away < 0
    same, noise = digits().number(SAME), digits().number(NOISE)
    return bool(abs(off) <= same * (abs(x) + abs(y)) + noise * largest)


def size_of(x: Any) -> float:
    """The binary exponent of a long number; of 0, and of what is not finite, infinite."""
    _, mantissa, exponent, bits = x._mpf_
    if mantissa:
        return float(exponent + bits)
    return math.inf if exponent else -math.inf


def turning(f: Formula, points: Points) -> list[Value]:
    """At all candidates, what is 0 where a formula has a kink or a jump."""
    return [points.gauged(kink)[0] for kink in dict.fromkeys(kinks(f)) if any(True for _ in fm.names(kink))]


def sees_both(value: Value, places: Iterable[int]) -> bool:
    chosen = value[list(places)]
    return bool((chosen > 0).any() and (chosen < 0).any())

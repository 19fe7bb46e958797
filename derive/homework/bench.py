"""All mistakes at all steps of an exercise, worked out for many sets of its numbers at once.

A mistake is made at a step, and may be seen at every step that is asked for and that is reached from there without
passing another one that is asked for. Where everything is asked for, that is the step itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np

from derive.algebra import Value
from derive.errors import InputError
from derive.formula import Formula
from derive.homework.circuit import Circuit
from derive.homework.compute import numbers
from derive.homework.policy import Precision
from derive.tensor import Floats

Given = Mapping[str, Floats]  # key -> other numbers for what is given, one for each set

NOT_ASKED = ("dL/dx",)  # kinds of entries that nobody is asked for
MOST_PAIRS = 100_000  # mistakes at all steps where they may be seen
NEAR = 0.01  # relative change of numbers that are next to those of the task: few signs change with it
SAMPLES = 7  # other sets of numbers, at which it is seen whether two formulas agree
SEED = 20151
LARGEST = 4_000_000  # comparisons at a time
NOTHING = 2e-16  # what floats leave of a sum that is 0
SAME = 1e-9  # relative difference below which two floats are the same number


@dataclass(frozen=True)
class Slip:
    """A mistake where it is made: at one entry (`at` is its key), or at all of a quantity (`at` is its id)."""

    at: str
    rule: str
    formulas: Mapping[str, Formula]

    @property
    def formula(self) -> Formula:
        """The wrong formula, of the first entry where it is made."""
        return next(iter(self.formulas.values()))


@dataclass(frozen=True)
class Pair:
    """A mistake (its place in `Bench.slips`) and a step where it may be seen."""

    key: str
    slip: int


class Bench:
    """The mistakes of an exercise. asked: the keys of the steps that are asked for; None: all that are computed.

    Raises InputError where there are more mistakes than can be worked out.
    """

    def __init__(self, circuit: Circuit, precision: Precision, asked: Iterable[str] | None = None) -> None:
        self.circuit, self.precision = circuit, precision
        entries = circuit.entries
        wanted = [key for key, e in entries.items() if e.kind not in NOT_ASKED] if asked is None else list(asked)
        computed = {key for key in wanted if not entries[key].given}
        self.wanted = computed
        self.asked = tuple(sorted(computed, key=circuit.order.__getitem__))
        self.reach = reach(circuit, computed)
        self.slips = list(self._slips())
        self.pairs = list(self._pairs())
        self.rows = {key: row for row, key in enumerate(self.asked)}
        self.row_of = np.array([self.rows[pair.key] for pair in self.pairs], dtype=int)

    def _slips(self) -> Iterator[Slip]:
        reached = 0
        for key in self.asked:
            reached |= self.reach[key]
        for id, node in self.circuit.nodes.items():
            keys = [name.key for name in self.circuit.array(node).ravel()]
            made = {key: self.circuit.wrong(key) for key in keys if reached >> self.circuit.order[key] & 1}
            for key, found in made.items():
                yield from (Slip(key, rule, {key: formula}) for rule, formula in found)
            unasked = {key: found for key, found in made.items() if key not in self.wanted}
            if len(unasked) > 1:
                yield from throughout(id, unasked)

    def _pairs(self) -> Iterator[Pair]:
        bits = [[1 << self.circuit.order[key] for key in slip.formulas] for slip in self.slips]
        by_bit: dict[int, list[int]] = {}
        for place, starts in enumerate(bits):
            for bit in starts:
                by_bit.setdefault(bit, []).append(place)
        count = 0
        for key in self.asked:
            reached = self.reach[key]
            found = Counter(place for bit in ones(reached) for place in by_bit.get(bit, ()))
            several = sorted(place for place, times in found.items() if times > 1 or len(bits[place]) == 1)
            count += len(several)
            if count > MOST_PAIRS:
                raise InputError(f"there are more than {MOST_PAIRS:,} mistakes to be worked out; ask for less")
            yield from (Pair(key, place) for place in several)

    def slip(self, place: int) -> Slip:
        """The mistake of a pair."""
        return self.slips[self.pairs[place].slip]

    # numbers ----------------------------------------------------------------------------------------------------------
    def run(self, given: Given) -> tuple[Value, Value]:
        """(right, wrong) numbers: a row for every pair, a column for every set of numbers."""
        size = max((len(row) for row in given.values()), default=1)
        seen = {pair: place for place, pair in enumerate(self.pairs)}
        wrong = np.full((len(self.pairs), size), math.nan)
        with np.errstate(all="ignore"):
            values = self.circuit.runs(given)
            for starts, found in groupby(enumerate(self.slips), lambda pair: tuple(pair[1].formulas)):
                places = list(found)
                made = {key: made_of(key, [slip for _, slip in places], values, size) for key in starts}
                for key, value in self.carried(made, values).items():
                    for row, (i, _) in enumerate(places):
                        if (place := seen.get(Pair(key, i))) is not None:
                            wrong[place] = value[row]
        right = np.array([spread(values[key], (size,)) for key in self.asked], dtype=float).reshape(-1, size)
        right, wrong = (np.where(np.abs(found) < NOTHING, 0.0, found) for found in (right, wrong))
        return right[self.row_of], wrong

    def carried(self, made: Mapping[str, Value], values: Mapping[str, Value]) -> Mapping[str, Value]:
        """What wrong numbers in the place of entries, a row for each mistake, lead to at the steps asked for."""
        if any(key in self.rows for key in made):
            return made
        shape = next(iter(made.values())).shape
        order = self.circuit.order
        keys = sorted({key for at in made for key in self.after[at]}, key=order.__getitem__)
        used = {**values, **made}
        found = {}
        for key in keys:
            formula = self.circuit.entries[key].formula
            assert formula is not None
            value = spread(real(numbers(formula, used)), shape)
            if key in self.rows:
                found[key] = value
            else:
                used[key] = value
        return found

    @cached_property
    def after(self) -> dict[str, list[str]]:
        """Of every entry that is not asked for, those it reaches, in order."""
        keys = list(self.circuit.entries)
        found: dict[str, list[str]] = {key: [] for key in keys}
        for key in keys:
            for bit in ones(self.reach[key] & ~(1 << self.circuit.order[key])):
                found[keys[bit.bit_length() - 1]].append(key)
        return found

    def unit(self, values: Value) -> Value:
        """The unit of the last digit with which numbers are written; nan for 0 where that has none."""
        if self.precision.decimals is not None:
            return np.full_like(values, 10.0**-self.precision.decimals)
        digits = self.precision.significant or 3
        with np.errstate(all="ignore"):
            unit = 10.0 ** (np.floor(np.log10(np.abs(values))) + 1 - digits)
            shown = np.rint(values / unit + SAME) * unit  # 0.96 with one digit is 1, which counts in ones
            unit = 10.0 ** (np.floor(np.log10(np.abs(shown)) + SAME) + 1 - digits)
            return np.where(values == 0, math.nan, unit)

    def written(self, values: Value) -> Value:
        """Numbers as they are written; a tie goes to the even digit."""
        unit = self.unit(values)
        with np.errstate(all="ignore"):
            return np.where(np.isnan(unit), values, np.rint(values / unit) * unit)

    def hidden(self, right: Value, wrong: Value) -> Value:
        """Whether what a mistake gives would be taken for right: as it is written, it is the right number rounded.

        However ties are rounded; where digits are counted, 0 is no rounding of anything else.
        """
        unit = self.unit(wrong)
        found = np.abs(wrong - right) <= SAME * np.abs(right)
        with np.errstate(all="ignore"):
            for nudge in (-SAME, SAME):
                shown = np.rint(wrong / unit + nudge) * unit
                found |= np.abs(shown - right) <= unit / 2 * (1 + SAME)
        return found & np.isfinite(wrong)

    def groups(self, wrong: Value, hidden: Value) -> list[list[int]]:
        """The places of mistakes, by different rules, that give one number at a step, of one set of numbers."""
        shown = self.written(wrong)
        found: dict[tuple[int, float], list[int]] = {}
        open = np.flatnonzero(~hidden & np.isfinite(wrong) & np.isfinite(shown))
        for place, row, value in zip(open.tolist(), self.row_of[open].tolist(), shown[open].tolist(), strict=True):
            found.setdefault((row, float(f"{value:.12g}")), []).append(place)
        several = (places for places in found.values() if len(places) > 1)
        return [places for places in several if len({self.slip(p).rule for p in places}) > 1]

    def score(self, given: Given) -> tuple[Value, Value]:
        """(how many mistakes are hidden, how many groups look alike) that other numbers close by would show.

        A number for each set of `given`.
        """
        right, wrong = self.run(given)
        hidden = self.hidden(right, wrong)
        return (hidden & ~self.near.never[:, None]).sum(axis=0), self.ambiguous(wrong, hidden)

    def ambiguous(self, wrong: Value, hidden: Value) -> Value:
        """How many groups that numbers close by would tell apart look alike, for each set: `groups`, many at once."""
        shown = self.written(wrong)
        shown = np.where(hidden | ~np.isfinite(wrong), math.nan, shown)
        count = np.zeros(wrong.shape[1], dtype=int)
        for start, end in self.blocks:
            kinds = np.array(self.near.classes[start:end]), self.rules[start:end]
            size = (end - start) ** 2
            for sets in chunks(wrong.shape[1], max(1, LARGEST // size)):
                count[sets] += several(shown[start:end, sets], *kinds)
        return count

    @cached_property
    def blocks(self) -> list[tuple[int, int]]:
        """(first, last + 1) of the pairs of each step."""
        edges = [0, *(np.flatnonzero(np.diff(self.row_of)) + 1).tolist(), len(self.pairs)]
        return [(start, end) for start, end in pairwise(edges) if end > start]

    @cached_property
    def rules(self) -> Value:
        """The rule of every pair, as a number."""
        numbered = {rule: i for i, rule in enumerate(dict.fromkeys(slip.rule for slip in self.slips))}
        return np.array([numbered[self.slip(place).rule] for place in range(len(self.pairs))], dtype=int)

    def apart(self, groups: list[list[int]]) -> list[list[int]]:
        """Those groups that numbers close by would tell apart."""
        return [places for places in groups if len({self.near.classes[place] for place in places}) > 1]

    # other numbers ----------------------------------------------------------------------------------------------------
    @cached_property
    def near(self) -> Elsewhere:
        """The same at numbers next to these: what agrees there, agrees as long as no sign changes."""
        return Elsewhere(self, nearby(self.circuit))

    @cached_property
    def far(self) -> Elsewhere:
        """The same at numbers of any sign: what agrees there is the same formula."""
        return Elsewhere(self, anywhere(self.circuit))


class Elsewhere:
    """What agrees at other numbers. never: whether a mistake gives the right number there, by pair

    classes: for every pair the first one of its step that gives the same there
    """

    def __init__(self, bench: Bench, given: Given) -> None:
        right, wrong = bench.run(given)
        self.never: Value = np.all(same(right, wrong), axis=1)
        self.classes: list[int] = []
        for start, end in bench.blocks:
            agree = np.ones((end - start, end - start), dtype=bool)
            for column in wrong[start:end].T:
                agree &= same(column[:, None], column[None, :])
            self.classes += (start + agree.argmax(axis=1)).tolist()


def reach(circuit: Circuit, asked: set[str]) -> dict[str, int]:
    """Of every entry, as bits by their order, itself and what it is computed from without a step that is asked for."""
    found: dict[str, int] = {}
    for key, at in circuit.entries.items():
        found[key] = 0 if at.given else 1 << circuit.order[key]
        for parent in at.parents:
            if parent not in asked:
                found[key] |= found[parent]
    return found


def ones(bits: int) -> Iterator[int]:
    """The bits of a number that are set, each as a number."""
    while bits:
        bit = bits & -bits
        yield bit
        bits ^= bit


def throughout(id: str, wrong: Mapping[str, list[tuple[str, Formula]]]) -> Iterator[Slip]:
    """The mistakes that are made alike at all entries of a quantity."""
    by_rule = [
        {rule: [f for _, f in found] for rule, found in groupby(at, lambda pair: pair[0])} for at in wrong.values()
    ]
    for rule, first in by_rule[0].items():
        columns = [found.get(rule, []) for found in by_rule]
        if all(len(column) == len(first) for column in columns):
            yield from (Slip(id, rule, dict(zip(wrong, row, strict=True))) for row in zip(*columns, strict=True))


def chunks(size: int, most: int) -> Iterator[slice]:
    """A range in pieces of at most so many."""
    yield from (slice(start, start + most) for start in range(0, size, most))


def several(shown: Value, classes: Value, rules: Value) -> Value:
    """How many groups of equal numbers, not all of one class nor of one rule, there are in each column."""
    size = len(shown)
    with np.errstate(all="ignore"):
        equal = np.abs(shown[:, None] - shown[None, :]) <= SAME * np.abs(shown[None, :])
    earlier = np.tri(size, k=-1, dtype=bool)[:, :, None]
    first = ~np.any(equal & earlier, axis=1)
    mixed = [np.any(equal & (kind[:, None] != kind[None, :])[:, :, None], axis=1) for kind in (classes, rules)]
    return np.sum(first & mixed[0] & mixed[1], axis=0)


def made_of(key: str, slips: list[Slip], values: Mapping[str, Value], size: int) -> Value:
    """What mistakes make of an entry, a row for each."""
    return np.array([spread(real(numbers(slip.formulas[key], values)), (size,)) for slip in slips], dtype=float)


def spread(value: Value, shape: tuple[int, ...]) -> Value:
    """A number, or rows of them, in a shape."""
    return value if np.shape(value) == shape else np.broadcast_to(value, shape)


def real(value: Value) -> Value:
    """A number, or nan for a root of a negative one."""
    return value if np.isrealobj(value) else np.full(np.shape(value), math.nan)


def same(one: Value, other: Value) -> Value:
    """Whether numbers are the same but for the noise of floats; where one is none, nothing speaks against it."""
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(one), np.abs(other))
        return (np.abs(one - other) <= SAME * size) | ~(np.isfinite(one) & np.isfinite(other))


def nearby(circuit: Circuit) -> dict[str, Floats]:
    """Numbers next to those of the task, of the same sign; what is 0 becomes a little more or less."""
    random = np.random.default_rng(SEED)
    found = {}
    for key in changeable(circuit):
        value, move = circuit.floats[key], random.uniform(-NEAR, NEAR, SAMPLES)
        found[key] = value * (1 + move) if value else move
    return found


def anywhere(circuit: Circuit) -> dict[str, Floats]:
    """Numbers of any sign, about as large as those of the task; a rate stays positive."""
    random = np.random.default_rng(SEED)
    found = {}
    for key in changeable(circuit):
        size = max(abs(circuit.floats[key]), 0.1) * random.uniform(0.3, 3, 2 * SAMPLES)
        signs = random.choice([-1, 1], 2 * SAMPLES)
        found[key] = size if circuit.entries[key].kind == "lr" else signs * size
    return found


def changeable(circuit: Circuit) -> list[str]:
    """The numbers of the task that an author may choose; a target 0 or 1 says which class it is."""
    return [key for key, e in circuit.entries.items() if e.given and may_change(e.node.role, e.kind, circuit, key)]


def may_change(role: str, kind: str, circuit: Circuit, key: str) -> bool:
    if role == "target":
        return circuit.floats[key] not in (0, 1) and getattr(circuit.quantities, "encoding", "values") == "values"
    return role in ("input", "parameter") or kind == "lr"

"""What the numbers of an exercise hide: mistakes that give the right number, or the same as another mistake.

At the rounding that is asked for, every rule of `derive.homework.mistakes` is worked out at every step. What cannot be
seen there is listed, the reasons that lie in the data are named, and nearby numbers are sought that show more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from derive.algebra import Value
from derive.formula import Formula
from derive.homework.circuit import Circuit
from derive.homework.compute import numbers
from derive.homework.degenerate import reasons
from derive.homework.policy import Precision
from derive.numerals import decimal
from derive.tensor import Floats

NOT_ASKED = ("dL/dx",)
SAMPLES = 7  # other numbers, at which it is seen whether two formulas always agree
MOST_CHANGES = 3  # numbers that are changed in a suggestion
MOST_TRIED = 400  # changes that are tried at a time
SEED = 20151


@dataclass(frozen=True)
class Case:
    """A mistake at a step: what it would give. always: whether no numbers at all could show it, or tell it apart."""

    key: str
    rule: str
    formula: Formula
    value: float
    always: bool = False


@dataclass(frozen=True)
class Twins:
    """Mistakes of one step that give the same number."""

    key: str
    cases: tuple[Case, ...]
    always: bool


@dataclass(frozen=True)
class Change:
    """Another number in the task, and how much would be hidden and ambiguous with it."""

    key: str
    old: Fraction
    new: Fraction
    hidden: int
    ambiguous: int


@dataclass(frozen=True)
class Lint:
    """What was found. cases: how many mistakes at how many steps were tried."""

    precision: Precision
    steps: int
    cases: int
    hidden: tuple[Case, ...]
    twins: tuple[Twins, ...]
    degenerate: tuple[tuple[str, dict[str, object]], ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether these numbers show every mistake that any numbers could show."""
        return not self.degenerate and all(case.always for case in self.hidden)


@dataclass
class Bench:
    """The exercise with all its mistakes, worked out for several sets of numbers at once."""

    circuit: Circuit
    precision: Precision
    rules: list[tuple[str, str, Formula]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.rules:
            self.rules = [
                (key, rule, formula)
                for key, entry in self.circuit.entries.items()
                if entry.kind not in NOT_ASKED
                for rule, formula in self.circuit.wrong(key)
            ]

    def run(self, given: dict[str, Floats]) -> tuple[Value, Value]:
        """(right, wrong) numbers, a row for every mistake, a column for every set of numbers."""
        size = max((len(row) for row in given.values()), default=1)
        values = self.circuit.runs(given)
        right = np.array([np.broadcast_to(values[key], size) for key, _, _ in self.rules], dtype=float)
        wrong = [np.broadcast_to(np.asarray(numbers(f, values), dtype=float), size) for _, _, f in self.rules]
        return right.reshape(-1, size), np.array(wrong, dtype=float).reshape(-1, size)

    def written(self, values: Value) -> tuple[Value, Value]:
        """(numbers as they are written, the unit of their last digit)."""
        with np.errstate(all="ignore"):
            if self.precision.decimals is not None:
                unit = np.full_like(values, 10.0**-self.precision.decimals)
            else:
                size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
                unit = 10.0 ** (np.floor(np.log10(size)) + 1 - (self.precision.significant or 3))
            return np.rint(values / unit) * unit, unit

    def hidden(self, right: Value, wrong: Value) -> Value:
        """Whether what a mistake gives would be taken for right."""
        shown, unit = self.written(wrong)
        with np.errstate(all="ignore"):
            return np.isfinite(wrong) & (np.abs(shown - right) <= unit / 2 * (1 + 1e-9))

    @cached_property
    def elsewhere(self) -> tuple[Value, Value]:
        """The same at other numbers: what agrees there, agrees always."""
        return self.run(shaken(self.circuit))

    @cached_property
    def never(self) -> Value:
        """Whether a mistake gives the right number whatever the numbers."""
        return np.all(alike(*self.elsewhere), axis=1)

    @cached_property
    def classes(self) -> list[int]:
        """For every mistake the first one of its step that always gives the same."""
        found: list[int] = []
        first: dict[str, list[int]] = {}
        wrong = self.elsewhere[1]
        for place, (key, _, _) in enumerate(self.rules):
            earlier = first.setdefault(key, [])
            same = next((p for p in earlier if np.all(alike(wrong[p], wrong[place]))), place)
            found.append(same)
            if same == place:
                earlier.append(place)
        return found

    def groups(self, wrong: Value, hidden: Value) -> list[list[int]]:
        """The places of mistakes of one step that give the same number, of one set of numbers."""
        shown, _ = self.written(wrong)
        found: dict[tuple[str, float], list[int]] = {}
        for place, (key, _, _) in enumerate(self.rules):
            if not hidden[place] and math.isfinite(wrong[place]):
                found.setdefault((key, float(f"{shown[place]:.12g}")), []).append(place)
        return [places for places in found.values() if len({self.rules[p][1] for p in places}) > 1]

    def score(self, given: dict[str, Floats]) -> list[tuple[int, int]]:
        """(how many mistakes are hidden, how many groups look alike) that other numbers would show, for each set."""
        right, wrong = self.run(given)
        hidden = self.hidden(right, wrong)
        counts = (hidden & ~self.never[:, None]).sum(axis=0)
        groups = [self.groups(wrong[:, i], hidden[:, i]) for i in range(wrong.shape[1])]
        apart = [sum(len({self.classes[p] for p in places}) > 1 for places in found) for found in groups]
        return [(int(count), alike) for count, alike in zip(counts, apart, strict=True)]


def lint(circuit: Circuit, precision: Precision, *, suggest: bool = True) -> Lint:
    """What the numbers of an exercise hide at a rounding."""
    bench = Bench(circuit, precision)
    right, wrong = bench.run({})
    hidden = bench.hidden(right, wrong)[:, 0]
    found = [case(bench, place, wrong, bool(bench.never[place])) for place in np.flatnonzero(hidden).tolist()]
    twins = []
    for places in bench.groups(wrong[:, 0], hidden):
        always = len({bench.classes[place] for place in places}) == 1
        twins.append(Twins(bench.rules[places[0]][0], tuple(case(bench, p, wrong, always) for p in places), always))
    return Lint(
        precision,
        len({key for key, _, _ in bench.rules}),
        len(bench.rules),
        tuple(found),
        tuple(twins),
        tuple(reasons(circuit)),
        tuple(changes(bench)) if suggest else (),
    )


def changes(bench: Bench) -> Iterator[Change]:
    """Other numbers close by that show more, one after the other, as long as each is worth it."""
    circuit = bench.circuit
    now: dict[str, Fraction] = {}
    score = bench.score({})[0]
    for _ in range(MOST_CHANGES):
        tried = [] if score == (0, 0) else list(candidates(circuit, now))[:MOST_TRIED]
        if not tried:
            return
        rows: dict[str, Floats] = {key: np.full(len(tried), float(now[key])) for key in now}
        for key in {key for key, _ in tried}:
            base = float(now[key]) if key in now else circuit.floats[key]
            rows[key] = np.array([float(new) if k == key else base for k, new in tried])
        scores = bench.score(rows)
        best = min(range(len(tried)), key=lambda i: (sum(scores[i]), i))
        if sum(scores[best]) >= sum(score):
            return
        key, new = tried[best]
        score = scores[best]
        now[key] = new
        exact = circuit.exact(key)
        assert exact is not None
        yield Change(key, exact, new, *score)


def candidates(circuit: Circuit, now: Mapping[str, Fraction]) -> Iterator[tuple[str, Fraction]]:
    """(given, another number for it): a few units of its last digits away, as short, used nowhere else."""
    taken = {circuit.exact(key) for key in changeable(circuit)} | set(now.values())
    keys = [key for key in changeable(circuit) if key not in now and circuit.exact(key) is not None]
    for units in (1, -1, 2, -2, 3, -3, 5, -5):
        for key in keys:
            exact = circuit.exact(key)
            assert exact is not None
            unit = last_unit(exact)
            for new in (exact + units * unit, exact + units * unit / 10):
                if new and new not in taken and (new > 0) == (exact > 0):
                    yield key, new


def last_unit(value: Fraction) -> Fraction:
    """A unit of the last digit of a short decimal; of a whole number a tenth."""
    exponent = decimal(value).normalize().as_tuple().exponent
    return min(Fraction(10) ** int(exponent), Fraction(1, 10)) if isinstance(exponent, int) else Fraction(1, 10)


def case(bench: Bench, place: int, wrong: Value, always: bool) -> Case:
    key, rule, formula = bench.rules[place]
    return Case(key, rule, formula, float(wrong[place, 0]), always)


def alike(one: Value, other: Value) -> Value:
    """Whether numbers are the same but for the noise of floats."""
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(one), np.abs(other))
        return (np.abs(one - other) <= 1e-9 * size) | ~(np.isfinite(one) & np.isfinite(other))


def shaken(circuit: Circuit) -> dict[str, Floats]:
    """Other numbers for all that is given, not far from those of the task; what is exactly 0 or 1 by its kind stays."""
    random = np.random.default_rng(SEED)
    found = {}
    for key in changeable(circuit):
        found[key] = circuit.floats[key] * random.uniform(0.6, 1.4, SAMPLES) + random.uniform(-0.05, 0.05, SAMPLES)
    return found


def changeable(circuit: Circuit) -> list[str]:
    """The numbers of the task that an author may choose."""
    return [key for key, e in circuit.entries.items() if e.given and e.node.role in ("input", "parameter")]

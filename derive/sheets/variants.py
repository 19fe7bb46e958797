"""Numbers of somebody's own for an exercise: of the same kind as the author's, fair, and hiding no mistakes.

Variant k of seed s is drawn from (the exercise, s, k) alone, whichever others are drawn with it.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from derive.algebra import Value
from derive.errors import InputError
from derive.homework.bench import Bench
from derive.homework.circuit import Circuit
from derive.homework.degenerate import reasons
from derive.homework.manifest import SEED, Original, Variant
from derive.model import Model
from derive.numerals import literal
from derive.sheets.fair import Fair
from derive.source import Number

SETS = 64  # that are tried at a time
ROUNDS = 60  # times that is done, at most …
PATIENCE = 10  # … and at most without coming upon numbers that hide less …
NEARLY, LAST_PATIENCE = 2, 30  # … or, where they hide nearly nothing, so often
MOST_WORK = 3_000_000  # numbers worked out for one variant, where they are many
LEAST_ROUNDS = 4
LOOKED_INTO = 3  # sets of each round that may be worked out anew, the best first …
WORKED_OUT = 24  # … and how many are, at most
KEPT_SHARE = 0.75  # of the numbers of the best set so far, in the sets that are made from it
TRIES = 24  # draws of a number for one that is not there yet
OTHERS, WHOLE = 4, 3  # units above a small number up to which others are drawn; of a whole number
DENOMINATOR = 6  # up to which fractions are drawn, or that of the original
LARGEST_SEED = 10_000
HIDDEN = "more mistakes are hidden than in the original"

Numbers = Mapping[str, Number]
Draw = Callable[[np.random.Generator], Number]


@dataclass(frozen=True)
class Drawn:
    """A variant. hidden: mistakes that its numbers hide, by the measure of `derive lint` · tried: sets of numbers"""

    variant: Variant
    hidden: int
    tried: int


class Drawing:
    """Draws the variants of an exercise.

    Raises InputError where the exercise has no numbers that could be others, or too many mistakes to be worked out.
    """

    def __init__(self, original: Original) -> None:
        self.original = original
        assignment = original.assignment
        model = assignment.circuit.quantities
        assert isinstance(model, Model)
        self.places = {key: item.value for key, item in original.places.items() if isinstance(item.value, Number)}
        self.circuit = assignment.circuit
        self.free = tuple(free(self.circuit, self.places))
        node = {key: self.circuit.entries[key].node.id for key in self.free}
        self.tables = {key: [near for near in self.free if node[near] == node[key]] for key in self.free}
        self.draws = {key: other(self.places[key], key.startswith("t")) for key in self.free}
        self.finer = {key: other(self.places[key], key.startswith("t"), finer=True) for key in self.free}
        self.seeded = bool(model.drawn or model.masks_drawn)
        if not self.free and not self.seeded:
            raise original.item.error("there are no numbers in it that could be others")
        self.fair = Fair(assignment)
        self.bench = self.bench_of(assignment.circuit)
        self.allowed = int(self.bench.score({})[0][0])
        self.reasons = {reason.kind for reason in reasons(assignment.circuit)}

    def bench_of(self, circuit: Circuit) -> Bench:
        policy = self.original.assignment.policy
        return Bench(circuit, policy.precision, policy.ask)

    def draw(self, seed: int, number: int) -> Drawn:
        """A variant. InputError where no numbers are found, with what stood in the way."""
        random = np.random.default_rng(np.random.SeedSequence([seed, number]))
        search = Search(self, random, number, self.draws)
        if (found := search.run()) is not None:
            return found
        if self.free and (found := Search(self, random, number, self.finer).run()) is not None:
            return found
        problem = f"no numbers found for variant {number} in {search.tried:,} tries: {search.obstacles()}"
        raise self.original.item.error(problem)


class Search:
    """The way to one variant. draws: what draws the number of each place"""

    def __init__(self, drawing: Drawing, random: np.random.Generator, number: int, draws: Mapping[str, Draw]) -> None:
        self.drawing, self.random, self.number, self.draws = drawing, random, number, draws
        self.id = drawing.original.id_of(number)
        self.refused: Counter[str] = Counter()
        self.tried = self.worked = 0
        self.circuit = drawing.circuit
        self.pool: list[
            tuple[int, int, int, Numbers]
        ] = []  # what sets seem to hide, which they were, and their numbers
        self.leading: Numbers | None = None  # the best so far, near which others are looked for
        self.least, self.best_round = math.inf, 0
        self.settled: Drawn | None = None  # the best that was worked out anew

    def run(self) -> Drawn | None:
        """The first set that hides nothing, or the best there is when patience ends."""
        work = (SETS if self.drawing.free else 1) * max(1, len(self.drawing.bench.pairs))
        rounds = max(LEAST_ROUNDS, min(ROUNDS, MOST_WORK // work))
        for made in range(rounds):
            if self.pool and made - self.best_round > (PATIENCE if self.least > NEARLY else LAST_PATIENCE):
                break
            self.round(made)
            if (found := self.first(hidden=0)) is not None:
                return found
        return self.first(hidden=self.drawing.allowed)

    def first(self, hidden: int) -> Drawn | None:
        """The best of the pool that seems to hide at most so much, and does when it is worked out anew."""
        while self.settled is None or self.settled.hidden > hidden:
            if not self.pool or self.pool[0][0] > hidden or self.worked >= WORKED_OUT:
                return None
            self.worked += 1
            _, _, _, numbers = heapq.heappop(self.pool)
            made = self.worked_out(numbers)
            if made is not None and (self.settled is None or made.hidden < self.settled.hidden):
                self.settled = made
        return self.settled

    def round(self, made: int) -> None:
        """Some sets are drawn, those that are not fair left out, and the best put into the pool."""
        seed = self.reseeded()
        sets = list(self.sets())
        self.tried += len(sets)
        rows = {key: np.array([float(one[key]) for one in sets]) for key in self.drawing.free}
        fair = np.flatnonzero(self.passing(self.circuit, rows, len(sets)))
        if not len(fair):
            return
        bench = self.drawing.bench_of(self.circuit) if seed else self.drawing.bench
        hidden, ambiguous = bench.score({key: row[fair] for key, row in rows.items()})
        self.refused[HIDDEN] += int((hidden > self.drawing.allowed).sum())
        order = np.lexsort((ambiguous, hidden))[:LOOKED_INTO].tolist()
        for place in order:
            count = self.tried - SETS + place
            entry = int(hidden[place]), int(ambiguous[place]), count, {**sets[fair[place]], **seed}
            heapq.heappush(self.pool, entry)
        if hidden[order[0]] < self.least:
            self.least, self.leading, self.best_round = int(hidden[order[0]]), sets[fair[order[0]]], made

    def passing(self, circuit: Circuit, rows: Mapping[str, Value], size: int) -> Value:
        """Which sets are fair; why the others are not is counted."""
        with np.errstate(all="ignore"):
            verdicts = self.drawing.fair.verdicts(circuit.runs(rows), size)
        for name, passed in verdicts.items():
            self.refused[name] += int(size - passed.sum())
        return np.all(list(verdicts.values()), axis=0)

    def worked_out(self, numbers: Numbers) -> Drawn | None:
        """A set of numbers as an exercise of its own, from the text of its file; None where it will not do."""
        drawing, variant = self.drawing, Variant(self.number, self.id, numbers)
        try:
            circuit = drawing.original.exercise(variant).circuit
            circuit.adopt_mistakes(drawing.circuit)
            fair = self.passing(circuit, {}, 1).all()
        except InputError as problem:
            self.refused[problem.problem] += 1
            return None
        if not fair:
            return None
        if new := {reason.kind for reason in reasons(circuit)} - drawing.reasons:
            self.refused[f"the numbers are degenerate ({', '.join(sorted(new))})"] += 1
            return None
        hidden = int(drawing.bench_of(circuit).score({})[0][0])
        if hidden > drawing.allowed:
            self.refused[HIDDEN] += 1
            return None
        return Drawn(variant, hidden, self.tried)

    def obstacles(self) -> str:
        """What most sets failed at."""
        return ", ".join(f"{name} ({count:,} times)" for name, count in self.refused.most_common(2) if count)

    # drawing ----------------------------------------------------------------------------------------------------------
    def reseeded(self) -> dict[str, Number]:
        """Another seed, where numbers are drawn from one, and the exercise with it."""
        if not self.drawing.seeded:
            return {}
        seed = int(self.random.integers(1, LARGEST_SEED))
        found = {SEED: Number(str(seed), Fraction(seed))}
        self.circuit = self.drawing.original.exercise(Variant(self.number, self.id, found)).circuit
        self.circuit.adopt_mistakes(self.drawing.circuit)
        self.leading = None
        return found

    def sets(self) -> Iterator[Numbers]:
        """Sets of numbers: new ones, and, after the first round, as many with most numbers of the best so far."""
        if not self.drawing.free:
            yield {}
            return
        for i in range(SETS):
            kept: Numbers = {}
            if self.leading is not None and i % 2:
                stay = self.random.random(len(self.drawing.free)) < KEPT_SHARE
                kept = {key: self.leading[key] for key, stays in zip(self.drawing.free, stay, strict=True) if stays}
            yield self.set(kept)

    def set(self, kept: Numbers) -> Numbers:
        """A number for every place, all of different size as far as there are enough, those of a table at any rate."""
        drawing, found = self.drawing, dict(kept)
        taken = {abs(number.exact) for number in kept.values()}
        for key in drawing.free:
            if key in kept:
                continue
            beside = [abs(found[near].exact) for near in drawing.tables[key] if near in found]
            tried = [self.draws[key](self.random)]
            while len(tried) < TRIES and (
                abs(tried[-1].exact) in taken or tried[-1].exact == drawing.places[key].exact
            ):
                tried.append(self.draws[key](self.random))
            best = tried[-1]
            if abs(best.exact) in taken:
                best = next((one for one in tried if abs(one.exact) not in beside), best)
            found[key] = best
            taken.add(abs(best.exact))
        return {key: found[key] for key in drawing.free}


def free(circuit: Circuit, places: Numbers) -> Iterator[str]:
    """The places whose numbers are drawn: a 0 stays 0, and inputs and targets of 0s and 1s say which class it is."""
    tables: dict[str, set[Fraction]] = {}
    for key, number in places.items():
        tables.setdefault(circuit.entries[key].node.id, set()).add(abs(number.exact))
    for key, number in places.items():
        at = circuit.entries[key].node
        code = at.role in ("input", "target") and tables[at.id] <= {0, 1}
        if number.exact and not code:
            yield key


# numbers of the same kind -------------------------------------------------------------------------------------------------
def other(number: Number, target: bool = False, *, finer: bool = False) -> Draw:
    """What draws a number of the same kind: its sign, its digits, half to twice as large, below 1 if it is.

    A fraction stays one with a small denominator. A target near 1 stays near 1.
    finer: decimals have one more digit, where others as short would not do
    """
    choices = fractions(number.exact) if "/" in number.text else None
    if choices:
        return lambda random: choices[int(random.integers(len(choices)))]
    return decimals(number, target, finer) if "/" not in number.text else lambda random: number


def fractions(value: Fraction) -> list[Number]:
    """The fractions from half to twice a value, in lowest terms and no whole numbers, with small denominators."""
    size, sign = abs(value), "-" if value < 0 else ""
    bottoms = range(2, max(value.denominator, DENOMINATOR) + 1) if value.denominator <= 100 else [value.denominator]
    found = []
    for bottom in bottoms:
        for top in range(math.ceil(size / 2 * bottom), math.floor(2 * size * bottom) + 1):
            new = Fraction(top, bottom)
            if new.denominator == bottom and (size > 1 or new < 1):
                found.append(Number(f"{sign}{top}/{bottom}", new if value > 0 else -new))
    return found


def decimals(number: Number, target: bool, finer: bool = False) -> Draw:
    """What draws decimals with as many digits after the point."""
    shown = literal(number.text)
    assert shown is not None
    scale = Fraction(10) ** (shown.exponent or 0)
    size, places = abs(number.exact), len(shown.digits.partition(".")[2])
    zeros = 0 if places else len(shown.digits) - len(shown.digits.rstrip("0"))  # 3000 is as short as 3
    if finer:
        places, zeros = (places, zeros - 1) if zeros else (places + 1, 0)
    unit = Fraction(10) ** (zeros - places) * scale
    near_one = target and Fraction(1, 2) < size < 1
    units = (1 - size if near_one else size) / unit
    least, most = (
        max(1, math.floor(units / 2)),
        max(math.floor(2 * units), math.floor(units) + (OTHERS if places else WHOLE)),
    )
    if size < 1:
        most = min(most, math.ceil(1 / unit) - 1)
    end = "" if shown.exponent is None else f"e{shown.exponent}"
    round_, few = units % 10 == 0, most - least < 2

    @cache
    def made(count: int) -> Number | None:
        new = 1 - count * unit if near_one else count * unit
        if not few and ((new == 1 and size != 1) or not (round_ or count % 10)):
            return None
        text = f"{'-' if number.exact < 0 else ''}{spelled_out(new / scale, places)}{end}"
        return Number(text, new if number.exact > 0 else -new)

    def draw(random: np.random.Generator) -> Number:
        while True:
            found = made(least + int(random.random() * (most - least + 1)))
            if found is not None:
                return found

    return draw


def spelled_out(value: Fraction, places: int) -> str:
    """A decimal with so many digits after the point."""
    digits = str(int(value * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits

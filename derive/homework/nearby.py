"""Other numbers for an exercise, close to its own, that hide less; what they are worth is worked out anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from derive.homework.bench import Bench, changeable
from derive.homework.circuit import STEP, Circuit
from derive.homework.degenerate import reasons
from derive.model import Model
from derive.numerals import decimal
from derive.tensor import Floats, Tensor

MOST_CHANGES = 4  # numbers that are changed
MOST_TRIED = 400  # changes that are tried at a time …
MOST_WORK = 700_000  # … as long as not more numbers have to be worked out
LEAST_TRIED = 12
LOOKED_INTO = 30  # the best of them, whose data are looked at as well …
WORKED_OUT = 3  # … and those that are worked out anew, until one is better
LONGEST = 6  # digits after the point of a number that somebody has chosen


class Score(NamedTuple):
    """How many mistakes are hidden, how many groups look alike, how many things are degenerate."""

    hidden: int
    ambiguous: int
    degenerate: int


@dataclass(frozen=True)
class Change:
    """Another number in the place of one of the task, and what is left with it and those before it."""

    key: str
    old: Fraction
    new: Fraction
    score: Score


@dataclass(frozen=True)
class Suggestion:
    """Changes, one after the other. kind: found · drawn: the numbers come from a seed · large: too many · none: no better

    before, after: the score; the latter from the exercise worked out anew with all changes
    """

    kind: str
    before: Score
    after: Score
    changes: tuple[Change, ...] = ()


def suggestion(bench: Bench) -> Suggestion:
    """The changes that are worth it, each the best of many that were tried."""
    keys = chosen(bench.circuit)
    score = before = scored(bench)
    work = len(bench.pairs) + len(bench.circuit.entries)
    if not sum(score) or not keys or work * LEAST_TRIED > MOST_WORK:
        return Suggestion("none" if not sum(score) else "large" if keys else "drawn", score, score)
    now: dict[str, Fraction] = {}
    found: list[Change] = []
    while sum(score) and len(found) < MOST_CHANGES:
        tried = list(candidates(bench.circuit, keys, now))[: min(MOST_TRIED, MOST_WORK // work)]
        worth = ((key, new, worked_out(bench, {**now, key: new})) for key, new in best(bench, now, tried))
        change = next(((key, new, made) for key, new, made in worth if sum(made) < sum(score)), None)
        if change is None:
            break
        key, new, score = change
        now[key] = new
        old = bench.circuit.exact(key)
        assert old is not None
        found.append(Change(key, old, new, score))
    return Suggestion("found" if found else "none", before, score, tuple(found))


def best(bench: Bench, now: Mapping[str, Fraction], tried: list[tuple[str, Fraction]]) -> list[tuple[str, Fraction]]:
    """The best of some changes beside those made already, the best first."""
    if not tried:
        return []
    floats = bench.circuit.floats
    rows: dict[str, Floats] = {key: np.full(len(tried), float(new)) for key, new in now.items()}
    for key in dict.fromkeys(key for key, _ in tried):
        rows[key] = np.array([float(new) if k == key else floats[key] for k, new in tried])
    hidden, ambiguous = bench.score(rows)
    total = hidden + ambiguous
    looked = np.argsort(total, kind="stable")[:LOOKED_INTO].tolist()
    for place in looked:
        values = bench.circuit.runs({key: float(row[place]) for key, row in rows.items()})
        total[place] += len(reasons(bench.circuit, {key: float(value) for key, value in values.items()}))
    return [tried[place] for place in sorted(looked, key=total.__getitem__)[:WORKED_OUT]]


def chosen(circuit: Circuit) -> list[str]:
    """The numbers that somebody has chosen: they were typed, and are short."""
    model = circuit.quantities
    drawn = {node.id for node in model.drawn} if isinstance(model, Model) else set()
    found = []
    for key in changeable(circuit):
        exact = circuit.exact(key)
        if exact is not None and circuit.entries[key].node.id not in drawn and (exact * 10**LONGEST).denominator == 1:
            found.append(key)
    return found


def candidates(circuit: Circuit, keys: list[str], now: Mapping[str, Fraction]) -> Iterator[tuple[str, Fraction]]:
    """(given, another number for it): a few units of its last digit away, as short, used nowhere else."""
    exact = {key: value for key in keys if (value := circuit.exact(key)) is not None}
    taken = {*exact.values(), *now.values()}
    for units in (1, -1, 2, -2, 3, -3, 5, -5):
        for finer in (1, 10):
            for key, value in exact.items():
                new = value + units * last_unit(value) / finer
                if (
                    key not in now
                    and new
                    and new not in taken
                    and (new > 0) == (value > 0 or (not value and units > 0))
                ):
                    yield key, new


def last_unit(value: Fraction) -> Fraction:
    """A unit of the last digit of a short decimal; of a whole number a tenth."""
    exponent = decimal(value).normalize().as_tuple().exponent
    return Fraction(10) ** min(-1, exponent) if isinstance(exponent, int) else Fraction(1, 10)


def scored(bench: Bench) -> Score:
    """The score of an exercise as it is."""
    hidden, ambiguous = bench.score({})
    return Score(int(hidden[0]), int(ambiguous[0]), len(reasons(bench.circuit)))


def worked_out(bench: Bench, new: Mapping[str, Fraction]) -> Score:
    """The score of the exercise with other numbers, from a new model of it."""
    return scored(Bench(changed(bench.circuit, new), bench.precision, bench.asked))


def changed(circuit: Circuit, new: Mapping[str, Fraction]) -> Circuit:
    """The same exercise with other numbers."""
    model = circuit.quantities
    assert isinstance(model, Model)
    given = dict(model.given)
    for key, value in new.items():
        at = circuit.entries[key]
        tensor = given[at.node]
        exact, floats, text = tensor.exact.copy(), tensor.value.copy(), tensor.text.copy()
        exact[at.row, at.column], floats[at.row, at.column], text[at.row, at.column] = value, float(value), ""
        given[at.node] = Tensor(floats, exact, text)
    found = Circuit(replace(model, given=given), circuit.naming)
    entries = list(circuit.entries.values())
    for step in (entry for entry in entries if entry.node.role == STEP):
        found = found.of(entries, step.node, step.name)
    found.adopt_mistakes(circuit)
    return found

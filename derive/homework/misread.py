"""A number of the task that was copied wrongly: one changed given explains all of the numbers computed from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from derive.algebra import Value
from derive.homework import ladder
from derive.homework.chains import Chain
from derive.homework.circuit import Circuit
from derive.homework.ladder import Reference
from derive.homework.policy import Precision
from derive.homework.written import Written
from derive.numerals import decimal

MOST_GIVEN = 40  # numbers of the task that are tried
SECANTS = 12


@dataclass(frozen=True)
class Misread:
    """A given, and what was read in its place.

    answers: how many wrong ones it explains · sure: whether no step before was worked with the right number
    """

    key: str
    value: Fraction
    answers: int
    sure: bool


def find(
    circuit: Circuit, chain: Chain, key: str, written: dict[str, Written], precision: Precision, *, chops: bool = False
) -> Misread | None:
    """What was misread that makes a step and those of its kind consistent, or None."""

    def agrees(key: str, given: str, value: float) -> bool:
        """Whether a number follows if a number of the task had been another."""
        found = Reference(float(chain.with_givens(key, [(given, value)])[0]), chain.rad(key))
        return ladder.follows(written[key], found, precision.unit(written[key]), chops=chops)

    kind, order = circuit.entries[key].kind, circuit.order
    neighbours = [k for k in written if k != key and circuit.entries[k].kind == kind]
    for given, value in near(circuit, chain, key, written[key], precision, chops=chops):
        touched = [key, *(k for k in neighbours if given in chain.stretch(k).given)]
        if all(agrees(k, given, float(value)) for k in touched):
            wrong = [k for k in touched if not agrees(k, given, circuit.floats[given])]
            before = (k for k in written if order[k] < order[key] and given in chain.stretch(k).given)
            return Misread(given, value, len(wrong), all(agrees(k, given, float(value)) for k in before))
    return None


def near(
    circuit: Circuit, chain: Chain, key: str, written: Written, precision: Precision, *, chops: bool
) -> Iterator[tuple[str, Fraction]]:
    """(given, value) of what may have been read in the place of a number, where a step is about what was written."""
    givens = [given for given in chain.stretch(key).given[:MOST_GIVEN] if circuit.exact(given) is not None]
    if not givens:
        return
    solutions = solved(chain, key, givens, np.array([circuit.floats[given] for given in givens]), written.number)
    tried = [
        (given, value)
        for given, solution in zip(givens, solutions.tolist(), strict=True)
        for value in candidates(circuit, given, solution)
    ]
    own = chain.with_givens(key, [(given, float(value)) for given, value in tried])
    half = ladder.half(written, precision.unit(written))
    reach = ladder.CLOSED * np.abs(own) if written.closed else half * (2 if chops else 1)
    with np.errstate(all="ignore"):
        blur = 2 * ladder.FLOAT * np.maximum(np.abs(own), abs(written.number))
        close = np.abs(own - written.number) <= reach + np.nan_to_num(chain.rad(key), posinf=np.inf) + blur
    yield from (tried[i] for i in np.flatnonzero(close))


def candidates(circuit: Circuit, given: str, solution: float) -> Iterator[Fraction]:
    """What may have been read in the place of a number: those a slip of the eye away from it.

    solution: what it would have to be for the step to be what was written; nan where there is none
    """
    exact = circuit.exact(given)
    assert exact is not None
    digits, unit = digits_of(exact)
    if given not in circuit.misreadings:
        others = (circuit.exact(name.key) for name in circuit.array(circuit.entries[given].node).ravel())
        found = dict.fromkeys((*slips(exact, digits, unit), *(other for other in others if other is not None)))
        circuit.misreadings[given] = [value for value in found if value != exact]
    yield from circuit.misreadings[given]
    yield from one_digit(solution, exact, digits, unit)


def digits_of(value: Fraction) -> tuple[str, Fraction]:
    """(the digits of a short decimal, the unit of the last one)."""
    number = decimal(abs(value)).normalize()
    exponent = number.as_tuple().exponent
    unit = Fraction(10) ** int(exponent) if isinstance(exponent, int) else Fraction(1)
    return str(int(abs(value) / unit)), unit


def slips(value: Fraction, digits: str, unit: Fraction) -> Iterator[Fraction]:
    """Taken as 0, a decimal point misplaced, a sign lost, two digits exchanged."""
    yield Fraction(0)
    for power in (1, -1, 2, -2):
        yield value * Fraction(10) ** power
    yield -value
    sign = -1 if value < 0 else 1
    for i in range(len(digits) - 1):
        yield sign * int(digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]) * unit


def one_digit(found: float, exact: Fraction, digits: str, unit: Fraction) -> Iterable[Fraction]:
    """The number that was found, if it is the given one with one other digit."""
    if not math.isfinite(found) or abs(found) > 1e15:
        return []
    value = round(Fraction(found) / unit) * unit
    other = str(abs(int(value / unit))).zfill(len(digits))
    differing = sum(a != b for a, b in zip(digits.zfill(len(other)), other, strict=False))
    return (
        [value] if len(other) == len(digits.zfill(len(other))) and differing == 1 and (value < 0) == (exact < 0) else []
    )


def solved(chain: Chain, key: str, givens: Sequence[str], start: Value, target: float) -> Value:
    """The value of each of some givens at which a step would have been what was written, by secants; nan without one."""

    def off(values: Value) -> Value:
        return chain.with_givens(key, list(zip(givens, values.tolist(), strict=True))) - target

    with np.errstate(all="ignore"):
        a, b = start, start * 1.01 + 0.01
        at_a, at_b = off(a), off(b)
        done = np.zeros(len(givens), dtype=bool)
        for _ in range(SECANTS):
            following = np.where(done, b, b - at_b * (b - a) / (at_b - at_a))
            a, at_a, b = b, at_b, following
            at_b = off(b)
            done |= np.abs(at_b) <= 1e-12 * max(1.0, abs(target))
            if (done | ~np.isfinite(b)).all():
                break
    return b

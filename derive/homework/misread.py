"""A number of the task that was copied wrongly: one changed given explains all of the numbers computed from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

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
    """A given, and what was read in its place."""

    key: str
    value: Fraction


def find(
    circuit: Circuit, chain: Chain, key: str, written: dict[str, Written], precision: Precision, *, chops: bool = False
) -> tuple[Misread, int] | None:
    """(what was misread, how many answers it explains) that makes a step and its neighbours consistent, or None."""

    def agrees(key: str, given: str, value: float) -> bool:
        """Whether a number follows if a number of the task had been another."""
        found = Reference(chain.with_given(key, given, value), chain.rad(key))
        return ladder.follows(written[key], found, precision.unit(written[key]), chops=chops)

    kind = circuit.entries[key].kind
    neighbours = [k for k in written if k != key and circuit.entries[k].kind == kind]
    for given in chain.stretch(key).given[:MOST_GIVEN]:
        touched = [key, *(k for k in neighbours if given in chain.stretch(k).given)]
        for value in candidates(circuit, chain, given, key, written[key]):
            if all(agrees(k, given, float(value)) for k in touched):
                wrong = [k for k in touched if not agrees(k, given, circuit.floats[given])]
                return Misread(given, value), len(wrong)
    return None


def candidates(circuit: Circuit, chain: Chain, given: str, key: str, written: Written) -> Iterator[Fraction]:
    """What may have been read in the place of a number: those a slip of the eye away from it."""
    exact = circuit.exact(given)
    if exact is None:
        return
    digits, unit = digits_of(exact)
    yield from dict.fromkeys(v for v in slips(exact, digits, unit) if v != exact)
    entry = circuit.entries[given]
    for name in circuit.array(entry.node).ravel():
        if name.key != given and (other := circuit.exact(name.key)) not in (None, exact):
            yield other
    yield from one_digit(chain, given, exact, digits, unit, key, written)


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


def one_digit(
    chain: Chain, given: str, exact: Fraction, digits: str, unit: Fraction, key: str, written: Written
) -> Iterable[Fraction]:
    """The number with one other digit that gives what was written, if there is one."""
    found = solved(chain, given, float(exact), key, written.number)
    if found is None or not math.isfinite(found) or abs(found) > 1e15:
        return []
    value = round(Fraction(found) / unit) * unit
    other = str(abs(int(value / unit))).zfill(len(digits))
    differing = sum(a != b for a, b in zip(digits.zfill(len(other)), other, strict=False))
    return (
        [value] if len(other) == len(digits.zfill(len(other))) and differing == 1 and (value < 0) == (exact < 0) else []
    )


def solved(chain: Chain, given: str, start: float, key: str, target: float) -> float | None:
    """The value of a given at which a step would have been what was written, by secants."""

    def off(value: float) -> float:
        return chain.with_given(key, given, value) - target

    a, b = start, start * 1.01 + 0.01
    at_a, at_b = off(a), off(b)
    for _ in range(SECANTS):
        if at_b == at_a or not (math.isfinite(at_a) and math.isfinite(at_b)):
            return None
        a, at_a, b = b, at_b, b - at_b * (b - a) / (at_b - at_a)
        at_b = off(b)
        if abs(at_b) <= 1e-12 * max(1.0, abs(target)):
            return b
    return b

"""Axes of charts: from numbers to places, and the ticks between."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.formula import Symbol

Numbers = NDArray[np.float64]

PLAIN_FROM, PLAIN_TO = Decimal("1e-3"), Decimal("1e6")
"""Ticks are written without a power of ten if the largest is between these."""
STRIDES = (1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1000)
"""From tick to tick on a logarithmic axis, in powers of ten."""
CLOSEST = 1e-9
"""Values that differ by less than this part of their size are shown as all but equal."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis with a number at it."""

    place: float
    label: str | Symbol


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`, drawn from `start` to `end`.

    The ends are decimal logarithms, or else numbers in units of 2^`exponent`, so that nothing overflows.
    """

    low: float
    high: float
    start: float = 0.0
    end: float = 1.0
    log: bool = False
    exponent: int = 0
    whole: bool = False  # only whole numbers are shown

    def place(self, values: Any) -> Numbers:
        """Where numbers stand; not a number where they cannot."""
        values = np.asarray(values, dtype=np.float64)
        if self.log:
            inside = np.log10(values, out=np.full(values.shape, np.nan), where=np.isfinite(values) & (values > 0))
        else:
            inside = np.ldexp(np.where(np.isfinite(values), values, np.nan), -self.exponent)
        found: Numbers = self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)
        return found

    def ticks(self, most: int) -> tuple[list[Tick], list[float]]:
        """At most about so many numbers, and the places of marks without one."""
        with localcontext() as context:
            context.prec = 60
            if not self.log:
                return self._ticks(self._linear(most), []), []
            numbers, marks = self._logarithmic(most)
            return self._ticks(numbers, marks), [self._at(mark) for mark in marks]

    def _ticks(self, numbers: Sequence[Decimal], marks: Sequence[Decimal]) -> list[Tick]:
        spelled = labels(numbers, powers=self.log)
        return [Tick(self._at(number), label) for number, label in zip(numbers, spelled, strict=True)]

    def _at(self, number: Decimal) -> float:
        inside = float(number.log10()) if self.log else float(number / self._unit)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def _unit(self) -> Decimal:
        return Decimal(2) ** self.exponent

    def _ends(self) -> tuple[Decimal, Decimal]:
        """The numbers at the ends, a hair farther apart: the end 0.3 in float64 is less than the tick 0.3."""
        hair = CLOSEST * (self.high - self.low) / 1000
        low, high = Decimal(self.low - hair), Decimal(self.high + hair)
        return (10**low, 10**high) if self.log else (low * self._unit, high * self._unit)

    def _linear(self, most: int) -> list[Decimal]:
        """Multiples of 1, 2 or 5 times a power of ten."""
        low, high = self._ends()
        least = (high - low) / most * Decimal("0.999999")  # for ends that are a hair apart
        power = Decimal(1).scaleb(least.adjusted())
        step = next(step for times in (1, 2, 5, 10) if (step := times * power) >= least)
        if self.whole:
            step = max(step, Decimal(1))
        first = int((low / step).to_integral_value(ROUND_CEILING))
        return [i * step for i in range(first, first + 2 * most + 2) if i * step <= high]

    def _logarithmic(self, most: int) -> tuple[list[Decimal], list[Decimal]]:
        """Powers of ten; within a few of them also 2 and 5 times; within less than one, as on a linear axis."""
        first, last = math.ceil(self.low), math.floor(self.high)
        if last - first >= 2:
            stride = next(stride for stride in STRIDES if stride * most > last - first)
            powers = range(first, last + 1)
            numbers = [Decimal(1).scaleb(power) for power in powers if power % stride == 0]
            if stride > 1:
                return numbers, [Decimal(1).scaleb(power) for power in powers if power % stride]
            return numbers, list(self._multiples(range(2, 10)))
        if len(numbers := list(self._multiples((1, 2, 5)))) >= 3:
            return numbers, [number for number in self._multiples(range(2, 10)) if number not in numbers]
        return self._linear(most), []

    def _multiples(self, times: Sequence[int]) -> Iterator[Decimal]:
        low, high = self._ends()
        for power in range(math.floor(self.low), math.floor(self.high) + 1):
            yield from (n for n in (Decimal(time).scaleb(power) for time in times) if low <= n <= high)


def scale(values: Any, *, log: bool, margin: float) -> Scale:
    """The axis on which numbers have room, with a margin on both sides (a part of their range)."""
    values = np.asarray(values, dtype=np.float64)
    if not values.size:
        return Scale(0.0, 1.0, log=log)
    low, high = float(values.min()), float(values.max())
    if log:
        low, high = math.log10(low), math.log10(high)
        if high - low < CLOSEST:
            low, high = low - 0.5, high + 0.5
        room = margin * (high - low)
        return Scale(low - room, high + room, log=True)
    size = max(abs(low), abs(high))
    exponent = math.frexp(size)[1]
    low, high = math.ldexp(low, -exponent), math.ldexp(high, -exponent)
    if low == high:
        room = abs(low) / 2 or 1.0
    elif high - low < CLOSEST:
        room = CLOSEST
    else:
        room = margin * (high - low)
    whole = size < 2**53 and bool((values == np.floor(values)).all())
    return Scale(low - room, high + room, exponent=exponent, whole=whole)


def labels(numbers: Sequence[Decimal], *, powers: bool = False) -> list[str | Symbol]:
    """Numbers as they stand at ticks, all of them in the same way."""
    sizes = [abs(number) for number in numbers if number]
    largest, smallest = max(sizes, default=Decimal(1)), min(sizes, default=Decimal(1))
    if (smallest if powers else largest) >= PLAIN_FROM and largest < PLAIN_TO:
        return [_plain(number, 0 if powers else _places(numbers)) for number in numbers]
    if powers:
        found = [_scientific(number, number.adjusted(), 0) for number in numbers]
        return [replace(label, base=label.base.removeprefix("1×")) for label in found]
    exponent = largest.adjusted()
    places = _places([number.scaleb(-exponent) for number in numbers])
    return [_scientific(number, exponent, places) if number else "0" for number in numbers]


def _places(numbers: Sequence[Decimal]) -> int:
    """Digits after the point that all of the numbers need."""
    return max((max(0, -int(number.normalize().as_tuple().exponent)) for number in numbers), default=0)


def _plain(number: Decimal, places: int) -> str:
    if not number:
        return "0"
    places = max(places, _places([number]))
    return f"{number:.{places}f}".replace("-", "\u2212")


def _scientific(number: Decimal, exponent: int, places: int) -> Symbol:
    digits = _plain(number.scaleb(-exponent), places)
    return Symbol(f"{digits}×10", sup=str(exponent).replace("-", "\u2212"))

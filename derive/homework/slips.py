"""Slips of the pen: digits exchanged, numbers rounded too early."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from derive.homework.chains import Chain
from derive.homework.written import Written


def transposed(written: Written) -> Iterator[Written]:
    """The number with two adjacent digits exchanged, in every place where that makes a difference."""
    if written.closed:
        return
    digits = str(abs(int(written.value / written.ulp)))
    for i in range(len(digits) - 1):
        if digits[i] != digits[i + 1]:
            swapped = digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]
            value = int(swapped) * written.ulp * (-1 if written.value < 0 else 1)
            yield replace(written, text=swapped, value=value)


def rounded(value: float, digits: int) -> float:
    """To so many significant digits."""
    if value == 0 or not math.isfinite(value):
        return value
    unit = Fraction(10) ** (math.floor(math.log10(abs(value))) + 1 - digits)
    return float(round(Fraction(value) / unit) * unit)


class Rounded(Mapping[str, float]):
    """The numbers in use, those that were computed rounded to a few digits."""

    def __init__(self, chain: Chain, digits: int) -> None:
        self.chain, self.digits = chain, digits

    def __getitem__(self, key: str) -> float:
        value = self.chain.used(key)
        return value if self.chain.circuit.entries[key].given else rounded(value, self.digits)

    def __iter__(self) -> Iterator[str]:
        return iter(self.chain.circuit.entries)

    def __len__(self) -> int:
        return len(self.chain.circuit.entries)

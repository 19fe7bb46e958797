"""Numbers as they were written: precision lives in the digits, so the text is kept beside its exact value."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from derive.errors import InputError


@dataclass(frozen=True)
class Written:
    """A number as a student wrote it.

    text:        as it stands in the file · value: exactly what it says
    ulp:         one unit in the last written place (`0.0822`, `8.22e-2`: 1/10000); 0 for a closed form (`3/7`, `sqrt(2)/2`)
    significant: the least and the most significant digits it may be read as having; they differ in whole numbers with
                 zeros at the end (`100`: 1 to 3) · decimals: digits after the point, in plain notation
    """

    text: str
    value: Fraction
    ulp: Fraction
    significant: tuple[int, int]
    decimals: int

    @cached_property
    def closed(self) -> bool:
        """Whether it is exact: a fraction, a root, an exponential."""
        return not self.ulp

    @cached_property
    def number(self) -> float:
        """The value as a float64."""
        return float(self.value)

    @cached_property
    def unit(self) -> float:
        """One unit in the last written place as a float64."""
        return float(self.ulp)


class Unreadable(InputError):
    """What was written is no number, or no formula, that can be understood."""

"""Numbers as the page shows them: rounding policies, and a number spelled in digits.

Computed in full precision, rounded only when shown. A number that is not zero never shows as zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Literal

PLAIN_FROM, PLAIN_TO = Decimal("1e-4"), Decimal("1e6")
FRACTION_DIGITS = 24
WIDE = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)
_LITERAL = re.compile(r"(?P<sign>[-+\u2212]?)(?P<whole>\d*)\.?(?P<part>\d*)(?:[eE](?P<exponent>[-+]?\d+))?$")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in digits: `digits` without sign, times 10 to the `exponent`, over the `denominator`.

    exact: whether this is the number itself, not a rounding of it.
    """

    negative: bool
    digits: str
    exponent: int | None = None
    denominator: str = ""
    exact: bool = True

    @property
    def fraction(self) -> Fraction:
        """What is written, exactly."""
        value = Fraction(self.digits) / Fraction(self.denominator or 1) * Fraction(10) ** (self.exponent or 0)
        return -value if self.negative else value

    @property
    def ulp(self) -> Fraction:
        """One unit in the last place written; 0 for a fraction."""
        if self.denominator:
            return Fraction(0)
        _, _, part = self.digits.partition(".")
        return Fraction(10) ** ((self.exponent or 0) - len(part))

    def __str__(self) -> str:
        sign = "-" if self.negative else ""
        tail = f"/{self.denominator}" if self.denominator else "" if self.exponent is None else f"e{self.exponent}"
        return f"{sign}{self.digits}{tail}"


@dataclass(frozen=True, slots=True)
class Policy:
    """How computed numbers are rounded when shown (or, as you go, when computed).

    significant: significant digits · decimals: digits after the point, instead · exact: fractions where there are any ·
    as_you_go: every named value is rounded as soon as it is there, as on paper · half: ties to even or up ·
    comma: decimal comma
    """

    significant: int = 4
    decimals: int | None = None
    exact: bool = False
    as_you_go: bool = False
    half: Literal["even", "up"] = "even"
    comma: bool = False

    def numeral(self, number: Decimal, exact: Fraction | None = None) -> Numeral:
        """A computed number, and its exact value where that is known."""
        if self.exact and not self.as_you_go and exact is not None and (shown := as_fraction(exact)):
            return shown
        rounded = self.rounded(number)
        settled = exact is not None and Fraction(rounded) == exact
        return written(rounded, self.digits_of(rounded), exact=settled, trim=settled)

    def rounded(self, number: Decimal) -> Decimal:
        """The number as this policy rounds it."""
        if not number:
            return Decimal(0)
        if self.decimals is not None:
            fixed = number.quantize(Decimal(1).scaleb(-self.decimals), rounding=self.rounding, context=WIDE)
            if fixed or self.as_you_go:
                return fixed
            return self.to_significant(number, max(1, self.decimals))
        return self.to_significant(number, self.significant)

    def to_significant(self, number: Decimal, digits: int) -> Decimal:
        return Context(prec=digits, rounding=self.rounding, Emax=MAX_EMAX, Emin=MIN_EMIN).plus(number)

    @property
    def rounding(self) -> str:
        return ROUND_HALF_EVEN if self.half == "even" else ROUND_HALF_UP

    def digits_of(self, rounded: Decimal) -> int | None:
        """Digits after the point in plain notation; None for scientific notation."""
        if not rounded:
            return 0
        if self.decimals is not None:
            return self.decimals if Decimal(1).scaleb(-self.decimals) <= abs(rounded) < PLAIN_TO else None
        if PLAIN_FROM <= abs(rounded) < PLAIN_TO:
            return max(0, self.significant - 1 - rounded.adjusted())
        return None


def decimal(value: Fraction) -> Decimal:
    return WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))


def as_fraction(value: Fraction) -> Numeral | None:
    """A fraction as such, unless it has too many digits to be of use."""
    if len(str(value.numerator)) + len(str(value.denominator)) > FRACTION_DIGITS:
        return None
    bottom = "" if value.denominator == 1 else str(value.denominator)
    return Numeral(value < 0, str(abs(value.numerator)), denominator=bottom)


def written(number: Decimal, places: int | None, *, exact: bool, trim: bool) -> Numeral:
    """A decimal spelled out, with this many digits after the point (None: scientific); `trim` drops trailing zeros."""
    negative, size = number < 0, abs(number)
    if places is not None:
        digits = f"{size:.{places}f}"
        if trim and "." in digits:
            digits = digits.rstrip("0").rstrip(".")
        return Numeral(negative, digits, exact=exact)
    exponent = size.adjusted()
    mantissa = format(size.scaleb(-exponent, context=WIDE), "f")
    if trim and "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return Numeral(negative, mantissa, exponent, exact=exact)


def literal(text: str) -> Numeral | None:
    """A number as its author wrote it (0.40 stays 0.40); None if the text is not a plain number."""
    if "/" in text:
        top, bottom = text.split("/")
        return Numeral(top[0] in "-\u2212", top.lstrip("+-\u2212"), denominator=bottom)
    match = _LITERAL.match(text)
    if not match or not (match["whole"] or match["part"]):
        return None
    digits = (match["whole"] or "0") + ("." + match["part"] if match["part"] else "")
    exponent = int(match["exponent"]) if match["exponent"] else None
    negative = match["sign"] in ("-", "\u2212") and Fraction(digits) != 0
    return Numeral(negative, digits, exponent)

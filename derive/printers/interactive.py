"""What a page knows of its lines, so that its reader can work with them: which quantities they use, and their results.

The script of the page (templates/page.js) gets it as attributes: `data-q`, the quantity a line gives, `data-u`, those it
takes, both by canonical id, and `data-value`, the result that an answer is held against.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from derive.algebra import UNKNOWN
from derive.document import Line, Say
from derive.formula import Name, entry, names
from derive.ids import plain
from derive.lines import is_value, pieces
from derive.spelling import finite_decimal
from derive.values import Values, as_decimal, as_fraction

DIGITS = 20  # of a result that goes on
LONGEST = 60  # characters of an exact result
FARTHEST = 300  # powers of ten beyond which nobody is asked for a number: none can be read there
MORE = "…"  # after the digits of a result that goes on


def quantity(name: Name) -> str:
    """A quantity by its canonical id, without blanks: `W1[1,2]`."""
    return re.sub(r"\s", "_", entry(plain(name.id)[1], name.index))


def gives(line: Line) -> str:
    """The quantity that a line gives."""
    return quantity(line.target)


def takes(line: Line) -> str:
    """The quantities that a line takes, parted by blanks."""
    formulas = [form.formula for form in line.forms] + ([] if line.condition is None else [line.condition])
    found = dict.fromkeys(quantity(name) for formula in formulas for name in names(formula))
    return " ".join(key for key in found if key != gives(line))


def result(line: Line, values: Values) -> str:
    """The number that a line ends in, to be held against an answer; "" where it is a matrix or there is none.

    Exactly, as a decimal or a fraction (`0.3775`, `3/7`), or to 20 significant digits and `…`. It is given only where the
    line shows it: a line whose value is left out does not give it away.
    """
    if not line.has_value or values.symbolic or not line.target.scalar or not line.forms:
        return ""
    return precise(line.target, values) if is_value(line, pieces(line, values)[-1]) else ""


def precise(name: Name, values: Values) -> str:
    """A number exactly where that is known and short, else to 20 significant digits and `…`; "" of one out of reach."""
    exact = values.known_exactly(name)
    if exact is UNKNOWN and values.is_step(name):
        exact = as_fraction(values.value(name))
    if exact is not UNKNOWN:
        shown = finite_decimal(exact) or f"{exact.numerator}/{exact.denominator}"
        if len(shown) <= LONGEST:
            return shown
    number: Decimal = as_decimal(values.value(name)) if exact is UNKNOWN else as_decimal(exact)
    if not number:
        return "0"
    if abs(number.adjusted()) > FARTHEST:
        return ""
    return f"{Context(prec=DIGITS, Emax=10**17, Emin=-(10**17)).plus(number)}{MORE}"


def is_result(name: Name, values: Values) -> bool:
    """Whether a number is worked out on the page, not given."""
    return plain(name.id)[1] not in values.text


def verdicts() -> dict[str, Say]:
    """What is said of an answer, by the verdicts of marking."""
    codes = ("correct", "over_precise", "truncated", "low_precision", "last_digit", "too_coarse", "sign")
    return {code: Say(f"reading.verdict.{code}") for code in (*codes, "power_of_ten", "error", "unreadable", "comma")}

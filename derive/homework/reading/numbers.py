"""A number from its text, digit for digit: its precision is in how it was written.

A decimal (`0.0822`, `.0822`, `8.22e-2`, `8.22·10⁻²`), a fraction of whole numbers (`3/7`), or a closed form
(`sqrt(2)/2`) where the caller can read formulas. Length, digits and exponents are judged before anything is converted.
Where a text could mean two numbers (`1,5`, `012`, `1 000`) neither is taken: the message asks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction

from derive.errors import InputError
from derive.homework.written import Unreadable, Written
from derive.numerals import decimal
from derive.source import is_invisible, named, quoted

MAX_CHARACTERS = 1_000
MAX_DIGITS = 40
MAX_EXPONENT = 308
LARGEST = 10**300  # what is computed with may be a little larger

_ALIKE = {
    **dict.fromkeys("\u2212\u2013", "-"),
    **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\t", " "),
    **dict.fromkeys("×·⋅", "*"),
}
_SUPERSCRIPTS = {ord(raised): plain for raised, plain in zip("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789", strict=True)}
_RAISED = re.compile("[⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_RUN = re.compile(rf"{_RAISED.pattern}|(?s:.)")

_DECIMAL = re.compile(
    r"(?P<sign>[-+]?) ?(?P<digits>(?P<whole>[0-9]+)(?:(?P<point>\.)(?P<part>[0-9]*))?|\.(?P<only>[0-9]+))"
    r"(?:[eE](?P<e>[-+]?[0-9]+)| ?\* ?10 ?\^ ?(?:(?P<power>[-+]?[0-9]+)|\( ?(?P<bracketed>[-+]?[0-9]+) ?\)))?"
)
_FRACTION = re.compile(r"(?P<sign>[-+]?) ?(?P<over>[0-9]+) ?/ ?(?P<under>[0-9]+)")
_DECIMALS = re.compile(r"[0-9]*[.,][0-9]+")
_LEADING_ZERO = re.compile(r"0[0-9]")
_GROUPED = re.compile(r"[-+]? ?[1-9][0-9]{0,2}(?:\.[0-9]{3})+")
_MIXED = re.compile(r"[-+]? ?[0-9]{1,3}(?:(?:,[0-9]{3})+\.|(?:\.[0-9]{3})+,)[0-9]*")
_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9])|^([-+]? ?),(?=[0-9])")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_UNSIGNED = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_SIGNED = rf"[-+]? ?{_UNSIGNED}"
#: What is often written instead of a number, and what to say about it; the first that fits.
_INSTEAD = [
    (r"[-+]?\.?(?:nan|inf|infinity)(?:\(.*)?", "not a finite number"),
    (r"[-+]?0[xX][0-9a-fA-F]*|[-+]?0[bBoO][0-7]*", "not a decimal number; write its digits from 0 to 9"),
    (r"[-+]?[0-9.]*_[0-9._]*", "'_' cannot stand among digits; leave it out"),
    (r"[0-9]{1,4}([-./])[0-9]{1,2}\1[0-9]{1,4}(?: .*)?", "a date; a spreadsheet may have made it of a fraction"),
    (
        rf"[0-9]{{1,4}}[-. ]*{_MONTH}[-. ]*[0-9]*|{_MONTH}[-. ]*[0-9]+",
        "a date; was it a fraction before a spreadsheet?",
    ),
    (r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?", "a time; for a ratio write a fraction, 3/7"),
    (r"#.*", "a spreadsheet's message, not a number"),
    (r"[=~≈].*", "leave out the sign before the number; in a spreadsheet, hand in its value"),
    (rf"{_SIGNED} ?%", "a percentage; write the number itself, 0.05 for 5 %"),
    (r"[-+]? ?[0-9]{1,3}(?: [0-9]{3})+(?:\.[0-9]*)?", "a space among the digits; leave it out"),
    (rf"{_SIGNED}(?: |;|,| ?(?:or|and|to|\||\.\.+|…) ?)[-+]?{_UNSIGNED}.*", "more than one number; give one"),
    (rf"{_SIGNED} ?(?:±|\+/-|\+-).*", "a range; give one number"),
    (rf"[\[({{] ?{_SIGNED} ?[,;].*", "more than one number; give one"),
]
_INSTEAD_OF = [(re.compile(pattern, re.IGNORECASE), problem) for pattern, problem in _INSTEAD]


def read_number(text: str, comma: bool = False, closed: Callable[[str], Fraction] | None = None) -> Written:
    """The number that `text` writes.

    comma: numbers have a decimal comma; a point is understood where it cannot part thousands
    closed: reads a formula without names, `exp(-1)`, from the text as it is, and raises an InputError where it cannot
    A fraction and a closed form are exact: ulp 0, and as many digits as any policy may ask for.
    Raises Unreadable, with one line that says what is wrong and what was probably meant.
    """
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(f"longer than {MAX_CHARACTERS} characters")
    shown, columns = normalized(text)
    if not shown:
        raise Unreadable("nothing is written here")
    plain = _with_point(shown, text, comma)
    if match := _DECIMAL.fullmatch(plain):
        return _decimal(text, match)
    if match := _FRACTION.fullmatch(plain):
        return _fraction(text, match)
    for pattern, problem in _INSTEAD_OF:
        if pattern.fullmatch(plain):
            raise Unreadable(f"{quoted(shown)}: {problem}")
    if closed:
        try:
            return _worked(text, closed(text))
        except InputError as error:
            raise Unreadable(error.problem, column=error.column) from None
    for char, column in zip(shown, columns, strict=True):
        if not char.isascii():
            raise Unreadable(f"{named(char)} cannot stand in a number", column=column)
    raise Unreadable(f"{quoted(shown)} is not a number")


def normalized(text: str) -> tuple[str, list[int]]:
    """(text, the 1-based column of each of its characters in the original) with the signs a number is written in.

    Minus signs, spaces and multiplication signs of typography become those of the keyboard, raised digits a power in
    brackets; spaces around and the quotation mark by which a spreadsheet knows a text are left out.
    """
    if text.isascii() and text.isprintable():
        found = text.strip().removeprefix("'").strip()
        start = text.find(found) + 1
        return found, list(range(start, start + len(found)))
    plain: list[str] = []
    columns: list[int] = []
    for run in _RUN.finditer(text):
        new = _ALIKE.get(run[0]) or run[0]
        if _RAISED.fullmatch(new):
            new = f"^({new.translate(_SUPERSCRIPTS)})"
        elif not new.isascii() or not new.isprintable():
            _refuse(new, run.start() + 1)
        plain += new
        columns += [run.start() + 1] * len(new)
    while plain and plain[-1] == " ":
        plain.pop()
    start = next((index for index, char in enumerate(plain) if char not in " '"), len(plain))
    return "".join(plain[start:]), columns[start : len(plain)]


def _refuse(char: str, column: int) -> None:
    """Refuse what cannot be seen, and digits that are not 0 to 9."""
    if is_invisible(char):
        raise Unreadable(f"{named(char)} cannot stand in a number", column=column)
    if (digit := unicodedata.decimal(char, None)) is not None:
        raise Unreadable(f"{named(char)} is not the digit {digit}; write {digit}", column=column)


def _with_point(plain: str, text: str, comma: bool) -> str:
    """The number with a point before its decimals; refused where a sign could part decimals or thousands."""
    if _MIXED.fullmatch(plain):
        raise Unreadable(f"{quoted(plain)} has a comma and a point; do not part thousands")
    pointed = _COMMA.sub(r"\1.", plain)
    if comma:
        if _GROUPED.fullmatch(plain):
            raise Unreadable(
                f"{quoted(plain)}: does the point part decimals or thousands? The decimal sign here is ','"
            )
        return pointed
    if pointed != plain and _DECIMAL.fullmatch(pointed):
        problem = f'{quoted(plain)}: a decimal comma? Then say so once (decimal: "," in the file, or --comma), or write {pointed}'
        raise Unreadable(problem, column=text.find(",") + 1)
    return plain


def _decimal(text: str, match: re.Match[str]) -> Written:
    digits = match["digits"].replace(".", "")
    part = match["part"] or match["only"] or ""
    exponent = match["e"] or match["power"] or match["bracketed"]
    if match["whole"] and _LEADING_ZERO.match(match["whole"]):
        rest = match["digits"].lstrip("0")
        problem = f"was 0.{rest} meant, or {rest}?" if rest.isdigit() else "leave out what says nothing"
        raise Unreadable(f"{quoted(match[0])} begins with a 0: {problem}")
    if len(digits) > MAX_DIGITS:
        raise Unreadable(f"{len(digits)} digits; at most {MAX_DIGITS} are read")
    if exponent and (len(exponent.lstrip("+-0")) > 3 or abs(int(exponent)) > MAX_EXPONENT):
        raise Unreadable(f"an exponent beyond {MAX_EXPONENT}")
    decimals = len(part) - int(exponent or 0)
    ulp = Fraction(1, 10**decimals) if decimals > 0 else Fraction(10**-decimals)
    value = int(match["sign"] + digits) * ulp
    if value and not _in_range(value):
        raise Unreadable("a number too large or too small to compute with")
    most = len(digits.lstrip("0")) or 1
    least_digits = most if match["point"] or match["only"] or exponent else len(digits.strip("0")) or 1
    return Written(text, value, ulp, (least_digits, most), max(decimals, 0))


def _in_range(value: Fraction) -> bool:
    """Whether there is room for it among floats, and the float is 0 only for 0."""
    return abs(value) <= LARGEST and bool(float(value))


def _fraction(text: str, match: re.Match[str]) -> Written:
    for part in (match["over"], match["under"]):
        if len(part) > MAX_DIGITS:
            raise Unreadable(f"{len(part)} digits; at most {MAX_DIGITS} are read")
        if _LEADING_ZERO.match(part):
            raise Unreadable(f"{quoted(match[0])}: a number that begins with a 0; was a fraction meant, or a date?")
    if not int(match["under"]):
        raise Unreadable(f"{quoted(match[0])} divides by zero")
    return _exact(text, Fraction(int(match["sign"] + match["over"]), int(match["under"])))


def _worked(text: str, value: Fraction) -> Written:
    """A closed form; with decimals in it, it is as precise as the shortest of them."""
    digits = [len(run.replace(".", "").replace(",", "").lstrip("0")) for run in _DECIMALS.findall(text)]
    if not digits or not value:
        return _exact(text, value)
    places = decimal(abs(value)).adjusted() + 1 - max(1, min(digits))
    return Written(text, value, Fraction(10) ** places, (max(1, min(digits)),) * 2, max(0, -places))


def _exact(text: str, value: Fraction) -> Written:
    return Written(text, value, Fraction(0), (MAX_DIGITS, MAX_DIGITS), MAX_DIGITS)

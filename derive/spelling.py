"""One walk over a formula that decides order and brackets; a dialect only spells.

Substitution is a way of spelling: where `show` gives a numeral for a name, the number is written instead of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from derive.formula import Apply, Formula, Function, Name, Number, Partial, Symbol, Written, branches, is_scalar
from derive.numerals import Numeral, as_fraction, literal

SUM, NEGATIVE, PRODUCT, MATRIX, POWER, ATOM = range(1, 7)
NAMED = {"log": "ln", **{head: head for head in ("tanh", "sin", "cos", "erf", "max", "min", "expm1", "log1p")}}
RELATIONS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


class Shown(NamedTuple):
    """A number (or a matrix of them) to be written for a name; `link` is the step it comes from."""

    numeral: Numeral | None = None
    rows: tuple[tuple[Numeral | None, ...], ...] = ()
    link: str = ""


Show = Callable[[Name], Shown | None]


class Spelled(NamedTuple):
    """A piece of text with what the next bracket decision needs."""

    text: str
    rank: int
    negative: bool = False
    guarded: str = ""  # the same with its negative first factor in brackets


@dataclass(frozen=True, slots=True)
class Style:
    """How the notation in force writes products and logarithms."""

    times: str = "·"
    log: str = "ln"
    comma: bool = False
    columns: bool = True  # samples are the columns of a matrix (else its rows)
    given: str = "if"
    otherwise: str = "else"


class Dialect(ABC):
    """How one language spells the pieces of a formula. Brackets and order are decided by `spell`."""

    fraction_rank = ATOM
    brackets = ("(", ")")  # around what is not tall
    for_machines = False  # whether 0·ln 0 and named constants must be spelled so that a machine finds their values

    def __init__(self, style: Style | None = None) -> None:
        self.style = style or Style()

    def is_plain(self, f: Formula) -> bool:
        """Whether a name may take a superscript without brackets."""
        return isinstance(f, Name) and isinstance(f.symbol, Symbol) and not (f.symbol.raised.sup or f.symbol.mark)

    @abstractmethod
    def symbol(self, symbol: Symbol | Partial) -> str: ...
    @abstractmethod
    def name(self, name: Name) -> str: ...
    @abstractmethod
    def numeral(self, numeral: Numeral, link: str = "") -> str: ...
    @abstractmethod
    def matrix(self, rows: Sequence[Sequence[str]]) -> str: ...
    @abstractmethod
    def bracket(self, inner: str) -> str: ...
    @abstractmethod
    def sign(self, sign: str, *, first: bool) -> str: ...
    @abstractmethod
    def product(self, factors: Sequence[str], head: str, times: str) -> str: ...
    @abstractmethod
    def fraction(self, top: str, bottom: str) -> str: ...
    @abstractmethod
    def power(self, base: str, exponent: str) -> str: ...
    @abstractmethod
    def transposed(self, base: str) -> str: ...
    @abstractmethod
    def call(self, function: Function | str, args: Sequence[str], axis: int | None) -> str: ...
    @abstractmethod
    def sum_over(self, inner: str, axis: int | None) -> str: ...
    @abstractmethod
    def cases(self, rows: Sequence[tuple[str, str]]) -> str: ...
    @abstractmethod
    def relation(self, left: str, sign: str, right: str) -> str: ...
    def both(self, conditions: Sequence[str]) -> str:
        """Conditions that all hold."""
        return ", ".join(conditions)

    @abstractmethod
    def function(self, head: str, inner: str) -> str:
        """exp, sqrt, abs, floor, ceil and pi: written by sign rather than by name."""


def spell(f: Formula, dialect: Dialect, show: Show | None = None) -> str:
    return _spell(f, dialect, show).text


def terms(f: Formula, dialect: Dialect, show: Show | None = None) -> list[str]:
    """The formula as pieces between which a line may break: the terms of a sum with their signs."""
    if isinstance(f, Apply) and f.head == "add":
        return _terms(f, dialect, show)
    return [spell(f, dialect, show)]


def _terms(f: Apply, dialect: Dialect, show: Show | None) -> list[str]:
    spelled = []
    for i, term in enumerate(f.args):
        sign, rest = ("−", term.args[0]) if isinstance(term, Apply) and term.head == "neg" else ("+", term)
        if isinstance(rest, Number) and rest.value < 0 and not rest.text:
            sign, rest = "−" if sign == "+" else "+", Number(-rest.value)
        piece = _spell(rest, dialect, show)
        alone = i == 0 and sign == "+"
        text = piece.text if alone else _inside(piece, dialect, PRODUCT)
        spelled.append(text if alone else dialect.sign(sign, first=i == 0) + text)
    return spelled


def _inside(piece: Spelled, dialect: Dialect, rank: int, *, leading: bool = False) -> str:
    """The piece, bracketed if it binds less than needed, or is negative and not in front."""
    if piece.negative and not leading and piece.guarded and rank <= PRODUCT:
        return piece.guarded
    if piece.rank < rank or (piece.negative and not leading):
        return dialect.bracket(piece.text)
    return piece.text


def _spell(f: Formula, dialect: Dialect, show: Show | None) -> Spelled:
    match f:
        case Name():
            shown = show(f) if show else None
            if shown is None and isinstance(f.symbol, Written) and not dialect.for_machines:
                return _written(f.symbol, dialect)
            if shown is None:
                return Spelled(dialect.name(f), ATOM)
            if shown.rows:
                return Spelled(matrix_of(shown, dialect), ATOM)
            assert shown.numeral is not None
            return _number(shown.numeral, dialect, shown.link)
        case Number(value=value, text=text):
            if text and literal(text) is None and not dialect.for_machines:
                return Spelled(dialect.symbol(Symbol(text)), ATOM)
            return _number(constant(value), dialect)
        case Apply(head=head, args=args):
            if isinstance(head, str):
                return SPELLERS[head](f, dialect, show)
            return Spelled(dialect.call(head, [spell(arg, dialect, show) for arg in args], f.axis), ATOM)
    raise TypeError(f"cannot spell {f!r}")


def _written(symbol: Written, dialect: Dialect) -> Spelled:
    """A formula in the place of a name; a derivative not yet taken is d/dz with the formula in brackets."""
    inner = _spell(symbol.of, dialect, None)
    if symbol.by is None:
        return inner
    operator = dialect.symbol(Partial(Symbol(""), symbol.by, symbol.d))
    rank = PRODUCT if dialect.fraction_rank == ATOM else SUM  # beside a slash it is bracketed
    return Spelled(dialect.product([operator, dialect.bracket(inner.text)], "apply", ""), rank)


def matrix_of(shown: Shown, dialect: Dialect) -> str:
    rows = [["⋯" if n is None else dialect.numeral(n) for n in row] for row in shown.rows]
    return dialect.matrix(rows)


def _number(numeral: Numeral, dialect: Dialect, link: str = "") -> Spelled:
    rank = ATOM
    if numeral.exponent is not None:
        rank = PRODUCT
    elif numeral.denominator:
        rank = min(ATOM - 1, dialect.fraction_rank) if dialect.fraction_rank != ATOM else ATOM - 1
    return Spelled(dialect.numeral(numeral, link), NEGATIVE if numeral.negative else rank, numeral.negative)


def constant(value: Fraction) -> Numeral:
    """An exact constant of a formula: a fraction, or the decimal it came from if that is shorter to read."""
    if value.denominator > 20 and (text := finite_decimal(value)):
        return Numeral(value < 0, text.lstrip("-"))
    fraction = as_fraction(value)
    if fraction is not None:
        return fraction
    return Numeral(value < 0, f"{abs(float(value)):.16g}")


def finite_decimal(value: Fraction) -> str:
    bottom = value.denominator
    for prime in (2, 5):
        while bottom % prime == 0:
            bottom //= prime
    if bottom != 1:
        return ""
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits


Speller = Callable[[Apply, Dialect, "Show | None"], Spelled]


def _add(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    return Spelled("".join(_terms(f, dialect, show)), SUM)


def _neg(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    inner = _spell(f.args[0], dialect, show)
    return Spelled(dialect.sign("−", first=True) + _inside(inner, dialect, PRODUCT), NEGATIVE, True)


def _misread(factor: Formula, dialect: Dialect, *, leading: bool) -> bool:
    """Whether a factor beside ⊙ needs brackets: A B ⊙ C could be A (B ⊙ C), and A ⊙ 1/b be (A ⊙ 1)/b."""
    if not isinstance(factor, Apply):
        return False
    return factor.head == "dot" or (factor.head == "div" and not leading and dialect.fraction_rank != ATOM)


def _factors(rank: int) -> Speller:
    def spell_product(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
        pieces = [_spell(arg, dialect, show) for arg in f.args]
        negative = pieces[0].negative and pieces[0].rank >= NEGATIVE
        texts = [
            dialect.bracket(p.text)
            if f.head == "had" and _misread(arg, dialect, leading=i == 0)
            else _inside(p, dialect, rank if not (i == 0 and p.negative) else NEGATIVE, leading=i == 0)
            for i, (p, arg) in enumerate(zip(pieces, f.args, strict=True))
        ]
        # numbers side by side would read as one number
        times = dialect.style.times or ("" if show is None else "·")
        text = dialect.product(texts, str(f.head), times)
        if not negative:
            return Spelled(text, rank)
        guarded = dialect.product([dialect.bracket(texts[0]), *texts[1:]], str(f.head), times)
        return Spelled(text, NEGATIVE, True, guarded)

    return spell_product


def _div(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    top, bottom = (_spell(arg, dialect, show) for arg in f.args)
    if dialect.fraction_rank == ATOM:
        return Spelled(dialect.fraction(top.text, bottom.text), ATOM - 1)
    over = _inside(top, dialect, PRODUCT, leading=top.negative and top.rank > NEGATIVE)
    return Spelled(dialect.fraction(over, _inside(bottom, dialect, ATOM)), dialect.fraction_rank)


def _pow(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    base = _base(f.args[0], dialect, show)
    return Spelled(dialect.power(base, spell(f.args[1], dialect, show)), POWER)


def _transpose(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    return Spelled(dialect.transposed(_base(f.args[0], dialect, show)), ATOM)


def _base(f: Formula, dialect: Dialect, show: Show | None) -> str:
    """What gets a superscript: bracketed unless it is one letter or number that has none yet."""
    piece = _spell(f, dialect, show)
    in_symbols = isinstance(f, Name) and (show is None or show(f) is None)
    if in_symbols and not dialect.is_plain(f):
        return dialect.bracket(piece.text)
    return _inside(piece, dialect, ATOM)


def _sum(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    inner = f.args[0]
    spelled = _spell(inner, dialect, show)
    entrywise = isinstance(inner, Apply) and inner.head == "had"  # Σ A ⊙ B could be read as (Σ A) ⊙ B
    text = dialect.bracket(spelled.text) if entrywise else _inside(spelled, dialect, PRODUCT)
    return Spelled(dialect.sum_over(text, f.axis), PRODUCT)


def _xlogy(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    x, y = f.args
    if dialect.for_machines:
        return Spelled(dialect.call("xlogy", [spell(arg, dialect, show) for arg in f.args], None), ATOM)
    if x == Number(Fraction(1)):
        return _spell(Apply("log", (y,)), dialect, show)
    head = "mul" if is_scalar(x) else "had"
    return SPELLERS[head](Apply(head, (x, Apply("log", (y,)))), dialect, show)


def _cases(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    rows = [
        (spell(value, dialect, show), "" if when is None else spell(when, dialect, show)) for value, when in branches(f)
    ]
    return Spelled(dialect.cases(rows), ATOM)


def _relation(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    left, right = (spell(arg, dialect, show) for arg in f.args)
    return Spelled(dialect.relation(left, RELATIONS[str(f.head)], right), SUM)


def _and(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    return Spelled(dialect.both([spell(arg, dialect, show) for arg in f.args]), SUM)


def _called(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    name = dialect.style.log if f.head == "log" else NAMED[str(f.head)]
    return Spelled(dialect.call(name, [spell(arg, dialect, show) for arg in f.args], None), ATOM)


def _signed(f: Apply, dialect: Dialect, show: Show | None) -> Spelled:
    inner = spell(f.args[0], dialect, show) if f.args else ""
    return Spelled(dialect.function(str(f.head), inner), POWER if f.head == "exp" else ATOM)


SPELLERS: dict[str, Speller] = {
    "add": _add,
    "neg": _neg,
    "mul": _factors(PRODUCT),
    "chain": _factors(PRODUCT),
    "had": _factors(PRODUCT),
    "dot": _factors(MATRIX),
    "div": _div,
    "pow": _pow,
    "T": _transpose,
    "sum": _sum,
    "total": _sum,
    "xlogy": _xlogy,
    "cases": _cases,
    "and": _and,
    **dict.fromkeys(RELATIONS, _relation),
    **dict.fromkeys(NAMED, _called),
    **dict.fromkeys(("exp", "sqrt", "abs", "floor", "ceil", "pi"), _signed),
}

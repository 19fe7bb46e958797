"""Small readers of printed mathematics: Unicode text, LaTeX and MathML back into numbers.

Nothing of derive is imported: what is read is what a reader of the page sees. Each reader cuts its language into items
(numbers, signs, brackets); one grammar of school arithmetic then evaluates the items. A number stands for every value
that would be printed like it: ± half a unit of its last digit unless it is known to be exact. `Names` is raised for a
formula in letters, `Elided` for a shortened matrix, `Unreadable` for what is no mathematics or has two meanings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any
from xml.etree import ElementTree

import numpy as np
from mpmath import MPContext

mp = MPContext()
mp.dps = 60
SLACK = mp.mpf(10) ** -40
WORDS = ("ln", "log", "log1p", "tanh", "erf", "expm1", "max", "min")
MINUS = "−"


class Names(Exception):
    """The formula has letters in it."""


class Elided(Exception):
    """A matrix is shortened with ⋯."""


class Unreadable(Exception):
    """No mathematics, or mathematics with two meanings."""


# numbers that stand for many ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Range:
    """What is written (`face`), exactly if that is a fraction, and everything it may stand for."""

    face: Any
    low: Any
    high: Any
    exact: Fraction | None = None

    @classmethod
    def of(cls, value: Fraction | int, half: Fraction | int = 0) -> Range:
        value = Fraction(value)
        return cls(big(value), big(value - half), big(value + half), value)

    def __add__(self, other: Range) -> Range:
        if not isinstance(other, Range):
            return NotImplemented
        return Range(
            self.face + other.face, self.low + other.low, self.high + other.high, both(self, other, lambda a, b: a + b)
        )

    def __neg__(self) -> Range:
        return Range(-self.face, -self.high, -self.low, None if self.exact is None else -self.exact)

    def __sub__(self, other: Range) -> Range:
        if not isinstance(other, Range):
            return NotImplemented
        return self + -other

    def __mul__(self, other: Range) -> Range:
        if not isinstance(other, Range):
            return NotImplemented
        ends = [times(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Range(times(self.face, other.face), min(ends), max(ends), both(self, other, lambda a, b: a * b))

    def __truediv__(self, other: Range) -> Range:
        if not isinstance(other, Range):
            return NotImplemented
        if not other.face:
            raise Unreadable("division by zero")
        exact = both(self, other, lambda a, b: a / b)
        if other.low <= 0 <= other.high:
            return Range(self.face / other.face, -mp.inf, mp.inf, exact)
        ends = [a / b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Range(self.face / other.face, min(ends), max(ends), exact)

    def power(self, n: int) -> Range:
        ends = [self.low**n, self.high**n]
        if n % 2 == 0 and self.low < 0 < self.high:
            ends.append(mp.zero)
        return Range(self.face**n, min(ends), max(ends), None if self.exact is None else self.exact**n)

    def rising(self, function: Callable[[Any], Any], at: dict[int, int], domain: Any = -mp.inf) -> Range:
        """A function that never falls; `at` are the whole numbers where its value is one."""

        def end(x: Any) -> Any:
            return -mp.inf if x <= domain else function(x)

        if self.face < domain or (self.face == domain and domain != 0):
            raise Unreadable("a function outside its domain")
        exact = None if self.exact is None or self.exact.denominator != 1 else at.get(int(self.exact))
        return Range(end(self.face), end(self.low), end(self.high), None if exact is None else Fraction(exact))

    @property
    def width(self) -> Any:
        return self.high - self.low


def big(value: Fraction) -> Any:
    return mp.mpf(value.numerator) / value.denominator


def times(a: Any, b: Any) -> Any:
    """A product; 0·ln 0 is 0, as everywhere in information theory."""
    return mp.zero if not a or not b else a * b


def both(one: Range, other: Range, operation: Callable[[Fraction, Fraction], Fraction]) -> Fraction | None:
    return None if one.exact is None or other.exact is None else operation(one.exact, other.exact)


def absolute(x: Range) -> Range:
    low, high = sorted((abs(x.low), abs(x.high)))
    return Range(abs(x.face), mp.zero if x.low < 0 < x.high else low, high, None if x.exact is None else abs(x.exact))


def extreme(choose: Callable[..., Any]) -> Callable[..., Range]:
    return lambda *xs: Range(
        choose(x.face for x in xs),
        choose(x.low for x in xs),
        choose(x.high for x in xs),
        None if any(x.exact is None for x in xs) else choose(x.exact for x in xs),
    )


def sure(sign: str, left: Range, right: Range) -> bool | None:
    """Whether a relation holds for all the numbers meant, for none (False), or for some (None)."""
    if sign in ("<", "≤"):
        left, right, sign = right, left, {"<": ">", "≤": "≥"}[sign]
    difference = left - right
    holds = (lambda x: x > 0) if sign == ">" else (lambda x: x >= 0)
    always, ever = holds(difference.low), holds(difference.high)
    return True if always else None if ever else False


def first(*flat: Any) -> Range:
    """A choice by cases: every value whose condition may be the first to hold."""
    possible = []
    for value, holds in zip(flat[0::2], [*flat[1::2], True], strict=True):
        if holds is not False:
            possible.append(value)
        if holds is True:
            break
    faces = possible[0]
    return Range(
        faces.face,
        min(p.low for p in possible),
        max(p.high for p in possible),
        faces.exact if len(possible) == 1 else None,
    )


def power_of(base: Range, exponent: Range) -> Range:
    if exponent.exact is None or exponent.exact.denominator != 1:
        raise Unreadable("an exponent that is no whole number")
    return base.power(int(exponent.exact))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": lambda x: x.rising(mp.exp, {0: 1}),
    "ln": lambda x: x.rising(mp.log, {1: 0}, mp.zero),
    "log": lambda x: x.rising(mp.log, {1: 0}, mp.zero),
    "log1p": lambda x: x.rising(mp.log1p, {0: 0}, mp.mpf(-1)),
    "expm1": lambda x: x.rising(mp.expm1, {0: 0}),
    "tanh": lambda x: x.rising(mp.tanh, {0: 0}),
    "erf": lambda x: x.rising(mp.erf, {0: 0}),
    "sqrt": lambda x: x.rising(lambda v: mp.sqrt(max(v, 0)), {0: 0, 1: 1, 4: 2}),
    "abs": absolute,
    "max": extreme(max),
    "min": extreme(min),
    "first": first,
    "power": power_of,
    **{sign: (lambda a, b, sign=sign: sure(sign, a, b)) for sign in "<>≤≥"},
}


def spread(name: str, *args: Any) -> Any:
    """A function of numbers, entry by entry if there are matrices."""
    if any(isinstance(arg, np.ndarray) for arg in args):
        return np.frompyfunc(FUNCTIONS[name], len(args), 1)(*args)
    return FUNCTIONS[name](*args)


# how exact a number is ----------------------------------------------------------------------------------------------
@dataclass
class Precision:
    """Which numbers are exact: those whose `key` is known to be, or (`all_exact`) every one.

    significant: digits that count in a rounded whole number such as 123500
    zero: how far from it a number may be that is written 0
    """

    exact: set[str] = field(default_factory=set)
    rounded: set[str] = field(default_factory=set)
    all_exact: bool = False
    significant: int = 30
    zero: Fraction = Fraction(0)

    def is_exact(self, key: str) -> bool:
        if self.all_exact:
            return True
        return key not in self.rounded and (key in self.exact or (key.isdigit() and len(key) <= self.significant))

    def number(self, digits: str, exponent: int = 0) -> Range:
        exact = self.is_exact(canonical(digits, exponent))
        return meant(digits, exponent, None if exact else self.significant)


@cache
def meant(digits: str, exponent: int, significant: int | None) -> Range:
    """What a number stands for, exact (None) or rounded."""
    half = 0 if significant is None else half_unit(digits, exponent, significant)
    return Range.of(Fraction(digits) * Fraction(10) ** exponent, half)


def canonical(digits: str, exponent: int = 0) -> str:
    return digits + (f"e{exponent}" if exponent else "")


def half_unit(digits: str, exponent: int, significant: int) -> Fraction:
    whole, _, part = digits.partition(".")
    unit = exponent - len(part)
    if not part and (whole := whole.lstrip("0")):
        unit = max(unit, exponent + len(whole) - significant)
    return Fraction(10) ** unit / 2


# items and their grammar --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Item:
    """A sign (`+`, `(`, `⊙` …), or with a value: `number`, `value`, `sup`; with a name: `call`, `sum`."""

    kind: str
    value: Any = None


class Grammar:
    """Sums of products of powers, over a list of items."""

    def __init__(self, items: list[Item], columns: bool) -> None:
        self.items, self.columns, self.at, self.bars = items, columns, 0, 0

    @property
    def kind(self) -> str:
        return self.items[self.at].kind if self.at < len(self.items) else "end"

    def take(self, *kinds: str) -> Item:
        if self.kind not in kinds:
            raise Unreadable(f"{self.kind} where {' or '.join(kinds)} was expected")
        self.at += 1
        return self.items[self.at - 1]

    def all(self) -> Any:
        found = self.relation()
        self.take_end()
        return found

    def take_end(self) -> None:
        if self.kind != "end":
            raise Unreadable(f"{self.kind} after the end")

    def relation(self) -> Any:
        left = self.sum()
        if self.kind in ("<", ">", "≤", "≥"):
            sign = self.take("<", ">", "≤", "≥").kind
            return spread(sign, left, self.sum())
        return left

    def sum(self) -> Any:
        sign = self.take("+", MINUS).kind if self.kind in ("+", MINUS) else "+"
        found = self.product()
        found = -found if sign == MINUS else found
        while self.kind in ("+", MINUS):
            sign = self.take("+", MINUS).kind
            term = self.product()
            found = found + term if sign == "+" else found - term
        return found

    def product(self) -> Any:
        found = self.chain()
        while True:
            if self.kind in ("·", "×"):
                self.take("·", "×")
                found = self.scaled(found, self.chain())
            elif self.kind == "/":
                self.take("/")
                found = found / self.chain()
            elif self.kind == "⊙":
                self.take("⊙")
                other = self.chain()
                if not (isinstance(found, np.ndarray) and isinstance(other, np.ndarray)):
                    raise Unreadable("⊙ between what are not two matrices")
                found = found * other
            elif self.begins():
                if self.kind == "number" and self.items[self.at - 1].kind == "number":
                    raise Unreadable("two numbers side by side with no sign between them")
                found = self.scaled(found, self.chain())
            else:
                return found

    def scaled(self, one: Any, other: Any) -> Any:
        if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
            raise Unreadable("a · between two matrices")
        return one * other

    def chain(self) -> Any:
        """A product of matrices, side by side."""
        found = self.power()
        while isinstance(found, np.ndarray) and self.begins():
            before = self.at
            other = self.power()
            if not isinstance(other, np.ndarray):
                self.at = before
                break
            found = found @ other
        return found

    def begins(self) -> bool:
        return self.kind in ("number", "value", "(", "call", "sum", "e") or (self.kind == "|" and not self.bars)

    def power(self) -> Any:
        if self.kind == "e":
            self.take("e")
            return spread("exp", self.take("sup").value)
        found = self.atom()
        while self.kind in ("sup", "T"):
            item = self.take("sup", "T")
            if item.kind == "T":
                if not isinstance(found, np.ndarray):
                    raise Unreadable("the transpose of a number")
                found = found.T
            else:
                found = spread("power", found, item.value)
        return found

    def atom(self) -> Any:
        match self.kind:
            case "number" | "value":
                return self.take("number", "value").value
            case "(":
                self.take("(")
                bars, self.bars = self.bars, 0
                found = self.sum()
                self.bars = bars
                self.take(")")
                return found
            case "|":
                self.take("|")
                self.bars += 1
                found = self.sum()
                self.bars -= 1
                self.take("|")
                return spread("abs", found)
            case "call":
                name = self.take("call").value
                self.take("(")
                args = [self.sum()]
                while self.kind == ",":
                    self.take(",")
                    args.append(self.sum())
                self.take(")")
                return spread(name, *args)
            case "sum":
                return self.summed(self.take("sum").value, self.product())
        raise Unreadable(f"{self.kind} where a number was expected")

    def summed(self, index: str, matrix: Any) -> Any:
        """Σ over everything, over the samples (n) or over the units (j)."""
        if not isinstance(matrix, np.ndarray):
            raise Unreadable("Σ of a number")
        if not index:
            return np.sum(matrix)
        return np.sum(matrix, axis=1 if (index == "n") == self.columns else 0, keepdims=True)


def table(rows: list[list[Any]]) -> np.ndarray:
    if len({len(row) for row in rows}) != 1:
        raise Unreadable("a matrix whose rows differ in length")
    found = np.empty((len(rows), len(rows[0])), dtype=object)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            found[i, j] = cell
    return found


class Reader:
    """What the readers share; `comma`: decimals are written with one; `columns`: samples are columns."""

    def __init__(self, precision: Precision, *, comma: bool = False, columns: bool = True) -> None:
        self.precision, self.comma, self.columns = precision, comma, columns

    def evaluate(self, items: list[Item]) -> Any:
        return Grammar(items, self.columns).all()

    def number(self, digits: str, exponent: int = 0) -> Item:
        if self.comma and "." in digits:
            raise Unreadable(f"a decimal point in {digits}")
        return Item("number", self.precision.number(digits.replace(",", "."), exponent))

    def cases(self, flat: list[Any]) -> Item:
        return Item("value", spread("first", *flat))


# Unicode text -------------------------------------------------------------------------------------------------------
PLAIN = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾", "0123456789+−()", strict=True))
RAISED = "".join(PLAIN)


class TextReader(Reader):
    """`1/(1 + e^{−0.3775})`, `[1 2; 3 4]ᵀ`, `2.5×10⁻⁵`, `(1/2)·(0.01 − 0.7514)²`."""

    @property
    def digits(self) -> str:
        return r"\d+(?:,\d+)?" if self.comma else r"\d+(?:\.\d+)?"

    def read(self, text: str) -> Any:
        return self.evaluate(list(self.items(text.strip())))

    def items(self, text: str) -> Iterator[Item]:
        numeral = re.compile(rf"({self.digits})(?:×10(?:([{RAISED}]+)|\^\{{([^}}]+)\}}))?")
        at = 0
        while at < len(text):
            c = text[at]
            if c == " ":
                at += 1
            elif match := numeral.match(text, at):
                raised = match[3] or "".join(PLAIN[d] for d in match[2] or "")
                yield self.number(match[1], int((raised or "0").replace(MINUS, "-")))
                at = match.end()
            elif c in RAISED:
                match = re.compile(rf"[{RAISED}]+").match(text, at)
                assert match
                yield Item("sup", self.read("".join(PLAIN[d] for d in match[0])))
                at = match.end()
            elif c == "ᵀ":
                yield Item("T")
                at += 1
            elif c == "^":
                end = closing(text, at + 1, "{}") if text[at + 1 : at + 2] == "{" else at + 2
                yield Item(
                    "sup", self.read(text[at + 1 : end].strip("{}") if text[at + 1] == "{" else text[at + 1 : end])
                )
                at = end
            elif c == "[":
                end = closing(text, at, "[]")
                yield Item("value", self.matrix(text[at + 1 : end - 1]))
                at = end
            elif c == "{":
                end = closing(text, at, "{}")
                yield self.by_cases(text[at + 1 : end - 1])
                at = end
            elif c == "Σ":
                index = {"ₙ": "n", "ⱼ": "j"}.get(text[at + 1 : at + 2], "")
                yield Item("sum", index)
                at += 1 + len(index)
            elif c == "√":
                yield Item("call", "sqrt")
                at += 1
            elif c == "π":
                yield Item("value", PI)
                at += 1
            elif c == "⋯":
                raise Elided
            elif c.isalpha():
                word = re.compile(r"[A-Za-z]+[0-9a-z]*").match(text, at)
                if c == "e" and text[at + 1 : at + 2] and text[at + 1] in "^" + RAISED:
                    yield Item("e")
                    at += 1
                elif word and word[0] in WORDS and text[word.end() : word.end() + 1] == "(":
                    yield Item("call", word[0])
                    at = word.end()
                else:
                    raise Names(text[at:])
            elif c in "()|,+−·×⊙/<>≤≥":
                yield Item(c)
                at += 1
            else:
                raise Names(text[at:]) if c in "∂_ℓŷ′" else Unreadable(f"{c!r} in {text}")

    def matrix(self, inside: str) -> np.ndarray:
        if "⋯" in inside:
            raise Elided
        return table([[self.read(cell) for cell in row.split()] for row in inside.split(";")])

    def by_cases(self, inside: str) -> Item:
        flat: list[Any] = []
        for part in split_outside(inside, "; "):
            if part.endswith(" else"):
                flat.append(self.read(part.removesuffix(" else")))
            else:
                value, when = split_outside(part, " if ")
                flat += [self.read(value), self.read(when)]
        return self.cases(flat)


PI = Range(+mp.pi, mp.pi - SLACK, mp.pi + SLACK)


def closing(text: str, at: int, pair: str) -> int:
    """The place after the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if not depth:
            return i + 1
    raise Unreadable(f"{pair[0]} is never closed in {text}")


def split_outside(text: str, separator: str) -> list[str]:
    """Split where no bracket is open."""
    found, depth, start, at = [], 0, 0, 0
    while at < len(text):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if not depth and text.startswith(separator, at):
            found.append(text[start:at])
            start = at = at + len(separator)
        else:
            at += 1
    return [*found, text[start:]]


# LaTeX --------------------------------------------------------------------------------------------------------------
class LatexReader(Reader):
    r"""`\frac{1}{1 + e^{-0.3775}}`, `\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}^{\top}`, `2.5 \times 10^{-5}`."""

    TOKENS = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+|\{,\}\d+)?|\s+|.", re.DOTALL)
    SIGNS = {
        r"\cdot": "·",
        r"\times": "×",
        r"\odot": "⊙",
        "-": MINUS,
        "+": "+",
        "/": "/",
        ",": ",",
        "<": "<",
        ">": ">",
        r"\le": "≤",
        r"\ge": "≥",
        "(": "(",
        ")": ")",
    }

    def read(self, source: str) -> Any:
        tokens = [t for t in self.TOKENS.findall(source) if not t.isspace()]
        items = list(self.items(tokens))
        return self.evaluate(items)

    def items(self, tokens: list[str]) -> Iterator[Item]:
        at = 0
        while at < len(tokens):
            token, at = tokens[at], at + 1
            if token[0].isdigit():
                if "." in token and self.comma:
                    raise Unreadable(f"a decimal point in {token}")
                digits = token.replace("{,}", ",")
                exponent = 0
                if tokens[at : at + 4] == [r"\times", "10", "^", "{"]:
                    inside, at = group(tokens, at + 3)
                    exponent = int("".join(inside))
                yield self.number(digits, exponent)
            elif token in (r"\frac", r"\tfrac", r"\dfrac"):
                top, at = group(tokens, at)
                bottom, at = group(tokens, at)
                yield Item("value", self.evaluate(list(self.items(top))) / self.evaluate(list(self.items(bottom))))
            elif token == "^":
                inside, at = group(tokens, at)
                yield Item("T") if inside == [r"\top"] else Item("sup", self.evaluate(list(self.items(inside))))
            elif token == r"\sqrt":
                inside, at = group(tokens, at)
                yield Item("value", spread("sqrt", self.evaluate(list(self.items(inside)))))
            elif token == r"\begin":
                name, inside, at = environment(tokens, at)
                yield Item("value", self.matrix(inside)) if name == "bmatrix" else self.by_cases(inside)
            elif token in (r"\left", r"\right"):
                yield Item({".": "", "|": "|"}.get(tokens[at], tokens[at]))
                at += 1
            elif token == r"\sum":
                index = ""
                if tokens[at : at + 1] == ["_"]:
                    inside, at = group(tokens, at + 1)
                    index = "".join(inside)
                yield Item("sum", index)
            elif token == "e" and tokens[at : at + 1] == ["^"]:
                yield Item("e")
            elif token == r"\pi":
                yield Item("value", PI)
            elif token == r"\mathrm":
                inside, at = group(tokens, at)
                if (word := "".join(inside)) not in WORDS:
                    raise Names(word)
                yield Item("call", word)
            elif token[1:] in WORDS and token[0] == "\\":
                yield Item("call", token[1:])
            elif token in self.SIGNS:
                yield Item(self.SIGNS[token])
            elif token in (r"\cdots", r"\dots", r"\vdots"):
                raise Elided
            elif token in (r"\,", r"\;", r"\ ", r"\quad"):
                continue
            elif token in "{}&_'" or token == r"\\":
                raise Names(token) if token in "_'" else Unreadable(f"{token} out of place")
            else:
                raise Names(token)

    def matrix(self, tokens: list[str]) -> np.ndarray:
        if r"\cdots" in tokens:
            raise Elided
        rows = [cut(row, "&") for row in cut(tokens, r"\\")]
        return table([[self.evaluate(list(self.items(cell))) for cell in row] for row in rows])

    def by_cases(self, tokens: list[str]) -> Item:
        flat: list[Any] = []
        for row in cut(tokens, r"\\"):
            value, when = cut(row, "&")
            flat.append(self.evaluate(list(self.items(value))))
            if when[:1] != [r"\text"]:
                flat.append(self.evaluate(list(self.items(when))))
        return self.cases(flat)

    def pieces(self, aligned: str) -> list[tuple[str, str]]:
        r"""The (relation, formula) links of `\begin{aligned} target &= … \\ & … \end{aligned}`."""
        tokens = self.TOKENS.findall(aligned.strip())
        name, inside, end = environment(tokens, 1)
        if name != "aligned" or "".join(tokens[end:]).strip():
            raise Unreadable("not one aligned block")
        flat = [
            token for row in cut(inside, r"\\") for part in cut(row, "&") for token in [*part, " "] if token != r"\quad"
        ]
        found, current, relation, depth = [], "", "", 0
        for i, token in enumerate(flat):
            depth += (token in ("{", r"\begin")) - (token in ("}", r"\end"))
            if not depth and token in ("=", r"\approx"):
                found.append((relation, current.strip()))
                current, relation = "", "=" if token == "=" else "≈"
            else:
                current += token + (
                    " " if token[0] == "\\" and token[1:].isalpha() and flat[i + 1 : i + 2] != ["{"] else ""
                )
        return [*found, (relation, current.strip())][1:]


def group(tokens: list[str], at: int) -> tuple[list[str], int]:
    """What stands in the braces that begin here (or the one token), and the place after it."""
    if tokens[at] != "{":
        return [tokens[at]], at + 1
    depth = 0
    for i in range(at, len(tokens)):
        depth += (tokens[i] == "{") - (tokens[i] == "}")
        if not depth:
            return tokens[at + 1 : i], i + 1
    raise Unreadable("{ is never closed")


def environment(tokens: list[str], at: int) -> tuple[str, list[str], int]:
    r"""(name, inside, place after) of the environment whose \begin was just read."""
    name, start = group(tokens, at)
    depth = 1
    for i in range(start, len(tokens)):
        depth += (tokens[i] == r"\begin") - (tokens[i] == r"\end")
        if not depth:
            ended, after = group(tokens, i + 1)
            if ended != name:
                raise Unreadable(f"{''.join(name)} ended by {''.join(ended)}")
            return "".join(name), tokens[start:i], after
    raise Unreadable(f"{''.join(name)} is never ended")


def cut(tokens: list[str], separator: str) -> list[list[str]]:
    """Split where no brace or environment is open."""
    found: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token in ("{", r"\begin")) - (token in ("}", r"\end"))
        if token == separator and not depth:
            found.append([])
        else:
            found[-1].append(token)
    return found


# MathML -------------------------------------------------------------------------------------------------------------
class MathReader(Reader):
    """The elements of MathML Core, as a browser lays them out."""

    def read(self, elements: list[ElementTree.Element]) -> Any:
        return self.evaluate(list(self.items(elements)))

    def one(self, element: ElementTree.Element) -> Any:
        return self.read([element])

    def items(self, elements: list[ElementTree.Element]) -> Iterator[Item]:
        at = 0
        while at < len(elements):
            element, at = elements[at], at + 1
            text = written(element)
            match element.tag:
                case "mn":
                    exponent = 0
                    if text.startswith(MINUS):  # the sign of a number may be part of it
                        yield Item(MINUS)
                        text = text.removeprefix(MINUS)
                    if [written(e) for e in elements[at : at + 1]] == ["×"] and at + 1 < len(elements):
                        raised = elements[at + 1]
                        if raised.tag == "msup" and written(raised[0]) == "10":
                            exponent, at = int(written(raised[1]).replace(MINUS, "-")), at + 2
                    yield self.number(text, exponent)
                case "mo" if text in ("\u2061", ""):
                    continue
                case "mo" if text == "∑":
                    yield Item("sum", "")
                case "mo" if text in "()|,+−·×⊙/<>≤≥":
                    yield Item(text)
                case "mo":
                    raise Names(text) if text == "′" else Unreadable(f"the operator {text!r}")
                case "mspace":
                    continue
                case "mrow":
                    yield from self.row(list(element))
                case "mfrac":
                    yield Item("value", self.one(element[0]) / self.one(element[1]))
                case "msqrt":
                    yield Item("value", spread("sqrt", self.read(list(element))))
                case "msup":
                    yield from self.raised(element)
                case "munder" if written(element[0]) == "∑":
                    yield Item("sum", written(element[1]))
                case "mi" if text == "π":
                    yield Item("value", PI)
                case "mi" if text in WORDS:
                    yield Item("call", text)
                case _:
                    raise Names(text)

    def raised(self, element: ElementTree.Element) -> Iterator[Item]:
        if written(element[1]) == "⊤":
            inside = self.one(element[0])
            yield Item("value", inside)
            yield Item("T")
        elif element[0].tag == "mi" and written(element[0]) == "e":
            yield Item("value", spread("exp", self.one(element[1])))
        else:
            base = list(self.items([element[0]]))
            if len(base) > 1 and base[0].kind not in ("(", "|"):
                raise Unreadable("a power of more than one thing without brackets")
            yield Item("value", spread("power", self.evaluate(base), self.one(element[1])))

    def row(self, inside: list[ElementTree.Element]) -> Iterator[Item]:
        tables = [e for e in inside if e.tag == "mtable"]
        if tables and len(inside) == 3 and written(inside[0]) == "[":
            cells = [[list(cell) for cell in row] for row in tables[0]]
            if "⋯" in written(tables[0]):
                raise Elided
            yield Item("value", table([[self.read(cell) for cell in row] for row in cells]))
        elif tables:
            flat: list[Any] = []
            for row in tables[0]:
                flat.append(self.read(list(row[0])))
                if [e.tag for e in row[1]] != ["mtext"]:
                    flat.append(self.read(list(row[1])))
            yield self.cases(flat)
        else:
            yield from self.items(inside)


def written(element: ElementTree.Element) -> str:
    return "".join(element.itertext()).strip()


def maths_lines(page: str) -> list[tuple[str, list[tuple[str, list[ElementTree.Element]]]]]:
    """Of every line of an HTML page: its LaTeX, and its (relation, elements), after the target."""
    found = []
    for eq in re.findall(r'<div class="line"[^>]*><div class="eq">(.*?)</div>', page, re.DOTALL):
        eq = eq.split('<span class="case">')[0].replace("<wbr>", "")
        root = ElementTree.fromstring(f"<div>{eq}</div>")
        tex = root.find(".//annotation")
        assert tex is not None and tex.text
        links: list[tuple[str, list[ElementTree.Element]]] = []
        for math in root.iter("math"):
            children = list(math)
            if children and children[0].tag == "semantics":
                continue  # the target
            if children and children[0].tag == "mo" and written(children[0]) in ("=", "≈"):
                links.append((written(children[0]), children[1:]))
            else:
                links[-1][1].extend(children)
        found.append((tex.text, links))
    return found

"""A student's formula to a formula: a table of names, products without a sign, strict limits; nothing is ever executed.

`+ - * / ^`, brackets, exact decimal numbers, FUNCTIONS, π, e and the names of one circuit's entries. A product needs no
sign before a name, a number or a bracket, but not where it could be read in two ways: 1/2x is asked about.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice
from typing import NoReturn

import numpy as np

from derive import expression
from derive import formula as fm
from derive.algebra import FLOATS, digits, evaluate
from derive.errors import nearest
from derive.expression import NUMBER, Parser, Token, word_at
from derive.formula import Apply, Formula, Function, Number, Symbol
from derive.homework.names import LOSSES, Names, known, plain
from derive.homework.written import Unreadable
from derive.values import as_fraction

MAX_TOKENS, MAX_DEPTH, MAX_DIGITS, MAX_SIGNS = 300, 40, 40, 3
MAX_EXPONENT = 308  # of a number
MAX_POWER = 64  # what may stand above, where it is a constant
LARGEST = 1e300
MOST_COMPARED = 5_000  # spellings with an unknown name

_z = fm.Name("z", symbol=Symbol("z"))


def _function(name: str, body: Formula) -> Callable[[Formula], Formula]:
    function = Function(name, Symbol(name), (_z,), body)
    return lambda f: Apply(function, (f,))


FUNCTIONS: dict[str, Callable[[Formula], Formula]] = {
    **expression.FUNCTIONS,
    "sinh": _function("sinh", (fm.exp(_z) - fm.exp(-_z)) / 2),
    "cosh": _function("cosh", (fm.exp(_z) + fm.exp(-_z)) / 2),
    "softplus": _function("softplus", fm.log(1 + fm.exp(_z))),
    "step": _function("step", fm.cases((1, _z > 0), (0, True))),
    "sign": _function("sign", fm.cases((1, _z > 0), (-1, _z < 0), (0, True))),
    "log10": _function("log10", fm.log(_z) / fm.log(fm.formula(10))),
    "sigma": expression.FUNCTIONS["sigmoid"],
    "σ": expression.FUNCTIONS["sigmoid"],
}
ALL = (*FUNCTIONS, *expression.EXTREMES)
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_COMMA = re.compile(r"(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE]([-+]?[0-9]+))?")


def parse_formula(text: str, names: Names, *, comma: bool = False) -> Formula:
    """The formula a student wrote, in the names of a circuit's entries.

    comma: numbers have a decimal comma, and ; stands between arguments. Raises Unreadable.
    """
    if len(text) > expression.MAX_LENGTH:
        raise Unreadable(f"a formula of {len(text)} characters; at most {expression.MAX_LENGTH} are allowed")
    return _Reader(plain(text), names, comma).parse()


class _Reader(Parser):
    functions = FUNCTIONS
    max_depth = MAX_DEPTH
    max_exponent = MAX_EXPONENT

    def __init__(self, text: str, names: Names, comma: bool) -> None:
        self.names, self.comma = names, comma
        self.keys: dict[int, str] = {}  # where a name stands in the text -> its key
        super().__init__(text, (), "")

    def fail(self, problem: str, at: int) -> NoReturn:
        raise Unreadable(problem, path=f"column {at + 1}")

    # tokens -----------------------------------------------------------------------------------------------------------
    def read(self) -> Iterable[Token]:
        found = []
        for token in self.each():
            found.append(token)
            if len(found) > MAX_TOKENS and token.kind != "end":
                self.fail(f"a formula of more than {MAX_TOKENS} parts", token.at)
        return found

    def each(self) -> Iterator[Token]:
        at, text = 0, self.text
        while at < len(text):
            if text[at] in " \t\r\n":
                at += 1
            elif text[at] in _RAISED:
                end = next((i for i in range(at, len(text)) if text[i] not in _RAISED), len(text))
                yield from self.above(at, text[at:end])
                at = end
            else:
                token = self.token_at(at)
                yield token
                at += len(token.shown)
        yield Token("end", "", at, "")

    def token_at(self, at: int) -> Token:
        text = self.text
        if found := self.names.longest(text, at):
            self.keys[at] = found[0]
            word = text[at : at + found[1]]
            return Token("name", word, at, word)
        if number := (_COMMA if self.comma else NUMBER).match(text, at):
            return self.number_at(number, at)
        if word := word_at(text, at):
            return Token("name", word, at, word)
        if text[at] == ";" and self.comma:
            return Token("sign", ",", at, ";")
        sign = next((sign for sign in ("**", *"+-*/^()[],") if text.startswith(sign, at)), "")
        if not sign:
            self.strange(at)
        return Token("sign", "^" if sign == "**" else sign, at, sign)

    def number_at(self, number: re.Match[str], at: int) -> Token:
        shown = number[0]
        tail = re.search("[eE]", shown)
        if tail and (found := self.names.longest(self.text, at + tail.start())):
            name = self.text[at + tail.start() :][: found[1]]
            if name not in LOSSES:
                self.fail(f"'{shown}' is a number, but '{name}' is a name: write {shown[: tail.start()]}*{name}", at)
        if sum(char.isdigit() for char in shown) > MAX_DIGITS:
            self.fail(f"a number of more than {MAX_DIGITS} digits", at)
        return Token("number", shown.replace(",", "."), at, shown)

    def above(self, at: int, run: str) -> Iterator[Token]:
        """An exponent in raised digits is one in brackets."""
        yield Token("sign", "^", at, run)
        yield Token("sign", "(", at, run)
        digits = "".join(_RAISED[char] for char in run)
        if digits[0] == "-":
            yield Token("sign", "-", at, run)
        digits = digits.removeprefix("-")
        if not digits.isdigit() or len(digits) > MAX_DIGITS:
            self.fail(f"'{run}' is no exponent", at)
        yield Token("number", digits, at, run)
        yield Token("sign", ")", at, run)

    def strange(self, at: int) -> NoReturn:
        char = self.text[at]
        hint = expression.HINTS.get(char, "")
        name = "" if char.isascii() and char.isprintable() else f" (U+{ord(char):04X} {unicodedata.name(char, '')})"
        self.fail(f"'{char}'{name.replace(' )', ')')} is not understood" + (f": {hint}" if hint else ""), at)

    # grammar ----------------------------------------------------------------------------------------------------------
    def begins_factor(self) -> bool:
        before, token = self.tokens[self.here - 1], self.token
        if token.kind == "number":
            return before.kind != "number"
        return token.kind == "name" or (token.kind == "sign" and token.text == "(")

    def check_implicit(self, start: int, divides: bool) -> None:
        if divides:
            left, token = self.tokens[start], self.token
            bottom = self.text[left.at : token.at].strip()
            right = "(…)" if token.text == "(" else token.shown
            problem = f"'/{bottom}{right}' can be read in two ways"
            self.fail(f"{problem}: is it (…/{bottom})*{right} or …/({bottom}*{right})?", token.at)

    def signed(self, depth: int) -> Formula:
        run = self.tokens[self.here : self.here + MAX_SIGNS + 1]
        if len(run) > MAX_SIGNS and all(token.kind == "sign" and token.text in "+-" for token in run):
            self.fail(f"more than {MAX_SIGNS} signs in a row", self.token.at)
        return super().signed(depth)

    def raised(self, base: Formula, exponent: Formula, sign: Token) -> Formula:
        f = super().raised(base, exponent, sign)
        if (value := constant(exponent)) is not None and not abs(value) <= MAX_POWER:
            self.fail(f"an exponent is at most {MAX_POWER}", sign.at)
        return self.finite(f, sign)

    def function(self, token: Token, depth: int) -> Formula:
        return self.finite(super().function(token, depth), token)

    def finite(self, f: Formula, token: Token) -> Formula:
        """The formula, unless it is a constant without a value."""
        value = constant(f)
        if value is not None and not abs(value) <= LARGEST:
            self.fail("number out of range", token.at)
        return f

    def named(self, token: Token, depth: int) -> Formula:
        key = self.keys.get(token.at)
        if key is not None:
            return self.names.network.entries[key].name
        word = token.text
        if word in FUNCTIONS or word in expression.EXTREMES:
            return self.function(token, depth)
        if word in ("pi", "π"):
            return fm.PI
        if word == "e":
            return expression.E
        strange = next(
            (i for i, char in enumerate(word) if not char.isascii() and char not in expression.GREEK.values()), -1
        )
        if strange >= 0:
            self.strange(token.at + strange)
        end = token.at + len(word)
        if self.text[end : end + 1] in ("[", "@", "′", ".") or (word[0] == "d" and self.text[end : end + 2] == "/d"):
            word = self.text[token.at :].split(" ")[0][:60]
        names = known(self.names)
        hint = nearest(word, [*names, *ALL]) or nearest(word, islice(self.names.table, MOST_COMPARED)) or listed(names)
        self.fail(f"there is no '{word}' here.{hint}", token.at)


def listed(names: list[str]) -> str:
    return f" There are {', '.join(names[:12])}{' …' if len(names) > 12 else ''}."


def constant(f: Formula) -> float | None:
    """The value of a formula without names; nan where it has none, None if there are names."""
    if isinstance(f, Number):
        return float(f.value)
    if any(True for _ in fm.names(f)):
        return None
    try:
        with np.errstate(all="ignore"):
            value = evaluate(f, lambda name: np.float64("nan"), FLOATS)
    except (ArithmeticError, ValueError, TypeError):
        return float("nan")
    return float(value) if np.isrealobj(value) else float("nan")


def closed_form(text: str, names: Names, *, comma: bool = False) -> Fraction:
    """The value of a formula without names, to 50 digits; raises Unreadable where it has none, or names something."""
    f = parse_formula(text, names, comma=comma)
    found = constant(f)
    if found is None:
        raise Unreadable("a formula where a number is asked for; give its value, or the formula as `formula:`")
    if not abs(found) < LARGEST:
        raise Unreadable("this has no value, or one that is too large")
    return as_fraction(evaluate(f, lambda name: None, digits()))

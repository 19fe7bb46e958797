"""A formula as people type it, `0.5*(w*x - y)^2`, to a formula: a parser of our own, nothing is ever executed.

`+ - * / ^` with the usual order, brackets `( )` and `[ ]`, decimal numbers, variables, π and e, and FUNCTIONS. `^` (or
`**`) is right associative and binds tighter than a minus in front: -x^2 is -(x^2). A number may stand before a factor
without a sign (2x), but not where that could be read in two ways (1/2x). Numbers are exact; powers are not computed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NoReturn

from derive import formula as fm
from derive.errors import InputError, nearest
from derive.formula import Apply, Formula, Function, Name, Number, Symbol

MAX_LENGTH = 1_000
MAX_DEPTH = 50
MAX_EXPONENT = 300
LARGEST = Fraction(10) ** 308  # constants, also those folded from several, fit a float64 …
MAX_BITS = 4_000  # … and can be written down

E = fm.exp(fm.ONE)
GREEK = {unicodedata.name(letter).split()[-1].lower(): letter for letter in "αβγδεζηθικλμνξοπρστυφχψω"}
GREEK["lambda"] = GREEK.pop("lamda")  # Unicode's own spelling
GREEK |= {name.capitalize(): letter.upper() for name, letter in GREEK.items()}

_z = Name("z", symbol=Symbol("z"))
RELU = Function("relu", Symbol("ReLU"), (_z,), fm.cases((_z, _z > 0), (0, True)))
SIGMOID = Function("sigmoid", Symbol("σ"), (_z,), 1 / (1 + fm.exp(-_z)))

FUNCTIONS: dict[str, Callable[[Formula], Formula]] = {
    "exp": fm.exp,
    "ln": fm.log,
    "log": fm.log,
    "sqrt": fm.sqrt,
    "sin": fm.sin,
    "cos": fm.cos,
    "tanh": fm.tanh,
    "erf": fm.erf,
    "abs": abs,
    "relu": lambda f: Apply(RELU, (f,)),
    "sigmoid": lambda f: Apply(SIGMOID, (f,)),
}
EXTREMES: dict[str, Callable[[Formula, Formula], Formula]] = {"max": fm.larger, "min": fm.smaller}
NAMES = (*FUNCTIONS, *EXTREMES)

NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([-+−]?[0-9]+))?")
_SYMBOL = re.compile(r"(?P<base>[^\W\d_]+)(?:_(?P<sub>\w+)|(?P<digits>[0-9]*))")
SIGNS = ("**", *"+-*/^()[],·⋅×−")
PLAIN = {"**": "^", "·": "*", "⋅": "*", "×": "*", "−": "-"}
CLOSES = {"(": ")", "[": "]"}
HINTS = {
    "=": "a formula has no '='; give only what stands to the right of it",
    **dict.fromkeys("<>≤≥≠", "a formula compares nothing; write relu, abs, max or min for cases"),
    **dict.fromkeys("{}", "brackets are ( ) or [ ]"),
    **dict.fromkeys("|‖", "write abs(x) for |x|"),
    **dict.fromkeys("–—‐‑", "write a minus as '-'"),
    **dict.fromkeys("÷:", "write a division as '/'"),
    **dict.fromkeys("∙•∗", "write a product as '*'"),
    **{char: f"write a power as '^{digit}'" for digit, char in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    "√": "write a root as sqrt(x)",
    "_": "a name begins with a letter",
    ".": "a number has digits beside its point",
}


def parse(text: str, variables: Sequence[str] | None = None, *, file: str = "") -> Formula:
    """The formula that a text stands for. Without `variables` every name that is no function or constant is one."""
    if len(text) > MAX_LENGTH:
        raise InputError(f"a formula of {len(text)} characters; at most {MAX_LENGTH} are allowed", file=file)
    return Parser(text, variables, file).parse()


def variables_of(f: Formula) -> list[str]:
    """The ids of the variables of a formula, in the order in which they first appear."""
    return list(dict.fromkeys(name.id for name in fm.names(f)))


def variable(word: str) -> Name:
    """A variable and the symbol it goes by: x1 is x with index 1, theta is θ."""
    found = _SYMBOL.fullmatch(word)
    if found is None:
        return Name(word, symbol=Symbol(word))
    return Name(word, symbol=Symbol(GREEK.get(found["base"], found["base"]), sub=found["sub"] or found["digits"] or ""))


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: where it stands, and what it was.

    at: counted from 0 · text: of signs that mean the same, one · shown: as it stands there
    """

    kind: Literal["number", "name", "sign", "end"]
    text: str
    at: int
    shown: str


class Parser:
    """One descent through the text; every method leaves `here` at the token after what it has read."""

    functions: Mapping[str, Callable[[Formula], Formula]] = FUNCTIONS
    max_depth = MAX_DEPTH
    max_exponent = MAX_EXPONENT

    def __init__(self, text: str, variables: Sequence[str] | None, file: str) -> None:
        self.text, self.file = text, file
        self.open = variables is None
        self.known: dict[Symbol, Name] = {}
        for word in variables or ():
            self.declare(word)
        self.tokens = list(self.read())
        self.here = 0

    def fail(self, problem: str, at: int) -> NoReturn:
        raise InputError(problem, file=self.file, path=f"column {at + 1}")

    def declare(self, word: str) -> None:
        if not word or word_at(word, 0) != word or word in NAMES:
            reason = "it is a function" if word in NAMES else "a name is a letter, then letters, digits or '_'"
            raise InputError(f"'{word}' cannot be a variable: {reason}", file=self.file)
        name = variable(word)
        assert isinstance(name.symbol, Symbol)
        if (other := self.known.setdefault(name.symbol, name).id) != word:
            raise InputError(f"the variables '{other}' and '{word}' would have the same symbol", file=self.file)

    # tokens ----------------------------------------------------------------------------------------------------------
    def read(self) -> Iterable[Token]:
        at, text = 0, self.text
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            if number := NUMBER.match(text, at):
                token = Token("number", number[0], at, number[0])
            elif word := word_at(text, at):
                token = Token("name", word, at, word)
            elif sign := next((sign for sign in SIGNS if text.startswith(sign, at)), ""):
                token = Token("sign", PLAIN.get(sign, sign), at, sign)
            else:
                hint = HINTS.get(text[at], "")
                self.fail(f"'{text[at]}' is not understood" + (f": {hint}" if hint else ""), at)
            yield token
            at += len(token.shown)
        yield Token("end", "", at, "")

    @property
    def token(self) -> Token:
        return self.tokens[self.here]

    def take(self, *signs: str) -> Token | None:
        """The token here if it is one of these signs; then it is read."""
        token = self.token
        if token.kind != "sign" or token.text not in signs:
            return None
        self.here += 1
        return token

    # grammar ---------------------------------------------------------------------------------------------------------
    def parse(self) -> Formula:
        if len(self.tokens) == 1:
            self.fail("the formula is empty", 0)
        f = self.sum(0)
        if self.token.kind != "end":
            self.unexpected()
        if height(f) > self.max_depth:
            self.fail(f"more than {self.max_depth} operations inside each other", 0)
        return f

    def sum(self, depth: int) -> Formula:
        terms = [self.product(depth)]
        while sign := self.take("+", "-"):
            term = self.product(depth)
            terms.append(fm.negate(term) if sign.text == "-" else term)
        return fm.add(*terms) if len(terms) > 1 else terms[0]

    def product(self, depth: int) -> Formula:
        """Factors from left to right; a number may stand before the next one without a sign."""
        start = self.here
        factors, divides = [self.signed(depth)], False
        while True:
            if sign := self.take("*", "/"):
                if divides := sign.text == "/":
                    factors = [self.times(factors, self.tokens[start])]
                start = self.here
                factor = self.signed(depth)
                factors = [self.quotient(factors[0], factor, self.tokens[start])] if divides else [*factors, factor]
            elif self.begins_factor():
                self.check_implicit(start, divides)
                start = self.here
                factors.append(self.signed(depth))
            else:
                break
        return self.times(factors, self.tokens[start])

    def times(self, factors: list[Formula], at: Token) -> Formula:
        return self.checked(fm.multiply(*factors), at) if len(factors) > 1 else factors[0]

    def quotient(self, top: Formula, bottom: Formula, at: Token) -> Formula:
        if fm.is_number(bottom, 0):
            self.fail("a division by 0", at.at)
        return self.checked(fm.divide(top, bottom), at)

    def begins_factor(self) -> bool:
        """Whether a factor begins here that needs no sign before it."""
        if self.tokens[self.here - 1].kind != "number":
            return False
        return self.token.kind == "name" or (self.token.kind == "sign" and self.token.text in CLOSES)

    def check_implicit(self, start: int, divides: bool) -> None:
        """Refuses 1/2x and x^2y, which may mean either of two formulas."""
        bare = all(token.kind == "sign" and token.text in "+-" for token in self.tokens[start : self.here - 1])
        if divides or not bare:
            number, after = self.tokens[self.here - 1].shown, "/" if divides else "^"
            product = f"{number}*{self.token.text if self.token.kind == 'name' else '(…)'}"
            problem = f"'{number}{self.token.shown}' after '{after}' can be read in two ways"
            self.fail(f"{problem}: write {product} or ({product})", self.token.at)

    def signed(self, depth: int) -> Formula:
        minus = False
        while sign := self.take("+", "-"):
            minus ^= sign.text == "-"
        f = self.power(depth)
        return fm.negate(f) if minus else f

    def power(self, depth: int) -> Formula:
        base = self.operand(depth)
        if not (sign := self.take("^")):
            return base
        return self.raised(base, self.signed(self.deeper(depth, sign)), sign)

    def raised(self, base: Formula, exponent: Formula, sign: Token) -> Formula:
        return fm.exp(exponent) if base is E else fm.power(base, exponent)

    def operand(self, depth: int) -> Formula:
        token = self.token
        if token.kind == "number":
            self.here += 1
            return self.number(token)
        if token.kind == "name":
            self.here += 1
            return self.named(token, depth)
        if opened := self.take(*CLOSES):
            return self.bracketed(opened, depth, several=False)[0]
        self.missing()

    def bracketed(self, opened: Token, depth: int, *, several: bool) -> list[Formula]:
        """What stands in a bracket that is open already, and its end."""
        inside = [self.sum(self.deeper(depth, opened))]
        while several and self.take(","):
            inside.append(self.sum(self.deeper(depth, opened)))
        if not self.take(CLOSES[opened.text]):
            if self.token.kind == "end":
                self.fail(f"'{opened.shown}' is never closed", opened.at)
            self.unexpected(opened)
        return inside

    def deeper(self, depth: int, token: Token) -> int:
        if depth == self.max_depth:
            self.fail(f"nested more than {self.max_depth} levels deep", token.at)
        return depth + 1

    # numbers and names -----------------------------------------------------------------------------------------------
    def number(self, token: Token) -> Number:
        found = NUMBER.fullmatch(token.text)
        exponent = (found[1] if found else None) or "0"
        most = self.max_exponent
        if len(exponent) > 9 or abs(int(exponent.replace("−", "-"))) > most:
            self.fail(f"number out of range: its exponent is not between -{most} and {most}", token.at)
        f = Number(Fraction(token.text.replace("−", "-")))
        self.checked(f, token)
        return f

    def checked(self, f: Formula, token: Token) -> Formula:
        """The formula, unless its coefficient has become too large, too small or too long."""
        coefficient = fm.parts(fm.parts(f, "neg")[0], "mul")[0]
        value = coefficient.value if isinstance(coefficient, Number) else Fraction(1)
        long = max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS
        if long or (value and not 1 / LARGEST <= abs(value) <= LARGEST):
            self.fail("number out of range", token.at)
        return f

    def named(self, token: Token, depth: int) -> Formula:
        """A variable, a function with its arguments, or a constant; a variable that was declared comes first."""
        word = token.text
        name = variable(word)
        assert isinstance(name.symbol, Symbol)
        called = self.token.kind == "sign" and self.token.text in CLOSES
        if name.symbol not in self.known:
            if word in NAMES:
                return self.function(token, depth)
            if called:
                self.not_a_function(token)
            if name.symbol == Symbol("π"):
                return fm.PI
            if word == "e":
                return E
            self.check_new(token)
        elif called:
            self.fail(f"an operator is missing after '{word}'; a product is {word}*(…)", self.token.at)
        return self.known.setdefault(name.symbol, name)

    def function(self, token: Token, depth: int) -> Formula:
        word = token.text
        opened = self.take(*CLOSES)
        if not opened:
            example = f"{word}(x)^2" if self.token.text == "^" else f"{word}(x)"
            self.fail(f"'{word}' needs its argument in brackets: {example}", token.at)
        args = self.bracketed(opened, depth, several=True)
        if word in EXTREMES:
            if len(args) < 2:
                self.fail(f"'{word}' takes at least two arguments: {word}(x, y)", token.at)
            largest = args[0]
            for arg in args[1:]:
                largest = EXTREMES[word](largest, arg)
            return largest
        if len(args) > 1:
            self.fail(f"'{word}' takes one argument, not {len(args)}; a decimal number has a point", token.at)
        return self.functions[word](args[0])

    def check_new(self, token: Token) -> None:
        """Refuses a name that was not declared, or that looks like a function and its argument in one."""
        word = token.text
        stem = word.rstrip("0123456789")
        if stem in NAMES:
            self.fail(f"'{stem}' needs its argument in brackets: {stem}({word[len(stem) :]})", token.at)
        if self.open:
            return
        ids = [name.id for name in self.known.values()]
        hint = nearest(word, [*ids, *NAMES])
        if len(word) > 1 and all(char in ids for char in word):
            hint = f" Did you mean '{'*'.join(word)}'?"
        if not hint:
            hint = f" There {'is' if len(ids) == 1 else 'are'} {', '.join(ids)}." if ids else " There are none."
        self.fail(f"'{word}' is not one of the variables.{hint}", token.at)

    def not_a_function(self, token: Token) -> NoReturn:
        word = token.text
        if (self.open and len(word) == 1) or word in GREEK:
            self.fail(f"'{word}' is not a function; a product is {word}*(…)", token.at)
        self.fail(f"'{word}' is not one of the functions {', '.join(NAMES)}.{nearest(word, NAMES)}", token.at)

    # what is wrong ---------------------------------------------------------------------------------------------------
    def missing(self) -> NoReturn:
        """Where a number, a variable or a bracket should begin there is a sign, or nothing."""
        token, before = self.token, self.tokens[self.here - 1] if self.here else None
        if token.text in CLOSES.values():
            if before is None:
                self.fail(f"'{token.shown}' closes no bracket", token.at)
            if before.text in CLOSES:
                self.fail("there is nothing in these brackets", before.at)
        elif token.kind == "sign" and (before is None or before.text in (*CLOSES, ",")):
            self.fail(f"'{token.shown}' has nothing before it", token.at)
        assert before is not None  # an empty text was refused
        if before.text in CLOSES:
            self.fail(f"'{before.shown}' is never closed", before.at)
        self.fail(f"'{before.shown}' has nothing after it", before.at)

    def unexpected(self, opened: Token | None = None) -> NoReturn:
        """What was read is complete, but something follows that cannot continue it."""
        token, before = self.token, self.tokens[self.here - 1]
        if token.text in CLOSES.values():
            if opened:
                self.fail(f"'{token.shown}' does not close '{opened.shown}' of column {opened.at + 1}", token.at)
            self.fail(f"'{token.shown}' closes no bracket", token.at)
        if token.text == ",":
            self.fail("',' stands between the arguments of max and min; a decimal number has a point", token.at)
        self.fail(f"an operator is missing between '{before.shown}' and '{token.shown}'; a product needs '*'", token.at)


def word_at(text: str, at: int) -> str:
    """The name that begins here, or "": a letter one can see, then letters, ASCII digits and underscores."""
    end = at
    while end < len(text) and (is_letter(text[end]) or (end > at and text[end] in "0123456789_")):
        end += 1
    return text[at:end]


def is_letter(char: str) -> bool:
    return char.isalpha() and (char.isascii() or "FILLER" not in unicodedata.name(char, "FILLER"))


def height(f: Formula) -> int:
    """How many operations stand inside each other, found without recursion."""
    deepest, stack = 0, [(f, 0)]
    while stack:
        part, depth = stack.pop()
        deepest = max(deepest, depth)
        stack += [(arg, depth + 1) for arg in part.args] if isinstance(part, Apply) else []
    return deepest

"""What was typed, read: d/dz EXPR, ∂/∂x EXPR, d^2/dz^2 EXPR and diff(EXPR, z)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from derive.errors import InputError, nearest
from derive.expression import parse, variable, variables_of, word_at
from derive.formula import Apply, Formula, Name, Number, Symbol, walk

PLACE = "derive explain"  # where a refused text stands
MAX_ORDER = 4
MAX_POWER = 1_000  # of the variable
RAISED = {"²": 2, "³": 3, "⁴": 4}


@dataclass(frozen=True)
class Asked:
    """What was typed, read: the function, by which of its variables it is differentiated, and how often."""

    text: str
    function: Formula
    by: Name
    order: int = 1

    @property
    def variables(self) -> list[Name]:
        return list(dict.fromkeys(part for part in walk(self.function) if isinstance(part, Name)))

    @property
    def d(self) -> str:
        return "d" if len(self.variables) == 1 else "∂"


BEGINNING = re.compile(r"\s*(?:[d∂](?:\s*(?:\^|\*\*)\s*\d+|[²³⁴])?\s*/|diff\s*\()")
NUMERATOR = re.compile(r"\s*[d∂](?:\s*(?:\^|\*\*)\s*(\d+)|([²³⁴]))?\s*/\s*")
NAMED = re.compile(r"\s*[d∂]\s*(\w+)\s*/\s*[d∂](\w+)\s*$")  # dL/dw, of an L that is not said
EXPONENT = re.compile(r"\s*(?:\^|\*\*)\s*(\d+)|([²³⁴])")


def is_meant(text: str) -> bool:
    """Whether a text begins like a derivative, or is a formula rather than the name of a lesson."""
    return bool(BEGINNING.match(text)) or not re.fullmatch(r"[\w. -]*", text, re.ASCII)


def read(text: str) -> Asked:
    """What was typed; an InputError says where it is wrong."""
    if not BEGINNING.match(text):
        raise refused(f"'{text}' is neither a lesson nor a derivative{suggestion(text)}")
    if re.match(r"\s*diff", text):
        return called(text)
    top = NUMERATOR.match(text)
    assert top is not None  # it begins so
    order, at = power_of(top), top.end()
    if text[at : at + 1] == "∂":
        word, end = word_at(text, at + 1), at + 1 + len(word_at(text, at + 1))
    else:
        written = word_at(text, at)
        word, end = written[1:] if written.startswith("d") else "", at + len(written)
    if not word:
        raise refused("after the '/' stands d and the variable, as in d/dz", at)
    below = EXPONENT.match(text, end)
    if (power_of(below) if below else 1) != order:
        raise refused(f"a derivative of order {order} is written d^{order}/d{word}^{order}" if order > 1
                      else f"the order is written twice, as in d^2/d{word}^2", end)  # fmt: skip
    start = below.end() if below else end
    return placed(text, " " * start + text[start:], word, at + 1, order)


def power_of(found: re.Match[str]) -> int:
    order = RAISED[found[2]] if found[2] else int(found[1][:6]) if found[1] else 1
    if not 1 <= order <= MAX_ORDER:
        raise refused(f"the order of a derivative is 1 to {MAX_ORDER}", found.start())
    return order


def called(text: str) -> Asked:
    """diff(EXPR, z) and diff(EXPR, z, 2)."""
    start = text.index("(") + 1
    found = re.search(r",\s*([^\W\d_]\w*)\s*(?:,\s*(\d+)\s*)?\)\s*$", text)
    if found is None:
        raise refused("this is written diff(EXPRESSION, z), or diff(EXPRESSION, z, 2) for the second derivative", 0)
    order = int((found[2] or "1")[:6])
    if not 1 <= order <= MAX_ORDER:
        raise refused(f"the order of a derivative is 1 to {MAX_ORDER}", found.start(2))
    return placed(text, " " * start + text[start : found.start()], found[1], found.start(1), order)


def placed(text: str, rest: str, word: str, at: int, order: int) -> Asked:
    """The expression, read where it stands, and the variable in it."""
    if not rest.strip():
        raise refused("there is nothing to differentiate: an expression follows, as in d/dz log(1+exp(-z))", len(rest))
    f = parse(rest, file=PLACE)
    known = variables_of(f)
    if not known:
        raise refused("there is no variable in the expression: its derivative is 0", at)
    by = variable(word)
    names = {part.symbol: part for part in walk(f) if isinstance(part, Name)}
    if by.symbol not in names:
        hint = nearest(word, known) or f" Its variable{'s are' if len(known) > 1 else ' is'} {', '.join(known)}."
        raise refused(f"'{word}' is not in the expression.{hint}", at)
    if (power := degree(f)) > MAX_POWER:
        raise refused(
            f"a power of degree {power:.6g}; up to {MAX_POWER} are worked out", len(rest) - len(rest.lstrip())
        )
    return Asked(text.strip(), f, names[by.symbol], order)


def refused(problem: str, at: int | None = None) -> InputError:
    return InputError(problem, file=PLACE, path="" if at is None else f"column {at + 1}")


def suggestion(text: str) -> str:
    """What was probably meant, if it is a formula."""
    if (named := NAMED.match(text)) is not None:
        return f": write d/d{named[2]} and what {named[1]} is, as in d/dz log(1+exp(-z))"
    try:
        known = variables_of(parse(text))
    except InputError:
        known = []
    return f": write d/d{known[0]} {text}" if known else ", which is written as in d/dz log(1+exp(-z))"


def degree(f: Formula) -> float:
    """How large a power of a number stands in the formula at most: powers of powers multiply."""
    if not isinstance(f, Apply):
        return 1
    inner = [degree(arg) for arg in f.args]
    match f.head:
        case "pow":
            exponent = f.args[1].value if isinstance(f.args[1], Number) else Fraction(1)
            return inner[0] * max(1.0, abs(float(exponent)))
        case "mul" | "div":
            return sum(inner)
    return max(inner, default=1)


def called_in_output(text: str) -> str:
    """The text as the name of a folder."""
    spoken = {"+": " plus ", "-": " minus ", "−": " minus ", "*": " times ", "^": " to ", "/": " over "}
    words = "".join(spoken.get(c, c) for c in re.sub(r"([d∂])\s*/\s*([d∂])", r"\1 \2", text))
    return re.sub(r"\W+", "-", words.replace("∂", "d")).strip("-")[:80].strip("-")


def symbol_of(name: Name) -> Symbol:
    assert isinstance(name.symbol, Symbol)
    return name.symbol

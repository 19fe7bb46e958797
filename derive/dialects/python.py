"""Python, to evaluate what is printed: names are looked up in `q`, matrices are numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence

from derive.formula import Formula, Function, Name, Partial, Symbol
from derive.numerals import Numeral
from derive.spelling import PRODUCT, Dialect


class Python(Dialect):
    """Formulas as Python expressions; `**`, `@` and the function names are all they need."""

    fraction_rank = PRODUCT
    for_machines = True

    def is_plain(self, f: Formula) -> bool:
        return True

    def symbol(self, symbol: Symbol | Partial) -> str:
        raise TypeError("Python names come from ids, not symbols")

    def name(self, name: Name) -> str:
        return f"q[{name.key!r}]"

    def numeral(self, numeral: Numeral, link: str = "") -> str:
        return f"({numeral})" if numeral.denominator or numeral.exponent is not None else str(numeral)

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        return "array([" + ", ".join(f"[{', '.join(row)}]" for row in rows) + "])"

    def bracket(self, inner: str) -> str:
        return f"({inner})"

    def sign(self, sign: str, *, first: bool) -> str:
        plain = "-" if sign == "−" else "+"
        return plain if first else f" {plain} "

    def product(self, factors: Sequence[str], head: str, times: str) -> str:
        return (" @ " if head == "dot" else "*").join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        return f"{top}/{bottom}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}**({exponent})"

    def transposed(self, base: str) -> str:
        return f"{base}.T"

    def call(self, function: Function | str, args: Sequence[str], axis: int | None) -> str:
        name = function.name if isinstance(function, Function) else {"ln": "log"}.get(function, function)
        axes = "" if axis is None else f", axis={axis}"
        return f"{name}({', '.join(args)}{axes})"

    def sum_over(self, inner: str, axis: int | None) -> str:
        return f"total({inner}, axis={axis})"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        flat = [part for row in rows for part in row if part]
        return f"cases({', '.join(flat)})"

    def relation(self, left: str, sign: str, right: str) -> str:
        return f"({left}) {({'≥': '>=', '≤': '<='}).get(sign, sign)} ({right})"

    def both(self, conditions: Sequence[str]) -> str:
        return " and ".join(f"({condition})" for condition in conditions)

    def function(self, head: str, inner: str) -> str:
        return "pi()" if head == "pi" else f"{head}({inner})"


class ExactPython(Python):
    """The same with every constant as an exact number: `number("1/3")`, where Python's own 1/3 is a float64."""

    def numeral(self, numeral: Numeral, link: str = "") -> str:
        whole = numeral.exponent is None and not numeral.denominator and numeral.digits.isdigit()
        return str(numeral) if whole else f"number({str(numeral)!r})"

    def fraction(self, top: str, bottom: str) -> str:
        """A quotient of constants is exact, too, where Python's own 2/(1 + 5) is a float64."""
        return super().fraction(top if "q[" in top else f"number('1')*{top}", bottom)

    def power(self, base: str, exponent: str) -> str:
        return super().power(base if "q[" in base else f"(number('1')*{base})", exponent)

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        """Each part is worked out only where it is asked for: one that does not apply may divide by zero."""
        return f"cases({', '.join(f'lambda: {part}' for row in rows for part in row if part)})"

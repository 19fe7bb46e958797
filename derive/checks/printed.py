"""Every printed formula, evaluated from its own Python text."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from derive.algebra import EXACT, FLOATS, UNKNOWN, Algebra, Value, call, each
from derive.checks.errors import Errors, largest
from derive.dialects.python import ExactPython
from derive.document import Document, Line, Witness, steps
from derive.formula import Apply, Formula, Function, Written, names, parts
from derive.spelling import spell
from derive.values import Values, as_decimal


def printed(document: Document) -> Witness:
    """Every form of every line, from its Python text, against the value of the line's target."""
    values = document.values
    check = rounded_line if values.policy.as_you_go else exact_line
    errors = Errors()
    for step in steps(document):
        for line in step.lines:
            check(line, values, errors)
            if line.condition is not None and not holds(line.condition, values):
                errors.absolute = errors.relative = float("inf")
    if values.policy.as_you_go:
        return errors.witness("rounded_lines", "page", 0.5000001)
    if values.small:
        return errors.witness("lines", "page", 1e-30)
    return errors.witness("lines_float", "page", 1e-9)


def exact_line(line: Line, values: Values, errors: Errors) -> None:
    target = values.value(line.target)
    written = line.target.symbol.of if isinstance(line.target.symbol, Written) else line.target
    for form in line.forms:  # a sum that cancels to zero is measured by its terms
        parts_of_it = (*names(written), *names(form.formula))
        scale = max([largest(target), *(1e-3 * largest(values.value(name)) for name in parts_of_it), 1e-100])
        errors.compare(like(target, python_value(form.formula, values)), target, scale)


def like(target: Value, found: Value) -> Value:
    """A value in the shape of the target: a single number is spread, a matrix of one entry is a number."""
    if np.size(found) == np.size(target):
        return np.asarray(found).reshape(np.shape(target))[()]
    return np.broadcast_to(found, np.shape(target))


def holds(condition: Formula, values: Values) -> bool:
    """Whether a condition is true as it is written, in exact numbers where they are known."""

    def one(part: Formula) -> bool:
        exact = worked_out(part, {name.key: values.known_exactly(name) for name in names(part)}, EXACT)
        return bool(python_value(part, values) if exact is UNKNOWN else exact)

    return all(one(part) for part in parts(condition, "and"))


def rounded_line(line: Line, values: Values, errors: Errors) -> None:
    """With rounding as one goes the last form, from the rounded numbers, must round to the value: off by half a unit."""
    target = np.asarray(values.value(line.target), dtype=object)
    if not line.forms or line.target.id in values.extra:
        return
    found = like(target, np.asarray(python_value(line.forms[-1].formula, values), dtype=object))
    for ours, theirs in zip(np.asarray(found, dtype=object).ravel(), target.ravel(), strict=True):
        expected = values.policy.rounded(as_decimal(ours))
        unit = float(Decimal(1).scaleb(int(expected.as_tuple().exponent)))
        errors.compare(ours, theirs, max(unit, 1e-100))


def python_value(f: Formula, values: Values) -> Value:
    """The value of a formula's Python text: our own spelling, in which names are keys and nothing is anybody's text."""
    return worked_out(f, {name.key: values.value(name) for name in names(f)}, values.algebra)


def worked_out(f: Formula, quantities: dict[str, Value], algebra: Algebra) -> Value:
    code = compile(spell(f, ExactPython()), "<formula>", "eval")
    with np.errstate(all="ignore"):
        return eval(code, {"__builtins__": {}, "q": quantities, **vocabulary(algebra, functions_of(f))})


def functions_of(f: Formula) -> dict[str, Function]:
    if not isinstance(f, Apply):
        return {}
    found = {f.head.name: f.head} if isinstance(f.head, Function) else {}
    for arg in f.args:
        found |= functions_of(arg)
    return found


def vocabulary(algebra: Algebra, functions: dict[str, Function]) -> dict[str, Callable[..., Any]]:
    def named(function: Function) -> Callable[..., Any]:
        return lambda *args, axis=None: call(function, args, axis, algebra)

    def cases(*flat: Callable[[], Any]) -> Any:
        conditions, branches = flat[1::2], [*flat[0:-1:2], flat[-1]]
        for when, branch in zip(conditions, branches, strict=False):
            found = when()
            if isinstance(found, np.ndarray):
                return algebra.choose([when() for when in conditions], [branch() for branch in branches])
            if found is UNKNOWN or found:
                return UNKNOWN if found is UNKNOWN else whole(branch())
        return whole(branches[-1]())

    def log(value: Any) -> Any:  # 0·ln 0 is 0, as the losses have it: of a probability that was rounded to 0
        return -(algebra.number(10) ** 1000) if value == 0 else algebra("log", value)

    def whole(value: Any) -> Any:
        """A constant as an exact number: Python's own 1 is no whole number any more once it is divided by 3."""
        return algebra.number(Fraction(value)) if type(value) is int else value

    def floor(value: Any) -> Any:  # a whole number that a logarithm has missed by its last digit is that number
        if algebra is EXACT:
            return algebra("floor", value)
        return algebra("floor", value + algebra.number(Fraction(1, 10**9 if algebra is FLOATS else 10**40)))

    def total(value: Any, axis: int | None) -> Any:
        return np.sum(value, axis=axis, keepdims=axis is not None)

    def number(written: str) -> Any:
        return algebra.number(Fraction(written))

    own: dict[str, Callable[..., Any]] = {
        **algebra.functions,
        "max": lambda *args: whole(algebra("max", *args)),
        "min": lambda *args: whole(algebra("min", *args)),
        "floor": floor,
        **({"log": each(log)} if algebra.as_written and algebra.digits else {}),
        "cases": cases,
        "total": total,
        "number": number,
    }
    return own | {name: named(function) for name, function in functions.items()}

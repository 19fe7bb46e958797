"""One text for all formulas that differ only in the order and the grouping of terms and factors."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from derive import formula as fm
from derive.formula import Apply, Formula, Function, Name, Number

PRODUCTS = ("mul", "had", "chain")
MOST = 1_000  # parts of a formula that is written without functions: each may double what stands in it


def form(f: Formula) -> str:
    """The formula with terms and factors in alphabetical order; minus and division as factors, functions by their bodies.

    Nothing is multiplied out and nothing collected: x + x and 2x stay different.
    """
    coefficient, factors = product(f)
    if len(factors) == 1 and coefficient == 1:
        return factors[0]
    return "*".join([str(coefficient), *sorted(factors)])


def product(f: Formula) -> tuple[Fraction, list[str]]:
    """(numbers, everything else) that a formula is the product of; what is divided by begins with a slash."""
    if isinstance(f, Number):
        return f.value, []
    if isinstance(f, Apply):
        if f.head == "neg":
            coefficient, factors = product(f.args[0])
            return -coefficient, factors
        if f.head in PRODUCTS:
            found, all_factors = Fraction(1), list[str]()
            for arg in f.args:
                coefficient, factors = product(arg)
                found, all_factors = found * coefficient, all_factors + factors
            return found, all_factors
        if f.head == "xlogy":
            coefficient, factors = product(f.args[0])
            return coefficient, [*factors, form(fm.log(f.args[1]))]
        if f.head == "div":
            top, above = product(f.args[0])
            bottom, below = product(f.args[1])
            if bottom:
                return top / bottom, [*above, *(x[1:] if x.startswith("/") else f"/{x}" for x in below)]
    return Fraction(1), [single(f)]


def single(f: Formula) -> str:
    """The same of what is no product."""
    if isinstance(f, Name):
        return f.key
    assert isinstance(f, Apply)
    if isinstance(f.head, Function):
        assert f.head.body is not None
        if size(f, {}) > MOST:
            return f"{f.head.name}({'; '.join(map(form, f.args))})"
        return form(fm.bind(f.head.body, dict(zip(f.head.parameters, f.args, strict=True))))
    if f.head == "add":
        return f"({' + '.join(sorted(terms(f)))})"
    args = [form(arg) for arg in f.args]
    return f"{f.head}({'; '.join(sorted(args) if f.head in ('max', 'min') else args)})"


def terms(f: Apply) -> list[str]:
    """The terms of a sum, of sums in it as well; its numbers as one."""
    constant, found = Fraction(0), list[str]()
    for arg in f.args:
        if isinstance(arg, Apply) and arg.head == "add":
            found += terms(arg)
        elif isinstance(arg, Number):
            constant += arg.value
        else:
            found.append(form(arg))
    return [*found, str(constant)] if constant else found


def size(f: Formula, at: Mapping[Name, int]) -> int:
    """How many parts a formula has where its functions are written out. at: what stands for some names"""
    if isinstance(f, Name):
        return at.get(f, 1)
    if not isinstance(f, Apply):
        return 1
    parts = [size(arg, at) for arg in f.args]
    if not isinstance(f.head, Function):
        return 1 + sum(parts)
    assert f.head.body is not None
    return size(f.head.body, dict(zip(f.head.parameters, parts, strict=True)))

"""A recursion put into itself: m₃ in terms of g₁, g₂ and g₃."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

from derive import formula as fm
from derive.formula import Apply, Formula, Name, Number, names
from derive.studies.base import Desk


def unrolled(desk: Desk, letter: str, t: int, terms_of: Collection[str]) -> Formula | None:
    """A linear recursion y_t = a·y_{t−1} + … as a sum over all steps; None for another kind of formula.

    terms_of: the letters of what is summed, one or more of which every new term has
    """
    if f"{letter}@{t}" not in desk.node or not desk.node[f"{letter}@{t}"].inputs:
        return None
    formula = desk.reader.formula(desk.node[f"{letter}@{t}"], 0, 0)
    old = next((n for n in names(formula) if n.id == f"{letter}@{t - 1}"), None)
    if old is None:
        timed = {name.id.partition("@")[0] for name in names(formula) if "@" in name.id}
        return formula if timed and timed <= set(terms_of) else None
    terms = fm.parts(formula, "add")
    carried = [term for term in terms if old in names(term)]
    rest = [term for term in terms if old not in names(term)]
    if len(carried) != 1 or not is_multiple(carried[0], old) or not all(has_term(term, terms_of) for term in rest):
        return None
    factors = [factor for factor in fm.parts(carried[0], "mul") if factor != old]
    return fm.add(*(times(factors, term) for term in past(desk, old, letter, t, terms_of)), *rest)


def times(factors: Sequence[Formula], term: Formula) -> Formula:
    """A term carried one step further."""
    if isinstance(term, Apply) and term.head == "neg":
        return fm.negate(times(factors, term.args[0]))
    return fm.multiply(*together([*factors, *fm.parts(term, "mul")]))


def past(desk: Desk, old: Name, letter: str, t: int, terms_of: Collection[str]) -> tuple[Formula, ...]:
    """The terms of the value before."""
    if desk.values.known_exactly(old) == 0:
        return ()
    before = unrolled(desk, letter, t - 1, terms_of) if t > 1 else None
    return fm.parts(before or old, "add")


def is_multiple(term: Formula, name: Name) -> bool:
    return name in fm.parts(term, "mul") and sum(n == name for n in names(term)) == 1


def has_term(f: Formula, letters: Collection[str]) -> bool:
    return any(name.id.partition("@")[0] in letters for name in names(f))


def together(factors: Sequence[Formula]) -> list[Formula]:
    """Powers of the same option as one: β·β² as β³."""
    found: dict[Formula, Fraction] = {}
    for factor in factors:
        base, exponent = factor, Fraction(1)
        if isinstance(factor, Apply) and factor.head == "pow" and isinstance(factor.args[1], Number):
            option = isinstance(factor.args[0], Name) and "@" not in factor.args[0].id
            base, exponent = (factor.args[0], factor.args[1].value) if option else (base, exponent)
        found[base] = found.get(base, Fraction(0)) + exponent
    return [fm.power(base, Number(exponent)) for base, exponent in found.items()]

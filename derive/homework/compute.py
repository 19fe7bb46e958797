"""Formulas as Python functions of numbers by key: the same formula is worked out for hundreds of students."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np

from derive.algebra import FLOATS, STRUCTURE, Value, evaluate
from derive.formula import Apply, Formula, Name, Number, branches

Compute = Callable[[Mapping[str, Value]], Value]


MOST_KEPT = 50_000  # formulas whose functions are kept
_kept: dict[int, tuple[Formula, Compute]] = {}  # by identity: to hash a formula takes as long as to work it out


def numbers(f: Formula, values: Mapping[str, Value]) -> Value:
    """The value of a formula, in floats or rows of floats; nan where it has none. Callers mute NumPy's warnings."""
    kept = _kept.get(id(f))
    if kept is None or kept[0] is not f:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        kept = _kept[id(f)] = f, _compiled(f)
    try:
        return kept[1](values)
    except (ArithmeticError, ValueError):
        return math.nan


def number(f: Formula, values: Mapping[str, float]) -> float:
    """The same as one float."""
    with np.errstate(all="ignore"):
        found = numbers(f, values)
    return float(found) if np.isrealobj(found) else math.nan


def _compiled(f: Formula) -> Compute:
    match f:
        case Name():
            return operator.itemgetter(f.key)
        case Number(value=value):
            constant = float(value)
            return lambda values: constant
        case Apply(head="add" | "mul" as head, args=args):
            return _folded(operator.add if head == "add" else operator.mul, [_compiled(arg) for arg in args])
        case Apply(head="neg", args=(arg,)):
            negated = _compiled(arg)
            return lambda values: -negated(values)
        case Apply(head="div", args=(top, bottom)):
            above, below = _compiled(top), _compiled(bottom)
            return lambda values: np.true_divide(above(values), below(values))
        case Apply(head="cases"):
            return _cases(f)
        case Apply(head=str(head), args=args) if head in STRUCTURE:
            parts = [_compiled(arg) for arg in args]
            return lambda values: STRUCTURE[head]([part(values) for part in parts], f.axis)
        case Apply(head=str(head), args=(arg,)):
            function, only = FLOATS.functions[head], _compiled(arg)
            return lambda values: function(only(values))
        case Apply(head=str(head), args=args):
            function, parts = FLOATS.functions[head], [_compiled(arg) for arg in args]
            return lambda values: function(*(part(values) for part in parts))
    return lambda values: evaluate(f, lambda name: values[name.key], FLOATS)


def _folded(operation: Callable[[Value, Value], Value], parts: Sequence[Compute]) -> Compute:
    if len(parts) == 2:
        first, second = parts
        return lambda values: operation(first(values), second(values))
    return lambda values: reduce(operation, [part(values) for part in parts])


def _cases(f: Apply) -> Compute:
    pairs = [(_compiled(value), None if when is None else _compiled(when)) for value, when in branches(f)]

    def compute(values: Mapping[str, Value]) -> Value:
        conditions = [when(values) for _, when in pairs if when is not None]
        if not any(isinstance(condition, np.ndarray) for condition in conditions):
            return pairs[next((i for i, c in enumerate(conditions) if c), -1)][0](values)
        return FLOATS.choose(conditions, [value(values) for value, _ in pairs])

    return compute

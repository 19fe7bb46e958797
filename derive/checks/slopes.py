"""SymPy's derivative of every function in use: it knows nothing of the slopes taught here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from random import Random
from typing import Any

import numpy as np

from derive.algebra import DIGITS, Algebra, call, digits, evaluate, sympy_algebra
from derive.checks.differences import SEED, conditions
from derive.checks.errors import Errors
from derive.document import Witness
from derive.formula import Apply, Formula, Function, Name, Number, walk
from derive.graph import Node, Op, expand, leaf, topological
from derive.model import Model
from derive.ops.base import Elementwise, out
from derive.ops.vector import Fused, VectorOp
from derive.values import Values, as_fraction

FARTHEST = 30.0  # arguments beyond are left to the differences: SymPy evaluates erf(−800) for hours
MOST_DIGITS = 400  # working digits SymPy may spend on one value: far out in a tail it would ask for millions
POINTS = 3  # arguments at which each slope is compared with SymPy's


def slopes(model: Model, values: Values) -> list[Witness]:
    """Every function used, differentiated by SymPy, against the slope taught here, at arguments of this network."""
    run = model.iterations[0].forward
    ends = [run.output, *([run.loss.total] if run.loss else [])]
    found: dict[str, Witness] = {}
    for node in topological(*ends):
        if isinstance(node.op, Elementwise) and node.op.name not in found:
            found[node.op.name] = elementwise_slope(node.op, arguments(node, model, values))
        elif isinstance(node.op, (VectorOp, Fused)) and node.op.name not in found:
            found[node.op.name] = vector_slope(node.op)
    return list(found.values())


def arguments(node: Node, model: Model, values: Values) -> list[tuple[float, ...]]:
    """Some arguments the function was given in this network, and some it might be."""
    drawn = Random(SEED)
    rows = [tuple(drawn.uniform(0.05, 0.95) for _ in node.inputs) for _ in range(POINTS)]
    if all(source.id in values.arrays for source in node.inputs):
        flat = [np.asarray(values.floats[source.id]).ravel() for source in node.inputs]
        size = min(len(array) for array in flat)
        rows += [tuple(float(array[position]) for array in flat) for position in sorted({0, size // 2, size - 1})]
    return [row for row in rows if max(map(abs, row)) <= FARTHEST / steepness(node.op)]


def steepness(op: Op) -> float:
    """How far a function's own constants may stretch its argument: softplus with β = 10⁹ is beyond any digits at 1."""
    parts = list(walk(op.body)) if isinstance(op, Elementwise) else []
    if not any(isinstance(part, Apply) and part.head == "exp" for part in parts):
        return 1.0
    return max([1.0, *(float(abs(part.value)) / 50 for part in parts if isinstance(part, Number))])


def elementwise_slope(op: Elementwise, points: list[tuple[float, ...]]) -> Witness:
    mp, errors = digits(), Errors()
    for i, taught in enumerate(op.slopes):
        if taught is None:
            continue
        for point in points:
            at = dict(zip(op.parameters, map(mp.number, point), strict=True))
            if near_kink(op, at, mp):
                continue
            value = evaluate(op.body, at.__getitem__, mp)
            ours = evaluate(taught, {**at, out: value}.__getitem__, mp)
            errors.compare(ours, slope_by_sympy(op.body, op.parameters, i, point), max(1e-3, abs(float(ours))))
    return errors.witness("sympy", op.name, 1e-12)


@lru_cache(maxsize=1_000)
def slope_by_sympy(body: Formula, parameters: tuple[Name, ...], i: int, point: tuple[float, ...]) -> Any:
    """The derivative of a formula by its i-th parameter, at a point."""
    import sympy as sp

    derivative = derivative_by_sympy(body, parameters, i)
    exactly = {symbol(p): sp.Rational(str(Fraction(x))) for p, x in zip(parameters, point, strict=True)}
    return digits().number(as_fraction(derivative.xreplace(exactly).evalf(DIGITS - 10, maxn=MOST_DIGITS)))


@cache
def derivative_by_sympy(body: Formula, parameters: tuple[Name, ...], i: int) -> Any:
    import sympy as sp

    env = {p: symbol(p) for p in parameters}
    return sp.diff(evaluate(body, env.__getitem__, sympy_algebra()), symbol(parameters[i]))


def symbol(parameter: Name) -> Any:
    import sympy as sp

    return sp.Symbol(parameter.id, real=True)


def near_kink(op: Elementwise, at: dict[Name, Any], mp: Algebra) -> bool:
    """Whether moving the arguments a little changes the case: there SymPy has no derivative to offer."""
    small = mp.number(1) / 10**6
    below, above = ({name: value + sign * small for name, value in at.items()} for sign in (-1, 1))
    for when in conditions(op.body):
        sides = {bool(evaluate(when, env.__getitem__, mp)) for env in (below, at, above)}
        if len(sides) > 1:
            return True
    return False


SCORES = ("3/10", "-7/10", "11/10")  # at which the ops along units are compared


def vector_slope(op: VectorOp | Fused) -> Witness:
    """The taught Jacobian, or the shortcut, on three scores."""
    errors = Errors()
    if isinstance(op, VectorOp):
        outputs, theirs = jacobian_by_sympy(op.function)
        known = {Name("p", (i + 1,)): value for i, value in enumerate(outputs)}
        for i, row in enumerate(op.jacobian(list(known))):
            for j, formula in enumerate(row):
                errors.compare(evaluate(formula, known.__getitem__, digits()), theirs[i][j], 1.0)
    else:
        fused_slope(op, errors)
    return errors.witness("sympy", op.name, 1e-12)


@cache
def jacobian_by_sympy(function: Function) -> tuple[list[Any], list[list[Any]]]:
    """The outputs of a function of three scores, and its Jacobian."""
    import sympy as sp

    symbols, value = scores_by_sympy()
    outputs = call(function, [np.array([symbols], dtype=object)], 1, sympy_algebra())[0]
    return [value(o) for o in outputs], [[value(sp.diff(o, by)) for by in symbols] for o in outputs]


def scores_by_sympy() -> tuple[Sequence[Any], Callable[[Any], Any]]:
    """Three symbols, and the value of an expression in them at the scores."""
    import sympy as sp

    symbols = sp.symbols(f"s1:{len(SCORES) + 1}", real=True)
    at = dict(zip(symbols, map(sp.Rational, SCORES), strict=True))
    return symbols, lambda expression: digits().number(as_fraction(sp.N(expression.subs(at), 40)))


TARGETS = ("1/5", "1/2", "3/10")
WEIGHT = 3  # of the positive class, in losses that have one


def fused_slope(op: Fused, errors: Errors) -> None:
    mp, n = digits(), len(SCORES)
    s, p, u = (leaf((1, n), id, "activation") for id in "spu")
    weight = [leaf((1, n), "w", "hyper")] if getattr(op, "pos_weight", False) else []
    shortcut = expand(
        op.shortcut(s, p, u, *weight).named("short", "gradient"),
        lambda node: np.array([[Name(node.id, (i + 1,)) for i in range(n)]], dtype=object),
    )
    chances, theirs = gradient_by_sympy(op.shape((1, n)) == (1, 1), WEIGHT if weight else 1)
    known = {"p": chances, "u": [mp.number(Fraction(t)) for t in TARGETS], "w": [mp.number(WEIGHT)] * n}
    for j in range(n):
        ours = evaluate(shortcut[0, j], lambda name: known[name.id][name.index[0] - 1], mp)
        errors.compare(ours, theirs[j], 1.0)


@cache
def gradient_by_sympy(along: bool, weight: int) -> tuple[list[Any], list[Any]]:
    """The probabilities of three scores, `along` the units or each alone, and the gradient of their cross-entropy."""
    import sympy as sp

    symbols, value = scores_by_sympy()
    targets = [sp.Rational(t) for t in TARGETS]
    if along:
        mass = sum(sp.exp(x) for x in symbols)
        chances = [sp.exp(x) / mass for x in symbols]
        loss = sum(-t * sp.log(q) for t, q in zip(targets, chances, strict=True))
    else:
        chances = [1 / (1 + sp.exp(-x)) for x in symbols]
        loss = sum(-(weight * t * sp.log(q) + (1 - t) * sp.log(1 - q)) for t, q in zip(targets, chances, strict=True))
    return [value(q) for q in chances], [value(sp.diff(loss, x)) for x in symbols]

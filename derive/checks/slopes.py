"""SymPy's derivative of every function in use: it knows nothing of the slopes taught here."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from derive.algebra import DIGITS, Algebra, call, digits, evaluate, sympy_algebra
from derive.checks.differences import SEED, conditions
from derive.checks.errors import Errors
from derive.document import Witness
from derive.formula import Apply, Name, Number, walk
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
            found[node.op.name] = elementwise_slope(node, node.op, arguments(node, model, values))
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


def elementwise_slope(node: Node, op: Elementwise, points: list[tuple[float, ...]]) -> Witness:
    import sympy as sp

    algebra, mp = sympy_algebra(), digits()
    symbols = [sp.Symbol(p.id, real=True) for p in op.parameters]
    env = dict(zip(op.parameters, symbols, strict=True))
    body = evaluate(op.body, env.__getitem__, algebra)
    errors = Errors()
    for i, taught in enumerate(op.slopes):
        if taught is None:
            continue
        derivative = sp.diff(body, symbols[i])
        for point in points:
            at = dict(zip(op.parameters, map(mp.number, point), strict=True))
            if near_kink(op, at, mp):
                continue
            value = evaluate(op.body, at.__getitem__, mp)
            ours = evaluate(taught, {**at, out: value}.__getitem__, mp)
            exactly = {symbol: sp.Rational(str(Fraction(x))) for symbol, x in zip(symbols, point, strict=True)}
            theirs = derivative.xreplace(exactly).evalf(DIGITS - 10, maxn=MOST_DIGITS)
            errors.compare(ours, mp.number(as_fraction(theirs)), max(1e-3, abs(float(ours))))
    return errors.witness("sympy", op.name, 1e-12)


def near_kink(op: Elementwise, at: dict[Name, Any], mp: Algebra) -> bool:
    """Whether moving the arguments a little changes the case: there SymPy has no derivative to offer."""
    small = mp.number(1) / 10**6
    below, above = ({name: value + sign * small for name, value in at.items()} for sign in (-1, 1))
    for when in conditions(op.body):
        sides = {bool(evaluate(when, env.__getitem__, mp)) for env in (below, at, above)}
        if len(sides) > 1:
            return True
    return False


def vector_slope(op: VectorOp | Fused) -> Witness:
    """The taught Jacobian, or the shortcut, on three scores."""
    import sympy as sp

    algebra, mp, n = sympy_algebra(), digits(), 3
    symbols = sp.symbols(f"s1:{n + 1}", real=True)
    scores = [sp.Rational(3, 10), sp.Rational(-7, 10), sp.Rational(11, 10)]
    errors = Errors()
    at = dict(zip(symbols, scores, strict=True))
    if isinstance(op, VectorOp):
        outputs = call(op.function, [np.array([symbols], dtype=object)], 1, algebra)[0]
        places = [Name("p", (i + 1,)) for i in range(n)]
        known = {place: mp.number(as_fraction(sp.N(o.subs(at), 40))) for place, o in zip(places, outputs, strict=True)}
        for i, row in enumerate(op.jacobian(places)):
            for j, formula in enumerate(row):
                theirs = sp.N(sp.diff(outputs[i], symbols[j]).subs(at), 40)
                errors.compare(evaluate(formula, known.__getitem__, mp), mp.number(as_fraction(theirs)), 1.0)
    else:
        fused_slope(op, symbols, at, errors)
    return errors.witness("sympy", op.name, 1e-12)


def fused_slope(op: Fused, symbols: Any, at: dict[Any, float], errors: Errors) -> None:
    import sympy as sp

    mp, n = digits(), len(symbols)
    s, p, u = (leaf((1, n), id, "activation") for id in "spu")
    weight = [leaf((1, n), "w", "hyper")] if getattr(op, "pos_weight", False) else []
    targets = [0.2, 0.5, 0.3]
    if op.shape((1, n)) == (1, 1):
        mass = sum(sp.exp(x) for x in symbols)
        chance = np.array([[sp.exp(x) / mass for x in symbols]], dtype=object)
        loss = sum(-t * sp.log(q) for t, q in zip(targets, chance[0], strict=True))
    else:
        chance = np.array([[1 / (1 + sp.exp(-x)) for x in symbols]], dtype=object)
        factor = 3 if weight else 1
        loss = sum(-(factor * t * sp.log(q) + (1 - t) * sp.log(1 - q)) for t, q in zip(targets, chance[0], strict=True))
    shortcut = expand(
        op.shortcut(s, p, u, *weight).named("short", "gradient"),
        lambda node: np.array([[Name(node.id, (i + 1,)) for i in range(n)]], dtype=object),
    )
    known = {
        "p": [mp.number(as_fraction(sp.N(q.subs(at), 40))) for q in chance[0]],
        "u": [mp.number(t) for t in targets],
        "w": [mp.number(3)] * n,
    }
    for j in range(n):
        ours = evaluate(shortcut[0, j], lambda name: known[name.id][name.index[0] - 1], mp)
        theirs = sp.N(sp.diff(loss, symbols[j]).subs(at), 40)
        errors.compare(ours, mp.number(as_fraction(theirs)), 1.0)

"""The witnesses: independent checks of every gradient and of every printed formula.

Differences of the forward pass know no rule; SymPy's `diff` knows nothing of the slopes taught here; the printed
formulas are evaluated from their own Python text. On disagreement nothing may be printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from derive.algebra import DIGITS, FLOATS, Algebra, Value, call, digits, evaluate, sympy_algebra
from derive.build import Model
from derive.dialects.python import ExactPython
from derive.document import Document, Line, Witness, say, steps
from derive.formula import ZERO, Apply, Formula, Function, Name, Number, branches, names, walk
from derive.graph import Node, Op, expand, leaf, topological
from derive.graph import evaluate as evaluate_graph
from derive.numerals import Policy
from derive.ops.base import Elementwise, out
from derive.ops.vector import Fused, VectorOp
from derive.spelling import spell
from derive.values import Values, as_decimal, as_fraction, cost

FAR_REACH = 1e6
STEP_DIGITS = 40  # of 150: what is left of a difference has 110
SEED = 20240229
ENTRIES_BUDGET = 300_000  # multiplications spent on moving every single parameter
UNIT_COST = 20  # multiplications that an exponential, or another function of a unit, costs
SAMPLED_ENTRIES = 32  # entries moved one by one in all, where there are too many to move every one
FARTHEST = 30.0  # arguments beyond are left to the differences: SymPy evaluates erf(−800) for hours
MOST_DIGITS = 400  # working digits SymPy may spend on one value: far out in a tail it would ask for millions
POINTS = 3  # arguments at which each slope is compared with SymPy's


def report(model: Model, document: Document) -> tuple[Witness, ...]:
    """All witnesses' findings on a document."""
    values = document.values
    full = Values(model, Policy()) if values.policy.as_you_go else values
    found = [*differences(model, full)] if model.gradient else []
    found += slopes(model, full)
    found.append(printed(document))
    return tuple(found)


@dataclass
class Errors:
    """The largest errors over many comparisons."""

    absolute: float = 0.0
    relative: float = 0.0
    compared: int = 0

    def compare(self, ours: Value, theirs: Value, scale: Value) -> None:
        """Two values; the error relative to `scale`. What is not a number counts as infinitely wrong."""
        off = largest(ours - theirs)
        off = off if off == off else float("inf")
        size = float(scale)
        self.absolute = max(self.absolute, off)
        self.relative = max(self.relative, off / size if size else off)
        self.compared += max(1, np.size(ours))

    def witness(self, name: str, quantity: str, tolerance: float, note: Any = None) -> Witness:
        ok = self.relative <= tolerance
        return Witness(name, quantity, self.absolute, self.relative, tolerance, self.compared, ok, note)


def largest(value: Value) -> float:
    """The largest size of an entry."""
    array = np.asarray(value)
    if array.dtype != object:
        return float(np.max(np.abs(array), initial=0.0))
    return max((abs(float(entry)) for entry in array.ravel().tolist()), default=0.0)


# differences ------------------------------------------------------------------------------------------------------------
def differences(model: Model, values: Values) -> Iterator[Witness]:
    """Central differences of the loss against every gradient by a parameter (or by the inputs, if there are none)."""
    assert model.forward.loss is not None
    loss = model.forward.loss.total
    algebra = values.algebra
    known = {node: values.arrays[node.id] for node in topological(loss) if not node.inputs and node.id}
    moved = Mover(loss, known, algebra)
    wanted = model.parameters or (model.x,)
    total = sum(node.shape[0] * node.shape[1] for node in wanted)
    units = sum(node.shape[0] * node.shape[1] for node in topological(loss) if node.inputs)
    every = total * 2 * (cost(model) + UNIT_COST * units) <= ENTRIES_BUDGET
    drawn = Random(SEED)
    for node in wanted:
        gradient = values.arrays[model.gradient[node].id]
        errors, kinks = Errors(), 0
        # against the largest entry, but never finer than the loss itself can show
        noise = 1e-45 if values.small else 1e-12 * largest(values.arrays[loss.id])
        scale = max(largest(gradient), noise) or 1.0
        tolerance = 1e-15 if algebra is not FLOATS else 1e-5
        for direction in directions(node.shape, drawn, None if every else max(1, SAMPLED_ENTRIES // len(wanted))):
            ours = np.sum(gradient * weights(direction, algebra))
            size = scale * max(1.0, float(np.abs(direction).sum()) ** 0.5)
            nearest = moved.slope_near(ours, tolerance * size, node, direction)
            if nearest is None:
                kinks += 1
            else:
                errors.compare(ours, nearest, size)
        note = say("witness.kinks", count=kinks) if kinks else None if every else say("witness.sampled")
        yield errors.witness("differences" if values.small else "differences_float", f"dL/d{node.id}", tolerance, note)


def directions(shape: tuple[int, ...], drawn: Random, most: int | None) -> Iterator[Value]:
    """Every single entry, or a random direction and a few entries."""
    size = int(np.prod(shape))
    chosen = range(size) if most is None else sorted(drawn.sample(range(size), min(size, most)))
    if most is not None:
        yield np.array(drawn.choices([-1.0, 1.0], k=size)).reshape(shape)
    for position in chosen:
        one = np.zeros(size)
        one[position] = 1.0
        yield one.reshape(shape)


def weights(direction: Value, algebra: Algebra) -> Value:
    return direction if algebra is FLOATS else direction.astype(int).astype(object)


class Mover:
    """Moves a leaf a little and sees what the loss does."""

    def __init__(self, loss: Node, known: dict[Node, Value], algebra: Algebra) -> None:
        self.loss, self.known, self.algebra = loss, known, algebra
        self.leaf, self.kept = loss, known
        with np.errstate(all="ignore"):
            self.before = evaluate_graph([loss], known, algebra)
        self.cased = [n for n in topological(loss) if isinstance(n.op, Elementwise) and has_cases(n.op.body)]

    def slope_near(self, ours: Any, tolerance: float, node: Node, direction: Value) -> Any:
        """The central difference along a direction, with more steps until one agrees; None where all meet a kink."""
        nearest = None
        for step in self.steps(node, direction):
            slope = self.slope(node, direction, step)
            if slope is not None and (nearest is None or abs(slope - ours) < abs(nearest - ours)):
                nearest = slope
            if nearest is not None and abs(nearest - ours) <= tolerance / 1000:
                break
        return nearest

    def steps(self, node: Node, direction: Value) -> list[Any]:
        """Relative to what is moved, and, where it may meet a huge number, a step smaller by that."""
        if self.algebra is FLOATS:
            return [1e-6 * max(1.0, float(np.max(np.abs(self.known[node]))))]
        pairs = zip(self.known[node].ravel(), direction.ravel(), strict=True)
        size = max((abs(x) for x, moved in pairs if moved and x), default=1)
        step = self.algebra.number(10) ** -STEP_DIGITS * size
        reach = max(1.0, *(largest(value) for value in self.known.values()))
        far = self.algebra.number(reach)
        near = [step, self.algebra.number(10) ** -STEP_DIGITS]
        return near if reach < FAR_REACH else [*near, step / far, step * far]

    def slope(self, node: Node, direction: Value, step: Any) -> Any:
        push = direction * step if self.algebra is FLOATS else np.frompyfunc(lambda d: step * int(d), 1, 1)(direction)
        up, down = (self.run(node, moved) for moved in (self.known[node] + push, self.known[node] - push))
        if self.sides(up) != self.sides(down):
            return None
        slope = (up[self.loss][0, 0] - down[self.loss][0, 0]) / (2 * step)
        return slope if is_real(slope) else None  # a logarithm stepped below 0

    def run(self, node: Node, value: Value) -> dict[Node, Value]:
        """All values with one leaf changed; what does not depend on it is taken as it was."""
        if node is not self.leaf:
            changed = {node}
            for later in topological(self.loss):
                if any(source in changed for source in later.inputs):
                    changed.add(later)
            self.leaf, self.kept = node, {n: v for n, v in self.before.items() if n not in changed}
        with np.errstate(all="ignore"):
            return evaluate_graph([self.loss], {**self.kept, node: value}, self.algebra)

    def sides(self, values: dict[Node, Value]) -> list[Any]:
        """Which case every function by cases falls into, everywhere."""
        found = []
        for node in self.cased:
            assert isinstance(node.op, Elementwise)
            env = dict(zip(node.op.parameters, (values[source] for source in node.inputs), strict=True))
            found += [
                np.asarray(evaluate(when, env.__getitem__, self.algebra)).astype(bool).tolist()
                for when in conditions(node.op.body)
            ]
        return found


def is_real(value: Any) -> bool:
    return not hasattr(value, "_mpc_")


def conditions(f: Formula) -> Iterator[Formula]:
    if not isinstance(f, Apply):
        return
    if f.head == "cases":
        yield from (when for _, when in branches(f) if when is not None)
    if f.head in ("abs", "max", "min"):  # these have kinks of their own
        left = f.args[0]
        yield Apply("gt", (left, f.args[1] if len(f.args) > 1 else ZERO))
    for arg in f.args:
        yield from conditions(arg)


def has_cases(f: Formula) -> bool:
    return any(True for _ in conditions(f))


# SymPy ------------------------------------------------------------------------------------------------------------------
def slopes(model: Model, values: Values) -> list[Witness]:
    """Every function used, differentiated by SymPy, against the slope taught here, at arguments of this network."""
    ends = [model.forward.output, *([model.forward.loss.total] if model.forward.loss else [])]
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


# printed formulas -------------------------------------------------------------------------------------------------------
def printed(document: Document) -> Witness:
    """Every form of every line, from its Python text, against the value of the line's target."""
    values = document.values
    check = rounded_line if values.policy.as_you_go else exact_line
    errors = Errors()
    for step in steps(document):
        for line in step.lines:
            check(line, values, errors)
            if line.condition is not None and not python_value(line.condition, values):
                errors.absolute = errors.relative = float("inf")
    if values.policy.as_you_go:
        return errors.witness("rounded_lines", "page", 0.5000001)
    if values.small:
        return errors.witness("lines", "page", 1e-30)
    return errors.witness("lines_float", "page", 1e-9)


def exact_line(line: Line, values: Values, errors: Errors) -> None:
    target = values.value(line.target)
    for form in line.forms:
        scale = max([largest(target), *(1e-3 * largest(values.value(name)) for name in names(form.formula)), 1e-100])
        errors.compare(like(target, python_value(form.formula, values)), target, scale)


def like(target: Value, found: Value) -> Value:
    """A value in the shape of the target: a single number is spread, a matrix of one entry is a number."""
    if np.size(found) == np.size(target):
        return np.asarray(found).reshape(np.shape(target))[()]
    return np.broadcast_to(found, np.shape(target))


def rounded_line(line: Line, values: Values, errors: Errors) -> None:
    """With rounding as one goes the last form, from the rounded numbers, must round to the value: off by half a unit."""
    target = np.asarray(values.value(line.target), dtype=object)
    if not line.forms or line.target.id in values.extra:
        return
    found = like(target, np.asarray(python_value(line.forms[-1].formula, values), dtype=object))
    for ours, theirs in zip(np.asarray(found, dtype=object).ravel(), target.ravel(), strict=True):
        expected = values.policy.rounded(as_decimal(ours))
        unit = float(Decimal(1).scaleb(int(expected.as_tuple().exponent)))
        errors.compare(ours, theirs, max(unit, 1e-300))


def python_value(f: Formula, values: Values) -> Value:
    """The value of a formula's Python text: our own spelling, in which names are keys and nothing is anybody's text."""
    quantities = {name.key: values.value(name) for name in names(f)}
    code = compile(spell(f, ExactPython()), "<formula>", "eval")
    with np.errstate(all="ignore"):
        return eval(code, {"__builtins__": {}, "q": quantities, **vocabulary(values.algebra, functions_of(f))})


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

    def cases(*flat: Any) -> Any:
        return algebra.choose(flat[1::2], [*flat[0:-1:2], flat[-1]])

    def total(value: Any, axis: int | None) -> Any:
        return np.sum(value, axis=axis, keepdims=axis is not None)

    def number(written: str) -> Any:
        return algebra.number(Fraction(written))

    own: dict[str, Callable[..., Any]] = {**algebra.functions, "cases": cases, "total": total, "number": number}
    return own | {name: named(function) for name, function in functions.items()}

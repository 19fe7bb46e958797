"""The backward pass: for every quantity the chain rule with its factors named, in numbers, and as δ."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from derive import formula as fm
from derive.algebra import evaluate
from derive.derivation.teller import Teller
from derive.document import Form, Line, Say, Step, say
from derive.formula import Apply, Formula, Name
from derive.graph import Node, notate, sources, topological
from derive.ids import base, is_after, kind, place, plain, split
from derive.layers import condensed
from derive.model import Layer
from derive.naming import Naming
from derive.ops.base import Elementwise, Slope, WrittenOut
from derive.ops.structural import Scale
from derive.ops.vector import Fused, Softmax, SoftmaxCrossEntropy, VectorOp
from derive.reader import factored, places, uses

MOST_JACOBIAN_LINES = 120
MOST_OPEN = 6  # lines of a step inside a step that is not folded


def steps(teller: Teller, layer: Layer, form: str, prefix: str) -> tuple[Step, ...]:
    """The gradients of one layer: activations from the last back, the slope, δ, then weights and bias."""
    gradient = teller.model.gradient
    found: list[Step] = []
    before = {stage.output: stage.parameters for stage in layer.stages}
    for node in reversed(layer.lines):
        if node in gradient:
            found.extend(slope_steps(teller, gradient[node], layer, form, prefix))
            found.append(signal(teller, node, gradient[node], f"{prefix}/{layer.k}/{place(node.id)}", form, layer))
        own = (layer.W, layer.b) if node is layer.z else before.get(node, ())
        for parameter in own:
            if parameter is not None and parameter in gradient:
                id = f"{prefix}/{layer.k}/{place(parameter.id)}"
                found.append(parameter_step(teller, parameter, gradient[parameter], id, form, layer))
    return tuple(found)


def inputs_step(teller: Teller, form: str, prefix: str) -> tuple[Step, ...]:
    """The gradient by the inputs, where there is no parameter to differentiate by."""
    x = teller.model.x
    if teller.model.parameters or x not in teller.model.gradient:
        return ()
    return (signal(teller, x, teller.model.gradient[x], f"{prefix}/x", form, Layer(0, x)),)


def place_of(teller: Teller, layer: Layer) -> str:
    layers = teller.model.forward.layers
    return "output" if not layers or layer.k == layers[-1].k else "hidden"


# slopes -----------------------------------------------------------------------------------------------------------------
def slope_steps(teller: Teller, gradient: Node, layer: Layer, form: str, prefix: str) -> list[Step]:
    """The derivative of the activation, if this gradient is multiplied by one."""
    found = []
    for node in topological(gradient):
        if (
            isinstance(node.op, Slope)
            and node.role == "slope"
            and node.id not in teller.told_slopes
            and node in gradient.inputs
        ):
            teller.told_slopes.add(node.id)
            name = node.op.of.name
            id = f"{prefix}/{layer.k}/slope"
            why = (say(f"slope.{name}"), *((say("kink.other"),) if at_kink(teller, node) else ()))
            if form == "matrix":
                lines: tuple[Line, ...] = (slope_matrix(teller, node),)
            else:
                lines = tuple(slope_line(teller, node, row, column) for row, column in places(node))
            teller.values.home.setdefault(node.id, id)
            found.append(
                Step(id, say("step.slope", k=layer.k, function=name), why, lines, uses(lines, teller.values, id))
            )
    return found


def at_kink(teller: Teller, slope: Node) -> bool:
    """Whether an argument stands exactly where the derivative jumps."""
    assert isinstance(slope.op, Slope)
    values = teller.values
    kinks = [evaluate(kink, values.value, values.algebra) for kink in slope.op.of.kinks]
    return not values.symbolic and any((values.arrays[slope.inputs[0].id] == kink).any() for kink in kinks)


def slope_line(teller: Teller, node: Node, row: int, column: int) -> Line:
    assert isinstance(node.op, Slope)
    call = Apply(node.op.of.derivative(), (teller.used(node.inputs[0], row, column),))
    return teller.line(node, row, column, Form(call, numbers=False))


def slope_matrix(teller: Teller, node: Node) -> Line:
    """σ′(z), and the same by the output where that is how it is taught: a ⊙ (1 − a)."""
    line = teller.matrix_line(node, numbers=False)
    assert isinstance(node.op, Slope)
    if any(isinstance(part, Apply) and part.head == "cases" for part in fm.walk(node.op.body)):
        return line
    written = notate(replace(node, op=WrittenOut(node.op)), teller.whole)
    by_output = fm.transpose(written) if teller.naming.turned(node.id) else written
    return Line(line.target, (*line.forms, Form(by_output, numbers=False)), shapes=True)


# error signals ----------------------------------------------------------------------------------------------------------
def signal(teller: Teller, node: Node, gradient: Node, id: str, form: str, layer: Layer) -> Step:
    """∂L/∂a or δ = ∂L/∂z of one layer."""
    letter = kind(node.id)[0]
    output = end_of(teller)
    shortcut = isinstance(output.op, Fused) and node is output.inputs[0]
    why = reasons(teller, node, layer, shortcut=shortcut)
    loss = teller.model.forward.loss
    if loss and isinstance(loss.data.op, Scale) and (shortcut or node is teller.model.forward.output):
        why = (*why, say("backward.mean", factor=fm.formula(loss.factor)))
    if any(is_after(source.id) for source in sources(gradient)):
        why = (*why, say("backward.layerwise"))
    if form == "matrix":
        lines: tuple[Line, ...] = (signal_matrix(teller, node, gradient, letter),)
        if letter != "z" and any(kind(user.id)[0] == "z" for user in users(teller, node)):
            why = (*why, say("why.transpose"))
    else:
        lines = tuple(signal_line(teller, gradient, row, column, letter) for row, column in places(gradient))
    if short := condensed_lines(teller, node, form):
        lines, why = (*lines, *short), (*why, say("through.condensed"))
    teller.values.home.setdefault(gradient.id, id)
    substeps: tuple[Step, ...] = ()
    if form != "matrix":
        if shortcut:
            substeps = long_way(teller, node, output, id)
            why = (*why, say("backward.long_way")) if substeps else why
        elif isinstance(source_op(teller, node), VectorOp):
            told = small_jacobian(gradient) and not teller.values.policy.as_you_go
            substeps = (jacobian_step(teller, node, id),) if told else ()
    return Step(id, signal_title(teller, node, layer), why, lines, uses(lines, teller.values, id), substeps)


def signal_title(teller: Teller, node: Node, layer: Layer) -> Say:
    letter, where = kind(node.id)[0], place_of(teller, layer)
    if node is teller.model.forward.output and letter not in ("z", "x"):
        return say("step.signal.a.output")
    if letter in ("z", "x") or (letter == "a" and where == "hidden"):
        return say(f"step.signal.{letter}.{where}", k=layer.k)
    return say("step.signal.other", k=layer.k, name=teller.naming.whole(node))


def reasons(teller: Teller, node: Node, layer: Layer, *, shortcut: bool) -> tuple[Say, ...]:
    """Why the gradient is what it is: by what follows, in one way or in several that add up."""
    letter, where = kind(node.id)[0], place_of(teller, layer)
    ways = list(dict.fromkeys(way for user in users(teller, node) for way in way_through(teller, node, user)))
    if letter not in ("a", "z", "x") or not set(ways) <= {"linear", "activation", "loss"} or len(ways) > 1:
        several = (say("through.several"),) if len(ways) > 1 else ()
        return (*(say(f"through.{way}") for way in ways), *several)
    key = "fused" if shortcut else "sum" if where == "hidden" and letter == "a" else where
    if letter == "z" and key == "output" and not layer.stages:
        key = "linear"
    return (say(f"{book(teller, letter)}.{letter}.{key}"),)


def users(teller: Teller, node: Node) -> list[Node]:
    """The named quantities of the forward pass that are computed from this one."""
    found = teller.model.forward.users.get(node, [])
    return [user for user in found if user in teller.model.gradient or user.role in ("error", "loss")]


def way_through(teller: Teller, node: Node, user: Node) -> tuple[str, ...]:
    """How a quantity acts on the loss through one that is computed from it."""
    letter, _ = kind(user.id)
    testing = "_eval" if not teller.model.spec.training else ""
    match letter:
        case "drop":
            return (f"dropout{testing}",)
        case "y":
            return ("affine",)
        case "s":
            return ("residual",)
        case "mean" | "var":
            return () if node.role != "statistic" else ("deviations",)
        case "n":
            if node.role == "statistic":
                return ("statistic",)
            return ("normalized",) if user.inputs[1].inputs else ("normalized_eval",)
        case "z":
            return ("linear",)
    return ("loss",) if user.role in ("error", "loss") else ("activation",)


def condensed_lines(teller: Teller, node: Node, form: str) -> tuple[Line, ...]:
    """The gradient by the input of a normalization again, in one formula; of rounded numbers it is another one."""
    if teller.values.policy.as_you_go:
        return ()
    gradient = teller.model.gradient
    norms = [user for user in users(teller, node) if user.role == "normalized"]
    others = [user for user in users(teller, node) if user.role not in ("normalized", "statistic")]
    if len(norms) != 1 or others or (short := condensed(gradient, norms[0])) is None or node is not norms[0].inputs[0]:
        return ()
    again = replace(short, id=gradient[node].id, role="gradient")
    if form == "matrix":
        return (teller.matrix_line(again),)
    return teller.lines(again)


def book(teller: Teller, letter: str) -> str:
    """Which sentences apply: those of books whose δ is the negative derivative, or the others."""
    return "backward_descent" if teller.notation.sign == "descent" and letter in ("z", "W", "b") else "backward"


def end_of(teller: Teller) -> Node:
    """The node of the loss that takes the network's output: where gradients begin."""
    loss = teller.model.forward.loss
    assert loss is not None
    return next((n for n in topological(loss.total) if isinstance(n.op, Fused)), loss.each)


def source_op(teller: Teller, node: Node) -> object:
    """The op of the activation that takes this node."""
    return next((n.op for n in teller.model.forward.nodes if n.inputs and n.inputs[0] is node), None)


def signal_line(teller: Teller, gradient: Node, row: int, column: int, letter: str) -> Line:
    found, condition = teller.resolved(teller.formula(gradient, row, column))
    target = teller.entry(gradient, row, column)
    node = teller.by_id[split(gradient.id)[1]]
    before: list[Form] = []
    partial = teller.naming.entry(gradient, row, column)
    if partial != target:  # δ = ∂L/∂z, in some books −∂L/∂z
        before.append(Form(fm.multiply(fm.formula(plain(target.id)[0]), partial), numbers=False))
    chain = teller.chain(found, teller.naming.entry(node, row, column))
    if chain is not None and list(fm.names(chain)) != list(fm.names(found)) and plain(target.id)[0] == 1:
        before.append(Form(chain, numbers=False))
    return Line(target, (*before, Form(found)), condition=condition)


def signal_matrix(teller: Teller, node: Node, gradient: Node, letter: str) -> Line:
    """A gradient of matrices; δ also with ∂L/∂a written out: (Wᵀ δ) ⊙ σ′(z)."""
    line = teller.matrix_line(gradient)
    if letter != "z":
        return line
    whole = teller.naming.whole(gradient)
    before = [Form(whole, numbers=False)] if whole != line.target and plain(line.target.id)[0] == 1 else []
    above = next((n for n in gradient.inputs if n.role == "gradient"), None)
    slope = next((n for n in gradient.inputs if n.role == "slope"), None)
    if above is None or slope is None:
        return Line(line.target, (*before, *line.forms), shapes=True)
    inside, primed = teller.matrix_formula(above), teller.matrix_formula(slope)
    joined = fm.hadamard(inside, primed)
    shown, of = (plain(teller.naming.whole(n, delta=True).id)[0] for n in (gradient, above))
    joined = fm.multiply(fm.formula(Fraction(shown, of)), joined)
    return Line(line.target, (*before, Form(joined, numbers=False), *line.forms), shapes=True)


# the long way through softmax or the sigmoid ------------------------------------------------------------------------------
def small_jacobian(gradient: Node) -> bool:
    return gradient.shape[0] * gradient.shape[1] ** 2 <= MOST_JACOBIAN_LINES


def long_way(teller: Teller, scores: Node, fused: Node, id: str) -> tuple[Step, ...]:
    """∂L/∂p, ∂p/∂z and their product, which must equal the shortcut above."""
    gradient = teller.model.gradient[scores]
    if not small_jacobian(gradient) or teller.values.policy.as_you_go:
        return ()
    op, p = fused.op, fused.inputs[1]
    assert isinstance(op, Fused)
    if teller.saturated(fused):
        return ()
    losses = tuple(loss_by_probability(teller, fused, op, row, column) for row, column in places(p))
    first = Step(f"{id}/long/p", say("step.long.p"), (say("long.p"),), losses, fold=len(losses) > MOST_OPEN)
    jacobian = jacobian_step(teller, scores, f"{id}/long", p)
    lines = tuple(line for row, column in places(scores) for line in product_lines(teller, scores, p, row, column))
    equal = say("long.equal" if isinstance(p.op, VectorOp) else "long.equal_one")
    last = Step(f"{id}/long/z", say("step.long.z"), (equal,), lines, fold=len(lines) > MOST_OPEN)
    return first, jacobian, last


def by_probability(teller: Teller, p: Node, row: int, column: int) -> Name:
    """∂L/∂p of one probability, which the graph itself never computes."""
    below = teller.naming.entry(p, row, column)
    assert isinstance(below.symbol, fm.Symbol)
    symbol = teller.naming.derivative(teller.naming.quantity("L", 0, 0, (1, 1)), below.symbol)
    return Name(f"dL/d{below.key}", (), symbol)


def loss_by_probability(teller: Teller, fused: Node, op: Fused, row: int, column: int) -> Line:
    _, p, *rest = fused.inputs
    u, *w = (teller.used(n, row if n.shape[0] > 1 else 0, column) for n in rest)
    formula = fm.multiply(upstream(teller, row, column), op.long_way(teller.used(p, row, column), u, *w))
    name = by_probability(teller, p, row, column)
    define(teller, name, formula)
    return Line(name, (Form(formula),))


def upstream(teller: Teller, row: int, column: int) -> Formula:
    """∂L/∂ℓ: the reduction's factor, and the weight of this output where the loss has weights."""
    loss = teller.model.forward.loss
    assert loss is not None
    factor = fm.formula(loss.factor)
    weight = next((n for n in loss.each.inputs if n.id == "weight"), None)
    return factor if weight is None else fm.multiply(factor, teller.used(weight, 0, column))


def define(teller: Teller, name: Name, formula: Formula) -> None:
    value = evaluate(formula, teller.values.value, teller.values.algebra)
    teller.values.define(name, value, teller.exactly(formula))


def jacobian_step(teller: Teller, scores: Node, id: str, p: Node | None = None) -> Step:
    """∂pᵢ/∂zⱼ, every entry."""
    p = p or next(n for n in teller.model.forward.nodes if n.inputs and n.inputs[0] is scores)
    lines = []
    for row in range(p.shape[0]):
        outs = [teller.used(p, row, column) for column in range(p.shape[1])]
        if isinstance(p.op, VectorOp):
            for i, line in enumerate(p.op.jacobian(outs)):
                lines += [jacobian_line(teller, p, scores, row, i, j, f) for j, f in enumerate(line)]
        else:
            lines += [jacobian_line(teller, p, scores, row, i, i, out * (1 - out)) for i, out in enumerate(outs)]
    key = (
        "softmax"
        if isinstance(p.op, (Softmax, SoftmaxCrossEntropy))
        else "sigmoid"
        if isinstance(p.op, Elementwise)
        else "log_softmax"
    )
    title = say("step.jacobian" if isinstance(p.op, VectorOp) else "step.slope_of")
    return Step(f"{id}/jacobian", title, (say(f"jacobian.{key}"),), tuple(lines), fold=len(lines) > MOST_OPEN)


def jacobian_line(teller: Teller, p: Node, scores: Node, row: int, i: int, j: int, formula: Formula) -> Line:
    name = teller.naming.partial(teller.naming.entry(p, row, i), teller.naming.entry(scores, row, j))
    define(teller, name, formula)
    return Line(name, (Form(formula),))


def product_lines(teller: Teller, scores: Node, p: Node, row: int, column: int) -> tuple[Line, Line]:
    """∂L/∂z = Σᵢ ∂L/∂pᵢ · ∂pᵢ/∂z, and the shortcut."""
    naming: Naming = teller.naming
    below = naming.entry(scores, row, column)
    paths = range(p.shape[1]) if isinstance(p.op, VectorOp) else [column]
    links = [
        Apply("chain", (by_probability(teller, p, row, i), naming.partial(naming.entry(p, row, i), below)))
        for i in paths
    ]
    target = naming.entry(teller.model.gradient[scores], row, column)
    shortcut = teller.formula(teller.model.gradient[scores], row, column)
    shown = teller.entry(teller.model.gradient[scores], row, column)
    shortcut = fm.multiply(fm.formula(Fraction(1, plain(shown.id)[0])), shortcut)
    return Line(target, (Form(fm.add(*links)),)), Line(target, (Form(shortcut),))


# weights and biases -------------------------------------------------------------------------------------------------------
def parameter_step(teller: Teller, parameter: Node, gradient: Node, id: str, form: str, layer: Layer) -> Step:
    letter = kind(parameter.id)[0]
    where = place_of(teller, layer)
    title: Say = say(f"step.gradient.{letter}", k=layer.k)
    if form == "matrix":
        lines: tuple[Line, ...] = (teller.matrix_line(gradient),)
        why: tuple[Say, ...] = (say(f"{book(teller, letter)}.{letter}.matrix"),)
    else:
        lines = tuple(
            line
            for row, column in places(parameter)
            for line in parameter_lines(teller, parameter, gradient, row, column)
        )
        why = (say(f"{book(teller, letter)}.{letter}.{where}"),)
        if teller.model.contract.batched and teller.model.x.shape[0] > 1:
            why = (*why, say("backward.batch"))
        if base(parameter.id) in teller.model.contract.shared:
            why = (*why, say("backward.shared"))
    if any(source.id.startswith("lambda") for source in sources(gradient)):
        why = (*why, say("backward.penalty"))
    teller.values.home.setdefault(gradient.id, id)
    return Step(id, title, why, lines, uses(lines, teller.values, id), fold=len(lines) > 12)


def parameter_lines(teller: Teller, parameter: Node, gradient: Node, row: int, column: int) -> tuple[Line, ...]:
    """The chain rule with its factors named, and the same by δ."""
    found, condition = teller.resolved(teller.formula(gradient, row, column))
    target = teller.entry(gradient, row, column)
    short = Form(factored(found))
    chain = None
    if teller.level != "brief" and plain(target.id)[0] == 1:
        chain = teller.chain(found, teller.naming.entry(parameter, row, column))
    if chain is None:
        return (Line(target, (short,), condition=condition),)
    longer = teller.longer(chain)
    if longer == chain or teller.values.policy.as_you_go:  # the same numbers as δ · a, or other roundings
        return (Line(target, (Form(longer, numbers=False), short), condition=condition),)
    return (Line(target, (Form(longer),), condition=condition), Line(target, (short,), condition=condition))

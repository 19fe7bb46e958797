"""Nodes of the graph as Python code: one formula of whole arrays for each named node, spelled for NumPy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from derive import formula as fm
from derive.dialects.python import Python
from derive.formula import Apply, Formula, Function, Name, Number, Symbol, bind
from derive.graph import Constant, Node, Shape
from derive.numerals import Numeral
from derive.ops.base import Elementwise, Rule, Slope, out
from derive.ops.structural import Linear, MatMul, Spread, Sum, Transpose
from derive.ops.vector import Exponential, LogSoftmax, SigmoidCrossEntropy, SoftmaxCrossEntropy, VectorOp

Z = Name("z", symbol=Symbol("z"))
SOFTPLUS = Function("softplus", Symbol("softplus"), (Z,), None)
LOG_SOFTMAX = LogSoftmax.function
FULL = Function("full", Symbol("full"), (Z,), None)
MATRICES = (MatMul, Linear, Sum)  # what needs its inputs in their full shape
PREFIX = "np."
SINGLE = ("", "loss", "error", "penalty", "gradient")  # sums of all entries that may be single numbers
CALLS = {"max": "np.maximum", "min": "np.minimum", "erf": "erf", "xlogy": "xlogy"}
#: Functions that NumPy does not have, by the name they are called by.
HELPERS: dict[str, tuple[str, ...]] = {
    "erf": ("erf = np.vectorize(math.erf, otypes=[float])",),
    "xlogy": (
        "def xlogy(x, y):",
        "    return np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1.0, y)))",
    ),
    "softplus": ("def softplus(z):", "    return np.logaddexp(0, z)"),
    "softmax": (
        "def softmax(z):",
        "    e = np.exp(z - z.max(axis=1, keepdims=True))",
        "    return e / e.sum(axis=1, keepdims=True)",
    ),
    "log_softmax": (
        "def log_softmax(z):",
        "    z = z - z.max(axis=1, keepdims=True)",
        "    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))",
    ),
}
RESERVED = {"np", "math", "sys", "page", "results", "agree", *HELPERS}


class NumPy(Python):
    """Formulas as NumPy code.

    variables: what a quantity is called, by its id · functions: what an activation is called, by its formula
    called: collects the functions in use
    """

    def __init__(self, variables: dict[str, str], functions: dict[Formula | None, str]) -> None:
        super().__init__()
        self.variables, self.functions = variables, functions
        self.called: set[str] = set()

    def name(self, name: Name) -> str:
        return self.variables.get(name.id, name.id)

    def numeral(self, numeral: Numeral, link: str = "") -> str:
        text = str(numeral).replace("−", "-")
        return f"({text})" if numeral.denominator or numeral.exponent is not None else text

    def product(self, factors: Sequence[str], head: str, times: str) -> str:
        return (" @ " if head == "dot" else " * ").join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        return f"{top} / {bottom}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}**{exponent}" if re.fullmatch(r"\w+", exponent) else f"{base}**({exponent})"

    def call(self, function: Function | str, args: Sequence[str], axis: int | None) -> str:
        name = function.name if isinstance(function, Function) else {"ln": "log"}.get(function, function)
        if name == "full":
            return f"np.broadcast_to({args[0]}, ({args[1]}, {args[2]}))"
        if isinstance(function, Function) and function.body in self.functions:
            return f"{self.functions[function.body]}({', '.join(args)})"
        name = CALLS.get(name, name if name in HELPERS else PREFIX + name)
        self.called.add(name)
        return f"{name}({', '.join(args)})"

    def sum_over(self, inner: str, axis: int | None) -> str:
        return f"np.sum({inner}, axis={axis}, keepdims=True)" if axis is not None else f"np.sum({inner})"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        *some, (last, when) = rows
        found = last if not when else f"np.where({when}, {last}, np.nan)"
        for value, condition in reversed(some):
            found = f"np.where({condition}, {value}, {found})"
        return found

    def relation(self, left: str, sign: str, right: str) -> str:
        return f"{left} {({'≥': '>=', '≤': '<='}).get(sign, sign)} {right}"

    def both(self, conditions: Sequence[str]) -> str:
        return " & ".join(f"({condition})" for condition in conditions)

    def function(self, head: str, inner: str) -> str:
        return "np.pi" if head == "pi" else f"np.{head}({inner})"


def definition(node: Node, functions: bool = True) -> Formula:
    """What a named node is computed by, in the named ones before it. functions: activations by their names"""
    found = written(node, functions)
    return found if spread_out(node, own=True) == node.shape else full(found, node.shape)


def term(node: Node, user: Node | None, functions: bool) -> Formula:
    """A node where another uses it."""
    if node.id:
        return Name(node.id, symbol=Symbol("q"), scalar=False)
    found = written(node, functions)
    wants = user is not None and isinstance(user.op, MATRICES)
    return full(found, node.shape) if wants and spread_out(node) != node.shape else found


def full(f: Formula, shape: Shape) -> Formula:
    """A formula whose value is repeated to a shape."""
    return Apply(FULL, (f, *(fm.formula(n) for n in shape)))


def spread_out(node: Node, own: bool = False) -> Shape:
    """The shape that NumPy gives a node's formula, in which nothing is repeated without need."""
    if node.id and not own:
        return node.shape
    if isinstance(node.op, Constant):
        return (1, 1)
    if isinstance(node.op, Sum) and node.op.axis is None:
        return node.shape  # a single number
    if isinstance(node.op, MATRICES) or not node.inputs:
        return node.shape
    if isinstance(node.op, Transpose):
        return spread_out(node.inputs[0])[::-1]
    shapes = [spread_out(source) for source in used(node)]
    return max((s[0] for s in shapes), default=1), max((s[1] for s in shapes), default=1)


def used(node: Node) -> Iterable[Node]:
    """The inputs that stand in the formula of a node."""
    if not isinstance(node.op, (Elementwise, Slope, Rule)):
        return node.inputs
    parameters: Sequence[Name] = node.op.parameters if not isinstance(node.op, Slope) else (*node.op.of.parameters, out)
    there = set(fm.names(body_of(node)))
    return [source for source, name in zip(node.inputs, parameters, strict=True) if name in there]


def body_of(node: Node) -> Formula:
    op = node.op
    if isinstance(op, Elementwise):
        return op.body if op.stable is None else op.stable
    assert isinstance(op, (Slope, Rule))
    return op.body


def written(node: Node, functions: bool) -> Formula:
    """The formula of a node's op at its inputs."""
    op = node.op
    parts = [term(source, node, functions) for source in node.inputs]
    match op:
        case Elementwise() if functions and len(op.parameters) == 1 and not op.by_formula:
            return Apply(op.function, tuple(parts))
        case Elementwise() | Rule():
            return bind(body_of(node), dict(zip(op.parameters, parts, strict=True)))
        case Slope():
            return bind(op.body, dict(zip((*op.of.parameters, out), parts, strict=True)))
        case VectorOp():
            return Apply(op.function, (parts[0],), axis=1)
        case SoftmaxCrossEntropy():
            scores, _, u = parts
            return fm.negate(fm.total(fm.hadamard(u, Apply(LOG_SOFTMAX, (scores,), axis=1)), 1))
        case SigmoidCrossEntropy():
            scores, _, t, *weights = parts
            up = Apply(SOFTPLUS, (fm.negate(scores),))
            return fm.add(fm.hadamard(*weights, t, up), fm.hadamard(1 - t, Apply(SOFTPLUS, (scores,))))
        case Exponential():
            return fm.exp(parts[0])
        case Sum(axis=None):
            keep = node.role not in SINGLE
            return full(fm.grand_total(parts[0]), node.shape) if keep else fm.grand_total(parts[0])
        case Sum(axis=int() as axis):
            return fm.total(parts[0], axis)
        case Spread():
            return parts[0]
        case Constant():
            return Number(op.value)
    return op.write(*parts)


def names_for(ids: Iterable[str]) -> dict[str, str]:
    """A variable for every quantity: `dL_dW1`, `W1_new`, `W1_step2`. Ids are derive's own, never anybody's text."""
    found: dict[str, str] = {}
    for id in ids:
        plain = re.sub(r"@(\d+)", r"_step\1", id).replace("+", "_new")
        name = re.sub(r"\W", "_", plain, flags=re.ASCII)
        while name in found.values() or name in RESERVED:
            name += "_"
        found[id] = name
    return found

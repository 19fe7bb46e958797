"""One neuron: a weighted sum, a bias, an activation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step
from derive.formula import Apply, Formula, Name, Partial, Symbol, exp, formula
from derive.lessons._network import diagram
from derive.ops.activations import sigmoid
from derive.ops.base import Elementwise

op = sigmoid()
assert isinstance(op, Elementwise)
σ = op.function


def derivation(b: Board) -> Iterator[Block]:
    yield diagram(
        b, both("One neuron with three inputs", "有三个输入的神经元"), (("x_1", "x_2", "x_3"), ("a",)), "w", True
    )
    w, x, bias = b.matrix("w", 3, 1), b.matrix("x", 3, 1), b.free("b")
    w1, w2, w3 = (b.entry(w, i) for i in (1, 2, 3))
    x1, x2, x3 = (b.entry(x, i) for i in (1, 2, 3))
    total = w1 * x1 + w2 * x2 + w3 * x3 + bias
    z = b.defined("z", total)
    yield b.step(
        both("The weighted sum", "加权和"),
        both(
            "Every input is multiplied by a weight of its own, the products are added, and the bias is added to them. "
            "The result is called the pre-activation, the net input, or the internal state of the neuron.",
            "每个输入乘以各自的权重，把乘积相加，再加上偏置。得到的结果称为预激活值，也叫净输入或神经元的内部状态。",
        ),
        b.line(z, total),
    )
    a = b.defined("a", Apply(σ, (z,)))
    yield b.step(
        both("The activation", "激活"),
        both(
            "The output of the neuron is a function of that sum alone. Here it is the sigmoid; any other activation function "
            "may stand in its place.",
            "神经元的输出只是这个和的函数。这里取 sigmoid，也可以换成任何别的激活函数。",
        ),
        b.line(a, Apply(σ, (z,)), Apply(σ, (total,)), 1 / (1 + exp(-z))),
    )
    yield b.step(
        both("With vectors", "向量形式"),
        both(
            "The weights written as a column w and the inputs as a column x, the sum of products is the scalar product of the "
            "two, for any number of inputs.",
            "把权重写成列向量 w，输入写成列向量 x，乘积之和就是两者的内积，输入有多少个都一样。",
        ),
        b.line(z, w.T @ x + bias),
        b.line(a, Apply(σ, (w.T @ x + bias,))),
    )
    yield b.step(
        both("What each number does", "每个数的作用"),
        both(
            "A weight says how fast the sum grows with its input. Seen from the weight it is the other way round: the sum "
            "grows with the weight as fast as the input is large. The bias is added as it is: its slope is 1. Training needs these slopes.",
            "权重表示加权和随对应输入变化的快慢；反过来，加权和随权重变化的快慢就是输入的大小。对偏置的偏导数是 1。训练时要用到这些偏导数。",
        ),
        b.line(b.slope(total, x1, Partial(Symbol("z"), Symbol("x", "1"))), w1),
        b.line(b.slope(total, w1, Partial(Symbol("z"), Symbol("w", "1"))), x1),
        b.line(b.slope(total, bias, Partial(Symbol("z"), Symbol("b"))), 1),
    )
    yield direction(b, z, total, (w1, w2, w3), (x1, x2, x3))


def direction(b: Board, z: Name, total: Formula, w: Sequence[Name], x: Sequence[Name]) -> Step:
    """What moving the inputs does to the sum."""
    (w1, w2, w3), (x1, x2, x3), t = w, x, b.free("t")
    return b.step(
        both("The weights are a direction", "权重是一个方向"),
        both(
            "Moved by t times the weights, the inputs change the sum by t times the sum of the squared weights. Moved at a right "
            "angle to the weights, for example by −w₂ and w₁ in the first two inputs, they do not change it at all. So, unless all weights are 0, the points where z = 0 form a plane (with two inputs a line) at a right angle to the weights, and the neuron tells "
            "one side of it from the other.",
            "输入沿权重方向移动 t 倍权重，加权和的改变量是 t 乘以权重的平方和；沿与权重垂直的方向移动，例如前两个输入分别移动 −w₂ 和 w₁，"
            "加权和不变。所以只要权重不全为 0，z = 0 的点就构成一个与权重垂直的平面（两个输入时是直线），神经元区分的就是它的两侧。",
        ),
        b.line(b.at("z", total, {x1: x1 + t * w1, x2: x2 + t * w2, x3: x3 + t * w3}), z + t * (w1**2 + w2**2 + w3**2)),
        b.line(b.at("z", total, {x1: x1 - t * w2, x2: x2 + t * w1, x3: x3}), z),
    )


def numbers(b: Board) -> Iterator[Block]:
    x1, x2 = b.number("x_1", 1), b.number("x_2", 2)
    w1, w2, bias = b.number("w_1", "0.5"), b.number("w_2", "-0.3"), b.number("b", "0.2")
    total = w1 * x1 + w2 * x2 + bias
    z = b.defined("z", total)
    yield b.step(
        both("A neuron with two inputs", "两个输入的神经元"),
        both("The sum first, then its sigmoid.", "先求加权和，再取 sigmoid。"),
        b.line(z, total, numbers=True),
        b.line(b.defined("a", Apply(σ, (z,))), 1 / (1 + exp(-z)), numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    x = b.free("x")
    at = grid(-6, 6)
    shown = {"-1": "−1", "0.5": "0.5", "1": "1", "4": "4"}
    yield b.chart(
        both("a = σ(wx): the weight sets how steep the neuron is", "a = σ(wx)：权重决定神经元有多陡"),
        "x",
        "a",
        {f"w = {label}": b.vary(Apply(σ, (formula(w) * x,)), x, at) for w, label in shown.items()},
    )


def activation_first(b: Board) -> tuple[Formula, Formula]:
    w1, w2, x1, x2, bias = (b.free(s, 1, 2) for s in ("w_1", "w_2", "x_1", "x_2", "b"))
    return w1 * Apply(σ, (x1,)) + w2 * Apply(σ, (x2,)) + bias, Apply(σ, (w1 * x1 + w2 * x2 + bias,))


lesson = Lesson(
    title=both("The neuron", "神经元"),
    short=both(
        "z = w₁x₁ + w₂x₂ + … + b, then a = f(z): a weighted sum, a bias, an activation.",
        "z = w₁x₁ + w₂x₂ + … + b，再取 a = f(z)：加权和、偏置、激活。",
    ),
    chapter="network",
    position=1,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Every fully connected network, however large, is made of this one calculation, repeated.",
            "再大的全连接网络，也只是反复做这一种计算。",
        ),
        both(
            "Other books write net, v or a for the sum and out, y, o or h for the output; what is calculated is the same.",
            "别的书里，加权和记作 net、v 或 a，输出记作 out、y、o 或 h，算的是同一件事。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The inputs are activated, and then added with weights.", "先对输入取激活函数，再加权求和。"),
            both(
                "The weighted sum comes first; the activation is applied once, to the sum with the bias.",
                "先求加权和；激活函数只用一次，作用于加上偏置后的和。",
            ),
            activation_first,
        ),
        Mistake(
            both("A neuron with n inputs has n parameters.", "有 n 个输入的神经元有 n 个参数。"),
            both("It has n weights and one bias: n + 1 parameters.", "它有 n 个权重和一个偏置：共 n + 1 个参数。"),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: [0.2]}
  - sigmoid
loss: bce
optimizer: {sgd: {lr: 0.1}}
""",
    see=("bias", "forward_pass", "activations", "parameter_counts", "gradient_descent"),
)

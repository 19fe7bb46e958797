"""ReLU: its two pieces, the kink between them, and units that are dead."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import ZERO, Apply, Formula, formula, larger
from derive.lessons._activation import (
    AS_USED,
    AT_ZERO,
    DEFINITION,
    body,
    either_side,
    elementwise,
    example,
    graph,
    prime,
    quotients,
    slope,
    value,
    values,
)
from derive.ops.activations import relu

op = elementwise(relu())


def derivation(b: Board) -> Iterator[Block]:
    z = either_side(b)
    yield b.step(
        DEFINITION,
        both(
            "What is positive passes unchanged, everything else becomes 0: the larger of 0 and z.",
            "正数原样通过，其余都变成 0：即 0 与 z 中较大的一个。",
        ),
        b.line(value(op, z), larger(ZERO, z), body(op, z)),
    )
    p, n = b.free("z", "0.1", 4), b.free("z", -4, "-0.1")
    yield b.step(
        both("For z > 0", "当 z > 0"),
        both("There the function is z itself: a straight line of slope 1.", "此处函数就是 z 本身：斜率为 1 的直线。"),
        b.line(prime(b, op, p), b.slope(p, p), 1),
    )
    yield b.step(
        both("For z < 0", "当 z < 0"),
        both("There the function is constantly 0, and so is its slope.", "此处函数恒为 0，斜率也为 0。"),
        b.line(prime(b, op, n), b.slope(ZERO, n), 0),
    )
    left, right = quotients(b, op, lambda h: (ZERO,), lambda h: (h / h, 1))
    yield b.step(
        AT_ZERO,
        (
            both(
                "For every h > 0, however small, the chord to the left has slope 0 and the chord to the right has slope 1: there is a kink and no derivative.",
                "对任何 h > 0，无论多小，向左的割线斜率都为 0，向右的割线斜率都为 1：此处是折点，导数不存在。",
            ),
            both(
                "A program needs some number there. PyTorch takes 0, and so does derive; any value from 0 to 1 is a subgradient.",
                "程序在该点仍需要一个数。PyTorch 取 0，derive 也取 0；从 0 到 1 的任何数都是次梯度。",
            ),
        ),
        left,
        right,
    )
    yield b.step(
        AS_USED,
        both(
            "Both pieces together: in the backward pass a unit that fired hands its gradient on, the others hand on 0.",
            "两段合起来：反向传播时，被激活的神经元把梯度原样传下去，其余的传下去 0。",
        ),
        b.line(prime(b, op, z), slope(op, z)),
    )
    w, x, c = b.free("w", "-1", "-0.2"), b.free("x", "0.2", 2), b.free("b", -2, "-0.1")
    unit = value(op, w * x + c)
    yield b.step(
        both("A dead unit", "死亡神经元"),
        both(
            "If w·x + b is negative for every sample, weight and bias get the gradient 0 from all of them, and gradient descent no longer moves them. With a weight and a bias below 0 this holds for every positive input x.",
            "若对每个样本 w·x + b 都为负，权重与偏置得到的梯度全为 0，梯度下降不再更新它们。权重与偏置都小于 0 时，对任何正的输入 x 都是如此。",
        ),
        b.line(b.slope(unit, w, d="∂"), Apply(op.derivative(), (w * x + c,)) * x, 0),
        b.line(b.slope(unit, c, d="∂"), Apply(op.derivative(), (w * x + c,)), 0),
    )


def numbers(b: Board) -> Iterator[Block]:
    positive = both("z is positive: the unit fires.", "z 为正：神经元被激活。")
    negative = both("z is negative: the unit is off.", "z 为负：神经元关闭。")
    yield example(b, op, "0.7", lambda z: larger(ZERO, z), lambda z, a: formula(1), positive)
    yield example(b, op, "-0.4", lambda z: larger(ZERO, z), lambda z, a: ZERO, negative)
    yield values(b, op)


def added(b: Board) -> tuple[Formula, Formula]:
    u, v = b.free("u", 1, 3), b.free("v", -3, -1)
    return value(op, u + v), value(op, u) + value(op, v)


lesson = Lesson(
    title=both("ReLU", "ReLU 函数"),
    short=both(
        "ReLU(z) = max(0, z): slope 1 where the unit fires, 0 where it does not, and 0 by convention at the kink.",
        "ReLU(z) = max(0, z)：激活时斜率为 1，未激活时为 0，折点处按约定取 0。",
    ),
    chapter="activations",
    position=4,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op, 3),
    why=(
        both(
            "It does not saturate for positive z: the slope is 1 in every layer, so units that fire pass gradients on without shrinking them.",
            "z 为正时它不会饱和：每一层的斜率都是 1，被激活的神经元不会缩小经过它的梯度。",
        ),
        both(
            "It costs one comparison, and in a fresh network about half of the outputs are exactly 0. It is the default of hidden layers; Kaiming initialization is made for it.",
            "它只需要一次比较；刚初始化的网络里约有一半的神经元输出恰好为 0。它是隐藏层的默认选择，Kaiming 初始化就是为它设计的。",
        ),
        both(
            "Where units die, a smaller learning rate or a leaky ReLU helps.",
            "神经元大量死亡时，减小学习率或改用 leaky ReLU 会有帮助。",
        ),
    ),
    mistakes=(
        Mistake(
            both("ReLU is used only in hidden layers.", "ReLU 只能用在隐藏层。"),
            both(
                "It is the default of hidden layers. An output that cannot be negative, such as a price or a count, may use it too, and hidden layers also use tanh, GELU, SiLU and others.",
                "它是隐藏层的默认选择。不能为负的输出（如价格或数量）也可以用它；隐藏层也常用 tanh、GELU、SiLU 等。",
            ),
        ),
        Mistake(
            both(
                "ReLU has the slope 1 at 0, or networks with it cannot be trained because it has none.",
                "ReLU 在 0 处的斜率是 1；或者：它在 0 处没有斜率，所以网络无法训练。",
            ),
            both(
                "There is no derivative at 0; programs take a value by convention, PyTorch takes 0. A z of exactly 0 is rare, and training works with any value between 0 and 1.",
                "在 0 处没有导数；程序按约定取一个值，PyTorch 取 0。z 恰好为 0 的情形很少，取 0 与 1 之间的任何值都能训练。",
            ),
        ),
        Mistake(
            both("ReLU is linear, since it is made of straight lines.", "ReLU 由直线组成，所以是线性的。"),
            both(
                "It is linear on either side only: ReLU(u + v) is not ReLU(u) + ReLU(v), and that is why layers with it do not collapse into one.",
                "它只在每一侧是线性的：ReLU(u + v) 不等于 ReLU(u) + ReLU(v)，因此带 ReLU 的多层不会合并成一层。",
            ),
            added,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, -0.3], [0.2, 0.4]], bias: [0, 0.1]}
  - relu
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("leaky_relu", "gelu", "softplus", "kaiming", "linear_collapse", "vanishing_gradients", "activations"),
)

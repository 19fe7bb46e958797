"""Leaky ReLU: a small slope for negative arguments, so that no unit dies."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, formula, larger, smaller
from derive.lessons._activation import (
    AS_USED,
    AT_ZERO,
    DEFINITION,
    body,
    constant,
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
from derive.ops.activations import leaky_relu
from derive.ops.base import Elementwise

op = elementwise(leaky_relu())


def with_slope(b: Board, low: Fraction | str = "0.01") -> tuple[Formula, Elementwise]:
    """The function with any small slope α on the left."""
    α = constant(b, "α", low, "0.5")
    return α, elementwise(leaky_relu(negative_slope=α))


def derivation(b: Board) -> Iterator[Block]:
    α, leaky = with_slope(b)
    z = either_side(b)
    yield b.step(
        DEFINITION,
        both(
            "What is positive passes unchanged; what is negative is made smaller by a factor α between 0 and 1, called negative_slope in PyTorch, where it is 0.01 by default.",
            "正数原样通过；负数乘以 0 与 1 之间的系数 α 而缩小。PyTorch 中它叫 negative_slope，默认 0.01。",
        ),
        b.line(value(leaky, z), body(leaky, z)),
    )
    p, n = b.free("z", "0.1", 4), b.free("z", -4, "-0.1")
    yield b.step(
        both("For z > 0", "当 z > 0"),
        both("There the function is z itself.", "此处函数就是 z 本身。"),
        b.line(prime(b, leaky, p), b.slope(p, p), 1),
    )
    yield b.step(
        both("For z < 0", "当 z < 0"),
        both("There it is a constant times z: the constant is the slope.", "此处函数是常数乘以 z：斜率就是这个常数。"),
        b.line(prime(b, leaky, n), b.slope(α * n, n), α),
    )
    left, right = quotients(b, leaky, lambda h: (α * h / h, α), lambda h: (h / h, 1))
    yield b.step(
        AT_ZERO,
        both(
            "For every h > 0 the chord to the left has slope α, the one to the right slope 1: a kink. PyTorch takes α there.",
            "对任何 h > 0，向左的割线斜率为 α，向右的为 1：此处是折点。PyTorch 在该点取 α。",
        ),
        left,
        right,
    )
    yield b.step(
        AS_USED,
        both(
            "Both pieces together. The slope is never 0: a unit that is off still learns.",
            "两段合起来。斜率永不为 0：关闭的神经元也能继续学习。",
        ),
        b.line(prime(b, leaky, z), slope(leaky, z)),
    )
    yield b.step(
        both("As a maximum", "写成最大值"),
        both(
            "Since α is less than 1, αz is the smaller of the two for z > 0 and the larger for z < 0; and with the negative part by itself it is ReLU plus a leak.",
            "由于 α 小于 1，当 z > 0 时 αz 较小，当 z < 0 时 αz 较大；把负的部分单独写出，它就是 ReLU 加上一点泄漏。",
        ),
        b.line(value(leaky, z), larger(z, α * z), larger(0, z) + α * smaller(0, z)),
    )


def numbers(b: Board) -> Iterator[Block]:
    α = Fraction(1, 100)
    yield example(
        b, op, "-2", lambda z: α * z, lambda z, a: formula(α), both("z is negative: it leaks.", "z 为负：有少量泄漏。")
    )
    yield values(b, op)


def wrong_sign(b: Board) -> tuple[Formula, Formula]:
    α, leaky = with_slope(b, "0.1")
    z = b.free("z", -3, -1)
    return -(α * z), value(leaky, z)


lesson = Lesson(
    title=both("Leaky ReLU", "Leaky ReLU 函数"),
    short=both(
        "z where z is positive, αz where it is not: the slope is 1 or α, never 0.",
        "z 为正时取 z，否则取 αz：斜率为 1 或 α，永不为 0。",
    ),
    chapter="activations",
    position=5,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, elementwise(leaky_relu(negative_slope=Fraction(1, 10))), 3),
    why=(
        both(
            "A ReLU unit whose z is negative for every sample gets no gradient any more. Here it gets the share α and may come back.",
            "若某个 ReLU 神经元对所有样本的 z 都为负，就再也得不到梯度；这里它仍得到 α 倍的梯度，有可能恢复。",
        ),
        both(
            "It is used in hidden layers, often in the discriminators of adversarial networks with α = 0.2. Its range is all real numbers, and it saturates nowhere. The picture shows α = 0.1.",
            "它用于隐藏层，对抗网络的判别器中常取 α = 0.2。值域为全体实数，处处不饱和。图中取 α = 0.1。",
        ),
    ),
    mistakes=(
        Mistake(
            both("For negative z it is −αz, so that the output is positive.", "z 为负时取 −αz，这样输出为正。"),
            both(
                "It is αz, which is negative like z; −αz would bend the line back up.",
                "应为 αz，与 z 一样为负；−αz 会让直线折回上方。",
            ),
            wrong_sign,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, -0.6], [0.2, 0.4]], bias: [0, 0.1]}
  - leaky_relu: {negative_slope: 0.1}
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("relu", "elu", "kaiming", "activations"),
)

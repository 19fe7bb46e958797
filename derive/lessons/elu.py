"""ELU: negative arguments bend smoothly towards −α."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, exp
from derive.lessons._activation import (
    AS_USED,
    AT_ZERO,
    DEFINITION,
    RANGE,
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
from derive.ops.activations import elu
from derive.ops.base import Elementwise

op = elementwise(elu())


def with_alpha(b: Board) -> tuple[Formula, Elementwise]:
    """The function with any α."""
    α = constant(b, "α", "0.5", 2)
    return α, elementwise(elu(alpha=α))


def derivation(b: Board) -> Iterator[Block]:
    α, f = with_alpha(b)
    z = either_side(b)
    yield b.step(
        DEFINITION,
        both(
            "What is positive passes unchanged; below 0 an exponential function takes over, less 1, so that both pieces are 0 at z = 0. α is positive; in PyTorch it is 1 unless another is given.",
            "正数原样通过；小于 0 时由指数函数减 1 接替，使两段在 z = 0 处都为 0。α 为正数，PyTorch 中默认为 1。",
        ),
        b.line(value(f, z), body(f, z)),
    )
    p, n = b.free("z", "0.1", 4), b.free("z", -4, "-0.1")
    yield b.step(
        both("For z > 0", "当 z > 0"),
        both("There the function is z itself.", "此处函数就是 z 本身。"),
        b.line(prime(b, f, p), b.slope(p, p), 1),
    )
    yield b.step(
        both("For z < 0", "当 z < 0"),
        both(
            "The constant factor α stays in front, the −1 has slope 0, and the exponential function is its own derivative.",
            "常数因子 α 提到前面，−1 的斜率为 0，指数函数的导数是它自己。",
        ),
        b.line(prime(b, f, n), α * b.slope(exp(n) - 1, n), α * exp(n)),
    )
    yield b.step(
        both("In terms of the output", "用输出表示"),
        both(
            "For z < 0 the slope is the output plus α, so nothing has to be worked out anew.",
            "当 z < 0 时，斜率等于输出加 α，不必重新计算。",
        ),
        b.line(α * exp(n), α * (exp(n) - 1) + α, value(f, n) + α),
    )
    left, right = quotients(b, f, lambda h: (α * (1 - exp(-h)) / h,), lambda h: (h / h, 1))
    yield b.step(
        AT_ZERO,
        both(
            "The chord to the right has slope 1. The one to the left tends to α as h goes to 0, the slope of α·exp at 0. With α = 1 there is no kink; otherwise there is one, and PyTorch takes α.",
            "向右的割线斜率为 1。向左的割线斜率在 h 趋于 0 时趋于 α，即 α·exp 在 0 处的斜率。α = 1 时没有折点；否则有折点，PyTorch 取 α。",
        ),
        left,
        right,
    )
    yield b.step(
        RANGE,
        both(
            "For z < 0 the output is above −α by α times an exponential function: always more than 0, and as little as you like far to the left. So the outputs lie above −α.",
            "当 z < 0 时，输出比 −α 高出 α 乘以指数函数：总是大于 0，越往左越接近 0。因此输出都大于 −α。",
        ),
        b.line(value(f, n) - (-α), α * exp(n)),
    )
    yield b.step(AS_USED, both("Both pieces together.", "两段合起来。"), b.line(prime(b, f, z), slope(f, z)))


def numbers(b: Board) -> Iterator[Block]:
    yield example(
        b,
        op,
        "-1",
        lambda z: exp(z) - 1,
        lambda z, a: a + 1,
        both("α is 1; the slope is the output plus 1.", "α 取 1；斜率等于输出加 1。"),
    )
    yield values(b, op)


def output_as_slope(b: Board) -> tuple[Formula, Formula]:
    α, f = with_alpha(b)
    z = b.free("z", -3, -1)
    return α * (exp(z) - 1), slope(f, z)


lesson = Lesson(
    title=both("ELU", "ELU 函数"),
    short=both(
        "z where z is positive, α(eᶻ − 1) where it is not: below 0 the slope is the output plus α.",
        "z 为正时取 z，否则取 α(eᶻ − 1)：小于 0 时斜率等于输出加 α。",
    ),
    chapter="activations",
    position=6,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op, 4),
    why=(
        both(
            "Negative outputs pull the mean activation towards 0, which helps the next layer, and the slope below 0 is small but not 0.",
            "负的输出把激活值的均值拉向 0，对下一层有利；小于 0 时斜率虽小但不为 0。",
        ),
        both(
            "It is used in hidden layers. It saturates on the left only, at −α: very negative arguments make no difference any more, which makes it robust, and their gradients vanish.",
            "它用于隐藏层。它只在左侧饱和于 −α：绝对值很大的负数几乎不再有区别，因此稳健，但其梯度也会消失。",
        ),
    ),
    mistakes=(
        Mistake(
            both("For z < 0 the slope is α(eᶻ − 1).", "z < 0 时斜率为 α(eᶻ − 1)。"),
            both(
                "That is the output, and negative. The slope is αeᶻ, the output plus α.",
                "那是输出，而且为负。斜率是 αeᶻ，即输出加 α。",
            ),
            output_as_slope,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, -0.6], [0.2, 0.4]], bias: [0, 0.1]}
  - elu
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("relu", "leaky_relu", "selu", "activations"),
)

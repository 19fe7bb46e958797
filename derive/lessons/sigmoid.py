"""The sigmoid and its derivative in terms of its own output."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block
from derive.formula import Apply, Formula, exp
from derive.ops.activations import sigmoid
from derive.ops.base import Elementwise

op = sigmoid()
assert isinstance(op, Elementwise)
σ = op.function


def derivation(b: Board) -> Iterator[Block]:
    z = b.free("z", -4, 4)
    s = Apply(σ, (z,))
    body = 1 / (1 + exp(-z))
    yield b.step(
        both("Definition", "定义"),
        both("Any number is squeezed into the interval from 0 to 1.", "把任意实数压缩到 0 与 1 之间。"),
        b.line(s, body),
    )
    slope = b.slope(s, z, "σ′(z)")
    yield from b.differentiated(body, z, slope, shown=exp(-z) / (1 + exp(-z)) ** 2)
    yield b.step(
        both("In terms of the output", "用输出表示"),
        both(
            "The fraction is split in two: the first factor is σ(z), the second is what is missing to 1.",
            "把分式拆成两个因子：第一个是 σ(z)，第二个是它与 1 的差。",
        ),
        b.line(exp(-z) / (1 + exp(-z)), 1 - body, 1 - s),
        b.line(slope, body * (exp(-z) / (1 + exp(-z))), s * (1 - s)),
    )


def numbers(b: Board) -> Iterator[Block]:
    z = b.number("z", "0.5")
    a = b.defined("a", Apply(σ, (z,)))
    yield b.step(
        both("A unit with z = 0.5", "z = 0.5 的神经元"),
        both("The slope needs only the output.", "求斜率只需要输出。"),
        b.line(a, 1 / (1 + exp(-z)), numbers=True),
        b.line(b.slope(Apply(σ, (z,)), z, "σ′(z)"), a * (1 - a), numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    z = b.free("z")
    at = grid(-8, 8)
    s = Apply(σ, (z,))
    yield b.chart(
        both("The sigmoid and its derivative", "sigmoid 函数及其导数"),
        "z",
        "",
        {"σ(z)": b.vary(s, z, at), "σ′(z)": b.vary(s * (1 - s), z, at)},
    )


def no_slope(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", 1, 3)
    s = Apply(σ, (z,))
    return z * (1 - z), s * (1 - s)


lesson = Lesson(
    title=both("The sigmoid", "sigmoid 函数"),
    short=both("σ′ = σ(1 − σ): the slope follows from the output alone.", "σ′ = σ(1 − σ)：只需输出就能得到斜率。"),
    chapter="activations",
    position=2,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "The output can be read as a probability, so the sigmoid stands at the end of a network that decides between two classes.",
            "输出可以看作概率，因此 sigmoid 用在二分类网络的末端。",
        ),
        both(
            "Its slope is at most 1/4 and nearly 0 where the unit is saturated: in a deep network gradients vanish layer by layer.",
            "它的斜率最大为 1/4，饱和时几乎为 0：在深层网络中梯度会逐层消失。",
        ),
    ),
    mistakes=(
        Mistake(
            both("σ′(z) = z(1 − z)", "σ′(z) = z(1 − z)"),
            both(
                "σ′(z) = σ(z)(1 − σ(z)): it is the output that is put in, not the argument.",
                "σ′(z) = σ(z)(1 − σ(z))：代入的是输出，不是自变量。",
            ),
            no_slope,
        ),
    ),
    network="""
inputs: [0.05, 0.10]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.4, 0.6]], bias: 0.1}
  - sigmoid
loss: bce
optimizer: {sgd: {lr: 0.5}}
""",
    see=(),
)

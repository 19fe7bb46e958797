"""GELU: z weighted by the chance that a standard normal number is smaller than z."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Amount, Block, say
from derive.formula import PI, Apply, Formula, Name, Number, Symbol, erf, exp, sqrt
from derive.lessons._activation import (
    AS_USED,
    DEFINITION,
    body,
    elementwise,
    example,
    graph,
    prime,
    slope,
    value,
    values,
)
from derive.measuring import named
from derive.ops.activations import gelu, silu

op, by_tanh = elementwise(gelu()), elementwise(gelu(approximate="tanh"))

_x = Name("x", symbol=Symbol("x"))
Φ = named("normal", "Φ", (_x,), (1 + erf(_x / sqrt(2))) / 2)
φ = named("bell", "φ", (_x,), exp(-(_x**2) / 2) / sqrt(2 * PI))


def derivation(b: Board) -> Iterator[Block]:
    z = b.free("z", -3, 3)
    below, bell = Apply(Φ, (z,)), Apply(φ, (z,))
    x = b.free("x")
    area = b.integral("A", Apply(φ, (x,)), x, Fraction(0), b.values.value(z))
    yield b.step(
        both("The bell curve and the area under it", "钟形曲线与其下的面积"),
        (
            both(
                "φ is the density of the standard normal distribution. Φ(z) is the probability of a number smaller than z: half of the area lies left of 0, and A is the area between 0 and z, negative where z is negative.",
                "φ 是标准正态分布的密度。Φ(z) 是取值小于 z 的概率：一半面积在 0 的左边，A 是 0 与 z 之间的面积（z 为负时取负）。",
            ),
            both(
                "The error function erf gives this area: erf(z/√2) is 2A.",
                "误差函数 erf 给出这块面积：erf(z/√2) 等于 2A。",
            ),
        ),
        b.line(bell, exp(-(z**2) / 2) / sqrt(2 * PI)),
        b.line(below, Number(Fraction(1, 2)) + area, (1 + erf(z / sqrt(2))) / 2),
    )
    yield b.step(
        DEFINITION,
        both(
            "The share Φ(z) of z is let through: nearly all of it where z is large, nearly nothing where z is very negative.",
            "z 按比例 Φ(z) 通过：z 很大时几乎全部通过，z 为绝对值很大的负数时几乎不通过。",
        ),
        b.line(value(op, z), z * below, body(op, z)),
    )
    chance = b.slope(below, z)
    yield from b.differentiated((1 + erf(z / sqrt(2))) / 2, z, chance, shown=exp(-(z**2) / 2) / sqrt(2 * PI))
    yield b.step(
        say("rule.title.product"),
        say("rule.product", u=z, v=below),
        b.line(prime(b, op, z), below + z * chance, below + z * bell),
    )
    yield b.step(
        AS_USED,
        both("With Φ and φ written out.", "把 Φ 与 φ 写开。"),
        b.line(prime(b, op, z), slope(op, z)),
    )
    yield b.step(
        both("Symmetry", "对称性"),
        both(
            "The bell curve is symmetric, so Φ(−z) is 1 − Φ(z). The function and its mirror image in the vertical axis differ by z.",
            "钟形曲线对称，因此 Φ(−z) 等于 1 − Φ(z)。函数与它关于纵轴的镜像相差 z。",
        ),
        b.line(Apply(Φ, (-z,)), 1 - below),
        b.line(value(op, z) - value(op, -z), z * below + z * (1 - below), z),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield example(
        b,
        op,
        "1",
        lambda z: z / 2 * (1 + erf(z / sqrt(2))),
        lambda z, a: a / z + z * exp(-(z**2) / 2) / sqrt(2 * PI),
        both(
            "a/z is Φ(z); at z = 1 the slope is even above 1.",
            "a/z 就是 Φ(z)；在 z = 1 处斜率甚至大于 1。",
        ),
    )
    yield values(b, op, ("-6", "-2", "-0.75", "-0.5", "0.5", "2", "6"))
    z = b.free("z")
    rows = []
    for text in ("-3", "-2", "-1", "1", "2", "3"):
        x = b.number("z", text)
        both_ways = (b.defined("a", value(one, x)) for one in (op, by_tanh))
        rows.append((Amount(x), *map(Amount, both_ways)))
    title = both("The exact function, and PyTorch's approximation with tanh", "精确函数与 PyTorch 的 tanh 近似")
    yield b.table(title, (z, value(op, z), body(by_tanh, z)), rows)


def as_tanh(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", 1, 3)
    return value(by_tanh, z), value(op, z)


def as_silu(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", 1, 3)
    return value(elementwise(silu()), z), value(op, z)


lesson = Lesson(
    title=both("GELU", "GELU 函数"),
    short=both(
        "GELU(z) = z·Φ(z), with Φ the standard normal distribution function; its slope is Φ(z) + z·φ(z).",
        "GELU(z) = z·Φ(z)，Φ 为标准正态分布函数；斜率为 Φ(z) + z·φ(z)。",
    ),
    chapter="activations",
    position=8,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op, 4),
    why=(
        both(
            "It is a smooth ReLU and the usual activation in the hidden layers of transformers such as BERT and GPT.",
            "它是光滑的 ReLU，BERT、GPT 等 Transformer 的隐藏层通常使用它。",
        ),
        both(
            "There is no kink, and units with a slightly negative z still learn. Its range begins at about −0.17, at z ≈ −0.75, where the slope changes its sign; far to the left it saturates at 0, to the right it is nearly z.",
            "它没有折点，z 略小于 0 的神经元仍能学习。值域的下端约为 −0.17，在 z ≈ −0.75 处取得，斜率在那里变号；向左远处饱和于 0，向右远处几乎等于 z。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The formula with tanh is the GELU.", "含 tanh 的公式就是 GELU。"),
            both(
                "It is an approximation, off by up to about 0.0005. PyTorch computes the exact function unless approximate='tanh' is asked for; a network trained with one should not be run with the other.",
                "那是近似式，误差最大约 0.0005。PyTorch 默认计算精确函数，除非指定 approximate='tanh'；用一种训练的网络不应换另一种来运行。",
            ),
            as_tanh,
        ),
        Mistake(
            both("GELU(z) = z·σ(z)", "GELU(z) = z·σ(z)"),
            both(
                "That is SiLU. The weight of GELU is Φ(z), which is nearer to σ(1.702·z).",
                "那是 SiLU。GELU 的权重是 Φ(z)，更接近 σ(1.702·z)。",
            ),
            as_silu,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, -0.6], [0.2, 0.4]], bias: [0, 0.1]}
  - gelu
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: mse
optimizer: {adamw: {lr: 0.01}}
""",
    see=("silu", "relu", "layer_norm", "activations"),
)

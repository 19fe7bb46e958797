"""SiLU, or swish: z weighted by its own sigmoid."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Apply, Formula, exp
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
from derive.ops.activations import sigmoid, silu

op, σ = elementwise(silu()), elementwise(sigmoid()).function


def derivation(b: Board) -> Iterator[Block]:
    z = b.free("z", -4, 4)
    s, f = Apply(σ, (z,)), value(op, z)
    yield b.step(
        DEFINITION,
        both(
            "The share σ(z) of z is let through: nearly all of it where z is large, nearly nothing where z is very negative.",
            "z 按比例 σ(z) 通过：z 很大时几乎全部通过，z 为绝对值很大的负数时几乎不通过。",
        ),
        b.line(f, z * s, body(op, z)),
    )
    steep = prime(b, op, z)
    yield from b.differentiated(z * s, z, steep, shown=s * (1 + z * (1 - s)))
    yield b.step(
        both("In terms of the output", "用输出表示"),
        both(
            "z·σ(z) is the output itself, so the slope follows from the output and the sigmoid.",
            "z·σ(z) 就是输出本身，因此由输出与 sigmoid 即可求得斜率。",
        ),
        b.line(steep, s + z * s * (1 - s), s + f * (1 - s), f + s * (1 - f)),
    )
    yield b.step(AS_USED, both("With the sigmoid written out.", "把 sigmoid 写开。"), b.line(steep, slope(op, z)))
    yield b.step(
        both("Symmetry", "对称性"),
        both(
            "σ(−z) is 1 − σ(z). The function and its mirror image in the vertical axis differ by z.",
            "σ(−z) 等于 1 − σ(z)。函数与它关于纵轴的镜像相差 z。",
        ),
        b.line(Apply(σ, (-z,)), 1 - s),
        b.line(f - value(op, -z), z * s + z * (1 - s), z),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield example(
        b,
        op,
        "1",
        lambda z: z / (1 + exp(-z)),
        lambda z, a: a + a / z * (1 - a),
        both("a/z is the sigmoid of z.", "a/z 就是 z 的 sigmoid 值。"),
    )
    yield values(b, op, ("-6", "-2", "-1.28", "-0.5", "0.5", "2", "6"))


def without_share(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", 1, 3)
    s = Apply(σ, (z,))
    return z * s * (1 - s), slope(op, z)


lesson = Lesson(
    title=both("SiLU (swish)", "SiLU（swish）函数"),
    short=both(
        "SiLU(z) = z·σ(z); by the product rule its slope is σ(z)·(1 + z·(1 − σ(z))).",
        "SiLU(z) = z·σ(z)；由乘积法则，斜率为 σ(z)·(1 + z·(1 − σ(z)))。",
    ),
    chapter="activations",
    position=9,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op, 6),
    why=(
        both(
            "It is a smooth ReLU that costs one exponential function. It is used in hidden layers, such as those of EfficientNet, and in the feed-forward blocks of many language models.",
            "它是光滑的 ReLU，只需计算一次指数函数。它用于隐藏层，例如 EfficientNet，以及许多语言模型的前馈模块。",
        ),
        both(
            "Its range begins at about −0.278, at z ≈ −1.278, where the slope changes its sign: the function falls before it rises. Far to the left it saturates at 0, to the right it is nearly z.",
            "值域的下端约为 −0.278，在 z ≈ −1.278 处取得，斜率在那里变号：函数先降后升。向左远处饱和于 0，向右远处几乎等于 z。",
        ),
    ),
    mistakes=(
        Mistake(
            both("SiLU′(z) = z·σ(z)·(1 − σ(z))", "SiLU′(z) = z·σ(z)·(1 − σ(z))"),
            both(
                "That is only the second term of the product rule; the first one, σ(z), is missing.",
                "这只是乘积法则的第二项，缺了第一项 σ(z)。",
            ),
            without_share,
        ),
        Mistake(
            both("Every activation function rises everywhere.", "每个激活函数都处处递增。"),
            both(
                "SiLU and GELU fall to the left of their lowest point; their slope is negative there.",
                "SiLU 与 GELU 在最低点左侧是下降的，那里的斜率为负。",
            ),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, -0.6], [0.2, 0.4]], bias: [0, 0.1]}
  - silu
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("sigmoid", "gelu", "relu", "activations"),
)

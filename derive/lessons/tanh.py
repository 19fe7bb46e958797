"""The hyperbolic tangent: its derivative from its definition, and its kinship with the sigmoid."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.differentiation import as_written
from derive.document import Block, say
from derive.formula import Apply, Formula, exp, formula
from derive.lessons._activation import DEFINITION, RANGE, elementwise, example, graph, prime, slope, value, values
from derive.ops.activations import sigmoid, tanh

op, σ = elementwise(tanh()), elementwise(sigmoid()).function


def derivation(b: Board) -> Iterator[Block]:
    z = b.free("z", -3, 3)
    top, bottom = exp(z) - exp(-z), exp(z) + exp(-z)
    f = value(op, z)
    yield b.step(
        DEFINITION,
        both(
            "The difference of the exponential functions of z and −z is divided by their sum.",
            "z 与 −z 的指数函数之差，除以它们之和。",
        ),
        b.line(f, top / bottom),
    )
    yield b.step(
        both("Both parts", "分子与分母"),
        both(
            "The exponential function is its own derivative, and by the chain rule the one with −z gets a factor −1: each part is the derivative of the other.",
            "指数函数的导数是它自己；由链式法则，含 −z 的一项多出因子 −1：分子与分母互为导数。",
        ),
        b.line(b.slope(top, z), exp(z) - as_written(exp(-z), formula(-1)), bottom),
        b.line(b.slope(bottom, z), exp(z) + as_written(exp(-z), formula(-1)), top),
    )
    slope_of = prime(b, op, z)
    yield b.step(
        say("rule.title.quotient"),
        say("rule.quotient", u=top, v=bottom),
        b.line(slope_of, (as_written(bottom, bottom) - as_written(top, top)) / bottom**2),
    )
    yield b.step(
        both("In terms of the output", "用输出表示"),
        both(
            "The fraction is split: the first part is 1, the second is the square of the function itself.",
            "把分式拆开：第一部分等于 1，第二部分就是函数本身的平方。",
        ),
        b.line(slope_of, bottom**2 / bottom**2 - (top / bottom) ** 2, slope(op, z)),
    )
    yield b.step(
        RANGE,
        both(
            "The distances to 1 and to −1 are both positive, so the output lies between −1 and 1 and never reaches either.",
            "到 1 与到 −1 的距离都为正，因此输出介于 −1 与 1 之间，且永远达不到两端。",
        ),
        b.line(1 - f, (bottom - top) / bottom, 2 * exp(-z) / bottom),
        b.line(1 + f, (bottom + top) / bottom, 2 * exp(z) / bottom),
    )
    yield b.step(
        both("A stretched sigmoid", "拉伸后的 sigmoid"),
        both(
            "Above and below the bar everything is divided by the exponential function of z.",
            "分子与分母同除以 z 的指数函数。",
        ),
        b.line(
            f,
            (1 - exp(-2 * z)) / (1 + exp(-2 * z)),
            2 / (1 + exp(-2 * z)) - 1,
            2 * Apply(σ, (2 * z,)) - 1,
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield example(
        b,
        op,
        "0.5",
        lambda z: (exp(z) - exp(-z)) / (exp(z) + exp(-z)),
        lambda z, a: 1 - a**2,
        both("The slope needs only the output.", "求斜率只需要输出。"),
    )
    yield values(b, op)


def from_argument(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", 1, 3)
    return 1 - z**2, slope(op, z)


def unstretched(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", 1, 3)
    return 2 * Apply(σ, (z,)) - 1, value(op, z)


lesson = Lesson(
    title=both("The hyperbolic tangent", "双曲正切函数 tanh"),
    short=both(
        "tanh′ = 1 − tanh²: the slope follows from the output, which lies between −1 and 1.",
        "tanh′ = 1 − tanh²：由输出就能得到斜率，输出介于 −1 与 1 之间。",
    ),
    chapter="activations",
    position=3,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op),
    why=(
        both(
            "The output is centred at 0, so the next layer gets inputs of both signs; with the sigmoid they are all positive, and then each sample pushes all weights of a unit the same way.",
            "输出以 0 为中心，下一层得到的输入有正有负；若用 sigmoid，输入全为正，每个样本都会把同一神经元的所有权重推向同一方向。",
        ),
        both(
            "It is used in hidden layers, above all of recurrent networks, and at outputs that lie between −1 and 1.",
            "它用于隐藏层，尤其是循环网络，也用于取值在 −1 与 1 之间的输出。",
        ),
        both(
            "It saturates on both sides: at z = 6 the slope is below 0.00003. At 0 the slope is 1, four times that of the sigmoid, so gradients vanish more slowly.",
            "它在两侧都会饱和：在 z = 6 处斜率不到 0.00003。在 0 处斜率为 1，是 sigmoid 的四倍，因此梯度消失得较慢。",
        ),
    ),
    mistakes=(
        Mistake(
            both("tanh′(z) = 1 − z²", "tanh′(z) = 1 − z²"),
            both(
                "tanh′(z) = 1 − tanh²(z): it is the output that is squared, not the argument.",
                "tanh′(z) = 1 − tanh²(z)：平方的是输出，不是自变量。",
            ),
            from_argument,
        ),
        Mistake(
            both("tanh(z) = 2σ(z) − 1", "tanh(z) = 2σ(z) − 1"),
            both(
                "tanh(z) = 2σ(2z) − 1: the argument is doubled as well.",
                "tanh(z) = 2σ(2z) − 1：自变量也要加倍。",
            ),
            unstretched,
        ),
    ),
    network="""
inputs: [0.5, -0.3]
targets: [0.8]
layers:
  - linear: {out: 2, weight: [[0.4, 0.6], [-0.2, 0.5]], bias: [0.1, 0]}
  - tanh
  - linear: {out: 1, weight: [[0.7, -0.5]], bias: 0.2}
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("sigmoid", "hardtanh", "xavier", "vanishing_gradients", "activations"),
)

"""The sigmoid and its derivative in terms of its own output."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Number, exp, log
from derive.lessons._activation import DEFINITION, RANGE, body, elementwise, example, graph, prime, slope, value, values
from derive.ops.activations import sigmoid

op = elementwise(sigmoid())


def derivation(b: Board) -> Iterator[Block]:
    z = b.free("z", -4, 4)
    s, written = value(op, z), body(op, z)
    yield b.step(
        DEFINITION,
        both("Any number is squeezed into the interval from 0 to 1.", "把任意实数压缩到 0 与 1 之间。"),
        b.line(s, written),
    )
    steep = prime(b, op, z)
    yield from b.differentiated(written, z, steep, shown=exp(-z) / (1 + exp(-z)) ** 2)
    yield b.step(
        both("In terms of the output", "用输出表示"),
        both(
            "The fraction is split in two: the first factor is σ(z), the second is 1 − σ(z).",
            "把分式拆成两个因子：第一个是 σ(z)，第二个是 1 − σ(z)。",
        ),
        b.line(exp(-z) / (1 + exp(-z)), 1 - written, 1 - s),
        b.line(steep, written * (exp(-z) / (1 + exp(-z))), slope(op, z)),
    )
    yield b.step(
        RANGE,
        both(
            "1 divided by a number above 1 lies between 0 and 1. Since 1 − σ(z) is the sigmoid of −z, the graph is symmetric about its point at z = 0, which has the height 1/2.",
            "1 除以大于 1 的数，介于 0 与 1 之间。1 − σ(z) 是 −z 的 sigmoid 值，因此图像关于点 (0, 1/2) 中心对称。",
        ),
        b.line(1 - s, exp(-z) / (1 + exp(-z)), 1 / (exp(z) + 1), value(op, -z)),
    )
    half, quarter = Number(Fraction(1, 2)), Number(Fraction(1, 4))
    yield b.step(
        both("The largest slope", "最大的斜率"),
        both(
            "1/4 minus the slope is a square and so never negative: the slope is at most 1/4. It is 1/4 where σ(z) is 1/2, at z = 0.",
            "1/4 减去斜率是一个平方，不会为负，因此斜率至多为 1/4；当 σ(z) 等于 1/2，即 z = 0 时取到 1/4。",
        ),
        b.line(quarter - steep, quarter - s + s**2, (s - half) ** 2),
    )
    yield b.step(
        both("Back again", "反函数"),
        both(
            "The logarithm of the odds gives z back: z is called the logit.",
            "对优势比取对数就得回 z：因此 z 称为 logit。",
        ),
        b.line(s / (1 - s), 1 / (1 + exp(-z)) * ((1 + exp(-z)) / exp(-z)), exp(z)),
        b.line(z, log(s / (1 - s))),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield example(
        b,
        op,
        "0.5",
        lambda z: 1 / (1 + exp(-z)),
        lambda z, a: a * (1 - a),
        both("The slope needs only the output.", "求斜率只需要输出。"),
    )
    yield values(b, op)


def no_slope(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", 1, 3)
    return z * (1 - z), slope(op, z)


def between_ends(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", 1, 3)
    return Number(Fraction(1)), value(op, z)


lesson = Lesson(
    title=both("The sigmoid", "sigmoid 函数"),
    short=both("σ′ = σ(1 − σ): the slope follows from the output alone.", "σ′ = σ(1 − σ)：只需输出就能得到斜率。"),
    chapter="activations",
    position=2,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op, 8),
    why=(
        both(
            "The output can be read as a probability, so the sigmoid stands at the end of a network that decides between two classes, or that says yes or no to each of several labels. It also opens and closes the gates of recurrent networks.",
            "输出可以看作概率，因此 sigmoid 用在二分类网络的末端，或用于多标签分类的每个标签；循环网络的门控也用它。",
        ),
        both(
            "In hidden layers it has become rare: its slope is at most 1/4 and nearly 0 where the unit is saturated, so in a deep network gradients easily vanish layer by layer.",
            "隐藏层中已很少使用：它的斜率最大为 1/4，饱和时几乎为 0，在深层网络中梯度容易逐层消失。",
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
        Mistake(
            both("For a large z, such as 3, the sigmoid is 1.", "z 较大（例如 3）时 sigmoid 等于 1。"),
            both(
                "It never reaches 0 or 1; σ(3) is about 0.953. Only in floating-point numbers does it become 1, and the logarithm of 1 − σ(z) is then −∞.",
                "它永远达不到 0 或 1；σ(3) 约为 0.953。只有在浮点数中才会变成 1，此时 1 − σ(z) 的对数为 −∞。",
            ),
            between_ends,
        ),
        Mistake(
            both(
                "A sigmoid belongs before every loss for two classes.",
                "二分类的任何损失函数之前都要加 sigmoid。",
            ),
            both(
                "Before bce it does. bce_with_logits has it inside, and with another one in front it would be applied twice.",
                "在 bce 之前要加。bce_with_logits 内部已含 sigmoid，前面再加就会算两次。",
            ),
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
    see=("tanh", "softplus", "softmax", "bce", "vanishing_gradients", "xavier", "activations"),
)

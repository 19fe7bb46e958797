"""The identity: no activation, for outputs that may be any number."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, formula
from derive.lessons._activation import DEFINITION, elementwise, example, graph, prime, value
from derive.ops.activations import identity, relu

op = elementwise(identity())


def derivation(b: Board) -> Iterator[Block]:
    z = b.free("z", -4, 4)
    yield b.step(
        DEFINITION,
        both("The output is the weighted sum itself.", "输出就是加权和本身。"),
        b.line(value(op, z), z),
    )
    h = b.free("h", "0.1", 1)
    yield b.step(
        both("The slope", "斜率"),
        both(
            "Every chord has slope 1, however long: the function is a straight line. In the chain rule the factor 1 changes nothing.",
            "每条割线的斜率都是 1，与长短无关：函数是一条直线。在链式法则中，因子 1 不改变任何东西。",
        ),
        b.line((value(op, z + h) - value(op, z)) / h, (z + h - z) / h, 1),
        b.line(prime(b, op, z), 1),
    )
    w1, w2, c1, c2 = (b.free(letter) for letter in ("w_1", "w_2", "b_1", "b_2"))
    hidden = value(op, w1 * z + c1)
    yield b.step(
        both("In a hidden layer", "用在隐藏层"),
        both(
            "Two layers with the identity between them are one layer: the weights multiply, and the biases become one bias. That is why hidden layers need another activation.",
            "中间用恒等函数的两层等于一层：权重相乘，偏置合成一个偏置。所以隐藏层需要别的激活函数。",
        ),
        b.line(w2 * hidden + c2, w2 * (w1 * z + c1) + c2, w2 * w1 * z + (w2 * c1 + c2)),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield example(b, op, "-1.3", lambda z: z, lambda z, a: formula(1), both("Nothing is changed.", "什么也没有改变。"))


def collapsed(b: Board) -> tuple[Formula, Formula]:
    z, w1, w2 = b.free("z", 1, 2), b.free("w_1", -2, -1), b.free("w_2", 1, 2)
    return w2 * value(elementwise(relu()), w1 * z), w2 * value(op, w1 * z)


lesson = Lesson(
    title=both("The identity", "恒等函数"),
    short=both(
        "The output is z itself and the slope is 1: what the last layer of a regression uses.",
        "输出就是 z 本身，斜率为 1：回归网络的最后一层使用它。",
    ),
    chapter="activations",
    position=12,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op, 3),
    why=(
        both(
            "A regression may have to answer with any number: the range is all real numbers, nothing is squeezed, and nothing saturates.",
            "回归的答案可以是任何实数：值域为全体实数，不压缩，也不饱和。",
        ),
        both(
            "Networks whose loss works on scores, such as cross_entropy and bce_with_logits, end with it too: softmax or sigmoid are inside the loss.",
            "损失函数直接处理 logit 的网络（如 cross_entropy 与 bce_with_logits）也以它结尾：softmax 或 sigmoid 已包含在损失之中。",
        ),
    ),
    mistakes=(
        Mistake(
            both(
                "In hidden layers the identity is as good as ReLU, if there are enough layers.",
                "只要层数够多，隐藏层用恒等函数与用 ReLU 一样好。",
            ),
            both(
                "Any number of such layers is one linear layer: it separates classes by straight boundaries only. With ReLU between them the result is no longer linear.",
                "这样的层无论多少，都只是一个线性层，只能用直的边界划分类别；中间换成 ReLU，得到的函数就不再是线性的。",
            ),
            collapsed,
        ),
        Mistake(
            both("An output layer without an activation is incomplete.", "输出层没有激活函数就不完整。"),
            both(
                "It has the identity, which is what a regression and losses of logits want.",
                "它用的是恒等函数，这正是回归以及基于 logit 的损失所需要的。",
            ),
        ),
    ),
    network="""
inputs: [0.05, 0.10]
targets: [1.5]
layers:
  - linear: {out: 1, weight: [[0.4, 0.6]], bias: 0.1}
  - identity
loss: mse
optimizer: {sgd: {lr: 0.5}}
""",
    see=("linear_collapse", "mse", "relu", "residual", "activations"),
)

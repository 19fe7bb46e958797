"""Softplus: the smooth ReLU whose slope is the sigmoid."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import ZERO, Apply, Formula, exp, formula, larger, log
from derive.lessons._activation import (
    AS_USED,
    DEFINITION,
    RANGE,
    constant,
    elementwise,
    example,
    graph,
    prime,
    slope,
    value,
    values,
)
from derive.ops.activations import sigmoid, softplus

op, σ = elementwise(softplus()), elementwise(sigmoid()).function


def derivation(b: Board) -> Iterator[Block]:
    β = constant(b, "β", "0.5", 2)
    soft = elementwise(softplus(beta=β))
    z = b.free("z", -4, 4)
    f = value(soft, z)
    written = log(1 + exp(β * z)) / β
    yield b.step(
        DEFINITION,
        both(
            "The logarithm undoes the exponential function where z is large, and the 1 keeps the result above 0. A larger β makes the bend sharper; β is positive, and in PyTorch it is 1 unless another is given.",
            "z 很大时对数抵消指数函数，而 1 使结果保持为正。β 为正数，越大弯折越尖锐；PyTorch 中默认为 1。",
        ),
        b.line(f, written),
    )
    steep = prime(b, soft, z)
    yield from b.differentiated(written, z, steep, shown=exp(β * z) / (1 + exp(β * z)))
    yield b.step(
        AS_USED,
        both(
            "Above and below the bar everything is divided by the exponential function: the slope is the sigmoid.",
            "分子与分母同除以该指数函数：斜率就是 sigmoid。",
        ),
        b.line(steep, 1 / (1 + exp(-(β * z))), Apply(σ, (β * z,))),
    )
    yield b.step(
        both("Beside ReLU", "与 ReLU 相比"),
        both(
            "The larger of 0 and z can be taken out. What remains is at most ln 2 divided by β, at z = 0, and falls off on both sides.",
            "可以把 0 与 z 中较大者提出来。剩下的部分最大为 ln 2 除以 β，在 z = 0 处取得，并向两侧减小。",
        ),
        b.line(f, larger(ZERO, z) + log(1 + exp(-(β * abs(z)))) / β),
        b.line(value(soft, ZERO), log(formula(2)) / β),
    )
    yield b.step(
        RANGE,
        both(
            "The argument of the logarithm is larger than 1, so the output is positive; it comes as near to 0 as you like. e to the output times β is that argument again.",
            "对数的自变量大于 1，因此输出为正，并可任意接近 0。以 e 为底、β 乘以输出为指数的幂，正是这个自变量。",
        ),
        b.line(exp(β * f), 1 + exp(β * z)),
    )
    yield b.step(
        both("Symmetry", "对称性"),
        both("The function and its mirror image in the vertical axis differ by z.", "函数与它关于纵轴的镜像相差 z。"),
        b.line(f - value(soft, -z), log((1 + exp(β * z)) / (1 + exp(-(β * z)))) / β, log(exp(β * z)) / β, z),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield example(
        b,
        op,
        "0.5",
        lambda z: log(1 + exp(z)),
        lambda z, a: 1 / (1 + exp(-z)),
        both("With β = 1; the slope is the sigmoid of z.", "取 β = 1；斜率是 z 的 sigmoid 值。"),
    )
    z = b.number("z", 20)
    yield b.step(
        both("The threshold", "阈值"),
        both(
            "Beyond βz = 20 PyTorch returns z itself. With β = 1, what is left out there is smaller than this: too little to change a z in single precision.",
            "当 βz 超过 20 时，PyTorch 直接返回 z。取 β = 1，略去的部分比下面的值还小，加到单精度的 z 上已不起作用。",
        ),
        b.line(b.defined("ε", log(1 + exp(-z))), log(1 + exp(-z)), numbers=True),
    )
    yield values(b, op)


def as_relu(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", "-0.5", "0.5")
    return larger(ZERO, z), value(op, z)


def without_one(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", 1, 3)
    return exp(z), slope(op, z)


lesson = Lesson(
    title=both("Softplus", "Softplus 函数"),
    short=both(
        "softplus(z) = ln(1 + eᶻ): a smooth ReLU, always positive, whose slope is the sigmoid.",
        "softplus(z) = ln(1 + eᶻ)：光滑的 ReLU，恒为正，斜率就是 sigmoid。",
    ),
    chapter="activations",
    position=10,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op),
    why=(
        both(
            "It is used at outputs that have to be positive, such as a standard deviation or a rate, and sometimes in hidden layers.",
            "它用于必须为正的输出，如标准差或速率，有时也用于隐藏层。",
        ),
        both(
            "Binary cross-entropy from the logit is made of it: −ln σ(z) is softplus(−z), the loss for class 1, and softplus(z) is the loss for class 0. To the left it saturates at 0, to the right it is nearly z.",
            "由 logit 计算的二元交叉熵就由它构成：−ln σ(z) 等于 softplus(−z)，这是类别 1 的损失；类别 0 的损失是 softplus(z)。它在左侧饱和于 0，在右侧几乎等于 z。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Softplus and ReLU agree except for the kink.", "除折点外，softplus 与 ReLU 相同。"),
            both(
                "Softplus is larger everywhere and never 0; at z = 0, with β = 1, it is larger by ln 2 ≈ 0.693.",
                "softplus 处处更大，且永不为 0；β = 1 时，在 z = 0 处大 ln 2 ≈ 0.693。",
            ),
            as_relu,
        ),
        Mistake(
            both("Its slope is eᶻ, since the logarithm cancels.", "对数与指数抵消，所以斜率是 eᶻ。"),
            both(
                "By the chain rule eᶻ is divided by 1 + eᶻ: the slope is σ(z), never above 1.",
                "由链式法则，eᶻ 还要除以 1 + eᶻ：斜率是 σ(z)，不会超过 1。",
            ),
            without_one,
        ),
        Mistake(
            both("It can be computed as it is written.", "按公式直接计算即可。"),
            both(
                "eᶻ overflows for large z. Safe is max(0, z) + ln(1 + e to the −|z|), the form above.",
                "z 很大时 eᶻ 会溢出。安全的算法是 max(0, z) + ln(1 + e 的 −|z| 次幂)，即上面的形式。",
            ),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, -0.6], [0.2, 0.4]], bias: [0, 0.1]}
  - tanh
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
  - softplus
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("relu", "sigmoid", "bce", "log_sum_exp", "activations"),
)

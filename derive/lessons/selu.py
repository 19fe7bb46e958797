"""SELU: an ELU whose two constants keep mean 0 and variance 1 from layer to layer."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import PI, Apply, Formula, Name, Number, Symbol, erf, exp, formula, sqrt
from derive.lessons._activation import (
    AS_USED,
    DEFINITION,
    body,
    either_side,
    elementwise,
    example,
    graph,
    prime,
    slope,
    value,
    values,
)
from derive.measuring import named
from derive.ops.activations import elu, selu

op = elementwise(selu())
λ, α = (Number(part.value, part.text) for part in op.body.args[2].args[:2])  # type: ignore[attr-defined]
FAR = 14  # standard deviations: beyond them less than 10⁻⁴⁰ is left

_x = Name("x", symbol=Symbol("x"))
Φ = named("normal", "Φ", (_x,), (1 + erf(_x / sqrt(2))) / 2)


def derivation(b: Board) -> Iterator[Block]:
    z = either_side(b)
    yield b.step(
        DEFINITION,
        both(
            "An ELU with α ≈ 1.6733, stretched by λ ≈ 1.0507. Both numbers are fixed; where they come from is shown below.",
            "取 α ≈ 1.6733 的 ELU，再乘以 λ ≈ 1.0507。两个数是固定的，来历见下文。",
        ),
        b.line(value(op, z), body(op, z)),
    )
    p, n = b.free("z", "0.1", 4), b.free("z", -4, "-0.1")
    yield b.step(
        both("For z > 0", "当 z > 0"),
        both("There the function is λ times z.", "此处函数是 λ 乘以 z。"),
        b.line(prime(b, op, p), b.slope(λ * p, p), λ),
    )
    yield b.step(
        both("For z < 0", "当 z < 0"),
        both(
            "The constant factors stay in front, and the exponential function is its own derivative. For z just below 0 this is near λα, for z just above 0 it is λ: there is a kink, and PyTorch takes λα.",
            "常数因子提到前面，指数函数的导数是它自己。z 略小于 0 时斜率接近 λα，略大于 0 时为 λ：此处是折点，PyTorch 取 λα。",
        ),
        b.line(prime(b, op, n), λ * α * b.slope(exp(n) - 1, n), λ * α * exp(n)),
    )
    yield b.step(AS_USED, both("Both pieces together.", "两段合起来。"), b.line(prime(b, op, z), slope(op, z)))
    yield from constants(b)


def constants(b: Board) -> Iterator[Block]:
    """Where λ and α come from: the output of a standard normal z is to have mean 0 and variance 1."""
    x = b.free("x")
    density = exp(-(x**2) / 2) / sqrt(2 * PI)
    yield b.step(
        both("What the constants are for", "常数的用途"),
        both(
            "If z has a standard normal distribution, the output is to have mean 0 and variance 1 again, so that this goes on through any number of layers. Four means over one side are needed; each is an integral over the bell curve, with x for the values of z.",
            "若 z 服从标准正态分布，要求输出的均值仍为 0、方差仍为 1，这样无论多少层都能保持。为此需要四个单侧的平均值，每一个都是对钟形曲线的积分，积分变量记作 x。",
        ),
        b.line(exp(x) * exp(-(x**2) / 2), exp(Number(Fraction(1, 2))) * exp(-((x - 1) ** 2) / 2)),
        b.line(exp(2 * x) * exp(-(x**2) / 2), exp(formula(2)) * exp(-((x - 2) ** 2) / 2)),
    )
    root, one, two = exp(Number(Fraction(1, 2))), Apply(Φ, (formula(-1),)), Apply(Φ, (formula(-2),))
    m1, q1 = b.integral("m_+", x * density, x, 0, FAR), b.integral("q_+", x**2 * density, x, 0, FAR)
    below = exp(x) - 1
    m2, q2 = b.integral("m_−", below * density, x, -FAR, 0), b.integral("q_−", below**2 * density, x, -FAR, 0)
    yield b.step(
        both("The right side", "右侧"),
        both(
            "m is the mean of x, q the mean of x², both counted only where x is positive. x times the density is the derivative of minus the density, so the first is the density at 0; by symmetry the second is half of the variance 1.",
            "m 是 x 的平均，q 是 x² 的平均，都只计 x 为正的部分。密度取相反数后，导数就是 x 乘以密度，因此前者等于密度在 0 处的值；由对称性，后者是方差 1 的一半。",
        ),
        b.line(b.slope(-density, x), x * density),
        b.line(m1, 1 / sqrt(2 * PI)),
        b.line(q1, Number(Fraction(1, 2))),
    )
    yield b.step(
        both("The left side", "左侧"),
        both(
            "The same for eˣ − 1, counted where x is negative; its square has three terms. By the squares completed above, the exponential functions shift the bell curve by 1 and by 2, so what lies below 0 is Φ(−1) and Φ(−2), with Φ the standard normal distribution function.",
            "对 eˣ − 1 同样计算，只计 x 为负的部分；它的平方有三项。由上面的配方，指数函数把钟形曲线平移 1 与 2，因此 0 以下的部分是 Φ(−1) 与 Φ(−2)，其中 Φ 是标准正态分布函数。",
        ),
        b.line(below**2, exp(2 * x) - 2 * exp(x) + 1),
        b.line(m2, root * one - Number(Fraction(1, 2))),
        b.line(q2, exp(formula(2)) * two - 2 * root * one + Number(Fraction(1, 2))),
    )
    yield b.step(
        both("Mean 0 gives α", "均值为 0 决定 α"),
        both(
            "The mean of the output is λ times the sum of both sides. It is 0 for one α alone.",
            "输出的均值是 λ 乘以两侧之和。只有一个 α 使它为 0。",
        ),
        b.line(α * m2, -m1),
        b.line(α, -m1 / m2),
    )
    yield b.step(
        both("Variance 1 gives λ", "方差为 1 决定 λ"),
        both(
            "The mean is 0, so the variance is the mean of the square: λ² times the sum of both sides, which has to be 1.",
            "均值为 0，因此方差等于平方的平均：λ² 乘以两侧之和，它必须等于 1。",
        ),
        b.line(λ**2 * (q1 + α**2 * q2), 1),
        b.line(λ, 1 / sqrt(q1 + α**2 * q2)),
    )


def numbers(b: Board) -> Iterator[Block]:
    root, one = exp(Number(Fraction(1, 2))), Apply(Φ, (formula(-1),))
    two, half = Apply(Φ, (formula(-2),)), Number(Fraction(1, 2))
    m1, m2 = b.defined("m_+", 1 / sqrt(2 * PI)), b.defined("m_−", root * one - half)
    q1, q2 = b.defined("q_+", half), b.defined("q_−", exp(formula(2)) * two - 2 * root * one + half)
    α = b.defined("α", -m1 / m2)
    λ = b.defined("λ", 1 / sqrt(q1 + α**2 * q2))
    yield b.step(
        both("The constant α", "常数 α"),
        both(
            "A table of the normal distribution gives Φ(−1) ≈ 0.1587, and with it both means, which give α.",
            "由正态分布表得 Φ(−1) ≈ 0.1587，由此得到两个平均值，从而得到 α。",
        ),
        b.line(m1, 1 / sqrt(2 * PI), numbers=True),
        b.line(m2, root * one - half, numbers=True),
        b.line(α, -m1 / m2, numbers=True),
    )
    yield b.step(
        both("The constant λ", "常数 λ"),
        both(
            "With Φ(−2) ≈ 0.02275 the mean square of the left side follows, and λ from it.",
            "再由 Φ(−2) ≈ 0.02275 得到左侧平方的平均，从而得到 λ。",
        ),
        b.line(q2, exp(formula(2)) * two - 2 * root * one + half, numbers=True),
        b.line(λ, 1 / sqrt(q1 + α**2 * q2), numbers=True),
    )
    yield example(
        b,
        op,
        "-1",
        lambda z: λ * α * (exp(z) - 1),
        lambda z, a: a + λ * α,
        both("Below 0 the slope is the output plus λα, as for ELU.", "小于 0 时，斜率等于输出加 λα，与 ELU 相同。"),
    )
    yield values(b, op)


def plain_elu(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", -3, -1)
    return value(elementwise(elu()), z), value(op, z)


lesson = Lesson(
    title=both("SELU", "SELU 函数"),
    short=both(
        "λ times an ELU: λ and α are such that standard normal inputs give outputs with mean 0 and variance 1.",
        "λ 乘以 ELU：λ 与 α 使标准正态的输入得到均值为 0、方差为 1 的输出。",
    ),
    chapter="activations",
    position=7,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op, 4),
    why=(
        both(
            "Deep fully connected networks keep their signals in scale without batch normalization: too small a variance grows, too large a variance shrinks.",
            "深层全连接网络无需批归一化就能保持信号的尺度：方差过小会增大，过大会减小。",
        ),
        both(
            "It is used in hidden layers, with weights drawn with mean 0 and variance 1/n for n inputs, and with alpha dropout in place of dropout.",
            "它用于隐藏层，权重的均值为 0，n 个输入时方差为 1/n；丢弃法改用 alpha dropout。",
        ),
        both(
            "Its range begins at −λα ≈ −1.758, where it saturates; to the right it is a straight line.",
            "值域的下端为 −λα ≈ −1.758，并在那里饱和；右侧是直线。",
        ),
    ),
    mistakes=(
        Mistake(
            both("SELU is ELU with α = 1.", "SELU 就是 α = 1 的 ELU。"),
            both(
                "Both constants are other numbers: α ≈ 1.6733, and everything is multiplied by λ ≈ 1.0507.",
                "两个常数都不同：α ≈ 1.6733，并且整体乘以 λ ≈ 1.0507。",
            ),
            plain_elu,
        ),
        Mistake(
            both(
                "SELU keeps the variance with every initialization.",
                "无论怎样初始化，SELU 都能保持方差。",
            ),
            both(
                "The computation supposes that z has mean 0 and variance 1, which the variance 1/n of the weights provides. With Kaiming's 2/n the variance of z is twice as large.",
                "推导假定 z 的均值为 0、方差为 1，这由权重方差 1/n 保证。若用 Kaiming 的 2/n，z 的方差会大一倍。",
            ),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, -0.6], [0.2, 0.4]], bias: [0, 0.1]}
  - selu
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("elu", "variance_propagation", "kaiming", "dropout", "activations"),
)

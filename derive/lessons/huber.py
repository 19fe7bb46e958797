"""Huber's loss: a parabola near the target, straight lines beyond, without a kink where they meet."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.formula import Formula, Name, cases, larger, smaller
from derive.lessons._losses import Outputs, of, partial, places, pointwise, slope_of, worked
from derive.losses import huber, smooth_l1
from derive.ops.base import Elementwise

HALF = Fraction(1, 2)


def derivation(b: Board) -> Iterator[Block]:
    δ = b.free("δ", HALF, 2)
    yield from joined(b, δ)
    op = pointwise(huber, delta=δ)
    a, t = b.free("a"), b.free("t")
    yield b.step(
        both("Definition for one output", "单个输出的定义"),
        both(
            "Written in the output and the target, on both sides of it.",
            "用输出与目标写出，对目标两侧都成立。",
        ),
        b.line(
            of(op, a, t),
            cases((HALF * (a - t) ** 2, abs(a - t) <= δ), (δ * (abs(a - t) - HALF * δ), True)),
        ),
    )
    t = b.free("t")
    outputs = places(b, t, δ)
    yield from regions(b, op, t, δ, outputs)
    yield mean(b, t, δ, outputs)
    yield limits(b, δ)


def regions(b: Board, op: Elementwise, t: Name, δ: Name, outputs: Outputs) -> Iterator[Step]:
    """The slope near the target, above it and below it."""
    near, above, below = outputs
    slopes = [b.slope(of(op, x, t), x, partial("ℓ", x)) for x in outputs]
    yield b.step(
        both("The slope near the target", "目标附近的导数"),
        say(
            both(
                "Let {a} be no further than {δ} from the target: the slope is the error.",
                "设 {a} 与目标的距离不超过 {δ}：导数就是误差。",
            ),
            a=near,
            δ=δ,
        ),
        b.line(slopes[0], b.slope(HALF * (near - t) ** 2, near, d="∂"), near - t),
    )
    yield b.step(
        both("The slope above", "上方的导数"),
        say(
            both(
                "Let {a} be further above the target than {δ}: there the absolute value is the error itself.",
                "设 {a} 在目标上方且距离大于 {δ}：此处绝对值就是误差本身。",
            ),
            a=above,
            δ=δ,
        ),
        b.line(slopes[1], b.slope(δ * (above - t - HALF * δ), above, d="∂"), δ),
    )
    yield b.step(
        both("The slope below", "下方的导数"),
        say(
            both(
                "Let {a} be further below the target than {δ}: there the absolute value is minus the error.",
                "设 {a} 在目标下方且距离大于 {δ}：此处绝对值是误差的相反数。",
            ),
            a=below,
            δ=δ,
        ),
        b.line(slopes[2], b.slope(δ * (-(below - t) - HALF * δ), below, d="∂"), -δ),
    )
    yield b.step(
        both("The slope is the clipped error", "导数是截断的误差"),
        both(
            "In all three places the slope is the error, cut off at δ and −δ. So Huber's loss is half the squared error with its slope clipped.",
            "在三处，导数都是误差在 −δ 与 δ 处截断的结果。所以 Huber 损失就是导数被截断的“平方误差的一半”。",
        ),
        *(
            b.line(slope, larger(-δ, smaller(x - t, δ)), slope_of(op, x, t))
            for slope, x in zip(slopes, outputs, strict=True)
        ),
    )


def joined(b: Board, δ: Name) -> Iterator[Step]:
    """Where the straight piece comes from: it takes over the value and the slope of the parabola."""
    e = b.free("e", "0.1", 3)
    near = HALF * e**2
    yield b.step(
        both("A parabola near the target", "目标附近是抛物线"),
        say(
            both(
                "Small errors {e} count like half their squares. The slope is then the error itself.",
                "小的误差 {e} 按平方的一半计算，导数就是误差本身。",
            ),
            e=e,
        ),
        b.line(b.slope(near, e), e),
    )
    k = b.hold("k", b.difference(lambda x: x * x / 2, b.value(δ)))
    c = b.hold("c", b.value(HALF * δ**2) - b.value(k) * b.value(δ))
    line = b.defined("g", k * e + c)
    yield b.step(
        both("A straight line beyond δ", "超过 δ 之后是直线"),
        say(
            both(
                "From an error of {δ} on, the loss grows along a straight line {g}. It meets the parabola without a kink if its slope {k} is that of the parabola at {δ}.",
                "误差超过 {δ} 之后，损失沿直线 {g} 增长。要与抛物线相接而没有折点，斜率 {k} 必须等于抛物线在 {δ} 处的斜率。",
            ),
            δ=δ,
            g=line,
            k=k,
        ),
        b.line(line, k * e + c),
        b.line(k, b.slope(HALF * δ**2, δ), δ),
    )
    yield b.step(
        both("Without a jump", "不跳跃"),
        say(
            both(
                "At {δ} the line has the value that the parabola has there. That gives its constant {c}.",
                "在 {δ} 处，直线的值等于抛物线的值，由此得到常数项 {c}。",
            ),
            δ=δ,
            c=c,
        ),
        b.line(k * δ + c, HALF * δ**2),
        b.line(c, HALF * δ**2 - k * δ, HALF * δ**2 - δ**2, -(HALF * δ**2)),
    )
    yield b.step(
        both("The pieces meet", "两段相接"),
        say(
            both(
                "Both constants are put in and a common factor is taken out. At the joint the line has the value of the parabola, and its slope is {δ} as well. Only the second derivative jumps there, from 1 to 0.",
                "代入两个常数并提出公因子。在接合处，直线与抛物线的值相等，斜率也同为 {δ}。只有二阶导数在此从 1 跳到 0。",
            ),
            δ=δ,
        ),
        b.line(line, δ * e - HALF * δ**2, δ * (e - HALF * δ)),
        b.line(δ * (δ - HALF * δ), HALF * δ**2),
        b.line(b.slope(δ * (e - HALF * δ), e), δ),
    )


def mean(b: Board, t: Name, δ: Name, outputs: Outputs) -> Step:
    near, above, below = outputs
    loss, gradient = worked(b, huber, [[x] for x in outputs], [[t]] * 3, delta=b.exactly(δ))
    return b.step(
        both("The mean over three outputs", "对三个输出取平均"),
        both(
            "Take one output of each kind, with the same target. Their losses are added and divided by three, and so is every slope.",
            "三种情形各取一个输出，目标相同。损失相加后除以三，每个导数也除以三。",
        ),
        b.line(
            b.hold("L", loss),
            (HALF * (near - t) ** 2 + δ * (above - t - HALF * δ) + δ * (t - below - HALF * δ)) / 3,
        ),
        *(
            b.line(b.hold(partial("L", x), g), f / 3)
            for x, g, f in zip(outputs, gradient, (near - t, δ, -δ), strict=True)
        ),
    )


def limits(b: Board, δ: Name) -> Step:
    a, t, wide = b.free("a", 4, 6), b.free("t", 0, 1), b.free("δ", 10, 20)
    return b.step(
        both("Between squared and absolute error", "介于平方误差与绝对误差之间"),
        both(
            "As long as no error is larger than δ, the loss is half the squared error. For errors beyond δ, the loss divided by δ is the absolute error less a constant, which becomes smaller with δ.",
            "只要误差都不超过 δ，它就是平方误差的一半。对超过 δ 的误差，损失除以 δ 就是绝对误差减去一个常数，δ 越小，这个常数越小。",
        ),
        b.line(of(pointwise(huber, delta=wide), a, t), HALF * (a - t) ** 2),
        b.line(of(pointwise(huber, delta=δ), a, t) / δ, abs(a - t) - HALF * δ),
    )


def numbers(b: Board) -> Iterator[Block]:
    δ, t = b.number("δ", 1), b.number("t", 2)
    op = pointwise(huber, delta=δ)
    near, far = b.number("a_1", "2.5"), b.number("a_2", 5)
    yield b.step(
        both("An error of 0.5 and one of 3, with δ = 1", "δ = 1，误差为 0.5 与 3"),
        both(
            "The first error is within δ, the second beyond. With half the squared error, the second loss would be 4.5 and its slope 3.",
            "第一个误差在 δ 之内，第二个超出。若用平方误差的一半，后者的损失将是 4.5，导数将是 3。",
        ),
        b.line(b.defined("ℓ_1", of(op, near, t)), HALF * (near - t) ** 2, numbers=True),
        b.line(b.slope(of(op, near, t), near, partial("ℓ_1", near)), near - t, numbers=True),
        b.line(b.defined("ℓ_2", of(op, far, t)), δ * (abs(far - t) - HALF * δ), numbers=True),
        b.line(b.slope(of(op, far, t), far, partial("ℓ_2", far)), δ, numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    error = b.free("e")
    at = grid(-3, 3)
    zero = b.number("t", 0)
    bent = [of(pointwise(huber, delta=Fraction(δ)), error, zero) for δ in ("0.5", "1")]
    yield b.chart(
        both("Huber's loss between its two relatives", "Huber 损失与它的两个近亲"),
        both("error a − t", "误差 a − t"),
        "",
        {
            "δ = 1": b.vary(bent[1], error, at),
            "δ = ½": b.vary(bent[0], error, at),
            "½(a − t)²": b.vary(HALF * error**2, error, at),
            "|a − t|": b.vary(abs(error), error, at),
        },
    )
    yield b.chart(
        both("Its slope is the error, clipped at ±δ", "它的导数是在 ±δ 处截断的误差"),
        both("error a − t", "误差 a − t"),
        "",
        {
            f"δ = {name}": b.vary(larger(-f, smaller(error, f)), error, at)
            for name, f in (("1", Fraction(1)), ("½", HALF))
        },
    )


def a_jump(b: Board) -> tuple[Formula, Formula]:
    δ, t = b.free("δ", HALF, 2), b.free("t")
    a = b.defined("a", t + 2 * δ)
    return δ * abs(a - t), of(pointwise(huber, delta=δ), a, t)


def smooth(b: Board) -> tuple[Formula, Formula]:
    a, t, δ = b.free("a", 3, 5), b.free("t", 0, 1), b.free("δ", "0.2", "0.8")
    return of(pointwise(smooth_l1, beta=δ), a, t), of(pointwise(huber, delta=δ), a, t)


lesson = Lesson(
    title=both("Huber's loss", "Huber 损失"),
    short=both(
        "½(a − t)² up to |a − t| = δ, then δ(|a − t| − ½δ); value and slope agree where the pieces meet, and the slope is the error clipped at ±δ.",
        "|a − t| 不超过 δ 时为 ½(a − t)²，之后为 δ(|a − t| − ½δ)；两段在接合处函数值与导数都相等，导数是在 ±δ 处截断的误差。",
    ),
    chapter="losses",
    position=3,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "It has the good side of both relatives. Near the target the slope shrinks with the error, so the output settles; far away it is bounded, so an outlier cannot pull without limit.",
            "它兼有两个近亲的优点：在目标附近导数随误差减小，输出可以稳定下来；远处导数有界，离群值的拉力不会无限大。",
        ),
        both(
            "δ is measured in the unit of the targets and says how large an error must be to count as an outlier. It has to be chosen to suit the data.",
            "δ 与目标的单位相同，规定多大的误差算作离群值，需要根据数据来选。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Beyond δ the loss is δ|a − t|", "超过 δ 后损失为 δ|a − t|"),
            both(
                "Then it would jump at δ, from ½δ² to δ². The constant −½δ² makes the pieces meet.",
                "那样它会在 δ 处从 ½δ² 跳到 δ²。常数 −½δ² 使两段相接。",
            ),
            a_jump,
        ),
        Mistake(
            both("HuberLoss and SmoothL1Loss are the same", "HuberLoss 与 SmoothL1Loss 相同"),
            both(
                "Only for δ = β = 1. In general Huber's loss is δ times the smooth L1 loss with β = δ.",
                "只有 δ = β = 1 时相同。一般来说，Huber 损失等于 δ 乘以 β = δ 的 smooth L1 损失。",
            ),
            smooth,
        ),
    ),
    network="""
inputs: [[1, 2], [0, -1]]
targets: [[4], [0]]
layers:
  - linear: {out: 2, weight: [[0.5, -0.3], [0.2, 0.4]], bias: [0.1, 0]}
  - tanh
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: {huber: {delta: 1}}
optimizer: {sgd: {lr: 0.1}}
""",
    see=("smooth_l1", "mse", "mae", "hardtanh"),
)

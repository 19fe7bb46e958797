"""ExponentialLR: the rate times γ in every epoch."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, formula, log
from derive.language import Both
from derive.lessons._schedule import Rates, sheet, stairs, worked
from derive.schedules.sheet import GAMMA

LONG = 1000  # terms of a sum that has no end: what is left out is below 10⁻⁴⁰
SCHEDULE = sheet("exponential_lr", gamma=Fraction(9, 10))


def derivation(b: Board) -> Iterator[Block]:
    gamma = b.free("γ", "0.5", "0.9")
    rates = Rates(b, sheet("exponential_lr", gamma=Fraction(1)), {GAMMA: gamma}, (4, 15))
    e, now, base = rates.e, rates.now, rates.base
    yield b.step(
        both("Definition", "定义"),
        both("In every epoch the rate is multiplied by γ.", "每一轮学习率都乘以 γ。"),
        b.line(now, rates.recursion),
    )
    ago = [rates.rate(f"e−{back}", rates.last - back) for back in (2, 3)]
    yield b.step(
        both("Closed form", "封闭形式"),
        both(
            "The recursion is put into itself: each epoch further back is a factor γ more. After e epochs the first rate is reached. The left side is stepped epoch by epoch to check it.",
            "把递推式代入自身：每往回一轮，就多一个因子 γ；回溯 e 轮就到初始学习率。为了核对，左边是一轮一轮递推出来的。",
        ),
        b.line(now, rates.recursion, ago[0] * gamma**2, ago[1] * gamma**3, rates.closed()),
    )
    yield b.step(
        both("Why it is called exponential", "为什么叫指数"),
        both(
            "The epoch stands in the exponent. So the logarithm of the rate falls along a straight line, by the same amount −ln γ in every epoch.",
            "轮次出现在指数上，所以学习率的对数沿直线下降，每一轮下降同样的量 −ln γ。",
        ),
        b.line(log(now), log(base) + e * log(gamma)),
    )
    half = b.defined("h", log(formula(2)) / -log(gamma))
    yield b.step(
        both("When the rate is halved", "何时减半"),
        both(
            "The number h of epochs after which half the rate is left: the logarithm turns the power into a product. It does not depend on where one starts. With γ = 0.9 the rate is halved every 6.6 epochs.",
            "h 是学习率减半所需的轮数：取对数把幂变成乘积。它与从哪里开始无关。γ = 0.9 时，每 6.6 轮减半一次。",
        ),
        b.line(half, log(formula(2)) / -log(gamma)),
        b.line(log(gamma**half), half * log(gamma), -log(formula(2)), log(formula(1) / 2)),
        b.line(rates.closed(e + half), base * gamma**e * gamma**half, now / 2),
    )
    i = b.free("i")
    count = b.random.randint(4, 9)
    n, part = b.number("n", count), b.summed("s_n", rates.closed(i), i, 0, count - 1)
    total = b.summed("s", rates.closed(i), i, 0, LONG)
    yield b.step(
        both("All rates together", "所有学习率之和"),
        both(
            "Multiplied by γ, the sum sₙ of the first n rates loses its first term and gains one at its end. So the difference of the two has only these two terms. As n grows, γⁿ goes to 0, and the sum s of all rates is finite: with γ too small, the parameters come to rest before they arrive.",
            "前 n 轮学习率之和 sₙ 乘以 γ，就去掉首项、在末尾多出一项，所以两者之差只剩这两项。n 增大时 γⁿ 趋于 0，所有学习率之和 s 是有限的：γ 太小，参数还没到达就停下了。",
        ),
        b.line(part - gamma * part, base - base * gamma**n),
        b.line(part, base * (1 - gamma**n) / (1 - gamma)),
        b.line(total, base / (1 - gamma)),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield b.step(
        both("γ = 0.9", "γ = 0.9"),
        both(
            "A tenth of what is there is lost in every epoch; after 22 epochs about a tenth is left.",
            "每一轮减少现有值的十分之一；22 轮之后剩下约十分之一。",
        ),
        *worked(b, SCHEDULE, "0.1", (0, 1, 2, 22)),
    )


def picture(b: Board) -> Iterator[Block]:
    curves: dict[str | Both, list[tuple[float, float]]] = {
        f"γ = {float(gamma):g}": stairs(sheet("exponential_lr", gamma=gamma), Fraction(1, 10), 50)
        for gamma in (Fraction(98, 100), Fraction(95, 100), Fraction(9, 10))
    }
    yield b.chart(both("The rate", "学习率"), "e", "η", curves, style="steps")
    yield b.chart(
        both("On a logarithmic axis: straight lines", "对数坐标下是直线"), "e", "η", curves, style="steps", log_y=True
    )


def linear(b: Board) -> tuple[Formula, Formula]:
    gamma, e = b.free("γ", "0.5", "0.95"), b.whole("e", 2, 9)
    return 1 - e * (1 - gamma), gamma**e


def per_batch(b: Board) -> tuple[Formula, Formula]:
    gamma, count = b.free("γ", "0.5", "0.95"), b.whole("I", 2, 9)
    return gamma**count, gamma


lesson = Lesson(
    title=both("ExponentialLR: a factor in every epoch", "ExponentialLR：每轮乘一个因子"),
    short=both(
        "In epoch e the rate is η₀γᵉ: a straight line on a logarithmic axis, halved every ln 2/(−ln γ) epochs.",
        "第 e 轮的学习率是 η₀γᵉ：对数坐标下是直线，每 ln 2/(−ln γ) 轮减半。",
    ),
    chapter="schedules",
    position=4,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=both(
        "One number instead of a list of milestones, and no jumps. But it falls very fast at first: γ = 0.9 leaves less than a hundredth after 44 epochs, so for long training γ has to be close to 1.",
        "只需一个数，不用列里程碑，也没有跳变。但一开始降得很快：γ = 0.9 时 44 轮后不到百分之一，所以长时间训练时 γ 要接近 1。",
    ),
    mistakes=(
        Mistake(
            both("With γ = 0.9 the rate is 0 after ten epochs.", "γ = 0.9 时，十轮之后学习率为 0。"),
            both(
                "A tenth of what is left goes each time, not of the first rate: after ten epochs 0.9¹⁰, about 0.35 of it, is left.",
                "每次减少的是剩余量的十分之一，不是初始值的十分之一：十轮之后还剩 0.9¹⁰，约 0.35。",
            ),
            linear,
        ),
        Mistake(
            both("The same γ serves for steps per batch.", "按 batch 调度也可以用同一个 γ。"),
            both(
                "Called after each of I batches, the epoch's factor is γ to the power I. For the same fall γ has to be its I-th root.",
                "若 I 个 batch 各调用一次，每轮的因子就是 γ 的 I 次幂。要得到同样的下降，应取 γ 的 I 次方根。",
            ),
            per_batch,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {sgd: {lr: 0.1}}
schedule: {exponential_lr: {gamma: 0.9}}
steps: 3
""",
    see=("learning_rate_schedules", "step_lr", "cosine_annealing"),
)

"""Warm-up: the rate grows along a straight line first, because the first averages are noisy."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, bind, formula, sqrt
from derive.language import Both
from derive.lessons._schedule import Rates, sheet, stairs, worked
from derive.schedules import BASE, E
from derive.schedules.sheet import END, ITERS, START, WARM

SCHEDULE = sheet("warm_up", steps=5)
COUNT = next(iter(SCHEDULE.constants))  # n, as the sheet names it


def derivation(b: Board) -> Iterator[Block]:
    n = b.whole("n", 6, 10)
    rates = Rates(b, sheet("warm_up", steps=1), {COUNT: n}, (3, 5))
    e, now, base = rates.e, rates.now, rates.base
    yield b.step(
        both("Definition", "定义"),
        both(
            "For n epochs the rate grows by equal steps, a share 1/n of the base rate in each; epochs are counted from 0. In epoch n − 1 the base rate is reached, and stays; up to there (1 ≤ e < n) the sum with the rate before holds.",
            "在前 n 轮，学习率等量增长，每轮增加基准学习率的 1/n；轮次从 0 数起。第 n − 1 轮达到基准学习率，此后不变；与前一轮相加的式子只在此之前（1 ≤ e < n）成立。",
        ),
        b.line(rates.start, rates.first),
        b.line(now, rates.before + base / n, rates.closed()),
    )
    first = [rates.rate(str(i), i) for i in range(4)]
    yield b.step(
        both("As factors", "写成因子"),
        both(
            "As a product, up to epoch n − 1: epoch e has e + 1 shares where the epoch before had e. In the product everything cancels but the last numerator and the first denominator.",
            "到第 n − 1 轮为止，也可以写成乘法：第 e 轮有 e + 1 份，前一轮有 e 份。连乘时，除最后一个分子和第一个分母外全部约去。",
        ),
        b.line(first[1], first[0] * (formula(2) / 1), 2 * base / n),
        b.line(first[2], first[1] * Fraction(3, 2), 3 * base / n),
        b.line(first[3], first[2] * Fraction(4, 3), 4 * base / n),
        b.line(now, rates.before * ((e + 1) / e), rates.recursion),
    )
    linear = sheet("linear")
    assert linear.closed is not None
    bound = bind(linear.closed, {BASE: base, E: e, START: 1 / n, END: formula(1), ITERS: n - 1})
    yield b.step(
        both("With PyTorch's LinearLR", "用 PyTorch 的 LinearLR"),
        both(
            "LinearLR goes from a first factor to 1 in a given number of epochs. With the first factor 1/n and n − 1 epochs it is this warm-up; for e < n the smaller of e and n − 1 is e.",
            "LinearLR 在给定轮数内从初始因子线性变到 1。取初始因子 1/n、轮数 n − 1，就是这里的预热；e < n 时，e 与 n − 1 中较小者是 e。",
        ),
        b.line(now, bound, base * (1 / n + (n - 1) / n * e / (n - 1)), base * (1 + e) / n),
    )
    yield from distance(b, n)
    yield from noise(b)
    yield from peak(b)


def distance(b: Board, n: Name) -> Iterator[Block]:
    i, eta = b.free("i"), b.free("η_base", "0.01", "0.1")
    count = int(b.values.known_exactly(n))
    total = b.summed("D", (i + 1) / n * eta, i, 0, count - 1)
    yield b.step(
        both("How far one gets", "走了多远"),
        both(
            "If every step is as long as the rate, as Adam's first one is, D is how far a parameter gets at most during the warm-up. The numbers from 1 to n have the sum n(n + 1)/2: it is about half as far as without.",
            "若每一步的长度都等于学习率（Adam 的第一步就是如此），D 就是预热期间参数最多走过的距离。1 到 n 之和为 n(n + 1)/2：大约是不预热时的一半。",
        ),
        b.line(total, n * (n + 1) / 2 * (eta / n), (n + 1) / 2 * eta),
    )


def noise(b: Board) -> Iterator[Block]:
    beta, k, times = b.free("β", "0.5", "0.95"), b.free("k"), b.random.randint(3, 9)
    t = b.number("t", times)
    share = b.summed("Q_t", ((1 - beta) * beta**k / (1 - beta**t)) ** 2, k, 0, times - 1)
    one = b.summed("Q_1", ((1 - beta) * beta**k / (1 - beta)) ** 2, k, 0, 0)
    yield b.step(
        both("Why the first steps are the worst", "为什么最初几步最不可靠"),
        both(
            "With Adam's β₁ as β, its corrected average is a weighted mean of t gradients: one that is k steps old has the weight (1 − β)βᵏ/(1 − βᵗ). The variance of its noise is that of one gradient times the sum Q of the squared weights, a geometric series in β². In the first step Q is 1: the direction is that of a single mini-batch, and the step has the full length all the same. Later Q falls towards (1 − β)/(1 + β), which is 1/19 for β = 0.9.",
            "把 Adam 的 β₁ 记为 β，修正后的平均是 t 个梯度的加权平均：k 步之前的梯度权重为 (1 − β)βᵏ/(1 − βᵗ)。其噪声方差等于单个梯度的方差乘以权重平方之和 Q，它是公比 β² 的几何级数。第一步 Q = 1：方向只取决于一个小批量，步长却是满的。之后 Q 趋于 (1 − β)/(1 + β)，β = 0.9 时为 1/19。",
        ),
        b.line(
            share,
            (1 - beta) ** 2 * (1 - beta ** (2 * t)) / ((1 - beta**2) * (1 - beta**t) ** 2),
            (1 - beta) * (1 + beta**t) / ((1 + beta) * (1 - beta**t)),
        ),
        b.line(one, (1 - beta) * (1 + beta) / ((1 + beta) * (1 - beta)), 1),
    )


def peak(b: Board) -> Iterator[Block]:
    base, warm, e = b.free("η_base", "0.1", 1), b.whole("w", 3, 9), b.whole("e", 1, 20)
    noam = sheet("noam")
    assert noam.closed is not None
    names = {BASE: base, WARM: warm}
    shown = bind(noam.closed, {**names, E: e})
    yield b.step(
        both("Up and down in one formula", "一个公式先升后降"),
        both(
            "The schedule of the first transformer takes the smaller of a rising line and a falling root. In epoch w − 1 both are the same; before it the line is smaller, after it the root. The highest rate is the base rate over √w.",
            "第一个 Transformer 的调度取上升直线与下降根式中较小者。第 w − 1 轮两者相等；之前直线较小，之后根式较小。最高学习率是基准学习率除以 √w。",
        ),
        b.line(b.defined("η_e", shown), shown),
        b.line(
            b.defined("η_w−1", bind(noam.closed, {**names, E: warm - 1})),
            base * (warm / (warm * sqrt(warm))),
            base / sqrt(warm),
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield b.step(
        both("Five epochs of warm-up", "预热五轮"),
        both(
            "A fifth of the base rate more in every epoch; from epoch 4 on the rate is 0.1.",
            "每轮增加基准学习率的五分之一；从第 4 轮起学习率为 0.1。",
        ),
        *worked(b, SCHEDULE, "0.1", range(6)),
    )


def picture(b: Board) -> Iterator[Block]:
    both_parts = sheet("sequential", schedules=(SCHEDULE, sheet("cosine_annealing", t_max=25)), milestones=(5,))
    curves: dict[str | Both, list[tuple[float, float]]] = {
        both("warm-up", "预热"): stairs(SCHEDULE, Fraction(1, 10), 30),
        both("warm-up, then cosine", "预热后接余弦"): stairs(both_parts, Fraction(1, 10), 30),
        "noam": stairs(sheet("noam", warmup_steps=5), Fraction(1, 10), 30),
    }
    yield b.chart(both("Five epochs of warm-up", "预热五轮"), "e", "η", curves, style="steps")
    t, beta = b.free("t"), b.number("β", "0.9")
    at = [float(i) for i in range(1, 41)]
    yield b.chart(
        both(
            "Variance of Adam's averaged gradient in units of one gradient's, for β = 0.9",
            "Adam 平均梯度的方差（以单个梯度的方差为单位，β = 0.9）",
        ),
        "t",
        "Q",
        {"β = 0.9": b.vary((1 - beta) * (1 + beta**t) / ((1 + beta) * (1 - beta**t)), t, at)},
    )


def from_zero(b: Board) -> tuple[Formula, Formula]:
    n, e, base = b.whole("n", 3, 9), b.whole("e", 0, 2), b.free("η_base", "0.1", 1)
    return base * e / n, base * (e + 1) / n


lesson = Lesson(
    title=both("Warm-up", "学习率预热"),
    short=both(
        "In the first n epochs the share (e + 1)/n of the base rate: small steps while the optimizer's averages are still those of a few gradients.",
        "前 n 轮取基准学习率的 (e + 1)/n：优化器的平均值还只来自少数几个梯度时，先走小步。",
    ),
    chapter="schedules",
    position=6,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=both(
        "At the start the weights are random, the gradients large and their directions not yet reliable. Large batches with large rates, and transformers with Adam, often diverge without a warm-up. In practice it lasts for a few hundred or thousand iterations rather than epochs.",
        "一开始权重是随机的，梯度大，方向还不可靠。大批量配大学习率，以及用 Adam 训练 Transformer，不预热常常发散。实践中预热往往按几百或几千次迭代计，而不是按轮次。",
    ),
    mistakes=(
        Mistake(
            both("The warm-up starts with the rate 0.", "预热从学习率 0 开始。"),
            both(
                "Then the first epoch would change nothing, as in libraries that do begin at 0. With epochs counted from 0, the factor here is (e + 1)/n.",
                "那样第一轮什么都不会改变，有些库确实如此。这里轮次从 0 数起，因子是 (e + 1)/n。",
            ),
            from_zero,
        ),
        Mistake(
            both("A warm-up replaces a falling rate.", "有了预热，就不需要再降低学习率。"),
            both(
                "It is about the start only. The noise at the end is reduced by what follows, such as half a cosine.",
                "预热只管开头。后期的噪声要靠之后的调度来降低，例如接半个余弦。",
            ),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {adam: {lr: 0.1}}
schedule: {warm_up: {steps: 3}}
steps: 4
""",
    see=("adam", "learning_rate_schedules", "cosine_annealing", "ema"),
)

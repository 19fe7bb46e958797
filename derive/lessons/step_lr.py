"""StepLR: the rate times γ every k epochs, and the number of drops as a floor."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, cases, floor
from derive.lessons._schedule import Rates, sheet, stairs, worked
from derive.schedules.sheet import GAMMA, STEP

SCHEDULE = sheet("step_lr", step_size=50, gamma=Fraction(1, 2))  # of the example


def derivation(b: Board) -> Iterator[Block]:
    k, gamma = b.whole("k", 2, 5), b.free("γ", "0.2", "0.8")
    rates = Rates(b, sheet("step_lr", step_size=1), {STEP: k, GAMMA: gamma}, (6, 20))
    e, now = rates.e, rates.now
    yield b.step(
        both("Definition", "定义"),
        both(
            "The rate stays as it is, but in every k-th epoch it is multiplied by γ. An epoch e is a multiple of k exactly if it is not larger than k times the whole part of e/k.",
            "学习率保持不变，但每到轮次为 k 的倍数时就乘以 γ。当且仅当 e 不大于 k 乘以 e/k 的整数部分时，轮次 e 是 k 的倍数。",
        ),
        b.line(now, rates.recursion),
    )
    i = b.free("i")
    n = b.summed("n_e", cases((1, i <= k * floor(i / k)), (0, True)), i, 1, rates.last)
    yield b.step(
        both("How many drops there were", "下降了多少次"),
        both(
            "The multiples of k from 1 to e are k, 2k, 3k and so on: as many as k fits into e. Counted one by one, their number is the whole part of e/k.",
            "从 1 到 e，k 的倍数是 k、2k、3k……：e 里能容下几个 k 就有几个。逐个数出来，个数就是 e/k 的整数部分。",
        ),
        b.line(n, floor(e / k)),
    )
    yield b.step(
        both("Closed form", "封闭形式"),
        both(
            "Each drop is a factor γ, and nothing else changes the rate: so the rate is the first one times γ to the number of drops. The left side is stepped epoch by epoch to check it.",
            "每次下降乘一个 γ，除此之外学习率不变：所以学习率等于初始值乘以 γ 的下降次数次幂。为了核对，左边是一轮一轮递推出来的。",
        ),
        b.line(now, rates.base * gamma**n, rates.closed()),
    )
    yield b.step(
        both("The same envelope as an exponential", "与指数衰减的包络相同"),
        both(
            "In the epochs in which it drops, the rate is on the curve of an exponential schedule with the factor γ to the power 1/k. Between them it is above.",
            "在下降的那些轮次，学习率恰好落在因子为 γ 的 1/k 次幂的指数曲线上；其余轮次则高于该曲线。",
        ),
        b.line(rates.closed(k * n), rates.base * gamma**n, rates.base * (gamma ** (1 / k)) ** (k * n)),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield b.step(
        both("Half the rate every 50 epochs", "每 50 轮减半"),
        both(
            "Epochs 0 to 49 have the first rate; the drop is in epoch 50. In epoch 120 there have been two.",
            "第 0 到 49 轮用初始学习率，第 50 轮下降；到第 120 轮已下降两次。",
        ),
        *worked(b, SCHEDULE, "0.1", (0, 49, 50, 120)),
    )


def picture(b: Board) -> Iterator[Block]:
    smooth = sheet("exponential_lr", gamma=Fraction(0.5 ** (1 / 50)))
    yield b.chart(
        both("Half the rate every 50 epochs, and its exponential envelope", "每 50 轮减半，及其指数包络"),
        "e",
        "η",
        {
            "step_lr": stairs(SCHEDULE, Fraction(1, 10), 200),
            "exponential_lr": stairs(smooth, Fraction(1, 10), 200),
        },
        style="steps",
    )


def one_more(b: Board) -> tuple[Formula, Formula]:
    gamma, k = b.free("γ", "0.2", "0.8"), b.whole("k", 2, 9)
    return gamma ** floor(k / k), gamma ** floor((k - 1) / k)


def subtracted(b: Board) -> tuple[Formula, Formula]:
    rate, gamma = b.free("η", "0.5", 1), b.free("γ", "0.1", "0.3")
    return rate - gamma, rate * gamma


lesson = Lesson(
    title=both("StepLR: a drop every k epochs", "StepLR：每隔 k 轮下降一次"),
    short=both(
        "In epoch e the rate is η₀ times γ to the power ⌊e/k⌋, the number of drops so far.",
        "第 e 轮的学习率是 η₀ 乘以 γ 的 ⌊e/k⌋ 次幂，⌊e/k⌋ 是已下降的次数。",
    ),
    chapter="schedules",
    position=2,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=both(
        "The simplest schedule: train fast, and when noise keeps the loss from falling further, go on with a smaller rate. The plateaus also show whether a drop came too early or too late.",
        "最简单的调度：先快速训练，等到噪声使损失不再下降，再换小的学习率继续。从平台的长短还能看出下降得太早还是太晚。",
    ),
    mistakes=(
        Mistake(
            both("With step_size = k the first drop is in epoch k − 1.", "step_size = k 时，第一次下降在第 k − 1 轮。"),
            both(
                "Epochs are counted from 0: epochs 0 to k − 1 have the first rate, k of them, and epoch k has the next.",
                "轮次从 0 数起：第 0 到 k − 1 轮共 k 轮用初始学习率，第 k 轮才换下一个。",
            ),
            one_more,
        ),
        Mistake(
            both("γ is subtracted.", "γ 是减去的量。"),
            both(
                "It is a factor: γ = 0.1, the default, leaves a tenth of the rate.",
                "γ 是乘上去的因子：默认 γ = 0.1，学习率变为十分之一。",
            ),
            subtracted,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {sgd: {lr: 0.1}}
schedule: {step_lr: {step_size: 2, gamma: 0.5}}
steps: 4
""",
    see=("learning_rate_schedules", "multi_step_lr", "exponential_lr"),
)

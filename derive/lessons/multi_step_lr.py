"""MultiStepLR: the rate times γ at given epochs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, add, bind, cases, formula
from derive.lessons._schedule import Rates, sheet, stairs, worked
from derive.schedules import E
from derive.schedules.sheet import GAMMA, STEP

MILESTONES = (50, 100, 160)
SCHEDULE = sheet("multi_step_lr", milestones=MILESTONES, gamma=Fraction(1, 2))


def derivation(b: Board) -> Iterator[Block]:
    gamma = b.free("γ", "0.2", "0.8")
    first = b.random.randint(2, 5)
    second = first + b.random.randint(2, 4)
    third = second + b.random.randint(2, 4)
    marks = [b.number(f"m_{i}", epoch) for i, epoch in enumerate((first, second, third), 1)]
    schedule = sheet("multi_step_lr", milestones=(1, 2, 3))
    named = dict(zip((name for name in schedule.constants if name != GAMMA), marks, strict=True))
    rates = Rates(b, schedule, {GAMMA: gamma, **named}, (1, third + 3))
    e, now = rates.e, rates.now
    yield b.step(
        both("Definition", "定义"),
        both(
            "The milestones are epochs, here three. In each of them the rate is multiplied by γ, in all others it stays. The branches are read from top to bottom: before the first milestone, at it, before the second, and so on.",
            "里程碑是若干给定的轮次，这里有三个。恰在里程碑处，学习率乘以 γ；其余轮次不变。各分支从上往下读：第一个里程碑之前、恰在其处、第二个之前，依此类推。",
        ),
        b.line(now, rates.recursion),
    )
    passed = add(*(cases((1, mark <= e), (0, True)) for mark in marks))
    n = b.hold("n_e", Fraction(sum(epoch <= rates.last for epoch in (first, second, third))))
    yield b.step(
        both("How many milestones are passed", "已经过多少个里程碑"),
        both(
            "Every milestone that is not later than epoch e counts 1. Since they are in order, it is enough to know which of them come before e.",
            "每个不晚于第 e 轮的里程碑计 1。因为里程碑按顺序排列，只需知道 e 落在哪两个之间。",
        ),
        b.line(n, passed, cases((0, e < marks[0]), (1, e < marks[1]), (2, e < marks[2]), (3, True))),
    )
    yield b.step(
        both("Closed form", "封闭形式"),
        both(
            "One factor γ for every milestone passed, and nothing else changes the rate. The left side is stepped epoch by epoch to check it.",
            "每经过一个里程碑乘一个 γ，除此之外学习率不变。为了核对，左边是一轮一轮递推出来的。",
        ),
        b.line(now, rates.base * gamma**n, rates.closed()),
    )
    k = b.whole("k", 2, 5)
    regular = Rates(b, sheet("step_lr", step_size=1), {GAMMA: gamma, STEP: k}, (2, 7))
    spread = dict(zip(named, (k, 2 * k, 3 * k), strict=True))
    assert schedule.closed is not None
    yield b.step(
        both("StepLR is a special case", "StepLR 是特例"),
        both(
            "With milestones at k, 2k and 3k the drops are those of StepLR, up to epoch 4k, where StepLR would drop once more.",
            "若里程碑取 k、2k、3k，下降与 StepLR 相同，直到第 4k 轮 StepLR 再次下降为止。",
        ),
        b.line(regular.now, bind(schedule.closed, {**regular.options, **spread, E: regular.e}), regular.closed()),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield b.step(
        both("Milestones 50, 100, 160 and γ = 0.5", "里程碑 50、100、160，γ = 0.5"),
        both(
            "The condition beside a line is the case that applies; no drop, one, two and three.",
            "每行旁边的条件是适用的情形；依次为零次、一次、两次、三次下降。",
        ),
        *worked(b, SCHEDULE, "0.1", (49, 50, 120, 160)),
    )


def picture(b: Board) -> Iterator[Block]:
    yield b.chart(
        both("Milestones 50, 100 and 160", "里程碑 50、100 和 160"),
        "e",
        "η",
        {"γ = 0.5": stairs(SCHEDULE, Fraction(1, 10), 200)},
        style="steps",
    )


def absolute(b: Board) -> tuple[Formula, Formula]:
    gamma, base = b.free("γ", "0.2", "0.8"), b.free("η_0", "0.1", 1)
    return base * gamma, base * gamma ** formula(2)


lesson = Lesson(
    title=both("MultiStepLR: drops at given epochs", "MultiStepLR：在指定轮次下降"),
    short=both(
        "In epoch e the rate is η₀ times γ to the number of milestones up to e.",
        "第 e 轮的学习率是 η₀ 乘以 γ 的 n 次幂，n 是不晚于 e 的里程碑个数。",
    ),
    chapter="schedules",
    position=3,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=both(
        "As StepLR, but the plateaus may have different lengths: a long first one for the large rate, shorter ones later. Many published image networks were trained this way, for instance with drops after half and three quarters of the epochs.",
        "与 StepLR 类似，但平台可长可短：大学习率的第一段长一些，后面的短一些。许多公开发表的图像网络就是这样训练的，例如在一半和四分之三处下降。",
    ),
    mistakes=(
        Mistake(
            both("After the second milestone the rate is γη₀.", "过了第二个里程碑，学习率是 γη₀。"),
            both(
                "It is γ²η₀: every milestone multiplies what is there, not the first rate.",
                "是 γ²η₀：每个里程碑乘的是当前学习率，而不是初始学习率。",
            ),
            absolute,
        ),
        Mistake(
            both("The milestones are the lengths of the plateaus.", "里程碑是各平台的长度。"),
            both(
                "They are epochs, counted from 0: with [50, 100, 160] the plateaus have the lengths 50, 50, 60 and the rest.",
                "里程碑是从 0 数起的轮次：[50, 100, 160] 的平台长度依次为 50、50、60 和剩余部分。",
            ),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {sgd: {lr: 0.1}}
schedule: {multi_step_lr: {milestones: [1, 3], gamma: 0.5}}
steps: 4
""",
    see=("learning_rate_schedules", "step_lr", "exponential_lr"),
)

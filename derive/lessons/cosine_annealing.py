"""Cosine annealing: half a cosine from the first rate to the last."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import PI, Formula, bind, cos, formula, sin
from derive.language import Both
from derive.lessons._schedule import Rates, sheet, stairs, worked
from derive.schedules import BASE, E
from derive.schedules.sheet import LENGTH, LOWEST

SCHEDULE = sheet("cosine_annealing", t_max=30)


def derivation(b: Board) -> Iterator[Block]:
    length, low = b.whole("T", 8, 14), b.free("η_min", "0.001", "0.01")
    rates = Rates(b, sheet("cosine_annealing", t_max=1), {LENGTH: length, LOWEST: low}, (3, 7))
    e, now, base = rates.e, rates.now, rates.base
    share = b.free("s", 0, 1)
    swing = b.defined("c", (1 + cos(PI * share)) / 2)
    zero, one = formula(0), formula(1)
    yield b.step(
        both("A smooth way from 1 to 0", "从 1 平滑地降到 0"),
        both(
            "The cosine falls from 1 to −1 while its angle goes from 0 to π. Shifted up by 1 and halved, it falls from 1 to 0 while the share s of the time goes from 0 to 1.",
            "角度从 0 到 π 时，余弦从 1 降到 −1。加 1 再除以 2，当时间份额 s 从 0 到 1 时，它就从 1 降到 0。",
        ),
        b.line(swing, (1 + cos(PI * share)) / 2),
        b.line(bind((1 + cos(PI * share)) / 2, {share: zero}), 1),
        b.line(bind((1 + cos(PI * share)) / 2, {share: one}), 0),
    )
    yield b.step(
        both("The rate", "学习率"),
        both(
            "With s = e/T this is stretched between the first rate and the lowest rate, which is reached in epoch T. The left side is stepped epoch by epoch with PyTorch's recursion, which is derived below.",
            "取 s = e/T，再把它拉伸到初始学习率与最小学习率之间，第 T 轮到达最小值。左边是用 PyTorch 的递推式一轮一轮算出来的，递推式见下文。",
        ),
        b.line(now, rates.closed()),
    )
    yield from shape(b, base, low)
    yield from symmetry(b, rates, length, low)
    before = rates.before
    taken, _ = b.desk.reader.resolved(rates.recursion)
    fraction = (1 + cos(PI * e / length)) / (1 + cos(PI * (e - 1) / length))
    yield b.step(
        both("As a recursion", "写成递推式"),
        both(
            "What lies above the lowest rate is in each epoch the same height times the bracket, so the ratio of two epochs is the ratio of the brackets. This is how PyTorch steps the rate, up to epoch T.",
            "每一轮高出最小学习率的部分都是同一高度乘以括号，所以相邻两轮之比就是括号之比。直到第 T 轮，PyTorch 都这样更新。",
        ),
        b.line(before, rates.closed(e - 1)),
        b.line((now - low) / (before - low), fraction),
        b.line(now, taken),
    )
    turn = int(b.values.known_exactly(length))
    lowest, after = rates.rate("T", turn), rates.rate("T+1", turn + 1)
    up = (base - low) * (1 - cos(PI / length)) / 2
    yield b.step(
        both("After the lowest point", "最低点之后"),
        both(
            "In epoch T the rate is the lowest, and the ratio of the next step would be 0/0. There PyTorch adds what the cosine rises by in one epoch; half a turn further the cosine has the other sign.",
            "第 T 轮学习率最小，下一步的比值成为 0/0。PyTorch 在那里加上余弦一轮的上升量；多转半圈，余弦变号。",
        ),
        b.line(lowest, low),
        b.line(cos(PI * (length + 1) / length), cos(PI + PI / length), -cos(PI / length)),
        b.line(after, rates.closed(length + 1), lowest + up),
    )


def shape(b: Board, base: Formula, low: Formula) -> Iterator[Block]:
    """How fast it falls, and that it is symmetric."""
    x, length = b.free("e", 1, 7), b.whole("T", 8, 14)
    curve = low + (base - low) * (1 + cos(PI * x / length)) / 2
    slope = b.slope(curve, x, "η′(e)")
    middle = b.defined("e", length / 2)
    steepest = b.slope(bind(curve, {x: middle}), middle, "η′(T/2)")
    yield b.step(
        both("How fast it falls", "下降得多快"),
        both(
            "By the chain rule the derivative of the cosine brings a minus sign and the factor π/T. The sine is 0 at both ends, so the rate leaves the top and arrives at the bottom gently; it falls fastest in the middle, where the sine is 1: π/2 times as fast as a straight line.",
            "由链式法则，余弦的导数带来负号和因子 π/T。正弦在两端为 0，所以学习率平缓地离开最高点、平缓地到达最低点；在正中间正弦为 1，下降最快，是直线的 π/2 倍。",
        ),
        b.line(
            slope,
            (base - low) / 2 * (-sin(PI * x / length)) * (PI / length),
            -(PI * (base - low) / (2 * length) * sin(PI * x / length)),
        ),
        b.line(steepest, -(PI * (base - low) / (2 * length)), -(PI / 2 * ((base - low) / length))),
    )


def symmetry(b: Board, rates: Rates, length: Formula, low: Formula) -> Iterator[Block]:
    """The rates of two epochs that lie the same way from both ends."""
    e, now, base = rates.e, rates.now, rates.base
    mirrored = b.defined("η_T−e", rates.closed(length - e))
    yield b.step(
        both("The mean rate", "平均学习率"),
        both(
            "Mirrored at the middle, the cosine changes its sign. So the rates of two epochs equally far from the two ends add up to the first and the lowest rate together, and on average over the whole the rate is half of that, as with a straight line.",
            "关于中点对称的两处，余弦符号相反。所以与两端等距的两轮，学习率之和等于初始值与最小值之和；全程平均是其一半，与直线下降相同。",
        ),
        b.line(cos(PI * (length - e) / length), cos(PI - PI * e / length), -cos(PI * e / length)),
        b.line(mirrored, low + (base - low) * (1 - cos(PI * e / length)) / 2),
        b.line(now + mirrored, 2 * low + (base - low), base + low),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield b.step(
        both("From 0.1 to 0 in 30 epochs", "30 轮内从 0.1 降到 0"),
        both(
            "After a third of the time three quarters are left, half after half the time, a quarter after two thirds.",
            "时间过三分之一，还剩四分之三；过半剩一半；过三分之二剩四分之一。",
        ),
        *worked(b, SCHEDULE, "0.1", (0, 10, 15, 20, 30)),
    )


def picture(b: Board) -> Iterator[Block]:
    curves: dict[str | Both, list[tuple[float, float]]] = {
        both("cosine", "余弦"): stairs(SCHEDULE, Fraction(1, 10), 30),
        both("straight line", "直线"): stairs(
            sheet("linear", start_factor=Fraction(1), end_factor=Fraction(0), total_iters=30), Fraction(1, 10), 30
        ),
        both("with restarts", "热重启"): stairs(sheet("warm_restarts", t_0=10), Fraction(1, 10), 30),
    }
    yield b.chart(both("From 0.1 to 0 in 30 epochs", "30 轮内从 0.1 降到 0"), "e", "η", curves, style="steps")
    yield b.chart(
        both("For longer than T, the rate rises again", "超过 T 之后，学习率又会升高"),
        "e",
        "η",
        {"T = 30": stairs(SCHEDULE, Fraction(1, 10), 90)},
        style="steps",
    )


def stays(b: Board) -> tuple[Formula, Formula]:
    low, base, length = b.free("η_min", "0.001", "0.01"), b.free("η_0", "0.1", 1), b.whole("T", 5, 9)
    return low, closed(low, base, length, 2 * length)


def whole_turn(b: Board) -> tuple[Formula, Formula]:
    low, base, length = b.free("η_min", "0.001", "0.01"), b.free("η_0", "0.1", 1), b.whole("T", 5, 9)
    return base, closed(low, base, length, length)


def closed(low: Formula, base: Formula, length: Formula, epoch: Formula) -> Formula:
    assert SCHEDULE.closed is not None
    return bind(SCHEDULE.closed, {LOWEST: low, BASE: base, LENGTH: length, E: epoch})


lesson = Lesson(
    title=both("Cosine annealing", "余弦退火"),
    short=both(
        "Half a cosine from the first rate to the lowest in T epochs: slowly away, fast in the middle, slowly to the end.",
        "T 轮内沿半个余弦从初始学习率降到最小值：起初慢，中间快，最后慢。",
    ),
    chapter="schedules",
    position=5,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=both(
        "No milestones have to be chosen, only the length. The large rate is kept for a while, and the last epochs are made with hardly any noise. Together with a warm-up it is a usual schedule for transformers and image networks.",
        "不用选里程碑，只需给出长度。大学习率会保持一段时间，最后几轮几乎没有噪声。它与预热一起，是 Transformer 和许多图像网络的常用调度。",
    ),
    mistakes=(
        Mistake(
            both("After T epochs the rate stays at its lowest.", "T 轮之后，学习率停在最小值。"),
            both(
                "It rises again along the cosine, and is back at η₀ in epoch 2T. T has to be the number of all epochs, or training has to end there.",
                "它沿余弦重新升高，第 2T 轮回到 η₀。所以 T 应取总轮数，或者训练到此为止。",
            ),
            stays,
        ),
        Mistake(
            both("T is the period of the cosine.", "T 是余弦的周期。"),
            both(
                "It is half of it: after T epochs the rate is lowest, not back at the top.",
                "T 是半个周期：T 轮之后学习率最低，而不是回到最高。",
            ),
            whole_turn,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {sgd: {lr: 0.1}}
schedule: {cosine_annealing: {t_max: 4}}
steps: 4
""",
    see=("learning_rate_schedules", "warm_up", "exponential_lr"),
)

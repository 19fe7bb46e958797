"""Why the learning rate should fall: the noise that a constant rate leaves, and a rate 1/t that averages it away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block, say
from derive.formula import Formula, Name, add, bind, formula, sqrt, walk
from derive.language import Both
from derive.lessons._chance import mean
from derive.lessons._draws import equally
from derive.lessons._optimizer import Made
from derive.lessons._schedule import sheet, stairs
from derive.schedules import BASE, E, schedules
from derive.schedules.sheet import DECAY

SHORT = 25  # names, numbers and heads of a formula that fits into a table
LONG = 1000  # steps after which nothing changes any more


def derivation(b: Board) -> Iterator[Block]:
    eta, curve, theta = b.free("η", "0.1", "0.5"), b.free("λ", "0.5", 1), b.free("θ")
    noise, size = b.free("ξ"), b.free("s", 1, 2)
    drawn = b.values.known_exactly(size)
    every = equally([noise], ((drawn,), (-drawn,)))
    spread = b.expected("σ^2", noise**2, every)
    g = b.defined("g", curve * theta + noise)
    step = bind(Made(b, "sgd", theta, g, {"lr": eta}).new, {g: curve * theta + noise})
    yield b.step(
        both("A noisy gradient", "带噪声的梯度"),
        both(
            "The loss is λθ²/2, with its minimum at 0. A mini-batch gives its slope with an error ξ, which is 0 on average and has the variance σ².",
            "损失是 λθ²/2，最小值在 0 处。小批量给出的斜率带有误差 ξ，其均值为 0，方差为 σ²。",
        ),
        b.line(g, curve * theta + noise),
        b.line(mean(b, noise, every), 0),
        b.line(mean(b, noise**2, every), spread),
    )
    yield b.step(
        both("One step", "走一步"),
        both(
            "A step multiplies the distance from the minimum by 1 − ηλ and adds the error, times η. In the mean square the product of distance and error is 0 on average: what is left is the shrunk square and η² times the variance of the error.",
            "一步把到最小值点的距离乘以 1 − ηλ，再加上 η 倍的误差。求均方时，距离与误差的乘积平均为 0：剩下缩小后的平方，以及 η² 倍的误差方差。",
        ),
        b.line(b.defined("θ_+", step), theta - eta * (curve * theta + noise), (1 - eta * curve) * theta - eta * noise),
        b.line(mean(b, step, every), (1 - eta * curve) * theta),
        b.line(
            mean(b, step**2, every),
            (1 - eta * curve) ** 2 * theta**2
            - 2 * eta * (1 - eta * curve) * theta * mean(b, noise, every)
            + eta**2 * mean(b, noise**2, every),
            (1 - eta * curve) ** 2 * theta**2 + eta**2 * spread,
        ),
    )
    old = b.free("R")
    rule = (1 - eta * curve) ** 2 * old + eta**2 * spread
    rest = b.iterated("R", rule, old, theta**2, LONG)
    yield b.step(
        both("Where it ends", "最终停在哪里"),
        both(
            "With a constant rate below 2/λ the mean square distance R comes to rest where a step does not change it, since the factor (1 − ηλ)² is below 1. Solved for R, it is not 0: for small η it is proportional to the rate. The parameter does not settle at the minimum but keeps jumping around it.",
            "学习率不变且小于 2/λ 时，因子 (1 − ηλ)² 小于 1，均方距离 R 会稳定在一步不再改变它的地方。解出 R，它不是 0：η 较小时与学习率成正比。参数停不到最小值点上，只在它周围跳动。",
        ),
        b.line(rest, (1 - eta * curve) ** 2 * rest + eta**2 * spread),
        b.line((1 - (1 - eta * curve) ** 2) * rest, eta * curve * (2 - eta * curve) * rest, eta**2 * spread),
        b.line(rest, eta * spread / (curve * (2 - eta * curve))),
    )
    yield from averaging(b, curve)
    yield from catalogue(b)


def averaging(b: Board, curve: Name) -> Iterator[Block]:
    times = 3
    t, start = b.number("t", times), b.free("θ_0")
    xi = [b.free(f"ξ_{i}") for i in range(1, times + 1)]
    theta, lines = start, []
    for i in range(1, times + 1):
        rate = b.defined(f"η_{i}", 1 / (i * curve))
        g = b.defined(f"g_{i}", curve * theta + xi[i - 1])
        made = Made(b, "sgd", theta, g, {"lr": rate})
        theta = b.defined(f"θ_{i}", made.new)
        lines.append(b.line(theta, -(add(*xi[:i]) / (i * curve)) if i > 1 else -(xi[0] / curve)))
    yield b.step(
        both("A rate of 1/t", "按 1/t 下降的学习率"),
        both(
            "Large at first, small later: with the rate 1/(λt) in step t the first step forgets the start altogether, and every later one makes the parameter the plain mean of the errors so far, over −λ.",
            "先大后小：第 t 步取学习率 1/(λt)，第一步就完全忘掉起点，以后每一步都使参数等于到目前为止误差的普通平均除以 −λ。",
        ),
        *lines,
    )
    before, now, noise = b.free("θ_t−1"), b.free("ξ_t"), b.free("ξ")
    rate = b.defined("η_t", 1 / (t * curve))
    g = b.defined("g_t", curve * before + now)
    new = b.defined("θ_t", Made(b, "sgd", before, g, {"lr": rate}).new)
    drawn = b.values.known_exactly(b.free("s", 1, 2))
    one, every = equally([noise], ((drawn,), (-drawn,))), equally(xi, signs(drawn, times))
    spread = b.expected("σ^2", noise**2, one)
    yield b.step(
        both("It averages the noise away", "噪声被平均掉"),
        both(
            "Any step t in short: t times the parameter changes by −ξ/λ only, so it is the sum of all errors so far, over −λ. The variance of a mean of t independent errors is σ²/t: it goes to 0, which no constant rate achieves. Here it is worked out over all errors of three steps.",
            "对任意第 t 步：参数的 t 倍每步只改变 −ξ/λ，所以它等于到目前为止的误差之和除以 −λ。t 个独立误差的平均，方差是 σ²/t，趋于 0；任何固定的学习率都做不到。这里对三步的所有误差情形做了穷举。",
        ),
        b.line(t * new, t * before - (curve * before + now) / curve, (t - 1) * before - now / curve),
        b.line(mean(b, (add(*xi) / (times * curve)) ** 2, every), spread / (times * curve**2)),
    )
    falling = sheet("inverse_time", decay=Fraction(1))
    assert falling.closed is not None
    base = b.defined("η_0", 1 / curve)
    shown = bind(falling.closed, {E: t - 1, BASE: base, DECAY: formula(1)})
    yield b.step(
        both("As a schedule", "写成学习率调度"),
        both(
            "With one step in an epoch and epochs counted from 0, step t is epoch t − 1: this is the schedule inverse_time with the decay 1 and the base rate η₀ = 1/λ. Nobody knows λ in a network; the other schedules are ways to be large at first and small later all the same.",
            "若每轮一步、轮次从 0 数起，第 t 步就是第 t − 1 轮：这就是衰减为 1、基准学习率 η₀ = 1/λ 的 inverse_time 调度。网络中没人知道 λ；其他调度是另一些先大后小的办法。",
        ),
        b.line(base, 1 / curve),
        b.line(rate, shown, base / t, 1 / (t * curve)),
    )


def signs(size: Fraction, times: int) -> list[tuple[Fraction, ...]]:
    """All sequences of +size and −size."""
    from itertools import product

    return list(product((size, -size), repeat=times))


def catalogue(b: Board) -> Iterator[Block]:
    """Every schedule there is, in its own words, and the formulas of those that have one."""
    yield b.table(
        both("All schedules that derive knows", "derive 支持的全部调度"),
        (both("Schedule", "调度"), both("What it does", "作用")),
        [(name, say(f"schedule.{name}")) for name in schedules],
    )
    closed = [(name, sheet(name, **options).closed) for _, family in FAMILIES for name, options in family.items()]
    yield b.table(
        both(
            "In formulas; epochs e are counted from 0",
            "公式；轮次 e 从 0 数起",
        ),
        (both("Schedule", "调度"), both("Closed form", "封闭形式")),
        [(name, f) for name, f in closed if f is not None and sum(1 for _ in walk(f)) <= SHORT],
    )


def numbers(b: Board) -> Iterator[Block]:
    curve, spread = b.number("λ", 1), b.number("σ^2", 1)
    for rate, why in (
        (
            "0.1",
            both(
                "With η = 0.1 the distance d from the minimum stays about 0.23.",
                "η = 0.1 时，到最小值点的距离 d 停在约 0.23。",
            ),
        ),
        (
            "0.01",
            both(
                "With a tenth of the rate R is about a tenth, the distance about a third.",
                "学习率降为十分之一，R 约为十分之一，距离约为三分之一。",
            ),
        ),
    ):
        eta = b.number("η", rate)
        rest = b.defined("R", eta * spread / (curve * (2 - eta * curve)))
        yield b.step(
            both(f"A rate of {rate}", f"学习率 {rate}"),
            why,
            b.line(rest, eta * spread / (curve * (2 - eta * curve)), numbers=True),
            b.line(b.defined("d", sqrt(rest)), sqrt(rest), numbers=True),
        )


FAMILIES: tuple[tuple[Any, Mapping[str, Mapping[str, Any]]], ...] = (
    (
        both("In steps, or by a factor", "阶梯式或按比例下降"),
        {
            "step_lr": {"step_size": 8, "gamma": Fraction(1, 2)},
            "multi_step_lr": {"milestones": (5, 20), "gamma": Fraction(3, 10)},
            "exponential_lr": {"gamma": Fraction(9, 10)},
            "constant": {"factor": Fraction(1, 3), "total_iters": 10},
        },
    ),
    (
        both("Along a curve", "沿曲线下降"),
        {
            "linear": {"start_factor": Fraction(1), "end_factor": Fraction(0), "total_iters": 30},
            "polynomial": {"total_iters": 30, "power": Fraction(2)},
            "cosine_annealing": {"t_max": 30},
            "warm_restarts": {"t_0": 10},
            "inverse_time": {"decay": Fraction(1, 4)},
        },
    ),
    (
        both("First up", "先升高"),
        {
            "warm_up": {"steps": 6},
            "noam": {"warmup_steps": 6},
            "one_cycle": {"max_lr": Fraction(1), "total_steps": 31},
            "cyclic": {"base_lr": Fraction(1, 10), "max_lr": Fraction(1), "step_size_up": 5},
        },
    ),
)


def picture(b: Board) -> Iterator[Block]:
    for title, family in FAMILIES:
        curves: dict[str | Both, list[tuple[float, float]]] = {}
        for name, options in family.items():
            curves[name] = stairs(sheet(name, **options), Fraction(1), 30)
        yield b.chart(title, "e", "η", curves, style="steps")


def halved(b: Board) -> tuple[Formula, Formula]:
    eta, curve = b.free("η", "0.1", "0.5"), b.free("λ", "0.5", 1)
    rest, half = eta / (curve * (2 - eta * curve)), eta / 2 / (curve * (2 - eta / 2 * curve))
    return sqrt(half), sqrt(rest) / 2


lesson = Lesson(
    title=both("Learning-rate schedules", "学习率调度"),
    short=both(
        "A constant rate leaves a mean square of about ησ²/(2λ) around the minimum: start large to be fast, end small to arrive.",
        "固定的学习率会在最小值点周围留下均方约 ησ²/(2λ) 的噪声：开始时大以求快，结束时小以求准。",
    ),
    chapter="schedules",
    position=1,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "The loss of a network often falls visibly just when the rate is lowered: the noise around the valley floor gets smaller.",
            "网络的损失常常正好在降低学习率时明显下降：谷底附近的噪声变小了。",
        ),
        both(
            "A rate a tenth as large from the beginning would leave as little noise, but it would take ten times as many steps to get there.",
            "一开始就用十分之一的学习率，噪声同样小，但要走十倍的步数才能到达。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Half the rate, half the distance from the minimum.", "学习率减半，到最小值点的距离就减半。"),
            both(
                "For small rates the mean square distance is about halved; the distance itself falls to 1/√2 of what it was.",
                "学习率较小时，约减半的是均方距离；距离本身只降为原来的 1/√2。",
            ),
            halved,
        ),
        Mistake(
            both(
                "It is all one whether the scheduler is called after every batch or every epoch.",
                "scheduler.step() 每个 batch 调用还是每轮调用都一样。",
            ),
            both(
                "PyTorch's schedulers count their own calls: called once per epoch they count epochs, called once per batch they count batches. step_size = 30 means very different things then.",
                "PyTorch 的调度器只数自己被调用的次数：每轮调用一次就数轮次，每个 batch 调用一次就数 batch。这时 step_size = 30 的含义大不相同。",
            ),
        ),
        Mistake(
            both("Adam needs no schedule.", "用 Adam 就不需要学习率调度。"),
            both(
                "Near a minimum noise is left of the gradient. Divided by its own root mean square it makes steps of the order of η, which shrink only with the rate.",
                "在极小值点附近，梯度只剩下噪声；它除以自身的均方根后，步长仍与 η 同数量级，只有降低学习率才会变小。",
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
schedule: {inverse_time: {decay: 1}}
steps: 3
""",
    see=("step_lr", "multi_step_lr", "exponential_lr", "cosine_annealing", "warm_up", "gradient_descent", "batches"),
)

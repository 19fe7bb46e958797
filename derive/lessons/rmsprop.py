"""RMSprop: the rate over the root of a moving average of squared gradients."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, add, formula, sqrt
from derive.lessons._optimizer import Hill, Made, Runs, worked

VALLEY = Hill("0.05*x^2 + 5*y^2", (9, 1), 150)


def derivation(b: Board) -> Iterator[Block]:
    eta, beta = b.free("η", "0.05", "0.5"), b.free("β", "0.5", "0.95")
    options = {"lr": eta, "alpha": beta, "eps": b.number("ε", 0)}
    real = {**options, "eps": b.free("ε", "0.001", "0.1")}
    theta, g, before = b.free("θ_t−1"), b.free("g_t"), b.free("v_t−1", "0.5", 3)
    now = Made(b, "rmsprop", theta, g, real, {"v": before})
    yield b.step(
        both("Definition", "定义"),
        both(
            "The squared gradients are averaged with exponentially falling weights; β is the share of the past, alpha in PyTorch. The gradient is divided by the root of this average, its root mean square; ε keeps the divisor from being 0.",
            "对梯度的平方做指数加权移动平均；β 是过去所占的份额，在 PyTorch 中叫 alpha。梯度除以这个平均的平方根，即均方根；ε 防止除数为 0。",
        ),
        *now.written(),
        b.line(b.defined("θ_t", now.new), now.new),
    )
    yield from unrolled(b, options)
    yield from steady(b, options)
    yield from centred(b, options)


def unrolled(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    beta = options["alpha"]
    g = [b.free(f"g_{t}") for t in range(1, 4)]
    memory: dict[str, Name] = {}
    forms = (
        (1 - beta) * g[0] ** 2,
        (1 - beta) * (g[1] ** 2 + beta * g[0] ** 2),
        (1 - beta) * (g[2] ** 2 + beta * g[1] ** 2 + beta**2 * g[0] ** 2),
    )
    lines = []
    for t, form in enumerate(forms, 1):
        step = Made(b, "rmsprop", b.free("θ"), g[t - 1], options, memory, index=(str(t), str(t - 1)))
        memory = step.memory
        lines.append(b.line(step.names["v"], step.rules["v"], form))
    yield b.step(
        both("Old gradients are forgotten", "旧梯度会被遗忘"),
        both(
            "From v₀ = 0 on, a squared gradient that is k steps old counts (1 − β)βᵏ times. In Adagrad's sum it would count once, forever. So v can also fall, and the steps can grow again.",
            "从 v₀ = 0 开始，k 步之前的梯度平方以 (1 − β)βᵏ 的权重计入。而在 Adagrad 的和里，它永远以 1 计入。所以 v 也可以减小，步长可以重新变大。",
        ),
        *lines,
    )


def steady(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    eta, beta, times = options["lr"], options["alpha"], b.random.randint(4, 12)
    t, g, old = b.number("t", times), b.free("g", 1, 2), b.free("v")
    rule = Made(b, "rmsprop", b.free("θ"), g, options, {"v": old}).rules["v"]
    before, after = (b.iterated(f"v_{i}", rule, old, formula(0), n) for i, n in (("t−1", times - 1), ("t", times)))
    theta = b.free("θ_t−1")
    step = Made(b, "rmsprop", theta, g, options, {"v": before})
    yield b.step(
        both("A gradient that stays the same", "梯度不变时"),
        both(
            "From here on ε is left out. If g > 0 stays the same, v approaches g² from below: the missing weight is βᵗ. The step does not depend on g at all, and tends to the length η. It does not shrink to nothing as Adagrad's does.",
            "以下不计 ε。若 g > 0 不变，v 从下方趋近 g²：缺少的权重是 βᵗ。步长与 g 完全无关，趋于 η，不会像 Adagrad 那样缩小到零。",
        ),
        b.line(
            after,
            beta * before + (1 - beta) * g**2,
            beta * ((1 - beta ** (t - 1)) * g**2) + (1 - beta) * g**2,
            (1 - beta**t) * g**2,
        ),
        b.line(
            step.change(), -(eta * g / sqrt(after)), -(eta * g / (sqrt(1 - beta**t) * g)), -(eta / sqrt(1 - beta**t))
        ),
    )
    first = Made(b, "rmsprop", theta, g, options, index=("1", "0"))
    yield b.step(
        both("The first step", "第一步"),
        both(
            "At the start v is too small, so the first step is too long: with β = 0.99 it is ten times the rate. Adam removes this bias, RMSprop does not.",
            "一开始 v 偏小，所以第一步偏长：β = 0.99 时是学习率的十倍。Adam 修正了这一偏差，RMSprop 没有。",
        ),
        b.line(first.change(), -(eta * g / sqrt((1 - beta) * g**2)), -(eta / sqrt(1 - beta))),
    )


def centred(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    beta = options["alpha"]
    g = [b.free(f"g_{t}") for t in range(1, 4)]
    weights = [(1 - beta) * beta**2, (1 - beta) * beta, 1 - beta]
    whole = b.defined("W", add(*weights))
    v = b.defined("v", add(*(w * x**2 for w, x in zip(weights, g, strict=True))))
    mean = b.defined("ḡ", add(*(w * x for w, x in zip(weights, g, strict=True))))
    spread = add(*(w * (x - mean) ** 2 for w, x in zip(weights, g, strict=True)))
    yield b.step(
        both("With centered: the variance", "centered 选项：方差"),
        both(
            "The average of the squares is not the variance. With centered=True the square of g\u0304, the same average of the gradients, is subtracted: multiplied out, this is the weighted mean squared distance from g\u0304 once the weights add up to W = 1, which they nearly do after many steps. Shown for three gradients with their weights.",
            "平方的平均并不是方差。设 centered=True 时，要减去 g\u0304 的平方，g\u0304 是梯度的同样的加权平均：展开可见，当权重之和 W = 1 时（许多步之后近似成立），这就是到 g\u0304 的距离平方的加权平均。这里以三个带权重的梯度为例。",
        ),
        b.line(whole, add(*reversed(weights))),
        b.line(spread, v - 2 * mean * mean + whole * mean**2, v - (2 - whole) * mean**2),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield from worked(
        b,
        "rmsprop",
        (4, 4, 0),
        (
            both(
                "v is a quarter of g², its root half of g: the step is 2η.",
                "v 是 g² 的四分之一，其平方根是 g 的一半：步长为 2η。",
            ),
            both("The same gradient, a shorter step: v has come closer to g².", "梯度相同，步长变短：v 更接近 g²。"),
            both("No gradient, no step; but v is forgotten a little.", "没有梯度就没有移动；但 v 被遗忘了一部分。"),
        ),
        lr="0.1",
        alpha=Fraction(3, 4),
        eps=0,
    )


def picture(b: Board) -> Iterator[Block]:
    t = b.free("t")
    at = [float(i) for i in range(1, 101)]
    beta = b.number("β", "0.9")
    yield b.chart(
        both(
            "The length of a step in units of η, for a gradient that stays the same", "梯度不变时的步长（以 η 为单位）"
        ),
        "t",
        "",
        {"RMSprop, β = 0.9": b.vary(1 / sqrt(1 - beta**t), t, at), "Adagrad": b.vary(1 / sqrt(t), t, at)},
    )
    runs: Runs = {
        both("gradient descent, η = 0.15", "梯度下降，η = 0.15"): ("sgd", {"lr": 0.15}),
        both("Adagrad, η = 0.5", "Adagrad，η = 0.5"): ("adagrad", {"lr": 0.5}),
        both("RMSprop, η = 0.1", "RMSprop，η = 0.1"): ("rmsprop", {"lr": 0.1, "alpha": 0.9}),
    }
    yield VALLEY.falls(b, both("A valley, 0.05x² + 5y², from (9, 1)", "山谷 0.05x² + 5y²，从 (9, 1) 出发"), runs)


def first_step(b: Board) -> tuple[Formula, Formula]:
    eta, beta = b.free("η", "0.1", "0.5"), b.free("β", "0.5", "0.9")
    return eta, eta / sqrt(1 - beta)


def inside(b: Board) -> tuple[Formula, Formula]:
    v, eps = b.free("v", 1, 2), b.free("ε", "0.1", "0.5")
    return sqrt(v + eps), sqrt(v) + eps


lesson = Lesson(
    title=both("RMSprop", "RMSprop"),
    short=both(
        "θ ← θ − ηg/(√v + ε), v a moving average of g²: steps of about η for every parameter, which do not die out.",
        "θ ← θ − ηg/(√v + ε)，v 是 g² 的移动平均：每个参数的步长约为 η，且不会消失。",
    ),
    chapter="optimizers",
    position=7,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "As with Adagrad every parameter has a rate of its own, but the steps do not die out: only about the last 1/(1 − β) gradients count.",
            "它像 Adagrad 那样为每个参数单独调整学习率，步长却不会缩小到零：大约只有最近 1/(1 − β) 个梯度起作用。",
        ),
        both(
            "Since the step stays near η however small the gradient, the parameter jumps from one side of a minimum to the other in the end. The rate has to be lowered then.",
            "由于无论梯度多小步长都接近 η，参数最终会在极小值点两侧来回跳动。所以最后要降低学习率。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The first step has the length η.", "第一步的长度是 η。"),
            both(
                "It is η/√(1 − β): there is no correction of the start. With PyTorch's alpha = 0.99 that is 10η.",
                "是 η/√(1 − β)：没有对初值做修正。按 PyTorch 的 alpha = 0.99，就是 10η。",
            ),
            first_step,
        ),
        Mistake(
            both("It does not matter whether ε stands inside the root.", "ε 写在根号里外无所谓。"),
            both(
                "PyTorch adds it outside, some books and libraries inside. For v near 0 an ε of 10⁻⁸ inside acts like 10⁻⁴ outside.",
                "PyTorch 加在根号外，有些书和库加在根号内。v 接近 0 时，根号内的 10⁻⁸ 相当于根号外的 10⁻⁴。",
            ),
            inside,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {rmsprop: {lr: 0.01, alpha: 0.9}}
steps: 3
""",
    see=("ema", "adagrad", "adam", "choosing_an_optimizer"),
)

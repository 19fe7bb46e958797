"""Adagrad: the rate over the root of the sum of all squared gradients, and how the steps shrink."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, Symbol, add, formula, sqrt
from derive.lessons._optimizer import Hill, Made, Runs, worked

VALLEY = Hill("0.05*x^2 + 5*y^2", (9, 1), 60)


def derivation(b: Board) -> Iterator[Block]:
    options = {"lr": b.free("η", "0.05", "0.5"), "eps": b.number("ε", 0)}
    real = {"lr": options["lr"], "eps": b.free("ε", "0.001", "0.1")}
    theta, g, before = b.free("θ_t−1"), b.free("g_t"), b.free("S_t−1", "0.5", 3)
    now = Made(b, "adagrad", theta, g, real, {"s": before})
    yield b.step(
        both("Definition", "定义"),
        both(
            "Every parameter has its own sum S of all its squared gradients so far. Its gradient is divided by the root of this sum; a tiny ε keeps the first division from being 0/0.",
            "每个参数都有自己的累积量 S，即到目前为止所有梯度的平方和。它的梯度除以这个和的平方根；极小的 ε 防止一开始出现 0/0。",
        ),
        *now.written(),
        b.line(b.defined("θ_t", now.new), now.new),
    )
    yield from unrolled(b, options)
    yield from scale(b, options)
    yield from steady(b, options)


def unrolled(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    g = [b.free(f"g_{t}") for t in range(1, 4)]
    memory: dict[str, Name] = {}
    lines = []
    for t in range(1, 4):
        step = Made(b, "adagrad", b.free("θ"), g[t - 1], options, memory, index=(str(t), str(t - 1)))
        memory = step.memory
        lines.append(b.line(step.names["s"], step.rules["s"], add(*(name**2 for name in g[:t]))))
    yield b.step(
        both("The sum of squares", "平方和"),
        both(
            "From S₀ = 0 on, the squares add up. A square is never negative, so S never falls and the effective rate, η over its root, never rises.",
            "从 S₀ = 0 开始，平方不断累加。平方不会是负数，所以 S 从不减小，有效学习率（η 除以 S 的平方根）从不增大。",
        ),
        *lines,
    )


def scale(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    eta, c = options["lr"], b.free("c", 2, 5)
    theta, g, past = b.free("θ_t−1"), b.free("g_t", 1, 2), b.free("S_t−1", 1, 2)
    start, slope = b.free("θ_0"), b.free("g_1", -2, -1)
    first = Made(b, "adagrad", start, slope, options, index=("1", "0"))
    yield b.step(
        both("The first step", "第一步"),
        both(
            "From here on ε is left out. The root of the first square is the size of the gradient, so every parameter moves by just η, whatever the size of its gradient. Only the sign is left.",
            "以下不计 ε。第一个平方的根就是梯度的绝对值，所以无论梯度多大，每个参数都恰好移动 η，只剩下符号起作用。",
        ),
        b.line(first.change(), -(eta * slope / sqrt(slope**2)), -(eta * (slope / abs(slope)))),
    )
    larger = Made(b, "adagrad", theta, b.defined("g", c * g), options, {"s": b.defined("S", c**2 * past)})
    same = Made(b, "adagrad", theta, g, options, {"s": past})
    after, total = b.hold(Symbol("S", "c,t"), b.value(larger.names["s"])), same.names["s"]
    yield b.step(
        both("The scale does not matter", "与尺度无关"),
        both(
            "If all gradients are c times as large, c > 0, the sum with the index c is c² times as large: if that is so before a step, it is so after it. The factor c then cancels, and the step stays the same. So a parameter whose gradients are all small moves as far as one whose gradients are all large.",
            "若所有梯度都变为 c 倍（c > 0），带下标 c 的平方和就变为 c² 倍：某一步之前如此，之后也如此。于是因子 c 约去，步长不变。所以梯度一直很小的参数与梯度一直很大的参数移动得一样远。",
        ),
        b.line(after, c**2 * past + (c * g) ** 2, c**2 * (past + g**2), c**2 * total),
        b.line(
            larger.change("c,t"), -(eta * (c * g) / sqrt(after)), -(eta * (c * g) / (c * sqrt(total))), same.change()
        ),
    )


def steady(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    eta, times = options["lr"], b.random.randint(4, 12)
    t, g, old = b.number("t", times), b.free("g", 1, 2), b.free("S")
    rule = Made(b, "adagrad", b.free("θ"), g, options, {"s": old}).rules["s"]
    before, total = (b.iterated(f"S_{i}", rule, old, formula(0), n) for i, n in (("t−1", times - 1), ("t", times)))
    theta = b.free("θ_t−1")
    step = Made(b, "adagrad", theta, g, options, {"s": before})
    yield b.step(
        both("The steps shrink", "步长不断缩小"),
        both(
            "If the gradient g > 0 stays the same, the sum grows by g² in every step. The t-th step has the length η/√t: large at first, small later, without a schedule.",
            "若梯度 g > 0 不变，平方和每步增加 g²。第 t 步的长度是 η/√t：先大后小，不需要学习率调度。",
        ),
        b.line(total, before + g**2, (t - 1) * g**2 + g**2, t * g**2),
        b.line(step.change(), -(eta * g / sqrt(total)), -(eta * g / (sqrt(t) * g)), -(eta / sqrt(t))),
    )
    root, earlier = sqrt(t), sqrt(t - 1)
    yield b.step(
        both("They still go anywhere", "但仍能走到任何地方"),
        both(
            "The t-th step is at least as long as η(√t − √(t − 1)): the second line says by how much it is longer, and that is never negative. Added up over the steps, these lengths leave η√t, which has no bound.",
            "第 t 步的长度不小于 η(√t − √(t − 1))：第二行给出两者之差，它不会是负数。把各步的这些长度相加，恰好剩下 η√t，没有上界。",
        ),
        b.line(root - earlier, (t - (t - 1)) / (root + earlier), 1 / (root + earlier)),
        b.line(
            eta / root - eta * (root - earlier),
            eta * (1 / root - 1 / (root + earlier)),
            eta * earlier / (root * (root + earlier)),
        ),
    )
    every = b.whole("k", 2, 9)
    seen = b.defined("S_t", t * g**2 / every)
    yield b.step(
        both("Rare gradients", "稀疏的梯度"),
        both(
            "A parameter that gets the gradient g > 0 only in every k-th step has collected a k-th of the sum when its turn comes in step t. Its step is √k times as long as if it came every time. This is why Adagrad suits sparse data, such as words that seldom occur.",
            "若某个参数每 k 步才得到一次梯度 g > 0，第 t 步轮到它时，它只累积了 k 分之一的平方和，步长是每步都有梯度时的 √k 倍。所以 Adagrad 适合稀疏数据，例如很少出现的词。",
        ),
        b.line(seen, t / every * g**2),
        b.line(eta * g / sqrt(seen), eta * g / (sqrt(t / every) * g), sqrt(every) * (eta / sqrt(t))),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield from worked(
        b,
        "adagrad",
        (3, 4, 12),
        (
            both("The first step has the size of the rate, 0.1.", "第一步的大小就是学习率 0.1。"),
            both("The gradient is larger, and the step is smaller: 0.1 · 4/5.", "梯度更大，步长反而更小：0.1 · 4/5。"),
            both("The root of 9 + 16 + 144 is 13.", "9 + 16 + 144 的平方根是 13。"),
        ),
        lr="0.1",
        eps=0,
    )


def picture(b: Board) -> Iterator[Block]:
    t = b.free("t")
    at = [float(i) for i in range(1, 101)]
    yield b.chart(
        both(
            "The length of a step in units of η, for a gradient that stays the same", "梯度不变时的步长（以 η 为单位）"
        ),
        "t",
        "",
        {
            "Adagrad": b.vary(1 / sqrt(t), t, at),
            both("SGD, |g| = 0.5", "SGD，|g| = 0.5"): [(i, 0.5) for i in at],
        },
    )
    runs: Runs = {
        both("gradient descent, η = 0.15", "梯度下降，η = 0.15"): ("sgd", {"lr": 0.15}),
        both("Adagrad, η = 1", "Adagrad，η = 1"): ("adagrad", {"lr": 1}),
    }
    yield VALLEY.falls(b, both("A valley, 0.05x² + 5y², from (9, 1)", "山谷 0.05x² + 5y²，从 (9, 1) 出发"), runs)


def without_root(b: Board) -> tuple[Formula, Formula]:
    eta, g, s = b.free("η", "0.1", "0.5"), b.free("g", 1, 2), b.free("S", 2, 4)
    return eta * g / s, eta * g / sqrt(s)


def root_of_mean(b: Board) -> tuple[Formula, Formula]:
    eta, g, t = b.free("η", "0.1", "0.5"), b.free("g", 1, 2), b.whole("t", 2, 9)
    return eta * g / sqrt(t * g**2 / t), eta * g / sqrt(t * g**2)


lesson = Lesson(
    title=both("Adagrad", "Adagrad"),
    short=both(
        "θ ← θ − ηg/(√S + ε), S the sum of all squared gradients: every parameter has its own rate, which falls as η/√t.",
        "θ ← θ − ηg/(√S + ε)，S 是所有梯度的平方和：每个参数有自己的学习率，按 η/√t 下降。",
    ),
    chapter="optimizers",
    position=6,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "One rate does not fit all parameters. Adagrad fits it to each of them, from the gradients alone.",
            "一个学习率不可能适合所有参数。Adagrad 仅凭梯度就能为每个参数调整学习率。",
        ),
        both(
            "In long training of deep networks the sum only grows and the steps become too small. RMSprop replaces the sum by a moving average.",
            "在深层网络的长时间训练中，平方和只增不减，步长会变得太小。RMSprop 用移动平均代替求和。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Adagrad divides by the sum of the squared gradients.", "Adagrad 除以梯度的平方和。"),
            both(
                "By the square root of the sum. Without the root the step would depend on the scale: gradients twice as large would halve it.",
                "除以平方和的平方根。不开方，步长就会依赖尺度：梯度加倍，步长反而减半。",
            ),
            without_root,
        ),
        Mistake(
            both("It divides by the root of the mean square.", "它除以均方根。"),
            both(
                "By the root of the sum, which keeps growing: hence the factor 1/√t. A moving mean is what RMSprop takes.",
                "除以的是和的平方根，它不断增大，因此才有 1/√t 的因子。取移动平均的是 RMSprop。",
            ),
            root_of_mean,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {adagrad: {lr: 0.1}}
steps: 3
""",
    see=("rmsprop", "adam", "gradient_descent", "learning_rate_schedules", "choosing_an_optimizer"),
)

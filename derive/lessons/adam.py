"""Adam: moving averages of the gradient and its square, and why they are divided by 1 − βᵗ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, bind, formula, sqrt
from derive.lessons._chance import mean
from derive.lessons._draws import equally, expectation
from derive.lessons._optimizer import Hill, Made, Runs, worked

VALLEY = Hill("0.05*x^2 + 5*y^2", (9, 1), 250)


def derivation(b: Board) -> Iterator[Block]:
    options = {
        "lr": b.free("η", "0.05", "0.5"),
        "betas1": b.free("β_1", "0.5", "0.9"),
        "betas2": b.free("β_2", "0.6", "0.95"),
        "eps": b.free("ε", "0.001", "0.1"),
    }
    t = b.whole("t", 3, 12)
    theta, g = b.free("θ_t−1"), b.free("g_t")
    memory = {"m": b.free("m_t−1"), "v": b.free("v_t−1", "0.5", 2)}
    now = Made(b, "adam", theta, g, options, memory, time=t)
    yield b.step(
        both("Two moving averages", "两个移动平均"),
        both(
            "Adam averages the gradient, as momentum does, and its square, as RMSprop does. Both averages start from 0.",
            "Adam 像动量法那样平均梯度，又像 RMSprop 那样平均梯度的平方。两个平均都从 0 开始。",
        ),
        *now.written("m", "v"),
    )
    yield from bias(b, options)
    yield b.step(
        both("The corrections", "偏差修正"),
        both(
            "Divided by the sum of its weights, each average has the right expected value from the first step on.",
            "各除以自己的权重之和，从第一步起期望就是正确的。",
        ),
        *now.written("mhat", "vhat"),
    )
    yield b.step(
        both("The step", "更新"),
        both(
            "The averaged gradient over the root mean square of the gradients, times the rate. ε keeps the divisor from being 0.",
            "平均梯度除以梯度的均方根，再乘以学习率。ε 防止除数为 0。",
        ),
        b.line(b.defined("θ_t", now.new), now.new),
    )
    yield from first(b, options)
    yield from steady(b, options)
    yield from noise(b)
    yield from forms(b, options, now, t)


def bias(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    b1, b2 = options["betas1"], options["betas2"]
    times = b.random.randint(4, 6)
    t, g = b.number("t", times), b.free("g")
    drawn = [b.free(f"g_{i}") for i in range(1, times + 1)]
    values = [b.values.known_exactly(b.free("g")) for _ in range(2)]
    one, every = equally([g], product(values)), equally(drawn, product(values, repeat=times))
    slope, square = mean(b, g, one), mean(b, g**2, one)
    yield b.step(
        both("Their bias: the third step", "偏差：以第三步为例"),
        both(
            "Let every gradient be drawn from the same distribution, and E stand for the expected value. Written out, the third average is a weighted sum, and the expected value of a sum is the sum of the expected values. Multiplied out, all powers cancel but the first and the last: the average is too small by the factor 1 − β₁³.",
            "设每个梯度都来自同一分布，E 表示期望。展开后，第三个平均是加权和，而和的期望等于期望的和。乘开后，除首末两项外全部抵消：平均值的期望偏小，只有梯度期望的 1 − β₁³ 倍。",
        ),
        b.line(
            mean(b, averaged(b, "m", options, drawn[:3]), every),
            (1 - b1) * slope + b1 * ((1 - b1) * slope + b1 * ((1 - b1) * slope)),
            (1 - b1 + b1 - b1**2 + b1**2 - b1**3) * slope,
            (1 - b1**3) * slope,
        ),
    )
    lines = []
    for letter, share, middle in (("m", b1, slope), ("v", b2, square)):
        now, before = (
            b.hold(
                expectation(b.free(f"{letter}_{index}")),
                b.value(mean(b, averaged(b, letter, options, drawn[:count]), every)),
            )
            for index, count in (("t", times), ("t−1", times - 1))
        )
        closed = share * ((1 - share ** (t - 1)) * middle) + (1 - share) * middle
        lines.append(b.line(now, share * before + (1 - share) * middle, closed, (1 - share**t) * middle))
    yield b.step(
        both("Their bias: any step", "偏差：任意一步"),
        both(
            "If the factor after t − 1 steps is 1 less β₁ to the power t − 1, the recursion makes it 1 − β₁ᵗ after t steps. For the square the same holds with β₂. To check it, all sequences of gradients are gone through.",
            "若 t − 1 步之后的因子是 1 减去 β₁ 的 t − 1 次幂，由递推式，t 步之后就是 1 − β₁ᵗ。对平方，换成 β₂ 也同样成立。为了核对，这里穷举了所有的梯度序列。",
        ),
        *lines,
    )


def averaged(b: Board, letter: str, options: dict[str, Name], gradients: Sequence[Name]) -> Formula:
    """What Adam remembers after these gradients, its rule put into itself."""
    g, old = b.free("g"), {"m": b.free("m"), "v": b.free("v")}
    rule = Made(b, "adam", b.free("θ"), g, options, old).rules[letter]
    found = formula(0)
    for gradient in gradients:
        found = bind(rule, {old[letter]: found, g: gradient})
    return found


def first(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    eta, b1, b2, eps = (options[key] for key in ("lr", "betas1", "betas2", "eps"))
    g = b.free("g_1", -2, -1)
    step = Made(b, "adam", b.free("θ_0"), g, options, t=1, index=("1", "0"))
    yield b.step(
        both("The first step has the size η", "第一步的大小是 η"),
        both(
            "At t = 1 the corrections give back the first gradient and its square. So whatever the gradient is, the parameter moves by η, but for ε: only the sign counts.",
            "t = 1 时，修正后恰好得到第一个梯度及其平方。所以不论梯度多大，（除去 ε 的影响）参数移动的距离就是 η：只有符号起作用。",
        ),
        b.line(step.names["mhat"], step.rules["mhat"], (1 - b1) * g / (1 - b1), g),
        b.line(step.names["vhat"], step.rules["vhat"], (1 - b2) * g**2 / (1 - b2), g**2),
        b.line(step.change(), -(eta * g / (sqrt(g**2) + eps)), -(eta * (g / (abs(g) + eps)))),
    )
    m, v = step.names["m"], step.names["v"]
    yield b.step(
        both("Without the corrections", "不做修正的话"),
        both(
            "The first step would have another size: for the usual β₁ = 0.9 and β₂ = 0.999 it would be 0.1/√0.001, about 3.2 times the rate, because v is far more biased than m. Here ε is left out.",
            "第一步的大小会不同：取通常的 β₁ = 0.9、β₂ = 0.999，约为学习率的 0.1/√0.001 ≈ 3.2 倍，因为 v 的偏差远大于 m。这里不计 ε。",
        ),
        b.line(
            eta * m / sqrt(v),
            eta * ((1 - b1) * g) / sqrt((1 - b2) * g**2),
            (1 - b1) / sqrt(1 - b2) * (eta * (g / abs(g))),
        ),
    )


def steady(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    eta, b1, b2, eps = (options[key] for key in ("lr", "betas1", "betas2", "eps"))
    times = b.random.randint(3, 9)
    t, g = b.number("t", times), b.free("g", 1, 2)
    memory: dict[str, Name] = {}
    for i in range(1, times + 1):
        step = Made(b, "adam", b.free("θ"), g, options, memory, time=formula(i), index=("t", "t−1"))
        memory = step.memory
    yield b.step(
        both("A gradient that stays the same", "梯度不变时"),
        both(
            "All t steps are made to check it: the corrections remove the whole effect of the start, and but for ε every step has the size η, not only the first.",
            "为了核对，这里真的走了 t 步：修正完全消除了初值的影响。不计 ε，不只第一步，每一步的大小都是 η。",
        ),
        b.line(step.names["m"], (1 - b1**t) * g),
        b.line(step.names["mhat"], (1 - b1**t) * g / (1 - b1**t), g),
        b.line(step.names["v"], (1 - b2**t) * g**2),
        b.line(step.names["vhat"], (1 - b2**t) * g**2 / (1 - b2**t), g**2),
        b.line(step.change(), -(eta * g / (sqrt(g**2) + eps)), -(eta * (g / (abs(g) + eps)))),
    )


def noise(b: Board) -> Iterator[Block]:
    x = b.free("g")
    values = [b.values.known_exactly(b.free("g", 1, 3)) for _ in range(4)]
    every = equally([x], ((value,) for value in values))
    mu = b.expected("μ", x, every)
    spread = b.expected("σ^2", (x - mu) ** 2, every)
    square = mean(b, x**2, every)
    yield b.step(
        both("Noise makes the steps small", "噪声使步长变小"),
        both(
            "After many steps with nearly the same parameters m̂ is close to the mean μ of the gradient and v̂ to the mean of its square, which is the squared mean and the variance together. So the size of a step is about η times a number of at most 1, which falls as the noise σ grows beside μ: Adam is careful where the gradient is not reliable.",
            "在参数变化不大的许多步之后，m̂ 接近梯度的均值 μ，v̂ 接近梯度平方的均值，即均值的平方加方差。所以步长约为 η 乘以一个不超过 1 的数，噪声 σ 相对 μ 越大，这个数越小：梯度不可靠时，Adam 走得谨慎。",
        ),
        b.line(square, mu**2 + spread),
        b.line(abs(mu) / sqrt(square), abs(mu) / sqrt(mu**2 + spread), 1 / sqrt(1 + spread / mu**2)),
    )


def forms(b: Board, options: dict[str, Name], now: Made, t: Name) -> Iterator[Block]:
    eta, b1, b2, eps = (options[key] for key in ("lr", "betas1", "betas2", "eps"))
    m, v = now.names["m"], now.names["v"]
    root = sqrt(1 - b2**t)
    hat = {**options, "epshat": b.defined("ε̂", root * eps)}
    paper = Made(b, "adam", now.theta, now.slope, hat, now.before, time=t, eps_form="hat")
    rate = paper.names["rate"]
    yield b.step(
        both("Both corrections in the rate", "把两个修正并入学习率"),
        both(
            "Numerator and denominator are multiplied by the root of 1 − β₂ᵗ, and the corrections become part of the rate. This saves work for every parameter, but ε is then multiplied as well: with a constant ε̂ in its place, as in some libraries, the method is slightly different. The last line compares the change made in this form, with the index ε̂, with the one above.",
            "分子分母同乘 1 − β₂ᵗ 的平方根，两个修正就并入了学习率。这样每个参数都省些计算，但 ε 也被乘了这个因子：若像某些库那样在此处用常数 ε̂，方法就略有不同。最后一行把按这种形式算出的变化量（下标 ε̂）与上面的作比较。",
        ),
        *paper.written("rate"),
        b.line(hat["epshat"], root * eps),
        b.line(
            now.change(),
            -(eta * (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps)),
            -(eta * root / (1 - b1**t) * (m / (sqrt(v) + root * eps))),
            -(rate * (m / (sqrt(v) + hat["epshat"]))),
        ),
        b.line(paper.change("ε̂"), now.change()),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield from worked(
        b,
        "adam",
        ("0.1", "0.2", "-0.1"),
        (
            both(
                "The gradient is 0.1, and the step is the rate, 0.1, but for the tiny ε.",
                "梯度是 0.1；除去极小的 ε，步长就是学习率 0.1。",
            ),
            both(
                "The gradient is larger, but of the same sign: average and root grow almost alike, and the step is about the rate again.",
                "梯度变大但符号不变：平均值和均方根几乎同样变大，步长仍约等于学习率。",
            ),
            both(
                "The gradient has turned; the average has not yet, and the step is shorter.",
                "梯度已反向，平均值尚未反向，步长变短。",
            ),
        ),
        lr="0.1",
    )


def picture(b: Board) -> Iterator[Block]:
    t, b1, b2 = b.free("t"), b.number("β_1", "0.9"), b.number("β_2", "0.999")
    at = [float(i) for i in range(1, 2001)]
    yield b.chart(
        both("The steps without the corrections, in units of η", "不做修正时的步长（以 η 为单位）"),
        "t",
        "",
        {
            "β₁ = 0.9, β₂ = 0.999": b.vary((1 - b1**t) / sqrt(1 - b2**t), t, at),
            both("corrected", "修正后"): [(1.0, 1.0), (2000.0, 1.0)],
        },
    )
    runs: Runs = {
        both("gradient descent, η = 0.15", "梯度下降，η = 0.15"): ("sgd", {"lr": 0.15}),
        both("RMSprop, η = 0.1", "RMSprop，η = 0.1"): ("rmsprop", {"lr": 0.1, "alpha": 0.9}),
        both("Adam, η = 0.1", "Adam，η = 0.1"): ("adam", {"lr": 0.1}),
    }
    yield VALLEY.falls(b, both("A valley, 0.05x² + 5y², from (9, 1)", "山谷 0.05x² + 5y²，从 (9, 1) 出发"), runs)


def uncorrected(b: Board) -> tuple[Formula, Formula]:
    eta, b1, b2 = b.number("η", "0.1"), b.number("β_1", "0.9"), b.number("β_2", "0.999")
    return (1 - b1) / sqrt(1 - b2) * eta, eta


def proportional(b: Board) -> tuple[Formula, Formula]:
    g, eta = b.free("g", 2, 3), b.free("η", "0.01", "0.1")
    return eta * g, eta * g / sqrt(g**2)


def root_inside(b: Board) -> tuple[Formula, Formula]:
    v, eps = b.free("v", "0.5", 1), b.free("ε", "0.1", "0.5")
    return sqrt(v + eps), sqrt(v) + eps


lesson = Lesson(
    title=both("Adam", "Adam"),
    short=both(
        "θ ← θ − η m̂/(√v̂ + ε): momentum's average over RMSprop's root, each divided by 1 − βᵗ for its start at 0.",
        "θ ← θ − η m̂/(√v̂ + ε)：动量的平均除以 RMSprop 的均方根，各除以 1 − βᵗ 以修正零初值。",
    ),
    chapter="optimizers",
    position=8,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Steps of about η for every parameter, from the first one on, whatever the scale of the loss: so PyTorch's default rate of 0.001 often works without a search.",
            "从第一步起，无论损失的尺度如何，每个参数的步长都约为 η：因此 PyTorch 的默认学习率 0.001 往往不用搜索就能用。",
        ),
        both(
            "It stores two numbers for every parameter, m and v, so the state takes twice the memory of the weights.",
            "每个参数要多存两个数 m 和 v，所以优化器状态占用的内存是权重的两倍。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Without the corrections the first steps are too short.", "不做修正，最初的步长会太短。"),
            both(
                "With the usual β they are too long, 3.2 times the rate at first: v is too small by a larger factor than m.",
                "按通常的 β，它们会太长，第一步是学习率的 3.2 倍：v 偏小得比 m 更厉害。",
            ),
            uncorrected,
        ),
        Mistake(
            both("A gradient twice as large makes a step twice as long.", "梯度加倍，步长也加倍。"),
            both(
                "A common factor of all gradients cancels. Scaling the loss changes nothing but the weight of ε.",
                "所有梯度的公因子会约去。缩放损失只改变 ε 的相对影响。",
            ),
            proportional,
        ),
        Mistake(
            both("√(v̂ + ε) and √v̂ + ε are the same.", "√(v̂ + ε) 与 √v̂ + ε 是一回事。"),
            both(
                "PyTorch adds ε after the root. Inside, the same ε has a far larger effect on small gradients.",
                "PyTorch 在开方之后加 ε。放在根号内，同样的 ε 对小梯度的影响大得多。",
            ),
            root_inside,
        ),
    ),
    network="""
inputs: [[1, 2], [-1, 0.5]]
targets: [[1], [0]]
layers:
  - linear: {out: 1, weight: [[0.4, -0.2]], bias: [0.1]}
  - sigmoid
loss: bce
optimizer: {adam: {lr: 0.1, betas: [0.9, 0.99]}}
steps: 2
""",
    see=("ema", "momentum", "rmsprop", "adamw", "warm_up", "choosing_an_optimizer"),
)

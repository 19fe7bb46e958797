"""Momentum in its three forms, how each follows from the others, and what it does to steady and to alternating gradients."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, add, formula
from derive.lessons._optimizer import Hill, Made, Runs, worked

LONG = 1000  # terms of a sum that has no end: what is left out is below 10⁻⁴⁰
FORMS = {"pytorch": "buf", "ema": "s", "classical": "v"}


def derivation(b: Board) -> Iterator[Block]:
    mu, eta = b.free("μ", "0.3", "0.9"), b.free("η", "0.05", "0.5")
    options = {"lr": eta, "momentum": mu}
    theta, g = b.free("θ_t−1"), b.free("g_t")
    buf = b.free("buf_t−1")
    now = Made(b, "momentum", theta, g, options, {"buf": buf})
    new = b.defined("θ_t", now.new)
    yield b.step(
        both("Definition, as in PyTorch", "定义（PyTorch 的形式）"),
        both(
            "A buffer collects the gradients: in every step the old buffer is multiplied by the momentum μ, with 0 ≤ μ < 1, and today's gradient is added. The step goes against the buffer in the place of the gradient.",
            "用一个缓冲量 buf 累积梯度：每一步把旧的缓冲量乘以动量系数 μ（0 ≤ μ < 1），再加上当前梯度。更新时用缓冲量代替梯度。",
        ),
        *now.written(),
        b.line(new, now.new),
    )
    yield from unrolled(b, options)
    yield from steady(b, options)
    yield from forms(b, options)
    yield from parabola(b, options)


def unrolled(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    mu = options["momentum"]
    g = [b.free(f"g_{t}") for t in range(1, 4)]
    memory: dict[str, Name] = {}
    lines = []
    for t in range(1, 4):
        step = Made(b, "momentum", b.free("θ"), g[t - 1], options, memory, index=(str(t), str(t - 1)))
        memory = step.memory
        sums = add(*(mu**k * g[t - 1 - k] if k else g[t - 1] for k in range(t)))
        lines.append(b.line(step.names["buf"], step.rules["buf"], sums))
    yield b.step(
        both("Put into itself", "把递推式代入自身"),
        both(
            "From buf₀ = 0 on, each buffer is written out in terms of the one before. A gradient that is k steps old counts μᵏ times.",
            "从 buf₀ = 0 出发，每个缓冲量都用前一个写出来。k 步之前的梯度以 μᵏ 的倍数计入。",
        ),
        *lines,
    )


def steady(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    mu, eta = options["momentum"], options["lr"]
    times = b.random.randint(4, 9)
    t, g, old, k = b.number("t", times), b.free("g"), b.free("buf"), b.free("k")
    rule = Made(b, "momentum", b.free("θ"), g, options, {"buf": old}).rules["buf"]
    after, before = (b.iterated(f"buf_{i}", rule, old, formula(0), n) for i, n in (("t", times), ("t−1", times - 1)))
    yield b.step(
        both("A steady slope", "梯度不变时"),
        both(
            "If the gradient g is the same in every step, the buffer is a geometric series. Its closed form is g at the first step, and put into the recursion it goes over from step t − 1 to step t.",
            "若每一步的梯度 g 都相同，缓冲量就是一个等比数列的和。它的封闭形式在第一步等于 g，代入递推式，就从第 t − 1 步推到第 t 步。",
        ),
        b.line(
            after,
            mu * before + g,
            mu * ((1 - mu ** (t - 1)) / (1 - mu) * g) + g,
            (mu - mu**t + 1 - mu) / (1 - mu) * g,
            (1 - mu**t) / (1 - mu) * g,
        ),
    )
    end = b.summed("buf_∞", mu**k * g, k, 0, LONG)
    yield b.step(
        both("The terminal velocity", "极限速度"),
        both(
            "After many steps μ to the power t is practically 0, and the speed no longer changes: what is lost by the factor μ is just what the gradient brings. The steps are then 1/(1 − μ) times as long as those of plain gradient descent, ten times with μ = 0.9.",
            "步数很多之后，μ 的 t 次幂趋于 0，速度不再变化：因子 μ 造成的损失恰好由梯度补上。此时步长是普通梯度下降的 1/(1 − μ) 倍，μ = 0.9 时为十倍。",
        ),
        b.line(end, mu * end + g, g / (1 - mu)),
        b.line(eta * end, eta / (1 - mu) * g),
    )
    turning = b.summed("buf_±", (-mu) ** k * g, k, 0, LONG)
    yield b.step(
        both("An alternating slope", "梯度交替变号时"),
        both(
            "If the gradient changes its sign in every step, the terms take turns in sign, and after many steps the buffer is smaller than the gradient. Seen from a step with gradient g, the one before had the buffer of the opposite sign. This is how momentum damps the zigzag across a valley while it gains speed along it.",
            "若梯度每一步都变号，各项正负交替，许多步之后缓冲量反而小于梯度。在梯度为 g 的一步看来，前一步的缓冲量大小相同、符号相反。动量法就是这样抑制横跨山谷的来回振荡，同时沿谷底加速。",
        ),
        b.line(turning, mu * (-turning) + g, g / (1 + mu)),
    )


def forms(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    mu, eta = options["momentum"], options["lr"]
    theta, g, buf = b.free("θ_t−1"), b.free("g_t"), b.free("buf_t−1")
    old = {
        "pytorch": buf,
        "ema": b.defined("S_t−1", (1 - mu) * buf),
        "classical": b.defined("v_t−1", -(eta * buf)),
    }
    made = {form: Made(b, "momentum", theta, g, options, {FORMS[form]: old[form]}, form=form) for form in FORMS}
    now = {form: step.names[FORMS[form]] for form, step in made.items()}
    yield b.step(
        both("The form of a moving average", "移动平均形式"),
        both(
            "Many textbooks give today's gradient only the share 1 − μ, which makes S a moving average of the gradients. If S is (1 − μ) times the buffer in one step, it is so in the next; both start from 0, so it is so always.",
            "许多教材只给当前梯度 1 − μ 的份额，于是 S 是梯度的移动平均。若某一步 S 等于缓冲量的 1 − μ 倍，下一步也如此；两者都从 0 开始，所以始终如此。",
        ),
        b.line(
            now["ema"],
            made["ema"].rules["s"],
            mu * ((1 - mu) * buf) + (1 - mu) * g,
            (1 - mu) * (mu * buf + g),
            (1 - mu) * now["pytorch"],
        ),
    )
    yield b.step(
        both("The classical form", "经典形式"),
        both(
            "The velocity v is the step itself: the rate stands inside, and the sign is turned. By the same argument it is −η times the buffer.",
            "速度 v 就是这一步的位移：学习率写在里面，符号相反。同理，它等于缓冲量的 −η 倍。",
        ),
        b.line(
            now["classical"],
            made["classical"].rules["v"],
            mu * (-(eta * buf)) - eta * g,
            -(eta * (mu * buf + g)),
            -(eta * now["pytorch"]),
        ),
        b.line(made["classical"].new, made["pytorch"].new),
    )
    other = b.defined("η_EMA", eta / (1 - mu))
    averaged = Made(b, "momentum", theta, g, {**options, "lr": other}, {"s": old["ema"]}, form="ema")
    yield b.step(
        both("The same steps", "步长完全相同"),
        both(
            "The moving average makes the same steps as PyTorch's form if its rate is 1/(1 − μ) times as large. As long as the rate does not change, all three forms are one method.",
            "把移动平均形式的学习率取为 1/(1 − μ) 倍，每一步就与 PyTorch 的形式相同。只要学习率不变，三种形式就是同一种方法。",
        ),
        b.line(averaged.new, theta - eta / (1 - mu) * ((1 - mu) * now["pytorch"]), made["pytorch"].new),
    )


def parabola(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    mu, eta = options["momentum"], options["lr"]
    curve, start = b.free("λ", "0.5", 3), b.free("θ_t−1")
    velocity = b.free("v_t−1")

    def step(theta: Name, v: Name, index: tuple[str, str]) -> tuple[Made, Name]:
        made = Made(b, "momentum", theta, lambda at: curve * at, options, {"v": v}, form="classical", index=index)
        return made, b.defined(f"θ_{index[0]}", made.new)

    first, here = step(start, velocity, ("t", "t−1"))
    _, there = step(here, first.memory["v"], ("t+1", "t"))
    yield b.step(
        both("On a parabola", "在抛物线上"),
        both(
            "For the loss λθ²/2, with its minimum at 0, the slope is λθ. The velocity was the last change of the parameter, so it can be left out: each parameter follows from the two before.",
            "对最小值在 0 处的损失 λθ²/2，斜率是 λθ。速度就是参数上一次的变化量，可以消去：每一步的参数由前两步的参数得到。",
        ),
        b.line(there, here + mu * first.memory["v"] - eta * curve * here),
        b.line(first.memory["v"], here - start),
        b.line(there, (1 + mu - eta * curve) * here - mu * start),
    )
    edge = b.defined("η", 2 * (1 + mu) / curve)
    x = b.free("θ")
    yield b.step(
        both("The largest rate", "最大的学习率"),
        both(
            "The powers rᵗ satisfy this rule if r² = (1 + μ − ηλ)r − μ, and every course is put together from the powers of the two roots. The product of the roots is μ < 1, so a pair of complex roots stays inside the unit circle. Real ones are inside for a small rate and can leave it only at r = 1, with the rate 0, or at r = −1, where −θ follows on θ and θ on −θ. This is so at the rate below, the bound. It is 1 + μ times the bound 2/λ of plain gradient descent.",
            "把 rᵗ 代入递推式，得 r² = (1 + μ − ηλ)r − μ，任何轨迹都由两个根的幂组合而成。两根之积为 μ < 1，所以一对共轭复根始终在单位圆内；实根在学习率很小时也在圆内，只能在 r = 1（学习率为 0）或 r = −1 处离开，后者表示 θ 之后是 −θ，−θ 之后又是 θ。下面的学习率正是如此，它就是上界，是普通梯度下降上界 2/λ 的 1 + μ 倍。",
        ),
        b.line(edge, 2 * (1 + mu) / curve),
        b.line((1 + mu - edge * curve) * (-x) - mu * x, (1 + mu) * x - mu * x, x),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield from worked(
        b,
        "momentum",
        (1, 1, -1),
        (
            both("The first step is one of plain gradient descent.", "第一步与普通梯度下降相同。"),
            both("The same gradient again: the step is nearly twice as long.", "梯度相同：步长几乎是第一步的两倍。"),
            both(
                "The gradient has turned, and the step still goes the old way, but it is much shorter.",
                "梯度已经反向，这一步仍沿原方向，但短得多。",
            ),
        ),
        lr="0.1",
    )


def picture(b: Board) -> Iterator[Block]:
    valley = Hill("0.5*x^2 + 5*y^2", (-9, 1.5), 40)
    runs: Runs = {
        both("gradient descent", "梯度下降"): ("sgd", {"lr": 0.05}),
        both("momentum 0.8", "动量 0.8"): ("momentum", {"lr": 0.05, "momentum": 0.8}),
    }
    yield valley.ways(
        b, both("In a narrow valley, 0.5x² + 5y², with η = 0.05", "在狭长的山谷 0.5x² + 5y² 中，η = 0.05"), runs
    )
    yield valley.falls(b, both("The loss in this valley, after every step", "在这个山谷中每一步之后的损失"), runs)


def same_rate(b: Board) -> tuple[Formula, Formula]:
    mu, eta, buf = b.free("μ", "0.5", "0.9"), b.free("η", "0.05", "0.5"), b.free("buf", 1, 2)
    return eta * ((1 - mu) * buf), eta * buf


def more_by(b: Board) -> tuple[Formula, Formula]:
    mu, g = b.free("μ", "0.5", "0.9"), b.free("g", 1, 2)
    return (1 + mu) * g, g / (1 - mu)


lesson = Lesson(
    title=both("Momentum", "动量法"),
    short=both(
        "buf ← μ buf + g, θ ← θ − η buf: gradients k steps old count μᵏ times, and a steady slope is taken 1/(1 − μ) times as fast.",
        "buf ← μ buf + g，θ ← θ − η buf：k 步前的梯度以 μᵏ 倍计入，梯度不变时速度达到 1/(1 − μ) 倍。",
    ),
    chapter="optimizers",
    position=4,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Across a narrow valley the gradients take turns in sign and cancel, along it they agree and add up. In such a valley plain gradient descent is slow.",
            "在狭长的山谷里，横向梯度正负交替而抵消，纵向梯度方向一致而累积。普通梯度下降在这种山谷里很慢。",
        ),
        both(
            "It averages the noise of mini-batches as well. SGD with momentum 0.9 is a standard choice for image networks.",
            "它同时也平均了小批量的噪声。带动量 0.9 的 SGD 是图像网络的常用选择。",
        ),
    ),
    mistakes=(
        Mistake(
            both(
                "All forms of momentum make the same steps with the same rate.",
                "同样的学习率下，各种形式的动量法步长相同。",
            ),
            both(
                "The form (1 − μ)g needs a rate 1/(1 − μ) times as large. A rate taken from a book with the one form is off by the factor 10 in the other, for μ = 0.9.",
                "带 (1 − μ)g 的形式需要 1/(1 − μ) 倍的学习率。μ = 0.9 时，把一种形式的学习率照搬到另一种会差 10 倍。",
            ),
            same_rate,
        ),
        Mistake(
            both("Momentum μ makes a steady step 1 + μ times as long.", "梯度不变时，动量 μ 使步长变为 1 + μ 倍。"),
            both(
                "That is only the second step. The series goes on: 1 + μ + μ² + … = 1/(1 − μ).",
                "那只是第二步。级数还在继续：1 + μ + μ² + … = 1/(1 − μ)。",
            ),
            more_by,
        ),
        Mistake(
            both("The forms also agree while a schedule changes the rate.", "学习率随调度变化时，各形式仍然一致。"),
            both(
                "In the classical form a velocity keeps the rate with which it was built up. In PyTorch's form the new rate applies to the whole buffer at once.",
                "经典形式的速度保留了累积时的学习率；PyTorch 的形式里，新学习率立即作用于整个缓冲量。",
            ),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {sgd: {lr: 0.02, momentum: 0.9}}
steps: 3
""",
    see=("gradient_descent", "ema", "nesterov", "adam", "choosing_an_optimizer"),
)

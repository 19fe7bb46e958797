"""AdamW: weight decay beside the gradient; for plain gradient descent the same as an L2 penalty, for Adam not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, sqrt
from derive.lessons._optimizer import Made

SOME = Fraction(1, 100)  # any decay but 0: it stands in formulas as a letter


def given(b: Board) -> dict[str, Name]:
    """The options of Adam and AdamW, drawn; ε is left out."""
    return {
        "lr": b.free("η", "0.05", "0.3"),
        "weight_decay": b.free("λ", "0.05", "0.5"),
        "betas1": b.free("β_1", "0.5", "0.9"),
        "betas2": b.free("β_2", "0.6", "0.95"),
        "eps": b.number("ε", 0),
    }


def derivation(b: Board) -> Iterator[Block]:
    options = given(b)
    eta, decay = options["lr"], options["weight_decay"]
    theta, g = b.free("θ_t−1", 1, 2), b.free("g_t")
    w = b.free("θ")
    yield b.step(
        both("The L2 penalty", "L2 惩罚项"),
        both(
            "L2 regularization adds half of λ times the squared parameter to the loss. Its slope is λ times the parameter, and it is added to the gradient.",
            "L2 正则化在损失上加上 λ 乘以参数平方的一半。它的导数是 λ 乘以参数，加到梯度上。",
        ),
        b.line(b.slope(decay * w**2 / 2, w), decay * w),
    )
    descent = Made(b, "sgd", theta, g, options, weight_decay=SOME)
    yield b.step(
        both("With plain gradient descent", "用于普通梯度下降"),
        both(
            "The step with the penalty is the same as first shrinking the parameter by the factor 1 − ηλ and then going against the gradient of the loss alone. This is where the name weight decay comes from.",
            "带惩罚项的一步，等同于先把参数乘以 1 − ηλ 缩小，再沿损失本身的负梯度走。权重衰减的名字就由此而来。",
        ),
        *descent.written(),
        b.line(b.defined("θ_t", descent.new), theta - eta * (g + decay * theta), (1 - eta * decay) * theta - eta * g),
    )
    yield from lost(b, options)
    yield from uneven(b, options)
    yield from apart(b, options)


def lost(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    eta, decay = options["lr"], options["weight_decay"]
    theta, g = b.free("θ_0", 1, 2), b.free("g_1", -3, -2)
    first = Made(b, "adam", theta, g, options, t=1, index=("1", "0"), weight_decay=SOME)
    mixed = first.names["gtilde"]
    yield b.step(
        both("Through Adam's average and root", "经过 Adam 的平均与开方"),
        both(
            "In Adam the penalty is averaged and divided by the root along with the gradient. In the first step (without ε) only the sign of the sum is left, so a penalty that does not turn the sign has no effect at all.",
            "在 Adam 中，惩罚项和梯度一起被平均、一起除以均方根。第一步（不计 ε）只剩下和的符号；只要惩罚项不改变符号，它就完全不起作用。",
        ),
        *first.written("gtilde"),
        b.line(first.change(), -(eta * mixed / sqrt(mixed**2)), -(eta * (mixed / abs(mixed)))),
    )
    idle = Made(b, "adam", theta, b.number("g_1", 0), options, t=1, index=("1", "0"), weight_decay=SOME)
    yield b.step(
        both("Where the loss has no slope", "损失的梯度为 0 时"),
        both(
            "If the gradient is 0 in this first step, the penalty alone moves the parameter, by η, however small λ > 0 is: the λ cancels.",
            "若这第一步的梯度为 0，就只有惩罚项移动参数，而无论 λ > 0 多小，移动的距离都是 η：λ 被约去了。",
        ),
        b.line(idle.change("1"), -(eta * (decay * theta) / sqrt((decay * theta) ** 2)), -(eta * (theta / abs(theta)))),
    )


def uneven(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    eta, decay, b1 = (options[key] for key in ("lr", "weight_decay", "betas1"))
    theta, g, t = b.free("θ_t−1", 1, 2), b.free("g_t"), b.whole("t", 2, 9)
    memory = {"m": b.free("m_t−1"), "v": b.free("v_t−1", 1, 2)}
    made = Made(b, "adam", theta, g, options, memory, time=t, weight_decay=SOME)
    vhat = made.names["vhat"]
    share = eta / ((1 - b1**t) * sqrt(vhat))
    yield b.step(
        both("An uneven decay", "不均匀的衰减"),
        both(
            "In a later step the numerator splits into the part of the loss and the part of today's penalty, over the same root. So a parameter with large gradients, and a large root, is shrunk less than one with small gradients. The penalty was meant to shrink them alike.",
            "在以后的步中，分子拆成损失的部分和当前惩罚项的部分，除以同一个根。于是梯度大、根也大的参数，比梯度小的参数缩小得更少，而惩罚的本意是让它们同等缩小。",
        ),
        *made.written("gtilde", "m"),
        b.line(
            made.change(),
            -(eta * made.names["mhat"] / sqrt(vhat)),
            -(share * (b1 * memory["m"] + (1 - b1) * g)) - share * ((1 - b1) * (decay * theta)),
        ),
    )


def apart(b: Board, options: dict[str, Name]) -> Iterator[Block]:
    eta, decay = options["lr"], options["weight_decay"]
    real = {**options, "eps": b.free("ε", "0.001", "0.1")}
    theta, g, t = b.free("θ_t−1", 1, 2), b.free("g_t"), b.whole("t", 2, 9)
    memory = {"m": b.free("m_t−1"), "v": b.free("v_t−1", 1, 2)}
    plain = Made(b, "adam", theta, g, real, memory, time=t)
    made = Made(b, "adamw", theta, g, real, memory, time=t)
    new = b.defined("θ_t", made.new)
    yield b.step(
        both("AdamW: decay beside the step", "AdamW：衰减与更新分开"),
        both(
            "AdamW keeps the penalty out of the averages. The parameter is shrunk by 1 − ηλ, as in plain gradient descent, and Adam's step Δθ for the loss alone is added.",
            "AdamW 不让惩罚项进入平均。参数像普通梯度下降那样乘以 1 − ηλ，再加上 Adam 只针对损失的一步 Δθ。",
        ),
        b.line(new, made.new),
        b.line(new, theta - eta * decay * theta + plain.change()),
    )
    times, start, old = b.random.randint(3, 9), b.free("θ_0", 1, 2), b.free("θ")
    zero, count = b.number("g", 0), b.number("t", 1)
    still = {"m": b.number("m", 0), "v": b.number("v", 0)}
    rule = Made(b, "adamw", old, zero, real, still, time=count).new
    t = b.number("t", times)
    yield b.step(
        both("Left to itself", "没有梯度时"),
        both(
            "A parameter without a gradient shrinks by the same factor in every step, whatever its size. It is halved after ln 2 over −ln(1 − ηλ) steps, about 0.7/(ηλ): with PyTorch's defaults η = 0.001 and λ = 0.01, after some 69,000 steps.",
            "没有梯度的参数，无论大小，每一步都按同一比例缩小。缩小一半需要 ln 2 除以 −ln(1 − ηλ) 步，约为 0.7/(ηλ)：按 PyTorch 的默认值 η = 0.001、λ = 0.01，约 69000 步。",
        ),
        b.line(b.iterated("θ_t", rule, old, start, times), (1 - eta * decay) ** t * start),
    )


def numbers(b: Board) -> Iterator[Block]:
    eta, decay = b.number("η", "0.1"), b.number("λ", "0.5")
    theta = b.number("θ_0", 2)
    ways = (
        (
            "sgd",
            both("Gradient descent with L2", "带 L2 的梯度下降"),
            both("2 shrinks by 0.1, then the gradient acts.", "2 先缩小 0.1，然后梯度起作用。"),
        ),
        (
            "adam",
            both("Adam with L2", "带 L2 的 Adam"),
            both(
                "Gradient and penalty together have the same sign as the gradient alone: the step is 0.1 as it would be without the penalty.",
                "梯度加惩罚项与梯度本身同号：步长 0.1，与没有惩罚时一样。",
            ),
        ),
        (
            "adamw",
            both("AdamW", "AdamW"),
            both("The same step of 0.1, and the shrinking by 0.1 beside it.", "同样的 0.1 步长，另外再缩小 0.1。"),
        ),
    )
    for name, title, why in ways:
        g = b.number("g_1", 4)
        options = {"lr": eta, "weight_decay": decay, "eps": b.number("ε", 0)}
        step = Made(b, name, theta, g, options, t=1, index=("1", "0"), weight_decay=Fraction(1, 2))
        yield b.step(
            title, why, *step.written(numbers=True), b.line(b.defined("θ_1", step.new), step.new, numbers=True)
        )


def picture(b: Board) -> Iterator[Block]:
    root, theta = b.free("v"), b.number("θ", 1)
    at = [0.1 + 0.02 * i for i in range(146)]
    eta, decay = b.number("η", "0.1"), b.number("λ", "0.1")
    yield b.chart(
        both(
            "How much a weight of 1 is shrunk in a step, by the root of v̂ (η = λ = 0.1)",
            "权重为 1 时一步的缩小量，随 v̂ 的平方根变化（η = λ = 0.1）",
        ),
        "√v̂",
        "",
        {
            both("Adam with L2: ηλθ/√v̂", "带 L2 的 Adam：ηλθ/√v̂"): b.vary(eta * decay * theta / root, root, at),
            both("AdamW: ηλθ", "AdamW：ηλθ"): b.vary(eta * decay * theta + 0 * root, root, at),
        },
    )


def same_thing(b: Board) -> tuple[Formula, Formula]:
    options = given(b)
    theta, g = b.free("θ_0", 1, 2), b.free("g_1", 2, 3)
    l2 = Made(b, "adam", theta, g, options, t=1, index=("1", "0"), weight_decay=SOME)
    return l2.new, Made(b, "adamw", theta, g, options, t=1, index=("1", "0")).new


def by_decay(b: Board) -> tuple[Formula, Formula]:
    eta, decay, theta = b.free("η", "0.05", "0.3"), b.free("λ", "0.05", "0.5"), b.free("θ", 1, 2)
    return decay * theta, eta * decay * theta


lesson = Lesson(
    title=both("AdamW", "AdamW"),
    short=both(
        "θ ← (1 − ηλ)θ − η m̂/(√v̂ + ε): every weight shrinks by the same factor. An L2 penalty put through Adam does something else.",
        "θ ← (1 − ηλ)θ − η m̂/(√v̂ + ε)：所有权重按同一比例缩小。把 L2 惩罚放进 Adam 则是另一回事。",
    ),
    chapter="optimizers",
    position=9,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "With Adam an L2 penalty hardly regularizes the weights with large gradients. Decoupled decay shrinks all weights by the same factor, so that λ is easier to tune; transformers are trained with AdamW as a rule.",
            "在 Adam 中，L2 惩罚对梯度大的权重几乎不起正则作用。解耦的衰减让所有权重按同一比例缩小，λ 也更容易调节；Transformer 通常用 AdamW 训练。",
        ),
        both(
            "As in gradient descent, the decay of a step is ηλ: a schedule that lowers η lowers the decay too.",
            "与梯度下降一样，一步的衰减量是 ηλ：学习率调度降低 η 时，衰减也随之降低。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Adam with weight_decay is AdamW.", "设了 weight_decay 的 Adam 就是 AdamW。"),
            both(
                "In PyTorch Adam's option is by default the L2 penalty, put through average and root. Only for plain SGD are the two the same.",
                "在 PyTorch 中，Adam 的这个选项默认是 L2 惩罚，要经过平均和开方。只有对普通 SGD，两者才相同。",
            ),
            same_thing,
        ),
        Mistake(
            both("A weight shrinks by λθ in each step.", "每一步权重缩小 λθ。"),
            both(
                "By ηλθ in PyTorch. PyTorch's default λ for AdamW is 0.01, for Adam and SGD it is 0.",
                "在 PyTorch 中缩小 ηλθ。PyTorch 的 AdamW 默认 λ = 0.01，Adam 和 SGD 默认为 0。",
            ),
            by_decay,
        ),
    ),
    network="""
inputs: [[1, 2], [-1, 0.5]]
targets: [[1], [0]]
layers:
  - linear: {out: 1, weight: [[0.4, -0.2]], bias: [0.1]}
  - sigmoid
loss: bce
optimizer: {adamw: {lr: 0.1, weight_decay: 0.1}}
steps: 2
""",
    see=("adam", "weight_decay", "l2", "gradient_descent", "choosing_an_optimizer"),
)

"""Weight decay: the same as L2 for plain gradient descent, and something else for the other optimizers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from derive import reference
from derive.board import Board, Lesson, Mistake, both
from derive.document import Block, say
from derive.formula import ONE, Formula, formula, log, sqrt
from derive.lessons._optimizer import stepped

SOME = Fraction(1, 10)  # an option that is in use; its value is that of its letter on the board


def derivation(b: Board) -> Iterator[Block]:
    yield from plain(b)
    yield from momentum(b)
    yield from first_step(b)
    yield from later_steps(b)


def plain(b: Board) -> Iterator[Block]:
    """Plain gradient descent: weight decay is L2."""
    w, x, t, η, λ = b.free("w"), b.free("x"), b.free("t"), b.free("η", 0, 1), b.free("λ", 0, 1)
    loss = (w * x - t) ** 2 / 2
    g = b.slope(loss, w, "g")
    new = b.defined("w^+", (1 - η * λ) * w - η * g)
    yield b.step(
        both("Definition", "定义"),
        say(
            both(
                "In every step the weight is multiplied by a number a little below 1, in addition to the step against the gradient {g} of the loss. η is the learning rate, a raised + marks the weight after the step.",
                "每一步除了沿损失梯度 {g} 的反方向走，还把权重乘以一个略小于 1 的数。η 是学习率，右上角的 + 表示更新之后的权重。",
            ),
            g=g,
        ),
        b.line(g, b.partial("L", loss, w)),
        b.line(new, (1 - η * λ) * w - η * g),
    )
    slope = b.partial("J", loss + λ / 2 * w**2, w)
    yield b.step(
        both("The same from a penalty", "由惩罚项得到同样的步骤"),
        both(
            "Now plain gradient descent on J, the loss with the L2 penalty λ/2·w². The penalty adds λw to the gradient. With the terms in w collected, this is the step above.",
            "再看对 J 做普通梯度下降，J 是损失加上 L2 惩罚 λ/2·w²。惩罚项给梯度加上 λw，合并含 w 的项，就是上面的步骤。",
        ),
        b.line(slope, g + λ * w),
        b.line(w - η * slope, w - η * (g + λ * w), (1 - η * λ) * w - η * g, new),
    )
    yield b.step(
        both("As PyTorch writes it", "PyTorch 的写法"),
        both(
            "SGD with the option weight_decay adds λw to the gradient before anything else is done with it.",
            "带 weight_decay 选项的 SGD 先把 λw 加到梯度上，再做其他处理。",
        ),
        b.line(b.defined("g\u0303", g + λ * w), g + λ * w),
        b.line(new, stepped(b, "sgd", w, g, {"lr": η, "weight_decay": λ}, weight_decay=SOME)),
    )
    weights, lines = [b.free("w_0")], []
    for i in (1, 2, 3):
        weights.append(b.defined(f"w_{i}", (1 - η * λ) * weights[-1]))
        powers = () if i == 1 else ((1 - η * λ) ** i * weights[0],)
        lines.append(b.line(weights[i], (1 - η * λ) * weights[i - 1], *powers))
    half = log(formula(2)) / -log(1 - η * λ)
    steps = b.defined("t_1/2", half)
    yield b.step(
        both("Why it is called decay", "为什么叫衰减"),
        both(
            "Where the gradient is 0 only the factor is left: after t steps it has been applied t times. Logarithms give the number of steps after which half of the weight is left.",
            "梯度为 0 时只剩这个因子，t 步之后它作用了 t 次。取对数可得权重减半所需的步数。",
        ),
        *lines,
        b.line((1 - η * λ) ** steps, Fraction(1, 2)),
        b.line(steps, half),
    )


def momentum(b: Board) -> Iterator[Block]:
    """With momentum the two part in the second step."""
    w, g1, g2 = b.free("w_0"), b.free("g_1"), b.free("g_2")
    η, λ, μ = b.free("η", 0, 1), b.free("λ", 0, 1), b.free("μ", 0, 1)
    options = {"lr": η, "weight_decay": λ, "momentum": μ}
    w1 = b.defined("w_1", (1 - η * λ) * w - η * g1)
    buf = b.defined("buf^L2_1", g1 + λ * w)
    yield b.step(
        both("With momentum: the first step", "带动量：第一步"),
        both(
            "The buffer starts with the first gradient, so the first step is that of plain gradient descent and both ways still agree.",
            "缓冲从第一个梯度开始，所以第一步就是普通梯度下降，两种做法仍然相同。",
        ),
        b.line(buf, g1 + λ * w),
        b.line(w1, w - η * buf, (1 - η * λ) * w - η * g1),
    )
    second = b.defined("buf^L2_2", μ * buf + g2 + λ * w1)
    l2 = b.defined(
        "w^L2_2",
        stepped(b, "sgd", w1, g2, options, {"buf": buf}, momentum=SOME, weight_decay=SOME),
    )
    beside = b.defined("w^decay_2", (1 - η * λ) * w1 - η * (μ * g1 + g2))
    yield b.step(
        both("With momentum: the second step", "带动量：第二步"),
        both(
            "With L2 the buffer remembers λw₀ together with the gradients, and with the momentum factor μ it goes into this step again. Decay beside the step leaves the buffer to the gradients of the loss. What differs is this memory.",
            "用 L2 时，缓冲把 λw₀ 和梯度一起记住，这一步乘以动量系数 μ 再次用到它。与更新步分开的衰减则让缓冲只含损失的梯度。两者之差正是这份记忆。",
        ),
        b.line(second, μ * buf + (g2 + λ * w1)),
        b.line(l2, w1 - η * second, (1 - η * λ) * w1 - η * (μ * g1 + g2) - η * μ * λ * w),
        b.line(beside, (1 - η * λ) * w1 - η * (μ * g1 + g2)),
        b.line(beside - l2, η * μ * λ * w),
    )


def first_step(b: Board) -> Iterator[Block]:
    """With Adam they part at once."""
    w, g, η, λ, ε = b.free("w", 0, 2), b.free("g", 0, 2), b.free("η", 0, 1), b.free("λ", 0, 1), b.free("ε", 0, 1)
    β1, β2 = b.free("β_1", 0, 1), b.free("β_2", 0, 1)
    options = {"lr": η, "weight_decay": λ, "betas1": β1, "betas2": β2, "eps": ε}
    total = b.defined("g\u0303", g + λ * w)
    l2 = b.defined("w^L2", stepped(b, "adam", w, g, options, weight_decay=SOME))
    mean, square = b.defined("m\u0302", total), b.defined("v\u0302", total**2)
    yield b.step(
        both("Adam with L2: the first step", "带 L2 的 Adam：第一步"),
        say(
            both(
                "Adam(weight_decay=λ) works with {total}. Both moving averages start at 0, and the bias correction gives back what that took, so in the first step they are the gradient and its square.",
                "Adam(weight_decay=λ) 使用 {total}。两个滑动平均都从 0 开始，偏差修正正好补回由此缺少的部分，因此第一步中它们就是梯度和它的平方。",
            ),
            total=total,
        ),
        b.line(total, g + λ * w),
        b.line(mean, (1 - β1) * total / (1 - β1), total),
        b.line(square, (1 - β2) * total**2 / (1 - β2), total**2),
        b.line(l2, w - η * mean / (sqrt(square) + ε), w - η * total / (abs(total) + ε)),
    )
    without = {**options, "eps": b.number("ε", 0)}
    gone = b.defined("w^L2", stepped(b, "adam", w, g, without, weight_decay=SOME))
    yield b.step(
        both("The penalty has vanished", "惩罚消失了"),
        both(
            "Let w and g be positive and leave out the tiny ε. The gradient is divided by its own size, so the step is η, with any λ: the same as without a penalty.",
            "设 w 与 g 为正，并略去很小的 ε。梯度被自身的大小除掉，所以无论 λ 取多少，步长都是 η，与没有惩罚时一样。",
        ),
        b.line(gone, w - η * (g + λ * w) / (g + λ * w), w - η),
        b.line(gone, w - η * g / abs(g)),
    )
    decoupled = b.defined("w^AdamW", stepped(b, "adamw", w, g, options, weight_decay=SOME))
    yield b.step(
        both("AdamW: the first step", "AdamW：第一步"),
        both(
            "The moving averages see the gradient of the loss alone, and the weight is shrunk beside the step: the decay is ηλw, as in the definition.",
            "滑动平均只用损失的梯度，权重另行缩小：衰减量为 ηλw，与定义一致。",
        ),
        b.line(decoupled, (1 - η * λ) * w - η * g / (abs(g) + ε)),
    )


def later_steps(b: Board) -> Iterator[Block]:
    """What the newest λw does in any step of Adam."""
    w, g, η, λ, ε = b.free("w"), b.free("g"), b.free("η", 0, 1), b.free("λ", 0, 1), b.free("ε", 0, 1)
    m, v, t = b.free("m"), b.free("v", 1, 2), b.number("t", 3)
    β1, β2 = b.free("β_1", 0, 1), b.free("β_2", 0, 1)
    options = {"lr": η, "weight_decay": λ, "betas1": β1, "betas2": β2, "eps": ε}
    before = {"m": m, "v": v}
    total = g + λ * w
    root = b.defined("v\u0302", (β2 * v + (1 - β2) * total**2) / (1 - β2**t))
    mean = b.defined("m\u0302", (β1 * m + (1 - β1) * total) / (1 - β1**t))
    data = b.defined("m\u0302^L", (β1 * m + (1 - β1) * g) / (1 - β1**t))
    l2 = b.defined("w^L2", stepped(b, "adam", w, g, options, before, t, weight_decay=SOME))
    share = (1 - β1) / (1 - β1**t)
    yield b.step(
        both("Any later step", "之后的任意一步"),
        (
            both(
                "A moving average of a sum is the sum of the moving averages, so the newest λw can be taken out of m̂. Here m and v come from the step before and already contain the earlier ones.",
                "和的滑动平均等于滑动平均之和，因此可以把最新的 λw 从 m̂ 中分出来；m 与 v 来自上一步，其中已含有以前各步的 λw。",
            ),
            both(
                "Like every gradient it is divided by the root of v̂. A weight with large gradients is hardly pulled at all, one with small gradients strongly. AdamW pulls all of them by ηλw.",
                "它和所有梯度一样要除以 v̂ 的平方根。梯度大的权重几乎不受拉力，梯度小的则被拉得很厉害。AdamW 对所有权重都拉 ηλw。",
            ),
        ),
        b.line(data, (β1 * m + (1 - β1) * g) / (1 - β1**t)),
        b.line(mean, (β1 * m + (1 - β1) * total) / (1 - β1**t), data + share * (λ * w)),
        b.line(root, (β2 * v + (1 - β2) * total**2) / (1 - β2**t)),
        b.line(
            l2,
            w - η * mean / (sqrt(root) + ε),
            w - η * data / (sqrt(root) + ε) - share * (η * λ * w / (sqrt(root) + ε)),
        ),
    )
    decoupled = b.defined("w^AdamW", stepped(b, "adamw", w, g, options, before, t, weight_decay=SOME))
    own = b.defined("v\u0302^L", (β2 * v + (1 - β2) * g**2) / (1 - β2**t))
    yield b.step(
        both("The same step of AdamW", "AdamW 的同一步"),
        both(
            "Here both averages, m and v of the step before included, are those of the gradient of the loss alone, and what is taken off for the decay is divided by nothing.",
            "这里两个平均（包括上一步的 m 与 v）都只来自损失的梯度，为衰减减去的量不除以任何东西。",
        ),
        b.line(own, (β2 * v + (1 - β2) * g**2) / (1 - β2**t)),
        b.line(decoupled, w - η * data / (sqrt(own) + ε) - η * λ * w),
    )


def numbers(b: Board) -> Iterator[Block]:
    w, g, η, λ = b.number("w", 2), b.number("g", "0.5"), b.number("η", "0.1"), b.number("λ", "0.1")
    total = b.defined("g\u0303", g + λ * w)
    yield b.step(
        both("Plain gradient descent", "普通梯度下降"),
        both("Both ways give the same number.", "两种做法得到同一个数。"),
        b.line(total, g + λ * w, numbers=True),
        b.line(b.defined("w^L2", w - η * total), w - η * total, numbers=True),
        b.line(b.defined("w^decay", (1 - η * λ) * w - η * g), (1 - η * λ) * w - η * g, numbers=True),
    )
    yield b.step(
        both("The first step of Adam, ε left out", "Adam 的第一步，略去 ε"),
        both(
            "With L2 the step is η, whatever λ is. AdamW takes ηλw = 0.02 more.",
            "用 L2 时，无论 λ 是多少，步长都是 η。AdamW 还多减去 ηλw = 0.02。",
        ),
        b.line(b.defined("w^L2", w - η), w - η * total / abs(total), numbers=True),
        b.line(b.defined("w^AdamW", (1 - η * λ) * w - η), (1 - η * λ) * w - η * g / abs(g), numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    yield b.chart(
        both(
            "A weight whose gradients are +c and −c in turn (η = 0.01, λ = 0.1): with L2 in Adam c decides, in AdamW it does not",
            "梯度在 +c 与 −c 之间交替的权重（η = 0.01，λ = 0.1）：Adam 加 L2 时衰减取决于 c，AdamW 则不然",
        ),
        both("step", "步"),
        "w",
        {
            f"{label}, c = {c}": way(name, float(c))
            for name, label in (("adam", "Adam + L2"), ("adamw", "AdamW"))
            for c in ("0.1", "10")
        },
    )


def way(name: str, size: float, steps: int = 400) -> list[tuple[float, float]]:
    """A weight under an optimizer with weight decay, from 1, with gradients of this size and alternating signs."""
    options = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1, "eps_form": "outside", "amsgrad": False}
    θ: reference.Array = np.ones((1, 1))
    state: reference.State = {}
    found = [(0.0, 1.0)]
    for t in range(1, steps + 1):
        g = np.full((1, 1), size if t % 2 else -size)
        θ, state = reference.step(name, θ, g, state, t, 0.01, options)
        found.append((float(t), float(θ[0, 0])))
    return found


def adam_is_adamw(b: Board) -> tuple[Formula, Formula]:
    w, g, λ = b.free("w", 1, 2), b.free("g", 1, 2), b.free("λ", 0, 1)
    letters = {
        "lr": b.free("η", 0, 1),
        "betas1": b.free("β_1", 0, 1),
        "betas2": b.free("β_2", 0, 1),
        "eps": b.number("ε", 0),
    }
    options = {**letters, "weight_decay": λ}
    return stepped(b, "adam", w, g, options, weight_decay=SOME), stepped(b, "adamw", w, g, options, weight_decay=SOME)


def momentum_too(b: Board) -> tuple[Formula, Formula]:
    w, g, η, λ, μ = b.free("w", 1, 2), b.free("g"), b.free("η", 0, 1), b.free("λ", 0, 1), b.free("μ", 0, 1)
    options = {"lr": η, "weight_decay": λ, "momentum": μ}
    last = b.free("g_1")
    before = {"buf": b.defined("buf", last + λ * w)}
    l2 = stepped(b, "sgd", w, g, options, before, momentum=SOME, weight_decay=SOME)
    return l2, (1 - η * λ) * w - η * (μ * last + g)


def rate_left_out(b: Board) -> tuple[Formula, Formula]:
    w, η, λ = b.free("w", 1, 2), b.free("η", "0.01", "0.1"), b.free("λ", 0, 1)
    return (ONE - λ) * w, (1 - η * λ) * w


lesson = Lesson(
    title=both("Weight decay", "权重衰减"),
    short=both(
        "Every step shrinks the weight by the factor 1 − ηλ. For plain gradient descent this is L2; for Adam it is not, and AdamW does it beside the step.",
        "每一步都把权重乘以 1 − ηλ。对普通梯度下降这就是 L2；对 Adam 则不是；AdamW 把衰减与更新步分开。",
    ),
    chapter="regularization",
    position=3,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Decoupled, λ means the same for every weight, and in experiments λ and the learning rate can be tuned more independently of each other. This is why AdamW is the usual choice for large networks.",
            "解耦之后，λ 对每个权重的含义都相同，实验中 λ 与学习率也更能分开来调。因此大型网络通常选用 AdamW。",
        ),
        both(
            "The factor is 1 − ηλ, so a schedule that lowers η lowers the decay with it.",
            "因子是 1 − ηλ，所以学习率调度降低 η 时，衰减也随之减弱。",
        ),
        both(
            "PyTorch decays every parameter an optimizer is given, biases too. To leave biases and the γ and β of normalization out, give them as a group of their own with weight_decay 0.",
            "PyTorch 对交给优化器的所有参数都做衰减，包括偏置。若要排除偏置以及归一化层的 γ 和 β，应把它们放进 weight_decay 为 0 的参数组。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Weight decay and L2 are the same.", "权重衰减和 L2 是一回事。"),
            both(
                "They are for plain gradient descent. With momentum they differ from the second step on, with Adam from the first.",
                "只对普通梯度下降成立。带动量时从第二步起不同，对 Adam 从第一步起就不同。",
            ),
            momentum_too,
        ),
        Mistake(
            both(
                "Adam(weight_decay=λ) and AdamW(weight_decay=λ) take the same steps.",
                "Adam(weight_decay=λ) 与 AdamW(weight_decay=λ) 的更新步相同。",
            ),
            both(
                "Adam adds λw to the gradient and then divides by the root; AdamW shrinks the weight beside the step.",
                "Adam 把 λw 加进梯度再除以平方根；AdamW 把权重的缩小与更新步分开。",
            ),
            adam_is_adamw,
        ),
        Mistake(
            both("Each step takes the share λ off the weight.", "每一步减去权重的 λ 倍。"),
            both("The share is ηλ: the learning rate is a factor of it.", "减去的是 ηλ 倍：其中含有学习率。"),
            rate_left_out,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -2]], bias: 0.1}
  - sigmoid
loss: bce
optimizer: {adamw: {lr: 0.01, weight_decay: 0.1}}
""",
    see=("l2", "adamw", "adam", "momentum", "gradient_descent", "learning_rate_schedules"),
)

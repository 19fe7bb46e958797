"""Nesterov's momentum: the gradient at the point where the momentum leads, and PyTorch's form of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Symbol, bind
from derive.lessons._optimizer import Hill, Made, Runs, worked

HALF = Fraction(1, 2)  # any momentum but 0: it stands in formulas as a letter


def derivation(b: Board) -> Iterator[Block]:
    mu, eta = b.free("μ", "0.3", "0.9"), b.free("η", "0.05", "0.5")
    options = {"lr": eta, "momentum": mu}
    theta, v, g = b.free("θ_t−1"), b.free("v_t−1"), b.free("g_t")
    plain = Made(b, "momentum", theta, g, options, {"v": v}, form="classical")
    yield b.step(
        both("Momentum first", "先看动量法"),
        both(
            "In the classical form the velocity v is the step. A part μv of it is known before the gradient is: the parameter will move there in any case.",
            "在经典形式中，速度 v 就是这一步的位移。其中 μv 这部分在求梯度之前就已知：参数无论如何都会移动到那里。",
        ),
        *plain.written(),
        b.line(plain.new, theta + mu * v - eta * g),
    )
    now = Made(b, "nesterov", theta, g, options, {"v": v})
    new = b.defined("θ_t", now.new)
    yield b.step(
        both("Look ahead", "向前看一步"),
        both(
            "So the gradient is taken where the momentum leads, at the point with the tilde, and not where the parameter still stands. All else is as before.",
            "因此梯度在动量将要到达的点（带波浪号）处计算，而不在参数当前所在处。其余不变。",
        ),
        b.line(now.names["ahead"], now.rules["ahead"]),
        *now.written("v"),
        b.line(new, now.new),
    )
    curve = b.free("λ", "0.5", 2)
    here, there = curve * theta, curve * (theta + mu * v)
    bowl = Made(b, "nesterov", theta, lambda at: curve * at, options, {"v": v})
    yield b.step(
        both("What that changes", "带来的变化"),
        both(
            "On the parabola λθ²/2 the slope at the point ahead differs by λμv. Put into the velocity, this is a brake for ηλ < 1: the momentum that is carried over is multiplied by 1 − ηλ. Where the curvature is large, and momentum would swing to and fro, there is less of it.",
            "在抛物线 λθ²/2 上，前方点处的斜率相差 λμv。代入速度公式，当 ηλ < 1 时它起到刹车作用：保留下来的动量要乘以 1 − ηλ。在曲率大、动量容易来回摆动的方向，动量就变小。",
        ),
        b.line(bowl.names["g"], there, here + curve * mu * v),
        b.line(bowl.names["v"], mu * v - eta * (here + curve * mu * v), (1 - eta * curve) * mu * v - eta * here),
    )
    yield from pytorch(b)


def pytorch(b: Board) -> Iterator[Block]:
    mu, eta = b.free("μ", "0.3", "0.9"), b.free("η", "0.05", "0.5")
    options = {"lr": eta, "momentum": mu}
    theta, v, g = b.free("θ_t−1"), b.free("v_t−1"), b.free("g_t")
    now = Made(b, "nesterov", theta, g, options, {"v": v})
    new, moved = b.defined("θ_t", now.new), now.names["v"]
    ahead, next_ahead = now.names["ahead"], b.defined("θ̃_t+1", now.new + mu * moved)
    yield b.step(
        both("The point ahead as the parameter", "把前方的点当作参数"),
        both(
            "A network computes its gradient at its own weights, so the point ahead is made the parameter. How it moves follows from the old formulas, in which the parameter is the point ahead less the momentum.",
            "网络只能在自己的权重处求梯度，所以把前方的点当作参数来存储。它如何移动由原来的公式推出：原参数等于前方的点减去动量部分。",
        ),
        b.line(theta, ahead - mu * v),
        b.line(next_ahead, new + mu * moved, theta + moved + mu * moved, ahead - mu * v + moved + mu * moved),
    )
    yield b.step(
        both("The old momentum cancels", "旧动量抵消"),
        both(
            "The velocity contains μv with the other sign. What is left is the gradient once, and the new momentum.",
            "新速度里含有符号相反的 μv，与之抵消。剩下一份梯度，再加上新的动量。",
        ),
        b.line(moved, mu * v - eta * g),
        b.line(next_ahead, ahead - mu * v + (mu * v - eta * g) + mu * moved, ahead - eta * g + mu * moved),
    )
    buffer = b.defined("buf_t−1", -(v / eta))
    torch = Made(b, "sgd", ahead, g, options, {"buf": buffer}, momentum=HALF, nesterov=True)
    yield b.step(
        both("PyTorch's form", "PyTorch 的形式"),
        both(
            "The velocity is −η times the buffer. So PyTorch's SGD with nesterov=True adds to the gradient the buffer that already contains it, times μ.",
            "速度等于缓冲量的 −η 倍。所以 PyTorch 中 nesterov=True 的 SGD，是在梯度上再加 μ 倍的、已包含该梯度的缓冲量。",
        ),
        *torch.written("buf"),
        b.line(moved, -(eta * torch.names["buf"])),
        b.line(torch.names["d"], torch.rules["d"]),
        b.line(next_ahead, ahead - eta * g - mu * (eta * torch.names["buf"]), ahead - eta * torch.names["d"]),
        b.line(next_ahead, bind(torch.new, {torch.names["d"]: torch.rules["d"]})),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield from worked(
        b,
        "nesterov",
        lambda theta: 2 * theta,
        (
            both(
                "L = θ². There is no velocity yet: the point ahead is the start itself.",
                "L = θ²。还没有速度：前方的点就是起点。",
            ),
            both(
                "The slope is taken at 3.1, not at 4: it is smaller there, and the step is shorter.",
                "斜率在 3.1 处求，而不是在 4 处：那里的斜率较小，步长也较短。",
            ),
        ),
        start=5,
        lr="0.1",
    )
    theta, v, eta = b.number("θ_1", 4), b.number("v_1", -1), b.number("η", "0.1")
    step = Made(
        b,
        "momentum",
        theta,
        lambda at: 2 * at,
        {"lr": eta},
        {"v": v},
        form="classical",
        index=("2", "1"),
    )
    new = b.defined("θ_2", step.new)
    yield b.step(
        both("The second step with plain momentum", "普通动量法的第二步"),
        both(
            "From the same point with the same velocity, it takes the slope where it stands and goes further.",
            "从同一点、以同样的速度出发，它用当前位置的斜率，走得更远。",
        ),
        *step.written(numbers=True),
        b.line(new, step.new, numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    runs: Runs = {
        both("momentum", "动量法"): ("momentum", {"lr": 0.1, "momentum": 0.9, "form": "classical"}),
        "Nesterov": ("nesterov", {"lr": 0.1, "momentum": 0.9}),
    }
    yield Hill("x^2", (5,), 60).falls(
        b, both("The loss θ², with η = 0.1 and momentum 0.9", "损失 θ²，η = 0.1，动量为 0.9"), runs
    )


def at_the_parameter(b: Board) -> tuple[Formula, Formula]:
    theta, v = b.free("θ", 1, 2), b.free("v", 1, 2)
    mu, eta, curve = b.free("μ", "0.5", "0.9"), b.free("η", "0.05", "0.5"), b.free("λ", 1, 2)
    return mu * v - eta * (curve * theta), mu * v - eta * (curve * (theta + mu * v))


def new_buffer(b: Board) -> tuple[Formula, Formula]:
    g, buf, mu = b.free("g", 1, 2), b.free(Symbol("buf"), 1, 2), b.free("μ", "0.5", "0.9")
    return g + mu * buf, g + mu * (mu * buf + g)


lesson = Lesson(
    title=both("Nesterov's momentum", "Nesterov 动量"),
    short=both(
        "The gradient is taken at θ + μv, where the momentum leads: a brake in directions of large curvature.",
        "在动量将到达的 θ + μv 处求梯度：在曲率大的方向上起刹车作用。",
    ),
    chapter="optimizers",
    position=5,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Momentum notices only after a step that it went too far. The look ahead notices before, at no extra cost: there is one gradient per step in both.",
            "动量法走过头之后才发现；Nesterov 提前就能发现，而且没有额外代价：两者每一步都只求一次梯度。",
        ),
        both(
            "For smooth convex functions, with a suitable momentum, the loss is above its minimum by at most a constant over t²; plain gradient descent only guarantees a constant over t.",
            "对光滑凸函数，配合适当的动量，损失与最小值之差按 1/t² 下降，而普通梯度下降只能保证 1/t。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Nesterov takes the gradient at the parameter.", "Nesterov 在参数处求梯度。"),
            both(
                "At the parameter plus the momentum. Only where this point is itself stored as the parameter, as in PyTorch, is it the gradient at the weights.",
                "是在参数加动量之处。只有像 PyTorch 那样把这个点本身存为参数时，才是权重处的梯度。",
            ),
            at_the_parameter,
        ),
        Mistake(
            both("PyTorch adds μ times the old buffer to the gradient.", "PyTorch 在梯度上加 μ 倍的旧缓冲量。"),
            both(
                "Times the new one, which contains the gradient already. With the old one it would be plain momentum.",
                "加的是新缓冲量的 μ 倍，其中已含当前梯度。若用旧缓冲量，就是普通动量法。",
            ),
            new_buffer,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {sgd: {lr: 0.02, momentum: 0.9, nesterov: true}}
steps: 3
""",
    see=("momentum", "gradient_descent", "adam", "choosing_an_optimizer"),
)

"""Gradient descent: the steepest direction from the first-order change of the loss, and the largest rate that converges."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, Partial, Symbol, bind, sqrt
from derive.lessons._optimizer import Hill, Made, worked


def derivation(b: Board) -> Iterator[Block]:
    yield from direction(b)
    yield from rate(b)
    yield from valley(b)


def direction(b: Board) -> Iterator[Block]:
    x1, x2, y = b.free("x_1"), b.free("x_2"), b.free("y")
    w1, w2 = b.free("w_1"), b.free("w_2")
    body = (w1 * x1 + w2 * x2 - y) ** 2
    loss = b.defined("L", body)
    g1, g2 = b.slope(body, w1, "g_1"), b.slope(body, w2, "g_2")
    partial1 = b.slope(body, w1, Partial(Symbol("L"), Symbol("w", "1")))
    partial2 = b.slope(body, w2, Partial(Symbol("L"), Symbol("w", "2")))
    yield b.step(
        both("A loss and its slopes", "损失及其偏导数"),
        both(
            "The loss of a unit with two weights on one sample. Each partial derivative says how fast the loss rises when that weight alone grows.",
            "只有两个权重的神经元在一个样本上的损失。每个偏导数说明只增大这一个权重时损失上升得多快。",
        ),
        b.line(loss, body),
        b.line(g1, partial1, 2 * (w1 * x1 + w2 * x2 - y) * x1),
        b.line(g2, partial2, 2 * (w1 * x1 + w2 * x2 - y) * x2),
    )
    d1, d2, s = b.free("d_1"), b.free("d_2"), b.free("s", "0.1", 1)
    moved = bind(body, {w1: w1 + s * d1, w2: w2 + s * d2})
    yield b.step(
        both("The change in a direction", "沿某一方向的变化"),
        both(
            "Both weights move together, by s times a direction with the components d₁ and d₂. Multiplied out, the loss changes by s times g₁d₁ + g₂d₂ and a term with s². For a small s the first term decides; for any smooth loss it is the same (Taylor), only the rest looks different.",
            "两个权重一起移动，位移是方向 (d₁, d₂) 的 s 倍。展开后，损失的变化是 s 乘以 g₁d₁ + g₂d₂，再加上含 s² 的项。s 很小时由第一项决定；对任意光滑的损失，一阶项都是如此（泰勒展开），只是余项不同。",
        ),
        b.line(moved - loss, s * (g1 * d1 + g2 * d2) + s**2 * (d1 * x1 + d2 * x2) ** 2),
    )
    yield b.step(
        both("How steep it can be", "最陡能有多陡"),
        both(
            "The product of the squared lengths of gradient and direction exceeds the square of g₁d₁ + g₂d₂ by a square (Lagrange's identity). A square is never negative, so |g₁d₁ + g₂d₂| is at most the product of the lengths: this is the Cauchy–Schwarz inequality. The two sides are equal only where the square is 0, which is where the direction is a multiple of the gradient.",
            "梯度与方向的长度平方之积，比 g₁d₁ + g₂d₂ 的平方多出一个完全平方（拉格朗日恒等式）。平方不会是负数，所以 |g₁d₁ + g₂d₂| 不超过两个长度之积，这就是柯西–施瓦茨不等式。只有当该平方为 0，即方向是梯度的倍数时，两边才相等。",
        ),
        b.line((g1**2 + g2**2) * (d1**2 + d2**2) - (g1 * d1 + g2 * d2) ** 2, (g1 * d2 - g2 * d1) ** 2),
    )
    yield from steepest(b, (w1, w2), (g1, g2))


def steepest(b: Board, w: tuple[Name, Name], g: tuple[Name, Name]) -> Iterator[Block]:
    """Against the gradient, and how far."""
    (w1, w2), (g1, g2) = w, g
    length = b.defined("G", sqrt(g1**2 + g2**2))
    yield b.step(
        both("The steepest way down", "最速下降方向"),
        both(
            "For a direction of length 1, g₁d₁ + g₂d₂ is thus at least −G, with G the length of the gradient. Against the gradient, with the components −g₁/G and −g₂/G, it is −G: there the loss falls fastest.",
            "所以对长度为 1 的方向，g₁d₁ + g₂d₂ 不小于 −G，G 是梯度的长度。取负梯度方向，即分量为 −g₁/G 和 −g₂/G 时，它恰好等于 −G：沿这个方向损失下降最快。",
        ),
        b.line(length, sqrt(g1**2 + g2**2)),
        b.line(g1 * (-(g1 / length)) + g2 * (-(g2 / length)), -((g1**2 + g2**2) / length), -length),
    )
    eta = b.free("η", "0.01", "0.5")
    lines = []
    for old, slope, letter in ((w1, g1, "1"), (w2, g2, "2")):
        new = Made(b, "sgd", old, slope, {"lr": eta}).new
        lines.append(b.line(b.defined(Symbol("w", letter, "", "+"), new), old - eta * slope))
    yield b.step(
        both("The update", "更新公式"),
        both(
            "A step against the gradient. The learning rate η says how long it is: the step is η times as long as the gradient.",
            "沿负梯度方向走一步。学习率 η 决定步长：步长是梯度长度的 η 倍。",
        ),
        *lines,
    )


def rate(b: Board) -> Iterator[Block]:
    theta, low, curve = b.free("θ"), b.free("θ_min"), b.free("λ", "0.5", 3)
    eta = b.free("η", "0.05", "0.9")
    body = curve * (theta - low) ** 2 / 2
    loss, g = b.defined("L", body), b.slope(body, theta, "g")
    yield b.step(
        both("Close to a minimum", "在极小值附近"),
        both(
            "Close to a minimum a smooth loss is a parabola to second order; L is counted from its lowest value. Its curvature is λ > 0: the slope g grows by λ for every unit of distance from the minimum.",
            "在极小值附近，光滑的损失在二阶近似下是一条抛物线；L 从最低值算起。它的曲率是 λ > 0：离极小值点每远一个单位，斜率 g 就增大 λ。",
        ),
        b.line(loss, body),
        b.line(g, curve * (theta - low)),
    )
    new = b.defined(Symbol("θ", mark="+"), Made(b, "sgd", theta, g, {"lr": eta}).new)
    yield b.step(
        both("What a step does to the distance", "一步之后距离的变化"),
        both(
            "The slope is put into the update. The distance from the minimum is multiplied by 1 − ηλ, the same factor in every step.",
            "把斜率代入更新公式。到极小值点的距离乘以 1 − ηλ，每一步都是同一个因子。",
        ),
        b.line(new, theta - eta * g, theta - eta * curve * (theta - low)),
        b.line(new - low, (theta - low) - eta * curve * (theta - low), (1 - eta * curve) * (theta - low)),
    )
    times = b.random.randint(3, 9)
    t, old = b.number("t", times), b.free("θ")
    step = Made(b, "sgd", old, lambda at: curve * (at - low), {"lr": eta})
    rule = bind(step.new, {step.names["g"]: step.rules["g"]})
    after = b.iterated("θ_t", rule, old, theta, times)
    yield b.step(
        both("After t steps", "t 步之后"),
        both(
            "The factor is applied t times. The distance goes to 0 exactly if |1 − ηλ| < 1, which means that η lies between 0 and 2/λ. For η above 1/λ the factor is negative and the parameter jumps from one side of the minimum to the other; above 2/λ every jump is longer than the last.",
            "这个因子作用 t 次。当且仅当 |1 − ηλ| < 1，即 η 在 0 与 2/λ 之间时，距离趋于 0。η 大于 1/λ 时因子为负，参数在极小值点两侧来回跳；大于 2/λ 时每次都比上次跳得更远。",
        ),
        b.line(after - low, (1 - eta * curve) ** t * (theta - low)),
    )
    there = bind(body, {theta: new})
    yield b.step(
        both("How much the loss falls", "损失下降多少"),
        both(
            "The first-order fall is ηg², and the curvature takes part of it back. On the whole the loss is multiplied by the squared factor. With η = 1/λ it is 0 after one step, with η = 2/λ nothing is gained.",
            "一阶的下降量是 ηg²，曲率又拿回一部分。总的来说损失乘以该因子的平方。取 η = 1/λ 时一步就到 0，取 η = 2/λ 时毫无进展。",
        ),
        b.line(there - loss, -(eta * g**2) + curve * eta**2 * g**2 / 2, -(eta * (1 - eta * curve / 2) * g**2)),
        b.line(there, (1 - eta * curve) ** 2 * loss),
    )


def valley(b: Board) -> Iterator[Block]:
    small, large = b.free("λ_min", "0.2", 1), b.free("λ_max", 2, 5)
    best = b.defined("η", 2 / (small + large))
    kappa = b.defined("κ", large / small)
    yield b.step(
        both("Two directions, one rate", "两个方向，一个学习率"),
        both(
            "In several dimensions every direction has a curvature of its own, but the rate is shared. The largest curvature limits the rate, the smallest has to live with it. A larger rate makes the factor of the one worse, a smaller rate that of the other; the best rate makes both equally large, with opposite signs.",
            "多维时每个方向都有自己的曲率，学习率却只有一个。最大的曲率限制了学习率，最小的曲率只能迁就。学习率再大，前者的因子变差；再小，后者的因子变差。最好的学习率使两个因子大小相等、符号相反。",
        ),
        b.line(best, 2 / (small + large)),
        b.line(1 - best * small, (large - small) / (large + small), -(1 - best * large)),
    )
    yield b.step(
        both("The condition number", "条件数"),
        both(
            "Only the ratio κ of the curvatures matters. For a long, narrow valley it is large, the factor is close to 1, and gradient descent is slow with any rate. This is what momentum and adaptive rates are for.",
            "起作用的只是曲率之比 κ。狭长的山谷 κ 很大，因子接近 1，无论取什么学习率，梯度下降都很慢。动量和自适应学习率正是为此而设。",
        ),
        b.line(kappa, large / small),
        b.line(1 - best * small, (kappa - 1) / (kappa + 1)),
    )


def numbers(b: Board) -> Iterator[Block]:
    yield from worked(
        b,
        "sgd",
        lambda theta: 2 * theta,
        (
            both(
                "L = θ² has the slope 2θ and the curvature 2, so every step multiplies θ by 1 − 0.1 · 2 = 0.8.",
                "L = θ² 的斜率是 2θ，曲率是 2，因此每一步都把 θ 乘以 1 − 0.1 · 2 = 0.8。",
            ),
            both("The slope is smaller here, and so is the step.", "这里的斜率更小，步长也就更小。"),
            both(
                "The rate has stayed the same: the steps get shorter by themselves.", "学习率没有变：步长自己在变短。"
            ),
        ),
        start=5,
        lr="0.1",
    )
    eta = b.number("η", "1.1")
    theta = b.number("θ_0", 5)
    lines = []
    for t in (1, 2):
        step = Made(b, "sgd", theta, lambda at: 2 * at, {"lr": eta}, index=(str(t), str(t - 1)))
        theta = b.defined(f"θ_{t}", step.new)
        lines += [*step.written(numbers=True), b.line(theta, step.new, numbers=True)]
    yield b.step(
        both("Too large a rate", "学习率过大"),
        both(
            "Here the bound is 2/λ = 1. With η = 1.1 the factor is 1 − 1.1 · 2 = −1.2, and θ runs away from the minimum, from side to side.",
            "这里的上界是 2/λ = 1。取 η = 1.1 时因子为 1 − 1.1 · 2 = −1.2，θ 左右摇摆，离极小值点越来越远。",
        ),
        *lines,
    )


def picture(b: Board) -> Iterator[Block]:
    runs = {f"ηλ = {2 * rate:g}": ("sgd", {"lr": rate}) for rate in (0.05, 0.25, 0.85, 1.05)}
    yield Hill("x^2", (5,), 12).falls(b, both("The loss θ² with different rates", "不同学习率下的损失 θ²"), runs)
    yield Hill("0.5*x^2 + 5*y^2", (-9, 1.5), 30).ways(
        b,
        both("A narrow valley, 0.5x² + 5y²", "狭长的山谷 0.5x² + 5y²"),
        {f"η = {rate}": ("sgd", {"lr": rate}) for rate in (0.03, 0.18)},
    )


def whole_fall(b: Board) -> tuple[Formula, Formula]:
    g, eta, curve = b.free("g", 1, 2), b.free("η", "0.1", "0.5"), b.free("λ", "0.5", 2)
    return eta * g**2, eta * (1 - eta * curve / 2) * g**2


def to_the_minimum(b: Board) -> tuple[Formula, Formula]:
    x, y = b.free("x", 1, 2), b.free("y", 1, 2)
    return 10 * y / x, y / x


lesson = Lesson(
    title=both("Gradient descent", "梯度下降"),
    short=both(
        "w ← w − η ∂L/∂w is the step in the steepest direction; on a curvature λ it converges for 0 < η < 2/λ.",
        "w ← w − η ∂L/∂w 是沿最陡方向走的一步；曲率为 λ 时，0 < η < 2/λ 才收敛。",
    ),
    chapter="optimizers",
    position=1,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Nearly every optimizer of deep learning is gradient descent with something else in the place of the gradient or of the rate. With too large a rate each of them runs away from the minimum or keeps jumping about it.",
            "深度学习中的优化器几乎都是梯度下降，只是把梯度或学习率换成了别的量。学习率过大时，它们同样会远离极小值点，或在其周围来回跳动。",
        ),
        both(
            "If the loss grows without bound or becomes nan, the rate is most likely above 2/λ for some direction: make it smaller first.",
            "如果损失无限增大或变成 nan，多半是学习率在某个方向上超过了 2/λ：先把它调小。",
        ),
    ),
    mistakes=(
        Mistake(
            both("A step lowers the loss by ηg².", "一步使损失下降 ηg²。"),
            both(
                "By ηg²(1 − ηλ/2) on a parabola: the first-order estimate holds for small steps only, and for η > 2/λ the loss rises.",
                "在抛物线上下降的是 ηg²(1 − ηλ/2)：一阶估计只对小步成立，η > 2/λ 时损失反而上升。",
            ),
            whole_fall,
        ),
        Mistake(
            both("The negative gradient points to the minimum.", "负梯度指向极小值点。"),
            both(
                "It points down the steepest slope. For 0.5x² + 5y² it has the slope 10y/x, while the minimum lies in the direction y/x.",
                "它指向最陡的下坡。对 0.5x² + 5y²，它的方向斜率是 10y/x，而极小值点所在方向的斜率是 y/x。",
            ),
            to_the_minimum,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {sgd: {lr: 0.05}}
steps: 3
""",
    see=("batches", "momentum", "learning_rate_schedules", "backprop_equations", "choosing_an_optimizer"),
)

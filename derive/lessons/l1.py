"""L1 regularization (lasso): the subgradient, the soft threshold case by case, and why weights become exactly 0."""

from __future__ import annotations

import math
from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.figures.chart import Curve
from derive.formula import PI, ZERO, Apply, Formula, Name, Symbol, Written, cases, exp, larger, log, sqrt
from derive.measuring import named

_u = Name("u", symbol=Symbol("u"))
_sign = named("sign", "sign", (_u,), cases((1, _u > 0), (-1, _u < 0), (0, True)))


def sign(f: Formula) -> Formula:
    """The sign of a number, 0 of 0."""
    return Apply(_sign, (f,))


def soft(w: Formula, threshold: Formula) -> Formula:
    """A number moved towards 0 by a threshold, and no further than 0."""
    return cases((w - threshold, w > threshold), (w + threshold, w < -threshold), (0, True))


def derivation(b: Board) -> Iterator[Block]:
    yield from penalty(b)
    yield from threshold(b)
    yield from limit(b)
    yield from prior(b)


def penalty(b: Board) -> Iterator[Block]:
    """The penalty of two weights, its slope, and the slopes at the kink."""
    w1, w2, x1, x2, t = (b.free(symbol) for symbol in ("w_1", "w_2", "x_1", "x_2", "t"))
    λ, η = b.free("λ", 0, 1), b.free("η", 0, 1)
    loss, R = (w1 * x1 + w2 * x2 - t) ** 2 / 2, λ * (abs(w1) + abs(w2))
    yield b.step(
        both("Definition", "定义"),
        both(
            "To the loss on the data the absolute values of all weights are added, times λ ≥ 0. Two weights are enough to see everything.",
            "在数据损失上加上所有权重绝对值之和乘以 λ ≥ 0。用两个权重就能看清全部内容。",
        ),
        b.line(b.defined("R", R), λ * (abs(w1) + abs(w2))),
        b.line(b.defined("J", loss + R), b.defined("L", loss) + b.defined("R", R)),
    )
    slope = b.partial("R", R, w1)
    yield from b.differentiated(R, w1, slope)
    whole, data = b.partial("J", loss + R, w1), b.partial("L", loss, w1)
    yield b.step(
        both("The sign", "符号函数"),
        both(
            "Away from 0 the slope of the absolute value is the sign of the weight; at 0 the sign is 0, the value PyTorch takes.",
            "在 0 以外，绝对值的导数就是权重的符号；0 的符号是 0，与 PyTorch 所取的值一致。",
        ),
        b.line(sign(w1), cases((1, w1 > 0), (-1, w1 < 0), (0, True))),
        b.line(slope, λ * sign(w1)),
    )
    yield b.step(
        both("Gradient of the whole", "总目标的梯度"),
        both(
            "The sum is differentiated term by term. The pull towards 0 is λ for a large weight and λ for a small one: only its sign depends on the weight. With L2 it would be λ·w and would fade on the way to 0. The second line is the step of gradient descent with the learning rate η; a raised + marks the weight after it.",
            "和式逐项求导。无论权重大小，指向 0 的拉力都是 λ，权重只决定它的符号。若用 L2，拉力是 λ·w，越接近 0 越弱。第二行是学习率为 η 的一步梯度下降，右上角的 + 表示更新之后的权重。",
        ),
        b.line(whole, data + slope, data + λ * sign(w1)),
        b.line(b.defined("w^+_1", w1 - η * whole), w1 - η * data - η * λ * sign(w1)),
    )
    w, c = b.free("w"), b.free("c", -1, 1)
    yield b.step(
        both("At the kink", "在折点处"),
        (
            both(
                "At 0 there is no slope, but there are straight lines through the kink that lie nowhere above the curve. A slope c is such a subgradient if |w| − c·w is never negative.",
                "在 0 处没有导数，但有一些过折点的直线处处不高于曲线。若 |w| − c·w 恒不为负，斜率 c 就是一个次梯度。",
            ),
            both(
                "Both branches are at least 0 for every c from −1 to 1, and for no other c. All of these are subgradients at 0; for a gradient step PyTorch takes the one in the middle, 0.",
                "当且仅当 c 在 −1 与 1 之间时，两个分支都不为负。这些 c 都是 0 处的次梯度；做梯度步时，PyTorch 取中间的 0。",
            ),
        ),
        b.line(abs(w) - c * w, cases(((1 - c) * w, w >= 0), ((1 + c) * -w, True))),
    )


def threshold(b: Board) -> Iterator[Block]:
    """The minimum of a quadratic with the penalty, case by case."""
    w, h, λ = b.free("w"), b.free("h", 1, 2), b.free("λ", 1, 2)
    best = b.free("w^*", 3, 5)

    def objective(goal: Formula) -> Formula:
        return h / 2 * (w - goal) ** 2 + λ * abs(w)

    yield b.step(
        both("Near a minimum", "极小点附近"),
        say(
            both(
                "As for L2, the loss is replaced by the parabola it resembles near its minimum {best}, with a curvature h. Where does the minimum of the sum lie? There are three places to look: right of 0, left of 0, and 0.",
                "与 L2 一样，用损失在极小点 {best} 附近的抛物线代替它，曲率为 h。总和的极小点在哪里？有三处可能：0 的右侧、0 的左侧、以及 0 本身。",
            ),
            best=best,
        ),
        b.line(b.defined("J", objective(best)), h / 2 * (w - best) ** 2 + λ * abs(w)),
    )
    right = b.smallest("w\u0302", objective(best), w, -9, 9)
    at = b.free("w", 1, 2)
    yield b.step(
        both("Right of 0", "0 的右侧"),
        say(
            both(
                "There |w| is w. The slope is 0 at a place that is really to the right of 0 only if {best} is larger than {edge}.",
                "此时 |w| 就是 w。斜率为 0 的位置要真正落在 0 的右侧，需要 {best} 大于 {edge}。",
            ),
            best=best,
            edge=λ / h,
        ),
        b.line(b.slope(h / 2 * (at - best) ** 2 + λ * abs(at), at), h * (at - best) + λ, h * (at - (best - λ / h))),
        b.line(right, best - λ / h),
    )
    best, at = b.free("w^*", -5, -3), b.free("w", -2, -1)
    left = b.smallest("w\u0302", objective(best), w, -9, 9)
    yield b.step(
        both("Left of 0", "0 的左侧"),
        say(
            both(
                "There |w| is −w, and the penalty pushes to the right. The place is to the left of 0 only if {best} is less than {edge}.",
                "此时 |w| 等于 −w，惩罚项向右推。该位置落在 0 的左侧，需要 {best} 小于 {edge}。",
            ),
            best=best,
            edge=-(λ / h),
        ),
        b.line(b.slope(h / 2 * (at - best) ** 2 + λ * abs(at), at), h * (at - best) - λ, h * (at - (best + λ / h))),
        b.line(left, best + λ / h),
    )
    yield at_zero(b, w, h, λ)
    yield from result(b, h, λ)


def at_zero(b: Board, w: Name, h: Name, λ: Name) -> Step:
    """Where the penalty wins."""

    def objective(goal: Formula) -> Formula:
        return h / 2 * (w - goal) ** 2 + λ * abs(w)

    best = b.free("w^*", "-0.4", "0.4")
    none = b.smallest("w\u0302", objective(best), w, -9, 9)
    return b.step(
        both("At 0", "恰在 0 处"),
        say(
            both(
                "In between, {best} is at most {edge} away from 0. Compared with its value at 0, the sum is larger everywhere else: the square is positive, and λ|w| is at least as large as what is subtracted. The minimum is exactly 0.",
                "其余情形下 {best} 到 0 的距离不超过 {edge}。与 0 处的值相比，总和在其他各处都更大：平方项为正，λ|w| 又不小于所减去的量。极小点恰为 0。",
            ),
            best=best,
            edge=λ / h,
        ),
        b.line(objective(best) - h / 2 * best**2, h / 2 * w**2 + (λ * abs(w) - h * best * w)),
        b.line(none, ZERO),
    )


def result(b: Board, h: Name, λ: Name) -> Iterator[Block]:
    """The three cases together."""
    best, w = b.free("w^*", -4, 4), b.free("w")
    found = b.smallest("w\u0302", h / 2 * (w - best) ** 2 + λ * abs(w), w, -9, 9)
    yield b.step(
        both("The soft threshold", "软阈值"),
        both(
            "The three cases together. The weight moves towards 0 by λ/h and stops there. Small weights become exactly 0, so the network uses fewer of its inputs; this is what sparse means.",
            "三种情形合在一起：权重向 0 移动 λ/h，到 0 为止。小的权重恰好变成 0，网络用到的输入就变少了，这就是稀疏的含义。",
        ),
        b.line(found, soft(best, λ / h), sign(best) * larger(abs(best) - λ / h, 0)),
    )
    best = b.free("w^*", 3, 5)
    ridge = b.smallest(Symbol("w\u0302", sup="L2"), h / 2 * (w - best) ** 2 + λ / 2 * w**2, w, -9, 9)
    lasso = b.smallest(Symbol("w\u0302", sup="L1"), h / 2 * (w - best) ** 2 + λ * abs(w), w, -9, 9)
    yield b.step(
        both("Beside L2", "与 L2 对照"),
        both(
            "L2 takes away a share of a weight, L1 a fixed amount (here above its threshold). Shares never use a weight up; fixed amounts do.",
            "L2 按比例减少权重，L1 减少固定的量（这里设权重大于阈值）。按比例永远减不完，减固定的量则会减到 0。",
        ),
        b.line(best - ridge, λ / (h + λ) * best),
        b.line(best - lasso, λ / h),
    )


def limit(b: Board) -> Iterator[Block]:
    """The penalty as a limit that the weights have to keep."""
    w1, w2, λ = b.free("w_1"), b.free("w_2"), b.free("λ", 0, 1)
    x1, x2 = b.free("w\u0302_1"), b.free("w\u0302_2")

    def parts(one: Formula, two: Formula) -> tuple[Formula, Formula]:
        return (one - 1) ** 2 / 2 + (two - 2) ** 2 / 2, λ * (abs(one) + abs(two))

    (loss, penalty), (lowest, least) = parts(w1, w2), parts(x1, x2)
    L, R, J = b.defined("L", loss), b.defined("R", penalty), b.defined("J", loss + penalty)
    Lx, Rx, Jx = b.defined("L\u0302", lowest), b.defined("R\u0302", least), b.defined("J\u0302", lowest + least)
    yield b.step(
        both("A penalty is a limit", "惩罚等价于限制"),
        say(
            both(
                "Let {J} be the smallest value of the sum, with the loss {L} and the penalty {R} there. For other weights whose penalty is not larger, both differences on the right are at least 0, so their loss is not smaller. The minimum with the penalty is the lowest loss inside the set of weights with at most this penalty; the picture shows this set.",
                "设总和的最小值为 {J}，此处的损失为 {L}，惩罚为 {R}。对惩罚不更大的其他权重，右边的两个差都不小于 0，因此损失不会更小。也就是说，带惩罚的极小点，就是在惩罚不超过该值的权重集合内损失最低的点；下面的图画出了这个集合。",
            ),
            J=Jx,
            L=Lx,
            R=Rx,
        ),
        b.line(J, L + R),
        b.line(Jx, Lx + Rx),
        b.line(L - Lx, Apply("add", ((J - Jx), (Rx - R)))),
    )


def prior(b: Board) -> Iterator[Block]:
    """The same penalty as a belief about the weights before any data."""
    w, x, t = b.free("w"), b.free("x"), b.free("t")
    noise, width = b.free("σ", 1, 2), b.free("τ", 1, 2)
    likelihood = exp(-((t - w * x) ** 2) / (2 * noise**2)) / sqrt(2 * PI * noise**2)
    belief = exp(-(abs(w) / width)) / (2 * width)
    of_data, of_weight = b.defined("p_t|w", likelihood), b.defined("p_w", belief)
    λ = b.defined("λ", noise**2 / width)
    shown = Written(-(noise**2) * log(of_data * of_weight), Symbol("w"))
    yield b.step(
        both("L1 is a Laplace prior", "L1 就是拉普拉斯先验"),
        (
            both(
                "Let targets scatter around w·x by the bell curve with standard deviation σ, and let the weight follow Laplace's density, which has a peak at 0 and long tails. The most probable weight makes minus the logarithm of the product smallest.",
                "设目标以标准差 σ 围绕 w·x 呈正态分布，权重服从拉普拉斯分布：在 0 处有尖峰，两侧尾部较长。最可能的权重使乘积的负对数最小。",
            ),
            both(
                "Multiplying by σ² gives half the squared error and λ|w| with λ = σ²/τ; the rest does not contain w.",
                "乘以 σ² 后出现半个平方误差与 λ|w|，其中 λ = σ²/τ；其余部分不含 w。",
            ),
        ),
        b.line(of_data, likelihood),
        b.line(of_weight, belief),
        b.line(
            -(noise**2) * log(of_data * of_weight),
            (t - w * x) ** 2 / 2 + noise**2 / width * abs(w) + noise**2 * log(2 * width * sqrt(2 * PI * noise**2)),
        ),
        b.line(
            b.slope(-(noise**2) * log(likelihood * belief), w, shown),
            b.slope((t - w * x) ** 2 / 2 + λ * abs(w), w),
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    edge = b.number("λ", 1)
    lines = []
    for i, given in enumerate(("3", "0.5", "-2.5"), 1):
        best = b.number(f"w^*_{i}", given)
        lines.append(
            b.line(b.defined(f"w\u0302_{i}", soft(best, edge)), sign(best) * larger(abs(best) - edge, 0), numbers=True)
        )
    yield b.step(
        both("Three weights, h = 1 and λ = 1", "三个权重，h = 1，λ = 1"),
        both(
            "The weights that fit the data best are 3, 0.5 and −2.5. One of them becomes 0, the others lose 1.",
            "最适合数据的权重是 3、0.5 和 −2.5。其中一个变为 0，另外两个的绝对值减少 1。",
        ),
        *lines,
    )
    w, η, λ = b.number("w", "0.03"), b.number("η", "0.1"), b.number("λ", "0.5")
    first = b.defined("w_1", w - η * λ)
    yield b.step(
        both("Why plain steps miss the 0", "为什么普通的梯度下降到不了 0"),
        both(
            "Let the data have no slope here. A subgradient step has the fixed length ηλ, so it jumps across 0 and back. The soft threshold with the same length stops at 0; libraries for the lasso step this way.",
            "设数据损失在此处没有斜率。次梯度步的长度固定为 ηλ，会在 0 的两侧来回跳。同样长度的软阈值停在 0；求解 lasso 的程序库用的是这种步骤。",
        ),
        b.line(first, w - η * λ, numbers=True),
        b.line(b.defined("w_2", first + η * λ), first + η * λ, numbers=True),
        b.line(b.defined("w\u0302", soft(w, η * λ)), larger(w - η * λ, 0), numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    w1, w2, best = b.free("w_1"), b.free("w_2"), b.free("w^*")
    goal = (1.6, 0.3)
    diamond = [(1 - abs(1 - s), 1 - s) if s <= 2 else (abs(3 - s) - 1, s - 3) for s in grid(0, 4, 401)]
    disc = [(math.cos(angle), math.sin(angle)) for angle in grid(0, 2 * math.pi, 401)]

    def height(at: tuple[float, float]) -> float:
        return (at[0] - goal[0]) ** 2 / 2 + (at[1] - goal[1]) ** 2

    yield b.plane(
        both(
            "The loss may be lowered only inside a set: the diamond (L1) is touched at a corner, where a weight is 0",
            "只允许在集合内降低损失：菱形（L1）在顶点处被触到，那里有一个权重为 0",
        ),
        (w1 - "1.6") ** 2 / 2 + (w2 - "0.3") ** 2,
        w1,
        w2,
        (-1.25, 2.25),
        (-1.25, 1.25),
        (
            Curve("L1", tuple(diamond)),
            Curve("L2", tuple(disc)),
            Curve(b.text(both("lowest in the diamond", "菱形内的最低点")), (min(diamond, key=height),), "dots"),
            Curve(b.text(both("lowest in the disc", "圆内的最低点")), (min(disc, key=height),), "dots"),
            Curve(b.text(both("lowest of all", "全局最低点")), (goal,), "dots"),
        ),
    )
    one = b.number("λ", 1)
    at = grid(-4, 4)
    yield b.chart(
        both(
            "Where a weight ends that would be w* without a penalty (h = 1, λ = 1)",
            "无惩罚时为 w* 的权重最终落在何处（h = 1，λ = 1）",
        ),
        "w*",
        both("resulting weight", "得到的权重"),
        {
            both("no penalty", "无惩罚"): b.vary(best, best, at),
            "L1": b.vary(soft(best, one), best, at),
            "L2": b.vary(best / (1 + one), best, at),
        },
    )


def proportional(b: Board) -> tuple[Formula, Formula]:
    w, λ = b.free("w", 2, 3), b.free("λ", 0, 1)
    return b.slope(λ * abs(w), w), λ * w


def overshoot(b: Board) -> tuple[Formula, Formula]:
    best, edge, w = b.free("w^*", "-0.4", "0.4"), b.free("λ", 1, 2), b.free("w")
    return best - edge * sign(best), b.smallest("w\u0302", (w - best) ** 2 / 2 + edge * abs(w), w, -9, 9)


lesson = Lesson(
    title=both("L1 regularization (lasso)", "L1 正则化（lasso）"),
    short=both(
        "A penalty on the absolute values pulls every weight towards 0 with the same strength; weights the data need little become exactly 0.",
        "对绝对值的惩罚以相同的力度把每个权重拉向 0；数据不太需要的权重恰好变为 0。",
    ),
    chapter="regularization",
    position=2,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Weights that are 0 can be left out: the model is smaller, and which inputs remain hints at which ones matter. L2 keeps all of them, with small values.",
            "为 0 的权重可以删去：模型更小，而且留下的输入提示了哪些重要。L2 则保留所有权重，只是数值较小。",
        ),
        both(
            "Of two inputs that say nearly the same, L1 tends to keep one and L2 shares the weight between them. The sum of both penalties, the elastic net, stands between.",
            "若两个输入的信息几乎相同，L1 往往只留一个，L2 则把权重分给两者。两种惩罚相加就是弹性网，介于其间。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The gradient of λ|w| is λw.", "λ|w| 的梯度是 λw。"),
            both("It is λ times the sign of w; λw belongs to L2.", "是 λ 乘以 w 的符号；λw 属于 L2。"),
            proportional,
        ),
        Mistake(
            both("L1 always takes λ/h away.", "L1 总是减去 λ/h。"),
            both(
                "Only until 0 is reached: a weight below the threshold becomes 0 and does not change its sign.",
                "只减到 0 为止：小于阈值的权重变为 0，不会改变符号。",
            ),
            overshoot,
        ),
        Mistake(
            both(
                "Training with the L1 penalty by SGD gives exact zeros.",
                "用 SGD 训练带 L1 惩罚的网络会得到恰好为 0 的权重。",
            ),
            both(
                "Its steps hop around 0. Exact zeros need the soft threshold after each step, or small weights are set to 0 at the end.",
                "梯度步会在 0 附近来回跳。要恰好为 0，需在每步之后做软阈值，或在最后把小权重置 0。",
            ),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -2]], bias: 0.1}
  - sigmoid
loss: bce
regularization: {l1: 0.01}
optimizer: {sgd: {lr: 0.1}}
""",
    see=("l2", "weight_decay", "gradient_descent", "mae"),
)

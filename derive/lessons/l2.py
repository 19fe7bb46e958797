"""L2 regularization (ridge): the penalty, its gradient, what it does to a minimum, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, say
from derive.formula import PI, Formula, Partial, Symbol, Written, add, exp, grand_total, hadamard, log, sqrt


def derivation(b: Board) -> Iterator[Block]:
    yield from gradient(b)
    yield from shrinkage(b)
    yield from prior(b)


def gradient(b: Board) -> Iterator[Block]:
    """The penalty of two weights, and the step it leads to."""
    w1, w2, x1, x2, t = (b.free(symbol) for symbol in ("w_1", "w_2", "x_1", "x_2", "t"))
    λ, η = b.free("λ", 0, 1), b.free("η", 0, 1)
    loss = (w1 * x1 + w2 * x2 - t) ** 2 / 2
    penalty = λ / 2 * (w1**2 + w2**2)
    L, R, J = b.defined("L", loss), b.defined("R", penalty), b.defined("J", loss + penalty)
    yield b.step(
        both("Definition", "定义"),
        both(
            "To the loss on the data a penalty is added: the sum of the squares of all weights, times λ/2. λ ≥ 0 is chosen by you; 0 switches the penalty off. Two weights are enough to see everything.",
            "在数据损失上加一个惩罚项：所有权重的平方和乘以 λ/2。λ ≥ 0 由使用者选定，取 0 就是不加惩罚。用两个权重就能看清全部内容。",
        ),
        b.line(R, λ / 2 * (w1**2 + w2**2)),
        b.line(J, L + R),
    )
    by = {w: b.partial("R", penalty, w) for w in (w1, w2)}
    yield from b.differentiated(penalty, w1, by[w1])
    yield b.step(
        both("Every weight has its own term", "每个权重各有一项"),
        both(
            "A weight stands in one square only, so the other squares are constants for it. This is why the ½ is there: the 2 of the power rule cancels it.",
            "每个权重只出现在一个平方项里，对它来说其余平方项都是常数。因子 ½ 的用处也在这里：它与幂法则产生的 2 抵消。",
        ),
        b.line(by[w2], λ / 2 * (2 * w2), λ * w2),
    )
    yield from whole_matrix(b)
    whole = {w: b.partial("J", loss + penalty, w) for w in (w1, w2)}
    data = {w: b.partial("L", loss, w) for w in (w1, w2)}
    yield b.step(
        both("Gradient of the whole", "总目标的梯度"),
        both(
            "A sum is differentiated term by term. Backpropagation finds the gradient of the data loss as always, and λ times the weight is added to it.",
            "和式逐项求导。反向传播照常求出数据损失的梯度，再加上 λ 乘以该权重即可。",
        ),
        b.line(whole[w1], data[w1] + by[w1], data[w1] + λ * w1),
        b.line(whole[w2], data[w2] + by[w2], data[w2] + λ * w2),
    )
    plain = λ * (w1**2 + w2**2)
    yield b.step(
        both("Without the ½", "不带 ½ 的写法"),
        both(
            "Many books leave the ½ out. Then the gradient is twice as large, and the same effect needs half the λ: check which form is meant before you copy a λ.",
            "许多书不写 ½，这时梯度变为两倍，要得到同样的效果，λ 应取一半。照抄别处的 λ 之前，先看清用的是哪种写法。",
        ),
        b.line(b.slope(plain, w1), 2 * λ * w1),
    )
    new = b.defined("w^+_1", w1 - η * whole[w1])
    yield b.step(
        both("One step of gradient descent", "梯度下降的一步"),
        both(
            "The gradient is put in and the terms with the weight are collected; η is the learning rate, a raised + marks the weight after the step. Before it follows the data, the weight is multiplied by a number a little below 1.",
            "代入梯度并合并含该权重的项；η 是学习率，右上角的 + 表示更新之后的权重。权重先乘以一个略小于 1 的数，然后才按数据移动。",
        ),
        b.line(new, w1 - η * whole[w1], w1 - η * (data[w1] + λ * w1), (1 - η * λ) * w1 - η * data[w1]),
    )


def whole_matrix(b: Board) -> Iterator[Block]:
    """The penalty of a layer's weights at once."""
    λ, w = b.free("λ", 0, 1), [[b.free(f"w_{i}{j}") for j in (1, 2, 3)] for i in (1, 2)]
    entries = [x for row in w for x in row]
    penalty = λ / 2 * add(*(x**2 for x in entries))
    W = b.held("W", np.array([[b.exactly(x) for x in row] for row in w], dtype=object))
    slopes = np.array([[b.value(b.slope(penalty, x)) for x in row] for row in w], dtype=object)
    slope = b.held("∇R", slopes)
    yield b.step(
        both("A whole matrix", "整个矩阵"),
        say(
            both(
                "For all weights of a layer the squares are added over all entries of {W}; ⊙ multiplies entry by entry. The gradient {slope} has the slope with respect to each weight in its place, so it is the matrix itself, times λ.",
                "对一层的所有权重，把 {W} 各元素的平方全部相加，⊙ 表示逐元素相乘。梯度 {slope} 在每个位置上放着对该权重的偏导数，因此它就是 λ 乘以矩阵本身。",
            ),
            W=W,
            slope=slope,
        ),
        b.line(b.defined("R", penalty), λ / 2 * grand_total(hadamard(W, W))),
        b.line(slope, λ * W),
    )


def shrinkage(b: Board) -> Iterator[Block]:
    """Where the minimum of a quadratic goes."""
    w, best, h, λ = b.free("w"), b.free("w^*"), b.free("h", 0, 2), b.free("λ", 0, 2)
    loss = h / 2 * (w - best) ** 2
    J = b.defined("J", loss + λ / 2 * w**2)
    found = b.smallest("w\u0302", loss + λ / 2 * w**2, w, -5, 5)
    slope = b.slope(loss + λ / 2 * w**2, w, Partial(Symbol("J"), Symbol("w"), "d"))
    yield b.step(
        both("Near a minimum", "极小点附近"),
        say(
            both(
                "Close to a minimum {best} a smooth loss is a parabola along each principal direction, with a curvature h. The penalty is another parabola, with its minimum at 0.",
                "在极小点 {best} 附近，光滑的损失沿每个主方向都近似一条抛物线，曲率为 h。惩罚项是另一条抛物线，最小点在 0。",
            ),
            best=best,
        ),
        b.line(J, h / 2 * (w - best) ** 2 + λ / 2 * w**2),
    )
    square = (h + λ) / 2 * (w - h / (h + λ) * best) ** 2
    yield b.step(
        both("Complete the square", "配方"),
        both(
            "Both parabolas together are one. The last term does not contain w, and the square is at least 0.",
            "两条抛物线之和仍是一条抛物线。最后一项不含 w，而平方项不小于 0。",
        ),
        b.line(J, (h + λ) / 2 * w**2 - h * best * w + h / 2 * best**2, square + h * λ / (2 * (h + λ)) * best**2),
    )
    yield b.step(
        both("The new minimum", "新的极小点"),
        both(
            "The sum is smallest where the square is 0. There the slopes of both parabolas cancel.",
            "平方项为 0 时总和最小。在那里两条抛物线的斜率互相抵消。",
        ),
        b.line(found, h / (h + λ) * best),
        b.line(slope, h * (w - best) + λ * w, (h + λ) * (w - h / (h + λ) * best)),
        b.line(h * (best - found), λ * found),
    )
    flat, steep = b.free("h_1", "0.01", "0.1"), b.free("h_2", 10, 20)
    yield b.step(
        both("What is shrunk most", "哪个方向缩得最多"),
        both(
            "The factor is close to 1 where the loss is steep and close to 0 where it is flat: directions the data say little about are given up, the others are kept. As long as h is positive, the factor is never 0.",
            "损失陡峭的方向上因子接近 1，平坦的方向上接近 0：数据几乎没有约束的方向被压小，其余方向基本保留。只要 h 为正，因子就不会等于 0。",
        ),
        b.line(flat / (flat + λ), 1 - λ / (flat + λ)),
        b.line(steep / (steep + λ), 1 - λ / (steep + λ)),
    )


def prior(b: Board) -> Iterator[Block]:
    """The same penalty as a belief about the weights before any data."""
    w, x, t = b.free("w"), b.free("x"), b.free("t")
    noise, width = b.free("σ", 1, 2), b.free("τ", 1, 2)
    likelihood = exp(-((t - w * x) ** 2) / (2 * noise**2)) / sqrt(2 * PI * noise**2)
    belief = exp(-(w**2) / (2 * width**2)) / sqrt(2 * PI * width**2)
    of_data, of_weight = b.defined("p_t|w", likelihood), b.defined("p_w", belief)
    yield b.step(
        both("A belief about the weight", "关于权重的先验"),
        both(
            "Let targets scatter around w·x with standard deviation σ, and let weights be spread around 0 with standard deviation τ, both by the bell curve. By Bayes' rule the probability of the weight given the data is proportional to the product of the two.",
            "设目标以标准差 σ 围绕 w·x 分布，权重以标准差 τ 围绕 0 分布，二者均为正态分布。由贝叶斯公式，给定数据时权重的概率正比于这两者之积。",
        ),
        b.line(of_data, likelihood),
        b.line(of_weight, belief),
    )
    cost = (t - w * x) ** 2 / (2 * noise**2) + w**2 / (2 * width**2)
    yield b.step(
        both("Minus the logarithm", "取负对数"),
        both(
            "The most probable weight makes the product largest, so it makes minus its logarithm smallest. A product becomes a sum, and what does not contain w is a constant.",
            "最可能的权重使乘积最大，也就使它的负对数最小。乘积变成和，不含 w 的部分是常数。",
        ),
        b.line(-log(of_data * of_weight), -log(of_data) - log(of_weight), cost + log(2 * PI * noise * width)),
    )
    λ = b.defined("λ", noise**2 / width**2)
    shown = Written(-(noise**2) * log(of_data * of_weight), Symbol("w"))
    yield b.step(
        both("L2 is a Gaussian prior", "L2 就是高斯先验"),
        both(
            "Multiplied by σ², the sum has its minimum at the same place. Half the squared error and the penalty with λ = σ²/τ² appear. The more the data scatter and the narrower the belief, the larger is λ.",
            "乘以 σ² 不改变极小点的位置，于是出现半个平方误差，以及 λ = σ²/τ² 的惩罚项。数据噪声越大，先验越窄，λ 就越大。",
        ),
        b.line(λ, noise**2 / width**2),
        b.line(noise**2 * cost, (t - w * x) ** 2 / 2 + λ / 2 * w**2),
        b.line(
            b.slope(-(noise**2) * log(likelihood * belief), w, shown),
            b.slope((t - w * x) ** 2 / 2 + λ / 2 * w**2, w),
            -x * (t - w * x) + λ * w,
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    w1, w2 = b.number("w_1", "0.5"), b.number("w_2", "-2")
    g1 = b.number(Partial(Symbol("L"), Symbol("w", "1")), "0.3")
    λ, η = b.number("λ", "0.1"), b.number("η", "0.1")
    slope = b.defined(Partial(Symbol("J"), Symbol("w", "1")), g1 + λ * w1)
    yield b.step(
        both("One step with λ = 0.1 and η = 0.1", "λ = 0.1、η = 0.1 的一步"),
        both(
            "Given are the weights and the gradient of the data loss. The large weight makes most of the penalty.",
            "已知权重和数据损失的梯度。惩罚主要来自较大的权重。",
        ),
        b.line(b.defined("R", λ / 2 * (w1**2 + w2**2)), λ / 2 * (w1**2 + w2**2), numbers=True),
        b.line(slope, g1 + λ * w1, numbers=True),
        b.line(b.defined("w^+_1", w1 - η * slope), w1 - η * slope, (1 - η * λ) * w1 - η * g1, numbers=True),
    )
    best, h = b.number("w^*", 2), b.number("h", 1)
    lines = []
    for sub, amount in (("1", "0.1"), ("2", 1), ("3", 9)):
        λ = b.number(f"λ_{sub}", amount)
        lines.append(b.line(b.defined(f"w\u0302_{sub}", h / (h + λ) * best), h / (h + λ) * best, numbers=True))
    yield b.step(
        both("The minimum for three values of λ", "三个 λ 对应的极小点"),
        both(
            "The minimum of the data loss is at 2, the curvature is 1. With λ = h half of it is left.",
            "数据损失的极小点在 2，曲率为 1。当 λ = h 时只剩一半。",
        ),
        *lines,
    )


def picture(b: Board) -> Iterator[Block]:
    w, λ = b.free("w"), b.free("λ")
    yield b.chart(
        both("The sum of loss and penalty: the minimum moves from 2 towards 0", "损失与惩罚之和：极小点从 2 移向 0"),
        "w",
        "J",
        {
            f"λ = {amount}": b.vary((w - 2) ** 2 / 2 + Fraction(amount) / 2 * w**2, w, grid(-1, 3))
            for amount in ("0", "0.5", "1", "3")
        },
    )
    amounts = [10.0**exponent for exponent in grid(-3, 3)]
    yield b.chart(
        both(
            "What is left of a weight, h/(h + λ): flat directions shrink first",
            "权重保留的比例 h/(h + λ)：平坦方向先收缩",
        ),
        "λ",
        "",
        {f"h = {h}": b.vary(Fraction(h) / (Fraction(h) + λ), λ, amounts) for h in ("0.1", "1", "10")},
        log_x=True,
    )


def forgotten_two(b: Board) -> tuple[Formula, Formula]:
    w, λ = b.free("w", 1, 2), b.free("λ", 0, 1)
    return b.slope(λ * w**2, w), λ * w


def not_squared(b: Board) -> tuple[Formula, Formula]:
    w1, w2, λ = b.free("w_1", 1, 2), b.free("w_2", 3, 4), b.free("λ", 0, 1)
    return b.slope(λ * sqrt(w1**2 + w2**2), w1), b.slope(λ / 2 * (w1**2 + w2**2), w1)


def exactly_zero(b: Board) -> tuple[Formula, Formula]:
    w, λ = b.free("w"), b.free("λ", 1, 100)
    return b.smallest("w\u0302", (w - 2) ** 2 / 2 + λ / 2 * w**2, w, -5, 5), Fraction(0) * w


lesson = Lesson(
    title=both("L2 regularization (ridge)", "L2 正则化（岭回归）"),
    short=both(
        "A penalty on the squares of the weights adds λw to the gradient: every step shrinks the weight in proportion to itself.",
        "对权重平方的惩罚给梯度加上 λw：每一步都按权重自身的大小成比例地缩小它。",
    ),
    chapter="regularization",
    position=1,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Large weights let the output change sharply between neighbouring samples, which is how a network fits noise. With the penalty it has to pay for that and does so only where the data gain from it.",
            "权重大时，相邻样本之间的输出可以剧烈变化，网络正是这样去拟合噪声的。加上惩罚后，这样做要付出代价，只有数据上的收益足够大时才值得。",
        ),
        both(
            "Where the data leave directions undetermined, for instance with more weights than samples, the minimum is not unique. With λ > 0 it is, if the loss is convex.",
            "当数据不足以确定所有方向时（例如权重比样本多），极小点不唯一。对凸的损失，取 λ > 0 后极小点就唯一了。",
        ),
        both(
            "Biases are usually left out: they shift the output but do not make it steeper. λ is chosen on validation data, often between 0.00001 and 0.01.",
            "偏置通常不加惩罚：它只平移输出，不会使函数变陡。λ 根据验证集来选，常在 0.00001 到 0.01 之间。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The gradient of λw² is λw.", "λw² 的梯度是 λw。"),
            both("It is 2λw; λw belongs to the form with ½.", "应为 2λw；λw 对应带 ½ 的写法。"),
            forgotten_two,
        ),
        Mistake(
            both("The penalty is the length of the weight vector.", "惩罚项是权重向量的长度。"),
            both(
                "It is the square of the length. The length itself would pull with the same strength however small the weights are.",
                "是长度的平方。若用长度本身，无论权重多小，拉力都一样大。",
            ),
            not_squared,
        ),
        Mistake(
            both("A large λ sets weights to exactly 0.", "λ 足够大时权重会恰好变为 0。"),
            both(
                "The factor h/(h + λ) is never 0. Exact zeros come from L1.",
                "因子 h/(h + λ) 不会为 0。恰好为 0 是 L1 的效果。",
            ),
            exactly_zero,
        ),
        Mistake(
            both("The reported loss went up, so training got worse.", "加了正则化后损失数值变大，说明训练变差了。"),
            both(
                "J contains the penalty. Compare models by the data loss alone, on data they were not trained on.",
                "J 里含有惩罚项。比较模型时只看数据损失，并且用训练时没见过的数据。",
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
regularization: {l2: {lambda: 0.1, half: true}}
optimizer: {sgd: {lr: 0.1}}
""",
    see=("l1", "weight_decay", "gradient_descent", "adamw", "dropout"),
)

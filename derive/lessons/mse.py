"""The mean squared error, its gradient, its forms with ½ and as a sum, and where the square comes from."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Amount, Block, Step, say
from derive.formula import PI, Formula, add, erf, exp, formula, log, sqrt
from derive.lessons._losses import of, partial, pointwise, slope_of, worked
from derive.losses import half_squared_error, mse

HALF = Fraction(1, 2)
op, half = pointwise(mse), pointwise(half_squared_error)


def derivation(b: Board) -> Iterator[Block]:
    a, t = b.free("a"), b.free("t")
    yield b.step(
        both("Definition for one output", "单个输出的定义"),
        say(
            both(
                "The error is the difference of the output {a} and the target {t}. Its square treats both signs alike and weighs large errors much more than small ones.",
                "误差是输出 {a} 与目标 {t} 之差。取平方后正负误差同等对待，而大误差比小误差重得多。",
            ),
            a=a,
            t=t,
        ),
        b.line(of(op, a, t), (a - t) ** 2),
    )
    yield from b.differentiated((a - t) ** 2, a, b.slope(of(op, a, t), a, partial("ℓ", a)), slope_of(op, a, t), "∂")
    yield from mean(b)
    yield from forms(b)
    yield from likelihood(b)
    yield best_constant(b)


def mean(b: Board) -> Iterator[Step]:
    a, t = [b.free(f"a_{i}") for i in (1, 2, 3)], [b.free(f"t_{i}") for i in (1, 2, 3)]
    squares = add(*((x - y) ** 2 for x, y in zip(a, t, strict=True)))
    loss, gradient = worked(b, mse, [[x] for x in a], [[y] for y in t])
    yield b.step(
        both("The mean over three outputs", "对三个输出取平均"),
        both(
            "The squared errors are added and divided by their number, whether they belong to one sample or to several.",
            "把各个平方误差相加，再除以它们的个数，不论它们属于一个样本还是多个样本。",
        ),
        b.line(b.hold("L", loss), squares / 3),
    )
    yield from b.differentiated(
        squares / 3, a[0], b.slope(squares / 3, a[0], partial("L", a[0])), 2 * (a[0] - t[0]) / 3, "∂"
    )
    yield b.step(
        both("The whole gradient", "完整的梯度"),
        both(
            "The three outputs play the same part, so each has the same formula with its own error.",
            "三个输出的地位相同，所以公式也相同，只是换成各自的误差。",
        ),
        *(b.line(b.hold(partial("L", x), g), 2 * (x - y) / 3) for x, y, g in zip(a, t, gradient, strict=True)),
    )
    n, rest = b.number("N", 7), b.free("R", 0, 9)
    x, y = b.free("a_i"), b.free("t_i")
    whole = (rest + (x - y) ** 2) / n
    yield b.step(
        both("Any number of outputs", "任意多个输出"),
        say(
            both(
                "Of {n} outputs take one, {x}. Let {rest} be the sum of all other squared errors; {x} does not occur in it, so its slope is 0.",
                "在 {n} 个输出中任取一个 {x}，其余各平方误差之和记为 {rest}。{rest} 中不含 {x}，对它的导数为 0。",
            ),
            n=n,
            x=x,
            rest=rest,
        ),
        b.line(
            b.slope(whole, x, partial("L", x)),
            b.slope(whole, x, d="∂"),
            b.slope((x - y) ** 2, x, d="∂") / n,
            2 * (x - y) / n,
        ),
    )


def forms(b: Board) -> Iterator[Step]:
    a, t = b.free("a"), b.free("t")
    slope = b.slope(of(half, a, t), a, partial("E", a))
    yield b.step(
        both("With a half", "带二分之一的形式"),
        both(
            "Many textbooks put ½ in front, so that it cancels the 2 of the power rule. The minimum stays where it is, and the slope of a single output is half as large.",
            "许多教材在前面乘以 ½，与幂法则中的 2 相消。极小点不变，单个输出的导数是原来的一半。",
        ),
        b.line(b.hold("E", b.value(of(half, a, t))), (t - a) ** 2 * HALF),
        b.line(
            slope,
            b.slope((t - a) ** 2 * HALF, a, d="∂"),
            HALF * 2 * (t - a) * b.slope(t - a, a, d="∂"),
            slope_of(half, a, t),
            a - t,
        ),
    )
    outputs, targets = [b.free(f"a_{i}") for i in (1, 2)], [b.free(f"t_{i}") for i in (1, 2)]
    errors = [x - y for x, y in zip(outputs, targets, strict=True)]
    rows = [[x] for x in outputs], [[y] for y in targets]
    total, gradient = worked(b, mse, *rows, reduction="sum")
    halves, half_gradient = worked(b, half_squared_error, *rows, reduction="mean")
    first, second = errors[0] ** 2, errors[1] ** 2
    yield b.step(
        both("As a sum, and as a mean with a half", "求和形式与带二分之一的平均"),
        both(
            "Without a division every output keeps its whole slope. With ½ and the mean over two samples, what is left of it is the error divided by two.",
            "不做除法时，每个输出保留完整的导数；取 ½ 并对两个样本求平均时，剩下的是误差除以二。",
        ),
        b.line(b.hold("L_sum", total), first + second),
        b.line(b.hold(partial("L_sum", outputs[0]), gradient[0]), 2 * errors[0]),
        b.line(b.hold("L_half", halves), (first * HALF + second * HALF) / 2, (first + second) / 4),
        b.line(b.hold(partial("L_half", outputs[0]), half_gradient[0]), errors[0] / 2),
    )


def likelihood(b: Board) -> Iterator[Step]:
    a, t, σ = b.free("a"), b.free("t"), b.free("σ", HALF, 2)
    density = exp(-((t - a) ** 2 / (2 * σ**2))) / (σ * sqrt(2 * PI))
    below = HALF * (1 + erf((t - a) / (σ * sqrt(2))))
    f = b.slope(below, t, "f")
    yield b.step(
        both("From normally distributed errors", "由正态分布的误差得到"),
        say(
            both(
                "Suppose that targets scatter around the output with a normal distribution of a fixed standard deviation {σ}. The density {f} is the derivative of the probability of lying below {t}.",
                "假设目标围绕输出服从正态分布，标准差 {σ} 固定。密度 {f} 就是“落在 {t} 以下的概率”的导数。",
            ),
            σ=σ,
            f=f,
            t=t,
        ),
        b.line(f, b.slope(below, t), density),
    )
    yield b.step(
        both("The negative logarithm", "负对数"),
        both(
            "The best output makes the density as large as possible, so its negative logarithm as small as possible. The first term is the squared error times a constant, the second does not depend on the output.",
            "最好的输出使密度最大，也就使负对数最小。第一项是平方误差乘以常数，第二项与输出无关。",
        ),
        b.line(
            b.defined("J", -log(f)),
            -log(f),
            -log(exp(-((t - a) ** 2 / (2 * σ**2)))) + log(σ * sqrt(2 * PI)),
            (t - a) ** 2 / (2 * σ**2) + log(σ * sqrt(2 * PI)),
        ),
        b.line(b.slope(-log(density), a, partial("J", a)), 2 * (a - t) / (2 * σ**2), (a - t) / σ**2),
    )
    outputs, targets = [b.free(f"a_{i}") for i in (1, 2, 3)], [b.free(f"t_{i}") for i in (1, 2, 3)]
    powers = [(y - x) ** 2 / (2 * σ**2) for x, y in zip(outputs, targets, strict=True)]
    each = [b.hold(f"f_{i}", b.value(exp(-power) / (σ * sqrt(2 * PI)))) for i, power in enumerate(powers, 1)]
    squares = add(*((x - y) ** 2 for x, y in zip(outputs, targets, strict=True)))
    yield b.step(
        both("Several independent samples", "多个独立样本"),
        both(
            "The density of independent samples is the product of their densities, and the logarithm makes a sum of it. With the same σ for all, least squares and maximum likelihood choose the same outputs.",
            "独立样本的联合密度是各密度之积，取对数后变成和。各样本的 σ 相同时，最小二乘与最大似然选出的是同样的输出。",
        ),
        b.line(
            -log(each[0] * each[1] * each[2]),
            -log(each[0]) - log(each[1]) - log(each[2]),
            squares / (2 * σ**2) + 3 * log(σ * sqrt(2 * PI)),
        ),
    )


def best_constant(b: Board) -> Step:
    c, t = b.free("c"), [b.free(f"t_{i}") for i in (1, 2, 3)]
    loss = add(*((c - y) ** 2 for y in t)) / 3
    centre = b.defined("t\u0304", add(*t) / 3)
    return b.step(
        both("The best single number is the mean", "最好的单个数是平均值"),
        say(
            both(
                "If every output is the same number {c}, the slope is negative below the mean {centre} of the targets, 0 at it and positive above: the loss is smallest there. With the mean absolute error it is their median.",
                "若所有输出都是同一个数 {c}，{c} 小于目标的平均值 {centre} 时导数为负，等于时为 0，大于时为正：损失在平均值处最小。换成平均绝对误差，则是中位数。",
            ),
            c=c,
            centre=centre,
        ),
        b.line(centre, add(*t) / 3),
        b.line(
            b.slope(loss, c, partial("L", c)),
            add(*(2 * (c - y) for y in t)) / 3,
            2 * (c - add(*t) / 3),
            2 * (c - centre),
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    outputs = [b.number("a_1", "0.8"), b.number("a_2", "0.4")]
    targets = [b.number("t_1", 1), b.number("t_2", 0)]
    squares = add(*((a - t) ** 2 for a, t in zip(outputs, targets, strict=True)))
    whole = b.defined("L", squares / 2)
    yield b.step(
        both("Two outputs", "两个输出"),
        both(
            "The error of the second output is twice as large, and it accounts for four fifths of the loss.",
            "第二个输出的误差是第一个的两倍，却占了损失的五分之四。",
        ),
        b.line(whole, squares / 2, numbers=True),
        *(
            b.line(b.slope(squares / 2, a, partial("L", a)), 2 * (a - t) / 2, numbers=True)
            for a, t in zip(outputs, targets, strict=True)
        ),
    )
    rows = []
    for form, factor in FORMS:
        loss = b.defined("L", squares * factor)
        slope = b.defined("g", 2 * (outputs[0] - targets[0]) * factor)
        rows.append((form, formula(factor), Amount(loss), Amount(slope)))
    yield b.table(
        both("The same errors under four conventions", "同样的误差，四种约定"),
        (
            both("form", "形式"),
            both("factor", "系数"),
            both("loss", "损失"),
            both("derivative, first output", "对第一个输出的导数"),
        ),
        rows,
    )


FORMS = (
    (both("mean, as in MSELoss", "平均（MSELoss）"), HALF),
    (both("sum", "求和"), Fraction(1)),
    (both("half of the sum", "和的一半"), HALF),
    (both("half of the mean", "平均的一半"), HALF / 2),
)


def picture(b: Board) -> Iterator[Block]:
    e = b.free("e")
    at = grid(-3, 3)
    yield b.chart(
        both("The squared error and its slope", "平方误差及其导数"),
        both("error a − t", "误差 a − t"),
        "",
        {"(a − t)²": b.vary(e**2, e, at), "2(a − t)": b.vary(2 * e, e, at)},
    )


def with_a_half(b: Board) -> tuple[Formula, Formula]:
    a, t = b.free("a"), b.free("t")
    return (a - t) ** 2 * HALF, of(op, a, t)


def without_the_mean(b: Board) -> tuple[Formula, Formula]:
    outputs, targets = [[b.free("a_1")], [b.free("a_2")]], [[b.free("t_1")], [b.free("t_2")]]
    _, gradient = worked(b, mse, outputs, targets)
    return 2 * (outputs[0][0] - targets[0][0]), b.hold("g", gradient[0])


def over_samples(b: Board) -> tuple[Formula, Formula]:
    outputs, targets = ([[b.free(f"{c}_{i}{j}") for j in (1, 2)] for i in (1, 2)] for c in "at")
    loss, _ = worked(b, mse, outputs, targets)
    squares = add(*((x - y) ** 2 for xs, ys in zip(outputs, targets, strict=True) for x, y in zip(xs, ys, strict=True)))
    return squares / 2, b.hold("L", loss)


lesson = Lesson(
    title=both("Mean squared error", "均方误差（MSE）"),
    short=both(
        "The mean of (a − t)² over all outputs; its derivative with respect to one output is 2(a − t)/N. Maximum likelihood leads to it when errors are normally distributed.",
        "(a − t)² 对所有输出取平均；对一个输出的导数是 2(a − t)/N。误差服从正态分布时，最大似然得到的正是它。",
    ),
    chapter="losses",
    position=1,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "It is the usual loss where a number is to be predicted. The gradient is proportional to the error: large far away, small close by, so steps shrink by themselves near the target.",
            "预测数值时通常使用它。梯度与误差成正比：离得远时大，离得近时小，因此接近目标时步长自动变小。",
        ),
        both(
            "The same proportionality makes it sensitive to outliers: an error ten times as large pulls ten times as hard and costs a hundred times as much. Where some targets may be plainly wrong, Huber's loss or the absolute error is safer.",
            "正因如此它对离群值敏感：误差变成十倍，梯度也变成十倍，损失则变成一百倍。目标中若有错误数据，Huber 损失或绝对误差更稳妥。",
        ),
        both(
            "Mean or sum changes the length of the gradient by the number of outputs: a learning rate that suits the one is wrong by that factor for the other.",
            "取平均还是求和，梯度相差的倍数就是输出个数：适合其中一种的学习率，换到另一种就差了这么多倍。",
        ),
    ),
    mistakes=(
        Mistake(
            both("MSELoss contains the factor ½", "MSELoss 带有系数 ½"),
            both(
                "It does not: it is the plain mean of the squares. The ½ belongs to the textbook's form, half_squared_error in derive, which adds up ½(t − a)² over all outputs.",
                "不带，它就是各平方的平均。½ 属于教材中的形式，在 derive 中叫 half_squared_error，即对所有输出把 ½(t − a)² 相加。",
            ),
            with_a_half,
        ),
        Mistake(
            both("The derivative with respect to an output is 2(a − t)", "对输出的导数是 2(a − t)"),
            both(
                "That is the derivative of the sum. The mean divides it by N, the number of outputs.",
                "那是求和形式的导数。平均形式还要除以输出个数 N。",
            ),
            without_the_mean,
        ),
        Mistake(
            both("The mean is taken over the samples", "平均只对样本取"),
            both(
                "PyTorch divides by samples times outputs, by all entries. For networks with several outputs the two differ.",
                "PyTorch 除以全部元素的个数，即样本数乘以输出数。网络有多个输出时两者不同。",
            ),
            over_samples,
        ),
    ),
    network="""
inputs: [[1, 2], [0, -1]]
targets: [[1], [0]]
layers:
  - linear: {out: 2, weight: [[0.5, -0.3], [0.2, 0.4]], bias: [0.1, 0]}
  - tanh
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("mae", "huber", "smooth_l1", "l2", "gradient_descent"),
)

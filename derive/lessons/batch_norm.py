"""Batch normalization: forward, the whole backward pass and its short form, running statistics, evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import ZERO, Apply, Formula, Symbol, Written, add, sqrt
from derive.lessons._chance import VAR, every
from derive.lessons._chance import mean as expected
from derive.lessons._normalized import Normalized, half_squares, mean, spread, standardized

N = 3  # samples in the batch of the derivation


def batch(b: Board) -> Normalized:
    """One feature of three samples."""
    x, t = ([b.free(f"{letter}_{i}") for i in range(1, N + 1)] for letter in "xt")
    return Normalized(b, x, [b.free("γ", 1, 2)] * N, [b.free("β")] * N, b.free("ε", 0, "0.1"), half_squares(t))


def derivation(b: Board) -> Iterator[Block]:
    one = batch(b)
    yield from forward(b, one)
    yield from backward(b, one)
    yield from running(b)
    yield from evaluation(b)


def forward(b: Board, one: Normalized) -> Iterator[Block]:
    """Mean, variance, standardized values, outputs; what follows from them at once."""
    x, μ, variance, s, hat, ε = one.x, one.μ, one.variance, one.s, one.hat, one.ε
    yield b.step(
        both("Definition: standardize over the batch", "定义：在批内标准化"),
        (
            both(
                "Each feature is treated by itself, over the samples of the batch. Here are N = 3 samples of one feature. The variance is divided by N, not by N − 1.",
                "对每个特征分别在批内的各样本上计算。这里是同一特征的 N = 3 个样本。方差除以 N，而不是 N − 1。",
            ),
            both(
                "The mean is subtracted and the result divided by the standard deviation. A small ε under the root, 0.00001 in PyTorch, keeps the divisor away from 0.",
                "减去均值，再除以标准差。根号下加一个很小的 ε（PyTorch 中为 0.00001），避免除以 0。",
            ),
        ),
        *one.forward(),
    )
    yield b.step(
        both("Mean 0, variance 1", "均值 0，方差 1"),
        both(
            "The deviations from the mean cancel. The mean of the squares is 1 but for ε.",
            "与均值的偏差互相抵消。平方的平均值除了 ε 的影响外等于 1。",
        ),
        b.line((x[0] - μ) + (x[1] - μ) + (x[2] - μ), ZERO),
        b.line((hat[0] ** 2 + hat[1] ** 2 + hat[2] ** 2) / N, variance / s**2, variance / (variance + ε)),
    )
    yield b.step(
        both("Scale and shift", "缩放与平移"),
        both(
            "Two parameters per feature, γ and β, are learned. With them the network can choose any mean and spread, also those that were taken away. They start at 1 and 0.",
            "每个特征有两个可学习的参数 γ 和 β。有了它们，网络可以选择任意的均值和幅度，包括刚刚去掉的。初值为 1 和 0。",
        ),
        *(b.line(y, f) for y, f in zip(one.y, one.outputs(hat), strict=True)),
    )
    c = b.free("c")
    moved = standardized([xi + c for xi in x], ε)
    yield b.step(
        both("A bias before it has no effect", "前面的偏置不起作用"),
        both(
            "If the same number is added to all samples the mean grows by it, and it cancels. A linear layer before batch normalization needs no bias; β is the bias.",
            "给所有样本加上同一个数，均值也随之增加，二者抵消。批归一化之前的线性层不需要偏置；β 就是偏置。",
        ),
        b.line(b.defined(Written(mean([xi + c for xi in x])), mean([xi + c for xi in x])), μ + c),
        b.line(b.defined(Written((x[0] + c - (μ + c)) / s), moved[0]), hat[0]),
    )


def backward(b: Board, one: Normalized) -> Iterator[Block]:
    """The learned parameters; then the inputs."""
    hat, g, γ = one.hat, one.g, one.γ[0]
    end = one.loss(one.outputs(hat))
    yield b.step(
        both("Backward: γ and β", "反向传播：γ 与 β"),
        both(
            "Both stand in every output of the feature, so the contributions of all samples add up; g is the gradient at an output. γ is multiplied by x̂, β by 1.",
            "二者出现在该特征的每个输出里，所以所有样本的贡献相加；g 是输出处的梯度。与 γ 相乘的是 x̂，与 β 相乘的是 1。",
        ),
        b.line(b.partial("L", end, γ), one.products(g)),
        b.line(b.partial("L", end, one.β[0]), add(*g)),
    )
    yield from one.backward()
    by_x = [b.partial("L", one.written_out(), x) for x in one.x]
    yield b.step(
        both("As it is written in code", "程序中的写法"),
        both(
            "In batch normalization all samples of a feature share γ, so it comes out of every d. For N samples N stands in the place of 3.",
            "批归一化中，同一特征的所有样本共用 γ，可以从每个 d 中提出来。有 N 个样本时，用 N 代替 3。",
        ),
        *(
            b.line(by_x[i], γ / (N * one.s) * (N * g[i] - (g[0] + g[1] + g[2]) - hat[i] * one.products(g)))
            for i in range(N)
        ),
    )
    yield b.step(
        both("What it implies", "由此可知"),
        both(
            "The gradients of a batch add up to 0: moving all samples together changes nothing.",
            "一个批的梯度之和为 0：把所有样本一起平移不会改变任何结果。",
        ),
        b.line(by_x[0] + by_x[1], -by_x[2]),
    )


def running(b: Board) -> Iterator[Block]:
    """What is kept for use without a batch."""
    m, μ, old, old2 = b.free("m", 0, 1), b.free("μ"), b.free("μ_run"), b.free(Symbol("σ", "run", "2"), 0, 2)
    variance = b.free(Symbol("σ", sup="2"), 0, 2)
    n = b.number("N", 8)
    new = b.defined("μ^+_run", (1 - m) * old + m * μ)
    spread_ = b.defined(Symbol("σ", "run", "2+"), (1 - m) * old2 + m * (n / (n - 1) * variance))
    yield b.step(
        both("Running statistics", "滑动统计量"),
        both(
            "For use, single samples must be possible, and the output must not depend on who else is in the batch. So in training moving averages of mean and variance are kept; a raised + marks them after this batch. PyTorch's momentum m is the share of the new batch, 0.1 unless you say otherwise; the variance that is averaged is the one over N − 1.",
            "实际使用时可能只有一个样本，而且输出不应取决于同批的其他样本。所以训练时要维护均值与方差的滑动平均；右上角的 + 表示这一批之后的值。PyTorch 的 momentum（m）是新批所占的比例，默认 0.1；参与平均的方差是除以 N − 1 的那个。",
        ),
        b.line(new, (1 - m) * old + m * μ, old + m * (μ - old)),
        b.line(spread_, (1 - m) * old2 + m * (n / (n - 1)) * variance),
    )
    yield from unbiased(b)


def unbiased(b: Board) -> Iterator[Block]:
    """Why N/(N − 1): by all batches of three that two values can make."""
    u, v, q = b.free("u"), b.free("v"), b.free("q", 0, 1)
    xs = [b.free(f"x_{i}") for i in range(1, N + 1)]
    share = Fraction(b.exactly(q))
    chances = {Fraction(b.exactly(u)): share, Fraction(b.exactly(v)): 1 - share}
    one, over = every(xs[:1], chances), every(xs, chances)
    x, variance, centre = xs[0], b.defined(Symbol("σ", sup="2"), spread(xs, mean(xs))), b.defined("μ", mean(xs))
    plain = b.number("x", 0)
    of_x = expected(b, x, one, plain)
    true = b.expected(Written(Apply(VAR, (plain,))), (x - of_x) ** 2, one)
    of_square = expected(b, x**2, one, plain**2)
    of_centre = expected(b, mean(xs) ** 2, over, centre**2)
    found = expected(b, spread(xs, mean(xs)), over, variance)
    yield b.step(
        both("Why N/(N − 1)", "为什么乘以 N/(N − 1)"),
        (
            both(
                "Let each sample be drawn by itself: u with probability q, else v. The variance is the mean square less the square of the mean, in the batch as in the whole.",
                "设各样本独立抽取：以概率 q 取 u，否则取 v。无论在批内还是总体中，方差都等于平方的均值减去均值的平方。",
            ),
            both(
                "The mean of three samples itself varies, with a third of the variance. On average this is missing from the batch's variance, since it is measured from the batch's own mean: only the share (N − 1)/N is left.",
                "三个样本的均值自身也有波动，方差为总体方差的三分之一。批方差是相对于批自己的均值来量的，平均而言恰好少了这一部分，只剩 (N − 1)/N 倍。",
            ),
        ),
        b.line(of_x, q * u + (1 - q) * v),
        b.line(true, of_square - of_x**2, q * (1 - q) * (u - v) ** 2),
        b.line(of_centre, of_x**2 + true / N),
        b.line(found, of_square - of_centre, true - true / N, Fraction(2, 3) * true),
    )


def evaluation(b: Board) -> Iterator[Block]:
    """With fixed statistics it is a straight line."""
    x, γ, β, ε = b.free("x"), b.free("γ"), b.free("β"), b.free("ε", 0, "0.1")
    μ, variance = b.free("μ_run"), b.free(Symbol("σ", "run", "2"), 1, 2)
    f = γ * (x - μ) / sqrt(variance + ε) + β
    y = b.defined("y", f)
    yield b.step(
        both("Evaluation", "评估模式"),
        both(
            "With model.eval() the running statistics take the place of those of the batch. They are constants, so each sample is mapped by the same straight line and only γ over the root is left of the gradient.",
            "调用 model.eval() 后，用滑动统计量代替批统计量。它们是常数，每个样本都经过同一个一次函数，梯度中只剩 γ 除以平方根。",
        ),
        b.line(y, f),
        b.line(b.slope(f, x, "y′"), γ / sqrt(variance + ε)),
    )


def numbers(b: Board) -> Iterator[Block]:
    given = [b.number(f"x_{i}", value) for i, value in enumerate((1, 1, 5, 5), 1)]
    zero = [b.number(f"g_{i}", value) for i, value in enumerate((1, 0, 0, 0), 1)]
    γ, β = b.number("γ", 2), b.number("β", 1)
    μ = b.defined("μ", mean(given))
    variance = b.defined(Symbol("σ", sup="2"), spread(given, μ))
    s = b.defined("s", sqrt(variance))
    hat = [b.defined(f"x\u0302_{i}", (x - μ) / s) for i, x in enumerate(given, 1)]
    y = [b.defined(f"y_{i}", γ * h + β) for i, h in enumerate(hat, 1)]
    yield b.step(
        both("Forward: x = (1, 1, 5, 5), γ = 2, β = 1", "前向：x = (1, 1, 5, 5)，γ = 2，β = 1"),
        both("Four samples of one feature; ε is left out.", "同一特征的四个样本；略去 ε。"),
        b.line(μ, mean(given), numbers=True),
        b.line(variance, spread(given, μ), numbers=True),
        b.line(s, sqrt(variance), numbers=True),
        *(b.line(h, (x - μ) / s, numbers=True) for h, x in zip(hat, given, strict=True)),
        *(b.line(each, γ * h + β, numbers=True) for each, h in zip(y, hat, strict=True)),
    )
    sums, products = add(*zero), add(*(g * h for g, h in zip(zero, hat, strict=True)))
    total, along = b.defined("S", sums), b.defined("P", products)
    of_x = add(*(g * f for g, f in zip(zero, [γ * h + β for h in standardized(given, ZERO)], strict=True)))
    lines = [
        b.line(b.partial("L", of_x, x), γ / (4 * s) * (4 * g - total - h * along), numbers=True)
        for x, g, h in zip(given, zero, hat, strict=True)
    ]
    yield b.step(
        both("Backward: the gradient (1, 0, 0, 0) at the outputs", "反向：输出处的梯度为 (1, 0, 0, 0)"),
        both(
            "Only the first output matters to the loss, but the second sample gets a gradient too: it is in the same batch. S is the sum of the g, P that of the g·x̂.",
            "损失只与第一个输出有关，第二个样本却也得到梯度，因为它在同一个批里。S 是各 g 之和，P 是各 g·x̂ 之和。",
        ),
        b.line(total, sums, numbers=True),
        b.line(along, products, numbers=True),
        *lines,
    )
    old, m = b.number("μ_run", 0), b.number("m", "0.1")
    old2 = b.number(Symbol("σ", "run", "2"), 1)
    n = b.number("N", 4)
    yield b.step(
        both("Running statistics after this batch", "这一批之后的滑动统计量"),
        both("They start at 0 and 1 and go a tenth of the way.", "初值为 0 和 1，各向新值走十分之一。"),
        b.line(b.defined("μ^+_run", (1 - m) * old + m * μ), (1 - m) * old + m * μ, numbers=True),
        b.line(
            b.defined(Symbol("σ", "run", "2+"), (1 - m) * old2 + m * (n / (n - 1)) * variance),
            (1 - m) * old2 + m * (n / (n - 1)) * variance,
            numbers=True,
        ),
    )


def picture(b: Board) -> Iterator[Block]:
    random = Random(1)
    raw = [(4 + 1.5 * random.gauss(0, 1), 1 + 0.3 * random.gauss(0, 1)) for _ in range(60)]
    columns = list(zip(*raw, strict=True))
    centres = [sum(column) / len(column) for column in columns]
    roots = [
        (sum((x - c) ** 2 for x in column) / len(column)) ** 0.5 for column, c in zip(columns, centres, strict=True)
    ]
    after = [((x - centres[0]) / roots[0], (y - centres[1]) / roots[1]) for x, y in raw]
    yield b.chart(
        both(
            "A batch of 60 samples with two features, before and after (γ = 1, β = 0)",
            "一批 60 个样本、两个特征，归一化前后（γ = 1，β = 0）",
        ),
        both("feature 1", "特征 1"),
        both("feature 2", "特征 2"),
        {both("before", "之前"): raw, both("after", "之后"): after},
        style="dots",
    )
    means = [2 + random.gauss(0, 0.5) for _ in range(100)]
    yield b.chart(
        both(
            "The running mean over the batches, from 0; the batches have means around 2",
            "滑动均值随批次的变化，从 0 开始；各批的均值在 2 附近",
        ),
        both("batch", "批次"),
        "μ",
        {f"m = {m}": averaged(means, m) for m in (0.1, 0.01)},
    )


def averaged(means: Sequence[float], m: float) -> list[tuple[float, float]]:
    """The running mean after each batch."""
    found = [(0.0, 0.0)]
    for batch_, centre in enumerate(means, 1):
        found.append((float(batch_), found[-1][1] + m * (centre - found[-1][1])))
    return found


def constants(b: Board) -> tuple[Formula, Formula]:
    one = batch(b)
    return one.g[0] * one.γ[0] / one.s, b.partial("L", one.written_out(), one.x[0])


def other_divisor(b: Board) -> tuple[Formula, Formula]:
    one = batch(b)
    deviations = add(*((x - one.μ) ** 2 for x in one.x))
    return (one.x[0] - one.μ) / sqrt(deviations / (N - 1) + one.ε), one.hat[0]


def other_momentum(b: Board) -> tuple[Formula, Formula]:
    m, old, new = b.free("m", "0.1", "0.2"), b.free("μ_run", 1, 2), b.free("μ", -2, -1)
    return m * old + (1 - m) * new, (1 - m) * old + m * new


def always_standard(b: Board) -> tuple[Formula, Formula]:
    one = batch(b)
    return mean(one.y), ZERO


def outside_root(b: Board) -> tuple[Formula, Formula]:
    one = batch(b)
    return (one.x[0] - one.μ) / (sqrt(one.variance) + one.ε), one.hat[0]


lesson = Lesson(
    title=both("Batch normalization", "批归一化"),
    short=both(
        "Each feature is standardized over the batch, then scaled by γ and shifted by β; the gradient goes through mean and variance too.",
        "每个特征在批内标准化，再用 γ 缩放、用 β 平移；梯度也要穿过均值和方差。",
    ),
    chapter="regularization",
    position=6,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Inputs of a layer keep their mean and spread while the layers before it change. Larger learning rates become possible, and the choice of starting weights matters less.",
            "前面的层在变化，本层输入的均值和幅度却保持稳定。于是可以用更大的学习率，初始权重的选择也不那么关键。",
        ),
        both(
            "A sample's output depends on the random company in its batch. This noise regularizes a little; with very small batches it is too much, and layer normalization does better.",
            "一个样本的输出取决于同批中随机出现的其他样本。这种噪声有轻微的正则化作用；批太小时噪声过大，层归一化更合适。",
        ),
        both(
            "It is used mostly in vision networks, between the linear or convolutional layer and its activation function.",
            "它主要用于视觉网络，放在线性层或卷积层与激活函数之间。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Mean and variance are constants in the backward pass.", "反向传播时把均值和方差当作常数。"),
            both(
                "They depend on every sample. Without their paths γg/s is left, which is not the gradient.",
                "它们依赖于每个样本。若漏掉这些路径，只剩 γg/s，那不是正确的梯度。",
            ),
            constants,
        ),
        Mistake(
            both("The batch is standardized with the variance over N − 1.", "用除以 N − 1 的方差来标准化。"),
            both(
                "PyTorch standardizes with the variance over N; the one over N − 1 goes into the running variance.",
                "PyTorch 用除以 N 的方差做标准化；除以 N − 1 的方差用于更新滑动方差。",
            ),
            other_divisor,
        ),
        Mistake(
            both("γ and β are statistics of the data.", "γ 和 β 是数据的统计量。"),
            both(
                "They are learned like weights, by their gradients. Only running mean and variance are statistics. With β the mean of the outputs is β, not 0.",
                "它们像权重一样由梯度学习得到；统计量只有滑动均值和滑动方差。输出的均值是 β，而不是 0。",
            ),
            always_standard,
        ),
        Mistake(
            both("momentum = 0.1 keeps a tenth of the old value.", "momentum = 0.1 表示保留旧值的十分之一。"),
            both(
                "It takes a tenth of the new one. In optimizers the word means the share of the old.",
                "它取新值的十分之一。在优化器中，同一个词指旧值所占的比例。",
            ),
            other_momentum,
        ),
        Mistake(
            both("ε is added to the standard deviation.", "ε 加在标准差上。"),
            both("It is added to the variance, under the root.", "它加在方差上，在根号之内。"),
            outside_root,
        ),
    ),
    network="""
inputs: [[1, 2], [3, 1], [0, 4]]
targets: [[1], [0], [1]]
layers:
  - linear: {out: 2}
  - batch_norm: {eps: 1e-5, momentum: 0.1}
  - relu
  - linear: {out: 1}
  - sigmoid
loss: bce
mode: train
""",
    see=("layer_norm", "batch_norm_folding", "ema", "chain_rule", "backprop_equations", "batches", "residual"),
)

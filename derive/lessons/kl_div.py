"""The Kullback–Leibler divergence as a loss: of log-probabilities, and over which number the mean is taken."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.formula import Formula, Name, add, formula, log
from derive.lessons._losses import Rows, Sample, partial, sample, units, worked
from derive.losses import kl_div
from derive.ops.vector import LogSoftmax

THREE = range(3)


def derivation(b: Board) -> Iterator[Block]:
    first, second = b.free("t_1", "0.1", "0.45"), b.free("t_2", "0.1", "0.45")
    t = [first, second, b.defined("t_3", 1 - first - second)]
    three = sample(b)
    p, a = three.p, units(b, LogSoftmax(), "a", three.z)
    yield b.step(
        both("Definition", "定义"),
        both(
            "Every class has a target and a probability of the network. The logarithms of their ratios are added, each weighted by the target. The loss is 0 where both agree, and positive elsewhere, as the lesson on cross-entropy shows.",
            "每个类别有一个目标和一个网络概率。把两者之比的对数按目标加权求和。两者处处一致时损失为 0，否则为正，证明见交叉熵一课。",
        ),
        b.line(b.hold("D", loss_of(b, [a], [t])), add(*(x * log(x / y) for x, y in zip(t, p, strict=True)))),
    )
    yield b.step(
        both("In log-probabilities", "用对数概率表示"),
        say(
            both(
                "KLDivLoss is given the logarithms {a1}, {a2} and {a3} of the probabilities, which log-softmax computes without rounding a small probability to 0.",
                "KLDivLoss 接收的是概率的对数 {a1}、{a2}、{a3}。它们由 log-softmax 算出，很小的概率也不会舍入成 0。",
            ),
            a1=a[0],
            a2=a[1],
            a3=a[2],
        ),
        *(b.line(x, log(y)) for x, y in zip(a, p, strict=True)),
        b.line(b.hold("D", loss_of(b, [a], [t])), of_logarithms(t, a)),
    )
    yield from slopes(b, three, t, a)
    yield means(b)


def of_logarithms(t: list[Name], a: list[Name]) -> Formula:
    """Σ tᵢ(ln tᵢ − aᵢ)."""
    return add(*(x * (log(x) - y) for x, y in zip(t, a, strict=True)))


def loss_of(b: Board, a: Rows, t: Rows, reduction: str = "sum") -> Any:
    return worked(b, kl_div, a, t, reduction=reduction)[0]


def slopes(b: Board, three: Sample, t: list[Name], a: list[Name]) -> Iterator[Step]:
    z, p = three.z, three.p
    by_a = [b.slope(of_logarithms(t, a), a[i], partial("D", a[i])) for i in THREE]
    yield b.step(
        both("With respect to the log-probabilities", "对对数概率求导"),
        both(
            "Every log-probability stands in only one term, with the factor of its target and a minus sign. The logarithms of the targets are constants.",
            "每个对数概率只出现在一项中，系数是负的目标。目标的对数是常数。",
        ),
        *(b.line(by_a[i], -t[i]) for i in THREE),
    )
    body = [score - log(three.mass) for score in z]
    steps = [[b.slope(body[i], z[j], partial(f"a_{i + 1}", z[j])) for j in THREE] for i in THREE]
    whole = add(*(x * (log(x) - f) for x, f in zip(t, body, strict=True)))
    yield b.step(
        both("With respect to the scores", "对得分求导"),
        both(
            "Every score acts on all three log-probabilities, so three contributions are added. The slope of an output of log-softmax is one minus the probability for its own score, and minus the probability otherwise. The targets sum to one, and probability minus target is left.",
            "每个得分都影响三个对数概率，所以把三份贡献相加。log-softmax 的输出对自己的得分的导数是一减去概率，对其他得分的导数是负的概率。目标之和为一，最后剩下概率减去目标。",
        ),
        *(
            b.line(
                b.slope(whole, z[j], partial("D", z[j])),
                add(*(by_a[i] * steps[i][j] for i in THREE)),
                add(*(-t[i] * (1 - p[j] if i == j else -p[j]) for i in THREE)),
                p[j] * add(*t) - t[j],
                p[j] - t[j],
            )
            for j in THREE
        ),
    )


def means(b: Board) -> Step:
    z = [[b.free(f"z_{n}{i + 1}") for i in THREE] for n in (1, 2)]
    a = [units(b, LogSoftmax(), "a", row) for row in z]
    t = [[Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)], [Fraction(1, 5), Fraction(3, 10), Fraction(1, 2)]]
    each = [b.hold(f"D_{n}", loss_of(b, [a[n - 1]], [t[n - 1]])) for n in (1, 2)]
    return b.step(
        both("Two samples: two kinds of mean", "两个样本：两种平均"),
        say(
            both(
                "Let {one} and {two} be the divergences of two samples with three classes. The reduction batchmean divides by the number of samples, and this is the mean divergence. The reduction mean, PyTorch's default, divides by all six entries.",
                "设 {one} 与 {two} 为两个样本的散度，各有三个类别。batchmean 除以样本数，得到的是平均散度；PyTorch 默认的 mean 除以全部六个元素。",
            ),
            one=each[0],
            two=each[1],
        ),
        b.line(b.hold("L_batchmean", loss_of(b, a, t, "batchmean")), (each[0] + each[1]) / 2),
        b.line(b.hold("L_mean", loss_of(b, a, t, "mean")), (each[0] + each[1]) / 6),
    )


def numbers(b: Board) -> Iterator[Block]:
    t = [b.number(f"t_{i}", value) for i, value in enumerate(("0.7", "0.2", "0.1"), 1)]
    p = [b.number(f"p_{i}", value) for i, value in enumerate(("0.5", "0.3", "0.2"), 1)]
    there = add(*(x * log(x / y) for x, y in zip(t, p, strict=True)))
    back = add(*(y * log(y / x) for x, y in zip(t, p, strict=True)))
    yield b.step(
        both("Two distributions, both ways", "两个分布，两个方向"),
        both(
            "First D, the divergence of the network from the target, which is the loss; then R, the other way round. It is no distance: the two differ.",
            "先算网络相对于目标的散度 D，也就是损失；再反过来算，得到 R。散度不是距离：两者并不相等。",
        ),
        b.line(b.hold("D", loss_of(b, [[b.hold("a", b.value(log(y))) for y in p]], [t])), there, numbers=True),
        b.line(b.hold("R", loss_of(b, [[b.hold("a", b.value(log(x))) for x in t]], [p])), back, numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    p, t = b.free("p", 0, 1), Fraction(3, 10)
    at = grid(0.005, 0.995)
    there = t * log(formula(t) / p) + (1 - t) * log(formula(1 - t) / (1 - p))
    back = p * log(p / t) + (1 - p) * log((1 - p) / (1 - t))
    yield b.chart(
        both(
            "Two classes, the first with the target 0.3: the loss, and the divergence the other way round",
            "两个类别，第一类的目标为 0.3：损失，以及反方向的散度",
        ),
        both("probability p that the network gives to the first class", "网络给第一类的概率 p"),
        "",
        {both("the loss", "损失"): b.vary(there, p, at), both("the other way round", "反方向"): b.vary(back, p, at)},
    )


def given_probabilities(b: Board) -> tuple[Formula, Formula]:
    three, t = sample(b), [[Fraction(1, 5), Fraction(3, 10), Fraction(1, 2)]]
    a = units(b, LogSoftmax(), "a", three.z)
    return b.hold("D", loss_of(b, [three.p], t)), b.hold("D", loss_of(b, [a], t))


def mean_of_samples(b: Board) -> tuple[Formula, Formula]:
    a = units(b, LogSoftmax(), "a", sample(b).z)
    t = [[Fraction(1, 5), Fraction(3, 10), Fraction(1, 2)]]
    return b.hold("D", loss_of(b, [a], t, "mean")), b.hold("D", loss_of(b, [a], t, "batchmean"))


def other_way(b: Board) -> tuple[Formula, Formula]:
    three, t = sample(b), [formula(x) for x in (Fraction(1, 5), Fraction(3, 10), Fraction(1, 2))]
    back = add(*(y * log(y / x) for x, y in zip(t, three.p, strict=True)))
    return back, add(*(x * log(x / y) for x, y in zip(t, three.p, strict=True)))


lesson = Lesson(
    title=both("Kullback–Leibler divergence", "KL 散度"),
    short=both(
        "t₁ ln(t₁/p₁) + t₂ ln(t₂/p₂) + …: cross-entropy minus the entropy of the targets. After log-softmax its derivative with respect to a score is p − t.",
        "t₁ ln(t₁/p₁) + t₂ ln(t₂/p₂) + …：交叉熵减去目标的熵。接在 log-softmax 之后，对得分的导数是 p − t。",
    ),
    chapter="losses",
    position=9,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Where targets are distributions, as in distillation, the smallest value of the cross-entropy is not 0. The divergence has the same gradient and falls to 0, so one sees how good the network is.",
            "当目标是分布时（例如知识蒸馏），交叉熵的最小值并不为零。散度的梯度与之相同，而且能降到 0，可以直接看出网络有多好。",
        ),
        both(
            "It weighs errors by the target. Classes that the target holds to be impossible cost nothing by themselves, and a class that occurs must not get the probability 0.",
            "它按目标给误差加权。目标认为不可能的类别本身不产生损失；而会出现的类别，其概率绝不能是 0。",
        ),
    ),
    mistakes=(
        Mistake(
            both("KLDivLoss is given probabilities", "给 KLDivLoss 输入概率"),
            both(
                "It wants the logarithms of the network's probabilities, the output of log-softmax. The targets are probabilities, unless log_target is set.",
                "它要的是网络概率的对数，即 log-softmax 的输出；目标才是概率（除非设置 log_target）。",
            ),
            given_probabilities,
        ),
        Mistake(
            both("The reduction mean averages over the samples", "mean 对样本取平均"),
            both(
                "It divides by the classes as well. The mean over the samples is batchmean.",
                "它还除以类别数。对样本取平均的是 batchmean。",
            ),
            mean_of_samples,
        ),
        Mistake(
            both("The order of the two distributions does not matter", "两个分布的次序无关紧要"),
            both(
                "It does. In the loss the target is the weight, and it stands above the bar.",
                "次序有关。在损失中，目标作为权重，并且位于分子。",
            ),
            other_way,
        ),
    ),
    network="""
inputs: [0.5, -1]
targets: [[0.7, 0.2, 0.1]]
layers:
  - linear: {out: 3, weight: [[0.2, -0.4], [0.1, 0.3], [-0.5, 0.6]], bias: [0.1, 0, -0.1]}
  - log_softmax
loss: {kl_div: {reduction: batchmean}}
optimizer: {sgd: {lr: 0.5}}
""",
    see=("cross_entropy", "log_softmax", "softmax_cross_entropy"),
)

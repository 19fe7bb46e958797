"""Cross-entropy, from maximum likelihood and from the divergence of two distributions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.formula import ONE, ZERO, Apply, Formula, Name, add, exp, formula, log
from derive.lessons._losses import partial, units, worked
from derive.losses import cross_entropy, kl_div
from derive.ops.vector import Softmax

THREE = (0, 1, 2)


def derivation(b: Board) -> Iterator[Block]:
    yield say(
        both(
            "Two ways lead to the same loss. The first asks which probabilities make the observed classes most likely.",
            "有两条路通向同一个损失。第一条路问的是：怎样的概率使观察到的类别最可能出现。",
        )
    )
    yield from likelihood(b)
    yield say(
        both(
            "The second way asks how far one distribution is from another.",
            "第二条路问的是：一个分布离另一个分布有多远。",
        )
    )
    first, second = b.free("t_1", "0.1", "0.45"), b.free("t_2", "0.1", "0.45")
    t = [first, second, b.defined("t_3", 1 - first - second)]
    one, two = b.free("p_1", "0.1", "0.45"), b.free("p_2", "0.1", "0.45")
    p = [one, two, b.defined("p_3", 1 - one - two)]
    yield from divergence(b, t, p)
    yield same_minimum(b, t, p)
    yield from not_negative(b, t, p)
    yield with_softmax(b, t)


def likelihood(b: Board) -> Iterator[Step]:
    p = [b.free(f"p_{i + 1}", "0.1", "0.9") for i in THREE]
    yield b.step(
        both("The probability of one observation", "一次观察的概率"),
        both(
            "The network gives three probabilities, and the target is 1 for the class that was observed and 0 for the others. A power with the exponent 0 is 1, so this product is the probability of the observed class: the first, the second, the third.",
            "网络给出三个概率；目标对观察到的类别为 1，对其余类别为 0。指数为 0 的幂等于 1，所以下面的乘积就是观察到的类别的概率，依次是第一、第二、第三类。",
        ),
        *(b.line(chosen(p, right), p[right]) for right in THREE),
    )
    targets = [b.number(f"t_{i + 1}", int(i == 1)) for i in THREE]
    whole = Apply("mul", tuple(Apply("pow", (x, y)) for x, y in zip(p, targets, strict=True)))
    yield b.step(
        both("Its negative logarithm", "概率的负对数"),
        both(
            "To make the observation as probable as possible is to make the negative logarithm as small as possible. The product becomes a sum, and the exponents become factors.",
            "要使观察结果的概率最大，就是要使负对数最小。取对数后积变成和，指数变成系数。",
        ),
        b.line(-log(whole), -weighted(targets, p)),
    )
    z = [[b.free(f"z_{n}{i + 1}") for i in THREE] for n in (1, 2, 3)]
    rows = [units(b, Softmax(), "p", row) for row in z]
    rights = (0, 2, 1)
    seen = [b.hold(f"q_{n}", b.value(row[right])) for n, (row, right) in enumerate(zip(rows, rights, strict=True), 1)]
    loss, _ = worked(b, cross_entropy, z, [[int(i == right) for i in THREE] for right in rights])
    yield b.step(
        both("Several independent samples", "多个独立样本"),
        say(
            both(
                "For three samples let {q1}, {q2} and {q3} be the probabilities that the network gives to the classes observed. The probability of all three observations together is their product. Dividing by the number of samples does not move the minimum; it gives CrossEntropyLoss.",
                "对三个样本，设网络给观察到的类别的概率为 {q1}、{q2}、{q3}。三次观察同时发生的概率是它们的乘积。除以样本数不改变最小值的位置，得到的就是 CrossEntropyLoss。",
            ),
            q1=seen[0],
            q2=seen[1],
            q3=seen[2],
        ),
        b.line(-log(seen[0] * seen[1] * seen[2]), -log(seen[0]) - log(seen[1]) - log(seen[2])),
        b.line(b.hold("L", loss), (-log(seen[0]) - log(seen[1]) - log(seen[2])) / 3),
    )


def chosen(p: list[Name], right: int) -> Formula:
    """p₁⁰·p₂¹·p₃⁰, with the exponents written."""
    powers = tuple(Apply("pow", (x, ONE if i == right else ZERO)) for i, x in enumerate(p))
    return Apply("mul", powers)


def weighted(t: Sequence[Formula], p: Sequence[Formula]) -> Formula:
    """Σ tᵢ ln pᵢ."""
    return add(*(x * log(y) for x, y in zip(t, p, strict=True)))


def divergence(b: Board, t: list[Name], p: list[Name]) -> Iterator[Step]:
    chance, guess = b.free("q", "0.1", "0.9"), b.free("q", "0.1", "0.9")
    own = b.expected("H", -log(chance), [({chance: b.value(x)}, b.value(x)) for x in t])
    crossed = b.expected("C", -log(guess), [({guess: b.value(y)}, b.value(x)) for x, y in zip(t, p, strict=True)])
    yield b.step(
        both("Entropy: the surprise that cannot be avoided", "熵：无法避免的意外"),
        say(
            both(
                "The negative logarithm of a probability measures how surprising an outcome is: none at 1, more and more towards 0. Let classes occur with the probabilities {t1}, {t2} and {t3}. The average surprise of somebody who knows them is the entropy {own}; a class that never occurs adds nothing, since 0·ln 0 counts as 0.",
                "概率的负对数衡量一个结果有多出人意料：概率为 1 时毫不意外，越接近 0 越意外。设各类别以概率 {t1}、{t2}、{t3} 出现。知道这些概率的人，平均的意外程度就是熵 {own}；从不出现的类别没有贡献，因为 0·ln 0 按 0 计。",
            ),
            t1=t[0],
            t2=t[1],
            t3=t[2],
            own=own,
        ),
        b.line(own, -weighted(t, t)),
    )
    yield b.step(
        both("Cross-entropy: the surprise of the network", "交叉熵：网络的意外"),
        say(
            both(
                "The network believes in {p1}, {p2} and {p3}. What occurs is still decided by the true probabilities, so its average surprise is the cross-entropy {crossed}.",
                "网络相信的概率是 {p1}、{p2}、{p3}。发生什么仍由真实概率决定，所以它的平均意外程度是交叉熵 {crossed}。",
            ),
            p1=p[0],
            p2=p[1],
            p3=p[2],
            crossed=crossed,
        ),
        b.line(crossed, -weighted(t, p)),
    )
    logarithms = [[b.hold(f"a_{i + 1}", b.value(log(y))) for i, y in enumerate(p)]]
    gap, _ = worked(b, kl_div, logarithms, [t], reduction="sum")
    kl = b.hold("D", gap)
    yield b.step(
        both("Divergence: the excess", "散度：多出来的部分"),
        say(
            both(
                "The Kullback–Leibler divergence {kl} weights the logarithms of the ratios with the true probabilities. The logarithm of a ratio is a difference, and so the divergence is cross-entropy minus entropy.",
                "KL 散度 {kl} 用真实概率对比值的对数加权求和。比值的对数是对数之差，所以散度等于交叉熵减去熵。",
            ),
            kl=kl,
        ),
        b.line(
            kl,
            add(*(x * log(x / y) for x, y in zip(t, p, strict=True))),
            add(*(x * (log(x) - log(y)) for x, y in zip(t, p, strict=True))),
        ),
        b.line(kl, -weighted(t, p) - -weighted(t, t), crossed - own),
    )


def same_minimum(b: Board, t: list[Name], p: list[Name]) -> Step:
    return b.step(
        both("For the network they are the same", "对网络来说没有区别"),
        both(
            "The entropy contains only the targets. So divergence and cross-entropy have the same derivatives with respect to the probabilities of the network, and the same minimum.",
            "熵只含目标，所以散度与交叉熵对网络概率的导数相同，最小值的位置也相同。",
        ),
        *(
            b.line(
                b.slope(add(*(x * log(x / y) for x, y in zip(t, p, strict=True))), p[i], partial("D", p[i])),
                b.slope(-weighted(t, p), p[i], partial("C", p[i])),
                -(t[i] / p[i]),
            )
            for i in THREE
        ),
    )


def not_negative(b: Board, t: list[Name], p: list[Name]) -> Iterator[Step]:
    u = b.free("u", "0.2", 3)
    gap = u - 1 - log(u)
    yield b.step(
        both("A function that is never negative", "一个从不为负的函数"),
        say(
            both(
                "For {u} > 0, the slope of this function is negative below 1 and positive above, so its minimum is at 1, and there it is 0.",
                "当 {u} > 0 时，这个函数在 1 左边导数为负，右边导数为正，所以在 1 处最小，最小值为 0。",
            ),
            u=u,
        ),
        b.line(b.slope(gap, u), 1 - 1 / u, (u - 1) / u),
        b.line(formula(1) - 1 - Apply("log", (ONE,)), 0),
    )
    ratios = [b.defined(f"u_{i + 1}", y / x) for i, (x, y) in enumerate(zip(t, p, strict=True))]
    divergence = add(*(x * log(x / y) for x, y in zip(t, p, strict=True)))
    gaps = add(*(x * (v - 1 - log(v)) for x, v in zip(t, ratios, strict=True)))
    kl = b.hold("D", b.value(divergence))
    yield b.step(
        both("The divergence is made of it", "散度由它组成"),
        say(
            both(
                "Let {u1}, {u2} and {u3} be the ratios of the probabilities to the targets, all positive. Both distributions sum to one, so the first two terms of the function add nothing, and the divergence is a weighted sum of its values. It is never negative, and it is 0 only where all ratios are 1: where the network says exactly what is true.",
                "设 {u1}、{u2}、{u3} 为概率与目标之比，都是正数。两个分布之和都是一，因此函数中前两项的总和为零，散度就是这个函数的加权和。它从不为负，而且仅当所有比值都为 1，即网络所说的恰好等于真实分布时才为 0。",
            ),
            u1=ratios[0],
            u2=ratios[1],
            u3=ratios[2],
        ),
        *(b.line(ratios[i], p[i] / t[i]) for i in THREE),
        b.line(add(*(x * (v - 1) for x, v in zip(t, ratios, strict=True))), add(*p) - add(*t), 0),
        b.line(kl, -add(*(x * log(v) for x, v in zip(t, ratios, strict=True))), gaps),
    )


def with_softmax(b: Board, t: list[Name]) -> Step:
    z = [b.free(f"z_{i + 1}") for i in THREE]
    p = units(b, Softmax(), "p", z)
    _, gradient = worked(b, cross_entropy, [z], [t])
    return b.step(
        both("With softmax", "配上 softmax"),
        both(
            "Let L be the cross-entropy of one sample whose probabilities come from scores by softmax. Its slopes are the differences of probability and target. They vanish where the distributions agree, and only there.",
            "设 L 是一个样本的交叉熵，概率由得分经 softmax 得到。它的导数就是概率与目标之差。当且仅当两个分布一致时，它们全为零。",
        ),
        *(b.line(b.hold(partial("L", z[i]), gradient[i]), p[i] - t[i]) for i in THREE),
    )


def numbers(b: Board) -> Iterator[Block]:
    t = [b.number(f"t_{i}", value) for i, value in enumerate(("0.7", "0.2", "0.1"), 1)]
    p = [b.number(f"p_{i}", value) for i, value in enumerate(("0.5", "0.3", "0.2"), 1)]
    own, crossed = b.defined("H", -weighted(t, t)), b.defined("C", -weighted(t, p))
    gap, _ = worked(b, kl_div, [[b.hold(f"a_{i + 1}", b.value(log(y))) for i, y in enumerate(p)]], [t], reduction="sum")
    yield b.step(
        both("Two distributions over three classes", "三个类别上的两个分布"),
        both(
            "The cross-entropy is larger than the entropy, and the difference is the divergence.",
            "交叉熵大于熵，两者之差就是散度。",
        ),
        b.line(own, -weighted(t, t), numbers=True),
        b.line(crossed, -weighted(t, p), numbers=True),
        b.line(b.hold("D", gap), crossed - own, numbers=True),
    )
    seen = [b.number(f"q_{n}", value) for n, value in enumerate(("0.5", "0.8", "0.25"), 1)]
    mean = add(*(-log(q) for q in seen)) / 3
    yield b.step(
        both("Three samples with one right class each", "三个样本，各有一个正确类别"),
        both(
            "Only the probability of the right class counts. The smallest one accounts for most of the loss.",
            "只有正确类别的概率起作用。概率最小的那个占了损失的大部分。",
        ),
        b.line(b.defined("L", mean), mean, numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    p, t = b.free("p", 0, 1), Fraction(7, 10)
    at = grid(0.005, 0.995)
    crossed = -(t * log(p) + (1 - t) * log(1 - p))
    entropy = -(t * log(formula(t)) + (1 - t) * log(formula(1 - t)))
    yield b.chart(
        both(
            "Two classes, the first occurring with probability 0.7: cross-entropy, entropy and their difference",
            "两个类别，第一类的真实概率为 0.7：交叉熵、熵以及两者之差",
        ),
        both("probability p that the network gives to the first class", "网络给第一类的概率 p"),
        "",
        {
            both("cross-entropy", "交叉熵"): b.vary(crossed, p, at),
            both("entropy", "熵"): b.vary(entropy, p, at),
            both("divergence", "KL 散度"): b.vary(crossed - entropy, p, at),
        },
    )


def distributions(b: Board) -> tuple[list[Formula], list[Formula]]:
    t = [formula(Fraction(x, 10)) for x in (7, 2, 1)]
    first = b.free("p_1", "0.1", "0.5")
    return t, [first, formula(Fraction(1, 5)), Fraction(4, 5) - first]


def turned_round(b: Board) -> tuple[Formula, Formula]:
    t, p = distributions(b)
    return weighted(p, t), weighted(t, p)


def least_is_zero(b: Board) -> tuple[Formula, Formula]:
    t, _ = distributions(b)
    return ZERO, -weighted(t, t)


def other_logarithm(b: Board) -> tuple[Formula, Formula]:
    z = [b.free(f"z_{i + 1}") for i in THREE]
    loss, _ = worked(b, cross_entropy, [z], [[1, 0, 0]])
    p = exp(z[0]) / add(*map(exp, z))
    return -log(p) / log(formula(2)), b.hold("L", loss)


lesson = Lesson(
    title=both("Cross-entropy", "交叉熵"),
    short=both(
        "−(t₁ ln p₁ + t₂ ln p₂ + …): the negative logarithm of the likelihood, and at the same time the divergence of p from t up to a constant.",
        "−(t₁ ln p₁ + t₂ ln p₂ + …)：既是负对数似然，又与 p 相对于 t 的散度只差一个常数。",
    ),
    chapter="losses",
    position=7,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "It is the loss of classification. A probability near 0 for what then occurs is punished without limit, so the network learns not to be sure where it may be wrong.",
            "它是分类问题的损失。对实际发生的类别给出接近 0 的概率，惩罚可以无限大，因此网络会学到：可能出错的地方不要太自信。",
        ),
        both(
            "The targets may be classes, or distributions as with label smoothing and distillation. In the latter case the loss cannot fall below their entropy, and the divergence shows how far there is still to go.",
            "目标可以是类别，也可以是分布，例如标签平滑和知识蒸馏。后一种情形下，损失不会低于目标的熵；要看还差多远，应看散度。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Probabilities and targets may be exchanged", "概率与目标可以互换"),
            both(
                "The logarithm is taken of the network's probability, weighted by the target. The other way round is another number.",
                "取对数的是网络的概率，作权重的是目标。换过来就是另一个数。",
            ),
            turned_round,
        ),
        Mistake(
            both("The smallest cross-entropy is 0", "交叉熵的最小值是 0"),
            both(
                "It is the entropy of the targets. That is 0 only if one class has the target 1.",
                "最小值是目标的熵。只有某个类别的目标为 1 时它才是 0。",
            ),
            least_is_zero,
        ),
        Mistake(
            both("The logarithm has base 2", "对数以 2 为底"),
            both(
                "In losses it is the natural logarithm. With base 2, in bits, every value would be larger by the factor 1/ln 2.",
                "损失中用的是自然对数。若以 2 为底（单位为比特），所有值都会乘上 1/ln 2。",
            ),
            other_logarithm,
        ),
    ),
    network="""
inputs: [0.5, -1]
targets: [[0.7, 0.2, 0.1]]
layers:
  - linear: {out: 3, weight: [[0.2, -0.4], [0.1, 0.3], [-0.5, 0.6]], bias: [0.1, 0, -0.1]}
loss: cross_entropy
optimizer: {sgd: {lr: 0.5}}
""",
    see=("softmax_cross_entropy", "bce", "log_sum_exp", "softmax", "log_softmax"),
)

"""The logarithm of a sum of powers of e: the largest score is taken out first, and nothing overflows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from derive.algebra import Value
from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.formula import Formula, Name, add, exp, formula, larger, log
from derive.lessons._losses import Sample, partial, plain, sample, units, worked
from derive.losses import cross_entropy
from derive.ops.vector import LogSoftmax

op = LogSoftmax()


def derivation(b: Board) -> Iterator[Block]:
    three = sample(b)
    z, body = three.z, log(three.mass)
    whole = b.hold("s", worked(b, cross_entropy, [z], [[1, 0, 0]])[0] + b.value(z[0]))
    yield b.step(
        both("Definition", "定义"),
        both(
            "Several scores, here three, become one number. It is larger than the largest of them, but not by much, as will be seen.",
            "把若干个得分（这里是三个）合成一个数。下面会看到，它比最大的得分大，但大得不多。",
        ),
        b.line(whole, body),
    )
    m = b.free("m")
    moved = add(*(exp(score - m) for score in z))
    yield b.step(
        both("A factor is taken out", "提出一个因子"),
        say(
            both(
                "For any number {m}, every score is {m} plus the rest. A sum in the exponent is a product of powers, so one factor is common to all terms.",
                "对任意数 {m}，每个得分都等于 {m} 加上剩下的部分。指数上的和就是幂的积，因此各项有一个公因子。",
            ),
            m=m,
        ),
        b.line(three.mass, add(*(exp(m + (score - m)) for score in z)), exp(m) * moved),
    )
    yield b.step(
        both("It comes out of the logarithm", "把它移出对数"),
        say(
            both(
                "The logarithm of a product is a sum of logarithms. The equality is exact, whatever {m} is; nothing was neglected.",
                "积的对数是对数之和。无论 {m} 取何值，等式都严格成立，没有任何省略。",
            ),
            m=m,
        ),
        b.line(whole, log(exp(m) * moved), log(exp(m)) + log(moved), m + log(moved)),
    )
    yield from largest(b)
    yield from bounds(b)
    yield from gradient(b, three, whole)
    yield uses(b, three)


def largest(b: Board) -> Iterator[Step]:
    top = b.free("z_1", 1, 2)
    z = [top, b.free("z_2", -1, "0.9"), b.free("z_3", -1, "0.9")]
    m = b.defined("m", larger(z[0], larger(z[1], z[2])))
    moved = add(*(exp(score - m) for score in z))
    yield b.step(
        both("The best choice is the maximum", "最好的选择是最大值"),
        say(
            both(
                "Let {m} be the largest score, here the first. Its own power is 1, and the others have exponents below 0, so they lie between 0 and 1. No power can overflow; if one is too small for the computer, it is rounded to 0 beside a 1, which does no harm.",
                "令 {m} 为最大的得分，这里是第一个。它自己的幂是 1，其余的指数小于 0，幂在 0 与 1 之间。于是没有一项会上溢；即使某一项太小而被舍入成 0，它旁边还有一个 1，不会造成危害。",
            ),
            m=m,
        ),
        b.line(m, larger(z[0], larger(z[1], z[2])), z[0]),
        b.line(exp(z[0] - m), 1),
        b.line(log(add(*map(exp, z))), m + log(moved), z[0] + log(1 + exp(z[1] - z[0]) + exp(z[2] - z[0]))),
    )


def bounds(b: Board) -> Iterator[Step]:
    z, far = b.free("z"), b.free("d", 1, 4)
    equal = log(add(exp(z), exp(z), exp(z)))
    yield b.step(
        both("How far above the maximum", "比最大值大多少"),
        say(
            both(
                "The sum in the logarithm is more than 1 and at most the number of scores. It is largest where all scores are equal, so three scores add at most the logarithm of three. With two scores lying {d} below, hardly anything is added if {d} is large: the function is a smooth maximum.",
                "对数中的和大于 1，且不超过得分的个数。所有得分相等时它最大，所以三个得分最多加上三的对数。若另外两个得分低 {d}，当 {d} 很大时几乎不增加：这个函数是光滑的最大值。",
            ),
            d=far,
        ),
        b.line(equal, log(3 * exp(z)), z + log(formula(3))),
        b.line(log(exp(z) + exp(z - far) + exp(z - far)), z + log(1 + 2 * exp(-far))),
    )


def gradient(b: Board, three: Sample, whole: Name) -> Iterator[Step]:
    z, p, mass = three.z, three.p, three.mass
    body = log(mass)
    slopes = [b.slope(body, score, partial("s", score)) for score in z]
    yield from b.differentiated(body, z[0], slopes[0], exp(z[0]) / mass, "∂")
    yield b.step(
        both("The slopes are softmax", "导数就是 softmax"),
        both(
            "Every score stands in the sum once, so each has the same formula. The three slopes are the probabilities of softmax.",
            "每个得分在和中各出现一次，所以公式相同。三个导数正是 softmax 的概率。",
        ),
        *(b.line(slope, exp(score) / mass, q) for slope, score, q in zip(slopes, z, p, strict=True)),
    )
    c = b.free("c")
    yield b.step(
        both("Adding a constant", "同加一个常数"),
        say(
            both(
                "With {c} added to every score the result grows by {c}. That fits with the slopes, whose sum is one.",
                "每个得分都加上 {c}，结果也增加 {c}。这与三个导数之和为一相符。",
            ),
            c=c,
        ),
        b.line(log(add(*(exp(score + c) for score in z))), log(exp(c) * mass), c + log(mass), c + whole),
        b.line(add(*slopes), add(*p), 1),
    )


def uses(b: Board, three: Sample) -> Step:
    z, p, body = three.z, three.p, log(three.mass)
    a = units(b, op, "a", z)
    loss, _ = worked(b, cross_entropy, [z], [[0, 0, 1]])
    return b.step(
        both("Where it is used", "用在哪里"),
        both(
            "Softmax, its logarithm and the cross-entropy of a sample of class 3 are all computed from it: in that order.",
            "softmax、它的对数，以及第 3 类样本的交叉熵，都由它算出，依次如下。",
        ),
        b.line(p[0], exp(z[0] - body)),
        b.line(a[0], z[0] - body),
        b.line(b.hold("L", loss), -log(p[2]), body - z[2]),
    )


def numbers(b: Board) -> Iterator[Block]:
    z = [b.number(f"z_{i}", value) for i, value in enumerate((1000, 999, 998), 1)]
    m = b.defined("m", larger(z[0], larger(z[1], z[2])))
    moved = add(*(exp(score - m) for score in z))
    rest = b.defined("r", log(moved))
    s = b.hold("s", b.value(log(add(*map(exp, z)))))
    yield b.step(
        both("Scores 1000, 999 and 998", "得分为 1000、999、998"),
        say(
            both(
                "The powers themselves have more than 430 digits before the point. After the maximum is subtracted, the exponents are 0, −1 and −2. The result {s} exceeds the maximum by {r}.",
                "这些幂本身的整数部分有四百三十多位。减去最大值之后，指数是 0、−1、−2。结果 {s} 比最大值大 {r}。",
            ),
            s=s,
            r=rest,
        ),
        b.line(m, larger(z[0], larger(z[1], z[2])), numbers=True),
        b.line(rest, log(moved), numbers=True),
        b.line(s - m, rest, numbers=True),
    )
    precisions = ((np.float32, both("single", "单精度")), (np.float64, both("double", "双精度")))
    yield b.table(
        both("What a computer makes of it", "计算机得到的结果"),
        (
            both("scores", "得分"),
            both("precision", "精度"),
            both("as defined", "照定义计算"),
            both("maximum taken out", "先减去最大值"),
        ),
        [
            (", ".join(map(str, row)).replace("-", "−"), label, *in_floats(np.array(row, dtype=kind)))
            for row in ((2, 1, 0), (100, 99, 98), (1000, 999, 998), (-1000, -1001, -1002))
            for kind, label in precisions
        ],
    )


def in_floats(scores: Value) -> tuple[str, str]:
    """The definition as it stands, and with the maximum taken out, in floats of the precision of the scores."""
    top = scores.max()
    with np.errstate(all="ignore"):
        found = np.log(np.sum(np.exp(scores))), top + np.log(np.sum(np.exp(scores - top)))
    return plain(float(found[0]), 7), plain(float(found[1]), 7)


def picture(b: Board) -> Iterator[Block]:
    z = b.free("z")
    at = grid(-4, 4)
    yield b.chart(
        both("Two scores, z and 0: a smooth maximum", "两个得分 z 与 0：光滑的最大值"),
        "z",
        "",
        {"log-sum-exp": b.vary(log(exp(z) + 1), z, at), "max(z, 0)": b.vary(larger(z, 0), z, at)},
    )


def not_added_back(b: Board) -> tuple[Formula, Formula]:
    z, m = [b.free(f"z_{i}") for i in (1, 2, 3)], b.free("m", 1, 2)
    return log(add(*(exp(score - m) for score in z))), log(add(*map(exp, z)))


def just_the_maximum(b: Board) -> tuple[Formula, Formula]:
    z = [b.free(f"z_{i}") for i in (1, 2, 3)]
    return larger(z[0], larger(z[1], z[2])), log(add(*map(exp, z)))


lesson = Lesson(
    title=both("Log-sum-exp", "log-sum-exp：指数之和的对数"),
    short=both(
        "ln(e^z₁ + e^z₂ + …) = m + ln(e^(z₁ − m) + e^(z₂ − m) + …) for every m, exactly. With the largest score as m nothing overflows. Its slopes are softmax.",
        "ln(e^z₁ + e^z₂ + …) = m + ln(e^(z₁ − m) + e^(z₂ − m) + …) 对任意 m 严格成立。取 m 为最大得分，就不会上溢。它的导数就是 softmax。",
    ),
    chapter="losses",
    position=8,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Powers of e leave the range of single precision from 89 on, and of double precision from 710 on. Scores of that size occur, and one infinite value can turn all gradients into NaN.",
            "以 e 为底的幂，指数到 89 就超出单精度的范围，到 710 就超出双精度的范围。这样大的得分确实会出现，而一个无穷大就可能使所有梯度变成 NaN。",
        ),
        both(
            "That is why losses such as CrossEntropyLoss take scores: from probabilities that were already rounded to 0 or 1 the logarithm could not be saved.",
            "所以 CrossEntropyLoss 这类损失接收的是得分：如果概率已经舍入成 0 或 1，对数就无法挽救了。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Subtracting the maximum is an approximation", "减去最大值是一种近似"),
            both(
                "It is exact as long as the maximum is added again. What is an error is to forget that.",
                "只要最后把最大值加回来，就是严格相等。忘记加回来才是错误。",
            ),
            not_added_back,
        ),
        Mistake(
            both("The result is the largest score", "结果就是最大的得分"),
            both(
                "It is larger, by up to ln n for n scores. Only where one score is far ahead can the difference be neglected.",
                "结果更大，n 个得分时最多大 ln n。只有当一个得分遥遥领先时，差别才可以忽略。",
            ),
            just_the_maximum,
        ),
    ),
    network="""
inputs: [1]
targets: [1]
layers:
  - linear: {out: 3, weight: [[1000], [999], [998]], bias: 0}
loss: cross_entropy
optimizer: {sgd: {lr: 0.1}}
""",
    see=("softmax", "log_softmax", "softmax_cross_entropy", "softplus"),
)

"""The logarithm of softmax, its Jacobian, and why it is computed in one go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block, Step, say
from derive.formula import Formula, Name, add, exp, formula, log
from derive.lessons._losses import partial, plain, sample, units, worked
from derive.losses import cross_entropy, nll
from derive.ops.vector import LogSoftmax, Softmax

op = LogSoftmax()


def derivation(b: Board) -> Iterator[Block]:
    three = sample(b)
    z, p, mass = three.z, three.p, three.mass
    a = units(b, op, "a", z)
    body = [score - log(mass) for score in z]
    yield b.step(
        both("Definition", "定义"),
        both(
            "The outputs are the logarithms of the softmax probabilities, here for three classes.",
            "输出是 softmax 概率的对数，这里取三个类别。",
        ),
        *(b.line(a[i], log(p[i]), log(exp(z[i]) / mass)) for i in range(3)),
    )
    yield b.step(
        both("The fraction becomes a difference", "分式变成差"),
        both(
            "The logarithm of a fraction is a difference of logarithms, and the logarithm undoes the exponential function. What is subtracted is the same for every class.",
            "商的对数是对数之差，而对数与指数互相抵消。减去的那一项对每个类别都相同。",
        ),
        *(b.line(a[i], log(exp(z[i])) - log(mass), body[i]) for i in range(3)),
    )
    slopes = [[b.slope(body[i], z[j], partial(f"a_{i + 1}", z[j]), "∂") for j in range(3)] for i in range(3)]
    yield say(
        both("First case: an output with respect to its own score.", "第一种情形：输出对自己的得分求导。"),
    )
    yield from b.differentiated(body[0], z[0], slopes[0][0], shown=1 - exp(z[0]) / mass, d="∂")
    yield say(
        both(
            "Second case: an output with respect to the score of another class.",
            "第二种情形：输出对另一个类别的得分求导。",
        ),
    )
    yield from b.differentiated(body[0], z[1], slopes[0][1], shown=-(exp(z[1]) / mass), d="∂")
    yield b.step(
        both("All nine slopes", "全部九个导数"),
        both(
            "The subtracted term gives minus the probability of the class whose score moves; the 1 is there where a class meets its own score. A row of the Jacobian is an output, a column a score.",
            "被减去的那一项总是贡献负的概率，而且是得分发生变化的那个类别的概率；输出遇到自己的得分时再加 1。雅可比矩阵的行对应输出，列对应得分。",
        ),
        *(
            b.line(slopes[i][j], 1 - p[j] if i == j else -p[j], op.jacobian(a)[i][j])
            for i in range(3)
            for j in range(3)
        ),
    )
    yield in_backpropagation(b, z, p, body)
    yield as_a_loss(b, z, p, a)


def in_backpropagation(b: Board, z: list[Name], p: list[Name], body: list[Formula]) -> Step:
    g = [b.free(f"g_{i}") for i in (1, 2, 3)]
    loss = add(*(g[i] * body[i] for i in range(3)))
    return b.step(
        both("In backpropagation", "用于反向传播"),
        say(
            both(
                "Let {g1}, {g2} and {g3} be the derivatives of the loss L with respect to the outputs. Every score acts on all three outputs, so three contributions are added.",
                "设损失 L 对三个输出的导数为 {g1}、{g2}、{g3}。每个得分都影响全部三个输出，所以把三份贡献相加。",
            ),
            g1=g[0],
            g2=g[1],
            g3=g[2],
        ),
        *(
            b.line(
                b.slope(loss, z[j], partial("L", z[j]), "∂"),
                add(*(g[i] * (1 - p[j] if i == j else -p[j]) for i in range(3))),
                g[j] - p[j] * add(*g),
            )
            for j in range(3)
        ),
    )


def as_a_loss(b: Board, z: list[Name], p: list[Name], a: list[Name]) -> Step:
    target = [[0, 1, 0]]
    loss, _ = worked(b, nll, [a], target)
    _, slope = worked(b, cross_entropy, [z], target)
    return b.step(
        both("With the negative log-likelihood", "配上负对数似然"),
        both(
            "For a sample of class 2 the loss NLLLoss takes the second output with a minus sign: its slope with respect to that output is −1, with respect to the others 0. Log-softmax followed by this loss is the cross-entropy, and its gradient is probability minus target.",
            "若样本属于第 2 类，NLLLoss 就取第二个输出的相反数：对它的导数为 −1，对其余输出的导数为 0。log-softmax 接上这个损失就是交叉熵，梯度是概率减去目标。",
        ),
        b.line(b.hold("L", loss), -a[1], log(add(*map(exp, z))) - z[1], -log(p[1])),
        b.line(b.hold(partial("L", z[0]), slope[0]), p[0]),
        b.line(b.hold(partial("L", z[1]), slope[1]), -(1 - p[1]), p[1] - 1),
        b.line(b.hold(partial("L", z[2]), slope[2]), p[2]),
    )


def numbers(b: Board) -> Iterator[Block]:
    z = [b.number(f"z_{i}", value) for i, value in enumerate((2, 1, 0), 1)]
    a = units(b, op, "a", z)
    mass = b.defined("s", log(add(*map(exp, z))))
    yield b.step(
        both("Scores 2, 1 and 0", "得分为 2、1、0"),
        both(
            "One logarithm serves all three outputs. They are negative, since the probabilities are less than one.",
            "三个输出共用一个对数。概率小于一，所以它们都是负数。",
        ),
        b.line(mass, log(add(*map(exp, z))), numbers=True),
        *(b.line(a[i], z[i] - mass, numbers=True) for i in range(3)),
    )
    yield b.table(
        both("Scores 0 and x: the first output, in double precision", "得分为 0 与 x：双精度下的第一个输出"),
        (both("x", "x"), both("logarithm after softmax", "先 softmax 再取对数"), both("log-softmax", "log-softmax")),
        [(str(x), *in_floats(float(x))) for x in (10, 100, 1000)],
    )


def in_floats(x: float) -> tuple[str, str]:
    """ln p₁ for the scores 0 and x, both ways, as NumPy has it."""
    row = np.array([0.0, x])
    with np.errstate(all="ignore"):
        powers = np.exp(row - x)
        after = float(np.log(powers[0] / powers.sum()))
        at_once = float((row - x)[0] - np.log(powers.sum()))
    return plain(after), plain(at_once)


def own_score_only(b: Board) -> tuple[Formula, Formula]:
    z = [b.free(f"z_{i}") for i in (1, 2, 3)]
    return formula(1), b.slope(z[0] - log(add(*map(exp, z))), z[0])


def no_logarithm(b: Board) -> tuple[Formula, Formula]:
    z = [b.free(f"z_{i}") for i in (1, 2, 3)]
    p = units(b, Softmax(), "p", z)
    loss, _ = worked(b, cross_entropy, [z], [[0, 1, 0]])
    return -p[1], b.hold("L", loss)


def logarithm_of_sums(b: Board) -> tuple[Formula, Formula]:
    z = [b.free(f"z_{i}") for i in (1, 2, 3)]
    return add(*z), log(add(*map(exp, z)))


lesson = Lesson(
    title=both("Log-softmax", "log-softmax 函数"),
    short=both(
        "ln pᵢ = zᵢ − ln(e^z₁ + e^z₂ + …): a score minus one number that all classes share. The derivative with respect to zⱼ is 1 − pⱼ for i = j, else −pⱼ.",
        "ln pᵢ = zᵢ − ln(e^z₁ + e^z₂ + …)：得分减去各类别共有的一个数。对 zⱼ 的导数在 i = j 时为 1 − pⱼ，否则为 −pⱼ。",
    ),
    chapter="activations",
    position=14,
    derivation=derivation,
    numbers=numbers,
    why=(
        both(
            "Losses need the logarithm of a probability. If the probability is computed first, a small one is rounded to 0, and its logarithm is minus infinity. Log-softmax never computes it.",
            "损失需要的是概率的对数。如果先算概率，很小的概率会舍入成 0，取对数就成了负无穷。log-softmax 根本不算概率，也就没有这个问题。",
        ),
        both(
            "Nor does the slope vanish: with respect to the score of the true class it is 1 − p, which is nearly 1 where the network is confidently wrong.",
            "导数也不会消失：对正确类别的得分，导数是 1 − p，网络错得越自信，它越接近 1。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The logarithm of the sum of powers is the sum of the scores", "指数之和的对数等于得分之和"),
            both(
                "Only a product becomes a sum. The logarithm of a sum stays as it is.",
                "只有积的对数才变成和；和的对数不能拆开。",
            ),
            logarithm_of_sums,
        ),
        Mistake(
            both("The derivative of an output with respect to its own score is 1", "输出对自己得分的导数是 1"),
            both(
                "The score stands in the sum as well: the derivative is one minus the probability of the class.",
                "得分也出现在求和里：导数是一减去该类别的概率。",
            ),
            own_score_only,
        ),
        Mistake(
            both("NLLLoss after softmax", "softmax 之后接 NLLLoss"),
            both(
                "NLLLoss takes no logarithm itself: it wants the output of log-softmax. From probabilities it makes −p, not −ln p.",
                "NLLLoss 自己不取对数，它要的是 log-softmax 的输出。输入概率时，它给出的是 −p 而不是 −ln p。",
            ),
            no_logarithm,
        ),
    ),
    network="""
inputs: [0.5, -1]
targets: [1]
layers:
  - linear: {out: 3, weight: [[0.2, -0.4], [0.1, 0.3], [-0.5, 0.6]], bias: [0.1, 0, -0.1]}
  - log_softmax
loss: nll
optimizer: {sgd: {lr: 0.5}}
""",
    see=("softmax", "log_sum_exp", "cross_entropy", "softmax_cross_entropy"),
)

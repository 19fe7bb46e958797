"""Softmax, its Jacobian in both cases, and what does not change it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.formula import Apply, Formula, Name, add, exp
from derive.lessons._losses import Sample, function_of, partial, sample, units
from derive.ops.activations import sigmoid
from derive.ops.vector import Softmax

op = Softmax()
σ = function_of(sigmoid())
THREE = range(3)


def derivation(b: Board) -> Iterator[Block]:
    of = sample(b)
    yield from definition(b, of)
    yield from invariance(b, of)
    slopes = [[b.slope(of.body[i], of.z[j], partial(f"p_{i + 1}", of.z[j]), "∂") for j in THREE] for i in THREE]
    yield from own_score(b, of, slopes[0][0])
    yield from other_score(b, of, slopes[0][1])
    yield from together(b, of, slopes)
    yield backwards(b, of)


def definition(b: Board, of: Sample) -> Iterator[Step]:
    p, mass = of.p, of.mass
    yield b.step(
        both("Definition", "定义"),
        both(
            "The exponential function makes every score positive; dividing by the sum over all classes makes them shares of one. Three classes are enough to show every case.",
            "指数函数把每个得分变成正数，再除以所有类别之和，就得到总和为一的份额。用三个类别就能看清全部规律。",
        ),
        *(b.line(p[i], of.body[i]) for i in THREE),
    )
    yield b.step(
        both("The outputs sum to one", "各输出之和为一"),
        both(
            "The three fractions have the same denominator, and their numerators add up to it. So the outputs can be read as probabilities.",
            "三个分式分母相同，分子之和恰好等于分母，因此输出可以看作概率。",
        ),
        b.line(add(*p), mass / mass, 1),
    )


def invariance(b: Board, of: Sample) -> Iterator[Step]:
    z, p, mass = of.z, of.p, of.mass
    c = b.free("c")
    moved = [score + c for score in z]
    shifted = units(b, op, "r", [b.defined(f"y_{i}", f) for i, f in enumerate(moved, 1)])
    yield b.step(
        both("Adding a constant changes nothing", "同加一个常数，结果不变"),
        say(
            both(
                "Let {r} be the first output when {c} is added to every score. A sum in the exponent is a product of powers, so the same factor stands above and below the bar and cancels. The same holds for the other outputs.",
                "给每个得分都加上 {c}，记此时的第一个输出为 {r}。指数上的和就是幂的积，同一个因子同时出现在分子和分母中，可以约去。其余输出也是如此。",
            ),
            r=shifted[0],
            c=c,
        ),
        b.line(
            shifted[0], exp(moved[0]) / add(*map(exp, moved)), exp(c) * exp(z[0]) / (exp(c) * mass), of.body[0], p[0]
        ),
        b.line(shifted[1], exp(c) * exp(z[1]) / (exp(c) * mass), p[1]),
        b.line(shifted[2], exp(c) * exp(z[2]) / (exp(c) * mass), p[2]),
    )
    pair = units(b, op, "q", z[:2])
    yield b.step(
        both("Two classes are a sigmoid", "两个类别时就是 sigmoid"),
        say(
            both(
                "With only two scores, let {q} be the first output. Dividing above and below the bar by {f} leaves the sigmoid of the difference of the scores.",
                "只有两个得分时，记第一个输出为 {q}。分子分母同除以 {f}，就得到得分之差的 sigmoid。",
            ),
            q=pair[0],
            f=exp(z[0]),
        ),
        b.line(pair[0], exp(z[0]) / (exp(z[0]) + exp(z[1])), 1 / (1 + exp(-(z[0] - z[1]))), Apply(σ, (z[0] - z[1],))),
    )


def own_score(b: Board, of: Sample, slope: Name) -> Iterator[Block]:
    z, mass, body = of.z, of.mass, of.body
    yield say(
        both(
            "First case: an output with respect to its own score, which stands above and below the bar.",
            "第一种情形：输出对自己的得分求导。这个得分在分子和分母中都出现。",
        )
    )
    yield from b.differentiated(body[0], z[0], slope, shown=(exp(z[0]) * mass - exp(z[0]) * exp(z[0])) / mass**2, d="∂")
    yield b.step(
        both("In terms of the output", "用输出表示"),
        say(
            both(
                "The numerator has the common factor {f}. One fraction is the output itself, the other is one minus it.",
                "分子提出公因子 {f}。一个分式是输出本身，另一个是 1 减去输出。",
            ),
            f=exp(z[0]),
        ),
        b.line(slope, exp(z[0]) / mass * ((mass - exp(z[0])) / mass), body[0] * (1 - body[0]), op.jacobian(of.p)[0][0]),
    )


def other_score(b: Board, of: Sample, slope: Name) -> Iterator[Block]:
    z, mass, body = of.z, of.mass, of.body
    yield say(
        both(
            "Second case: an output with respect to the score of another class, which stands only below the bar.",
            "第二种情形：输出对另一个类别的得分求导，这个得分只出现在分母中。",
        )
    )
    yield from b.differentiated(body[0], z[1], slope, shown=-(exp(z[0]) * exp(z[1]) / mass**2), d="∂")
    yield b.step(
        both("In terms of the outputs", "用输出表示"),
        both(
            "The fraction is a product of two outputs. The sign is negative: what one class gains, the others lose.",
            "这个分式是两个输出之积。符号为负：一个类别得到的，正是其他类别失去的。",
        ),
        b.line(slope, -(body[0] * body[1]), op.jacobian(of.p)[0][1]),
    )


def together(b: Board, of: Sample, slopes: list[list[Name]]) -> Iterator[Step]:
    p, taught = of.p, op.jacobian(of.p)
    yield b.step(
        both("All nine slopes", "全部九个导数"),
        both(
            "No class is special, so the first case holds for each output with its own score, and the second for each pair of different classes. Together they are the Jacobian, row by row.",
            "各类别地位相同：第一种情形适用于每个输出和它自己的得分，第二种情形适用于任意两个不同的类别。合在一起就是雅可比矩阵，逐行写出。",
        ),
        *(b.line(slopes[i][j], taught[i][j]) for i in THREE for j in THREE),
    )
    yield b.step(
        both("Every column sums to zero", "每一列之和为零"),
        both(
            "The outputs always sum to one, so whatever one score does, their changes cancel.",
            "输出之和恒为一，所以无论哪个得分变化，各输出的改变量都相互抵消。",
        ),
        *(
            b.line(add(*(slopes[i][j] for i in THREE)), add(*(taught[i][j] for i in THREE)), p[j] * (1 - add(*p)), 0)
            for j in THREE
        ),
    )
    jacobian = b.held("J", np.array([[b.value(slope) for slope in row] for row in slopes]))
    column = b.held("p", np.array([[b.value(x)] for x in p]))
    diagonal = b.held("D", np.diag([b.value(x) for x in p]))
    yield b.step(
        both("As a matrix", "写成矩阵"),
        say(
            both(
                "Let {J} be the matrix of the nine slopes, {p} the column of the outputs, and {D} the matrix with the outputs on its diagonal and zeros elsewhere. Both cases are in one formula, and the matrix is symmetric.",
                "设 {J} 为九个导数组成的矩阵，{p} 为输出组成的列向量，{D} 为以输出为对角元、其余为零的矩阵。两种情形合为一个公式，而且这个矩阵是对称的。",
            ),
            J=jacobian,
            p=column,
            D=diagonal,
        ),
        b.line(jacobian, diagonal - column @ column.T, jacobian.T),
    )


def backwards(b: Board, of: Sample) -> Step:
    """What backpropagation makes of the gradient by the outputs."""
    z, p, taught = of.z, of.p, op.jacobian(of.p)
    g = [b.free(f"g_{i}") for i in (1, 2, 3)]
    loss = add(*(g[i] * of.body[i] for i in THREE))
    return b.step(
        both("In backpropagation", "用于反向传播"),
        say(
            both(
                "Let {g1}, {g2} and {g3} be the derivatives of the loss L with respect to the outputs. Every score reaches the loss through all three outputs, so three contributions are added; then the common factor is taken out.",
                "设损失 L 对三个输出的导数为 {g1}、{g2}、{g3}。每个得分都经由全部三个输出影响损失，所以要把三份贡献相加，然后提出公因子。",
            ),
            g1=g[0],
            g2=g[1],
            g3=g[2],
        ),
        *(
            b.line(
                b.slope(loss, z[j], partial("L", z[j]), "∂"),
                add(*(g[i] * taught[i][j] for i in THREE)),
                p[j] * (g[j] - add(*(g[i] * p[i] for i in THREE))),
            )
            for j in THREE
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    z = [b.number(f"z_{i}", value) for i, value in enumerate((2, 1, 0), 1)]
    powers = [b.defined(f"u_{i}", exp(score)) for i, score in enumerate(z, 1)]
    mass = b.defined("S", add(*powers))
    p = units(b, op, "p", z)
    taught = op.jacobian(p)
    body = [exp(score) / add(*map(exp, z)) for score in z]
    yield b.step(
        both("Scores 2, 1 and 0", "得分为 2、1、0"),
        both(
            "First the powers, then their sum, then the fractions.",
            "先算各个幂，再求和，最后算分式。",
        ),
        *(b.line(u, exp(score), numbers=True) for u, score in zip(powers, z, strict=True)),
        b.line(mass, add(*powers), numbers=True),
        *(b.line(p[i], powers[i] / mass, numbers=True) for i in THREE),
    )
    yield b.step(
        both("The first column of the Jacobian", "雅可比矩阵的第一列"),
        both(
            "The first score raises its own output and lowers the other two by as much in all.",
            "第一个得分使自己的输出上升，使另外两个输出下降，升降总量相等。",
        ),
        *(b.line(b.slope(body[i], z[0], partial(f"p_{i + 1}", z[0]), "∂"), taught[i][0], numbers=True) for i in THREE),
    )


def picture(b: Board) -> Iterator[Block]:
    z = b.free("z")
    mass = exp(z) + exp(b.number("a", 1)) + 1
    at = grid(-5, 7)
    yield b.chart(
        both(
            "Three outputs while the first score moves; the others are 1 and 0",
            "第一个得分变化时的三个输出；其余得分为 1 和 0",
        ),
        "z₁",
        "",
        {
            "p₁": b.vary(exp(z) / mass, z, at),
            "p₂": b.vary(exp(b.number("a", 1)) / mass, z, at),
            "p₃": b.vary(1 / mass, z, at),
        },
    )


def as_the_sigmoid(b: Board) -> tuple[Formula, Formula]:
    z = [b.free(f"z_{i}") for i in (1, 2, 3)]
    p = units(b, op, "p", z)
    slope = b.slope(exp(z[0]) / add(*map(exp, z)), z[1])
    return p[0] * (1 - p[0]), slope


def not_sigmoids(b: Board) -> tuple[Formula, Formula]:
    z = [b.free(f"z_{i}") for i in (1, 2, 3)]
    return Apply(σ, (z[0],)), units(b, op, "p", z)[0]


def over_the_batch(b: Board) -> tuple[Formula, Formula]:
    z, other = [b.free(f"z_1{i}") for i in (1, 2, 3)], b.free("z_21")
    return units(b, op, "p", [z[0], other])[0], units(b, op, "p", z)[0]


lesson = Lesson(
    title=both("Softmax", "softmax 函数"),
    short=both(
        "Scores become probabilities. ∂pᵢ/∂zⱼ is pᵢ(1 − pᵢ) for i = j and −pᵢpⱼ for i ≠ j; adding a constant to all scores changes nothing.",
        "把得分变成概率。∂pᵢ/∂zⱼ 在 i = j 时为 pᵢ(1 − pᵢ)，在 i ≠ j 时为 −pᵢpⱼ；给所有得分加同一个常数，结果不变。",
    ),
    chapter="activations",
    position=13,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "A network that decides between several classes ends with softmax: the largest score gets the largest probability, and the probabilities sum to one.",
            "多分类网络以 softmax 结尾：得分最高的类别概率最大，所有概率之和为一。",
        ),
        both(
            "Since adding a constant changes nothing, the largest score may be subtracted first. No power of e can then overflow, and that is how libraries compute it.",
            "由于同加一个常数结果不变，可以先减去最大的得分，这样指数就不会上溢。常用的库都是这样计算的。",
        ),
        both(
            "The Jacobian is full: every score acts on every output. Together with the cross-entropy it collapses to the difference of probability and target.",
            "雅可比矩阵没有零元素：每个得分都影响每个输出。与交叉熵合在一起，它化简为概率与目标之差。",
        ),
    ),
    mistakes=(
        Mistake(
            both("∂p₁/∂z₂ = p₁(1 − p₁), as for the sigmoid", "∂p₁/∂z₂ = p₁(1 − p₁)，与 sigmoid 一样"),
            both(
                "Only an output's own score gives p₁(1 − p₁). The score of another class gives −p₁p₂.",
                "只有对自己的得分求导才得到 p₁(1 − p₁)。对别的类别的得分求导得到 −p₁p₂。",
            ),
            as_the_sigmoid,
        ),
        Mistake(
            both("Softmax is the sigmoid of every score", "softmax 就是对每个得分取 sigmoid"),
            both(
                "A sigmoid looks at one score only, and several of them need not sum to one. For two classes p₁ is a sigmoid, but of the difference z₁ − z₂.",
                "sigmoid 只看一个得分，多个 sigmoid 之和未必为一。只有两个类别时 p₁ 才是 sigmoid，而且自变量是差 z₁ − z₂。",
            ),
            not_sigmoids,
        ),
        Mistake(
            both("Softmax over the batch: dim = 0", "沿批次方向做 softmax：dim = 0"),
            both(
                "The sum goes over the classes of one sample, the last axis. Along the batch, samples would compete with each other.",
                "求和应沿同一样本的各个类别进行，即最后一个轴。沿批次求和会使不同样本互相竞争。",
            ),
            over_the_batch,
        ),
    ),
    network="""
inputs: [0.5, -1]
targets: [0, 1, 0]
layers:
  - linear: {out: 3, weight: [[0.2, -0.4], [0.1, 0.3], [-0.5, 0.6]], bias: [0.1, 0, -0.1]}
  - softmax
loss: mse
optimizer: {sgd: {lr: 0.5}}
""",
    see=("sigmoid", "log_softmax", "softmax_cross_entropy", "log_sum_exp", "cross_entropy"),
)

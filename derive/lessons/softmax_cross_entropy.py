"""Softmax and cross-entropy together: three paths for every score, and p − t at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Amount, Block, Step, say
from derive.formula import Formula, Name, add, exp, log
from derive.lessons._losses import partial, sample, units, worked
from derive.losses import cross_entropy
from derive.ops.vector import Softmax

op = Softmax()
THREE = (0, 1, 2)


def derivation(b: Board) -> Iterator[Block]:
    three = sample(b)
    z, p, body = three.z, three.p, three.body
    first, second = b.free("t_1", 0, "0.5"), b.free("t_2", 0, "0.5")
    t = [first, second, b.defined("t_3", 1 - first - second)]
    loss, gradient = worked(b, cross_entropy, [z], [t])
    yield b.step(
        both("Definition", "定义"),
        both(
            "Softmax makes probabilities of three scores. The cross-entropy adds up their negative logarithms, each weighted by the target. The targets sum to one; often one of them is 1 and the others are 0.",
            "softmax 把三个得分变成概率。交叉熵把各概率的负对数按目标加权求和。目标之和为一，常见的情形是其中一个为 1，其余为 0。",
        ),
        *(b.line(p[i], body[i]) for i in THREE),
        b.line(b.hold("L", loss), -entropy(t, p)),
        b.line(add(*t), 1),
    )
    by_p = [b.slope(-entropy(t, p), p[i], partial("L", p[i]), "∂") for i in THREE]
    yield b.step(
        both("With respect to the probabilities", "对概率求导"),
        both(
            "In the sum each probability stands in only one term, and the derivative of the logarithm is one over its argument.",
            "和式中每个概率只出现在一项里，而对数的导数是自变量的倒数。",
        ),
        *(b.line(by_p[i], b.slope(-(t[i] * log(p[i])), p[i], d="∂"), -(t[i] / p[i])) for i in THREE),
    )
    steps = [[b.slope(body[i], z[j], partial(f"p_{i + 1}", z[j])) for j in THREE] for i in THREE]
    jacobian = op.jacobian(p)
    yield b.step(
        both("The probabilities with respect to the scores", "概率对得分求导"),
        both(
            "These are the nine derivatives of softmax: an output with respect to its own score, and to the score of another class.",
            "这就是 softmax 的九个导数：输出对自己的得分，以及对其他类别的得分。",
        ),
        *(b.line(steps[i][j], jacobian[i][j]) for j in THREE for i in THREE),
    )
    slopes = [b.slope(-entropy(t, body), z[j], partial("L", z[j])) for j in THREE]
    for j in THREE:
        yield by_score(b, j, slopes[j], by_p, steps, p, t)
    yield b.step(
        both("The result", "结果"),
        both(
            "The targets sum to one, so the bracket drops out. What remains is probability minus target, for every class.",
            "目标之和为一，括号就消失了。对每个类别都只剩下概率减去目标。",
        ),
        *(b.line(b.hold(partial("L", z[j]), gradient[j]), p[j] - t[j]) for j in THREE),
    )
    yield b.step(
        both("The slopes sum to zero", "各导数之和为零"),
        both(
            "Probabilities and targets both sum to one. This is the other side of a property of softmax: a constant added to all scores changes nothing.",
            "概率之和与目标之和都等于一。这也反映了 softmax 的性质：给所有得分加同一个常数，结果不变。",
        ),
        b.line(add(*slopes), add(*p) - add(*t), 0),
    )
    yield one_class(b, z, p)
    yield from batch(b)


def entropy(t: Sequence[Formula], p: Sequence[Formula]) -> Formula:
    """Σ tᵢ ln pᵢ."""
    return add(*(x * log(y) for x, y in zip(t, p, strict=True)))


def by_score(
    b: Board, j: int, slope: Name, by_p: list[Name], steps: list[list[Name]], p: list[Name], t: list[Name]
) -> Step:
    """The chain rule for one score, over all three probabilities."""
    titles = (
        both("With respect to the first score", "对第一个得分求导"),
        both("With respect to the second score", "对第二个得分求导"),
        both("With respect to the third score", "对第三个得分求导"),
    )
    reasons = (
        both(
            "The score acts on all three probabilities, so there are three paths to the loss, and their contributions are added. The probabilities below the bar cancel. Then the terms with the probability of this class are collected.",
            "这个得分影响全部三个概率，因此到损失有三条路径，贡献相加。分母中的概率被约去，再把含有本类别概率的各项合并。",
        ),
        both(
            "Again three paths. Now the second one runs through the class of the score itself.",
            "同样是三条路径，这次第二条经过得分自己的类别。",
        ),
        both(
            "Three paths once more, the third through the class of the score itself.",
            "还是三条路径，第三条经过得分自己的类别。",
        ),
    )
    jacobian = op.jacobian(p)
    terms = [-(t[i] * (1 - p[i])) if i == j else t[i] * p[j] for i in THREE]
    return b.step(
        titles[j],
        reasons[j],
        b.line(
            slope,
            add(*(by_p[i] * steps[i][j] for i in THREE)),
            add(*(product(t[i] / p[i], jacobian[i][j]) for i in THREE)),
            add(*terms),
            p[j] * add(*t) - t[j],
        ),
    )


def product(weight: Formula, slope: Formula) -> Formula:
    """−(t/p) times a slope; two minus signs make a plus."""
    return -(weight * slope)


def one_class(b: Board, z: list[Name], p: list[Name]) -> Step:
    loss, gradient = worked(b, cross_entropy, [z], [[0, 1, 0]])
    return b.step(
        both("A class as the target", "目标是一个类别"),
        both(
            "Let class 2 be the right one: its target is 1, the others are 0. Only one logarithm is left. The right class gets a negative slope, so gradient descent raises its score; it lowers every other score in proportion to its probability.",
            "设正确类别为第 2 类：它的目标为 1，其余为 0。只剩一个对数。正确类别的导数为负，梯度下降使它的得分上升，使其余得分下降，降幅与各自的概率成正比。",
        ),
        b.line(b.hold("L", loss), -log(p[1]), log(add(*map(exp, z))) - z[1]),
        b.line(b.hold(partial("L", z[0]), gradient[0]), p[0]),
        b.line(b.hold(partial("L", z[1]), gradient[1]), p[1] - 1),
        b.line(b.hold(partial("L", z[2]), gradient[2]), p[2]),
    )


def batch(b: Board) -> Iterator[Step]:
    z = [[b.free(f"z_{n}{i + 1}") for i in THREE] for n in (1, 2)]
    p = [[b.defined(f"p_{n}{i + 1}", exp(z[n - 1][i]) / add(*map(exp, z[n - 1]))) for i in THREE] for n in (1, 2)]
    t = [[b.number(f"t_{n}{i + 1}", int(i == right)) for i in THREE] for n, right in ((1, 0), (2, 2))]
    loss, gradient = worked(b, cross_entropy, z, t)
    yield b.step(
        both("The mean over two samples", "对两个样本取平均"),
        both(
            "CrossEntropyLoss takes the mean over the samples, not over the classes. So every slope is divided by the number of samples; the first index is the sample, the second the class.",
            "CrossEntropyLoss 对样本取平均，而不是对类别。因此每个导数都除以样本数；第一个下标是样本，第二个是类别。",
        ),
        b.line(b.hold("L", loss), (-entropy(t[0], p[0]) - entropy(t[1], p[1])) / 2),
        *(
            b.line(b.hold(partial("L", z[n][i]), gradient[3 * n + i]), (p[n][i] - t[n][i]) / 2)
            for n in (0, 1)
            for i in THREE
        ),
    )
    count, rest = b.number("N", 7), b.free("R", 0, 9)
    mine, targets = z[0], t[0]
    whole = (rest - entropy(targets, [exp(score) / add(*map(exp, mine)) for score in mine])) / count
    yield b.step(
        both("Any number of samples", "任意多个样本"),
        say(
            both(
                "Of {n} samples take the first. Let {rest} be the sum of the other losses; they do not contain its scores.",
                "在 {n} 个样本中取第一个，其余损失之和记为 {rest}，其中不含它的得分。",
            ),
            n=count,
            rest=rest,
        ),
        b.line(b.hold("L", b.value(whole)), (rest - entropy(targets, p[0])) / count),
        *(b.line(b.slope(whole, mine[i], partial("L", mine[i])), (p[0][i] - targets[i]) / count) for i in THREE),
    )


def numbers(b: Board) -> Iterator[Block]:
    z = [b.number(f"z_{i}", value) for i, value in enumerate((2, 1, 0), 1)]
    t = [b.number(f"t_{i}", value) for i, value in enumerate((1, 0, 0), 1)]
    p = units(b, op, "p", z)
    mass = b.defined("S", add(*map(exp, z)))
    body = [exp(score) / add(*map(exp, z)) for score in z]
    loss, _ = worked(b, cross_entropy, [z], [t])
    yield b.step(
        both("Scores 2, 1 and 0; class 1 is right", "得分 2、1、0，正确的是第 1 类"),
        both("Probabilities, loss, and slopes.", "概率、损失与导数。"),
        b.line(mass, add(*map(exp, z)), numbers=True),
        *(b.line(p[i], exp(z[i]) / mass, numbers=True) for i in THREE),
        b.line(b.hold("L", loss), -log(p[0]), numbers=True),
        *(b.line(b.slope(-entropy(t, body), z[i], partial("L", z[i])), p[i] - t[i], numbers=True) for i in THREE),
    )
    q = units(b, op, "q", p)
    again, _ = worked(b, cross_entropy, [p], [t])
    over = b.defined("S_2", add(*map(exp, p)))
    through = [exp(f) / add(*map(exp, body)) for f in body]
    yield b.step(
        both("Softmax applied twice by mistake", "误把 softmax 做了两次"),
        say(
            both(
                "CrossEntropyLoss applies softmax itself. If it is given the probabilities, it takes them for scores and draws them together: the right class has {q} instead of {p}. The loss is nearly twice as large, yet the derivative with respect to the first score is hardly more than half of what it should be.",
                "CrossEntropyLoss 自己会做 softmax。如果输入的已经是概率，它会把概率当作得分，使它们彼此接近：正确类别得到 {q} 而不是 {p}。损失几乎变成两倍，而对第一个得分的导数只有应有的一半多一点。",
            ),
            q=Amount(q[0]),
            p=Amount(p[0]),
        ),
        b.line(over, add(*map(exp, p)), numbers=True),
        *(b.line(q[i], exp(p[i]) / over, numbers=True) for i in THREE),
        b.line(b.hold("L", again), -log(q[0]), numbers=True),
        b.line(
            b.slope(-log(through[0]), z[0], partial("L", z[0])),
            add(*((q[i] - t[i]) * op.jacobian(p)[i][0] for i in THREE)),
            numbers=True,
        ),
    )
    sure = [b.number(f"p_{i}", value) for i, value in enumerate((1, 0, 0), 1)]
    best, _ = worked(b, cross_entropy, [sure], [t])
    yield b.step(
        both("Even a perfect network keeps a loss", "即使网络完全正确，损失也不为零"),
        both(
            "Probabilities of 1, 0 and 0 could not be better, and they would still cost this much. Whatever the network learns, the loss cannot come near 0.",
            "概率为 1、0、0 已经不可能更好，却仍有这么大的损失。无论网络怎样学习，损失都无法接近 0。",
        ),
        b.line(b.hold("L", best), -log(exp(sure[0]) / add(*map(exp, sure))), numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    z = b.free("z")
    at = grid(-6, 8)
    p = exp(z) / (exp(z) + 2)
    other = (1 - p) / 2
    twice = exp(p) / (exp(p) + 2 * exp(other))
    yield b.chart(
        both(
            "The loss of class 1 while its score moves; the other two scores are 0",
            "第 1 类的得分变化时的损失；另外两个得分为 0",
        ),
        "z₁",
        "",
        {
            both("softmax once", "softmax 一次"): b.vary(-log(p), z, at),
            both("softmax twice", "softmax 两次"): b.vary(-log(twice), z, at),
        },
    )


def softmax_twice(b: Board) -> tuple[Formula, Formula]:
    z = [b.free(f"z_{i + 1}") for i in THREE]
    twice, _ = worked(b, cross_entropy, [units(b, op, "p", z)], [[1, 0, 0]])
    once, _ = worked(b, cross_entropy, [z], [[1, 0, 0]])
    return b.hold("L", twice), b.hold("L", once)


def one_path(b: Board) -> tuple[Formula, Formula]:
    z, t = [b.free(f"z_{i + 1}") for i in THREE], (Fraction(1, 5), Fraction(3, 10), Fraction(1, 2))
    p = units(b, op, "p", z)
    _, gradient = worked(b, cross_entropy, [z], [t])
    return -(t[0] * (1 - p[0])), b.hold("g", gradient[0])


def over_the_classes(b: Board) -> tuple[Formula, Formula]:
    z = [b.free(f"z_{i + 1}") for i in THREE]
    loss, _ = worked(b, cross_entropy, [z], [[1, 0, 0]])
    return -log(units(b, op, "p", z)[0]) / 3, b.hold("L", loss)


lesson = Lesson(
    title=both("Softmax with cross-entropy", "softmax 与交叉熵"),
    short=both(
        "The derivative of the loss with respect to a score is p − t, probability minus target. All paths from each score to the loss are followed, and this is their sum.",
        "损失对得分的导数是 p − t，即概率减去目标。把每个得分到损失的所有路径相加，就得到它。",
    ),
    chapter="losses",
    position=6,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Softmax and cross-entropy stand at the end of nearly every network that decides between classes. Their joint slope is simple: p − t lies between −1 and 1, and nothing is divided by a small p.",
            "几乎每个多分类网络都以 softmax 和交叉熵结尾。两者合在一起的导数很简单：p − t 总在 −1 与 1 之间，也不必除以很小的 p。",
        ),
        both(
            "Taken apart, −t/p can be huge and the slopes of softmax tiny, and rounding spoils their product. So libraries join both into one function of the scores.",
            "若分开计算，−t/p 可能极大，而 softmax 的导数极小，舍入会毁掉它们的乘积。所以常用的库把两者合成一个关于得分的函数。",
        ),
    ),
    mistakes=(
        Mistake(
            both("A softmax layer before nn.CrossEntropyLoss", "nn.CrossEntropyLoss 之前再加 softmax 层"),
            both(
                "CrossEntropyLoss takes scores and applies softmax itself. With a softmax layer it is applied twice: training is slow and the loss never comes near 0.",
                "CrossEntropyLoss 接收得分，自己做 softmax。再加一层就做了两次：训练变慢，损失也永远到不了 0 附近。",
            ),
            softmax_twice,
        ),
        Mistake(
            both("∂L/∂z₁ takes only the path through p₁", "∂L/∂z₁ 只走经过 p₁ 的路径"),
            both(
                "Every score acts on all probabilities. All paths count, and only their sum is p₁ − t₁.",
                "每个得分都影响所有概率。所有路径都要计入，总和才是 p₁ − t₁。",
            ),
            one_path,
        ),
        Mistake(
            both("The mean divides by the number of classes as well", "取平均时也除以类别数"),
            both(
                "CrossEntropyLoss divides by the number of samples only. MSELoss would divide by both.",
                "CrossEntropyLoss 只除以样本数；MSELoss 才会两者都除。",
            ),
            over_the_classes,
        ),
    ),
    network="""
inputs: [[0.5, -1], [1, 0.2]]
targets: [1, 2]
layers:
  - linear: {out: 3, weight: [[0.2, -0.4], [0.1, 0.3], [-0.5, 0.6]], bias: [0.1, 0, -0.1]}
  - softmax
loss: cross_entropy
optimizer: {sgd: {lr: 0.5}}
""",
    see=("softmax", "cross_entropy", "log_sum_exp", "log_softmax", "bce"),
)

"""Dropout: what is true on average over all masks, found by going through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb, sqrt

from derive.board import Board, Lesson, Mistake, both
from derive.document import Amount, Block, say
from derive.formula import ONE, ZERO, Apply, Formula, Name, Written, tanh
from derive.lessons._chance import VAR, E, Outcomes, every, mean, variance


def masks(b: Board, p: Name, *names: Name) -> Outcomes:
    """Every way in which units can be dropped, with its probability."""
    drop = Fraction(b.exactly(p))
    return every(names, {Fraction(0): drop, Fraction(1): 1 - drop})


def derivation(b: Board) -> Iterator[Block]:
    yield from one_unit(b)
    yield from next_unit(b)
    yield from spread(b)
    yield from backward(b)


def one_unit(b: Board) -> Iterator[Block]:
    """Why what is kept is divided by 1 − p."""
    a, m, p = b.free("a"), b.free("m", 0, 1), b.free("p", 0, 1)
    over, kept = masks(b, p, m), m * a / (1 - p)
    dropped = b.defined("ã", kept)
    yield b.step(
        both("Definition", "定义"),
        say(
            both(
                "In training every activation gets a mask {m}, drawn anew for every sample in every pass: 0 with probability p, else 1. What is kept is divided by 1 − p.",
                "训练时给每个激活值配一个掩码 {m}，每个样本、每次前向传播都重新抽取：以概率 p 取 0，否则取 1。保留下来的值再除以 1 − p。",
            ),
            m=m,
        ),
        b.line(dropped, kept),
    )
    yield b.step(
        both("The mean of the mask", "掩码的期望"),
        both(
            "E is the mean: each value times its probability, added up.", "E 表示期望：每个取值乘以它的概率，再相加。"
        ),
        b.line(mean(b, m, over), Apply("mul", (p, ZERO)) + Apply("mul", (1 - p, ONE)), 1 - p),
    )
    yield b.step(
        both("The mask alone makes activations too small", "只加掩码会使激活值偏小"),
        both(
            "The activation is no random number, so it comes out of the mean. On average the next layer would get only the share 1 − p of what it gets without dropout.",
            "激活值不是随机数，可以提到期望外面。平均而言，下一层只得到不用 dropout 时的 1 − p 倍。",
        ),
        b.line(mean(b, m * a, over), a * mean(b, m, over), (1 - p) * a),
    )
    yield b.step(
        both("Why it is divided by 1 − p", "为什么除以 1 − p"),
        both(
            "After the division the mean is the activation itself, whatever p is. So nothing has to be changed when dropout is switched off.",
            "除过之后，无论 p 取何值，期望都等于激活值本身。因此关闭 dropout 时什么都不用改。",
        ),
        b.line(mean(b, kept, over, dropped), a * mean(b, m, over) / (1 - p), a),
    )


def next_unit(b: Board) -> Iterator[Block]:
    """A unit of the next layer, on average over all four masks of its two inputs."""
    a1, a2, w1, w2, bias = (b.free(symbol) for symbol in ("a_1", "a_2", "w_1", "w_2", "b"))
    m1, m2, p = b.free("m_1", 0, 1), b.free("m_2", 0, 1), b.free("p", 0, 1)
    over = masks(b, p, m1, m2)
    train = w1 * m1 * a1 / (1 - p) + w2 * m2 * a2 / (1 - p) + bias
    z, test = b.defined("z", train), b.defined("z^test", w1 * a1 + w2 * a2 + bias)
    yield b.step(
        both("A unit of the next layer", "下一层的一个单元"),
        both(
            "With two inputs there are four masks: none kept, one, the other, both. Masks of different units are drawn independently, so probabilities are multiplied. Each case times its probability, and everything but the weighted sum without dropout cancels.",
            "两个输入有四种掩码：都不留、只留其一、只留其二、都保留。不同单元的掩码独立抽取，所以概率相乘。各情形乘以概率相加，最后只剩不用 dropout 时的加权和。",
        ),
        b.line(z, train),
        b.line(
            mean(b, train, over, z),
            p**2 * bias
            + (1 - p) * p * (w1 * a1 / (1 - p) + bias)
            + p * (1 - p) * (w2 * a2 / (1 - p) + bias)
            + (1 - p) ** 2 * (w1 * a1 / (1 - p) + w2 * a2 / (1 - p) + bias),
            w1 * a1 + w2 * a2 + bias,
        ),
    )
    yield b.step(
        both("Test time", "测试时"),
        both(
            "For validation, test and use dropout is switched off: no masks, no division. The unit then gets what it got on average in training.",
            "验证、测试和实际使用时关闭 dropout：没有掩码，也不做除法。此时单元得到的正是训练时的平均值。",
        ),
        b.line(test, w1 * a1 + w2 * a2 + bias, mean(b, train, over, z)),
    )
    older = w1 * m1 * a1 + w2 * m2 * a2 + bias
    shown = b.defined("z^old", older)
    yield b.step(
        both("The older way", "早期的做法"),
        both(
            "In the first papers the mask stands alone in training, and at test time the weights are multiplied by 1 − p. The mean is met as well, but the network must be changed for use. Dividing in training is called inverted dropout; PyTorch does it.",
            "早期论文在训练时只用掩码，测试时再把权重乘以 1 − p。这样期望同样一致，但使用前要改动网络。在训练时就做除法的方式称为 inverted dropout（反向随机失活），PyTorch 采用这种方式。",
        ),
        b.line(shown, older),
        b.line(mean(b, older, over, shown), (1 - p) * w1 * a1 + (1 - p) * w2 * a2 + bias),
    )


def spread(b: Board) -> Iterator[Block]:
    """The noise that dropout adds, and the penalty that it is on average."""
    a, m, p = b.free("a"), b.free("m", 0, 1), b.free("p", 0, 1)
    over, kept = masks(b, p, m), m * a / (1 - p)
    dropped = b.defined("ã", kept)
    yield b.step(
        both("The noise of one unit", "一个单元的噪声"),
        both(
            "A mask is its own square, since 0² = 0 and 1² = 1. The variance is the mean of the square less the square of the mean.",
            "掩码的平方就是它自己，因为 0² = 0，1² = 1。方差等于平方的期望减去期望的平方。",
        ),
        b.line(mean(b, m**2, over), mean(b, m, over), 1 - p),
        b.line(mean(b, kept**2, over, dropped**2), a**2 * mean(b, m**2, over) / (1 - p) ** 2, a**2 / (1 - p)),
        b.line(
            variance(b, kept, over, dropped),
            mean(b, kept**2, over, dropped**2) - mean(b, kept, over, dropped) ** 2,
            a**2 / (1 - p) - a**2,
            p / (1 - p) * a**2,
        ),
    )
    a1, a2, w1, w2, bias, t = (b.free(symbol) for symbol in ("a_1", "a_2", "w_1", "w_2", "b", "t"))
    m1, m2 = b.free("m_1", 0, 1), b.free("m_2", 0, 1)
    over = masks(b, p, m1, m2)
    parts = (m1 * a1 / (1 - p), m2 * a2 / (1 - p))
    one, two = b.defined("ã_1", parts[0]), b.defined("ã_2", parts[1])
    train = w1 * parts[0] + w2 * parts[1] + bias
    z = b.defined("z", train)
    noise = variance(b, train, over, z)
    yield b.step(
        both("The noise of the next unit", "下一个单元的噪声"),
        both(
            "Variances of independent terms add up, and a constant factor counts by its square. With p = 0.5 the factor is 1.",
            "相互独立的项，方差相加；常数因子以平方计入。p = 0.5 时系数为 1。",
        ),
        b.line(
            noise,
            w1**2 * variance(b, parts[0], over, one) + w2**2 * variance(b, parts[1], over, two),
            p / (1 - p) * (w1**2 * a1**2 + w2**2 * a2**2),
        ),
    )
    test = w1 * a1 + w2 * a2 + bias
    centre = mean(b, train, over, z)
    yield b.step(
        both("On average it is a penalty", "平均来看，它是一个惩罚项"),
        both(
            "For a linear output with the squared error the mean over all masks is the error without dropout plus the variance. Each squared weight is penalized in proportion to the squared activation it works on: an L2 penalty that adapts to the data.",
            "对线性输出和平方误差，在所有掩码上取平均，等于不用 dropout 时的误差加上方差。每个权重的平方按其输入激活值的平方受罚：这是一种随数据调整的 L2 惩罚。",
        ),
        b.line(
            mean(b, (train - t) ** 2, over, (z - t) ** 2),
            (centre - t) ** 2 + noise,
            (test - t) ** 2 + p / (1 - p) * (w1**2 * a1**2 + w2**2 * a2**2),
        ),
    )


def backward(b: Board) -> Iterator[Block]:
    """The gradient goes through the same mask."""
    a1, a2, w1, w2, bias, t = (b.free(symbol) for symbol in ("a_1", "a_2", "w_1", "w_2", "b", "t"))
    m1, m2, p = b.free("m_1", 0, 1), b.free("m_2", 0, 1), b.free("p", 0, 1)
    one, two = b.defined("ã_1", m1 * a1 / (1 - p)), b.defined("ã_2", m2 * a2 / (1 - p))
    z = b.defined("z", w1 * one + w2 * two + bias)

    def loss(first: Formula, second: Formula) -> Formula:
        return (w1 * first + w2 * second + bias - t) ** 2 / 2

    whole = loss(m1 * a1 / (1 - p), m2 * a2 / (1 - p))
    by_z = b.partial("L", (z - t) ** 2 / 2, z)
    by_kept = b.partial("L", loss(one, two), one)
    yield b.step(
        both("Backward: the same mask", "反向传播：同一个掩码"),
        both(
            "For one pass the mask is a constant, so the activation was multiplied by a constant and so is its gradient. The masks of the forward pass are therefore kept for the backward pass. Where a unit was dropped, nothing flows back.",
            "在一次传播中掩码是常数：激活值乘了一个常数，它的梯度也乘同一个常数。因此前向传播的掩码要保留到反向传播使用。被丢弃的单元没有梯度流回。",
        ),
        b.line(by_kept, by_z * w1),
        b.line(b.partial("L", whole, a1), by_kept * (m1 / (1 - p)), by_z * (w1 * m1 / (1 - p))),
        b.line(b.partial("L", whole, a2), by_z * (w2 * m2 / (1 - p))),
    )
    yield b.step(
        both("The weights behind it", "后面的权重"),
        both(
            "The gradient of a weight contains its input after the mask. For the weights on a dropped unit it is 0. So each step trains another, thinner network, and all of them share their weights.",
            "权重的梯度中含有掩码之后的输入。连着被丢弃单元的权重这一步梯度为 0。于是每一步训练的是另一个更稀的网络，而它们共用权重。",
        ),
        b.line(b.partial("L", whole, w1), by_z * one, by_z * (m1 * a1 / (1 - p))),
        b.line(b.partial("L", whole, w2), by_z * two, by_z * (m2 * a2 / (1 - p))),
    )


def numbers(b: Board) -> Iterator[Block]:
    a1, a2, w1, w2 = b.number("a_1", 1), b.number("a_2", 2), b.number("w_1", "0.5"), b.number("w_2", "0.2")
    bias, p = b.number("b", "0.1"), b.number("p", "0.5")
    rows, found = [], list[Name]()
    for number, (m1, m2) in enumerate(product((0, 1), repeat=2), 1):
        chance = b.defined(f"p_{number}", (p if not m1 else 1 - p) * (p if not m2 else 1 - p))
        z = b.defined(f"z_{number}", (w1 * a1 * m1 + w2 * a2 * m2) / (1 - p) + bias)
        rows.append((str(m1), str(m2), Amount(chance), Amount(z)))
        found.append(z)
    header = (b.number("m_1", 0), b.number("m_2", 0), both("probability", "概率"), b.number("z", 0))
    yield say(
        both(
            "A unit with the inputs 1 and 2, the weights 0.5 and 0.2 and the bias 0.1; p = 0.5. For each of the four masks its probability and what the unit gets:",
            "一个单元，输入 1 与 2，权重 0.5 与 0.2，偏置 0.1；p = 0.5。下面是四种掩码各自的概率，以及单元得到的值：",
        )
    )
    yield b.table(both("All masks", "全部掩码"), header, rows)
    z1, z2, z3, z4 = found
    average = b.defined(Written(Apply(E, (b.number("z", 0),))), (z1 + z2 + z3 + z4) / 4)
    distances = ((z1 - average) ** 2 + (z2 - average) ** 2 + (z3 - average) ** 2 + (z4 - average) ** 2) / 4
    yield b.step(
        both("Mean and test time", "期望与测试时"),
        both(
            "With p = 0.5 all four masks have the probability 1/4. The mean is what the unit gets at test time.",
            "p = 0.5 时四种掩码的概率都是 1/4。期望就是测试时单元得到的值。",
        ),
        b.line(average, (z1 + z2 + z3 + z4) / 4, numbers=True),
        b.line(b.defined("z^test", w1 * a1 + w2 * a2 + bias), w1 * a1 + w2 * a2 + bias, numbers=True),
    )
    yield b.step(
        both("The variance", "方差"),
        both("By its definition over the four masks, and by the formula.", "先按定义对四种掩码计算，再用公式计算。"),
        b.line(b.defined(Written(Apply(VAR, (b.number("z", 0),))), distances), distances, numbers=True),
        b.line(
            b.defined(Written(Apply(VAR, (b.number("z", 0),))), distances),
            p / (1 - p) * (w1**2 * a1**2 + w2**2 * a2**2),
            numbers=True,
        ),
    )


def picture(b: Board) -> Iterator[Block]:
    units = 20
    yield b.chart(
        both(
            "A sum of 20 equal activations with the total 1: what comes out, and how likely it is",
            "20 个相同激活值之和（总和为 1）：可能得到的值及其概率",
        ),
        both("sum after dropout", "dropout 之后的和"),
        both("probability", "概率"),
        {
            f"p = {p}": [
                (kept / units / (1 - p), comb(units, kept) * (1 - p) ** kept * p ** (units - kept))
                for kept in range(units + 1)
            ]
            for p in (0.1, 0.5)
        },
        style="dots",
    )
    counts = [round(10 ** (i / 20)) for i in range(61)]
    yield b.chart(
        both(
            "The noise of such a sum, √(p/((1 − p)n)): wide layers bear a large p",
            "这种和的噪声 √(p/((1 − p)n))：宽的层可以承受较大的 p",
        ),
        both("number of units n", "单元个数 n"),
        both("standard deviation", "标准差"),
        {f"p = {p}": [(n, sqrt(p / ((1 - p) * n))) for n in counts] for p in (0.1, 0.5, 0.8)},
        log_x=True,
    )


def scaled_by_p(b: Board) -> tuple[Formula, Formula]:
    a, m, p = b.free("a", 1, 2), b.free("m", 0, 1), b.free("p", "0.1", "0.4")
    return mean(b, m * a / p, masks(b, p, m)), a


def twice(b: Board) -> tuple[Formula, Formula]:
    a, m, p = b.free("a", 1, 2), b.free("m", 0, 1), b.free("p", 0, 1)
    return (1 - p) * a, mean(b, m * a / (1 - p), masks(b, p, m))


def left_on(b: Board) -> tuple[Formula, Formula]:
    a, p = b.free("a", 1, 2), b.free("p", 0, 1)
    return ONE * a / (1 - p), a


def through(b: Board) -> tuple[Formula, Formula]:
    a, m, p = b.free("a", 1, 2), b.free("m", 0, 1), b.free("p", "0.3", "0.6")
    return mean(b, tanh(m * a / (1 - p)), masks(b, p, m)), tanh(a)


lesson = Lesson(
    title=both("Dropout", "Dropout（丢弃法）"),
    short=both(
        "In training each unit is dropped with probability p and the others are divided by 1 − p, so that the mean stays what it is at test time.",
        "训练时每个单元以概率 p 被丢弃，其余的除以 1 − p，使期望与测试时一致。",
    ),
    chapter="regularization",
    position=4,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "A unit cannot rely on one particular other unit, which may be missing in any step. It has to learn something that is useful with many partners, and the network overfits less.",
            "任何一个单元都可能在某一步缺席，所以别的单元不能只依赖它，而要学到与许多伙伴搭配都有用的东西，过拟合也就减轻了。",
        ),
        both(
            "Dropout is used where a network has more parameters than its data need: after wide linear layers with p = 0.5, on inputs or in attention with p around 0.1. The training loss is then noisier and often higher than the test loss; that is as it should be.",
            "网络参数多于数据所需时使用 dropout：宽的线性层之后常取 p = 0.5，对输入或在注意力中常取 0.1 左右。这时训练损失波动较大，常常比测试损失还高，这是正常现象。",
        ),
        both(
            "Through a nonlinearity the mean no longer passes exactly, so the test output is only close to the mean of all thinned networks. In practice this is good enough.",
            "经过非线性之后期望不再精确相等，测试输出只是接近所有稀疏子网络的平均。实践中这已足够好。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Dropout stays on at test time.", "测试时仍开着 dropout。"),
            both(
                "Then outputs are random. In PyTorch model.eval() switches it off and model.train() on again.",
                "那样输出是随机的。PyTorch 中用 model.eval() 关闭，用 model.train() 重新打开。",
            ),
            left_on,
        ),
        Mistake(
            both("What is kept is divided by p.", "保留的值除以 p。"),
            both(
                "By 1 − p, the probability of being kept. PyTorch's p is the probability of being dropped; in the first papers p is that of being kept.",
                "应除以保留概率 1 − p。PyTorch 的 p 是丢弃概率；早期论文里的 p 是保留概率。",
            ),
            scaled_by_p,
        ),
        Mistake(
            both("At test time activations are multiplied by 1 − p.", "测试时把激活值乘以 1 − p。"),
            both(
                "Only if they were not divided by it in training. Both together are too small.",
                "只有训练时没有除以 1 − p 才这样做。两者都做，结果就偏小了。",
            ),
            twice,
        ),
        Mistake(
            both("The test output is the mean of all thinned networks.", "测试输出就是所有稀疏子网络的平均。"),
            both(
                "For the weighted sum it is. After a nonlinearity it is an approximation.",
                "对加权和来说是。经过非线性之后只是近似。",
            ),
            through,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 4}
  - relu
  - dropout: {p: 0.5}
  - linear: {out: 1}
  - sigmoid
loss: bce
mode: train
""",
    see=("l2", "batch_norm", "forward_pass", "backprop_equations"),
)

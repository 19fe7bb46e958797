"""Kaiming's initialization: ReLU halves the mean square, so the weights' variance is doubled."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Apply, Formula, Name, Written, bind, formula, sqrt
from derive.initializers import GAINS, KAIMING_BOUND, KAIMING_STD, below, fan, g
from derive.lessons._chance import VAR, Outcomes, either_sign, mean, some, together, variance
from derive.lessons._depth import WIDTH, journey
from derive.measuring import kept
from derive.ops.activations import leaky_relu, relu
from derive.ops.base import Elementwise

op = relu()
assert isinstance(op, Elementwise)
ReLU, ReLU_prime = op.function, op.derivative()


def derivation(b: Board) -> Iterator[Block]:
    yield from half(b)
    yield from layer(b)
    yield from back(b)
    yield from modes(b)
    yield from leaky(b)
    yield from uniform(b)


def symmetric(b: Board, z: Name) -> tuple[Outcomes, Name, Name]:
    """z is ±p or ±q, all four equally likely."""
    p, q = b.number("p", abs(some(b))), b.number("q", abs(some(b)))
    return either_sign(z, b.value(p), b.value(q)), p, q


def half(b: Board) -> Iterator[Block]:
    z = b.free("z")
    outcomes, p, q = symmetric(b, z)
    a = Apply(ReLU, (z,))
    square, rectified = mean(b, z**2, outcomes), mean(b, a**2, outcomes)
    yield b.step(
        both("A sum is symmetric", "加权和是对称的"),
        both(
            "The weights are as likely with the other sign and the biases are 0, so the sum z is as likely as −z. As an example let z be p, −p, q or −q (p and q positive), each in a quarter of all cases; its mean square is written out.",
            "权重取相反符号的可能性相同，偏置为 0，所以加权和 z 与 −z 同样可能。作为例子，设 z 取 p、−p、q、−q（p、q 为正），各占四分之一；写出它的均方值。",
        ),
        b.line(square, (p**2 + (-p) ** 2 + q**2 + (-q) ** 2) / 4, (p**2 + q**2) / 2),
    )
    yield b.step(
        both("ReLU keeps one half", "ReLU 留下一半"),
        both(
            "Of every pair ReLU keeps the positive one and makes the other 0. What is left of the sum of squares is one half, whatever the pairs are "
            "and however many: that holds for every symmetric distribution.",
            "每一对里 ReLU 保留正的，把另一个变成 0。平方和剩下一半，不论这些对取什么值、有多少对：任何对称分布都如此。",
        ),
        b.line(rectified, (p**2 + kept(0) + q**2 + kept(0)) / 4, square / 2),
    )
    yield b.step(
        both("The mean square, not the variance", "是均方值，不是方差"),
        both(
            "The outputs of ReLU are never negative, so their mean is not 0 and their variance is less than half. The next layer multiplies the mean "
            "square, as the lesson on variances shows; so it is the mean square that counts.",
            "ReLU 的输出不为负，均值不是 0，方差比一半还小。下一层乘的是均方值（见关于方差的一课），所以要看的是均方值。",
        ),
        b.line(mean(b, a, outcomes), (p + q) / 4),
        b.line(variance(b, a, outcomes), rectified - mean(b, a, outcomes) ** 2),
    )


def layer(b: Board) -> Iterator[Block]:
    n = b.number("n_in", 2)
    z = [b.free(f"z_{k}") for k in (1, 2)]
    sizes = abs(some(b)), abs(some(b))
    w = [b.free(f"w_{k}") for k in (1, 2)]
    one = b.free("w")
    z_now, z_before = b.free("z^(l)"), b.free("z^(l−1)")
    before = [either_sign(unit, *sizes) for unit in z]
    strength = abs(some(b)), abs(some(b))
    weights = [either_sign(weight, *strength) for weight in w]
    var = variance(b, one, either_sign(one, *strength))
    sum_ = w[0] * Apply(ReLU, (z[0],)) + w[1] * Apply(ReLU, (z[1],))
    after = mean(b, sum_**2, together(*before, *weights), shown=z_now**2)
    square = mean(b, z[0] ** 2, before[0], shown=z_before**2)
    rectified = mean(b, Apply(ReLU, (z[0],)) ** 2, before[0], shown=Apply(ReLU, (z_before,)) ** 2)
    yield b.step(
        both("From layer to layer", "从一层到下一层"),
        both(
            "The inputs of a layer are the outputs of ReLU behind the layer before. The number of inputs times the variance of the weights multiplies their mean "
            "square, and ReLU has halved it. Here a unit with two inputs; the left side goes through all outcomes.",
            "一层的输入是前一层经过 ReLU 的输出。均方值乘以输入个数与权重方差之积，而 ReLU 已把它减半。这里取有两个输入的单元；左边遍历所有可能的结果。",
        ),
        b.line(after, n * var * rectified, n * var * square / 2),
    )
    into = b.free("n_in", 2, 9)
    v = b.defined(Written(Apply(VAR, (one,))), 2 / into)
    here: dict[Name, Formula] = {g: GAINS["relu"], fan: into}
    yield b.step(
        both("Kaiming's variance", "Kaiming 的方差"),
        both(
            "The size stays where half the number of inputs times the variance is 1. So the variance is twice as large as without ReLU, and the standard deviation "
            "has the gain √2: Kaiming He and others (2015), kaiming_normal.",
            "输入个数的一半乘以方差等于 1 时，大小不变。所以方差是不用 ReLU 时的两倍，标准差的增益是 √2：何恺明等人（2015），即 kaiming_normal。",
        ),
        b.line(into * v / 2, 1),
        b.line(v, 2 / into),
        b.line(b.defined("std", sqrt(v)), sqrt(v), bind(KAIMING_STD, here)),
    )


def back(b: Board) -> Iterator[Block]:
    n = b.number("n_out", 2)
    z, one = b.free("z"), b.free("w")
    δ = [b.number(f"δ_{j}", some(b)) for j in (1, 2)]
    w = [b.free(f"w_{j}") for j in (1, 2)]
    sizes, strength = (abs(some(b)), abs(some(b))), (abs(some(b)), abs(some(b)))
    of_z = either_sign(z, *sizes)
    weights = [either_sign(weight, *strength) for weight in w]
    slope = Apply(ReLU_prime, (z,))
    earlier, later = b.free("δ^(l)"), b.free("δ^(l+1)")
    square = mean(b, (δ[0] ** 2 + δ[1] ** 2) / 2, [({}, 1)], shown=later**2)
    found = mean(b, ((w[0] * δ[0] + w[1] * δ[1]) * slope) ** 2, together(of_z, *weights), shown=earlier**2)
    var = variance(b, one, either_sign(one, *strength))
    yield b.step(
        both("Backward", "反向"),
        both(
            "Going back, the slope of ReLU is 1 for one half of the units and 0 for the other, so it halves the mean square too. The sum runs over the units "
            "behind, so their number takes the place of the number of inputs. As before, the δ are taken as independent of what they are multiplied by.",
            "往回走时，ReLU 的导数在一半单元上是 1，在另一半上是 0，所以均方值同样减半。这时对后面的单元求和，单元个数取代了输入个数。和前面一样，把 δ 看作与所乘的量独立。",
        ),
        b.line(mean(b, slope**2, of_z), formula("1/2")),
        b.line(found, n * var * mean(b, slope**2, of_z) * square, n * var * square / 2),
    )


def modes(b: Board) -> Iterator[Block]:
    widths = [b.free(f"n_{i}", 2, 9) for i in range(4)]
    v = [b.defined(f"v_{i + 1}", 2 / widths[i]) for i in range(3)]
    factors = [widths[i + 1] * v[i] / 2 for i in range(3)]
    yield b.step(
        both("fan_in or fan_out", "fan_in 还是 fan_out"),
        both(
            "With fan_in the signals keep their size, with fan_out the gradients. One is enough: with fan_in in three layers the mean square of the gradient changes by one factor per layer, and in their product all widths cancel but the first and the last. It does not grow with depth. v is the variance of "
            "the weights of a layer.",
            "用 fan_in 时信号大小不变，用 fan_out 时梯度大小不变。满足一个就够：三层都用 fan_in，梯度的均方值每层乘一个因子，乘积里除首尾外各层宽度都消去，不随深度增长。v 是一层权重的方差。",
        ),
        *(b.line(v[i], 2 / widths[i]) for i in range(3)),
        b.line(
            factors[0] * factors[1] * factors[2],
            (widths[1] / widths[0]) * (widths[2] / widths[1]) * (widths[3] / widths[2]),
            widths[3] / widths[0],
        ),
    )


def leaky(b: Board) -> Iterator[Block]:
    tenths = Fraction(b.random.randint(1, 5), 10)
    α = b.number("α", tenths)
    bent = leaky_relu(negative_slope=tenths)
    assert isinstance(bent, Elementwise)
    z = b.free("z")
    outcomes, p, q = symmetric(b, z)
    square = mean(b, z**2, outcomes)
    n = b.free("n_in", 2, 9)
    v = b.defined(Written(Apply(VAR, (b.free("w"),))), 2 / ((1 + α**2) * n))
    here: dict[Name, Formula] = {g: bind(GAINS["leaky_relu"], {below: α}), fan: n}
    yield b.step(
        both("Leaky ReLU", "Leaky ReLU（带泄漏的 ReLU）"),
        both(
            "With the slope α below 0 the negative half is not lost but counts with α squared. The gain follows in the same way; α = 0 is ReLU, and α = 1 is "
            "no activation at all.",
            "0 以下导数为 α 时，负的一半没有丢掉，而是乘以 α 的平方计入。增益同样推出；α = 0 就是 ReLU，α = 1 相当于没有激活函数。",
        ),
        b.line(
            mean(b, Apply(bent.function, (z,)) ** 2, outcomes),
            (p**2 + α**2 * p**2 + q**2 + α**2 * q**2) / 4,
            (1 + α**2) / 2 * square,
        ),
        b.line(n * v * (1 + α**2) / 2, 1),
        b.line(v, 2 / ((1 + α**2) * n)),
        b.line(b.defined("std", sqrt(v)), sqrt(v), bind(KAIMING_STD, here)),
    )


def uniform(b: Board) -> Iterator[Block]:
    n, x = b.free("n_in", 2, 9), b.free("x", "0.1", "0.9")
    here: dict[Name, Formula] = {g: GAINS["relu"], fan: n}
    bound = b.defined("a", sqrt(3) * sqrt(2 / n))
    yield b.step(
        both("Uniform weights", "均匀分布的权重"),
        both(
            "Between −a and a the variance is a third of the squared bound (see Xavier's initialization; on the left a numerical integral). So the bound is √3 "
            "times the standard deviation: kaiming_uniform.",
            "在 −a 与 a 之间，方差是边界平方的三分之一（见 Xavier 初始化；左边是数值积分）。所以边界是标准差的 √3 倍：kaiming_uniform。",
        ),
        b.line(b.average(Written(Apply(VAR, (b.free("w"),))), x**2, x, -bound, bound), bound**2 / 3, 2 / n),
        b.line(bound, sqrt(3) * sqrt(2 / n), bind(KAIMING_BOUND, here)),
    )
    α = b.defined("α", sqrt(5))
    gain = bind(GAINS["leaky_relu"], {below: α})
    standard = bind(KAIMING_BOUND, {g: gain, fan: n})
    yield b.step(
        both("What PyTorch's Linear does by itself", "PyTorch 的 Linear 默认怎么做"),
        both(
            "It calls kaiming_uniform with α = √5, which comes to a bound of one over the root of the number of inputs. The variance is then 1/(3n): a sixth of what ReLU "
            "needs.",
            "它调用 kaiming_uniform，取 α = √5，边界恰好等于输入个数的平方根的倒数。这时方差是 1/(3n)：只有 ReLU 所需的六分之一。",
        ),
        b.line(b.defined("a", standard), standard, sqrt(3) * sqrt(2 / (kept(1) + kept(5))) / sqrt(n), 1 / sqrt(n)),
        b.line((1 / sqrt(n)) ** 2 / 3, 1 / (3 * n), formula("1/6") * (2 / n)),
    )


def numbers(b: Board) -> Iterator[Block]:
    lines = []
    for into in (3, 784):
        n = b.number("n_in", into)
        here: dict[Name, Formula] = {g: GAINS["relu"], fan: n}
        for symbol, scale in (("std", KAIMING_STD), ("a", KAIMING_BOUND)):
            f = bind(scale, here)
            lines.append(b.line(b.defined(symbol, f), f, numbers=True))
    yield b.step(
        both("Layers with 3 and with 784 inputs", "3 个输入和 784 个输入的层"),
        both("std is for normal weights, a is the bound for uniform ones.", "std 用于正态分布，a 是均匀分布的边界。"),
        *lines,
    )
    k, ten = b.number("k", "1/2"), b.number("L", 10)
    yield b.step(
        both("Ten ReLU layers with the variance 1/n", "方差为 1/n 的十个 ReLU 层"),
        both("Without Kaiming's factor 2, half is lost in every layer.", "少了 Kaiming 的因子 2，每层丢掉一半。"),
        b.line(b.defined("K", k**ten), k**ten, numbers=True),
    )
    yield b.table(
        both("Which initializer for which activation", "哪种激活函数配哪种初始化"),
        (both("activation behind the layer", "该层之后的激活函数"), both("init in net.yaml", "net.yaml 中的 init")),
        (
            ("relu", "{kaiming_normal: {nonlinearity: relu}}"),
            ("leaky_relu", "{kaiming_normal: {a: 0.01}}"),
            ("tanh", "{xavier_normal: {gain: 5/3}}"),
            (both("sigmoid, softmax, none", "sigmoid、softmax、无"), "xavier_normal"),
            ("selu", "{kaiming_normal: {nonlinearity: linear}}"),
        ),
    )


def picture(b: Board) -> Iterator[Block]:
    cases = (("Kaiming, 2/n", 2.0), ("Xavier, 1/n", 1.0), ("PyTorch, 1/(3n)", 1 / 3), ("4/n", 4.0))
    found = {name: journey(ReLU, ReLU_prime, factor) for name, factor in cases}
    yield b.chart(
        both(
            f"ReLU layers of n = {WIDTH} units, weights of the given variance: the mean square of the sums",
            f"每层 n = {WIDTH} 个单元的 ReLU 网络，图例为权重方差：加权和的均方值",
        ),
        both("layer", "层"),
        "",
        {name: j.forward for name, j in found.items()},
        log_y=True,
    )
    yield b.chart(
        both("The same layers: the mean square of the gradient", "同样的网络：梯度的均方值"),
        both("layers back from the output", "从输出往回的层数"),
        "",
        {name: j.backward for name, j in found.items()},
        log_y=True,
    )


def half_variance(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z")
    outcomes, _, _ = symmetric(b, z)
    return variance(b, z, outcomes) / 2, variance(b, Apply(ReLU, (z,)), outcomes)


def plain_xavier(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z")
    outcomes, _, _ = symmetric(b, z)
    return mean(b, Apply(ReLU, (z,)) ** 2, outcomes), mean(b, z**2, outcomes)


lesson = Lesson(
    title=both("Kaiming initialization", "Kaiming 初始化"),
    short=both(
        "Var(w) = 2/fan_in: ReLU halves the mean square of what goes through it, and the 2 makes up for that.",
        "Var(w) = 2/fan_in：ReLU 使通过它的信号均方值减半，因子 2 正好补上。",
    ),
    chapter="initialization",
    position=4,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "With ReLU in twenty layers of equal width, Xavier's weights leave less than a millionth of the signal's mean square; Kaiming's keep it.",
            "二十层等宽的 ReLU 网络用 Xavier 权重，信号的均方值剩下不到百万分之一；用 Kaiming 权重则保持不变。",
        ),
        both(
            "The rule of thumb: sigmoid and tanh with Xavier, ReLU and its relatives with Kaiming, biases 0.",
            "经验法则：sigmoid 和 tanh 用 Xavier，ReLU 一类用 Kaiming，偏置取 0。",
        ),
    ),
    mistakes=(
        Mistake(
            both("ReLU halves the variance.", "ReLU 使方差减半。"),
            both(
                "It halves the mean square; the variance becomes smaller still, as the mean is no longer 0.",
                "减半的是均方值；方差更小，因为均值不再是 0。",
            ),
            half_variance,
        ),
        Mistake(
            both("Xavier's weights do as well with ReLU.", "ReLU 用 Xavier 权重也一样。"),
            both("Half of the mean square is missing after every layer.", "每过一层，均方值就少一半。"),
            plain_xavier,
        ),
        Mistake(
            both("PyTorch's kaiming_normal_ knows that ReLU follows.", "PyTorch 的 kaiming_normal_ 知道后面是 ReLU。"),
            both(
                "Its default is leaky_relu with α = 0, which gives the same gain √2; for another activation it has to be told.",
                "它默认 leaky_relu 且 α = 0，增益同为 √2；别的激活函数要另行指定。",
            ),
        ),
    ),
    network="""
inputs: {randn: [5, 3]}
targets: [0, 1, 1, 0, 1]
seed: 66
layers:
  - linear: {out: 3, init: {kaiming_normal: {nonlinearity: relu}}, bias: zeros}
  - relu
  - linear: {out: 2, init: xavier_normal, bias: zeros}
  - softmax
loss: cross_entropy
""",
    see=("variance_propagation", "xavier", "symmetry", "vanishing_gradients", "relu", "leaky_relu"),
)

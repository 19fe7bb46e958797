"""Xavier's initialization: signals forward and gradients backward keep their size."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Apply, Formula, Name, Written, bind, formula, sqrt
from derive.initializers import GAINS, XAVIER_BOUND, XAVIER_STD, g, n_in, n_out
from derive.lessons._chance import VAR, either_sign, mean, some, together, variance
from derive.lessons._depth import WIDTH, journey
from derive.ops.activations import sigmoid, tanh
from derive.ops.base import Elementwise

op, s_op = tanh(), sigmoid()
assert isinstance(op, Elementwise) and isinstance(s_op, Elementwise)
th, th_prime, σ, σ_prime = op.function, op.derivative(), s_op.function, s_op.derivative()


def derivation(b: Board) -> Iterator[Block]:
    into, out = b.number("n_in", 2), b.number("n_out", 3)
    sizes = abs(some(b)), abs(some(b))
    W = [[b.free(f"w_{j}{k}") for k in (1, 2)] for j in (1, 2, 3)]
    x = [b.number(f"x_{k}", some(b)) for k in (1, 2)]
    δ = [b.number(f"δ_{j}", some(b)) for j in (1, 2, 3)]
    w = b.free("w")
    var = variance(b, w, either_sign(w, *sizes))
    x2, δ2 = b.free("x"), b.free("δ")
    forward = W[0][0] * x[0] + W[0][1] * x[1]
    mean_x = mean(b, (x[0] ** 2 + x[1] ** 2) / 2, [({}, 1)], shown=x2**2)
    yield b.step(
        both("Forward", "前向"),
        both(
            "A unit adds up the products of its inputs with weights of mean 0. As the lesson on variances derives, the mean square of its sum is that of the "
            "inputs, times the number of inputs, times the variance of the weights. Here the layer has two inputs and three units.",
            "单元把输入与均值为 0 的权重相乘再求和。关于方差的一课已经推出：加权和的均方值，等于输入的均方值乘以输入个数，再乘以权重的方差。"
            "这里取两个输入、三个单元。",
        ),
        b.line(b.defined("z_1", forward), forward),
        b.line(
            mean(b, forward**2, together(*(either_sign(v, *sizes) for v in W[0])), shown=b.free("z") ** 2),
            into * var * mean_x,
        ),
    )
    backward = W[0][0] * δ[0] + W[1][0] * δ[1] + W[2][0] * δ[2]
    mean_δ = mean(b, (δ[0] ** 2 + δ[1] ** 2 + δ[2] ** 2) / 3, [({}, 1)], shown=δ2**2)
    column = [row[0] for row in W]
    G = b.free("G")
    yield b.step(
        both("Backward", "反向"),
        both(
            "Going back, an input adds up the δ of all units it leads to, over a column of the weights instead of a row; G is the slope of the loss with respect to an input. "
            "The calculation is the same, with the number of units in the place of the number of inputs. The δ are taken as independent of these "
            "weights, which at the start of training is nearly so.",
            "往回走时，每个输入把它通向的所有单元的 δ 加起来，用的是权重的一列而不是一行；G 是损失对输入的偏导数。"
            "计算完全相同，只是输入个数换成单元个数。这里把 δ 看作与这些权重独立，训练开始时近似如此。",
        ),
        b.line(b.defined("G_1", backward), backward),
        b.line(
            mean(b, backward**2, together(*(either_sign(v, *sizes) for v in column)), shown=G**2), out * var * mean_δ
        ),
    )
    yield from compromise(b)
    yield from distributions(b)
    yield from activation(b)


def compromise(b: Board) -> Iterator[Block]:
    into, out = b.free("n_in", 2, 9), b.free("n_out", 10, 20)
    v = b.defined(Written(Apply(VAR, (b.free("w"),))), 2 / (into + out))
    one, other = b.defined("v_in", 1 / into), b.defined("v_out", 1 / out)
    yield b.step(
        both("Two wishes", "两个要求"),
        both(
            "The signals keep their size with the first variance, the gradients with the second. Only a layer with as many units as inputs can have both.",
            "信号大小不变要求第一个方差，梯度大小不变要求第二个。只有单元数等于输入数的层才能两全。",
        ),
        b.line(into * one, 1),
        b.line(out * other, 1),
    )
    yield b.step(
        both("The compromise", "折中"),
        both(
            "Xavier Glorot and Yoshua Bengio (2010) put the mean of the two numbers in their place.",
            "Xavier Glorot 和 Yoshua Bengio（2010）取这两个数的平均值来代替它们。",
        ),
        b.line(v, 1 / ((into + out) / 2), 2 / (into + out)),
    )
    yield b.step(
        both("What is left of the two wishes", "两个要求各满足了多少"),
        both(
            "The two factors of a layer now add up to 2: what one exceeds 1 by, the other falls short of it. With equal numbers both are 1.",
            "这时一层的两个因子之和为 2：一个超过 1 多少，另一个就不足 1 多少。两数相等时都是 1。",
        ),
        b.line(into * v, 2 * into / (into + out)),
        b.line(out * v, 2 * out / (into + out)),
        b.line(into * v + out * v, 2),
    )


def distributions(b: Board) -> Iterator[Block]:
    into, out = b.free("n_in", 2, 9), b.free("n_out", 10, 20)
    w = b.free("w")
    v = b.defined(Written(Apply(VAR, (w,))), 2 / (into + out))
    here: dict[Name, Formula] = {g: formula(1), n_in: into, n_out: out}
    yield b.step(
        both("Normal weights", "正态分布的权重"),
        both(
            "A normal distribution is drawn with the standard deviation, the root of the variance: this is xavier_normal.",
            "正态分布按标准差抽取，即方差的平方根：这就是 xavier_normal。",
        ),
        b.line(b.defined("std", sqrt(v)), sqrt(v), bind(XAVIER_STD, here)),
    )
    a = b.free("a", 1, 2)
    x = b.free("x", "0.1", "0.9")
    uniform = b.average(Written(Apply(VAR, (w,))), x**2, x, -a, a)
    yield b.step(
        both("Uniform weights: the variance", "均匀分布的权重：方差"),
        both(
            "Every number between −a and a is equally likely, with the density 1/(2a). The mean square is an integral; the antiderivative, the function with this slope, is taken at both ends. On the left of the second line stands a numerical integral.",
            "−a 与 a 之间每个数同样可能，密度为 1/(2a)。均方值是一个积分；求出被积函数的原函数，代入两端相减。第二行左边是数值积分。",
        ),
        b.line(b.slope(x**3 / (6 * a), x), x**2 / (2 * a)),
        b.line(uniform, a**3 / (6 * a) - (-a) ** 3 / (6 * a), a**2 / 3),
    )
    bound = b.defined("a", sqrt(3 * v))
    yield b.step(
        both("Uniform weights: the bound", "均匀分布的权重：边界"),
        both(
            "A third of the squared bound has to be Xavier's variance. Solved for the bound, this is xavier_uniform.",
            "边界平方的三分之一要等于 Xavier 的方差。解出边界，就是 xavier_uniform。",
        ),
        b.line(bound**2 / 3, 2 / (into + out)),
        b.line(bound, sqrt(3) * sqrt(2 / (into + out)), sqrt(6) / sqrt(into + out), bind(XAVIER_BOUND, here)),
    )


def activation(b: Board) -> Iterator[Block]:
    zero = b.number("z", 0)
    at = [
        b.slope(Apply(function, (zero,)), zero, Written(Apply(prime, (formula(0),))))
        for function, prime in ((th, th_prime), (σ, σ_prime))
    ]
    yield b.step(
        both("The activation, and the gain", "激活函数与增益"),
        both(
            "All this is for layers that are linear. tanh nearly is where its sum is small: its slope at 0 is 1. What else an activation does to the size is met "
            "by a factor g on the standard deviation, the gain, which multiplies the variance by its square.",
            "以上都针对线性层。加权和较小时 tanh 近似线性：它在 0 处的导数是 1。激活函数对大小的其他影响，用标准差上的一个因子 g（增益）来补偿，"
            "方差相应乘以它的平方。",
        ),
        b.line(at[0], 1),
        b.line(at[1], formula("1/4")),
        b.line(*scaled(b)),
    )


def scaled(b: Board) -> tuple[Name, Formula]:
    w, gain = b.free("w"), b.free("g", 1, 2)
    sizes = either_sign(w, abs(some(b)), abs(some(b)))
    return variance(b, gain * w, sizes), gain**2 * variance(b, w, sizes)


def numbers(b: Board) -> Iterator[Block]:
    lines = []
    for into, out in ((3, 3), (3, 2), (784, 128)):
        i, o = b.number("n_in", into), b.number("n_out", out)
        here: dict[Name, Formula] = {g: formula(1), n_in: i, n_out: o}
        for symbol, scale in (("std", XAVIER_STD), ("a", XAVIER_BOUND)):
            f = bind(scale, here)
            lines.append(b.line(b.defined(symbol, f), f, numbers=True))
    yield b.step(
        both("Standard deviation and bound of three layers", "三个层的标准差与边界"),
        both(
            "From 3 inputs to 3 units, from 3 to 2, and from 784 to 128; std is for normal, a for uniform weights.",
            "3 个输入到 3 个单元，3 到 2，784 到 128；std 用于正态分布，a 用于均匀分布。",
        ),
        *lines,
    )
    yield b.table(
        both("Gains that PyTorch recommends", "PyTorch 推荐的增益"),
        (both("activation", "激活函数"), both("gain g", "增益 g")),
        [(name, f) for name, f in GAINS.items()],
    )


def picture(b: Board) -> Iterator[Block]:
    factors = {"0.5/n": 0.5, "1/n (Xavier)": 1.0, "2.8/n (g = 5/3)": 25 / 9}
    found = {name: journey(th, th_prime, factor) for name, factor in factors.items()}
    for title, which in (
        (
            both(
                f"tanh layers of n = {WIDTH} units, weights of the given variance: the mean square of the sums",
                f"每层 n = {WIDTH} 个单元的 tanh 网络，图例为权重方差：加权和的均方值",
            ),
            "forward",
        ),
        (both("The same layers: the mean square of the gradient", "同样的网络：梯度的均方值"), "backward"),
    ):
        across = both("layer", "层") if which == "forward" else both("layers back from the output", "从输出往回的层数")
        yield b.chart(title, across, "", {name: getattr(j, which) for name, j in found.items()}, log_y=True)


def not_variance(b: Board) -> tuple[Formula, Formula]:
    into, out = b.number("n_in", 3), b.number("n_out", 2)
    return 2 / (into + out), sqrt(2 / (into + out))


def same_bound(b: Board) -> tuple[Formula, Formula]:
    a = b.free("a", 1, 2)
    x = b.free("x")
    return a, sqrt(b.average("v", x**2, x, -a, a))


def sigmoid_too(b: Board) -> tuple[Formula, Formula]:
    zero = b.number("z", 0)
    return b.slope(Apply(σ, (zero,)), zero) ** 2, formula(1)


lesson = Lesson(
    title=both("Xavier initialization", "Xavier 初始化"),
    short=both(
        "Var(w) = 2/(fan_in + fan_out): between what signals and what gradients need. Uniform within ±√6/√(fan_in + fan_out).",
        "Var(w) = 2/(fan_in + fan_out)：信号与梯度两种要求的折中。均匀分布取 ±√6/√(fan_in + fan_out)。",
    ),
    chapter="initialization",
    position=3,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "It is the usual choice for layers with tanh, sigmoid or no activation, and for the last layer before a softmax. With ReLU Kaiming's is used.",
            "用 tanh、sigmoid 或不用激活函数的层，以及 softmax 之前的最后一层，通常选它。用 ReLU 时选 Kaiming 初始化。",
        ),
        both(
            "fan_in is the number of inputs of a layer, fan_out that of its units; in PyTorch's weight they are its columns and its rows.",
            "fan_in 是层的输入个数，fan_out 是单元个数；在 PyTorch 的权重里分别是列数和行数。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The standard deviation is 2/(fan_in + fan_out).", "标准差是 2/(fan_in + fan_out)。"),
            both("That is the variance; the standard deviation is its root.", "那是方差；标准差是它的平方根。"),
            not_variance,
        ),
        Mistake(
            both("Uniform weights reach as far as the standard deviation.", "均匀分布的边界就是标准差。"),
            both("The bound is √3 times the standard deviation.", "边界是标准差的 √3 倍。"),
            same_bound,
        ),
        Mistake(
            both(
                "With Xavier's weights a deep sigmoid network keeps its gradients.",
                "用 Xavier 权重，深层 sigmoid 网络的梯度就能保持。",
            ),
            both(
                "The derivation needs the slope 1 at 0. The sigmoid has ¼ there, so with equal widths every layer leaves at most a sixteenth of the gradient's mean square.",
                "推导要求在 0 处导数为 1。sigmoid 是 ¼，所以各层等宽时，每层之后梯度的均方值至多剩十六分之一。",
            ),
            sigmoid_too,
        ),
    ),
    network="""
inputs: {randn: [5, 3]}
targets: [0, 1, 1, 0, 1]
seed: 66
layers:
  - linear: {out: 3, init: {xavier_normal: {gain: 5/3}}, bias: zeros}
  - tanh
  - linear: {out: 2, init: xavier_uniform, bias: zeros}
  - softmax
loss: cross_entropy
""",
    see=("variance_propagation", "kaiming", "symmetry", "vanishing_gradients", "tanh", "sigmoid"),
)

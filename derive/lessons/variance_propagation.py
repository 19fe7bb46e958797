"""How the size of signals changes from layer to layer."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, sqrt
from derive.language import Both
from derive.lessons._chance import Outcomes, any_values, either_sign, mean, some, together, variance
from derive.lessons._depth import DEPTH, WIDTH, journey
from derive.ops.activations import identity
from derive.ops.base import Elementwise

op = identity()
assert isinstance(op, Elementwise)
linear, slope = op.function, op.derivative()


def derivation(b: Board) -> Iterator[Block]:
    yield from tools(b)
    yield from one_unit(b)
    yield from layers(b)


def tools(b: Board) -> Iterator[Block]:
    X, Y = b.free("X"), b.free("Y")
    of_x, of_y = any_values(b, X), any_values(b, Y)
    all_ = together(of_x, of_y)
    EX, EY, EXX = mean(b, X, of_x), mean(b, Y, of_y), mean(b, X**2, of_x)
    var_x, var_y = variance(b, X, of_x), variance(b, Y, of_y)
    yield b.step(
        both("Mean and variance", "均值与方差"),
        both(
            "E is the mean over all outcomes, the variance is the mean squared distance from it. The square is multiplied out; the mean of a sum "
            "is the sum of the means, and E(X) is a number that may be taken out. Where the mean is 0, the variance is the mean square.",
            "E 表示对所有可能结果取均值，方差是到均值的距离平方的均值。把平方展开；和的均值等于均值的和，E(X) 是常数，可以提出来。"
            "均值为 0 时，方差就是均方值。",
        ),
        b.line(
            var_x,
            mean(b, (X - EX) ** 2, of_x),
            EXX - 2 * EX * EX + EX**2,
            EXX - EX**2,
        ),
    )
    EXY = mean(b, X * Y, all_)
    yield b.step(
        both("A sum of independent quantities", "独立量之和"),
        both(
            "If X and Y are independent, the mean of their product is the product of their means. So the middle term is 0, and the variances are added.",
            "X 与 Y 独立时，乘积的均值等于均值的乘积。所以中间一项为 0，方差相加。",
        ),
        b.line(EXY, EX * EY),
        b.line(variance(b, X + Y, all_), var_x + 2 * (EXY - EX * EY) + var_y, var_x + var_y),
    )
    W = b.free("W")
    of_w = either_sign(W, abs(some(b)), abs(some(b)))
    both_ = together(of_w, of_x)
    EW, EWW, var_w = mean(b, W, of_w), mean(b, W**2, of_w), variance(b, W, of_w)
    yield b.step(
        both("A product with a weight of mean 0", "与均值为 0 的权重相乘"),
        both(
            "Initial weights are drawn with mean 0 and independently of the inputs. Then the product has mean 0, and its variance is the variance of the "
            "weight times the mean square of the input. The input's own mean need not be 0.",
            "初始权重的均值取 0，且与输入独立。于是乘积的均值为 0，方差等于权重的方差乘以输入的均方值。输入本身的均值不必为 0。",
        ),
        b.line(EW, 0),
        b.line(mean(b, W * X, both_), EW * EX, 0),
        b.line(variance(b, W * X, both_), mean(b, W**2 * X**2, both_), EWW * EXX, var_w * EXX),
    )


def one_unit(b: Board) -> Iterator[Block]:
    x1, x2, w, w1, w2 = (b.free(s) for s in ("x_1", "x_2", "w", "w_1", "w_2"))
    p, q = some(b), some(b)
    sizes = abs(some(b)), abs(some(b))
    x: Outcomes = [
        ({x1: p, x2: q}, Fraction(1, 4)),
        ({x1: q, x2: p}, Fraction(1, 4)),
        ({x1: p, x2: p}, Fraction(1, 2)),
    ]
    all_ = together(x, either_sign(w1, *sizes), either_sign(w2, *sizes))
    z, sum_ = b.free("z"), w1 * x1 + w2 * x2
    var_w = variance(b, w, either_sign(w, *sizes))
    n = b.number("n", 2)
    square = mean(b, x1**2, x)
    shown = mean(b, x1**2, x, shown=b.free("x") ** 2)
    yield b.step(
        both("One unit: the sum", "一个单元：加权和"),
        both(
            "A unit with two inputs and no bias. Its sum has mean 0, because every weight has.",
            "一个有两个输入、不设偏置的单元。每个权重均值为 0，加权和的均值也就是 0。",
        ),
        b.line(b.defined("z", sum_), sum_),
        b.line(mean(b, sum_, all_, shown=z), 0),
    )
    cross = mean(b, w1 * x1 * w2 * x2, all_)
    yield b.step(
        both("The products do not mix", "交叉项为零"),
        both(
            "The inputs may depend on one another, as pixels of a picture do. Still the mean of the mixed term is 0, because the two weights are independent of "
            "all else and have mean 0.",
            "输入之间可以相关，就像图像里的像素。但交叉项的均值仍为 0，因为两个权重与其他量都独立，且均值为 0。",
        ),
        b.line(
            cross,
            mean(b, w1, all_) * mean(b, w2, all_) * mean(b, x1 * x2, x),
            0,
        ),
    )
    yield b.step(
        both("n inputs", "n 个输入"),
        both(
            "The mean square of the sum is added up from its terms. With n inputs that all have the same mean square it is n times as large as one "
            "term; here n is 2, and every further input adds one more equal term.",
            "加权和的均方值由各项相加。n 个输入的均方值都相同时，就是一项的 n 倍；这里 n 为 2，每多一个输入就多一个相等的项。",
        ),
        b.line(
            mean(b, sum_**2, all_, shown=z**2),
            var_w * square + 2 * cross + var_w * mean(b, x2**2, x),
            n * var_w * shown,
        ),
    )


def layers(b: Board) -> Iterator[Block]:
    """Two linear layers of two units, all weights of one size with either sign."""
    x = [b.number(f"x_{k}", some(b)) for k in (1, 2)]
    size = abs(some(b))
    W = [[b.free(f"w_{j}{k}") for k in (1, 2)] for j in (1, 2)]
    v = [b.free(f"v_{j}") for j in (1, 2)]
    w = b.free("w")
    var_w = variance(b, w, either_sign(w, size))
    n = b.number("n", 2)
    draws = [either_sign(weight, size) for row in W for weight in row]
    first = [row[0] * x[0] + row[1] * x[1] for row in W]
    second = v[0] * first[0] + v[1] * first[1]
    z1, z2 = (b.free(f"z^({i})") for i in (1, 2))
    square = b.defined("s", (x[0] ** 2 + x[1] ** 2) / 2)
    of_first = mean(b, first[0] ** 2, together(*draws[:2]), shown=z1**2)
    of_second = mean(b, second**2, together(*draws, *(either_sign(weight, size) for weight in v)), shown=z2**2)
    factor = n * var_w
    yield b.step(
        both("Layer after layer", "逐层下去"),
        both(
            "Let the layers be linear for now and all n units wide, so that the sums of one are the inputs of the next; s is the mean square of the inputs. Every layer multiplies by "
            "the same factor, and L layers by its L-th power: anything but 1 vanishes or explodes.",
            "先假设各层是线性的，宽度都是 n，一层的加权和就是下一层的输入；s 是输入的均方值。每层都乘以同一个因子，L 层就乘以它的 L 次方："
            "只要不是 1，就会消失或爆炸。",
        ),
        b.line(square, (x[0] ** 2 + x[1] ** 2) / n),
        b.line(of_first, factor * square),
        b.line(of_second, factor * of_first, factor**2 * square),
    )
    steady = 1 / n
    root = b.defined("σ", sqrt(steady))
    held = [either_sign(weight, b.value(root)) for weight in W[0]]
    yield b.step(
        both("The steady size", "保持不变的大小"),
        both(
            "The factor is 1 when the variance of the weights is one over the number of inputs. The standard deviation σ is its root: with four times as many "
            "inputs the weights are half as large.",
            "权重的方差等于输入个数的倒数时，因子为 1。标准差 σ 是它的平方根：输入多到四倍，权重就小一半。",
        ),
        b.line(variance(b, W[0][0], held[0], shown=w), 1 / n),
        b.line(root, 1 / sqrt(n)),
        b.line(mean(b, first[0] ** 2, together(*held), shown=z1**2), n * (1 / n) * square, square),
    )


def numbers(b: Board) -> Iterator[Block]:
    n, ten = b.number("n", 100), b.number("L", 10)
    lines = []
    for std in ("0.05", "0.1", "0.2"):
        s = b.number("σ", std)
        k = b.defined("k", n * s**2)
        lines += [b.line(k, n * s**2, numbers=True), b.line(b.defined("K", k**ten), k**ten, numbers=True)]
    yield b.step(
        both("A hundred inputs, ten layers", "一百个输入，十层"),
        both(
            "σ is the standard deviation of the weights, k the factor of one layer, K that of ten. At 0.1 the signal keeps its size.",
            "σ 是权重的标准差，k 是一层的因子，K 是十层的因子。σ 为 0.1 时信号大小不变。",
        ),
        *lines,
    )


def picture(b: Board) -> Iterator[Block]:
    curves: dict[str | Both, list[tuple[float, float]]] = {
        both(f"measured, {factor:g}/n", f"实测，{factor:g}/n"): journey(linear, slope, factor).forward
        for factor in (0.5, 1.0, 2.0)
    }
    for factor in (0.5, 2.0):
        predicted = [(float(i), factor**i) for i in range(DEPTH + 1)]
        curves[both(f"formula, {factor:g}/n", f"公式，{factor:g}/n")] = predicted
    yield b.chart(
        both(
            f"The mean square of the sums in linear layers of n = {WIDTH} units, with weights of the given variance",
            f"每层 n = {WIDTH} 个单元的线性网络中加权和的均方值，图例为权重方差",
        ),
        both("layer", "层"),
        "",
        curves,
        log_y=True,
    )


def scaled(b: Board) -> tuple[Formula, Formula]:
    X = b.free("X")
    x = any_values(b, X)
    return 2 * variance(b, X, x), variance(b, 2 * X, x)


def minus(b: Board) -> tuple[Formula, Formula]:
    X, Y = b.free("X"), b.free("Y")
    x, y = any_values(b, X), any_values(b, Y)
    return variance(b, X, x) - variance(b, Y, y), variance(b, X - Y, together(x, y))


def deviations(b: Board) -> tuple[Formula, Formula]:
    X, Y = b.free("X"), b.free("Y")
    x, y = any_values(b, X), any_values(b, Y)
    return sqrt(variance(b, X, x)) + sqrt(variance(b, Y, y)), sqrt(variance(b, X + Y, together(x, y)))


lesson = Lesson(
    title=both("How variances travel through layers", "方差如何逐层传递"),
    short=both(
        "A layer multiplies the mean square of its inputs by n·Var(w); it stays the same where Var(w) = 1/n.",
        "一层把输入的均方值乘以 n·Var(w)；Var(w) = 1/n 时保持不变。",
    ),
    chapter="initialization",
    position=2,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "A signal that grows saturates sigmoid and tanh units or overflows; one that fades carries nothing. Both stop learning before it begins.",
            "信号越来越大，会使 sigmoid 和 tanh 饱和，甚至溢出；越来越小，就什么也传不到。两种情况学习都还没开始就停了。",
        ),
        both(
            "The same calculation for the gradients gives Xavier's rule, and with ReLU in between Kaiming's.",
            "对梯度作同样的计算得到 Xavier 的规则，中间加上 ReLU 就得到 Kaiming 的规则。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Var(2X) = 2 Var(X)", "Var(2X) = 2 Var(X)"),
            both("Var(2X) = 4 Var(X): a factor counts squared.", "Var(2X) = 4 Var(X)：系数要平方。"),
            scaled,
        ),
        Mistake(
            both("Var(X − Y) = Var(X) − Var(Y)", "Var(X − Y) = Var(X) − Var(Y)"),
            both(
                "The variances of independent quantities are added, also for a difference.",
                "独立量之差，方差也是相加。",
            ),
            minus,
        ),
        Mistake(
            both("Standard deviations are added.", "标准差相加。"),
            both(
                "Variances are: a hundred independent terms of equal variance make the standard deviation ten times as large, not a hundred times.",
                "相加的是方差：一百个独立同方差的项相加，标准差只变为十倍，不是一百倍。",
            ),
            deviations,
        ),
    ),
    network="""
inputs: {randn: [4, 4]}
targets: [[0.5], [-1], [0], [1]]
seed: 1
layers:
  - linear: {out: 4, init: {normal: {std: 0.5}}, bias: zeros}
  - linear: {out: 4, init: {normal: {std: 0.5}}, bias: zeros}
  - linear: {out: 1, init: {normal: {std: 0.5}}, bias: zeros}
loss: mse
""",
    see=("symmetry", "xavier", "kaiming", "vanishing_gradients", "batch_norm"),
)

"""Why activations are needed, and which to choose where."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block
from derive.formula import Apply, Formula, Name, Written, exp, formula, log
from derive.graph import Op
from derive.measuring import kept
from derive.ops.activations import elu, gelu, leaky_relu, relu, sigmoid, silu, softplus, tanh
from derive.ops.base import Elementwise

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
RANGES = {
    "sigmoid": (sigmoid, "(0, 1)"),
    "tanh": (tanh, "(−1, 1)"),
    "relu": (relu, "[0, ∞)"),
    "leaky_relu": (leaky_relu, "(−∞, ∞)"),
    "elu": (elu, "(−1, ∞)"),
    "gelu": (gelu, "[−0.17, ∞)"),
    "silu": (silu, "[−0.28, ∞)"),
    "softplus": (softplus, "(0, ∞)"),
}


def of(activation: Callable[[], Op]) -> Elementwise:
    op = activation()
    assert isinstance(op, Elementwise)
    return op


ReLU = of(relu).function


def derivation(b: Board) -> Iterator[Block]:
    x1, x2, w1, w2, bias = (b.free(s) for s in ("x_1", "x_2", "w_1", "w_2", "b"))
    line = w1 * x1 + w2 * x2 + bias
    z = {corner: b.at("z", line, {x1: corner[0], x2: corner[1]}) for corner in CORNERS}
    yield b.step(
        both("A unit draws a line", "一个单元画一条直线"),
        both(
            "Take one unit with two inputs that says 1 where its sum is positive and 0 elsewhere. XOR wants 1 at (0, 1) and (1, 0), and 0 at "
            "(0, 0) and (1, 1).",
            "设一个单元有两个输入，加权和为正时输出 1，否则输出 0。XOR 要求在 (0, 1) 和 (1, 0) 处输出 1，在 (0, 0) 和 (1, 1) 处输出 0。",
        ),
        b.line(z[0, 0], bias),
        b.line(z[0, 1], w2 + bias),
        b.line(z[1, 0], w1 + bias),
        b.line(z[1, 1], w1 + w2 + bias),
    )
    yield b.step(
        both("No line does XOR", "没有一条直线能实现 XOR"),
        both(
            "The two sums that have to be positive and the two that must not be have the same total, whatever the weights and the bias. "
            "A positive number would be one that is not positive: there is no such unit.",
            "必须为正的两个和，与不能为正的两个和，总和相同，不论权重和偏置是多少。正数就会等于非正数：这样的单元不存在。",
        ),
        b.line(z[0, 1] + z[1, 0], w1 + w2 + 2 * bias, z[0, 0] + z[1, 1]),
    )
    yield b.step(
        both("More layers alone do not help", "只加层没有用"),
        both(
            "Without activations a stack of layers is a single layer again, and the last unit still draws one line. The lesson on linear "
            "layers derives this for any depth.",
            "没有激活函数，叠起来的各层仍是一层，最后的单元画出的还是一条直线。关于线性层的一课对任意深度作了推导。",
        ),
        b.line(*collapsed(b)),
    )
    y = Apply(ReLU, (x1 + x2,)) - 2 * Apply(ReLU, (x1 + x2 - 1,))
    yield b.step(
        both("Two bent units do it", "两个弯折的单元就够了"),
        both(
            "A hidden layer of two ReLU units, both with the weights 1 and 1, one with the bias −1, and an output with the weights 1 and −2: "
            "at all four corners it is XOR exactly.",
            "隐藏层取两个 ReLU 单元，权重都是 1 和 1，其中一个偏置为 −1，输出层权重为 1 和 −2：在四个角上恰好就是 XOR。",
        ),
        b.line(b.defined("y", y), y),
        *(b.line(b.at("y", y, {x1: p, x2: q}), at_corner(p, q), int(p != q)) for p, q in CORNERS),
    )
    yield b.step(
        both("Any bend will do, a straight line will not", "弯折即可，直线不行"),
        both(
            "What is needed is a function that is not linear, with a slope that training can use. On its way back through a unit the gradient is multiplied by this slope, so the steepest slope says how much of it can get through at most.",
            "需要的是非线性的函数，并且导数能用于训练。梯度往回通过一个单元时要乘以这个导数，所以导数的最大值就是梯度最多能通过的比例。",
        ),
        b.line(slope_at(b, sigmoid, 0), formula("1/4")),
        b.line(slope_at(b, tanh, 0), 1),
        b.line(slope_at(b, relu, 1), 1),
    )
    yield choices(b)


def collapsed(b: Board) -> tuple[Formula, Formula]:
    """Two linear layers of one unit are one."""
    v, w, x, c, d = (b.free(s) for s in ("v", "w", "x", "c", "d"))
    return v * (w * x + c) + d, v * w * x + (v * c + d)


def at_corner(p: int, q: int) -> Formula:
    inner = kept(p) + kept(q)
    return Apply(ReLU, (inner,)) - 2 * Apply(ReLU, (inner - 1,))


def slope_at(b: Board, activation: Callable[[], Op], place: int) -> Name:
    """σ′(0), as a difference quotient."""
    op, z = of(activation), b.number("z", place)
    return b.slope(Apply(op.function, (z,)), z, Written(Apply(op.derivative(), (formula(place),))))


def choices(b: Board) -> Block:
    return b.table(
        both("What to choose where", "在哪里用哪个"),
        (both("place", "位置"), both("activation", "激活函数"), both("goes with the loss", "搭配的损失")),
        (
            (
                both("hidden layers", "隐藏层"),
                both("relu, or gelu and silu in deep ones", "relu，深层网络也用 gelu、silu"),
                "",
            ),
            (both("output: a number (regression)", "输出：数值（回归）"), "identity", "mse, l1, huber"),
            (both("output: one of two classes", "输出：二分类"), "sigmoid", "bce"),
            (both("output: one of several classes", "输出：多分类"), "softmax", "cross_entropy"),
            (both("output: several labels, each yes or no", "输出：多标签，各自是或否"), "sigmoid", "bce"),
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    z = b.free("z")
    rows = []
    for name, (activation, span) in RANGES.items():
        op = of(activation)
        slope = Apply(op.derivative(), (z,))
        steepest = max(value for _, value in b.vary(slope, z, grid(-20, 20, 4001)))
        ends = [f"{value:.2g}".replace("-", "−") for _, value in b.vary(slope, z, [-4.0, 4.0])]
        rows.append((name, op.body, span, f"{steepest:.3g}", *ends))
    yield b.table(
        both("Activations and their slopes", "激活函数及其导数"),
        (
            both("name", "名称"),
            both("formula", "公式"),
            both("values", "取值范围"),
            both("steepest", "最大导数"),
            both("slope at −4", "−4 处导数"),
            both("slope at 4", "4 处导数"),
        ),
        rows,
    )


def picture(b: Board) -> Iterator[Block]:
    z = b.free("z")
    at = grid(-4, 4, 401)
    drawn = {name: of(RANGES[name][0]) for name in ("sigmoid", "tanh", "relu", "gelu", "elu")}
    yield b.chart(
        both("Activations", "激活函数"),
        "z",
        "",
        {n: b.vary(Apply(op.function, (z,)), z, at) for n, op in drawn.items()},
    )
    yield b.chart(
        both("Their slopes", "它们的导数"),
        "z",
        "",
        {n: b.vary(Apply(op.derivative(), (z,)), z, at) for n, op in drawn.items()},
    )


def straight(b: Board) -> tuple[Formula, Formula]:
    minus, one = kept(-1), kept(1)
    return Apply(ReLU, (minus,)) + Apply(ReLU, (one,)), Apply(ReLU, (minus + one,))


def twice(b: Board) -> tuple[Formula, Formula]:
    z1, z2 = b.free("z_1", 1, 2), b.free("z_2", -2, -1)
    p1, p2 = exp(z1) / (exp(z1) + exp(z2)), exp(z2) / (exp(z1) + exp(z2))
    return -log(exp(p1) / (exp(p1) + exp(p2))), -log(p1)


def negative(b: Board) -> tuple[Formula, Formula]:
    t = b.number("t", -2)
    return Apply(ReLU, (t,)), t


lesson = Lesson(
    title=both("Why activations", "为什么需要激活函数"),
    short=both(
        "One line cannot separate XOR; two ReLU units can. Without a nonlinear activation depth adds nothing.",
        "一条直线分不开 XOR，两个 ReLU 单元就能做到。没有非线性激活函数，加深没有意义。",
    ),
    chapter="activations",
    position=1,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "With ReLU a network is made of straight pieces, and more units make more pieces: on a closed and bounded region it can follow any "
            "continuous function as closely as one likes.",
            "用 ReLU 时，网络由许多直线段拼成，单元越多段数越多：在有界闭区域上，它可以任意接近任何连续函数。",
        ),
        both(
            "In hidden layers ReLU is the usual choice: it is cheap, and its slope is 1 wherever the unit is on. Sigmoid and tanh saturate: far "
            "from 0 their slope is nearly 0, and little of the gradient gets through.",
            "隐藏层通常选 ReLU：计算便宜，单元激活时导数为 1。sigmoid 和 tanh 会饱和：远离 0 时导数接近 0，梯度很难通过。",
        ),
        both(
            "In the output layer the activation says what the numbers mean: any number, a probability, or probabilities that sum to 1.",
            "输出层的激活函数决定输出的含义：任意实数、一个概率，或和为 1 的一组概率。",
        ),
    ),
    mistakes=(
        Mistake(
            both("ReLU is linear, for it is made of two straight lines.", "ReLU 由两条直线组成，所以是线性的。"),
            both(
                "A linear function may be taken inside or outside a sum; ReLU may not. The bend at 0 is all that is needed.",
                "线性函数可以先求和再作用，也可以先作用再求和；ReLU 不行。0 处的弯折就足够了。",
            ),
            straight,
        ),
        Mistake(
            both("A regression network should end with ReLU.", "回归网络应以 ReLU 结尾。"),
            both(
                "Then it can give no negative number, and no gradient where it gives 0. The output of a regression stays linear.",
                "那样就给不出负数，输出为 0 时也没有梯度。回归的输出层保持线性。",
            ),
            negative,
        ),
        Mistake(
            both(
                "A softmax belongs in front of PyTorch's CrossEntropyLoss.",
                "PyTorch 的 CrossEntropyLoss 前要加 softmax。",
            ),
            both(
                "That loss contains the softmax; it is given the sums themselves, called logits.",
                "这个损失自带 softmax，应把加权和本身（称为 logits）交给它。",
            ),
            twice,
        ),
    ),
    network="""
inputs: [[0, 0], [0, 1], [1, 0], [1, 1]]
targets: [[0], [1], [1], [0]]
layers:
  - linear: {out: 2, weight: [[1, 1], [1, 1]], bias: [0, -1]}
  - relu
  - linear: {out: 1, weight: [[1, -2]], bias: [0]}
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("linear_collapse", "sigmoid", "tanh", "relu", "gelu", "softmax", "vanishing_gradients", "kaiming"),
)

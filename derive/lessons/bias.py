"""The bias: what it adds, and how it is a weight like the others."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block
from derive.formula import Apply, Formula, Name, Partial, Symbol, formula, sqrt, tanh
from derive.lessons._network import weighted
from derive.measuring import kept
from derive.ops.activations import sigmoid
from derive.ops.base import Elementwise

op = sigmoid()
assert isinstance(op, Elementwise)
σ = op.function


def derivation(b: Board) -> Iterator[Block]:
    x1, x2, w1, w2 = b.free("x_1"), b.free("x_2"), b.free("w_1", 1, 2), b.free("w_2", -2, -1)
    bias = b.free("b")
    total = w1 * x1 + w2 * x2 + bias
    z = b.defined("z", total)
    yield b.step(
        both("Definition", "定义"),
        both(
            "The bias is a number of the neuron's own that is added to the weighted sum, whatever the inputs are.",
            "偏置是神经元自己的一个数，不论输入是什么，都加到加权和上。",
        ),
        b.line(z, total),
    )
    yield b.step(
        both("Where all inputs are zero", "输入全为零时"),
        both(
            "Every product is 0, and what remains is the bias. Without it the sum would be 0 there, whatever the weights: "
            "no training could change what the neuron says about this point.",
            "所有乘积都是 0，只剩下偏置。没有偏置时，不论权重多大，加权和都是 0：怎样训练也改变不了神经元在这一点的输出。",
        ),
        b.line(b.at("z", total, {x1: 0, x2: 0}), w1 * kept(0) + w2 * kept(0) + bias, bias),
    )
    square = w1**2 + w2**2
    foot1, foot2 = -bias * w1 / square, -bias * w2 / square
    yield b.step(
        both("The boundary moves away from the origin", "分界线离开原点"),
        both(
            "The neuron divides the inputs along the line where z = 0, at a right angle to the weights. The point of that line nearest to the origin is therefore a multiple of the weights, and its distance is the size of the bias over the length of the weights. Without a bias "
            "every boundary goes through the origin.",
            "神经元沿直线 z = 0 把输入分成两侧，这条直线与权重垂直。所以直线上离原点最近的点是权重的倍数，距离等于偏置的绝对值除以权重向量的长度。"
            "没有偏置，分界线总是经过原点。",
        ),
        b.line(b.at("z", total, {x1: foot1, x2: foot2}), w1 * foot1 + w2 * foot2 + bias, 0),
        b.line(sqrt(foot1**2 + foot2**2), abs(bias) / sqrt(square)),
    )
    one, w0 = b.number("x_0", 1), b.defined("w_0", bias)
    yield b.step(
        both("A weight on an input that is always 1", "恒为 1 的输入上的权重"),
        both(
            "Let there be one more input that is 1 for every sample. Its weight is the bias: it is learned as a weight is, and its "
            "slope is the value of that input, 1.",
            "再添一个对每个样本都等于 1 的输入，它的权重就是偏置：和别的权重一样学习，加权和对它的偏导数就是这个输入的值 1。",
        ),
        b.line(z, w0 * one + w1 * x1 + w2 * x2),
        b.line(b.slope(total, bias, Partial(Symbol("z"), Symbol("b"))), one, 1),
    )
    threshold, minus = b.defined("θ", -bias), b.number("x_0", -1)
    yield b.step(
        both("Or as a threshold", "或写成阈值"),
        both(
            "Some books take −1 as the constant input. Its weight is then a threshold, the bias with the other sign: the neuron fires when the products "
            "add up to more than it.",
            "有的书把常数输入取为 −1，它的权重就是阈值，即变号的偏置：乘积之和超过阈值时神经元激发。",
        ),
        b.line(z, threshold * minus + w1 * x1 + w2 * x2, w1 * x1 + w2 * x2 - threshold),
    )
    yield from augmented(b)
    yield from without(b, x1, x2)


def without(b: Board, x1: Name, x2: Name) -> Iterator[Block]:
    """A network that has no biases, at the origin."""
    v1, v2 = b.free("v_1"), b.free("v_2")
    hidden = [b.free(f"w_{i}{k}") for i in (1, 2) for k in (1, 2)]
    h1, h2 = tanh(hidden[0] * x1 + hidden[1] * x2), tanh(hidden[2] * x1 + hidden[3] * x2)
    y = Apply(σ, (v1 * h1 + v2 * h2,))
    yield b.step(
        both("A network without biases", "没有偏置的网络"),
        both(
            "Take two hidden tanh units and a sigmoid output, none of them with a bias. At (0, 0) the hidden units are 0, and the "
            "output is ½ for all weights there are: it can never say 0 there, as XOR wants it.",
            "设有两个 tanh 隐藏单元和一个 sigmoid 输出，都没有偏置。在 (0, 0) 处隐藏单元都是 0，不论权重是什么，输出都是 ½："
            "它在这里永远给不出 XOR 所要的 0。",
        ),
        b.line(b.defined("y", y), y),
        b.line(
            b.at("y", y, {x1: 0, x2: 0}), Apply(σ, (v1 * tanh(formula(0)) + v2 * tanh(formula(0)),)), formula("1/2")
        ),
    )


def augmented(b: Board) -> Iterator[Block]:
    """The bias of a layer as the first column of its matrix."""
    W, x, c = b.matrix("W", 2, 2), b.matrix("x", 2, 1), b.matrix("b", 2, 1)
    z = b.column("z", [weighted(b, W, x, row) + b.entry(c, row) for row in (1, 2)])
    wide = b.grid(Symbol("W\u0303"), [[b.entry(c, i), b.entry(W, i, 1), b.entry(W, i, 2)] for i in (1, 2)])
    long = b.column(Symbol("x\u0303"), [formula(1), b.entry(x, 1), b.entry(x, 2)])
    yield b.step(
        both("A whole layer", "整个一层"),
        both(
            "Written into the matrix as a first column, with a 1 as first input, the biases disappear from the formula. The "
            "letters with a tilde are this wider matrix and this longer input; unit by unit it is the same sum.",
            "把偏置作为第一列写进矩阵，并在输入最前面添上 1，公式里就不再单独出现偏置。带波浪号的字母就是这个加宽的矩阵和加长的输入；"
            "逐个单元来看，加权和没有变。",
        ),
        b.line(b.entry(z, 1), weighted(b, W, x, 1) + b.entry(c, 1), weighted(b, wide, long, 1)),
        b.line(b.entry(z, 2), weighted(b, W, x, 2) + b.entry(c, 2), weighted(b, wide, long, 2)),
        b.line(z, W @ x + c, wide @ long),
    )


def numbers(b: Board) -> Iterator[Block]:
    W = b.matrix("W", 2, 2, [["0.5", "-1"], ["2", "1"]])
    x, c = b.matrix("x", 2, 1, [[3], [2]]), b.matrix("b", 2, 1, [["0.1"], ["-3"]])
    wide = b.matrix(Symbol("W\u0303"), 2, 3, [["0.1", "0.5", "-1"], ["-3", "2", "1"]])
    long = b.matrix(Symbol("x\u0303"), 3, 1, [[1], [3], [2]])
    z = b.product("z", W @ x + c)
    yield b.step(
        both("Two units, written both ways", "两个单元，两种写法"),
        both("The bias is first added, and then taken into the matrix.", "先是另加偏置，再是把偏置并入矩阵。"),
        b.line(z, W @ x + c, numbers=True),
        b.line(z, wide @ long, numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    x = b.free("x")
    at = grid(-6, 6)
    yield b.chart(
        both("a = σ(2x + b): the bias moves the curve, its shape stays", "a = σ(2x + b)：偏置平移曲线，形状不变"),
        "x",
        "a",
        {f"b = {name}": b.vary(Apply(σ, (2 * x + c,)), x, at) for name, c in (("−6", -6), ("0", 0), ("6", 6))},
    )


def outside(b: Board) -> tuple[Formula, Formula]:
    w, x, bias = b.free("w", 1, 2), b.free("x", 1, 2), b.free("b", 1, 2)
    return Apply(σ, (w * x,)) + bias, Apply(σ, (w * x + bias,))


def every_input(b: Board) -> tuple[Formula, Formula]:
    w1, w2, x1, x2, bias = (b.free(s, 1, 2) for s in ("w_1", "w_2", "x_1", "x_2", "b"))
    return w1 * (x1 + bias) + w2 * (x2 + bias), w1 * x1 + w2 * x2 + bias


def needed(b: Board) -> tuple[Formula, Formula]:
    from derive.ops.activations import relu

    op = relu()
    assert isinstance(op, Elementwise)
    x1, x2 = b.number("x_1", 1), b.number("x_2", 0)
    return formula(0), Apply(op.function, (x1 - x2,)) + Apply(op.function, (x2 - x1,))


lesson = Lesson(
    title=both("The bias", "偏置"),
    short=both(
        "A weight on a constant input +1: it lets a neuron answer where all inputs are 0, and moves its boundary.",
        "恒为 +1 的输入上的权重：输入全为 0 时神经元也能有响应，分界线也能移动。",
    ),
    chapter="network",
    position=2,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Without biases a network says the same about the all-zero input however long it is trained.",
            "没有偏置的网络，无论训练多久，对全零输入的回答都一样。",
        ),
        both(
            "The constant input +1 is why diagrams draw a unit with +1 in it, why some books count weights from w₀, and why the gradient "
            "of a bias is the gradient of its unit's sum.",
            "正因为是恒为 +1 的输入，网络图中会画一个写着 +1 的单元，有的书从 w₀ 开始给权重编号，偏置的梯度就等于该单元加权和的梯度。",
        ),
        both(
            "Before batch normalization a bias is left out: subtracting the mean removes it again.",
            "批归一化之前不设偏置：减去均值时它又被消掉了。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The bias is added after the activation.", "偏置加在激活函数之后。"),
            both("It is added before: a = f(z) with the bias inside z.", "加在激活之前：a = f(z)，偏置在 z 里面。"),
            outside,
        ),
        Mistake(
            both("Every input gets the bias.", "每个输入都加上偏置。"),
            both("Every unit has one bias, added once to its sum.", "每个单元有一个偏置，在加权和上只加一次。"),
            every_input,
        ),
        Mistake(
            both("No network without biases can compute XOR.", "没有偏置的网络都算不出 XOR。"),
            both(
                "That holds for the tanh and sigmoid network above. With ReLU, the sum of ReLU(x₁ − x₂) and ReLU(x₂ − x₁) is XOR "
                "without any bias, because there the output wanted at (0, 0) happens to be 0.",
                "这只对上面的 tanh 加 sigmoid 网络成立。用 ReLU 时，ReLU(x₁ − x₂) 与 ReLU(x₂ − x₁) 之和不用偏置就是 XOR，"
                "因为在 (0, 0) 处所要的输出恰好是 0。",
            ),
            needed,
        ),
    ),
    network="""
inputs: [0, 0]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, -0.3], [0.2, 0.4]], bias: [0.1, -0.2]}
  - tanh
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: [0.2]}
  - sigmoid
loss: bce
optimizer: {sgd: {lr: 0.1}}
""",
    see=("neuron", "forward_pass", "activations", "batch_norm", "weight_decay"),
)

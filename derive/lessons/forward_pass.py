"""The forward pass: a layer as a matrix product, layer by layer, one sample or many."""

from __future__ import annotations

from collections.abc import Iterator
from operator import mul

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block, Table
from derive.formula import Apply, Formula, Name, add, transpose
from derive.lessons._network import diagram, weighted
from derive.ops.activations import sigmoid
from derive.ops.activations import tanh as tanh_op
from derive.ops.base import Elementwise

hidden, output = tanh_op(), sigmoid()
assert isinstance(hidden, Elementwise) and isinstance(output, Elementwise)
f, σ = hidden.function, output.function


def derivation(b: Board) -> Iterator[Block]:
    yield diagram(
        b,
        both("Three inputs, two hidden units, one output", "三个输入、两个隐藏单元、一个输出"),
        (("x_1", "x_2", "x_3"), ("a^(1)_1", "a^(1)_2"), ("y",)),
        bias=True,
    )
    x, W1, b1 = b.matrix("x", 3, 1), b.matrix("W^(1)", 2, 3), b.matrix("b^(1)", 2, 1)
    sums = [weighted(b, W1, x, row) + b.entry(b1, row) for row in (1, 2)]
    z1 = b.column("z^(1)", sums)
    yield b.step(
        both("Unit by unit", "逐个单元"),
        both(
            "Every unit of the first layer is connected to every input, with a row of weights of its own. The first index says "
            "to which unit a weight leads, the second from which input it comes.",
            "第一层的每个单元都与所有输入相连，各有一行自己的权重。第一个下标表示权重通向哪个单元，第二个表示来自哪个输入。",
        ),
        b.line(b.entry(z1, 1), sums[0]),
        b.line(b.entry(z1, 2), sums[1]),
    )
    yield b.step(
        both("The rows make a matrix", "各行合成矩阵"),
        both(
            "Row times column is how matrices are multiplied, so the rows of weights, written under one another, give all sums at "
            "once. The matrix has one row per unit and one column per input.",
            "矩阵乘法正是行乘列，所以把各单元的权重一行行写在一起，一次就得到全部加权和。矩阵的行数是单元数，列数是输入数。",
        ),
        b.line(z1, W1 @ x + b1),
    )
    a1 = b.product("a^(1)", Apply(f, (z1,)))
    yield b.step(
        both("The activation, entry by entry", "逐个元素激活"),
        both(
            "The activation function acts on every sum by itself. Here the hidden layer has tanh.",
            "激活函数分别作用于每个加权和。这里隐藏层用 tanh。",
        ),
        b.line(b.entry(a1, 1), Apply(f, (b.entry(z1, 1),))),
        b.line(b.entry(a1, 2), Apply(f, (b.entry(z1, 2),))),
        b.line(a1, Apply(f, (z1,)), Apply(f, (W1 @ x + b1,))),
    )
    yield from following(b, a1, Apply(f, (W1 @ x + b1,)))
    yield from many(b, W1, b1)
    yield shapes(b)


def following(b: Board, a1: Name, written: Formula) -> Iterator[Block]:
    """The second layer, on the outputs of the first, which is what is written here."""
    W2, b2 = b.matrix("W^(2)", 1, 2), b.free("b^(2)")
    w21, w22 = b.entry(W2, 1, 1), b.entry(W2, 1, 2)
    last = w21 * b.entry(a1, 1) + w22 * b.entry(a1, 2) + b2
    z2 = b.defined("z^(2)", last)
    y = b.defined("y", Apply(σ, (z2,)))
    yield b.step(
        both("The next layer", "下一层"),
        both(
            "The outputs of one layer are the inputs of the next: the same two steps again, with the matrix of that layer. Here "
            "one output unit with a sigmoid.",
            "一层的输出就是下一层的输入：用那一层的矩阵把这两步再做一遍。这里输出层是一个 sigmoid 单元。",
        ),
        b.line(z2, last, W2 @ a1 + b2),
        b.line(y, Apply(σ, (z2,)), Apply(σ, (W2 @ written + b2,))),
    )


def shapes(b: Board) -> Table:
    """What has which shape."""
    return b.table(
        both("Shapes of a layer with n inputs and m units", "n 个输入、m 个单元的层中各量的形状"),
        (
            both("quantity", "量"),
            both("one sample, as a column", "一个样本（列）"),
            both("N samples, as rows", "N 个样本（行）"),
        ),
        (
            (both("input", "输入"), "n × 1", "N × n"),
            (both("weights W", "权重 W"), "m × n", "m × n"),
            (both("bias", "偏置"), "m × 1", "1 × m"),
            (both("sums and activations", "加权和与激活值"), "m × 1", "N × m"),
        ),
    )


def many(b: Board, W: Name, c: Name) -> Iterator[Block]:
    """Samples as rows."""
    X = b.matrix("X", 2, 3)
    rows = [[b.entry(X, i, k) for k in (1, 2, 3)] for i in (1, 2)]
    Z = b.grid(
        "Z",
        [[add(*map(mul, row, [b.entry(W, j, k) for k in (1, 2, 3)]), b.entry(c, j)) for j in (1, 2)] for row in rows],
    )
    x = b.matrix("x", 3, 1)
    z = b.product("z", W @ x + c)
    yield b.step(
        both("One sample as a row", "一个样本写成一行"),
        both(
            "In data sets a sample is a row. The transpose of a product is the product of the transposes in reverse order, so "
            "the matrix of weights stands to the right, transposed.",
            "数据集里一个样本是一行。乘积的转置等于各因子转置后倒序相乘，所以权重矩阵要转置，并写在右边。",
        ),
        b.line(transpose(z), transpose(W @ x + c)),
    )
    w = [b.entry(W, 2, k) for k in (1, 2, 3)]
    ones = b.matrix("1", 2, 1, [[1], [1]])
    yield b.step(
        both("Many samples at once", "许多样本一次算完"),
        both(
            "The samples are the rows of X. Each row of Z is that of its own sample, no sample touches another, and the bias is added to "
            "every row: the column of ones repeats it. This is what PyTorch's Linear computes.",
            "X 的每一行是一个样本。Z 的每一行只由对应的样本算出，样本之间互不影响；偏置加到每一行上：全 1 列把它重复若干次。"
            "PyTorch 的 Linear 算的就是它。",
        ),
        b.line(
            b.entry(Z, 1, 2),
            w[0] * rows[0][0] + w[1] * rows[0][1] + w[2] * rows[0][2] + b.entry(c, 2),
        ),
        b.line(Z, X @ transpose(W) + ones @ transpose(c)),
    )
    yield b.step(
        both("Samples as columns", "样本写成列"),
        both(
            "Some books put the samples in columns. Then the matrix stands to the left again, and everything is the transpose "
            "of the above.",
            "有的书把样本排成列，这时矩阵又写在左边，一切都是上式的转置。",
        ),
        b.line(transpose(Z), W @ transpose(X) + c @ transpose(ones)),
    )


def numbers(b: Board) -> Iterator[Block]:
    x = b.matrix("x", 3, 1, [[1], [2], [-1]])
    W1 = b.matrix("W^(1)", 2, 3, [["0.2", "0.1", "0.4"], ["-0.3", "0.5", "0.1"]])
    b1 = b.matrix("b^(1)", 2, 1, [["0.1"], ["-0.1"]])
    z1 = b.product("z^(1)", W1 @ x + b1)
    a1 = b.product("a^(1)", Apply(f, (z1,)))
    W2, b2 = b.matrix("W^(2)", 1, 2, [["1", "-2"]]), b.number("b^(2)", "0.5")
    z2 = b.defined("z^(2)", b.entry(W2, 1, 1) * b.entry(a1, 1) + b.entry(W2, 1, 2) * b.entry(a1, 2) + b2)
    yield b.step(
        both("A 3-2-1 network", "一个 3-2-1 网络"),
        both("Layer by layer: the product, the bias, the activation.", "逐层计算：矩阵乘积、偏置、激活。"),
        b.line(z1, W1 @ x + b1, numbers=True),
        b.line(a1, Apply(f, (z1,)), numbers=True),
        b.line(z2, W2 @ a1 + b2, numbers=True),
        b.line(b.defined("y", Apply(σ, (z2,))), Apply(σ, (z2,)), numbers=True),
    )


def turned(b: Board) -> tuple[Formula, Formula]:
    W, x = b.matrix("W", 2, 2, [[1, 2], [3, 4]]), b.matrix("x", 2, 1, [[1], [1]])
    wrong = b.entry(W, 1, 1) * b.entry(x, 1) + b.entry(W, 2, 1) * b.entry(x, 2)
    return wrong, weighted(b, W, x, 1)


lesson = Lesson(
    title=both("The forward pass", "前向传播"),
    short=both(
        "Layer by layer z = Wa + b and a = f(z); with samples as rows Z = XWᵀ + b.",
        "逐层计算 z = Wa + b 和 a = f(z)；样本为行时 Z = XWᵀ + b。",
    ),
    chapter="network",
    position=3,
    derivation=derivation,
    numbers=numbers,
    why=(
        both(
            "All predictions are made this way, and every training step begins with it; what is computed here is kept, because the "
            "backward pass needs it.",
            "所有预测都这样得出，每一步训练也从这里开始；算出的中间量要保留，反向传播要用。",
        ),
        both(
            "A product of matrices is what processors and graphics cards do fastest. A whole batch costs one product per layer, not "
            "one per sample.",
            "矩阵乘法是处理器和显卡做得最快的运算。整个批次每层只需一次矩阵乘法，而不是每个样本一次。",
        ),
    ),
    mistakes=(
        Mistake(
            both("PyTorch's weight is stored as (in, out).", "PyTorch 的权重按（输入，输出）存放。"),
            both(
                "It is (out, in), one row per unit, and is transposed in the product. Stored as (in, out), each unit would have a column instead.",
                "是（输出，输入），每个单元一行，相乘时转置。若按（输入，输出）存放，每个单元对应的就是一列。",
            ),
            turned,
        ),
        Mistake(
            both("Units of one layer are connected with one another.", "同一层的单元互相连接。"),
            both(
                "In a fully connected network every unit is connected to all units of the layer before it and to none of its own.",
                "全连接网络中，每个单元与前一层的所有单元相连，与本层的单元不相连。",
            ),
        ),
    ),
    network="""
inputs: [[1, 2, -1], [0, 1, 1]]
targets: [[1], [0]]
layers:
  - linear: {out: 2, weight: [[0.2, 0.1, 0.4], [-0.3, 0.5, 0.1]], bias: [0.1, -0.1]}
  - tanh
  - linear: {out: 1, weight: [[1, -2]], bias: [0.5]}
  - sigmoid
loss: bce
optimizer: {sgd: {lr: 0.1}}
""",
    see=("neuron", "bias", "linear_collapse", "parameter_counts", "transpose", "backprop_equations"),
)

"""A stack of linear layers is one linear layer."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Apply, Formula, formula
from derive.measuring import kept
from derive.ops.activations import relu
from derive.ops.base import Elementwise

op = relu()
assert isinstance(op, Elementwise)
ReLU = op.function


def derivation(b: Board) -> Iterator[Block]:
    x = b.matrix("x", 2, 1)
    W1, b1 = b.matrix("W^(1)", 3, 2), b.matrix("b^(1)", 3, 1)
    W2, b2 = b.matrix("W^(2)", 2, 3), b.matrix("b^(2)", 2, 1)
    a1 = b.product("a^(1)", W1 @ x + b1)
    a2 = b.product("a^(2)", W2 @ a1 + b2)
    yield b.step(
        both("Two layers without an activation", "没有激活函数的两层"),
        both(
            "Each layer multiplies by its matrix and adds its bias, and nothing else happens in between.",
            "每一层乘以自己的矩阵，再加上自己的偏置，中间没有别的运算。",
        ),
        b.line(a1, W1 @ x + b1),
        b.line(a2, W2 @ a1 + b2),
    )
    yield b.step(
        both("One put into the other", "代入"),
        both(
            "The first line is put into the second, and the matrix is multiplied into the bracket.",
            "把第一式代入第二式，再把矩阵乘进括号。",
        ),
        b.line(a2, W2 @ (W1 @ x + b1) + b2, W2 @ W1 @ x + W2 @ b1 + b2),
    )
    W, c = b.product("W", W2 @ W1), b.product("b", W2 @ b1 + b2)
    yield b.step(
        both("One layer with one matrix and one bias", "只有一个矩阵和一个偏置的一层"),
        both(
            "The product of the two matrices is one matrix, and what does not depend on the inputs is one bias. So the two layers "
            "compute what a single layer computes.",
            "两个矩阵之积是一个矩阵，与输入无关的部分合成一个偏置。所以这两层算的，一层就能算。",
        ),
        b.line(W, W2 @ W1),
        b.line(c, W2 @ b1 + b2),
        b.line(a2, W @ x + c),
    )
    yield from induction(b)
    yield from narrow(b)
    yield from bent(b)


def induction(b: Board) -> Iterator[Block]:
    """For any number of layers."""
    x = b.matrix("x", 2, 1)
    W1, b1 = b.matrix("W^(1)", 2, 2), b.matrix("b^(1)", 2, 1)
    A1, c1 = b.product("A^(1)", W1), b.product("c^(1)", b1)
    first = b.product("a^(1)", W1 @ x + b1)
    yield b.step(
        both("Any number of layers: the beginning", "任意多层：起点"),
        both(
            "The claim for layer l: its output is one matrix times the inputs, plus one bias. For the first layer this is its "
            "definition, with its own matrix and bias.",
            "要证明的是：第 l 层的输出等于一个矩阵乘以输入，再加一个偏置。对第一层，这就是它的定义，矩阵和偏置就是它自己的。",
        ),
        b.line(first, W1 @ x + b1, A1 @ x + c1),
    )
    A, c = b.matrix("A^(l−1)", 2, 2), b.matrix("c^(l−1)", 2, 1)
    W, bias = b.matrix("W^(l)", 2, 2), b.matrix("b^(l)", 2, 1)
    before = b.product("a^(l−1)", A @ x + c)
    after = b.product("a^(l)", W @ before + bias)
    now, rest = b.product("A^(l)", W @ A), b.product("c^(l)", W @ c + bias)
    yield b.step(
        both("From one layer to the next", "从一层到下一层"),
        both(
            "Suppose it holds for layer l − 1. Put into layer l, its output is again one matrix times the inputs, plus one bias. "
            "So it holds for layer l, and, one after another, for every layer however deep.",
            "假设它对第 l − 1 层成立。代入第 l 层，输出仍是一个矩阵乘以输入再加一个偏置。所以它对第 l 层也成立，依次推下去，多深都成立。",
        ),
        b.line(before, A @ x + c),
        b.line(after, W @ before + bias, W @ (A @ x + c) + bias, W @ A @ x + W @ c + bias),
        b.line(now, W @ A),
        b.line(rest, W @ c + bias),
        b.line(after, now @ x + rest),
    )
    W2, b2 = b.matrix("W^(2)", 2, 2), b.matrix("b^(2)", 2, 1)
    W3, b3 = b.matrix("W^(3)", 2, 2), b.matrix("b^(3)", 2, 1)
    yield b.step(
        both("Three layers written out", "三层写开来"),
        both(
            "All matrices multiplied, the last layer's to the left; every bias goes through the layers behind it.",
            "所有矩阵连乘，最后一层的在最左边；每个偏置都要经过它后面的各层。",
        ),
        b.line(
            b.product("a^(3)", W3 @ (W2 @ (W1 @ x + b1) + b2) + b3),
            W3 @ W2 @ W1 @ x + W3 @ W2 @ b1 + W3 @ b2 + b3,
        ),
    )


def narrow(b: Board) -> Iterator[Block]:
    """A narrow middle makes the stack poorer than a single layer."""
    u, v = b.matrix("u", 1, 2), b.matrix("v", 2, 1)
    W = b.product("W", v @ u)
    u1, u2, v1, v2 = (b.entry(m, i) for m in (u, v) for i in (1, 2))
    w = {(i, k): b.entry(W, i, k) for i in (1, 2) for k in (1, 2)}
    yield b.step(
        both("A narrow middle takes something away", "中间变窄，还会少一些"),
        both(
            "With two inputs, one unit in the middle and two outputs, the product has the determinant 0: both of its rows are multiples of u. Such a stack can do less than one layer with its own 2 × 2 matrix, and never more.",
            "两个输入、中间一个单元、两个输出时，乘积矩阵的行列式为 0：两行都是 u 的倍数。这样的叠加比一个 2 × 2 矩阵的单层能做的还少，绝不会更多。",
        ),
        b.line(W, v @ u),
        b.line(w[1, 1] * w[2, 2] - w[1, 2] * w[2, 1], v1 * u1 * v2 * u2 - v1 * u2 * v2 * u1, 0),
    )


def bent(b: Board) -> Iterator[Block]:
    """An activation is what breaks it."""
    p, q = b.free("p"), b.free("q")
    w, c = b.free("w"), b.free("c")
    line = w * p + c
    half = formula("1/2")
    minus, one = kept(-1), kept(1)
    yield b.step(
        both("With an activation it is different", "加上激活函数就不同了"),
        both(
            "A linear layer, here g with one weight w and the bias c, takes the middle of two inputs to the middle of their outputs. ReLU does not: between −1 and 1 lies 0, its "
            "output there is 0, and the middle of the two outputs is ½. So a layer with an activation cannot be multiplied into the next one.",
            "线性层（这里记作 g，权重 w，偏置 c）把两个输入的中点变成两个输出的中点。ReLU 不是这样：−1 与 1 的中点是 0，输出是 0，而两个输出的中点是 ½。"
            "所以带激活函数的层不能并入下一层。",
        ),
        b.line(b.at("g", line, {p: half * (p + q)}), half * (w * p + c + (w * q + c))),
        b.line(Apply(ReLU, (half * (minus + one),)), 0),
        b.line(half * (Apply(ReLU, (minus,)) + Apply(ReLU, (one,))), half),
    )


def numbers(b: Board) -> Iterator[Block]:
    x = b.matrix("x", 2, 1, [[1], [2]])
    W1, b1 = b.matrix("W^(1)", 2, 2, [[1, 2], [0, -1]]), b.matrix("b^(1)", 2, 1, [[1], [3]])
    W2, b2 = b.matrix("W^(2)", 2, 2, [[2, 0], [1, 4]]), b.matrix("b^(2)", 2, 1, [[-1], [0]])
    a1 = b.product("a^(1)", W1 @ x + b1)
    a2 = b.product("a^(2)", W2 @ a1 + b2)
    yield b.step(
        both("Layer by layer", "逐层计算"),
        both("Two layers, one after the other.", "两层依次计算。"),
        b.line(a1, W1 @ x + b1, numbers=True),
        b.line(a2, W2 @ a1 + b2, numbers=True),
    )
    W, c = b.product("W", W2 @ W1), b.product("b", W2 @ b1 + b2)
    yield b.step(
        both("At once", "一步算完"),
        both("One layer with the product of the matrices gives the same.", "用矩阵之积作为一层，结果相同。"),
        b.line(W, W2 @ W1, numbers=True),
        b.line(c, W2 @ b1 + b2, numbers=True),
        b.line(a2, W @ x + c, numbers=True),
    )


def swapped(b: Board) -> tuple[Formula, Formula]:
    first, second = b.matrix("W^(1)", 2, 2, [[1, 2], [0, 1]]), b.matrix("W^(2)", 2, 2, [[1, 0], [1, 1]])
    return b.entry(b.product("A", first @ second), 1, 1), b.entry(b.product("B", second @ first), 1, 1)


def forgotten(b: Board) -> tuple[Formula, Formula]:
    w1, b1, w2, b2 = (b.free(s, 2, 3) for s in ("w_1", "b_1", "w_2", "b_2"))
    x = b.free("x")
    return w2 * w1 * x + b1 + b2, w2 * (w1 * x + b1) + b2


lesson = Lesson(
    title=both("Linear layers collapse", "线性层会合并"),
    short=both(
        "Without activations any stack of layers is one layer: W is the product of their matrices.",
        "没有激活函数，叠多少层都等于一层：W 是各层矩阵之积。",
    ),
    chapter="network",
    position=4,
    derivation=derivation,
    numbers=numbers,
    why=(
        both(
            "This is why every hidden layer has a nonlinear activation: only with it does depth add anything.",
            "正因如此，每个隐藏层都要有非线性激活函数：有了它，加深才有意义。",
        ),
        both(
            "It is also useful: layers known to be linear can be multiplied together after training, so that the network runs faster. "
            "Batch normalization is folded into the layer before it in this way.",
            "它也有用处：训练之后，已知是线性的层可以先乘在一起，网络运行得更快。批归一化就是这样并入前一层的。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The combined matrix is W⁽¹⁾W⁽²⁾.", "合并后的矩阵是 W⁽¹⁾W⁽²⁾。"),
            both(
                "It is W⁽²⁾W⁽¹⁾: what happens first stands next to the input, on the right.",
                "是 W⁽²⁾W⁽¹⁾：先做的运算紧挨着输入，在右边。",
            ),
            swapped,
        ),
        Mistake(
            both("The biases are added to each other.", "各层偏置直接相加。"),
            both(
                "The first bias goes through the second matrix before it is added.",
                "第一层的偏置要先乘以第二个矩阵，再相加。",
            ),
            forgotten,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1, 0]
layers:
  - linear: {out: 2, weight: [[1, 2], [0, -1]], bias: [1, 3]}
  - linear: {out: 2, weight: [[2, 0], [1, 4]], bias: [-1, 0]}
loss: mse
optimizer: {sgd: {lr: 0.01}}
""",
    see=("forward_pass", "activations", "identity", "relu", "batch_norm_folding"),
)

"""The four equations of backpropagation, element by element and with matrices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Apply, Formula, Name, Partial, Symbol, grand_total, hadamard, transpose
from derive.lessons._network import diagram, weighted
from derive.ops.activations import sigmoid
from derive.ops.base import Elementwise

op = sigmoid()
assert isinstance(op, Elementwise)
σ, σ_prime = op.function, op.derivative()
L = Symbol("L")


@dataclass(frozen=True)
class Net:
    """A 2-2-2 sigmoid network with the half squared error: its quantities, and the loss as a function of any of them."""

    x: Name
    t: Name
    W: tuple[Name, Name]
    c: tuple[Name, Name]
    z: tuple[Name, Name]
    a: tuple[Name, Name]

    def loss(self, a2: Formula) -> Formula:
        error = a2 - self.t
        return grand_total(hadamard(error, error)) / 2

    def from_z2(self, z2: Formula) -> Formula:
        return self.loss(Apply(σ, (z2,)))

    def from_a1(self, a1: Formula) -> Formula:
        return self.from_z2(self.W[1] @ a1 + self.c[1])

    def from_z1(self, z1: Formula) -> Formula:
        return self.from_a1(Apply(σ, (z1,)))

    def whole(self) -> Formula:
        return self.from_z1(self.W[0] @ self.x + self.c[0])


def net(b: Board, example: bool = False) -> Net:
    given: dict[str, list[list[int]] | list[list[str]]] = {
        "x": [[1], [2]],
        "t": [[0], [1]],
        "W^(1)": [["0.1", "0.2"], ["-0.3", "0.4"]],
        "b^(1)": [["0.1"], ["-0.1"]],
        "W^(2)": [["0.5", "-0.6"], ["0.7", "0.8"]],
        "b^(2)": [["0.2"], ["-0.2"]],
    }

    def matrix(symbol: str, columns: int) -> Name:
        return b.matrix(symbol, 2, columns, given[symbol] if example else None)

    x, t = matrix("x", 1), matrix("t", 1)
    W, c = (matrix("W^(1)", 2), matrix("W^(2)", 2)), (matrix("b^(1)", 1), matrix("b^(2)", 1))
    z1 = b.product("z^(1)", W[0] @ x + c[0])
    a1 = b.product("a^(1)", Apply(σ, (z1,)))
    z2 = b.product("z^(2)", W[1] @ a1 + c[1])
    a2 = b.product("a^(2)", Apply(σ, (z2,)))
    return Net(x, t, W, c, (z1, z2), (a1, a2))


def by(symbol: str) -> Partial:
    base, _, sup = symbol.partition("^")
    return Partial(L, Symbol(base, sup=sup))


@dataclass(frozen=True)
class Slopes:
    """What the loss does, each measured by difference quotients."""

    delta: tuple[Name, Name]
    a: tuple[Name, Name]
    W: tuple[Name, Name]
    c: tuple[Name, Name]


def slopes(b: Board, n: Net) -> Slopes:
    return Slopes(
        delta=(b.gradient(n.from_z1(n.z[0]), n.z[0], "δ^(1)"), b.gradient(n.from_z2(n.z[1]), n.z[1], "δ^(2)")),
        a=(b.gradient(n.from_a1(n.a[0]), n.a[0], by("a^(1)")), b.gradient(n.loss(n.a[1]), n.a[1], by("a^(2)"))),
        W=(b.gradient(n.whole(), n.W[0], by("W^(1)")), b.gradient(n.whole(), n.W[1], by("W^(2)"))),
        c=(b.gradient(n.whole(), n.c[0], by("b^(1)")), b.gradient(n.whole(), n.c[1], by("b^(2)"))),
    )


def derivation(b: Board) -> Iterator[Block]:
    n = net(b)
    s = slopes(b, n)
    yield diagram(
        b,
        both("A 2-2-2 network", "一个 2-2-2 网络"),
        (("x_1", "x_2"), ("a^(1)_1", "a^(1)_2"), ("a^(2)_1", "a^(2)_2")),
        "w",
    )
    a, t = [b.entry(n.a[1], j) for j in (1, 2)], [b.entry(n.t, j) for j in (1, 2)]
    loss = b.hold(L, b.value(n.whole()))
    yield b.step(
        both("The network", "网络"),
        both(
            "Two layers with the sigmoid, and half the squared error. Everything below holds for any widths, any depth and any activation that "
            "acts on each unit by itself.",
            "两层 sigmoid，损失为平方误差的一半。下面的结论对任意宽度、任意深度、任何逐单元作用的激活函数都成立。",
        ),
        b.line(n.z[0], n.W[0] @ n.x + n.c[0]),
        b.line(n.a[0], Apply(σ, (n.z[0],))),
        b.line(n.z[1], n.W[1] @ n.a[0] + n.c[1]),
        b.line(n.a[1], Apply(σ, (n.z[1],))),
        b.line(loss, ((a[0] - t[0]) ** 2 + (a[1] - t[1]) ** 2) / 2),
    )
    measured = b.gradient(n.from_z2(n.z[1]), n.z[1], by("z^(2)"))
    early = b.gradient(n.from_z1(n.z[0]), n.z[0], by("z^(1)"))
    yield b.step(
        both("The letter δ", "记号 δ"),
        both(
            "δ is the slope of the loss with respect to the weighted sum of one unit. All gradients will be written with it.",
            "δ 是损失对某个单元加权和的偏导数。所有梯度都用它来写。",
        ),
        *(b.line(b.entry(s.delta[1], j), b.entry(measured, j)) for j in (1, 2)),
        *(b.line(b.entry(s.delta[0], j), b.entry(early, j)) for j in (1, 2)),
    )
    yield from first(b, n, s)
    yield from second(b, n, s)
    yield from third_and_fourth(b, n, s)
    yield from batch(b)


def first(b: Board, n: Net, s: Slopes) -> Iterator[Block]:
    z, a, t, delta, by_a = ([b.entry(m, j) for j in (1, 2)] for m in (n.z[1], n.a[1], n.t, s.delta[1], s.a[1]))
    yield b.step(
        both("BP1: the output layer", "BP1：输出层"),
        both(
            "The sum of an output unit reaches the loss only through that unit's own output: one path, two factors. With half the squared error the first factor is the output minus the target. ⊙ multiplies entry by entry, so the last line says it for all units at once.",
            "输出单元的加权和只通过本单元的输出影响损失：一条路径，两个因子。损失取平方误差的一半时，第一个因子就是输出减目标。⊙ 表示逐元素相乘，所以最后一行一次写出所有单元。",
        ),
        *(b.line(by_a[j], a[j] - t[j]) for j in (0, 1)),
        *(b.line(delta[j], by_a[j] * Apply(σ_prime, (z[j],))) for j in (0, 1)),
        b.line(s.delta[1], hadamard(s.a[1], Apply(σ_prime, (n.z[1],)))),
    )


def second(b: Board, n: Net, s: Slopes) -> Iterator[Block]:
    delta, late, by_a, z = ([b.entry(m, j) for j in (1, 2)] for m in (s.delta[0], s.delta[1], s.a[0], n.z[0]))
    w = {(j, k): b.entry(n.W[1], j, k) for j in (1, 2) for k in (1, 2)}
    sums = [weighted(b, n.W[1], n.a[0], j) + b.entry(n.c[1], j) for j in (1, 2)]
    yield b.step(
        both(
            "From layer to layer: how a sum changes with an output of the layer before",
            "逐层往回：加权和随前一层输出的变化",
        ),
        both(
            "Output k of the hidden layer stands in the sum of every unit j behind it, each time with its weight.",
            "隐藏层的第 k 个输出出现在后面每个单元 j 的加权和里，系数就是对应的权重。",
        ),
        *(
            b.line(
                b.slope(
                    sums[j - 1], b.entry(n.a[0], k), Partial(symbol(b.entry(n.z[1], j)), symbol(b.entry(n.a[0], k)))
                ),
                w[j, k],
            )
            for k in (1, 2)
            for j in (1, 2)
        ),
    )
    yield b.step(
        both("BP2: an earlier layer", "BP2：前面的层"),
        both(
            "So there are two paths from it to the loss, and they are added. Row after row this is the product with the transpose: the sum runs "
            "over the first index of the weights. Then the sum of the unit itself is one factor further away, the slope of its activation.",
            "所以它到损失有两条路径，要相加。逐行来看，这正是与转置矩阵的乘积：求和对权重的第一个下标进行。"
            "再往前一步到本单元的加权和，只多一个因子：激活函数的导数。",
        ),
        *(b.line(by_a[k - 1], w[1, k] * late[0] + w[2, k] * late[1]) for k in (1, 2)),
        *(
            b.line(
                delta[k - 1],
                by_a[k - 1] * Apply(σ_prime, (z[k - 1],)),
                (w[1, k] * late[0] + w[2, k] * late[1]) * Apply(σ_prime, (z[k - 1],)),
            )
            for k in (1, 2)
        ),
        b.line(s.delta[0], hadamard(transpose(n.W[1]) @ s.delta[1], Apply(σ_prime, (n.z[0],)))),
    )


def third_and_fourth(b: Board, n: Net, s: Slopes) -> Iterator[Block]:
    yield b.step(
        both("BP3: the biases", "BP3：偏置"),
        both(
            "A bias stands in the sum of its unit with the factor 1, so its gradient is δ itself.",
            "偏置在本单元的加权和里系数为 1，所以它的梯度就是 δ。",
        ),
        *(b.line(b.entry(s.c[1], j), b.entry(s.delta[1], j)) for j in (1, 2)),
        *(b.line(s.c[i], s.delta[i]) for i in (1, 0)),
    )
    yield b.step(
        both("BP4: the weights", "BP4：权重"),
        both(
            "A weight stands in one sum alone, that of the unit it leads to, multiplied by the output of the unit it comes from. Its gradient is "
            "the δ at its end times the output at its beginning. All of them together are a column times a row.",
            "一个权重只出现在一个加权和里，即它所通向的单元的和，乘的是它所来自的单元的输出。它的梯度等于终点的 δ 乘以起点的输出。"
            "合起来就是一列乘一行。",
        ),
        *(b.line(b.entry(s.W[1], j, k), b.entry(s.delta[1], j) * b.entry(n.a[0], k)) for j in (1, 2) for k in (1, 2)),
        b.line(s.W[1], s.delta[1] @ transpose(n.a[0])),
        *(b.line(b.entry(s.W[0], j, k), b.entry(s.delta[0], j) * b.entry(n.x, k)) for j in (1, 2) for k in (1, 2)),
        b.line(s.W[0], s.delta[0] @ transpose(n.x)),
    )


def batch(b: Board) -> Iterator[Block]:
    """The same with samples as rows, as in code."""
    A, W, c, T = b.matrix("A", 3, 2), b.matrix("W", 2, 2), b.matrix("b", 2, 1), b.matrix("T", 3, 2)
    ones = b.matrix("1", 3, 1, [[1], [1], [1]])

    def loss(Z: Formula) -> Formula:
        error = Apply(σ, (Z,)) - T
        return grand_total(hadamard(error, error)) / 2

    sums = A @ transpose(W) + ones @ transpose(c)
    Z = b.product("Z", sums)
    D = b.gradient(loss(Z), Z, "Δ")
    yield b.step(
        both("Samples as rows", "样本写成行"),
        both(
            "With a sample in every row, the δ of the samples are the rows of Δ, 1 is a column of ones, and the loss is the sum over the samples. A weight is used by "
            "every sample, so the products are added over the rows; that is what the matrix product does. Going back, the matrix now "
            "stands without transpose, because going forward it had one.",
            "每行一个样本时，各样本的 δ 是 Δ 的各行，1 是全 1 列，损失是各样本的损失之和。每个样本都用到同一个权重，所以乘积要对各行相加，矩阵乘法做的正是这件事。"
            "往回走时矩阵不带转置，因为往前走时它带了转置。",
        ),
        b.line(Z, sums),
        b.line(b.gradient(loss(sums), W, by("W")), transpose(D) @ A),
        b.line(b.gradient(loss(sums), c, by("b")), transpose(D) @ ones),
        b.line(b.gradient(loss(sums), A, by("A")), D @ W),
    )


def symbol(name: Name) -> Symbol:
    assert isinstance(name.symbol, Symbol)
    return name.symbol


def numbers(b: Board) -> Iterator[Block]:
    n = net(b, example=True)
    s = slopes(b, n)
    yield b.step(
        both("Forward", "前向"),
        both("The sums and outputs of both layers.", "两层的加权和与输出。"),
        b.line(n.z[0], n.W[0] @ n.x + n.c[0], numbers=True),
        b.line(n.a[0], Apply(σ, (n.z[0],)), numbers=True),
        b.line(n.z[1], n.W[1] @ n.a[0] + n.c[1], numbers=True),
        b.line(n.a[1], Apply(σ, (n.z[1],)), numbers=True),
    )
    ones = b.matrix("1", 2, 1, [[1], [1]])
    yield b.step(
        both("Backward", "反向"),
        both(
            "The slope of the sigmoid is its output times one minus its output. On the left stand difference quotients of the loss.",
            "sigmoid 的导数等于输出乘以（1 减输出）。左边是损失的差商。",
        ),
        b.line(s.delta[1], hadamard(n.a[1] - n.t, n.a[1], ones - n.a[1]), numbers=True),
        b.line(s.delta[0], hadamard(transpose(n.W[1]) @ s.delta[1], n.a[0], ones - n.a[0]), numbers=True),
        b.line(s.W[1], s.delta[1] @ transpose(n.a[0]), numbers=True),
        b.line(s.W[0], s.delta[0] @ transpose(n.x), numbers=True),
    )


def no_slope(b: Board) -> tuple[Formula, Formula]:
    n = net(b)
    s = slopes(b, n)
    w, late = [b.entry(n.W[1], j, 1) for j in (1, 2)], [b.entry(s.delta[1], j) for j in (1, 2)]
    return w[0] * late[0] + w[1] * late[1], b.entry(s.delta[0], 1)


def not_turned(b: Board) -> tuple[Formula, Formula]:
    n = net(b)
    s = slopes(b, n)
    return b.entry(b.product("p", n.W[1] @ s.delta[1]), 1), b.entry(s.a[0], 1)


def new_weights(b: Board) -> tuple[Formula, Formula]:
    n = net(b)
    s = slopes(b, n)
    after = b.product("W", n.W[1] - s.W[1])
    return b.entry(b.product("p", transpose(after) @ s.delta[1]), 1), b.entry(s.a[0], 1)


lesson = Lesson(
    title=both("The equations of backpropagation", "反向传播的四个方程"),
    short=both(
        "BP1 δ at the output, BP2 δ one layer back through Wᵀ, BP3 the bias has δ, BP4 the weight has δ times its input.",
        "BP1 输出层的 δ；BP2 经 Wᵀ 往回一层；BP3 偏置的梯度是 δ；BP4 权重的梯度是 δ 乘以它的输入。",
    ),
    chapter="gradients",
    position=2,
    derivation=derivation,
    numbers=numbers,
    why=(
        both(
            "These four lines are all of it: every fully connected network, however deep, is differentiated by BP1 once, BP2 once for every earlier layer, and BP3 and BP4 once per layer.",
            "全部内容就是这四条：任何全连接网络，不论多深，求导都是用一次 BP1，前面每层用一次 BP2，再每层各用一次 BP3 和 BP4。",
        ),
        both(
            "BP4 tells when a weight learns slowly: where the input of the weight is near 0, or where δ is, for example because the unit is saturated.",
            "从 BP4 可以看出权重何时学得慢：它的输入接近 0，或 δ 接近 0（例如单元饱和时）。",
        ),
        both(
            "Softmax mixes the units of its layer, so BP1 has a sum there; with cross-entropy it becomes the output minus the target.",
            "softmax 把本层各单元混在一起，所以 BP1 里会出现求和；配上交叉熵，结果就是输出减目标。",
        ),
    ),
    mistakes=(
        Mistake(
            both("δ of a hidden layer is Wᵀδ.", "隐藏层的 δ 是 Wᵀδ。"),
            both(
                "That is ∂L/∂a. δ has the slope of the activation as a further factor.",
                "那是 ∂L/∂a。δ 还要乘以激活函数的导数。",
            ),
            no_slope,
        ),
        Mistake(
            both("Backwards one multiplies by W.", "往回时乘以 W。"),
            both(
                "By its transpose: the sum runs over the units behind, the first index.",
                "乘以它的转置：对后一层的单元求和，也就是第一个下标。",
            ),
            not_turned,
        ),
        Mistake(
            both(
                "The updated weights of the last layer are used for the layer before.", "用更新后的末层权重计算前一层。"
            ),
            both(
                "All gradients are taken at the old weights; the update comes after the whole backward pass.",
                "所有梯度都在旧权重处计算；整个反向传播结束后才更新。",
            ),
            new_weights,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [0, 1]
layers:
  - linear: {out: 2, weight: [[0.1, 0.2], [-0.3, 0.4]], bias: [0.1, -0.1]}
  - sigmoid
  - linear: {out: 2, weight: [[0.5, -0.6], [0.7, 0.8]], bias: [0.2, -0.2]}
  - sigmoid
loss: half_squared_error
optimizer: {sgd: {lr: 0.5}}
""",
    see=("chain_rule", "transpose", "vanishing_gradients", "sigmoid", "softmax_cross_entropy", "gradient_descent"),
)

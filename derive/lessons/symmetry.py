"""Equal weights stay equal: why initial weights have to differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from derive.board import Board, Lesson, Mistake, both
from derive.document import Amount, Block
from derive.formula import Apply, Formula, Name, grand_total
from derive.lessons._network import diagram, partial, weighted
from derive.ops.activations import relu
from derive.ops.activations import tanh as tanh_op
from derive.ops.base import Elementwise

hidden, bent = tanh_op(), relu()
assert isinstance(hidden, Elementwise) and isinstance(bent, Elementwise)
f, f_prime, ReLU, ReLU_prime = hidden.function, hidden.derivative(), bent.function, bent.derivative()
STEPS, RATE = 200, 0.5
XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0, 1.0, 0.0])


def derivation(b: Board) -> Iterator[Block]:
    yield diagram(
        b,
        both("Two hidden units that start with equal weights", "两个初始权重相同的隐藏单元"),
        (("x_1", "x_2"), ("a_1", "a_2"), ("y",)),
        bias=True,
    )
    p, q, r, s = (b.random.randint(2, 15) for _ in range(4))
    tenths = [f"{n / 10}" for n in (p, q, r, s)]
    W = b.matrix("W", 2, 2, [tenths[:2], tenths[:2]])
    x, c, v = b.matrix("x", 2, 1), b.matrix("b", 2, 1, [[tenths[2]]] * 2), b.matrix("v", 2, 1, [[tenths[3]]] * 2)
    d, t = b.free("c"), b.free("t")
    w = {(j, k): b.entry(W, j, k) for j in (1, 2) for k in (1, 2)}
    (v1, v2), (b1, b2) = [b.entry(v, i) for i in (1, 2)], [b.entry(c, i) for i in (1, 2)]
    z = [b.defined(f"z_{j}", weighted(b, W, x, j) + bias) for j, bias in ((1, b1), (2, b2))]
    a = [b.defined(f"a_{j + 1}", Apply(f, (z[j],))) for j in (0, 1)]
    out = v1 * a[0] + v2 * a[1] + d
    y = b.defined("y", out)
    yield b.step(
        both("The start", "起点"),
        both(
            "Two hidden tanh units, one output, half the squared error. Both hidden units begin with the same weights, the same bias and the same "
            "weight to the output.",
            "两个 tanh 隐藏单元，一个输出，损失取平方误差的一半。两个隐藏单元的输入权重、偏置和到输出的权重，起初都相同。",
        ),
        *(b.line(w[2, k], w[1, k]) for k in (1, 2)),
        b.line(b2, b1),
        b.line(v2, v1),
    )
    yield b.step(
        both("Equal outputs", "输出相等"),
        both(
            "Equal weights make equal sums of the same inputs, and equal sums equal outputs.",
            "权重相等，对同样的输入加权和就相等；加权和相等，输出也相等。",
        ),
        b.line(z[1], w[2, 1] * b.entry(x, 1) + w[2, 2] * b.entry(x, 2) + b2, weighted(b, W, x, 1) + b1, z[0]),
        b.line(a[1], Apply(f, (z[1],)), Apply(f, (z[0],)), a[0]),
        b.line(y, out),
    )
    yield from equal_gradients(b, W, c, v, x, d, t, y, z, a)
    yield b.step(
        both("Two units do the work of one", "两个单元只顶一个"),
        both(
            "As long as they are equal, the output is that of a single unit with the sum of the two weights.",
            "只要两者相等，输出就等于权重为两者之和的单个单元的输出。",
        ),
        b.line(y, (v1 + v2) * a[0] + d, 2 * v1 * a[0] + d),
    )
    yield from zeros(b)


def equal_gradients(
    b: Board, W: Name, c: Name, v: Name, x: Name, d: Name, t: Name, y: Name, z: list[Name], a: list[Name]
) -> Iterator[Block]:
    def loss(W: Formula, c: Formula, v: Formula) -> Formula:
        error = grand_total(v.T @ Apply(f, (W @ x + c,))) + d - t
        return error**2 / 2

    by_v = b.gradient(loss(W, c, v), v, partial("L", v))
    by_W, by_b = b.gradient(loss(W, c, v), W, partial("L", W)), b.gradient(loss(W, c, v), c, partial("L", c))
    v1, v2 = b.entry(v, 1), b.entry(v, 2)
    δ = [(y - t) * weight * Apply(f_prime, (z[j],)) for j, weight in ((0, v1), (1, v2))]
    delta = [b.defined(f"δ_{j + 1}", δ[j]) for j in (0, 1)]
    yield b.step(
        both("Equal gradients", "梯度相等"),
        both(
            "The gradient of every weight is the δ at its end times the output at its beginning. Both are equal for the two units, so all gradients are "
            "equal in pairs. On the left stand difference quotients, each weight moved by itself.",
            "每个权重的梯度等于终点的 δ 乘以起点的输出。这两样对两个单元都相等，所以梯度两两相等。左边是差商，每次只移动一个权重。",
        ),
        b.line(b.entry(by_v, 2), (y - t) * a[1], (y - t) * a[0], b.entry(by_v, 1)),
        b.line(delta[1], δ[1], δ[0], delta[0]),
        *(
            b.line(b.entry(by_W, 2, k), delta[1] * b.entry(x, k), delta[0] * b.entry(x, k), b.entry(by_W, 1, k))
            for k in (1, 2)
        ),
        b.line(b.entry(by_b, 2), delta[1], delta[0], b.entry(by_b, 1)),
    )
    η = b.free("η", "0.01", 1)
    after = [b.defined(f"w^+_{j}1", b.entry(W, j, 1) - η * b.entry(by_W, j, 1)) for j in (1, 2)]
    yield b.step(
        both("Equal updates", "更新相等"),
        both(
            "Equal weights less equal gradients are equal weights; η is the learning rate, a raised + marks the weight after the step. The same holds for the other pairs, and over a batch, whose gradient is a sum of "
            "such equal terms.",
            "相等的权重减去相等的梯度，仍然相等；η 是学习率，右上角的 + 表示更新之后的权重。其余各对同理；对一个批次也成立，因为它的梯度是这些相等项之和。",
        ),
        b.line(
            after[1],
            b.entry(W, 2, 1) - η * b.entry(by_W, 2, 1),
            b.entry(W, 1, 1) - η * b.entry(by_W, 1, 1),
            after[0],
        ),
    )
    yield b.step(
        both("Forever", "永远如此"),
        both(
            "What holds before a step holds after it. It held at the start, so it holds after every number of steps. Momentum, RMSprop and Adam do not change that: "
            "they treat every entry by the same rule, and equal gradients from an equal start give equal averages.",
            "一步之前成立，一步之后也成立；起点成立，所以走多少步都成立。动量、RMSprop 和 Adam 也改变不了：它们对每个元素用同一规则，"
            "起点相同、梯度相同，平均值也就相同。",
        ),
    )


def zeros(b: Board) -> Iterator[Block]:
    """All weights 0 with ReLU."""
    x, t, d = b.matrix("x", 2, 1), b.free("t"), b.free("c")
    W, v = b.matrix("W", 2, 2, [[0, 0], [0, 0]]), b.matrix("v", 2, 1, [[0], [0]])
    a = b.product("a", Apply(ReLU, (W @ x,)))
    y, z = b.defined("y", d), b.defined("z_1", weighted(b, W, x, 1))

    def loss(W: Formula, v: Formula) -> Formula:
        return (grand_total(v.T @ Apply(ReLU, (W @ x,))) + d - t) ** 2 / 2

    by_v, by_W = b.gradient(loss(W, v), v, partial("L", v)), b.gradient(loss(W, v), W, partial("L", W))
    by_d = b.slope((d - t) ** 2 / 2, d, partial("L", d))
    yield b.step(
        both("All zeros with ReLU", "ReLU 网络全取零"),
        both(
            "If all weights and hidden biases are 0, all hidden outputs are 0, and so are the gradients of the weights behind them; the gradients of the weights before "
            "them are 0 because they go through those. Only the bias c of the output moves, and the next step finds the same again: the network never starts. tanh is 0 at 0 too, and does the same; the sigmoid gives ½ there, so its "
            "weights do move, but stay equal.",
            "权重和隐藏层偏置全为 0 时，隐藏层输出全为 0，后面权重的梯度也是 0；前面权重的梯度要经过后面的权重，同样是 0。"
            "只有输出层的偏置 c 会动，下一步情形依旧：网络永远起步不了。tanh 在 0 处也是 0，结果一样；sigmoid 在 0 处是 ½，权重会动，但始终相等。",
        ),
        b.line(z, weighted(b, W, x, 1), 0),
        b.line(b.entry(a, 1), Apply(ReLU, (z,)), 0),
        b.line(b.entry(by_v, 1), (y - t) * b.entry(a, 1), 0),
        b.line(b.entry(by_W, 1, 1), (y - t) * b.entry(v, 1) * Apply(ReLU_prime, (z,)) * b.entry(x, 1), 0),
        b.line(by_d, y - t),
    )


def numbers(b: Board) -> Iterator[Block]:
    x1, x2, t, η = b.number("x_1", 1), b.number("x_2", 2), b.number("t", 1), b.number("η", "0.1")
    w = {(j, k): b.number(f"w_{j}{k}", "0.5") for j in (1, 2) for k in (1, 2)}
    v = [b.number(f"v_{j}", "0.5") for j in (1, 2)]
    z = [b.defined(f"z_{j}", w[j, 1] * x1 + w[j, 2] * x2) for j in (1, 2)]
    a = [b.defined(f"a_{j + 1}", Apply(ReLU, (z[j],))) for j in (0, 1)]
    y = b.defined("y", v[0] * a[0] + v[1] * a[1])
    whole = (
        v[0] * Apply(ReLU, (w[1, 1] * x1 + w[1, 2] * x2,)) + v[1] * Apply(ReLU, (w[2, 1] * x1 + w[2, 2] * x2,)) - t
    ) ** 2 / 2
    by = [b.slope(whole, w[j, 1], partial("L", w[j, 1])) for j in (1, 2)]
    lines = [b.line(by[j], (y - t) * v[j] * x1, numbers=True) for j in (0, 1)]
    yield b.step(
        both("One step by hand", "手算一步"),
        both(
            "Two ReLU units without biases, all weights 0.5, inputs 1 and 2, target 1. Both units are on, so their slope is 1.",
            "两个 ReLU 单元，没有偏置，权重全为 0.5，输入为 1 和 2，目标为 1。两个单元都已激活，导数为 1。",
        ),
        *(b.line(z[j], w[j + 1, 1] * x1 + w[j + 1, 2] * x2, numbers=True) for j in (0, 1)),
        b.line(y, v[0] * a[0] + v[1] * a[1], numbers=True),
        *lines,
        *(
            b.line(b.defined(f"w^+_{j}1", w[j, 1] - η * by[j - 1]), w[j, 1] - η * by[j - 1], numbers=True)
            for j in (1, 2)
        ),
    )
    equal, apart = run(alike=True), run(alike=False)
    rows = []
    for step in (0, 1, 2, 10, 50, STEPS):
        found = [values[step] for run_ in (equal, apart) for values in run_[:2]]
        rows.append((step, *(Amount(b.hold("w", b.values.algebra.number(float(value)))) for value in found)))
    yield b.table(
        both(
            "Learning XOR with tanh and η = 0.5: the first weights",
            "用 tanh 学习 XOR，η = 0.5：两个单元的第一个权重",
        ),
        (
            both("step", "步"),
            both("equal: unit 1", "相同：单元 1"),
            both("unit 2", "单元 2"),
            both("different: unit 1", "不同：单元 1"),
            both("unit 2", "单元 2"),
        ),
        rows,
    )


def run(*, alike: bool) -> tuple[list[float], list[float], list[float]]:
    """XOR with two tanh units by gradient descent: w₁₁, w₂₁ and the loss, half the mean squared error, over the steps."""
    X, T = XOR
    W = np.array([[1.0, -1.0], [1.0, -1.0] if alike else [0.8, -0.9]])
    c, v, d = np.zeros(2), np.full(2, 0.5), 0.0
    first, second, losses = [], [], []
    for _ in range(STEPS + 1):
        A = np.tanh(X @ W.T + c)
        error = A @ v + d - T
        first.append(float(W[0, 0]))
        second.append(float(W[1, 0]))
        losses.append(float(np.mean(error**2)) / 2)
        delta = np.outer(error, v) * (1 - A**2) / len(T)
        W, c, v, d = (
            W - RATE * delta.T @ X,
            c - RATE * delta.sum(axis=0),
            v - RATE * A.T @ error / len(T),
            d - RATE * float(np.mean(error)),
        )
    return first, second, losses


def picture(b: Board) -> Iterator[Block]:
    yield b.chart(
        both("Half the mean squared error on XOR with two hidden units", "两个隐藏单元学习 XOR 时均方误差的一半"),
        both("step", "步"),
        "L",
        {
            both("equal start", "起点相同"): list(enumerate(run(alike=True)[2])),
            both("different start", "起点不同"): list(enumerate(run(alike=False)[2])),
        },
    )


def stays(b: Board) -> tuple[Formula, Formula]:
    equal, apart = run(alike=True), run(alike=False)
    number = b.values.algebra.number
    return b.hold("w", number(apart[0][-1] - apart[1][-1])), b.hold("w", number(equal[0][-1] - equal[1][-1]))


lesson = Lesson(
    title=both("Breaking the symmetry", "打破对称性"),
    short=both(
        "Units that start with equal weights get equal gradients and stay equal forever; so initial weights are drawn at random.",
        "起始权重相同的单元梯度相同，永远相同；所以初始权重要随机取。",
    ),
    chapter="initialization",
    position=1,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Zeros, ones or any constant as initial weights leave a layer of any width with one useful unit at most.",
            "初始权重取 0、取 1 或取任何常数，不论一层多宽，真正有用的最多只有一个单元。",
        ),
        both(
            "Biases may all start at 0: as soon as the weights differ, the units differ.",
            "偏置可以都从 0 开始：只要权重不同，单元就不同。",
        ),
        both(
            "How large the random weights should be is a question of its own, answered by Xavier's and Kaiming's initialization.",
            "随机权重该取多大，是另一个问题，由 Xavier 和 Kaiming 初始化来回答。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Training will make equal units different in time.", "训练久了，相同的单元自然会变得不同。"),
            both(
                "Gradient descent never does. Only a difference at the start, or chance in training such as dropout, tells them apart.",
                "梯度下降做不到。只有起点的差别，或训练中的随机性（如 dropout）才能把它们区分开。",
            ),
            stays,
        ),
        Mistake(
            both("Biases must be random too.", "偏置也必须随机。"),
            both(
                "Zeros do as well, as soon as the weights differ. PyTorch's Linear draws its biases, but need not.",
                "取 0 就行，只要权重不同。PyTorch 的 Linear 随机抽取偏置，但并非必需。",
            ),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, 0.5], [0.5, 0.5]], bias: [0, 0]}
  - relu
  - linear: {out: 1, weight: [[0.5, 0.5]], bias: [0]}
loss: half_squared_error
optimizer: {sgd: {lr: 0.1}}
""",
    see=("variance_propagation", "xavier", "kaiming", "backprop_equations", "dropout", "relu"),
)

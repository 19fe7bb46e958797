"""Why the transpose stands in the backward pass."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, Partial, Symbol, grand_total, hadamard, transpose
from derive.lessons._network import weighted

L = Symbol("L")


def loss(z: Formula, t: Name) -> Formula:
    """Some loss of two numbers; which one does not matter here."""
    error = z - t
    return grand_total(hadamard(error, error, error)) / 3 + grand_total(hadamard(error, error)) / 2


def derivation(b: Board) -> Iterator[Block]:
    W, a, t = b.matrix("W", 2, 3), b.matrix("a", 3, 1), b.matrix("t", 2, 1)
    sums = [weighted(b, W, a, j) for j in (1, 2)]
    z = b.column("z", sums)
    delta = b.gradient(loss(z, t), z, "δ")
    by_a = b.gradient(loss(W @ a, t), a, Partial(L, Symbol("a")))
    w = {(j, k): b.entry(W, j, k) for j in (1, 2) for k in (1, 2, 3)}
    d1, d2 = b.entry(delta, 1), b.entry(delta, 2)
    yield b.step(
        both("Forward: along the rows", "前向：沿着行"),
        both(
            "A layer of two units with three inputs; the bias changes nothing here and is left out. In each sum the first index stays and the "
            "second runs: a row of W is used.",
            "设一层有两个单元、三个输入；偏置在这里不起作用，略去。每个加权和里第一个下标不变，第二个下标变动：用的是 W 的一行。",
        ),
        b.line(b.entry(z, 1), sums[0]),
        b.line(b.entry(z, 2), sums[1]),
        b.line(z, W @ a),
    )
    yield b.step(
        both("Where one input goes", "一个输入去了哪里"),
        both(
            "The first input stands in both sums: in the first with w₁₁, in the second with w₂₁. These weights stand below one another in W, in "
            "its first column.",
            "第一个输入出现在两个加权和里：第一个里系数是 w₁₁，第二个里是 w₂₁。这两个权重在 W 中上下排列，构成第一列。",
        ),
        *(
            b.line(b.slope(sums[j - 1], b.entry(a, 1), Partial(Symbol("z", str(j)), Symbol("a", "1"))), w[j, 1])
            for j in (1, 2)
        ),
    )
    yield b.step(
        both("Backward: along the columns", "反向：沿着列"),
        both(
            "By the chain rule both paths are added. δ is the slope of the loss with respect to a sum z. For each input the second index stays and the first "
            "runs: a column of W is used.",
            "由链式法则，两条路径相加。δ 是损失对加权和 z 的偏导数。对每个输入，第二个下标不变，第一个下标变动：用的是 W 的一列。",
        ),
        *(b.line(b.entry(by_a, k), w[1, k] * d1 + w[2, k] * d2) for k in (1, 2, 3)),
    )
    yield from columns_as_rows(b, W, a, delta, by_a)
    yield from directions(b, W, delta, by_a)
    yield from weights_and_samples(b, W, a, t, delta)


def columns_as_rows(b: Board, W: Name, a: Name, delta: Name, by_a: Name) -> Iterator[Block]:
    """The transpose, entry by entry."""
    w = {(j, k): b.entry(W, j, k) for j in (1, 2) for k in (1, 2, 3)}
    turned = b.grid(Symbol("V"), [[w[j, k] for j in (1, 2)] for k in (1, 2, 3)])
    yield b.step(
        both("The columns as rows", "把列写成行"),
        both(
            "A matrix product uses rows. Let V be the matrix whose rows are the columns of W: its entry in row k and column j is that of W "
            "in row j and column k. That is the transpose.",
            "矩阵乘法用的是行。设矩阵 V 的各行是 W 的各列：V 的第 k 行第 j 列就是 W 的第 j 行第 k 列。这就是转置。",
        ),
        *(b.line(b.entry(turned, k, j), w[j, k]) for k in (1, 2, 3) for j in (1, 2)),
        b.line(turned, transpose(W)),
        b.line(by_a, turned @ delta, transpose(W) @ delta),
    )
    yield b.table(
        both("The shapes leave no other choice", "从形状看也别无选择"),
        (both("product", "乘积"), both("shapes", "形状"), both("result", "结果")),
        (
            (W @ a, "(2 × 3)(3 × 1)", "2 × 1"),
            (transpose(W) @ delta, "(3 × 2)(2 × 1)", "3 × 1"),
            (W @ delta, "(2 × 3)(2 × 1)", both("does not exist", "无意义")),
        ),
    )


def directions(b: Board, W: Name, delta: Name, by_a: Name) -> Iterator[Block]:
    """The same without indices."""
    h = b.matrix("h", 3, 1)
    u = b.product("u", W @ h)
    yield b.step(
        both("Without indices", "不用下标"),
        both(
            "Let the inputs move in a direction h. Then z moves by u = Wh, and the loss changes at the rate δᵀu. Seen from the inputs, that rate is "
            "the gradient, as a row, times h. Both hold for every h, so the row that multiplies h is the same: the gradient is the transpose of δᵀW.",
            "让输入沿方向 h 移动，则 z 移动 u = Wh，损失的变化率是 δᵀu。从输入来看，这个变化率又是梯度（写成行）与 h 的乘积。"
            "两者对每个 h 都成立，所以与 h 相乘的行相同：梯度就是 δᵀW 的转置。",
        ),
        b.line(u, W @ h),
        b.line(transpose(delta) @ u, transpose(delta) @ W @ h, transpose(by_a) @ h),
        b.line(transpose(by_a), transpose(delta) @ W),
        b.line(by_a, transpose(W) @ delta),
    )


def weights_and_samples(b: Board, W: Name, a: Name, t: Name, delta: Name) -> Iterator[Block]:
    """Where else a transpose stands."""
    by_W = b.gradient(loss(W @ a, t), W, Partial(L, Symbol("W")))
    yield b.step(
        both("The weights: a column times a row", "权重：一列乘一行"),
        both(
            "Here the inputs are transposed: the gradient of the weight with the indices j and k is δ number j times input number k, so δ gives the row and the input the column.",
            "这里转置的是输入：下标为 j、k 的权重，梯度是第 j 个 δ 乘以第 k 个输入，所以 δ 决定行，输入决定列。",
        ),
        *(b.line(b.entry(by_W, j, k), b.entry(delta, j) * b.entry(a, k)) for j, k in ((1, 1), (1, 2), (2, 3))),
        b.line(by_W, delta @ transpose(a)),
    )
    A, T = b.matrix("A", 2, 3), b.matrix("T", 2, 2)
    Z = b.product("Z", A @ transpose(W))
    D = b.gradient(loss(Z, T), Z, "Δ")
    yield b.step(
        both("With samples as rows it is the other way round", "样本为行时正好相反"),
        both(
            "In code the samples are rows. There W is transposed on the way forward, and stands as it is on the way back.",
            "代码里样本是行。这时 W 在前向时转置，反向时不转置。",
        ),
        b.line(Z, A @ transpose(W)),
        b.line(b.gradient(loss(A @ transpose(W), T), A, Partial(L, Symbol("A"))), D @ W),
    )


def numbers(b: Board) -> Iterator[Block]:
    W = b.matrix("W", 2, 3, [[1, 2, 3], [4, 5, 6]])
    a, delta = b.matrix("a", 3, 1, [[1], [0], [-1]]), b.matrix("δ", 2, 1, [[1], [-2]])
    by_a = b.gradient(transpose(delta) @ (W @ a), a, Partial(L, Symbol("a")))
    by_W = b.gradient(transpose(delta) @ (W @ a), W, Partial(L, Symbol("W")))
    z = b.product("z", W @ a)
    yield b.step(
        both("Two units, three inputs", "两个单元、三个输入"),
        both("Forward with W, back with its transpose.", "前向用 W，反向用它的转置。"),
        b.line(z, W @ a, numbers=True),
        b.line(by_a, transpose(W) @ delta, numbers=True),
        b.line(by_W, delta @ transpose(a), numbers=True),
    )


def not_turned(b: Board) -> tuple[Formula, Formula]:
    W, delta, a = b.matrix("W", 2, 2, [[1, 2], [3, 4]]), b.matrix("δ", 2, 1, [[1], [1]]), b.matrix("a", 2, 1)
    right = b.gradient(transpose(delta) @ (W @ a), a, Partial(L, Symbol("a")))
    return b.entry(b.product("p", W @ delta), 1), b.entry(right, 1)


def inverse(b: Board) -> tuple[Formula, Formula]:
    W, delta = b.matrix("W", 1, 1, [[2]]), b.matrix("δ", 1, 1, [[3]])
    return b.entry(delta, 1, 1) / b.entry(W, 1, 1), b.entry(W, 1, 1) * b.entry(delta, 1, 1)


lesson = Lesson(
    title=both("Why Wᵀ in the backward pass", "反向传播中为什么是 Wᵀ"),
    short=both(
        "Forward the sum runs over the second index of the weights, backward over the first: ∂L/∂a = Wᵀδ.",
        "前向对权重的第二个下标求和，反向对第一个求和：∂L/∂a = Wᵀδ。",
    ),
    chapter="gradients",
    position=3,
    derivation=derivation,
    numbers=numbers,
    why=(
        both(
            "A missing transpose is a common error in a backward pass written by hand. In a square layer the shapes do not give it away, so it "
            "helps to know which index is summed.",
            "手写反向传播时，常见的错误是漏了转置。方阵时形状检查不出来，所以要清楚对哪个下标求和。",
        ),
        both(
            "Signals and gradients use the same edges of the network, only in opposite directions.",
            "信号和梯度走的是同样的边，只是方向相反。",
        ),
    ),
    mistakes=(
        Mistake(
            both("∂L/∂a = Wδ; for a square W it makes no difference.", "∂L/∂a = Wδ；W 是方阵时没有区别。"),
            both("The shapes fit, the numbers do not.", "形状对得上，数值不对。"),
            not_turned,
        ),
        Mistake(
            both("Going back means dividing by W, so it should be the inverse.", "往回走就是除以 W，应该用逆矩阵。"),
            both(
                "Nothing is undone. A large weight makes the loss more sensitive to its input, not less: it multiplies both ways.",
                "反向并不是撤销运算。权重越大，损失对它的输入越敏感：两个方向都是乘。",
            ),
            inverse,
        ),
    ),
    network="""
inputs: [1, 0, -1]
targets: [1, 0]
layers:
  - linear: {out: 3, weight: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], bias: false}
  - tanh
  - linear: {out: 2, weight: [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], bias: false}
loss: half_squared_error
""",
    see=("backprop_equations", "chain_rule", "forward_pass"),
)

"""Batch normalization folded into the linear layer before it: the same network with one layer less."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block, say
from derive.formula import Formula, Symbol, formula, larger, sqrt
from derive.lessons._normalized import standardized


def derivation(b: Board) -> Iterator[Block]:
    yield from one_unit(b)
    yield from whole_layer(b)


def one_unit(b: Board) -> Iterator[Block]:
    """One unit with two inputs."""
    x1, x2, w1, w2, bias = (b.free(symbol) for symbol in ("x_1", "x_2", "w_1", "w_2", "b"))
    γ, β, μ, s2, ε = b.free("γ"), b.free("β"), b.free("μ"), b.free(Symbol("σ", sup="2"), 1, 2), b.free("ε", 0, "0.1")
    z = b.defined("z", w1 * x1 + w2 * x2 + bias)
    s = b.defined("s", sqrt(s2 + ε))
    y = b.defined("y", γ * (z - μ) / sqrt(s2 + ε) + β)
    yield b.step(
        both("Two layers in evaluation", "评估模式下的两层"),
        say(
            both(
                "A linear layer gives {z}, batch normalization {y}. In evaluation {μ} and {s2} are the running statistics: fixed numbers, like the weights.",
                "线性层给出 {z}，批归一化给出 {y}。评估模式下 {μ} 与 {s2} 是滑动统计量，和权重一样是固定的数。",
            ),
            z=z,
            y=y,
            μ=μ,
            s2=s2,
        ),
        b.line(z, w1 * x1 + w2 * x2 + bias),
        b.line(s, sqrt(s2 + ε)),
        b.line(y, γ * ((z - μ) / s) + β),
    )
    yield b.step(
        both("A straight line of z", "关于 z 的一次函数"),
        both(
            "The factor γ/s is multiplied into the bracket. What does not contain z is a constant.",
            "把因子 γ/s 乘进括号。不含 z 的部分是常数。",
        ),
        b.line(y, γ / s * z - γ / s * μ + β),
        b.line(b.slope(γ * (z - μ) / sqrt(s2 + ε) + β, z), γ / s),
    )
    both_layers = normalized(w1 * x1 + w2 * x2 + bias, γ, β, μ, sqrt(s2 + ε))
    new1, new2 = b.slope(both_layers, x1, "w′_1"), b.slope(both_layers, x2, "w′_2")
    shifted = b.defined("b′", normalized(bias, γ, β, μ, s))
    yield b.step(
        both("Put in the linear layer", "代入线性层"),
        both(
            "Each weight gets the factor γ/s. The bias gets it too, after the mean is taken off, and β is added.",
            "每个权重乘以 γ/s。偏置先减去均值，也乘以 γ/s，再加上 β。",
        ),
        b.line(
            y,
            γ / s * (w1 * x1 + w2 * x2 + bias) - γ / s * μ + β,
            γ / s * w1 * x1 + γ / s * w2 * x2 + γ / s * (bias - μ) + β,
        ),
    )
    yield b.step(
        both("The folded layer", "合并后的层"),
        both(
            "This is a linear layer again, with other numbers: the new weights are the slopes of y with respect to the inputs, the new bias is y at the input 0.",
            "这仍是一个线性层，只是数值不同：新权重是 y 对各输入的偏导数，新偏置是输入为 0 时的 y。",
        ),
        b.line(new1, γ / s * w1),
        b.line(new2, γ / s * w2),
        b.line(shifted, γ / s * (bias - μ) + β),
        b.line(y, new1 * x1 + new2 * x2 + shifted),
    )


def normalized(z: Formula, γ: Formula, β: Formula, μ: Formula, s: Formula) -> Formula:
    """Batch normalization of z with fixed statistics."""
    return γ * (z - μ) / s + β


def whole_layer(b: Board) -> Iterator[Block]:
    """All units at once, in matrices."""
    W, x = b.matrix("W", 2, 3), b.matrix("x", 3, 1)
    bias, μ, β = b.matrix("b", 2, 1), b.matrix("μ", 2, 1), b.matrix("β", 2, 1)
    one, two = (b.exactly(b.free("γ", 1, 2)) for _ in range(2))
    G = b.matrix("G", 2, 2, [[one, 0], [0, two]])
    y = b.product("y", G @ (W @ x + bias - μ) + β)
    new, shifted = b.product("W′", G @ W), b.product("b′", G @ (bias - μ) + β)
    yield b.step(
        both("A whole layer", "整个层"),
        say(
            both(
                "Every unit has its own γ/s. With these on the diagonal of a matrix {G} and zeros elsewhere, each row of {W} is multiplied by its own factor, and each bias too.",
                "每个单元有自己的 γ/s。把它们放在矩阵 {G} 的对角线上，其余为 0，就能让 {W} 的每一行乘以各自的因子，每个偏置也一样。",
            ),
            G=G,
            W=W,
        ),
        b.line(y, G @ (W @ x + bias - μ) + β, (G @ W) @ x + G @ (bias - μ) + β),
        b.line(new, G @ W),
        b.line(shifted, G @ (bias - μ) + β),
        b.line(y, new @ x + shifted),
    )


def numbers(b: Board) -> Iterator[Block]:
    x1, x2, w1, w2, bias = (
        b.number(symbol, value) for symbol, value in (("x_1", 1), ("x_2", 2), ("w_1", 3), ("w_2", -1), ("b", "0.5"))
    )
    γ, β, μ, s = b.number("γ", 2), b.number("β", 1), b.number("μ", "-1.5"), b.number("s", 4)
    z = b.defined("z", w1 * x1 + w2 * x2 + bias)
    y = b.defined("y", γ * ((z - μ) / s) + β)
    yield b.step(
        both("Two layers", "两层"),
        both(
            "A unit with the weights 3 and −1 and the bias 0.5, then batch normalization with γ = 2, β = 1, μ = −1.5 and s = 4.",
            "一个单元，权重 3 与 −1，偏置 0.5；其后批归一化 γ = 2，β = 1，μ = −1.5，s = 4。",
        ),
        b.line(z, w1 * x1 + w2 * x2 + bias, numbers=True),
        b.line(y, γ * ((z - μ) / s) + β, numbers=True),
    )
    new1, new2 = b.defined("w′_1", γ / s * w1), b.defined("w′_2", γ / s * w2)
    shifted = b.defined("b′", γ / s * (bias - μ) + β)
    yield b.step(
        both("One layer", "一层"),
        both("The folded numbers give the same output.", "合并后的数值给出相同的输出。"),
        b.line(new1, γ / s * w1, numbers=True),
        b.line(new2, γ / s * w2, numbers=True),
        b.line(shifted, γ / s * (bias - μ) + β, numbers=True),
        b.line(y, new1 * x1 + new2 * x2 + shifted, numbers=True),
    )


def in_training(b: Board) -> tuple[Formula, Formula]:
    z, γ, β = [b.free(f"z_{i}") for i in (1, 2, 3)], b.free("γ", 1, 2), b.free("β")
    μ, s = b.free("μ"), b.free("s", 1, 2)
    return γ / s * (z[0] - μ) + β, γ * standardized(z, formula(0))[0] + β


def activation_between(b: Board) -> tuple[Formula, Formula]:
    w, x, bias, γ, β, μ, s = (b.free(symbol, 1, 2) for symbol in ("w", "x", "b", "γ", "β", "μ", "s"))
    x = b.free("x", -4, -3)
    return larger(γ / s * w * x + γ / s * (bias - μ) + β, 0), normalized(larger(w * x + bias, 0), γ, β, μ, s)


def bias_scaled_only(b: Board) -> tuple[Formula, Formula]:
    w, x, bias, γ, β, μ, s = (b.free(symbol, 1, 2) for symbol in ("w", "x", "b", "γ", "β", "μ", "s"))
    return γ / s * w * x + bias - μ + β, normalized(w * x + bias, γ, β, μ, s)


lesson = Lesson(
    title=both("Folding batch normalization", "批归一化的折叠（融合）"),
    short=both(
        "In evaluation batch normalization is a straight line for each unit, so it can be multiplied into the linear layer before it: w′ = (γ/s)w, b′ = (γ/s)(b − μ) + β.",
        "评估模式下批归一化对每个单元都是一次函数，可以并入它前面的线性层：w′ = (γ/s)w，b′ = (γ/s)(b − μ) + β。",
    ),
    chapter="regularization",
    position=8,
    derivation=derivation,
    numbers=numbers,
    why=(
        both(
            "The folded network gives the same outputs with one layer less to compute and to store. Tools that export networks for phones or quantize them do this first.",
            "合并后的网络输出相同，却少了一层计算和存储。把网络导出到手机或做量化的工具，第一步往往就是它。",
        ),
        both(
            "It is the linear collapse at work: two layers without a nonlinearity between them are one.",
            "这正是线性层的合并：中间没有非线性的两层等于一层。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Fold first, then go on training.", "先合并，再继续训练。"),
            both(
                "In training the statistics are those of the batch and change with every step; only the fixed running statistics can be folded.",
                "训练时用的是批统计量，每一步都在变；只有固定的滑动统计量才能合并。",
            ),
            in_training,
        ),
        Mistake(
            both("It can be folded through a relu.", "可以越过 relu 合并。"),
            both(
                "Only if nothing nonlinear stands between: linear, batch normalization, relu can be folded; linear, relu, batch normalization cannot. Behind a relu it can only be folded forward, into a linear layer that follows it.",
                "中间不能有非线性：“线性、批归一化、relu”可以合并；“线性、relu、批归一化”不行，此时只能并入紧跟其后的线性层。",
            ),
            activation_between,
        ),
        Mistake(
            both("The bias is not scaled.", "偏置不用缩放。"),
            both("b − μ gets the factor γ/s like the weights.", "b − μ 与权重一样要乘以 γ/s。"),
            bias_scaled_only,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2}
  - batch_norm: {eps: 1e-5, momentum: 0.1}
  - relu
  - linear: {out: 1}
  - sigmoid
loss: bce
mode: eval
""",
    see=("batch_norm", "linear_collapse", "layer_norm"),
)

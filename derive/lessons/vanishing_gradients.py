"""Vanishing and exploding gradients: a product with one factor per layer."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block, Line
from derive.formula import (
    Apply,
    Formula,
    Function,
    Name,
    Partial,
    Symbol,
    Written,
    cases,
    formula,
    grand_total,
    hadamard,
    log,
    tanh,
    transpose,
)
from derive.lessons._depth import journey
from derive.ops.activations import relu, sigmoid
from derive.ops.activations import tanh as tanh_op
from derive.ops.base import Elementwise

ops = sigmoid(), tanh_op(), relu()
assert all(isinstance(op, Elementwise) for op in ops)
(σ, σ_prime), (th, th_prime), (ReLU, ReLU_prime) = (
    (op.function, op.derivative()) for op in ops if isinstance(op, Elementwise)
)


def derivation(b: Board) -> Iterator[Block]:
    x = b.free("x")
    w = [b.free(f"w_{l}") for l in (1, 2, 3)]
    z: list[Name] = []
    a: list[Name] = []
    whole: Formula = x
    wholes: list[Formula] = []
    lines: list[Line] = []
    for i in (0, 1, 2):
        z.append(b.defined(f"z_{i + 1}", w[i] * (a[-1] if a else x)))
        a.append(b.defined(f"a_{i + 1}", Apply(σ, (z[-1],))))
        lines += [b.line(z[i], w[i] * (a[i - 1] if i else x)), b.line(a[i], Apply(σ, (z[i],)))]
        whole = Apply(σ, (w[i] * whole,))
        wholes.append(whole)
    yield b.step(
        both("One unit per layer", "每层一个单元"),
        both(
            "Three layers of one sigmoid unit each, without biases: each multiplies by its weight and applies the sigmoid.",
            "三层，每层一个 sigmoid 单元，不设偏置：每层乘以自己的权重，再取 sigmoid。",
        ),
        *lines,
    )
    by_x = [b.slope(wholes[i], x, Partial(Symbol("a", str(i + 1)), Symbol("x"))) for i in (0, 1, 2)]
    factor = [w[i] * Apply(σ_prime, (z[i],)) for i in (0, 1, 2)]
    yield b.step(
        both("Every layer is a factor", "每层一个因子"),
        both(
            "By the chain rule each layer contributes its weight times the slope of its activation. So the derivative through the whole network "
            "is a product with one such factor per layer.",
            "由链式法则，每层贡献一个因子：权重乘以激活函数的导数。所以穿过整个网络的导数是一个乘积，每层一个因子。",
        ),
        b.line(by_x[0], factor[0]),
        b.line(by_x[1], factor[1] * by_x[0], factor[1] * factor[0]),
        b.line(by_x[2], factor[2] * by_x[1], factor[2] * factor[1] * factor[0]),
    )
    yield from bounds(b)
    yield from powers(b, x)
    yield from wide(b)


def powers(b: Board, x: Name) -> Iterator[Block]:
    """The same factor in every layer."""
    q, target = b.free("q", "0.2", "0.9"), b.free("c", "0.001", "0.01")
    n = b.number("n", 3)
    depth = b.defined("n", log(target) / log(q))
    yield b.step(
        both("A product of equal factors is a power", "相等因子之积是幂"),
        both(
            "If the factor is q in every layer, n layers multiply by its n-th power; here n is 3. Its logarithm is a straight line in n: with q below 1 the "
            "gradient vanishes, with q above 1 it explodes, and only q = 1 keeps it.",
            "如果每层的因子都是 q，n 层就乘以 q 的 n 次方；这里 n 为 3。它的对数是 n 的一次函数：q 小于 1 时梯度消失，q 大于 1 时梯度爆炸，"
            "只有 q = 1 能保持不变。",
        ),
        b.line(b.slope(q * (q * (q * x)), x), q * q * q, q**n),
        b.line(log(q**n), n * log(q)),
    )
    yield b.step(
        both("After how many layers it is gone", "多少层之后梯度就所剩无几"),
        both(
            "Until a fraction c of it is left, it takes as many layers as the logarithm of q goes into that of c.",
            "要使它只剩原来的 c 倍，所需层数等于 c 的对数除以 q 的对数。",
        ),
        b.line(depth, log(target) / log(q)),
        b.line(q**depth, target),
    )


def bounds(b: Board) -> Iterator[Block]:
    z = b.free("z")
    s, t = Apply(σ, (z,)), tanh(z)
    half, quarter = formula("1/2"), formula("1/4")
    zero = b.number("z", 0)
    yield b.step(
        both("The sigmoid passes on a quarter at most", "sigmoid 最多让四分之一通过"),
        both(
            "Its slope is ¼ less a square, so it is never larger than ¼; it is ¼ only where the output is ½. As long as the "
            "weight is below 4 in size, every layer makes the gradient smaller.",
            "它的导数等于 ¼ 减去一个平方，所以不超过 ¼，只有输出为 ½ 时才等于 ¼。只要权重的绝对值小于 4，每一层都使梯度变小。",
        ),
        b.line(b.slope(s, z, prime(σ_prime, z)), s * (1 - s), quarter - (s - half) ** 2),
        b.line(b.slope(Apply(σ, (zero,)), zero, prime(σ_prime, formula(0))), quarter),
    )
    yield b.step(
        both("tanh and ReLU", "tanh 与 ReLU"),
        both(
            "The slope of tanh is 1 less a square: at most 1, and less as soon as the unit is not at 0. ReLU has the slope 1 wherever it is "
            "on, however large z is, and 0 where it is off.",
            "tanh 的导数等于 1 减去一个平方：不超过 1，单元一离开 0 就变小。ReLU 激活（z > 0）时导数恒为 1，不论 z 多大；不激活时导数为 0。",
        ),
        b.line(b.slope(t, z, prime(th_prime, z)), 1 - t**2),
        b.line(b.slope(Apply(ReLU, (z,)), z, prime(ReLU_prime, z)), cases((1, z > 0), (0, True))),
    )


def prime(function: Function, at: Formula) -> Written:
    """σ′(z) as it is written."""
    return Written(Apply(function, (at,)))


def wide(b: Board) -> Iterator[Block]:
    """The same with matrices."""
    x, W1, W2, u = b.matrix("x", 2, 1), b.matrix("W^(1)", 2, 2), b.matrix("W^(2)", 2, 2), b.matrix("u", 2, 1)
    z1 = b.product("z^(1)", W1 @ x)
    z2 = b.product("z^(2)", W2 @ Apply(σ, (z1,)))
    loss = grand_total(hadamard(u, Apply(σ, (W2 @ Apply(σ, (W1 @ x,)),))))
    by_x = b.gradient(loss, x, Partial(Symbol("L"), Symbol("x")))
    inner = hadamard(Apply(σ_prime, (z2,)), u)
    yield b.step(
        both("Layers of several units", "每层多个单元"),
        both(
            "The factor of a layer is now a matrix: first the slopes, multiplied entry by entry (⊙), then the transpose of the weights. u is the slope of the loss with respect to the outputs of the last layer. What was one number is now how much such a matrix stretches or shrinks on average, and that is what "
            "the initial weights are chosen for.",
            "这时每层的因子是矩阵：先逐元素乘以导数（⊙），再乘以权重的转置。u 是损失对最后一层输出的偏导数。原来的一个数，"
            "现在变成这个矩阵平均把向量拉长或缩短多少，初始权重正是为此选取的。",
        ),
        b.line(by_x, transpose(W1) @ hadamard(Apply(σ_prime, (z1,)), transpose(W2) @ inner)),
    )


def numbers(b: Board) -> Iterator[Block]:
    steep = [b.number("q", f) for f in ("1/4", "1/2", "1", "3/2")]
    n = b.number("n", 10)
    yield b.step(
        both("Ten layers", "十层"),
        both(
            "What is left of a gradient after ten factors q. ¼ is a sigmoid at its steepest with the weight 1; ½ the same with the "
            "weight 2.",
            "乘了十个因子 q 之后梯度的倍数。¼ 是权重为 1 的 sigmoid 在最陡处的因子；½ 是权重为 2 时的因子。",
        ),
        *(b.line(b.defined("g", q**n), q**n, numbers=True) for q in steep),
    )
    x, w = b.number("x", 1), b.number("w", 2)
    z1 = b.defined("z_1", w * x)
    a1 = b.defined("a_1", Apply(σ, (z1,)))
    z2 = b.defined("z_2", w * a1)
    a2 = b.defined("a_2", Apply(σ, (z2,)))
    first = b.slope(Apply(σ, (w * x,)), x, Partial(Symbol("a", "1"), Symbol("x")))
    second = b.slope(Apply(σ, (w * Apply(σ, (w * x,)),)), x, Partial(Symbol("a", "2"), Symbol("x")))
    yield b.step(
        both("Two sigmoid units, one after the other", "两个 sigmoid 单元前后相接"),
        both("Each with the weight 2 and no bias.", "权重都是 2，没有偏置。"),
        b.line(a1, Apply(σ, (z1,)), numbers=True),
        b.line(a2, Apply(σ, (z2,)), numbers=True),
        b.line(first, w * a1 * (1 - a1), numbers=True),
        b.line(second, w * a2 * (1 - a2) * first, numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    yield b.chart(
        both(
            "The mean square of the gradient on its way back through layers of n = 100 units, with weights of the given variance",
            "梯度均方值在每层 n = 100 个单元的网络中往回传播的变化，图例为激活函数与权重方差",
        ),
        both("layers back from the output", "从输出往回的层数"),
        "",
        {
            "sigmoid, 1/n": journey(σ, σ_prime, 1).backward,
            "tanh, 1/n": journey(th, th_prime, 1).backward,
            "tanh, 3/n": journey(th, th_prime, 3).backward,
            "ReLU, 1/n": journey(ReLU, ReLU_prime, 1).backward,
            "ReLU, 2/n": journey(ReLU, ReLU_prime, 2).backward,
            "ReLU, 4/n": journey(ReLU, ReLU_prime, 4).backward,
        },
        log_y=True,
    )


def one_factor(b: Board) -> tuple[Formula, Formula]:
    w, x = b.free("w", 1, 2), b.free("x", 1, 2)
    inner = Apply(σ, (w * x,))
    return b.slope(inner, x), b.slope(Apply(σ, (w * inner,)), x)


def always_one(b: Board) -> tuple[Formula, Formula]:
    w, x = b.free("w", "1.2", 2), b.free("x", 1, 2)
    return formula(1), b.slope(Apply(ReLU, (w * Apply(ReLU, (w * x,)),)), x)


lesson = Lesson(
    title=both("Vanishing and exploding gradients", "梯度消失与梯度爆炸"),
    short=both(
        "Going back, every layer multiplies by weight times slope; with the sigmoid that is at most a quarter of the weight.",
        "往回传播时，每层乘以权重与导数之积；用 sigmoid 时最多是权重的四分之一。",
    ),
    chapter="gradients",
    position=4,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Where gradients vanish, the first layers hardly learn, however long one waits; where they explode, one step throws all weights away.",
            "梯度消失时，前面的层几乎学不动，等多久都一样；梯度爆炸时，一步更新就毁掉全部权重。",
        ),
        both(
            "What helps: ReLU and its relatives in hidden layers, initial weights of the right size, normalization between layers, residual "
            "connections that let the gradient pass by, and against explosions gradient clipping, which limits the length of the gradient.",
            "对策有：隐藏层用 ReLU 一类的函数，初始权重取合适的大小，层间做归一化，用残差连接让梯度绕行；对付爆炸，可以用梯度裁剪限制梯度的长度。",
        ),
    ),
    mistakes=(
        Mistake(
            both("A deep sigmoid network only needs more training.", "深层 sigmoid 网络只要多训练就行。"),
            both(
                "Each layer multiplies the gradient once more; with weights of size 1 at most, ten of them leave less than a millionth.",
                "每多一层，梯度就多乘一次；权重的绝对值不超过 1 时，十层之后剩下不到百万分之一。",
            ),
            one_factor,
        ),
        Mistake(
            both("With ReLU gradients cannot explode or vanish.", "用 ReLU 梯度就不会爆炸或消失。"),
            both(
                "Where a unit is on, the slope is 1, but the weights are factors too, and at the start about half of the units are off. The size of the weights decides.",
                "激活时导数是 1，但权重也是因子，而且起初大约一半单元没有激活。决定因素是权重的大小。",
            ),
            always_one,
        ),
    ),
    network="""
inputs: [1]
targets: [0]
layers:
  - linear: {out: 1, weight: [[2]], bias: [0]}
  - sigmoid
  - linear: {out: 1, weight: [[2]], bias: [0]}
  - sigmoid
  - linear: {out: 1, weight: [[2]], bias: [0]}
  - sigmoid
loss: half_squared_error
""",
    see=(
        "chain_rule",
        "backprop_equations",
        "sigmoid",
        "relu",
        "variance_propagation",
        "kaiming",
        "batch_norm",
        "residual",
    ),
)

"""Residual connections: why a 1 in every factor keeps gradients alive through many layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import tanh as of_float
from random import Random

import numpy as np

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block, say
from derive.formula import ONE, Formula, Name, Partial, Symbol, larger, tanh


def derivation(b: Board) -> Iterator[Block]:
    yield from one_block(b)
    yield from vectors(b)
    yield from depth(b)
    yield from start(b)


def one_block(b: Board) -> Iterator[Block]:
    """One number through one block."""
    x, w, v, t = b.free("x"), b.free("w"), b.free("v"), b.free("t")
    inner = v * tanh(w * x)
    F, y = b.defined("F", inner), b.defined("y", x + inner)
    yield b.step(
        both("Definition", "定义"),
        say(
            both(
                "A block does not compute its output but what is to be added to its input {x}. What is added, {F}, may be any layers; here it is one unit with tanh and a weight behind it.",
                "残差块不直接计算输出，而是计算要加到输入 {x} 上的量。这个量 {F} 可以由任意几层得到；这里取一个 tanh 单元，后面再乘一个权重。",
            ),
            x=x,
            F=F,
        ),
        b.line(F, inner),
        b.line(y, x + F),
    )
    slope = b.slope(inner, x, "F′")
    yield from b.differentiated(inner, x, slope)
    whole = b.slope(x + inner, x, Partial(Symbol("y"), Symbol("x"), "d"))
    yield b.step(
        both("A 1 is added to the slope", "导数里多了一个 1"),
        both(
            "The sum rule: the shortcut has slope 1 and the block has its own.",
            "求和法则：捷径（shortcut）的导数为 1，再加上残差块自己的导数。",
        ),
        b.line(whole, b.slope(x, x) + slope, 1 + slope),
    )
    loss = (x + inner - t) ** 2 / 2
    by_y = b.partial("L", (y - t) ** 2 / 2, y)
    yield b.step(
        both("Two paths back", "两条回传路径"),
        both(
            "The input reaches the output in two ways, so two gradients come back and are added: one through the shortcut, unchanged, and one through the block.",
            "输入通过两条路到达输出，所以有两份梯度传回并相加：一份经捷径，原样返回；另一份经过残差块。",
        ),
        b.line(b.partial("L", loss, x), by_y * (1 + slope), by_y + by_y * slope),
    )


def jacobian(b: Board, outputs: Sequence[Formula], inputs: Sequence[Name]) -> np.ndarray:
    """All slopes of some formulas as difference quotients, one row for each formula."""
    return np.array([[b.value(b.slope(f, x)) for x in inputs] for f in outputs], dtype=object)


def vectors(b: Board) -> Iterator[Block]:
    """Several numbers at once."""
    x1, x2, t1, t2 = (b.free(symbol) for symbol in ("x_1", "x_2", "t_1", "t_2"))
    w = [[b.free(f"w_{i}{j}") for j in (1, 2)] for i in (1, 2)]
    inner = [tanh(row[0] * x1 + row[1] * x2) for row in w]
    one, two = b.defined("F_1", inner[0]), b.defined("F_2", inner[1])
    y1, y2 = b.defined("y_1", x1 + inner[0]), b.defined("y_2", x2 + inner[1])
    outputs = [x1 + inner[0], x2 + inner[1]]
    loss = ((outputs[0] - t1) ** 2 + (outputs[1] - t2) ** 2) / 2
    end = ((y1 - t1) ** 2 + (y2 - t2) ** 2) / 2
    g1, g2 = b.partial("L", end, y1), b.partial("L", end, y2)
    by = [[b.partial(f"F_{i}", inner[i - 1], x) for x in (x1, x2)] for i in (1, 2)]
    yield b.step(
        both("Two numbers", "两个数"),
        both(
            "In a layer every input also works on the other outputs, through the block alone. The shortcut joins each input to its own output.",
            "在一层中，每个输入还会影响其他输出，但只通过残差块；捷径只把每个输入连到与它对应的输出。",
        ),
        b.line(y1, x1 + one),
        b.line(y2, x2 + two),
        b.line(b.partial("L", loss, x1), g1 + g1 * by[0][0] + g2 * by[1][0]),
        b.line(b.partial("L", loss, x2), g2 + g1 * by[0][1] + g2 * by[1][1]),
    )
    J, I = b.held("J", jacobian(b, inner, (x1, x2))), b.matrix("I", 2, 2, [[1, 0], [0, 1]])
    g = b.held("g", jacobian(b, [end], (y1, y2)).T)
    whole = b.held(Symbol("∇L"), jacobian(b, [loss], (x1, x2)).T)
    yield b.step(
        both("In matrices", "矩阵形式"),
        say(
            both(
                "{J} holds the slopes of the block, a row for each output; {g} is the gradient at the output, {whole} that at the input. The 1 has become the identity.",
                "{J} 由残差块的各个导数组成，每行对应一个输出；{g} 是输出处的梯度，{whole} 是输入处的梯度。前面的 1 变成了单位矩阵。",
            ),
            J=J,
            g=g,
            whole=whole,
        ),
        b.line(whole, g + J.T @ g, (I + J.T) @ g),
    )


def depth(b: Board) -> Iterator[Block]:
    """Three blocks in a row, and three layers without shortcuts."""
    x = b.free("x_0")
    weights = [b.free(f"v_{i}") for i in (1, 2, 3)]
    outputs: list[Formula] = [x]
    slopes, lines = [], []
    before: Name = x
    for i, v in enumerate(weights, 1):
        after = b.defined(f"x_{i}", before + v * tanh(before))
        lines.append(b.line(after, before + v * tanh(before)))
        slopes.append(b.slope(v * tanh(before), before, f"F′_{i}"))
        outputs.append(outputs[-1] + v * tanh(outputs[-1]))
        before = after
    f1, f2, f3 = slopes
    whole = b.slope(outputs[-1], x, Partial(Symbol("x", "3"), Symbol("x", "0"), "d"))
    yield b.step(
        both("Three blocks", "三个残差块"),
        both(
            "The chain rule multiplies one factor for each block. Multiplied out there is one term for every way through the blocks: straight ahead, through one, through two, through all. Three blocks have 2³ = 8 ways.",
            "链式法则给每个块一个因子。展开后，每一项对应一条路径：一路直行、经过一个块、两个块、全部三个块。三个块共有 2³ = 8 条路径。",
        ),
        *lines,
        b.line(
            whole,
            (1 + f1) * (1 + f2) * (1 + f3),
            1 + f1 + f2 + f3 + f1 * f2 + f1 * f3 + f2 * f3 + f1 * f2 * f3,
        ),
    )
    stacked: list[Formula] = [x]
    slopes, before = [], x
    for i, v in enumerate(weights, 1):
        stacked.append(v * tanh(stacked[-1]))
        slopes.append(b.slope(v * tanh(before), before, f"F′_{i}"))
        before = b.defined(f"x_{i}", stacked[-1])
    plain = b.slope(stacked[-1], x, Partial(Symbol("x", "3"), Symbol("x", "0"), "d"))
    yield b.step(
        both("Without shortcuts", "没有捷径时"),
        both(
            "Only the way through all layers is left. If each slope is 0.5, ten layers leave 0.5¹⁰, about a thousandth; with shortcuts the term 1 stays whatever the blocks do.",
            "只剩穿过所有层的那条路径。若每个导数都是 0.5，十层之后剩 0.5¹⁰，约千分之一；有捷径时，无论各块如何，那一项 1 始终在。",
        ),
        b.line(plain, slopes[0] * slopes[1] * slopes[2]),
    )


def start(b: Board) -> Iterator[Block]:
    """A block that adds nothing yet; shapes that differ."""
    x, w, v = b.free("x"), b.free("w"), b.number("v", 0)
    inner = v * tanh(w * x)
    y = b.defined("y", x + inner)
    yield b.step(
        both("A block can begin with nothing", "残差块可以从零开始"),
        say(
            both(
                "With its last weight {v} at 0 the block lets its input through, and a deep network starts like a shallow one. The weight still has a gradient, so the block learns as soon as that helps.",
                "若最后的权重 {v} 为 0，残差块原样放行输入，深层网络起步时就像浅层网络。该权重仍有梯度，所以只要有好处，残差块就会开始学习。",
            ),
            v=v,
        ),
        b.line(y, x),
        b.line(b.slope(x + inner, x, Partial(Symbol("y"), Symbol("x"))), 1),
        b.line(b.partial("y", x + inner, v), tanh(w * x)),
    )
    x1, x2, s1, s2, t = (b.free(symbol) for symbol in ("x_1", "x_2", "s_1", "s_2", "t"))
    w1, w2 = b.free("w_1"), b.free("w_2")
    inner = tanh(w1 * x1 + w2 * x2)
    y, F = b.defined("y", s1 * x1 + s2 * x2 + inner), b.defined("F", inner)
    g = b.partial("L", (y - t) ** 2 / 2, y)
    loss = (s1 * x1 + s2 * x2 + inner - t) ** 2 / 2
    yield b.step(
        both("Where the shapes differ", "形状不同时"),
        both(
            "Only what has the same shape can be added. If a block makes one number of two, the shortcut is given weights of its own, a linear layer; in the gradient they stand where the 1 was.",
            "形状相同才能相加。若残差块把两个数变成一个，就给捷径配上自己的权重，也就是一个线性层；在梯度里它们取代了 1。",
        ),
        b.line(y, s1 * x1 + s2 * x2 + F),
        b.line(b.partial("L", loss, x1), g * s1 + g * b.partial("F", inner, x1)),
        b.line(b.partial("L", loss, x2), g * s2 + g * b.partial("F", inner, x2)),
    )


def numbers(b: Board) -> Iterator[Block]:
    w, c, x = b.number("w", "0.5"), b.number("b", "-0.2"), b.number("x_0", 2)
    F1 = b.defined("F_1", larger(w * x + c, 0))
    y1 = b.defined("x_1", x + F1)
    F2 = b.defined("F_2", larger(w * y1 + c, 0))
    y2 = b.defined("x_2", y1 + F2)
    yield b.step(
        both("Two blocks with F(x) = relu(0.5x − 0.2)", "两个残差块，F(x) = relu(0.5x − 0.2)"),
        both("Both units are active, so each block has the slope 0.5.", "两个单元都处于激活状态，每个块的导数为 0.5。"),
        b.line(F1, larger(w * x + c, 0), numbers=True),
        b.line(y1, x + F1, numbers=True),
        b.line(F2, larger(w * y1 + c, 0), numbers=True),
        b.line(y2, y1 + F2, numbers=True),
    )

    def block(f: Formula) -> Formula:
        return f + larger(w * f + c, 0)

    slope = b.slope(block(block(x)), x, Partial(Symbol("x", "2"), Symbol("x", "0"), "d"))
    yield b.step(
        both("The slope with and without shortcuts", "有捷径与无捷径的导数"),
        both("With shortcuts 2.25, without them 0.25.", "有捷径时是 2.25，没有时是 0.25。"),
        b.line(slope, (1 + w) * (1 + w), numbers=True),
        b.line(b.defined(Symbol("F′", "1"), w) * b.defined(Symbol("F′", "2"), w), w * w, numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    yield b.chart(
        both(
            "The slope of the output with respect to the input over the depth, for layers v·tanh(x) with v drawn between −0.5 and 0.5",
            "输出对输入的导数随深度的变化：各层为 v·tanh(x)，v 在 −0.5 与 0.5 之间抽取",
        ),
        both("layers", "层数"),
        both("absolute value of the slope", "导数的绝对值"),
        {
            both("with shortcuts", "有捷径"): through(shortcut=True),
            both("without", "无捷径"): through(shortcut=False),
        },
        log_y=True,
    )


def through(*, shortcut: bool, layers: int = 30) -> list[tuple[float, float]]:
    """The size of the slope of layer after layer by the input."""
    random, x, slope = Random(4), 1.0, 1.0
    found = [(0.0, 1.0)]
    for layer in range(1, layers + 1):
        v = random.uniform(-0.5, 0.5)
        slope *= shortcut + v * (1 - of_float(x) ** 2)
        x = shortcut * x + v * of_float(x)
        found.append((float(layer), abs(slope)))
    return found


def forgotten(b: Board) -> tuple[Formula, Formula]:
    x, v = b.free("x"), b.free("v", 1, 2)
    return b.slope(v * tanh(x), x), b.slope(x + v * tanh(x), x)


def never_changes(b: Board) -> tuple[Formula, Formula]:
    x, v = b.free("x"), b.free("v", 1, 2)
    return ONE, b.slope(x + v * tanh(x), x)


def gated(b: Board) -> tuple[Formula, Formula]:
    x, v = b.free("x", -2, -1), b.free("v", 0, "0.5")
    return 1 + b.slope(v * tanh(x), x), b.slope(larger(x + v * tanh(x), 0), x)


lesson = Lesson(
    title=both("Residual connections", "残差连接"),
    short=both(
        "y = x + F(x): every factor of the chain rule is 1 plus something, so gradients reach the first layers of deep networks.",
        "y = x + F(x)：链式法则的每个因子都是 1 加上某个量，因此梯度能传到深层网络最前面的层。",
    ),
    chapter="regularization",
    position=5,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Without shortcuts, plain networks of some dozens of layers even fit their training data worse than shallow ones. With them networks of a hundred layers and more can be trained; transformers have two or three in each of their blocks.",
            "没有捷径时，几十层的普通网络连训练数据都拟合得比浅层网络差。有了捷径，上百层的网络也能训练；Transformer 的每个块里就有两三条。",
        ),
        both(
            "What a block has to learn is the difference to doing nothing. Doing nothing is easy for it: its weights go to 0.",
            "残差块只需学习与“什么都不做”之间的差别。什么都不做对它很容易：权重趋于 0 即可。",
        ),
        both(
            "The factors 1 + F′ can also be larger than 1 and multiply, so values and gradients may grow with the depth. Normalization in each block, or small starting weights, keeps them in bounds.",
            "因子 1 + F′ 也可能大于 1 并相乘，数值与梯度会随深度增大。在每个块中做归一化，或取较小的初始权重，可以加以控制。",
        ),
    ),
    mistakes=(
        Mistake(
            both("The gradient at the input is what comes out of the block.", "输入处的梯度就是残差块传回的梯度。"),
            both(
                "What comes back through the shortcut is added. In code: gradients are added where the forward pass branched.",
                "还要加上经捷径传回的那一份。写代码时：前向传播分叉之处，反向传播要相加。",
            ),
            forgotten,
        ),
        Mistake(
            both("With shortcuts the gradient keeps its size.", "有了捷径，梯度的大小保持不变。"),
            both(
                "The shortcut passes it on unchanged, but the factor is 1 + F′, not 1: the gradient can grow, and where F′ is near −1 it can shrink.",
                "经捷径的部分原样返回，但因子是 1 + F′ 而不是 1：梯度可能增大，F′ 接近 −1 时也可能变小。",
            ),
            never_changes,
        ),
        Mistake(
            both("A relu after the addition changes nothing for the shortcut.", "相加之后再接 relu 不影响捷径。"),
            both(
                "Where the sum is negative it blocks both paths. With the relu inside the block the shortcut stays open.",
                "和为负时两条路都被截断。把 relu 放进残差块内，捷径才始终畅通。",
            ),
            gated,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2}
  - residual: [{linear: {out: 2}}, tanh]
  - linear: {out: 1}
  - sigmoid
loss: bce
""",
    see=("chain_rule", "vanishing_gradients", "backprop_equations", "batch_norm", "layer_norm", "identity"),
)

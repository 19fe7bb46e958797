"""Layer normalization: each sample standardized over its own features, the gradient, and how it differs from batch norm."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block
from derive.formula import ZERO, Formula, Symbol, Written, add, sqrt
from derive.lessons._normalized import Normalized, half_squares, mean, spread, standardized

D = 3  # features of the derivation


def derivation(b: Board) -> Iterator[Block]:
    x, t = ([b.free(f"{letter}_{j}") for j in range(1, D + 1)] for letter in "xt")
    γ, β = [b.free(f"γ_{j}", 1, 2) for j in range(1, D + 1)], [b.free(f"β_{j}") for j in range(1, D + 1)]
    one = Normalized(b, x, γ, β, b.free("ε", 0, "0.1"), half_squares(t))
    yield from forward(b, one)
    yield from parameters(b)
    yield from one.backward()
    by_x = [b.partial("L", one.written_out(), each) for each in x]
    yield b.step(
        both("What it implies", "由此可知"),
        both(
            "The gradients of a sample add up to 0 over its features: adding the same number to all of them changes nothing. Unlike in batch normalization γ cannot be taken out of the sums, since every feature has its own.",
            "一个样本的梯度对各特征求和为 0：给所有特征加上同一个数不改变任何结果。与批归一化不同，每个特征有自己的 γ，所以不能把 γ 提到和号之外。",
        ),
        b.line(by_x[0] + by_x[1], -by_x[2]),
    )
    yield from compared(b)


def forward(b: Board, one: Normalized) -> Iterator[Block]:
    """Up to the outputs, and what does not change them."""
    x, μ, variance, s, hat = one.x, one.μ, one.variance, one.s, one.hat
    yield b.step(
        both("Definition: standardize over the features", "定义：在特征上标准化"),
        both(
            "Each sample is treated by itself: mean and variance are those of its own features, here D = 3. The variance is divided by D, not by D − 1, and ε keeps the divisor away from 0.",
            "对每个样本单独处理：均值与方差取自它自己的各个特征，这里 D = 3。方差除以 D 而不是 D − 1，ε 避免除以 0。",
        ),
        *one.forward(),
    )
    yield b.step(
        both("Mean 0, variance 1", "均值 0，方差 1"),
        both(
            "The deviations from the mean cancel. The mean of the squares is 1 but for ε.",
            "与均值的偏差互相抵消。平方的平均值除了 ε 的影响外等于 1。",
        ),
        b.line(add(*(each - μ for each in x)), ZERO),
        b.line(add(*(h**2 for h in hat)) / D, variance / s**2, variance / (variance + one.ε)),
    )
    yield b.step(
        both("Scale and shift", "缩放与平移"),
        both(
            "Every feature has a γ and a β of its own, the same for all samples. They are learned and start at 1 and 0.",
            "每个特征有自己的 γ 和 β，所有样本共用。它们由学习得到，初值为 1 和 0。",
        ),
        *(b.line(y, f) for y, f in zip(one.y, one.outputs(hat), strict=True)),
    )
    c = b.free("c", 1, 3)
    longer = standardized([c * each for each in x], ZERO)
    root = b.defined("s", sqrt(variance))
    yield b.step(
        both("The size of a sample is forgotten", "样本的大小被忽略"),
        both(
            "If all features are multiplied by the same positive number, the deviations and the root grow by it, and it cancels (ε is left out here). Only the pattern of the features remains.",
            "把所有特征乘以同一个正数，偏差与根号都放大同样的倍数，二者抵消（此处略去 ε）。留下的只是各特征的相对形态。",
        ),
        b.line(b.defined(Written((c * x[0] - c * μ) / (c * root)), longer[0]), (x[0] - μ) / root),
    )


def parameters(b: Board) -> Iterator[Block]:
    """The learned parameters, over two samples."""
    γ, β = [b.free(f"γ_{j}", 1, 2) for j in range(1, D + 1)], [b.free(f"β_{j}") for j in range(1, D + 1)]
    ε = b.free("ε", 0, "0.1")
    two = [
        Normalized(
            b,
            [b.free(Symbol("x", str(j), f"({i})")) for j in range(1, D + 1)],
            γ,
            β,
            ε,
            half_squares([b.free(f"t_{j}") for j in range(1, D + 1)]),
            f"({i})",
        )
        for i in (1, 2)
    ]
    whole = add(*(sample.loss(sample.outputs(sample.hat)) for sample in two))
    first, second = two
    yield b.step(
        both("Backward: γ and β", "反向传播：γ 与 β"),
        both(
            "They are shared by the samples, so contributions are added over the samples, not over the features. Here are two samples, with their number above; g is the gradient at an output. γ is multiplied by x̂, β by 1.",
            "它们由各样本共用，所以按样本相加，而不是按特征相加。这里有两个样本，编号写在上方；g 是输出处的梯度。与 γ 相乘的是 x̂，与 β 相乘的是 1。",
        ),
        *(
            b.line(b.partial("L", whole, γ[j]), first.g[j] * first.hat[j] + second.g[j] * second.hat[j])
            for j in range(D)
        ),
        *(b.line(b.partial("L", whole, β[j]), first.g[j] + second.g[j]) for j in range(D)),
    )


def compared(b: Board) -> Iterator[Block]:
    """Beside batch normalization."""
    yield b.table(
        both("Beside batch normalization", "与批归一化对照"),
        ("", both("batch normalization", "批归一化"), both("layer normalization", "层归一化")),
        (
            (
                both("mean and variance over", "均值与方差取自"),
                both("the samples, for each feature", "各样本（逐特征）"),
                both("the features, for each sample", "各特征（逐样本）"),
            ),
            (
                both("depends on the rest of the batch", "与同批其他样本有关"),
                both("in training, yes", "训练时有关"),
                both("no", "无关"),
            ),
            (
                both("running statistics", "滑动统计量"),
                both("kept for evaluation", "为评估而保存"),
                both("none", "没有"),
            ),
            (
                both("training and evaluation", "训练与评估"),
                both("differ", "不同"),
                both("are the same", "相同"),
            ),
            (
                both("a batch of one sample", "批中只有一个样本"),
                both("every x̂ is 0; PyTorch refuses it in training", "x̂ 全为 0；训练时 PyTorch 会报错"),
                both("no difference", "没有影响"),
            ),
            (
                both("γ and β", "γ 与 β"),
                both("one pair for each feature", "每个特征一对"),
                both("one pair for each feature", "每个特征一对"),
            ),
            (
                both("mostly used in", "主要用于"),
                both("vision networks", "视觉网络"),
                both("transformers, recurrent networks", "Transformer、循环网络"),
            ),
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    x = [b.number(f"x_{j}", value) for j, value in enumerate((-4, 2, 4, 10), 1)]
    γ = [b.number(f"γ_{j}", value) for j, value in enumerate((1, 2, 1, 1), 1)]
    μ = b.defined("μ", mean(x))
    variance = b.defined(Symbol("σ", sup="2"), spread(x, μ))
    s = b.defined("s", sqrt(variance))
    hat = [b.defined(f"x\u0302_{j}", (each - μ) / s) for j, each in enumerate(x, 1)]
    y = [b.defined(f"y_{j}", g * h) for j, (g, h) in enumerate(zip(γ, hat, strict=True), 1)]
    yield b.step(
        both(
            "Forward: x = (−4, 2, 4, 10), γ = (1, 2, 1, 1), β = 0",
            "前向：x = (−4, 2, 4, 10)，γ = (1, 2, 1, 1)，β = 0",
        ),
        both("One sample with four features; ε is left out.", "一个样本，四个特征；略去 ε。"),
        b.line(μ, mean(x), numbers=True),
        b.line(variance, spread(x, μ), numbers=True),
        b.line(s, sqrt(variance), numbers=True),
        *(b.line(h, (each - μ) / s, numbers=True) for h, each in zip(hat, x, strict=True)),
        *(b.line(each, g * h, numbers=True) for each, g, h in zip(y, γ, hat, strict=True)),
    )
    g = [b.number(f"g_{j}", value) for j, value in enumerate((0, 1, 0, 0), 1)]
    d = [b.defined(f"d_{j}", each * scale) for j, (each, scale) in enumerate(zip(g, γ, strict=True), 1)]
    total = b.defined("S", add(*d))
    along = b.defined("P", add(*(each * h for each, h in zip(d, hat, strict=True))))
    loss = add(*(each * scale * h for each, scale, h in zip(g, γ, standardized(x, ZERO), strict=True)))
    yield b.step(
        both("Backward: the gradient (0, 1, 0, 0) at the outputs", "反向：输出处的梯度为 (0, 1, 0, 0)"),
        both(
            "S is the sum of the d = γg, P that of the d·x̂. The four results add up to 0.",
            "S 是各 d = γg 之和，P 是各 d·x̂ 之和。四个结果之和为 0。",
        ),
        b.line(total, add(*d), numbers=True),
        b.line(along, add(*(each * h for each, h in zip(d, hat, strict=True))), numbers=True),
        *(
            b.line(b.partial("L", loss, each), (4 * dj - total - h * along) / (4 * s), numbers=True)
            for each, dj, h in zip(x, d, hat, strict=True)
        ),
    )


def picture(b: Board) -> Iterator[Block]:
    x = b.free("x_1")
    hats = standardized([x, b.number("x_2", 0), b.number("x_3", 1)], ZERO)
    yield b.chart(
        both(
            "A sample (x₁, 0, 1) standardized: however large one feature is, it comes out below √2, and the others are pressed together",
            "样本 (x₁, 0, 1) 标准化之后：无论一个特征多大，结果都小于 √2，其余特征被挤到一起",
        ),
        "x₁",
        "",
        {f"x\u0302{sub}": b.vary(hat, x, grid(-10, 10)) for sub, hat in zip("₁₂₃", hats, strict=True)},
    )


def over_the_batch(b: Board) -> tuple[Formula, Formula]:
    x = [b.free(f"x_{j}") for j in (1, 2, 3)]
    other = b.free("x_4", 3, 4)
    return (x[0] - mean([x[0], other])) / sqrt(spread([x[0], other], mean([x[0], other]))), standardized(x, ZERO)[0]


def scale_taken_out(b: Board) -> tuple[Formula, Formula]:
    x, t = ([b.free(f"{letter}_{j}") for j in (1, 2, 3)] for letter in "xt")
    γ, β = [b.free(f"γ_{j}", 1, 2) for j in (1, 2, 3)], [b.free("β")] * 3
    one = Normalized(b, x, γ, β, b.free("ε", 0, "0.1"), half_squares(t))
    wrong = γ[0] / (D * one.s) * (D * one.g[0] - add(*one.g) - one.hat[0] * one.products(one.g))
    return wrong, b.partial("L", one.written_out(), x[0])


lesson = Lesson(
    title=both("Layer normalization", "层归一化"),
    short=both(
        "Each sample is standardized over its own features, then scaled by γ and shifted by β feature by feature; the batch plays no part.",
        "每个样本在自己的各特征上标准化，再逐特征用 γ 缩放、用 β 平移；与批无关。",
    ),
    chapter="regularization",
    position=7,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "It works with any batch size, also with one sample at a time, and training and evaluation compute the same. Transformers have one before or after each of their residual blocks.",
            "它适用于任意批大小，一次一个样本也可以，而且训练与评估的计算相同。Transformer 的每个残差块之前或之后都有一个。",
        ),
        both(
            "It keeps the sizes of activations in bounds however many layers are stacked, which also helps the gradients.",
            "无论叠多少层，它都能控制激活值的大小，这对梯度也有帮助。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Layer normalization takes the mean over the batch.", "层归一化在批上取均值。"),
            both(
                "Over the features of one sample. Over the samples it is batch normalization.",
                "在一个样本的各特征上取均值。在各样本上取均值的是批归一化。",
            ),
            over_the_batch,
        ),
        Mistake(
            both(
                "The short form of batch normalization holds as it is, with γ in front.",
                "可以照搬批归一化的化简公式，把 γ 提在前面。",
            ),
            both(
                "γ differs from feature to feature, so it belongs inside the sums: d = γg takes the place of g.",
                "各特征的 γ 不同，应留在和号里面：用 d = γg 代替 g。",
            ),
            scale_taken_out,
        ),
        Mistake(
            both("It may stand behind a layer with a single unit.", "可以放在只有一个神经元的层之后。"),
            both(
                "One number is its own mean: x̂ is 0 and the output is β for every input.",
                "只有一个数时它就是自己的均值：x̂ 为 0，无论输入是什么，输出都是 β。",
            ),
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 3}
  - layer_norm: {}
  - tanh
  - linear: {out: 1}
  - sigmoid
loss: bce
""",
    see=("batch_norm", "residual", "batch_norm_folding", "vanishing_gradients", "chain_rule"),
)

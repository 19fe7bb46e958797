"""Batch, stochastic and mini-batch gradients: the same mean, and a variance that falls with the batch size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations, product
from typing import Any

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, add, ceil, sqrt
from derive.language import Both
from derive.lessons._chance import mean, variance
from derive.lessons._draws import equally
from derive.studies.samples import COUNT, EPOCHS, Samples, way

SIZE = 3  # samples in a batch of the derivation, of four


def derivation(b: Board) -> Iterator[Block]:
    g = [b.free(f"g_{i}", -3, 3) for i in range(1, 5)]
    values = [b.values.known_exactly(name) for name in g]
    n, size = b.number("n", 4), b.number("b", SIZE)
    full = b.defined("ḡ", add(*g) / n)
    yield b.step(
        both("The full gradient", "全批量梯度"),
        both(
            "The loss is the mean over all samples, so its gradient is the mean of the gradients of the single samples. Here there are n = 4 of them; batch gradient descent uses this number.",
            "损失是所有样本的平均，所以它的梯度是各样本梯度的平均。这里有 n = 4 个样本；批量梯度下降用的就是这个数。",
        ),
        b.line(full, add(*g) / 4),
    )
    i = b.free("G")
    one = equally([i], product(values, repeat=1))
    yield b.step(
        both("One sample, on average", "随机取一个样本"),
        both(
            "Stochastic gradient descent draws one sample at random, every one with the same probability, and uses its gradient G. The expected value is the full gradient: G points the right way on average.",
            "随机梯度下降（SGD）等概率地随机取一个样本，用它的梯度 G。G 的期望就是全批量梯度：平均而言方向是对的。",
        ),
        b.line(mean(b, i, one), add(*(name / 4 for name in g)), full),
    )
    spread = b.expected("σ^2", (i - full) ** 2, one)
    yield b.step(
        both("How far one sample is off", "一个样本偏离多少"),
        both(
            "The variance is the mean squared distance from the full gradient.",
            "方差是到全批量梯度的距离平方的平均。",
        ),
        b.line(variance(b, i, one), spread, add(*((name - full) ** 2 for name in g)) / 4),
    )
    yield from replaced(b, values, full, spread, size)
    yield from together(b, g, full, spread, size, n)
    yield from epochs(b)


def replaced(b: Board, values: Sequence[Any], full: Name, spread: Name, size: Name) -> Iterator[Block]:
    drawn = [b.free(f"G_{k}") for k in range(1, SIZE + 1)]
    every = equally(drawn, product(values, repeat=SIZE))
    average = add(*drawn) / size
    yield b.step(
        both("The mean of a mini-batch", "小批量的平均"),
        both(
            "A mini-batch uses the mean of its gradients, here of b = 3, each drawn independently from all n samples. The expected value of a sum is the sum of the expected values, so it is the full gradient again. All 64 ways to draw are gone through to check it.",
            "小批量取其中各梯度的平均，这里 b = 3，每次都从全部 n 个样本中独立抽取。和的期望等于期望的和，所以结果仍是全批量梯度。为了核对，这里穷举了全部 64 种抽法。",
        ),
        b.line(mean(b, average, every), add(*(mean(b, name, every) for name in drawn)) / size, full),
    )
    first, second = drawn[0] - full, drawn[1] - full
    yield b.step(
        both("Independent errors", "独立的误差"),
        both(
            "For two samples drawn independently the mean of the product is the product of the means, and each of these is 0.",
            "两个样本独立抽取时，乘积的期望等于期望的乘积，而每个期望都是 0。",
        ),
        b.line(mean(b, first * second, every), mean(b, first, every) * mean(b, second, every), 0),
    )
    yield b.step(
        both("The variance of the mini-batch", "小批量的方差"),
        both(
            "The square of the sum has b squares, each with the mean σ², and cross terms, each with the mean 0. The factor 1/b of the mean is squared. The typical error, the root of the variance, is σ over the root of b.",
            "和的平方含有 b 个平方项，每个的期望是 σ²；还有交叉项，每个的期望是 0。求平均的因子 1/b 要平方。典型误差是方差的平方根，等于 σ 除以 b 的平方根。",
        ),
        b.line(variance(b, average, every), size * spread / size**2, spread / size),
    )


def together(b: Board, g: Sequence[Name], full: Name, spread: Name, size: Name, n: Name) -> Iterator[Block]:
    values = [b.values.known_exactly(name) for name in g]
    pair = [b.free("G_1"), b.free("G_2")]
    cross = mean(b, (pair[0] - full) * (pair[1] - full), equally(pair, permutations(values, 2)))
    yield b.step(
        both("Without replacement", "不放回抽取"),
        both(
            "In practice the samples of a batch are all different. All n deviations from the mean add up to 0, so if the first sample is above the mean, the n − 1 others are on average a little below it. Multiplied by the first deviation and averaged, this makes the cross terms negative.",
            "实践中同一批量里的样本互不相同。所有 n 个偏差之和为 0，所以如果第一个样本高于平均，其余 n − 1 个平均略低于平均。乘以第一个偏差再取期望，交叉项就是负的。",
        ),
        b.line(add(*(name - full for name in g[1:])) / (n - 1), -((g[0] - full) / (n - 1))),
        b.line(cross, -(spread / (n - 1))),
    )
    drawn = [b.free(f"G_{k}") for k in range(1, SIZE + 1)]
    found = variance(b, add(*drawn) / size, equally(drawn, combinations(values, SIZE)))
    yield b.step(
        both("Its variance", "不放回时的方差"),
        both(
            "The square of the sum has b squares and b(b − 1) cross terms. The result is smaller than with replacement, and 0 when the batch holds all n samples. For a small batch of a large data set the last factor is nearly 1.",
            "和的平方有 b 个平方项和 b(b − 1) 个交叉项。结果比放回抽取时小，批量等于全部 n 个样本时为 0。数据集很大而批量很小时，最后的因子接近 1。",
        ),
        b.line(
            found,
            (size * spread - size * (size - 1) * (spread / (n - 1))) / size**2,
            spread / size * (1 - (size - 1) / (n - 1)),
            spread / size * ((n - size) / (n - 1)),
        ),
    )


def epochs(b: Board) -> Iterator[Block]:
    samples, size = b.whole("N", 40, 400), b.whole("B", 5, 30)
    whole, each = (int(b.values.known_exactly(name)) for name in (samples, size))
    iterations = b.hold("I", Fraction(len(range(0, whole, each))))
    last = b.hold("B_I", Fraction(whole - range(0, whole, each)[-1]))
    yield b.step(
        both("Epochs and iterations", "轮次与迭代次数"),
        both(
            "An epoch sees every one of the N samples once. Cut into batches of B it has I iterations, one update each; the last batch has the B_I samples that are left, fewer than B if B does not divide N.",
            "一个 epoch（轮次）把 N 个样本各看一遍。按每批 B 个切分，共有 I 次迭代，每次迭代更新一次；最后一批是剩下的 B_I 个样本，若 B 不能整除 N，就少于 B 个。",
        ),
        b.line(iterations, ceil(samples / size)),
        b.line(last, samples - (iterations - 1) * size),
    )


def numbers(b: Board) -> Iterator[Block]:
    samples, size = b.number("N", 1000), b.number("B", 32)
    iterations = b.defined("I", ceil(samples / size))
    yield b.step(
        both("1000 samples in batches of 32", "1000 个样本，每批 32 个"),
        both(
            "31 full batches and one of the 8 that are left: 32 updates in an epoch.",
            "31 个满批，再加剩下的 8 个：每轮更新 32 次。",
        ),
        b.line(iterations, ceil(samples / size), numbers=True),
        b.line(b.defined("B_I", samples - (iterations - 1) * size), samples - (iterations - 1) * size, numbers=True),
    )
    g = [b.number(f"g_{i}", value) for i, value in enumerate((1, 3, 4, 8), 1)]
    full = b.defined("ḡ", add(*g) / 4)
    spread = b.defined("σ^2", add(*((name - full) ** 2 for name in g)) / 4)
    one, two = b.defined("ḡ_1", (g[0] + g[1]) / 2), b.defined("ḡ_2", (g[2] + g[3]) / 2)
    yield b.step(
        both("Four gradients", "四个梯度"),
        both(
            "Cut into two batches with the means ḡ₁ and ḡ₂: both miss the mean 4, one on each side, and the mean of the two is the full gradient.",
            "分成两个小批量，平均值为 ḡ₁ 和 ḡ₂：两者都偏离平均值 4，一个偏低，一个偏高；两者的平均正是全批量梯度。",
        ),
        b.line(full, add(*g) / 4, numbers=True),
        b.line(one, (g[0] + g[1]) / 2, numbers=True),
        b.line(two, (g[2] + g[3]) / 2, numbers=True),
        b.line(b.defined("ḡ", (one + two) / 2), (one + two) / 2, numbers=True),
        b.line(spread, add(*((name - full) ** 2 for name in g)) / 4, numbers=True),
    )
    deviation, chance = b.number("σ", 1), b.number("b", 64)
    yield b.step(
        both("Four times the batch, half the noise", "批量变为四倍，噪声减半"),
        both(
            "The noise is the standard deviation, here 1 for one sample: a batch of 16 has a quarter of it, a batch of 64 an eighth.",
            "噪声指标准差，这里单个样本的为 1：批量为 16 时是它的四分之一，批量为 64 时是八分之一。",
        ),
        *(
            b.line(b.defined(f"σ_{count}", deviation / sqrt(name)), deviation / sqrt(name), numbers=True)
            for count, name in ((16, b.number("b", 16)), (64, chance))
        ),
    )


def picture(b: Board) -> Iterator[Block]:
    samples = Samples(2, False)
    sizes: dict[str | Both, int] = {
        both("all samples", "全批量"): COUNT,
        both("mini-batches of 2", "小批量（2 个）"): 2,
        both("one sample", "单个样本"): 1,
    }
    curves = {
        label: [(float(seen), float(w)) for seen, w in way(samples.batches(size), EPOCHS)]
        for label, size in sizes.items()
    }
    yield b.chart(
        both("A weight over two epochs of six samples; 2 is best", "六个样本、两轮训练中的一个权重；最优值为 2"),
        both("samples seen", "已看过的样本数"),
        "w",
        curves,
    )
    yield b.table(
        both("Three ways to cut an epoch of N samples", "切分 N 个样本的三种方式"),
        ("", both("batch", "批量（BGD）"), both("stochastic", "随机（SGD）"), both("mini-batch", "小批量")),
        [
            (both("Samples per update", "每次更新用的样本数"), "N", "1", "B"),
            (both("Updates per epoch", "每轮更新次数"), "1", "N", "⌈N/B⌉"),
            (both("The gradient is", "梯度"), *(both(en, zh) for en, zh in KINDS)),
            (both("Work in parallel", "并行计算"), both("good", "好"), both("none", "无"), both("good", "好")),
        ],
    )


KINDS = (("exact", "精确"), ("noisy", "噪声大"), ("somewhat noisy", "噪声适中"))


def half_noise(b: Board) -> tuple[Formula, Formula]:
    spread, size = b.free("σ", 1, 2), b.whole("b", 1, 9)
    return spread / sqrt(size) / 2, spread / sqrt(2 * size)


def summed(b: Board) -> tuple[Formula, Formula]:
    g = [b.free(f"g_{i}", 1, 2) for i in range(1, 4)]
    return add(*g), add(*g) / 3


lesson = Lesson(
    title=both("Batch, stochastic and mini-batch gradient descent", "批量、随机与小批量梯度下降"),
    short=both(
        "The gradient of a random mini-batch is the full gradient on average; its variance is σ²/b.",
        "随机小批量的梯度，期望等于全批量梯度；方差是 σ²/b。",
    ),
    chapter="optimizers",
    position=2,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "With 60,000 samples a full gradient costs 60,000 forward and backward passes for one update. A mini-batch of 64 gives more than 900 updates for the same work, each in nearly the right direction.",
            "有 60000 个样本时，一次全批量更新要做 60000 次前向和反向传播。每批 64 个，同样的计算量可以更新 900 多次，每次方向都大致正确。",
        ),
        both(
            "The noise falls with the root of the batch size while the work grows with the size itself, so ever larger batches pay less and less. What is chosen is mostly what fills the hardware, such as 32 to 512.",
            "噪声随批量大小的平方根下降，计算量却与批量大小成正比，所以批量越大越不划算。通常按硬件容量选取，例如 32 到 512。",
        ),
    ),
    mistakes=(
        Mistake(
            both("A batch twice as large has half the noise.", "批量加倍，噪声减半。"),
            both(
                "It has 1/√2 of it: the variance is halved, not the standard deviation.",
                "噪声变为 1/√2：减半的是方差，不是标准差。",
            ),
            half_noise,
        ),
        Mistake(
            both("The batch gradient is the sum of the gradients of its samples.", "批量梯度是各样本梯度之和。"),
            both(
                "With PyTorch's reduction 'mean' it is their mean. With 'sum' the same rate makes steps b times as long.",
                "PyTorch 默认的 reduction='mean' 取平均。若用 'sum'，同样的学习率会使步长变为 b 倍。",
            ),
            summed,
        ),
        Mistake(
            both("An epoch is one update.", "一个 epoch 就是一次更新。"),
            both(
                "Only for full batches. In general an epoch has ⌈N/B⌉ updates.",
                "只有全批量时才如此。一般来说，一个 epoch 有 ⌈N/B⌉ 次更新。",
            ),
        ),
    ),
    network="""
inputs: [[1], [2], [1], [2]]
targets: [[3], [3], [1], [5]]
layers:
  - linear: {out: 1, weight: [[0]], bias: 0}
loss: mse
optimizer: {sgd: {lr: 0.1}}
batch_size: 2
steps: 2
""",
    see=("gradient_descent", "learning_rate_schedules", "ema", "batch_norm"),
)

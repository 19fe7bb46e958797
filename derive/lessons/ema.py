"""The exponentially weighted moving average: its weights, how far back they reach, and the bias of its start."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

from derive.board import Board, Lesson, Mistake, both
from derive.document import Amount, Block, Cell, say
from derive.formula import Formula, Name, add, exp, formula, log
from derive.lessons._chance import mean, variance
from derive.lessons._draws import equally, expectation
from derive.spec import tree
from derive.studies.calculation import Calculation
from derive.studies.ema import averaged, read, walked

LONG = 1000  # terms of a sum that has no end: what is left out is below 10⁻⁴⁰


def derivation(b: Board) -> Iterator[Block]:
    beta = b.free("β", "0.5", "0.9")
    before, today = b.free("s_t−1"), b.free("x_t")
    now = b.defined("s_t", averaged(beta, before, today))
    yield b.step(
        both("Definition", "定义"),
        both(
            "Every day brings a value. The new average keeps the share β of the old average and takes the share 1 − β of today's value; these two parts are added.",
            "每天来一个新值。新的平均值保留旧平均值的 β 倍，再取今天的值的 1 − β 倍，两部分相加。",
        ),
        b.line(now, averaged(beta, before, today)),
    )
    yield b.step(
        both("The same as a correction", "写成修正的形式"),
        both(
            "The average moves towards today's value by the share 1 − β of the distance.",
            "平均值朝今天的值移动，移动的距离是两者之差的 1 − β 倍。",
        ),
        b.line(now, before + (1 - beta) * (today - before)),
    )
    x, s0 = [b.free(f"x_{i}") for i in range(1, 4)], b.free("s_0")
    s1 = b.defined("s_1", averaged(beta, s0, x[0]))
    s2 = b.defined("s_2", averaged(beta, s1, x[1]))
    s3 = b.defined("s_3", averaged(beta, s2, x[2]))
    terms = (1 - beta) * x[2], (1 - beta) * beta * x[1], (1 - beta) * beta**2 * x[0], beta**3 * s0
    yield b.step(
        both("The recursion put into itself", "把递推式代入自身"),
        both(
            "Each average is written out in terms of the one before. Every day that passes multiplies what was there by β once more.",
            "每个平均值都用前一个写出来。每过一天，已有的各项就再乘一次 β。",
        ),
        b.line(s1, averaged(beta, s0, x[0])),
        b.line(s2, averaged(beta, s1, x[1]), (1 - beta) * x[1] + (1 - beta) * beta * x[0] + beta**2 * s0),
        b.line(s3, averaged(beta, s2, x[2]), add(*terms)),
    )
    nested = averaged(beta, averaged(beta, averaged(beta, s0, x[0]), x[1]), x[2])
    yield b.step(
        both("The weight of a value", "每个值的权重"),
        both(
            "The weight of a value is how much the average changes with it. A value that is k days old has the weight (1 − β)βᵏ, on whatever day one looks: each weight is β times the next newer one. What is left of the start has the weight β to the number of days.",
            "一个值的权重，就是平均值随它变化的快慢。无论在哪一天看，k 天前的值的权重都是 (1 − β)βᵏ：每个权重是后一天的 β 倍。初值剩下的权重是 β 的天数次幂。",
        ),
        *(
            b.line(b.slope(nested, value, f"w_{age}"), (1 - beta) * beta**age if age else 1 - beta)
            for age, value in enumerate(reversed(x))
        ),
        b.line(b.slope(nested, s0, "w_start"), beta**3),
    )
    yield from weights(b, beta)
    yield from window(b, beta)
    yield from bias(b, beta)
    yield from noise(b, beta)


def weights(b: Board, beta: Name) -> Iterator[Block]:
    days = b.random.randint(4, 9)
    t, k = b.number("t", days), b.free("k")
    weight = (1 - beta) * beta**k
    whole, shorter = b.summed("W_t", weight, k, 0, days - 1), b.summed("W_t−1", weight, k, 0, days - 2)
    three = b.summed("W_3", weight, k, 0, 2)
    yield b.step(
        both("The weights add up to 1", "权重之和为 1"),
        both(
            "W is the sum of the weights of all values. Multiplied out, everything cancels but the first and the last term. One day more multiplies the old weights by β and adds the new weight 1 − β, so the same holds for any number of days t. With the weight of the start the sum is exactly 1: this is an average.",
            "W 是所有值的权重之和。展开后，除首末两项外全部抵消。多一天，就是旧权重都乘以 β 再加上新权重 1 − β，所以对任意天数 t 都成立。加上初值的权重，总和恰好是 1：这确实是一个平均。",
        ),
        b.line(three, (1 - beta) * (1 + beta + beta**2), 1 + beta + beta**2 - beta - beta**2 - beta**3, 1 - beta**3),
        b.line(whole, beta * shorter + (1 - beta), beta * (1 - beta ** (t - 1)) + 1 - beta, 1 - beta**t),
        b.line(whole + beta**t, 1),
    )


def window(b: Board, beta: Name) -> Iterator[Block]:
    k = b.free("k")
    age = b.summed("A", k * ((1 - beta) * beta**k), k, 0, LONG)
    n = b.defined("n", 1 / (1 - beta))
    yield b.step(
        both("How far back it reaches", "能回溯多远"),
        both(
            "A is the mean age of what is averaged, once the start is forgotten. One day later every old value is a day older and has β times its weight; the new value has the age 0. The mean age is the same again, and the equation is solved for A. Counting today as the first day, n = A + 1 days are averaged in effect.",
            "A 是被平均的值的平均“年龄”（初值已被遗忘之后）。再过一天，所有旧值都老了一天，权重变为 β 倍，新值的年龄是 0。平均年龄仍是 A，由此方程解出 A。把今天算作第一天，实际相当于平均了 n = A + 1 天。",
        ),
        b.line(age, beta * (age + 1), beta / (1 - beta)),
        b.line(n, age + 1, beta / (1 - beta) + 1, 1 / (1 - beta)),
    )
    yield b.step(
        both("After one window", "一个窗口之后"),
        both(
            "After n days a weight has fallen by the factor βⁿ. Its logarithm is ln β over 1 − β; for β close to 1 the logarithm of β is nearly β − 1, so the factor is nearly 1/e, about 0.37. The table shows how nearly.",
            "n 天之后，权重降为原来的 βⁿ 倍。它的对数是 ln β 除以 1 − β；当 β 接近 1 时，ln β 约等于 β − 1，所以这个因子约为 1/e，即 0.37 左右。下表给出具体数值。",
        ),
        b.line(log(beta**n), n * log(beta), log(beta) / (1 - beta)),
    )
    rows = list[tuple[Cell, ...]]()
    for text in ("0.5", "0.9", "0.99", "0.999"):
        share = b.number("β", text)
        length = b.defined("n", 1 / (1 - share))
        rows.append((Amount(share), Amount(length), Amount(b.defined("r", share**length))))
    rows.append((say(both("limit", "极限")), "", Amount(b.defined("r", exp(formula(-1))))))
    yield b.table(both("Windows", "窗口"), (beta, n, beta**n), rows)


def bias(b: Board, beta: Name) -> Iterator[Block]:
    x = [b.free(f"x_{i}") for i in range(1, 4)]
    values = [b.values.known_exactly(name) for name in x]
    every = equally(x, product(values, repeat=3))
    mu = b.expected("μ", x[0], every)
    s3 = (1 - beta) * x[2] + (1 - beta) * beta * x[1] + (1 - beta) * beta**2 * x[0]
    days = b.random.randint(4, 9)
    t, old = b.number("t", days), b.free("s")
    expected, earlier = (
        b.hold(
            expectation(b.free(f"s_{index}")), b.value(b.iterated("s", averaged(beta, old, mu), old, formula(0), count))
        )
        for index, count in (("t", days), ("t−1", days - 1))
    )
    yield b.step(
        both("The bias of a start at zero", "从零开始的偏差"),
        both(
            "If the average starts from s₀ = 0, its weights add up to less than 1 at first. For values with the mean μ the expected average is too small by the missing weight. E stands for the expected average; the first line goes through all 27 outcomes of three days, the second does a day more in general.",
            "如果从 s₀ = 0 开始，起初权重之和小于 1。若各值的均值为 μ，平均值的期望就偏小，差额正是缺少的权重。E 表示平均值的期望；第一行穷举三天的全部 27 种结果，第二行给出一般的再多一天的情形。",
        ),
        b.line(mean(b, s3, every), (1 - beta) * (1 + beta + beta**2) * mu, (1 - beta**3) * mu),
        b.line(
            expected,
            beta * earlier + (1 - beta) * mu,
            beta * (1 - beta ** (t - 1)) * mu + (1 - beta) * mu,
            (1 - beta**t) * mu,
        ),
    )
    s = b.free("s_t")
    corrected = b.defined("ŝ_t", s / (1 - beta**t))
    first = b.defined("s_1", averaged(beta, formula(0), x[0]))
    yield b.step(
        both("The correction", "偏差修正"),
        both(
            "Divided by the sum of its weights the average has the expected value μ from the first day on; the first corrected average is the first value. This is the correction in Adam.",
            "除以权重之和之后，从第一天起平均值的期望就是 μ；第一个修正后的平均值就是第一个值。这正是 Adam 里的偏差修正。",
        ),
        b.line(corrected, s / (1 - beta**t)),
        b.line(expected / (1 - beta**t), mu),
        b.line(first / (1 - beta), (1 - beta) * x[0] / (1 - beta), x[0]),
    )
    begun = averaged(beta, averaged(beta, x[0], x[1]), x[2])
    yield b.step(
        both("Starting with the first value", "从第一个值开始"),
        both(
            "With s₁ = x₁ there is no bias: the weights add up to 1 from the start. In exchange the first value has the weight u, 1/(1 − β) times as large as otherwise. Shown for the third day.",
            "若取 s₁ = x₁ 就没有偏差：权重之和从一开始就是 1。代价是第一个值的权重 u 为原来的 1/(1 − β) 倍。这里以第三天为例。",
        ),
        b.line(b.slope(begun, x[0], "u"), beta**2),
        b.line(b.slope(begun, x[0], "u") + (1 - beta) * beta + (1 - beta), 1),
    )


def noise(b: Board, beta: Name) -> Iterator[Block]:
    x = [b.free(f"x_{i}") for i in range(1, 4)]
    every = equally(x, product((-1, 0, 2), repeat=3))
    spread = b.defined("σ^2", variance(b, x[0], every))
    s3 = (1 - beta) * x[2] + (1 - beta) * beta * x[1] + (1 - beta) * beta**2 * x[0]
    k = b.free("k")
    squares = b.summed("Q", ((1 - beta) * beta**k) ** 2, k, 0, LONG)
    yield b.step(
        both("How much noise is left", "还剩多少噪声"),
        both(
            "For independent values with the variance σ² the variances of the terms add up, each with its squared weight. After many days the sum of the squared weights is Q, a geometric series in β². With β = 0.9 it is 1/19, as in a plain mean of 19 values.",
            "若各值独立、方差为 σ²，则各项的方差乘以权重的平方后相加。天数很多时，权重平方之和为 Q，它是公比为 β² 的等比级数。β = 0.9 时它等于 1/19，相当于 19 个值的普通平均。",
        ),
        b.line(
            variance(b, s3, every),
            (1 - beta) ** 2 * (1 + beta**2 + beta**4) * spread,
            (1 - beta) * (1 - beta**6) / (1 + beta) * spread,
        ),
        b.line(squares, (1 - beta) ** 2 / (1 - beta**2), (1 - beta) / (1 + beta)),
    )


def numbers(b: Board) -> Iterator[Block]:
    beta, s = b.number("β", "0.9"), b.number("s_0", 0)
    for t, (value, why) in enumerate(DAYS, 1):
        x = b.number(f"x_{t}", value)
        rule = averaged(beta, s, x)
        s = b.defined(f"s_{t}", rule)
        corrected = s / (1 - beta**t)
        yield b.step(
            both(f"Day {t}", f"第 {t} 天"),
            why,
            b.line(s, rule, numbers=True),
            b.line(b.defined(f"ŝ_{t}", corrected), corrected, numbers=True),
        )


DAYS = (
    (
        10,
        both(
            "The average starts at 0 and has only a tenth of the first value; corrected, it is that value.",
            "从 0 开始，平均值只有第一个值的十分之一；修正后恰为该值。",
        ),
    ),
    (
        20,
        both(
            "Corrected, the average lies between the two values, nearer to the newer one.",
            "修正后的平均值介于两个值之间，更靠近较新的那个。",
        ),
    ),
    (
        30,
        both(
            "Without the correction the average would still be far below all three values.",
            "不修正的话，平均值仍远低于这三个值。",
        ),
    ),
)


def picture(b: Board) -> Iterator[Block]:
    random = Random(4)
    values = [round(20 - 0.01 * (t - 30) ** 2 + random.gauss(0, 2), 1) for t in range(60)]

    def line(beta: float, correct: bool = False) -> list[tuple[float, float]]:
        course = walked(read(tree({"beta": beta, "values": values, "start": "zero", "correct": correct})))
        found = Calculation(course.ends, course.given).numbers()
        return [(float(t), float(found[node][0, 0])) for t, node in enumerate(course.shat or course.s, 1)]

    dots = both("values", "数值")
    yield b.chart(
        both("Sixty days, averaged over about 2 and about 10", "六十天：约 2 天与约 10 天的平均"),
        "t",
        "",
        {dots: [(float(t), x) for t, x in enumerate(values, 1)], "β = 0.5": line(0.5), "β = 0.9": line(0.9)},
        styles={dots: "dots"},
    )
    yield b.chart(
        both("The start at zero, and its correction", "从零开始及其修正"),
        "t",
        "",
        {
            dots: [(float(t), x) for t, x in enumerate(values, 1)],
            both("β = 0.9, from zero", "β = 0.9，从零开始"): line(0.9),
            both("β = 0.9, corrected", "β = 0.9，修正后"): line(0.9, True),
        },
        styles={dots: "dots"},
    )


def two_signs(b: Board) -> tuple[Formula, Formula]:
    beta, old, today = b.free("β", "0.5", "0.9"), b.free("s", 1, 2), b.free("x", 3, 4)
    return beta * old, (1 - beta) * today


def swapped(b: Board) -> tuple[Formula, Formula]:
    beta, old, today = b.free("β", "0.6", "0.9"), b.free("s", 1, 2), b.free("x", 3, 4)
    return averaged(1 - beta, old, today), averaged(beta, old, today)


lesson = Lesson(
    title=both("The exponentially weighted moving average", "指数加权移动平均"),
    short=both(
        "s ← βs + (1 − β)x: a value k days old has the weight (1 − β)βᵏ, and about 1/(1 − β) days are averaged.",
        "s ← βs + (1 − β)x：k 天前的值权重为 (1 − β)βᵏ，大约平均了 1/(1 − β) 天。",
    ),
    chapter="optimizers",
    position=3,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "It smooths a noisy series with one number of memory. Momentum averages the gradient this way (in PyTorch's form times a constant), RMSprop its square, Adam both.",
            "它只需记住一个数就能平滑带噪声的序列。动量法这样平均梯度（PyTorch 的形式多一个常数倍），RMSprop 这样平均梯度的平方，Adam 两者都用。",
        ),
        both(
            "Batch normalization keeps the mean and variance for evaluation as such averages, with a share of 0.1 for the new value.",
            "批归一化用这种平均来保存推理时的均值和方差，新值的份额为 0.1。",
        ),
    ),
    mistakes=(
        Mistake(
            both("new = β · old = (1 − β) · today", "新值 = β · 旧值 = (1 − β) · 今天的值"),
            both(
                "It is a sum: new = β · old + (1 − β) · today. With the second equal sign the two parts would have to be equal.",
                "应当相加：新值 = β · 旧值 + (1 − β) · 今天的值。写成第二个等号，就等于说两部分相等。",
            ),
            two_signs,
        ),
        Mistake(
            both("β is the share of the new value.", "β 是新值所占的份额。"),
            both(
                "Here and in PyTorch's optimizers β is the share of the past. The momentum of PyTorch's batch normalization is the share of the new value.",
                "在这里以及 PyTorch 的优化器里，β 是过去所占的份额；PyTorch 批归一化的 momentum 才是新值的份额。",
            ),
            swapped,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
loss: mse
optimizer: {momentum: {lr: 0.1, momentum: 0.9, form: ema}}
steps: 3
""",
    see=("momentum", "rmsprop", "adam", "batch_norm", "batches"),
)

"""The mean absolute error: slopes of one size, a kink, and the median."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.formula import ZERO, Apply, Formula, Name, Symbol, add, cases, exp, log
from derive.lessons._losses import of, partial, pointwise, slope_of, worked
from derive.losses import l1, mse
from derive.measuring import named

op = pointwise(l1)
x = Name("x", symbol=Symbol("x"))
SIGN = named("sign", "sign", (x,), cases((1, x > 0), (-1, x < 0), (0, True)))


def sign(f: Formula) -> Formula:
    return Apply(SIGN, (f,))


def derivation(b: Board) -> Iterator[Block]:
    a, t = b.free("a"), b.free("t")
    yield b.step(
        both("Definition for one output", "单个输出的定义"),
        say(
            both(
                "The loss is the distance of the output {a} from the target {t}, whichever side it is on.",
                "损失就是输出 {a} 到目标 {t} 的距离，不论在哪一侧。",
            ),
            a=a,
            t=t,
        ),
        b.line(of(op, a, t), abs(a - t), cases((a - t, a - t >= 0), (-(a - t), True))),
    )
    slope = b.slope(of(op, a, t), a, partial("ℓ", a))
    yield from b.differentiated(abs(a - t), a, slope, slope_of(op, a, t), "∂")
    yield b.step(
        both("As a sign", "写成符号函数"),
        both(
            "The slope says on which side the output lies, and nothing else. Off the target it has size 1, however large the error is.",
            "导数只说明输出在哪一侧，除此之外什么也不说。只要偏离目标，无论误差多大，它的大小都是 1。",
        ),
        b.line(slope, sign(a - t)),
    )
    yield kink(b)
    yield from mean(b)
    yield from median(b)
    yield likelihood(b)


def kink(b: Board) -> Step:
    t, h = b.free("t"), b.free("h", "0.1", 2)
    return b.step(
        both("The kink at the target", "目标处的折点"),
        say(
            both(
                "Starting at the target, a step of any length {h} upwards or downwards raises the loss by that length. The quotients are 1 and −1 for every {h}, so they have no common limit: there is no derivative. Any number from −1 to 1 could stand there; derive and PyTorch take 0, so an output that is right stays where it is.",
                "从目标出发，向上或向下走任意长度 {h}，损失就增加多少。两个差商对任何 {h} 都分别是 1 和 −1，没有共同的极限，所以此处不可导。从 −1 到 1 的任何数都可以取；derive 与 PyTorch 取 0，因此已经正确的输出保持不动。",
            ),
            h=h,
        ),
        b.line((of(op, t + h, t) - of(op, t, t)) / h, (h - 0) / h, 1),
        b.line((of(op, t - h, t) - of(op, t, t)) / (-h), h / (-h), -1),
        b.line(sign(ZERO), 0),
    )


def mean(b: Board) -> Iterator[Step]:
    a, t = [b.free(f"a_{i}") for i in (1, 2, 3)], [b.free(f"t_{i}") for i in (1, 2, 3)]
    loss, gradient = worked(b, l1, [[y] for y in a], [[y] for y in t])
    errors = [u - v for u, v in zip(a, t, strict=True)]
    yield b.step(
        both("The mean over three outputs", "对三个输出取平均"),
        both(
            "The distances are added and divided by their number. Each output has a distance of its own, so its slope is a third of a sign.",
            "把各个距离相加，再除以个数。每个输出只影响自己的距离，所以导数是符号的三分之一。",
        ),
        b.line(b.hold("L", loss), add(*map(abs, errors)) / 3),
        *(
            b.line(b.hold(partial("L", output), g), sign(error) / 3)
            for output, error, g in zip(a, errors, gradient, strict=True)
        ),
    )
    n, rest = b.number("N", 7), b.free("R", 0, 9)
    output, target = b.free("a_i"), b.free("t_i")
    whole = (rest + abs(output - target)) / n
    yield b.step(
        both("Any number of outputs", "任意多个输出"),
        say(
            both(
                "Of {n} outputs take one, {x}. Let {rest} be the sum of the other distances, in which {x} does not occur.",
                "在 {n} 个输出中任取一个 {x}，其余距离之和记为 {rest}，其中不含 {x}。",
            ),
            n=n,
            x=output,
            rest=rest,
        ),
        b.line(b.slope(whole, output, partial("L", output)), b.slope(whole, output, d="∂"), sign(output - target) / n),
    )


def median(b: Board) -> Iterator[Step]:
    first, step, other = b.free("t_1"), b.free("d", "0.5", 2), b.free("d", "0.5", 2)
    second = b.defined("t_2", first + step)
    t = [first, second, b.defined("t_3", second + other)]
    below, above = b.defined("c", first + step / 2), b.defined("c", second + other / 2)

    def slope(c: Name) -> Formula:
        return b.slope(add(*(abs(c - y) for y in t)) / 3, c, partial("L", c))

    def signs(c: Name) -> Formula:
        return add(*(sign(c - y) for y in t)) / 3

    third = Fraction(1, 3)
    yield b.step(
        both("The best single number is the median", "最好的单个数是中位数"),
        [
            say(
                both(
                    "Let every output be the same number {c}, and let three targets be in rising order: {t1}, {t2}, {t3}. First {c} lies between the first and the second: one sign is positive, two are negative, and the loss falls as {c} grows.",
                    "设所有输出都是同一个数 {c}，三个目标由小到大为 {t1}、{t2}、{t3}。先让 {c} 位于前两个之间：一个符号为正，两个为负，{c} 增大时损失下降。",
                ),
                c=below,
                t1=t[0],
                t2=t[1],
                t3=t[2],
            ),
        ],
        b.line(slope(below), signs(below), -third),
    )
    yield b.step(
        both("Beyond the median", "越过中位数"),
        both(
            "Now it lies between the second and the third, and the loss rises. Further out all three signs agree, and the loss falls or rises even faster. So the smallest loss is at the second target, which has as many targets below it as above it; how far away they are does not matter.",
            "再让它位于后两个之间，损失就上升了。再往两端，三个符号相同，损失下降或上升得更快。所以损失在第二个目标处最小：它两侧的目标一样多，而它们离得多远并不重要。",
        ),
        b.line(slope(above), signs(above), third),
    )


def likelihood(b: Board) -> Step:
    a, t, scale = b.free("a"), b.free("t"), b.free("β", "0.5", 2)
    up = cases((exp((t - a) / scale) / 2, t < a), (1 - exp(-((t - a) / scale)) / 2, True))
    f = b.slope(up, t, "f")
    return b.step(
        both("From Laplace distributed errors", "由拉普拉斯分布的误差得到"),
        say(
            both(
                "The density {f} of a Laplace distribution of width {scale} falls off exponentially with the distance from its centre, here the output. Its logarithm contains the absolute error, as that of the normal distribution contains the square. So maximum likelihood asks for the smallest sum of absolute errors.",
                "宽度为 {scale} 的拉普拉斯分布，其密度 {f} 随着到中心（这里是输出）的距离按指数衰减。密度的对数中出现的是绝对误差，正如正态分布中出现的是平方误差。因此最大似然要求绝对误差之和最小。",
            ),
            scale=scale,
            f=f,
        ),
        b.line(f, exp(-(abs(t - a) / scale)) / (2 * scale)),
        b.line(-log(f), -log(exp(-(abs(t - a) / scale))) + log(2 * scale), abs(a - t) / scale + log(2 * scale)),
    )


def numbers(b: Board) -> Iterator[Block]:
    outputs = [b.number(f"a_{i}", v) for i, v in enumerate(("0.8", "0.4", 3), 1)]
    targets = [b.number(f"t_{i}", v) for i, v in enumerate((1, 0, 3), 1)]
    distances = add(*(abs(a - t) for a, t in zip(outputs, targets, strict=True)))
    yield b.step(
        both("Three outputs", "三个输出"),
        both(
            "The errors are −0.2, 0.4 and 0; the two slopes that are not 0 have the same size.",
            "误差为 −0.2、0.4 和 0；不为 0 的两个导数大小相同。",
        ),
        b.line(b.defined("L", distances / 3), distances / 3, numbers=True),
        *(
            b.line(b.slope(distances / 3, a, partial("L", a)), sign(a - t) / 3, numbers=True)
            for a, t in zip(outputs, targets, strict=True)
        ),
    )
    three = [b.number(f"t_{i}", v) for i, v in enumerate((0, 1, 103), 1)]
    yield b.step(
        both("One wrong target among three", "三个目标中有一个错误"),
        both(
            "The third target should have been 3. It drags the mean, which the squared error aims at, far away; the median is the second target and stays.",
            "第三个目标本应是 3。平方误差所追求的平均值被它拉得很远，而中位数是第二个目标，保持不动。",
        ),
        b.line(b.defined("t\u0304", add(*three) / 3), add(*three) / 3, numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    e = b.free("e")
    at = grid(-3, 3)
    yield b.chart(
        both("Absolute and squared error", "绝对误差与平方误差"),
        both("error a − t", "误差 a − t"),
        "",
        {"|a − t|": b.vary(abs(e), e, at), "(a − t)²": b.vary(e**2, e, at)},
    )
    jumping = [(x, y if x else math.nan) for x, y in b.vary(sign(e), e, at)]  # a gap where it jumps
    yield b.chart(
        both("Their slopes: one jumps at 0, the other grows", "它们的导数：一个在 0 处跳跃，另一个随误差增长"),
        both("error a − t", "误差 a − t"),
        "",
        {"sign(a − t)": jumping, "2(a − t)": b.vary(2 * e, e, at)},
    )


def the_square(b: Board) -> tuple[Formula, Formula]:
    a, t = [[b.free("a_1")], [b.free("a_2")]], [[b.free("t_1")], [b.free("t_2")]]
    return b.hold("L", worked(b, mse, a, t)[0]), b.hold("L", worked(b, l1, a, t)[0])


def the_error(b: Board) -> tuple[Formula, Formula]:
    a, t = b.free("a", 1, 2), b.free("t", -2, -1)
    return a - t, b.slope(of(op, a, t), a)


lesson = Lesson(
    title=both("Mean absolute error", "平均绝对误差（MAE）"),
    short=both(
        "The mean of |a − t| over all outputs, L1Loss in PyTorch; its derivative with respect to one output is the sign of the error divided by N.",
        "|a − t| 对所有输出取平均，即 PyTorch 的 L1Loss；对一个输出的导数是误差的符号除以 N。",
    ),
    chapter="losses",
    position=2,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "An outlier pulls no harder than any other sample, since all slopes have the same size. So the absolute error suits data in which some targets are plainly wrong.",
            "所有导数大小相同，离群值的拉力并不比别的样本大。因此目标中含有错误数据时，绝对误差更合适。",
        ),
        both(
            "There is a price: the slope stays just as large close to the target, so with a fixed learning rate the output jumps back and forth around it. A decreasing rate helps, or Huber's loss.",
            "另一面是：接近目标时导数依然那么大，学习率不变时，输出会在目标两侧来回跳动。可以让学习率逐渐减小，或者使用 Huber 损失。",
        ),
    ),
    mistakes=(
        Mistake(
            both("MAE is nn.MSELoss in PyTorch", "MAE 在 PyTorch 中是 nn.MSELoss"),
            both(
                "MAE is nn.L1Loss. MSELoss takes the squares; it is the mean squared error.",
                "MAE 是 nn.L1Loss。MSELoss 取的是平方，即均方误差。",
            ),
            the_square,
        ),
        Mistake(
            both("The slope is the error a − t", "导数是误差 a − t"),
            both(
                "The slope is only its sign: 1, −1, or 0 at the kink. The error itself is the slope of ½(a − t)².",
                "导数只是误差的符号：1、−1，或在折点处取 0。误差本身是 ½(a − t)² 的导数。",
            ),
            the_error,
        ),
    ),
    network="""
inputs: [[1, 2], [0, -1]]
targets: [[1], [0]]
layers:
  - linear: {out: 2, weight: [[0.5, -0.3], [0.2, 0.4]], bias: [0.1, 0]}
  - tanh
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: l1
optimizer: {sgd: {lr: 0.1}}
""",
    see=("mse", "huber", "smooth_l1", "l1"),
)

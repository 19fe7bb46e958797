"""The smooth L1 loss, and how it is related to Huber's."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.formula import ONE, Formula, Name, add, cases, larger, smaller
from derive.lessons._losses import Outputs, of, partial, places, pointwise, slope_of, worked
from derive.losses import huber, smooth_l1
from derive.ops.base import Elementwise

HALF = Fraction(1, 2)


def derivation(b: Board) -> Iterator[Block]:
    β = b.free("β", HALF, 2)
    yield from joined(b, β)
    op = pointwise(smooth_l1, beta=β)
    a, t = b.free("a"), b.free("t")
    yield b.step(
        both("Definition for one output", "单个输出的定义"),
        both("Written in the output and the target, on both sides of it.", "用输出与目标写出，对目标两侧都成立。"),
        b.line(of(op, a, t), cases(((a - t) ** 2 / (2 * β), abs(a - t) < β), (abs(a - t) - HALF * β, True))),
    )
    near, above, below = outputs = places(b, t, β)
    slopes = [b.slope(of(op, x, t), x, partial("ℓ", x)) for x in outputs]
    yield b.step(
        both("The slope in its three regions", "三个区域中的导数"),
        say(
            both(
                "Let {a} be closer to the target than {β}, {above} further above it and {below} further below it. Near the target the slope is the error divided by {β}; further away it is the slope of the absolute value.",
                "设 {a} 与目标的距离小于 {β}，{above} 在上方更远处，{below} 在下方更远处。在目标附近，导数是误差与 {β} 之比；更远处就是绝对值的导数。",
            ),
            a=near,
            above=above,
            below=below,
            β=β,
        ),
        b.line(slopes[0], b.slope((near - t) ** 2 / (2 * β), near, d="∂"), 2 * (near - t) / (2 * β), (near - t) / β),
        b.line(slopes[1], b.slope(above - t - HALF * β, above, d="∂"), 1),
        b.line(slopes[2], b.slope(-(below - t) - HALF * β, below, d="∂"), -1),
    )
    yield b.step(
        both("The slope is clipped", "导数是截断的"),
        both(
            "In all three places the slope is the error divided by β, cut off at 1 and −1.",
            "在三处，导数都是误差除以 β、再在 −1 与 1 处截断的结果。",
        ),
        *(
            b.line(slope, larger(-1, smaller((x - t) / β, 1)), slope_of(op, x, t))
            for slope, x in zip(slopes, outputs, strict=True)
        ),
    )
    yield from relation(b, op, t, β, outputs)
    yield mean(b, op, t, β, outputs)


def joined(b: Board, β: Name) -> Iterator[Step]:
    """Where the parabola comes from: it meets |e| − c without a jump and without a kink."""
    e = b.free("e", "0.1", 3)
    k = b.hold("k", 1 / (2 * b.value(β)))
    c = b.hold("c", b.value(β) - b.value(k) * b.value(β) ** 2)
    yield b.step(
        both("The absolute value, rounded off", "把绝对值的折角磨圆"),
        say(
            both(
                "From an error of {β} on, the slope is 1 as for the absolute value. Below it there is a parabola with a factor {k}; its slope at {β} has to be 1 as well, and that gives the factor.",
                "误差从 {β} 起，导数为 1，与绝对值相同。在此之内是系数为 {k} 的抛物线；它在 {β} 处的导数也必须为 1，由此得到系数。",
            ),
            β=β,
            k=k,
        ),
        b.line(b.slope(k * β**2, β), 2 * k * β, 1),
        b.line(k, 1 / (2 * β)),
        b.line(k * e**2, e**2 / (2 * β)),
    )
    yield b.step(
        both("Without a jump", "不跳跃"),
        say(
            both(
                "At {β} the parabola has the value ½{β}, and the absolute value is {β} itself. So the straight piece is lowered by the constant {c}.",
                "在 {β} 处，抛物线的值是 ½{β}，绝对值则是 {β}。所以直线段要降低一个常数 {c}。",
            ),
            β=β,
            c=c,
        ),
        b.line(k * β**2, β**2 / (2 * β), HALF * β),
        b.line(c, β - HALF * β, HALF * β),
        b.line(e - c, e - HALF * β),
    )


def relation(b: Board, op: Elementwise, t: Name, β: Name, outputs: Outputs) -> Iterator[Step]:
    near, above, below = outputs
    bent = pointwise(huber, delta=β)
    h = [b.hold(f"h_{i}", b.value(of(bent, x, t))) for i, x in enumerate(outputs, 1)]
    yield b.step(
        both("Huber's loss is a multiple of it", "Huber 损失是它的倍数"),
        say(
            both(
                "Let {h1}, {h2} and {h3} be Huber's losses of the same three outputs, with δ = β. Multiplying the smooth L1 loss by β gives each of them. So the slopes of Huber's loss are β times as large, too.",
                "设 {h1}、{h2}、{h3} 为同样三个输出在 δ = β 时的 Huber 损失。把 smooth L1 损失乘以 β，正好得到它们。因此 Huber 损失的导数也是 β 倍。",
            ),
            h1=h[0],
            h2=h[1],
            h3=h[2],
        ),
        b.line(h[0], β * of(op, near, t), β * ((near - t) ** 2 / (2 * β)), HALF * (near - t) ** 2),
        b.line(h[1], β * of(op, above, t), β * (above - t - HALF * β)),
        b.line(h[2], β * of(op, below, t), β * (t - below - HALF * β)),
    )
    at_one, bent_at_one = pointwise(smooth_l1, beta=Fraction(1)), pointwise(huber, delta=Fraction(1))
    a, far = b.defined("a_4", t + b.free("r", "-0.9", "0.9")), b.defined("a_5", t + b.free("r", "1.1", 3))
    h = [b.hold(f"h_{i}", b.value(of(bent_at_one, x, t))) for i, x in ((4, a), (5, far))]
    yield b.step(
        both("With β = δ = 1 they are the same", "β = δ = 1 时两者相同"),
        say(
            both(
                "The factor is 1 then. Here {h4} is Huber's loss of an output that is closer to the target than 1, and {h5} that of one further above. In PyTorch 1 is the default of both, SmoothL1Loss and HuberLoss.",
                "此时倍数为 1。这里 {h4} 是与目标距离小于 1 的输出的 Huber 损失，{h5} 是上方更远的输出的 Huber 损失。在 PyTorch 中，SmoothL1Loss 与 HuberLoss 的默认值都是 1。",
            ),
            h4=h[0],
            h5=h[1],
        ),
        b.line(h[0], of(at_one, a, t), HALF * (a - t) ** 2),
        b.line(h[1], of(at_one, far, t), far - t - HALF),
    )


def mean(b: Board, op: Elementwise, t: Name, β: Name, outputs: Outputs) -> Step:
    loss, gradient = worked(b, smooth_l1, [[x] for x in outputs], [[t]] * 3, beta=b.exactly(β))
    near = outputs[0]
    return b.step(
        both("The mean over three outputs", "对三个输出取平均"),
        both(
            "The losses are added and divided by three, and so is every slope.",
            "损失相加后除以三，每个导数也除以三。",
        ),
        b.line(b.hold("L", loss), add(*(of(op, x, t) for x in outputs)) / 3),
        *(
            b.line(b.hold(partial("L", x), g), f)
            for x, g, f in zip(outputs, gradient, ((near - t) / (3 * β), ONE / 3, -ONE / 3), strict=True)
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    β, t = b.number("β", "0.5"), b.number("t", 2)
    op, bent = pointwise(smooth_l1, beta=β), pointwise(huber, delta=β)
    near, far = b.number("a_1", "2.3"), b.number("a_2", 5)
    losses = [b.defined("ℓ_1", of(op, near, t)), b.defined("ℓ_2", of(op, far, t))]
    yield b.step(
        both("Errors of 0.3 and 3, with β = 0.5", "β = 0.5，误差为 0.3 与 3"),
        both("The first error is within β, the second beyond.", "第一个误差在 β 之内，第二个超出。"),
        b.line(losses[0], (near - t) ** 2 / (2 * β), numbers=True),
        b.line(b.slope(of(op, near, t), near, partial("ℓ_1", near)), (near - t) / β, numbers=True),
        b.line(losses[1], abs(far - t) - HALF * β, numbers=True),
        b.line(b.slope(of(op, far, t), far, partial("ℓ_2", far)), 1, numbers=True),
    )
    yield b.step(
        both("Huber's loss of the same errors", "同样误差的 Huber 损失"),
        both("With δ = 0.5 both are half as large.", "取 δ = 0.5，两者都是前面的一半。"),
        b.line(b.defined("h_1", of(bent, near, t)), β * losses[0], numbers=True),
        b.line(b.defined("h_2", of(bent, far, t)), β * losses[1], numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    error, zero = b.free("e"), b.number("t", 0)
    at = grid(-3, 3)
    yield b.chart(
        both("The smaller β, the closer to the absolute error", "β 越小，越接近绝对误差"),
        both("error a − t", "误差 a − t"),
        "",
        {
            "|a − t|": b.vary(abs(error), error, at),
            **{
                f"β = {label}": b.vary(of(pointwise(smooth_l1, beta=beta), error, zero), error, at)
                for label, beta in (("½", HALF), ("1", Fraction(1)), ("2", Fraction(2)))
            },
        },
    )
    yield b.chart(
        both("Smooth L1 (β) and Huber's loss (δ), both with 2", "smooth L1（β）与 Huber 损失（δ），都取 2"),
        both("error a − t", "误差 a − t"),
        "",
        {
            "smooth L1": b.vary(of(pointwise(smooth_l1, beta=Fraction(2)), error, zero), error, at),
            "Huber": b.vary(of(pointwise(huber, delta=Fraction(2)), error, zero), error, at),
        },
    )


def the_same(b: Board) -> tuple[Formula, Formula]:
    a, t, β = b.free("a"), b.free("t"), b.free("β", "0.2", "0.8")
    return of(pointwise(huber, delta=β), a, t), of(pointwise(smooth_l1, beta=β), a, t)


def slope_of_the_parabola(b: Board) -> tuple[Formula, Formula]:
    t, β = b.free("t"), b.free("β", "0.2", "0.8")
    a = b.defined("a", t + β / 2)
    return a - t, b.slope(of(pointwise(smooth_l1, beta=β), a, t), a)


def always_one(b: Board) -> tuple[Formula, Formula]:
    a, t = b.free("a", 1, 2), b.free("t", -1, 0)
    return of(pointwise(smooth_l1, beta=Fraction(1)), a, t), of(pointwise(smooth_l1, beta=HALF), a, t)


lesson = Lesson(
    title=both("Smooth L1 loss", "smooth L1 损失"),
    short=both(
        "(a − t)²/(2β) where |a − t| is less than β, else |a − t| − ½β. With β = 1 it is Huber's loss with δ = 1; in general Huber's loss is δ times smooth L1 with β = δ.",
        "|a − t| 小于 β 时为 (a − t)²/(2β)，否则为 |a − t| − ½β。β = 1 时就是 δ = 1 的 Huber 损失；一般地，Huber 损失是 β = δ 的 smooth L1 的 δ 倍。",
    ),
    chapter="losses",
    position=4,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "Far from the target the slope is 1 whatever β is, so β can be changed without changing the steps for large errors. With Huber's loss both change together.",
            "远离目标时，无论 β 取多少导数都是 1，因此改变 β 不会影响大误差的步长。Huber 损失则会一起改变。",
        ),
        both(
            "It became known through object detection, where the place and size of boxes are predicted: some boxes are far off at first and must not outweigh the rest.",
            "它因目标检测而广为人知：预测框的位置和大小时，有些框起初偏差很大，不能让它们压过其余的框。",
        ),
    ),
    mistakes=(
        Mistake(
            both(
                "β in smooth L1 is δ in Huber's loss, so both give the same value",
                "smooth L1 的 β 就是 Huber 的 δ，所以两者的值相同",
            ),
            both(
                "They bend at the same place, but Huber's loss is δ times as large. Only for β = δ = 1 are the values equal.",
                "它们转折的位置相同，但 Huber 损失是 δ 倍。只有 β = δ = 1 时值才相等。",
            ),
            the_same,
        ),
        Mistake(
            both("Near the target the slope is a − t", "目标附近的导数是 a − t"),
            both(
                "It is (a − t)/β, so that it has grown to 1 at the joint. A small β makes it steep.",
                "是 (a − t)/β，这样到接合处恰好增长到 1。β 越小越陡。",
            ),
            slope_of_the_parabola,
        ),
        Mistake(
            both("Smooth L1 has no parameter", "smooth L1 没有参数"),
            both(
                "Many printed formulas are those for β = 1. PyTorch has beta; with β = 0 it is L1Loss.",
                "许多资料中的公式只是 β = 1 的情形。PyTorch 有参数 beta；β = 0 时就是 L1Loss。",
            ),
            always_one,
        ),
    ),
    network="""
inputs: [[1, 2], [0, -1]]
targets: [[4], [0]]
layers:
  - linear: {out: 2, weight: [[0.5, -0.3], [0.2, 0.4]], bias: [0.1, 0]}
  - tanh
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: {smooth_l1: {beta: 0.5}}
optimizer: {sgd: {lr: 0.1}}
""",
    see=("huber", "mae", "mse"),
)

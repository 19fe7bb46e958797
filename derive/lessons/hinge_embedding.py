"""The hinge embedding loss: similar pairs together, others apart, but no further than a margin."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.formula import Formula, Name, add, formula, larger
from derive.lessons._losses import Outputs, of, partial, pointwise, slope_of, worked
from derive.losses import hinge_embedding


def derivation(b: Board) -> Iterator[Block]:
    m = b.free("m", 1, 2)
    op = pointwise(hinge_embedding, margin=m)
    like, close = b.free("a_1", "0.1", 3), b.defined("a_2", m - b.free("d", "0.1", "0.9"))
    far = b.defined("a_3", m + b.free("d", "0.1", 2))
    yield b.step(
        both("Similar pairs: the target is 1", "相似的一对：目标为 1"),
        say(
            both(
                "The output {a} is the distance of two samples, so it is not negative. Similar samples should lie close together: the distance itself is the loss.",
                "输出 {a} 是两个样本之间的距离，不为负。相似的样本应当靠近，所以距离本身就是损失。",
            ),
            a=like,
        ),
        b.line(of(op, like, 1), like),
        b.line(b.slope(of(op, like, formula(1)), like, partial("ℓ", like)), b.slope(like, like), 1),
    )
    yield b.step(
        both("Different pairs: the target is −1", "不同的一对：目标为 −1"),
        say(
            both(
                "Different samples should lie apart, and the margin {m} is far enough. The loss is the part of the margin that is still missing; beyond the margin there is none. Here {close} is less than the margin, and {far} is more.",
                "不同的样本应当分开，达到间隔 {m} 就足够了。与间隔相差多少，损失就是多少；超过间隔则没有损失。这里 {close} 小于间隔，{far} 大于间隔。",
            ),
            m=m,
            close=close,
            far=far,
        ),
        b.line(of(op, close, -1), larger(0, m - close), m - close),
        b.line(of(op, far, -1), larger(0, m - far), 0),
    )
    apart = b.number("t", -1)
    yield b.step(
        both("Its derivative", "它的导数"),
        both(
            "Within the margin the derivative is −1, so the distance grows; beyond the margin it is 0, and the pair is left alone. One formula with the target t = −1 says both.",
            "在间隔之内导数为 −1，距离会增大；超过间隔导数为 0，这一对不再受影响。代入目标 t = −1，一个公式就包含这两种情形。",
        ),
        b.line(
            b.slope(of(op, close, apart), close, partial("ℓ", close)),
            b.slope(m - close, close, d="∂"),
            -1,
            slope_of(op, close, apart),
        ),
        b.line(b.slope(of(op, far, apart), far, partial("ℓ", far)), 0, slope_of(op, far, apart)),
    )
    yield kink(b, m)
    yield mean(b, m, (like, close, far))


def kink(b: Board, m: Name) -> Step:
    op, h = pointwise(hinge_embedding, margin=m), b.free("h", "0.1", "0.9")
    return b.step(
        both("The hinge", "铰链处"),
        say(
            both(
                "At the margin the loss is 0. A step of any length {h} upwards leaves it there, and a step downwards raises it by that length: the quotients are 0 and −1, so there is no derivative. derive and PyTorch take −1 there.",
                "恰在间隔处损失为 0。向上走任意长度 {h}，损失不变；向下走，损失就增加这么多：差商分别为 0 和 −1，所以不可导。derive 与 PyTorch 在此取 −1。",
            ),
            h=h,
        ),
        b.line((of(op, m + h, -1) - of(op, m, -1)) / h, 0),
        b.line((of(op, m - h, -1) - of(op, m, -1)) / (-h), h / (-h), -1),
        b.line(slope_of(op, m, b.number("t", -1)), -1),
    )


def mean(b: Board, m: Name, outputs: Outputs) -> Step:
    like, close, far = outputs
    loss, gradient = worked(b, hinge_embedding, [[a] for a in outputs], [[1], [-1], [-1]], margin=b.exactly(m))
    return b.step(
        both("The mean over three pairs", "对三对样本取平均"),
        both(
            "The losses of the three pairs above are added and divided by three, and so is every slope.",
            "上面三对样本的损失相加后除以三，每个导数也除以三。",
        ),
        b.line(b.hold("L", loss), add(like, m - close, larger(0, m - far)) / 3, (like + m - close) / 3),
        *(
            b.line(b.hold(partial("L", a), g), Fraction(slope, 3))
            for a, g, slope in zip(outputs, gradient, (1, -1, 0), strict=True)
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    m = b.number("m", 1)
    op = pointwise(hinge_embedding, margin=m)
    like, close, far = (b.number(f"a_{i}", value) for i, value in enumerate(("0.3", "0.4", "1.5"), 1))
    yield b.step(
        both("Three pairs, with the margin 1", "三对样本，间隔为 1"),
        both(
            "The first pair is similar, the others are different. The last one is already far enough apart.",
            "第一对相似，另外两对不同。最后一对已经离得足够远。",
        ),
        b.line(b.defined("ℓ_1", of(op, like, 1)), like, numbers=True),
        b.line(b.defined("ℓ_2", of(op, close, -1)), larger(0, m - close), numbers=True),
        b.line(b.defined("ℓ_3", of(op, far, -1)), larger(0, m - far), numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    a = b.free("a")
    at = grid(0, 2.5)
    op = pointwise(hinge_embedding)
    yield b.chart(
        both("The loss of a distance, with the margin 1", "距离的损失，间隔为 1"),
        both("distance a", "距离 a"),
        "",
        {
            both("similar: t = 1", "相似：t = 1"): b.vary(of(op, a, 1), a, at),
            both("different: t = −1", "不同：t = −1"): b.vary(of(op, a, -1), a, at),
        },
    )


def of_a_score(b: Board) -> tuple[Formula, Formula]:
    a = b.free("a", "0.1", "0.9")
    return larger(0, 1 - a), of(pointwise(hinge_embedding), a, 1)


lesson = Lesson(
    title=both("Hinge embedding loss", "铰链嵌入损失"),
    short=both(
        "For a distance a: the loss is a for similar pairs (t = 1), and max(0, m − a) for different ones (t = −1), so they are pushed apart up to the margin m.",
        "对距离 a：相似的一对（t = 1）损失为 a，不同的一对（t = −1）损失为 max(0, m − a)，即把它们推开到间隔 m 为止。",
    ),
    chapter="losses",
    position=10,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=both(
        "It is for networks that learn a distance: whether two pictures show the same person, whether two sentences mean the same. The margin keeps pairs that are already apart from using up the gradient.",
        "它用于学习距离的网络：两张照片是否是同一个人，两句话意思是否相同。有了间隔，已经分开的样本对就不再占用梯度。",
    ),
    mistakes=(
        Mistake(
            both(
                "It is the hinge loss max(0, 1 − ta) of support vector machines",
                "它就是支持向量机的铰链损失 max(0, 1 − ta)",
            ),
            both(
                "The output is a distance here, not a score. The hinge loss for t = 1 would be max(0, 1 − a), which with the margin 1 is the loss for t = −1 here; for t = 1 it is the distance itself.",
                "这里的输出是距离，不是得分。t = 1 时铰链损失为 max(0, 1 − a)，而这里（间隔为 1）它是 t = −1 时的损失；t = 1 时损失就是距离本身。",
            ),
            of_a_score,
        ),
        Mistake(
            both("Different pairs are pushed apart without end", "不同的样本对会被无限推远"),
            both(
                "Beyond the margin both loss and slope are 0.",
                "超过间隔之后，损失和导数都为 0。",
            ),
        ),
        Mistake(
            both("The targets are 1 and 0", "目标取 1 和 0"),
            both(
                "They are 1 and −1. derive refuses any other target; PyTorch accepts it, and then adds both losses.",
                "目标取 1 和 −1。derive 拒绝其他目标；PyTorch 会接受，却把两种损失加在一起。",
            ),
        ),
    ),
    network="""
inputs: [[0.5, -1], [1, 2]]
targets: [[1], [-1]]
layers:
  - linear: {out: 1, weight: [[0.2, -0.4]], bias: 0.1}
  - softplus
loss: {hinge_embedding: {margin: 1}}
optimizer: {sgd: {lr: 0.5}}
""",
    see=("mae", "huber", "softplus"),
)

"""Hardtanh: a straight line, cut off at both ends."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, formula, larger, smaller, tanh
from derive.lessons._activation import (
    AS_USED,
    DEFINITION,
    body,
    elementwise,
    example,
    graph,
    prime,
    slope,
    value,
    values,
)
from derive.ops.activations import hardtanh

op = elementwise(hardtanh())
ENDS = (("-4", "-1.1"), ("-0.9", "0.9"), ("1.1", "4"))  # below, between and above the ends


def derivation(b: Board) -> Iterator[Block]:
    below, between, above = (b.free("z", *ends) for ends in ENDS)
    z = b.random.choice((below, between, above))
    yield b.step(
        DEFINITION,
        both(
            "Between −1 and 1 z passes unchanged; beyond, the nearer end is taken. In PyTorch the ends are min_val and max_val, by default −1 and 1.",
            "介于 −1 与 1 之间时 z 原样通过；超出时取较近的一端。PyTorch 中两端称为 min_val 与 max_val，默认为 −1 与 1。",
        ),
        b.line(value(op, z), body(op, z), larger(-1, smaller(1, z))),
    )
    yield b.step(
        both("Between the ends", "两端之间"),
        both("There the function is z itself.", "此处函数就是 z 本身。"),
        b.line(prime(b, op, between), b.slope(between, between), 1),
    )
    yield b.step(
        both("Beyond the ends", "两端之外"),
        both(
            "There the function is constant: for z < −1 and for z > 1 the slope is 0.",
            "此处函数为常数：z < −1 与 z > 1 时斜率都为 0。",
        ),
        b.line(prime(b, op, below), b.slope(formula(-1), below), 0),
        b.line(prime(b, op, above), b.slope(formula(1), above), 0),
    )
    h = b.free("h", "0.1", "0.9")
    one = formula(1)
    yield b.step(
        both("At the ends", "在两端"),
        both(
            "At z = 1, with a small h > 0, the chord to the left has slope 1 and the one to the right slope 0: a kink. At z = −1 it is the other way round. PyTorch takes 0 at both ends.",
            "在 z = 1 处，取小的 h > 0，向左的割线斜率为 1，向右的为 0：此处是折点。在 z = −1 处左右相反。PyTorch 在两端都取 0。",
        ),
        b.line((value(op, one) - value(op, one - h)) / h, (1 - (1 - h)) / h, 1),
        b.line((value(op, one + h) - value(op, one)) / h, 0),
    )
    yield b.step(AS_USED, both("The pieces together.", "各段合起来。"), b.line(prime(b, op, z), slope(op, z)))


def numbers(b: Board) -> Iterator[Block]:
    clipped = both("z is cut off: no gradient passes.", "z 被截断：没有梯度通过。")
    inside = both("z passes, and so does the gradient.", "z 通过，梯度也通过。")
    yield example(b, op, "1.7", lambda z: larger(-1, smaller(1, z)), lambda z, a: formula(0), clipped)
    yield example(b, op, "-0.4", lambda z: larger(-1, smaller(1, z)), lambda z, a: formula(1), inside)
    yield values(b, op)


def as_tanh(b: Board) -> tuple[Formula, Formula]:
    z = b.free("z", "0.3", 2)
    return tanh(z), value(op, z)


lesson = Lesson(
    title=both("Hardtanh", "Hardtanh 函数"),
    short=both(
        "z cut to the interval from −1 to 1: slope 1 inside, 0 outside.",
        "把 z 截断到 −1 与 1 之间：区间内斜率为 1，区间外为 0。",
    ),
    chapter="activations",
    position=11,
    derivation=derivation,
    numbers=numbers,
    picture=lambda b: graph(b, op, 3),
    why=(
        both(
            "It looks like tanh and costs two comparisons: it suits small devices and numbers of few bits. It is used in hidden layers, and at outputs that have to stay in an interval; with the ends 0 and 6 it is ReLU6.",
            "它形似 tanh，只需两次比较，适合小型设备与低位宽数值。它用于隐藏层，也用于必须落在某区间内的输出；两端取 0 与 6 时就是 ReLU6。",
        ),
        both(
            "It saturates completely: beyond the ends the gradient is exactly 0, and a unit whose z lies there for every sample no longer learns.",
            "它会完全饱和：超出两端时梯度恰好为 0；若某个神经元的 z 对所有样本都在两端之外，它就不再学习。",
        ),
    ),
    mistakes=(
        Mistake(
            both("Inside the interval hardtanh is tanh.", "在区间内，hardtanh 就是 tanh。"),
            both(
                "It is z itself. The two share the value and the slope at 0 only; at z = 1, tanh is about 0.76.",
                "它就是 z 本身。两者只在 0 处函数值与斜率相同；在 z = 1 处 tanh 约为 0.76。",
            ),
            as_tanh,
        ),
    ),
    network="""
inputs: [1, 2]
targets: [0.5]
layers:
  - linear: {out: 2, weight: [[0.5, -0.6], [0.2, 0.4]], bias: [0, 0.1]}
  - hardtanh
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: 0.2}
loss: mse
optimizer: {sgd: {lr: 0.1}}
""",
    see=("tanh", "relu", "activations"),
)

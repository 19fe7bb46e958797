"""What the lessons on activations share: the op's own formulas at an argument, its graph, a table of its values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from derive.board import Board, both, grid
from derive.document import Amount, Block, Line, Step, Table
from derive.formula import ZERO, Apply, Formula, Name, Number, Written, bind
from derive.graph import Op
from derive.language import Both
from derive.ops.base import Elementwise, out
from derive.ops.base import z as argument

DEFINITION = both("Definition", "定义")
RANGE = both("Range", "值域")
AT_ZERO = both("At z = 0", "在 z = 0 处")
AS_USED = both("As it is used", "实际使用的形式")


def elementwise(op: Op) -> Elementwise:
    """An op known to work entry by entry."""
    assert isinstance(op, Elementwise)
    return op


def value(op: Elementwise, x: Formula) -> Formula:
    """f(x), under the function's own name."""
    return Apply(op.function, (x,))


def body(op: Elementwise, x: Formula) -> Formula:
    """f(x), written out."""
    return bind(op.body, {argument: x})


def slope(op: Elementwise, x: Formula) -> Formula:
    """f′(x) as the op has it, in its own output where that is shorter."""
    found = op.slopes[0]
    assert found is not None
    return bind(found, {argument: x, out: value(op, x)})


def prime(b: Board, op: Elementwise, x: Name) -> Name:
    """f′(x) as a name; its value is a difference quotient."""
    return b.slope(value(op, x), x, Written(Apply(op.derivative(), (x,))))


def either_side(b: Board, far: int = 4) -> Name:
    """An argument z that is positive in some writings of the lesson and negative in others, never near 0."""
    near, end = Fraction(1, 10), Fraction(far)
    return b.free("z", near, end) if b.random.random() > 0.5 else b.free("z", -end, -near)


def constant(b: Board, letter: str, low: Any, high: Any) -> Number:
    """An option of a function, under its letter: any number between low and high."""
    low, high = Fraction(low), Fraction(high)
    return Number(low + (high - low) * Fraction(b.random.randint(50, 950), 1000), letter)


def derived(b: Board, op: Elementwise, z: Name, shown: Formula | None = None) -> Iterator[Block]:
    """The derivative rule by rule, from what the function is written out to."""
    yield from b.differentiated(body(op, z), z, prime(b, op, z), shown=shown)


def quotients(b: Board, op: Elementwise, left: Any, right: Any) -> tuple[Line, Line]:
    """The slopes of the chords from 0 to both sides, and what they come to."""
    h = b.free("h", Fraction(1, 10), Fraction(9, 10))
    return (
        b.line((value(op, ZERO) - value(op, -h)) / h, *left(h)),
        b.line((value(op, h) - value(op, ZERO)) / h, *right(h)),
    )


def graph(b: Board, op: Elementwise, far: float = 5) -> Iterator[Block]:
    """The function and its derivative, which has a gap where it jumps."""
    z, glyph = b.free("z"), op.glyph.base
    jumps = [float(b.value(kink)) for kink in op.kinks]
    at = sorted({*grid(-far, far), *(x for x in jumps if abs(x) < far)})
    slopes = [(x, math.nan if x in jumps else y) for x, y in b.vary(slope(op, z), z, at)]
    curves: dict[str | Both, Sequence[tuple[float, float]]] = {
        f"{glyph}(z)": b.vary(value(op, z), z, at),
        f"{glyph}′(z)": slopes,
    }
    yield b.chart(both("The function and its derivative", "函数及其导数"), "z", "", curves)


def values(b: Board, op: Elementwise, at: Sequence[str] = ("-6", "-2", "-0.5", "0.5", "2", "6")) -> Table:
    """The function and its slope at some places."""
    z = b.free("z")
    rows = []
    for text in at:
        x = b.number("z", text)
        rows.append((Amount(x), Amount(b.defined("a", value(op, x))), Amount(b.defined("s", slope(op, x)))))
    header = (z, value(op, z), Apply(op.derivative(), (z,)))
    return b.table(both("Value and slope", "函数值与斜率"), header, rows)


def example(b: Board, op: Elementwise, text: str, written: Any, sloped: Any, why: Any) -> Step:
    """A unit with a given z: its activation and its slope, in numbers."""
    z = b.number("z", text)
    a = b.defined("a", value(op, z))
    shown = text.replace("-", "−")
    title = both(f"A unit with z = {shown}", f"z = {shown} 的神经元")
    lines = (b.line(a, written(z), numbers=True), b.line(prime(b, op, z), sloped(z, a), numbers=True))
    return b.step(title, why, *lines)

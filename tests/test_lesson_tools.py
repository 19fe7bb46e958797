"""What lessons are written with: minima by search, slopes that are simple fractions, level lines, primes, long cells."""

from __future__ import annotations

from fractions import Fraction

from derive.board import Board, both
from derive.dialects.latex import Latex, text
from derive.dialects.mathml import MathML
from derive.document import Amount, Topic, say
from derive.figures.chart import Curve
from derive.formula import Name, Symbol, exp
from derive.language import Words
from derive.numerals import Policy
from derive.printers.latex import Tex
from derive.spelling import spell


def board() -> Board:
    return Board(Words("en"), Policy(), 0)


def test_a_minimum_is_found_by_comparing_values():
    b = board()
    w = b.free("w")
    inner = b.smallest("a", (w - "1.25") ** 2 + 3, w, -4, 4)
    assert abs(b.value(inner) - 1.25) < 1e-50
    kink = b.smallest("a", abs(w) + (w - "0.5") ** 2 / 2, w, -4, 4)
    assert b.value(kink) == 0


def test_a_slope_that_is_a_simple_fraction_is_known_exactly():
    b = board()
    x = b.number("x", "0.5")
    assert b.exactly(b.slope(x**3, x)) == Fraction(3, 4)
    assert b.exactly(b.slope(1 / (x + 1), x)) == Fraction(-4, 9)
    assert not isinstance(b.exactly(b.slope(exp(x), x)), Fraction)


def test_a_partial_derivative_is_a_fraction_of_symbols():
    b = board()
    x = b.free("x_1")
    slope = b.partial("L", x**2, x)
    assert slope.symbol.text == "∂L/∂x1"
    assert abs(b.value(slope) - 2 * b.value(x)) < 1e-60


def test_a_plane_has_level_lines_and_curves():
    b = board()
    x, y = b.free("w_1"), b.free("w_2")
    figure = b.plane(both("bowl", "碗"), x**2 + y**2, x, y, (-1, 1), (-2, 2), [Curve("a", ((0, 0),), "dots")])
    chart = figure.picture
    assert (chart.x.label, chart.y.label) == ("w₁", "w₂")
    assert chart.contours.values[0][0] == 5
    assert len(chart.curves) == 1


def test_a_prime_stands_above_the_letter():
    slope = Name("f", (), Symbol("F′", "1"))
    assert spell(slope, Latex()) == r"F_{1}^{\prime}"
    assert spell(slope**2, Latex()) == r"(F_{1}^{\prime})^{2}"
    assert "<mi>F</mi>" in spell(slope, MathML())
    assert text("σ′ and 10⁰") == r"$\sigma$$'$ and 10$^{0}$"


def test_long_cells_of_a_table_wrap():
    b = board()
    tex = Tex(b.desk.document("t", (), {}))
    chinese = say(both("x", "一" * 25))
    long = Topic("batch_norm_folding", say(both("Folding batch normalization", "折叠")))
    assert tex.boxed("short", 2) == "short"
    assert tex.boxed(long, 2).startswith(r"\parbox[t]{0.4\linewidth}")
    assert tex.boxed("a sentence of thirty letters ...", 3).startswith(r"\parbox[t]{0.27\linewidth}")
    assert not tex.boxed(Amount(b.number("x", 1)), 2).startswith(r"\parbox")
    assert Tex(Board(Words("zh"), Policy(), 0).desk.document("t", (), {})).boxed(chinese, 2).startswith(r"\parbox")

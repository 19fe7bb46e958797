"""The formula sheets: activations and losses against witnesses and 5000 digits; the formula constructors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from derive import algebra
from derive import formula as fm
from derive.algebra import FLOATS, evaluate
from derive.checks.slopes import elementwise_slope, vector_slope
from derive.formula import Apply, Name, Number
from derive.graph import apply, leaf
from derive.losses import End, losses
from derive.ops.activations import activations
from derive.ops.base import Elementwise, out
from derive.ops.vector import Fused, LogSoftmax, SigmoidCrossEntropy, Softmax, SoftmaxCrossEntropy, VectorOp

HARD = [sign * size for size in (1e-300, 1e-8, 0.5, 1.0, 20.0, 50.0, 700.0, 1e4) for sign in (1, -1)] + [0.0]
POINTS = [(-3.0,), (-0.7,), (-0.1,), (0.2,), (0.9,), (4.0,), (25.0,)]


@pytest.fixture(scope="module")
def exact() -> Iterator[algebra.Algebra]:
    """5000 digits: enough for 1 + e^(−10000)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(algebra, "DIGITS", 5000)
        yield algebra.digits.__wrapped__()


def variants() -> Iterator[tuple[str, Any]]:
    """Every activation, with other options as well."""
    more: dict[str, list[dict[str, Any]]] = {
        "leaky_relu": [{"negative_slope": Fraction(1, 5)}],
        "elu": [{"alpha": Fraction(1, 2)}],
        "gelu": [{"approximate": "tanh"}],
        "softplus": [{"beta": Fraction(2)}, {"beta": Fraction(1, 2), "threshold": Fraction(3)}],
        "hardtanh": [{"min_val": Fraction(-2), "max_val": Fraction(1, 2)}],
    }
    for name in activations:
        for options in [{}, *more.get(name, [])]:
            yield f"{name} {options or ''}".strip(), activations[name](**options)


ACTIVATIONS = dict(variants())
ELEMENTWISE = {name: op for name, op in ACTIVATIONS.items() if isinstance(op, Elementwise)}


def loss_op(name: str, **options: Any) -> Any:
    """The op that compares outputs with targets: the elementwise or fused one below the loss."""
    z, t = leaf((2, 3), "z1", "preactivation"), leaf((2, 3), "t", "target")
    given = lambda name, numbers: leaf((1, len(numbers)), name, "hyper")  # noqa: E731
    each = losses[name](End(z, t, "values", given, lambda weight: Fraction(1)), **options).each
    while not isinstance(each.op, Elementwise | Fused):
        each = next(node for node in each.inputs if node.inputs)
    return each.op


LOSSES = {name: loss_op(name) for name in losses} | {
    "kl_div log_target": loss_op("kl_div", log_target=True),
    "huber δ": loss_op("huber", delta=Fraction(1, 2)),
    "smooth_l1 β": loss_op("smooth_l1", beta=Fraction(2)),
    "hinge_embedding margin": loss_op("hinge_embedding", margin=Fraction(3)),
    "bce_with_logits pos_weight": loss_op("bce_with_logits", pos_weight=(Fraction(2),) * 3),
}
LOSS_POINTS = [(0.2, 0.9), (0.6, 0.25), (0.35, 0.5), (0.95, 0.1)]


def witness(op: Any, points: list[tuple[float, ...]]) -> Any:
    if isinstance(op, Elementwise):
        return elementwise_slope(op, points)
    return vector_slope(op)


# witnesses ------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_slope_of_an_activation_is_sympys(name: str) -> None:
    found = witness(ACTIVATIONS[name], POINTS)
    assert found.ok and found.compared >= 3, found


@pytest.mark.parametrize("name", LOSSES)
def test_the_slope_of_a_loss_is_sympys(name: str) -> None:
    op, points = LOSSES[name], LOSS_POINTS
    if op.__class__ is Elementwise and op.name == "hinge_embedding":
        points = [(x, t) for x in (-0.4, 0.3, 2.5, 5.0) for t in (1.0, -1.0)]
    if op.__class__ is Elementwise and op.name in ("l1", "huber", "smooth_l1"):
        points = [*points, (3.0, 0.0), (-3.0, 0.0), (0.0, 0.1)]
    found = witness(op, points)
    assert found.ok and found.compared >= 3, found


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if name != "identity"])
def test_a_wrong_slope_is_seen(name: str) -> None:
    op = ELEMENTWISE[name]
    slope = op.slopes[0]
    assert slope is not None
    assert not witness(replace(op, slopes=(slope * Fraction(1000001, 1000000),)), POINTS).ok
    assert not witness(replace(op, slopes=(slope + Fraction(1, 10**6),)), POINTS).ok


@pytest.mark.parametrize("name", [name for name, op in LOSSES.items() if isinstance(op, Elementwise)])
def test_a_wrong_slope_of_a_loss_is_seen(name: str) -> None:
    op = LOSSES[name]
    wrong = op.slopes[0] * Fraction(1000001, 1000000)
    assert not witness(replace(op, slopes=(wrong, *op.slopes[1:])), [*LOSS_POINTS, (3.0, 1.0), (0.3, -1.0)]).ok


@pytest.mark.parametrize("kind", [Softmax, LogSoftmax])
def test_a_wrong_jacobian_is_seen(kind: type[VectorOp]) -> None:
    class Wrong(kind):  # type: ignore[valid-type, misc]
        def jacobian(self, outs: Any) -> Any:
            rows = super().jacobian(outs)
            rows[0][1] = -rows[0][1]
            return rows

    assert not vector_slope(Wrong()).ok


# float64 against 5000 digits ------------------------------------------------------------


def at_points(op: Elementwise) -> np.ndarray[Any, Any]:
    with np.errstate(all="ignore"):
        return np.asarray(op.eval(FLOATS, np.array([HARD])), dtype=float)[0]


def true_values(op: Elementwise, exact: algebra.Algebra) -> list[float]:
    return [float(evaluate(op.body, {op.parameters[0]: exact.number(point)}.__getitem__, exact)) for point in HARD]


@pytest.mark.parametrize("name", [name for name, op in ELEMENTWISE.items() if op.stable is not None])
def test_the_stable_formula_is_the_formula(name: str, exact: algebra.Algebra) -> None:
    """To 14 digits, however hard the argument."""
    # the plain formula itself has 150 digits to lose
    found, want = at_points(ELEMENTWISE[name]), true_values(ELEMENTWISE[name], exact)
    np.testing.assert_allclose(found, want, rtol=1e-14, atol=1e-140)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_activation_is_right_in_float64(name: str, exact: algebra.Algebra) -> None:
    """To 1e-14 of 1, or of the value where that is larger."""
    np.testing.assert_allclose(
        at_points(ELEMENTWISE[name]), true_values(ELEMENTWISE[name], exact), rtol=1e-14, atol=1e-14
    )


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_slope_is_right_in_float64(name: str, exact: algebra.Algebra) -> None:
    op = ELEMENTWISE[name]
    assert op.slopes[0] is not None
    z = np.array(HARD)
    with np.errstate(all="ignore"):
        got = evaluate(op.slopes[0], {op.parameters[0]: z, out: at_points(op)}.__getitem__, FLOATS)
    for point, ours in zip(HARD, np.broadcast_to(got, z.shape), strict=True):
        at = exact.number(point)
        value = evaluate(op.body, {op.parameters[0]: at}.__getitem__, exact)
        theirs = float(evaluate(op.slopes[0], {op.parameters[0]: at, out: value}.__getitem__, exact))
        assert ours == pytest.approx(theirs, rel=1e-14, abs=1e-14), point


ROWS = [
    [1e4, -1e4, 0.0],
    [-1e4, -1e4, -1e4],
    [1e4, 1e4 - 1, 1e4 - 2],
    [700.0, -700.0, 1e-8],
    [1e-300, 0.0, -1e-300],
    [50.0, 20.0, -50.0],
]


def exact_rows() -> Iterator[list[Any]]:
    for row in ROWS:
        yield [mpmath.mpf(x) for x in row]


def test_softmax_and_its_logarithm_are_stable() -> None:
    p, log_p = (op.eval(FLOATS, np.array(ROWS)) for op in (Softmax(), LogSoftmax()))
    with mpmath.workdps(60):
        for i, row in enumerate(exact_rows()):
            mass = mpmath.fsum(mpmath.exp(x) for x in row)
            np.testing.assert_allclose(p[i], [float(mpmath.exp(x) / mass) for x in row], rtol=1e-14, atol=1e-300)
            np.testing.assert_allclose(log_p[i], [float(x - mpmath.log(mass)) for x in row], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-15)


@pytest.mark.parametrize("targets", [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.25, 0.5, 0.25]])
def test_softmax_with_cross_entropy_is_stable(targets: list[float]) -> None:
    s, u = np.array(ROWS), np.array([targets] * len(ROWS))
    got = SoftmaxCrossEntropy().eval(FLOATS, s, Softmax().eval(FLOATS, s), u)
    with mpmath.workdps(60):
        for ours, row in zip(got[:, 0], exact_rows(), strict=True):
            mass = mpmath.log(mpmath.fsum(mpmath.exp(x) for x in row))
            theirs = mpmath.fsum(t * (mass - x) for t, x in zip(targets, row, strict=True))
            assert ours == pytest.approx(float(theirs), rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("pos_weight", [None, 3.0])
def test_sigmoid_with_cross_entropy_is_stable(target: float, pos_weight: float | None) -> None:
    s = np.array([HARD])
    sigmoid = activations["sigmoid"]()
    with np.errstate(all="ignore"):
        p = sigmoid.eval(FLOATS, s)
    extra = [] if pos_weight is None else [np.full_like(s, pos_weight)]
    got = SigmoidCrossEntropy(bool(extra)).eval(FLOATS, s, p, np.full_like(s, target), *extra)[0]
    with mpmath.workdps(5000):
        for ours, x in zip(got, HARD, strict=True):
            missed = mpmath.log1p(mpmath.exp(-mpmath.mpf(x)))
            theirs = (pos_weight or 1) * target * missed + (1 - target) * (missed + mpmath.mpf(x))
            assert ours == pytest.approx(float(theirs), rel=1e-14, abs=0), x


# constructors ------------------------------------------------------------

x, y, w = (Name(id) for id in "xyw")
A, B, C = (Name(id, scalar=False) for id in "ABC")
TWO, HALF = Number(Fraction(2)), Number(Fraction(1, 2))
SCALARS = {x: Fraction(3, 7), y: Fraction(-5, 2), w: Fraction(11, 3)}


def app(head: str, *args: Any, axis: int | None = None) -> Apply:
    return Apply(head, tuple(fm.formula(arg) for arg in args), axis)


def fractions(rows: list[list[int]]) -> Any:
    return np.array([[Fraction(n, 3) for n in row] for row in rows], dtype=object)


MATRICES = {A: fractions([[1, 2], [3, 4]]), B: fractions([[-2, 5], [7, 1]]), C: fractions([[4, 0], [-1, 6]])}
VALUES: dict[Name, Any] = {**SCALARS, **MATRICES}


def value(f: Any) -> Any:
    return evaluate(f, VALUES.__getitem__, algebra.EXACT)


@pytest.mark.parametrize(
    "built,plain,expected",
    [
        (x + 0, app("add", x, 0), x),
        (0 + x, app("add", 0, x), x),
        (x - 0, app("add", x, app("neg", 0)), x),
        ((x + y) + w, app("add", app("add", x, y), w), app("add", x, y, w)),
        (x + (y + w), app("add", x, app("add", y, w)), app("add", x, y, w)),
        (x - y, app("add", x, app("neg", y)), app("add", x, app("neg", y))),
        (fm.add(), app("add", 0), fm.ZERO),
        (1 * x, app("mul", 1, x), x),
        (x * 1, app("mul", x, 1), x),
        (0 * x, app("mul", 0, x), fm.ZERO),
        (-1 * x, app("mul", -1, x), app("neg", x)),
        (x * 2, app("mul", x, 2), app("mul", 2, x)),
        (2 * (x * HALF), app("mul", 2, app("mul", x, HALF)), x),
        ((x * y) * w, app("mul", app("mul", x, y), w), app("mul", x, y, w)),
        ((-x) * y, app("mul", app("neg", x), y), app("neg", app("mul", x, y))),
        ((-x) * (-y), app("mul", app("neg", x), app("neg", y)), app("mul", x, y)),
        (-(-x), app("neg", app("neg", x)), x),
        (-Number(Fraction(2)), app("neg", 2), Number(Fraction(-2))),
        (-(-x - y), app("neg", app("add", app("neg", x), app("neg", y))), app("add", x, y)),
        (x / 1, app("div", x, 1), x),
        (0 / x, app("div", 0, x), fm.ZERO),
        (TWO / 4, app("div", 2, 4), HALF),
        ((-x) / y, app("div", app("neg", x), y), app("neg", app("div", x, y))),
        (x**1, app("pow", x, 1), x),
        (x**2, app("pow", x, 2), app("pow", x, 2)),
        (A.T.T, app("T", app("T", A)), A),
        ((A @ B).T, app("T", app("dot", A, B)), app("dot", app("T", B), app("T", A))),
        ((A @ B @ C).T, app("T", app("dot", app("dot", A, B), C)), app("dot", app("T", C), app("T", B), app("T", A))),
        ((A + B).T, app("T", app("add", A, B)), app("add", app("T", A), app("T", B))),
        ((-A).T, app("T", app("neg", A)), app("neg", app("T", A))),
        (fm.transpose(fm.hadamard(A, B)), app("T", app("had", A, B)), app("had", app("T", A), app("T", B))),
        (fm.transpose(x), x, x),
        (fm.transpose(fm.total(A, 0)), app("T", app("sum", A, axis=0)), app("sum", app("T", A), axis=1)),
        (fm.transpose(fm.grand_total(A)), app("total", A), app("total", A)),
        (fm.grand_total(A.T), app("total", app("T", A)), app("total", A)),
        (A @ (B @ C), app("dot", A, app("dot", B, C)), app("dot", A, B, C)),
        ((2 * A) @ B, app("dot", app("mul", 2, A), B), app("mul", 2, app("dot", A, B))),
        ((-A) @ (-B), app("dot", app("neg", A), app("neg", B)), app("dot", A, B)),
        ((x * A) @ B, app("dot", app("mul", x, A), B), app("mul", x, app("dot", A, B))),
        (fm.hadamard(fm.hadamard(A, B), C), app("had", app("had", A, B), C), app("had", A, B, C)),
        (
            fm.hadamard(2 * A, -B),
            app("had", app("mul", 2, A), app("neg", B)),
            app("neg", app("mul", 2, app("had", A, B))),
        ),
        (fm.total(2 * A, 1), app("sum", app("mul", 2, A), axis=1), app("mul", 2, app("sum", A, axis=1))),
        (fm.xlogy(0, x), app("xlogy", 0, x), fm.ZERO),
    ],
    ids=str,
)
def test_constructor(built: Any, plain: Any, expected: Any) -> None:
    """What is trivial is dropped, and the value stays what it was."""
    assert built == expected
    if plain != app("xlogy", 0, x):
        assert np.all(value(built) == value(plain))


def test_exp_and_log_of_the_trivial() -> None:
    assert fm.exp(fm.ZERO) == fm.ONE and fm.log(fm.ONE) == fm.ZERO
    assert fm.exp(x) == Apply("exp", (x,)) and fm.log(x) == Apply("log", (x,))


def test_numbers_as_their_author_wrote_them_are_kept() -> None:
    """0.0 and 1.00 typed by the author are not dropped, and not folded into other constants."""
    zero, one = Number(Fraction(0), "0.0"), Number(Fraction(1), "1.00")
    assert fm.add(x, zero) == Apply("add", (x, zero))
    assert fm.multiply(one, x) == Apply("mul", (one, x))
    assert fm.multiply(TWO, one, x) == Apply("mul", (TWO, one, x))


def test_the_order_of_what_is_written_is_kept() -> None:
    assert (y * x + w * x).args == (app("mul", y, x), app("mul", w, x))  # type: ignore[attr-defined]
    assert (A @ B) != (B @ A)


def test_substitution_drops_what_becomes_trivial() -> None:
    f = x * y + w
    swap = {x: fm.ZERO, w: fm.ONE}
    assert fm.bind(f, swap) == fm.ONE
    assert fm.bind(app("neg", app("neg", x)), {}) == x
    assert list(fm.names(x * y + x)) == [x, y, x]


def test_cases_take_the_first_that_holds() -> None:
    f = fm.cases((1, x > 1), (2, x > 0), (3, True))
    for at, want in ((Fraction(2), 1), (Fraction(1), 2), (Fraction(1, 2), 2), (Fraction(0), 3), (Fraction(-1), 3)):
        for kind, number in (
            (algebra.EXACT, at),
            (FLOATS, np.array(float(at))),
            (algebra.digits(), algebra.digits().number(at)),
        ):
            assert evaluate(f, {x: number}.__getitem__, kind) == want
    assert fm.branches(f)[-1] == (Number(Fraction(3)), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_algebra_evaluates_an_activation_alike(name: str) -> None:
    op, points = ELEMENTWISE[name], [-2.5, -0.75, 0.0, 0.5, 1.75]
    floats = op.eval(FLOATS, np.array([points]))[0]
    mp, sp = algebra.digits(), algebra.sympy_algebra()
    for point, ours in zip(points, floats, strict=True):
        assert float(evaluate(op.body, {op.parameters[0]: mp.number(point)}.__getitem__, mp)) == pytest.approx(
            ours, rel=1e-14
        )
        assert float(
            evaluate(op.body, {op.parameters[0]: sp.number(Fraction(point))}.__getitem__, sp)
        ) == pytest.approx(ours, rel=1e-14)
        rational = evaluate(op.body, {op.parameters[0]: Fraction(point)}.__getitem__, algebra.EXACT)
        assert rational is algebra.UNKNOWN or float(rational) == pytest.approx(ours, rel=1e-14)


def test_an_op_applied_has_the_shape_of_its_argument() -> None:
    node = leaf((2, 3), "z1", "preactivation")
    for op in ACTIVATIONS.values():
        made = apply(op, node)
        assert made.shape == (2, 3)
        assert op.eval(FLOATS, np.zeros((2, 3))).shape == (2, 3)

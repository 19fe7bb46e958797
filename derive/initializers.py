"""Random and constant initial weights, by PyTorch's names: https://docs.pytorch.org/docs/stable/nn.init.html.

A function gets a generator of `derive.generators` (or numpy's), the shape (out, in) and the fan of the layer; its keyword-only arguments are its
options in net.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from derive.algebra import FLOATS, evaluate
from derive.formula import Formula, Name, Symbol, formula, sqrt
from derive.registry import Registry
from derive.tensor import Floats as Array

Mode = Literal["fan_in", "fan_out"]
Gain = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]

initializers: Registry[Callable[..., Array]] = Registry("initializer")
# The scales, in derive's own formulas: of the gain, the fans of a layer and the slope of leaky_relu below 0.
g, fan = Name("g", symbol=Symbol("g")), Name("fan", symbol=Symbol("n"))
n_in, n_out = (Name(f"n_{way}", symbol=Symbol("n", way)) for way in ("in", "out"))
below = Name("below", symbol=Symbol("α"))

#: Recommended gains, https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain.
GAINS: dict[str, Formula] = {
    "linear": formula(1),
    "sigmoid": formula(1),
    "tanh": formula(Fraction(5, 3)),
    "relu": sqrt(2),
    "leaky_relu": sqrt(2 / (1 + below**2)),
    "selu": formula(Fraction(3, 4)),
}
XAVIER_STD = g * sqrt(2 / (n_in + n_out))
XAVIER_BOUND = g * sqrt(6 / (n_in + n_out))
KAIMING_STD = g / sqrt(fan)
KAIMING_BOUND = sqrt(3) * KAIMING_STD


def worked(f: Formula, **values: Any) -> float:
    """A scale in float64; an OverflowError where something in it is too large, which would make the scale 0."""
    try:
        with np.errstate(over="raise"):
            return float(evaluate(f, lambda name: np.float64(values[name.id]), FLOATS))
    except FloatingPointError as error:
        raise OverflowError(str(error)) from None


def gain(nonlinearity: str, negative_slope: float = 0.01) -> float:
    """The recommended gain."""
    return worked(GAINS[nonlinearity], below=negative_slope)


def fans(shape: tuple[int, int]) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight matrix (out, in)."""
    return shape[1], shape[0]


@initializers()
def zeros(random: Any, shape: tuple[int, int]) -> Array:
    """All 0: units stay alike; ReLU networks never start."""
    return np.zeros(shape)


@initializers()
def ones(random: Any, shape: tuple[int, int]) -> Array:
    """All 1."""
    return np.ones(shape)


@initializers()
def constant(random: Any, shape: tuple[int, int], *, val: Fraction = Fraction(0)) -> Array:
    """All the same value."""
    return np.full(shape, float(val))


@initializers()
def uniform(random: Any, shape: tuple[int, int], *, a: Fraction = Fraction(0), b: Fraction = Fraction(1)) -> Array:
    """Uniform between a and b."""
    if a > b:
        raise ValueError("a must not be greater than b")
    return np.asarray(random.uniform(float(a), float(b), shape))


@initializers()
def normal(random: Any, shape: tuple[int, int], *, mean: Fraction = Fraction(0), std: Fraction = Fraction(1)) -> Array:
    """Normal with this mean and standard deviation."""
    if std < 0:
        raise ValueError("std must not be negative")
    return np.asarray(random.normal(float(mean), float(std), shape))


def xavier(scale: Formula, shape: tuple[int, int], gain: Fraction) -> float:
    into, out = fans(shape)
    return worked(scale, g=gain, n_in=into, n_out=out)


@initializers()
def xavier_uniform(random: Any, shape: tuple[int, int], *, gain: Fraction = Fraction(1)) -> Array:
    """Uniform within ±gain·√(6/(fan_in + fan_out)) (Glorot & Bengio, 2010)."""
    bound = math.sqrt(3) * xavier(XAVIER_STD, shape, gain)  # in PyTorch's order: the last bit counts
    return np.asarray(random.uniform(-bound, bound, shape))


@initializers()
def xavier_normal(random: Any, shape: tuple[int, int], *, gain: Fraction = Fraction(1)) -> Array:
    """Normal with standard deviation gain·√(2/(fan_in + fan_out)) (Glorot & Bengio, 2010)."""
    return np.asarray(random.normal(0.0, xavier(XAVIER_STD, shape, gain), shape))


def kaiming(scale: Formula, shape: tuple[int, int], mode: Mode, nonlinearity: Gain, a: Fraction) -> float:
    return worked(scale, g=gain(nonlinearity, float(a)), fan=fans(shape)[mode == "fan_out"])


@initializers()
def kaiming_uniform(
    random: Any,
    shape: tuple[int, int],
    *,
    a: Fraction = Fraction(0),
    mode: Mode = "fan_in",
    nonlinearity: Gain = "leaky_relu",
) -> Array:
    """Uniform within ±gain·√(3/fan) (He et al., 2015); `a` is the negative slope of leaky_relu."""
    bound = kaiming(KAIMING_BOUND, shape, mode, nonlinearity, a)
    return np.asarray(random.uniform(-bound, bound, shape))


@initializers()
def kaiming_normal(
    random: Any,
    shape: tuple[int, int],
    *,
    a: Fraction = Fraction(0),
    mode: Mode = "fan_in",
    nonlinearity: Gain = "leaky_relu",
) -> Array:
    """Normal with standard deviation gain/√fan (He et al., 2015); `a` is the negative slope of leaky_relu."""
    return np.asarray(random.normal(0.0, kaiming(KAIMING_STD, shape, mode, nonlinearity, a), shape))


@initializers()
def default(random: Any, shape: tuple[int, int], fan_in: int = 0) -> Array:
    """PyTorch's own for Linear: uniform within ±1/√fan_in, weights and bias alike."""
    bound = 1 / math.sqrt(fan_in or fans(shape)[0])
    return np.asarray(random.uniform(-bound, bound, shape))

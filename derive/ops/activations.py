"""Activations, a formula sheet: each function is an entry of net.yaml, its keyword-only arguments are its options.

Names, options, defaults and values at kinks are those of
https://docs.pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal

from derive.formula import PI, Number, cases, erf, exp, expm1, larger, log, log1p, sqrt
from derive.formula import tanh as tanh_
from derive.graph import Op
from derive.ops.base import elementwise, out, z
from derive.ops.vector import LogSoftmax, Softmax
from derive.registry import Registry

activations: Registry[Callable[..., Op]] = Registry("activation")


@activations("Identity")
def identity() -> Op:
    """z itself; range (−∞, ∞)."""
    return elementwise("identity", "id", z, 1)


@activations("Sigmoid")
def sigmoid() -> Op:
    """1/(1 + e⁻ᶻ), in (0, 1); saturates on both sides."""
    return elementwise("sigmoid", "σ", 1 / (1 + exp(-z)), out * (1 - out))


@activations("Tanh")
def tanh() -> Op:
    """Hyperbolic tangent, in (−1, 1); saturates on both sides."""
    return elementwise("tanh", "tanh", tanh_(z), 1 - out**2)


@activations("ReLU")
def relu() -> Op:
    """max(0, z); slope 0 at z = 0."""
    return elementwise("relu", "ReLU", cases((z, z > 0), (0, True)), cases((1, z > 0), (0, True)), kinks=[0])


@activations("LeakyReLU")
def leaky_relu(*, negative_slope: Fraction = Fraction(1, 100)) -> Op:
    """z for z > 0, else negative_slope·z; that slope also at z = 0."""
    body, slope = cases((z, z > 0), (negative_slope * z, True)), cases((1, z > 0), (negative_slope, True))
    return elementwise("leaky_relu", "LReLU", body, slope, kinks=[0])


@activations("ELU")
def elu(*, alpha: Fraction = Fraction(1)) -> Op:
    """z for z > 0, else α(eᶻ − 1); slope α at z = 0 (Clevert et al., 2015)."""
    return elementwise(
        "elu",
        "ELU",
        cases((z, z > 0), (alpha * (exp(z) - 1), True)),
        cases((1, z > 0), (alpha * exp(z), True)),
        stable=cases((z, z > 0), (alpha * expm1(z), True)),
        kinks=[] if alpha == 1 else [0],
    )


@activations("SELU")
def selu() -> Op:
    """λz for z > 0, else λα(eᶻ − 1), with the constants of Klambauer et al. (2017); slope λα at z = 0."""
    lam = Number(Fraction("1.0507009873554804934193349852946"), "λ")
    alpha = Number(Fraction("1.6732632423543772848170429916717"), "α")
    return elementwise(
        "selu",
        "SELU",
        cases((lam * z, z > 0), (lam * alpha * (exp(z) - 1), True)),
        cases((lam, z > 0), (lam * alpha * exp(z), True)),
        stable=cases((lam * z, z > 0), (lam * alpha * expm1(z), True)),
        kinks=[0],
    )


@activations("GELU")
def gelu(*, approximate: Literal["none", "tanh"] = "none") -> Op:
    """z·Φ(z), Φ the standard normal distribution function, or its tanh approximation (Hendrycks & Gimpel, 2016)."""
    if approximate == "tanh":
        c = Fraction("0.044715")
        root = sqrt(2 / PI)
        inner = root * (z + c * z**3)
        steep = z / 2 * (1 - tanh_(inner) ** 2) * root * (1 + 3 * c * z**2)
        return elementwise("gelu", "GELU", z / 2 * (1 + tanh_(inner)), (1 + tanh_(inner)) / 2 + steep)
    bell = exp(-(z**2) / 2) / sqrt(2 * PI)
    return elementwise("gelu", "GELU", z / 2 * (1 + erf(z / sqrt(2))), (1 + erf(z / sqrt(2))) / 2 + z * bell)


@activations("SiLU", "swish")
def silu() -> Op:
    """z·σ(z), also called swish."""
    s = 1 / (1 + exp(-z))
    return elementwise("silu", "SiLU", z / (1 + exp(-z)), s * (1 + z * (1 - s)))


@activations("Softplus")
def softplus(*, beta: Fraction = Fraction(1), threshold: Fraction = Fraction(20)) -> Op:
    """ln(1 + e^{βz})/β, and z itself where βz > threshold."""
    if not beta > 0:
        raise ValueError("beta must be positive")
    linear = beta * z > threshold
    return elementwise(
        "softplus",
        "softplus",
        cases((z, linear), (log(1 + exp(beta * z)) / beta, True)),
        cases((1, linear), (1 / (1 + exp(-beta * z)), True)),
        stable=cases((z, linear), ((larger(beta * z, 0) + log1p(exp(-abs(beta * z)))) / beta, True)),
        kinks=[threshold / beta],
    )


@activations("Hardtanh")
def hardtanh(*, min_val: Fraction = Fraction(-1), max_val: Fraction = Fraction(1)) -> Op:
    """z cut to [min_val, max_val]; slope 0 at both ends."""
    if not min_val < max_val:
        raise ValueError("min_val must be less than max_val")
    low, high = z <= min_val, z >= max_val
    return elementwise(
        "hardtanh",
        "hardtanh",
        cases((min_val, low), (max_val, high), (z, True)),
        cases((0, low), (0, high), (1, True)),
        kinks=[min_val, max_val],
    )


@activations("Softmax")
def softmax() -> Op:
    """e^{zᵢ}/Σₖ e^{zₖ} over the units of a sample: positive, and they sum to one."""
    return Softmax()


@activations("LogSoftmax")
def log_softmax() -> Op:
    """zᵢ − ln Σₖ e^{zₖ} over the units of a sample: the logarithm of softmax."""
    return LogSoftmax()

"""Optimizers, a formula sheet: each function is an entry of net.yaml, its keyword-only arguments are its options.

A function sees one step of one parameter (`Update`) and gives the formula of the parameter after it; the lines on the
way (`remember`, `line`) are named, so that they are printed, evaluated and checked like any other. Names, options and
defaults are those of https://docs.pytorch.org/docs/stable/optim.html; where a textbook's form differs, it is an option.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal

from derive.formula import Formula, Name, Number, cases, larger, smaller, sqrt
from derive.optimizers.base import Update
from derive.registry import Registry

optimizers: Registry[Callable[..., Formula]] = Registry("optimizer")
Betas = tuple[Fraction, ...]
BETAS, EPS = (Fraction(9, 10), Fraction(999, 1000)), Fraction(1, 10**8)


@optimizers("SGD", "gradient_descent")
def sgd(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 1000),
    momentum: Fraction = Fraction(0),
    dampening: Fraction = Fraction(0),
    weight_decay: Fraction = Fraction(0),
    nesterov: bool = False,
    maximize: bool = False,
) -> Formula:
    """θ − η ∂L/∂θ: a step against the gradient; with momentum, against buf = μ buf + (1 − τ) g. PyTorch: SGD."""
    if momentum < 0:
        raise ValueError("momentum must not be negative")
    if nesterov and (not momentum or dampening):
        raise ValueError("nesterov needs a momentum and no dampening")
    if not (momentum or weight_decay or maximize):
        return step.theta - step.eta * step.raw
    g: Formula = step.gradient(weight_decay, maximize)
    if momentum:
        mu = step.option("momentum", momentum)
        share = (1 - step.option("dampening", dampening)) * g if dampening else g
        buf = step.remember("buf", lambda buf: mu * buf + share, first=g)
        g = step.line("d", g + mu * buf) if nesterov else buf
    return step.theta - step.eta * g


@optimizers("Momentum", "heavy_ball")
def momentum(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 1000),
    momentum: Fraction = Fraction(9, 10),
    form: Literal["pytorch", "ema", "classical"] = "pytorch",
    weight_decay: Fraction = Fraction(0),
    maximize: bool = False,
) -> Formula:
    """Gradient descent with momentum, in PyTorch's form, as a moving average, or with the rate inside (Polyak, 1964)."""
    mu = step.beta("momentum", momentum)
    g = step.gradient(weight_decay, maximize)
    if form == "pytorch":
        return step.theta - step.eta * step.remember("buf", lambda buf: mu * buf + g)
    if form == "ema":
        return step.theta - step.eta * step.remember("s", lambda s: mu * s + (1 - mu) * g)
    return step.theta + step.remember("v", lambda v: mu * v - step.eta * g)


@optimizers("Nesterov", "nag")
def nesterov(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 1000),
    momentum: Fraction = Fraction(9, 10),
    weight_decay: Fraction = Fraction(0),
    maximize: bool = False,
) -> Formula:
    """Momentum with the gradient taken where it leads, θ + μv (Nesterov, 1983). In a network: sgd with nesterov."""
    mu = step.beta("momentum", momentum)
    g = step.gradient(weight_decay, maximize, at=step.theta + mu * step.old("v"))
    return step.theta + step.remember("v", lambda v: mu * v - step.eta * g)


@optimizers("Adagrad")
def adagrad(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 100),
    lr_decay: Fraction = Fraction(0),
    weight_decay: Fraction = Fraction(0),
    initial_accumulator_value: Fraction = Fraction(0),
    eps: Fraction = Fraction(1, 10**10),
    maximize: bool = False,
) -> Formula:
    """The rate divided by the root of the sum of squared gradients (Duchi, Hazan & Singer, 2011). PyTorch: Adagrad."""
    if lr_decay < 0 or initial_accumulator_value < 0:
        raise ValueError(f"{'lr_decay' if lr_decay < 0 else 'initial_accumulator_value'} must not be negative")
    epsilon = step.epsilon(eps)
    g = step.gradient(weight_decay, maximize)
    s = step.remember("s", lambda s: s + g**2, start=initial_accumulator_value)
    rate: Formula = step.eta
    if lr_decay and step.when(lambda t: t > 1):
        rate = step.eta / (1 + (step.time - 1) * step.option("lr_decay", lr_decay))
    return step.theta - rate * g / (sqrt(s) + epsilon)


@optimizers("RMSprop")
def rmsprop(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 100),
    alpha: Fraction = Fraction(99, 100),
    eps: Fraction = EPS,
    weight_decay: Fraction = Fraction(0),
    momentum: Fraction = Fraction(0),
    centered: bool = False,
    maximize: bool = False,
) -> Formula:
    """The rate divided by the root of a moving average of squared gradients (Tieleman & Hinton, 2012). PyTorch: RMSprop."""
    if momentum < 0:
        raise ValueError("momentum must not be negative")
    keep, epsilon = step.beta("alpha", alpha), step.epsilon(eps)
    g = step.gradient(weight_decay, maximize)
    spread: Formula = step.remember("v", lambda v: keep * v + (1 - keep) * g**2)
    if centered:
        mean = step.remember("gbar", lambda mean: keep * mean + (1 - keep) * g)
        spread = spread - mean**2
    scaled = g / (sqrt(spread) + epsilon)
    if not momentum:
        return step.theta - step.eta * scaled
    mu = step.option("momentum", momentum)
    return step.theta - step.eta * step.remember("buf", lambda buf: mu * buf + scaled)


@optimizers("Adadelta")
def adadelta(
    step: Update,
    *,
    lr: Fraction = Fraction(1),
    rho: Fraction = Fraction(9, 10),
    eps: Fraction = Fraction(1, 10**6),
    weight_decay: Fraction = Fraction(0),
    maximize: bool = False,
) -> Formula:
    """Steps in the size of earlier steps, over the root of squared gradients (Zeiler, 2012). PyTorch: Adadelta."""
    keep, epsilon = step.beta("rho", rho), step.epsilon(eps)
    g = step.gradient(weight_decay, maximize)
    v = step.remember("v", lambda v: keep * v + (1 - keep) * g**2)
    delta = step.line("delta", sqrt(step.old("u") + epsilon) / sqrt(v + epsilon) * g)
    step.remember("u", lambda u: keep * u + (1 - keep) * delta**2)
    return step.theta - step.eta * delta


def two(betas: Betas) -> Betas:
    if len(betas) != 2:
        raise ValueError("betas must be two numbers")
    return betas


@optimizers("Adam")
def adam(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 1000),
    betas: Betas = BETAS,
    eps: Fraction = EPS,
    weight_decay: Fraction = Fraction(0),
    amsgrad: bool = False,
    eps_form: Literal["outside", "inside", "hat"] = "outside",
    maximize: bool = False,
) -> Formula:
    """Moving averages of gradient and squared gradient, corrected for their start at 0 (Kingma & Ba, 2015). PyTorch: Adam.

    eps_form: ε added outside the root, as PyTorch does, inside it, or as the paper's ε̂ beside the uncorrected root
    """
    b1, b2, epsilon = *averages(step, betas), step.epsilon(eps, hat=eps_form == "hat")
    g = step.gradient(weight_decay, maximize)
    return step.theta - adapted(step, g, b1, b2, epsilon, amsgrad, eps_form)


@optimizers("AdamW")
def adamw(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 1000),
    betas: Betas = BETAS,
    eps: Fraction = EPS,
    weight_decay: Fraction = Fraction(1, 100),
    amsgrad: bool = False,
    eps_form: Literal["outside", "inside", "hat"] = "outside",
    maximize: bool = False,
) -> Formula:
    """Adam with the weights shrunk beside the gradient, not through it (Loshchilov & Hutter, 2019). PyTorch: AdamW."""
    b1, b2, epsilon = *averages(step, betas), step.epsilon(eps, hat=eps_form == "hat")
    g = step.gradient(Fraction(0), maximize)
    return decoupled(step, weight_decay) - adapted(step, g, b1, b2, epsilon, amsgrad, eps_form)


def averages(step: Update, betas: Betas) -> tuple[Name, Name]:
    one, two_ = two(betas)
    return step.beta("betas1", one), step.beta("betas2", two_)


def decoupled(step: Update, weight_decay: Fraction) -> Formula:
    """θ shrunk by the factor 1 − ηλ."""
    if weight_decay < 0:
        raise ValueError("weight_decay must not be negative")
    if not weight_decay:
        return step.theta
    return (1 - step.eta * step.option("weight_decay", weight_decay)) * step.theta


def moments(step: Update, g: Formula, b1: Name, b2: Name) -> tuple[Name, Name]:
    """The moving averages of gradient and squared gradient."""
    m = step.remember("m", lambda m: b1 * m + (1 - b1) * g)
    return m, step.remember("v", lambda v: b2 * v + (1 - b2) * g**2)


def adapted(step: Update, g: Formula, b1: Name, b2: Name, epsilon: Name, amsgrad: bool, eps_form: str) -> Formula:
    """η m̂/(√v̂ + ε)."""
    m, v = moments(step, g, b1, b2)
    if amsgrad:
        v = step.remember("vmax", lambda vmax: larger(vmax, v))
    if eps_form == "hat":
        rate = step.line("rate", step.eta * sqrt(1 - b2**step.time) / (1 - b1**step.time))
        return rate * m / (sqrt(v) + epsilon)
    mhat = step.line("mhat", m / (1 - b1**step.time))
    vhat = step.line("vhat", v / (1 - b2**step.time))
    return step.eta * mhat / (sqrt(vhat + epsilon) if eps_form == "inside" else sqrt(vhat) + epsilon)


@optimizers("Adamax")
def adamax(
    step: Update,
    *,
    lr: Fraction = Fraction(2, 1000),
    betas: Betas = BETAS,
    eps: Fraction = EPS,
    weight_decay: Fraction = Fraction(0),
    eps_form: Literal["inside", "beside"] = "inside",
    maximize: bool = False,
) -> Formula:
    """Adam with the largest gradient so far, forgotten slowly, in the place of the root (Kingma & Ba, 2015). PyTorch: Adamax.

    eps_form: ε inside the maximum, as PyTorch does, or beside it
    """
    b1, b2, epsilon = *averages(step, betas), step.epsilon(eps)
    g = step.gradient(weight_decay, maximize)
    m = step.remember("m", lambda m: b1 * m + (1 - b1) * g)
    inside = eps_form == "inside"
    u: Formula = step.remember("u", lambda u: larger(b2 * u, abs(g) + epsilon if inside else abs(g)))
    mhat = step.line("mhat", m / (1 - b1**step.time))
    return step.theta - step.eta * mhat / (u if inside else u + epsilon)


@optimizers("NAdam")
def nadam(
    step: Update,
    *,
    lr: Fraction = Fraction(2, 1000),
    betas: Betas = BETAS,
    eps: Fraction = EPS,
    weight_decay: Fraction = Fraction(0),
    momentum_decay: Fraction = Fraction(4, 1000),
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> Formula:
    """Adam that looks ahead like Nesterov, with a momentum that warms up (Dozat, 2016). PyTorch: NAdam."""
    if momentum_decay < 0:
        raise ValueError("momentum_decay must not be negative")
    b1, b2, epsilon, psi = *averages(step, betas), step.epsilon(eps), step.option("momentum_decay", momentum_decay)
    theta: Formula = decoupled(step, weight_decay) if decoupled_weight_decay else step.theta
    g = step.gradient(Fraction(0) if decoupled_weight_decay else weight_decay, maximize)
    if step.t > 1 and not step.knows("muprod"):
        raise ValueError("a state that begins at a later step must give muprod, the product of the momenta so far")
    base, half = Number(Fraction(96, 100)), Number(Fraction(1, 2))
    now = step.line("mu", b1 * (1 - half * base ** (step.time * psi)))
    later = step.line("munext", b1 * (1 - half * base ** ((step.time + 1) * psi)))
    product = step.remember("muprod", lambda product: product * now, start=Fraction(1), single=True)
    m, v = moments(step, g, b1, b2)
    vhat = step.line("vhat", v / (1 - b2**step.time))
    mhat = step.line("mhat", later * m / (1 - product * later) + (1 - now) * g / (1 - product))
    return theta - step.eta * mhat / (sqrt(vhat) + epsilon)


@optimizers("RAdam")
def radam(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 1000),
    betas: Betas = BETAS,
    eps: Fraction = EPS,
    weight_decay: Fraction = Fraction(0),
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> Formula:
    """Adam that adapts only once the variance of its rate is bounded (Liu et al., 2020). PyTorch: RAdam."""
    b1, b2, epsilon = *averages(step, betas), step.epsilon(eps)
    theta: Formula = decoupled(step, weight_decay) if decoupled_weight_decay else step.theta
    g = step.gradient(Fraction(0) if decoupled_weight_decay else weight_decay, maximize)
    m, v = moments(step, g, b1, b2)
    mhat = step.line("mhat", m / (1 - b1**step.time))
    longest = step.line("rhoinf", 2 / (1 - b2) - 1)
    rho = step.line("rho", longest - 2 * step.time * b2**step.time / (1 - b2**step.time))
    if 2 / (1 - betas[1]) - 1 <= 5:
        return theta - step.eta * mhat
    r = sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
    adapted_ = r * mhat * sqrt(1 - b2**step.time) / (sqrt(v) + epsilon)
    b = float(betas[1])

    def bounded(t: int) -> bool:
        return 2 / (1 - b) - 1 - 2 * t * b**t / (1 - b**t) > 5

    return theta - step.eta * step.either(bounded, rho > 5, adapted_, mhat)


@optimizers("Rprop")
def rprop(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 100),
    etas: tuple[Fraction, ...] = (Fraction(1, 2), Fraction(6, 5)),
    step_sizes: tuple[Fraction, ...] = (Fraction(1, 10**6), Fraction(50)),
    maximize: bool = False,
) -> Formula:
    """Steps of a size of their own, larger while the gradient keeps its sign (Riedmiller & Braun, 1993). PyTorch: Rprop."""
    if len(etas) != 2 or not 0 < etas[0] < 1 < etas[1]:
        raise ValueError("etas must be two numbers, the first between 0 and 1, the second above 1")
    if len(step_sizes) != 2 or not 0 <= step_sizes[0] <= step_sizes[1]:
        raise ValueError("step_sizes must be the smallest and the largest step")
    less, more = step.option("etas1", etas[0]), step.option("etas2", etas[1])
    least, most = step.option("stepsizes1", step_sizes[0]), step.option("stepsizes2", step_sizes[1])
    g = step.gradient(Fraction(0), maximize)
    turn = step.line("turn", step.old("prev") * g)
    size = step.remember(
        "size",
        lambda d: cases((smaller(d * more, most), turn > 0), (larger(d * less, least), turn < 0), (d, True)),
        start=min(max(lr, step_sizes[0]), step_sizes[1]),
    )
    kept = step.remember("prev", lambda _: cases((0, turn < 0), (g, True)))
    return step.theta - cases((size, kept > 0), (-size, kept < 0), (0, True))


@optimizers("ASGD")
def asgd(
    step: Update,
    *,
    lr: Fraction = Fraction(1, 100),
    lambd: Fraction = Fraction(1, 10**4),
    alpha: Fraction = Fraction(3, 4),
    t0: Fraction = Fraction(10**6),
    weight_decay: Fraction = Fraction(0),
    maximize: bool = False,
) -> Formula:
    """Gradient descent whose later parameters are averaged as well (Polyak & Juditsky, 1992). PyTorch: ASGD."""
    if lambd < 0:
        raise ValueError("lambd must not be negative")
    decay, power = step.option("lambd", lambd), step.option("power", alpha)
    g = step.gradient(weight_decay, maximize)
    rate = step.old("eta", lr, single=True)
    new = (1 - decay * rate) * step.theta - rate * g
    share = larger(1, step.time - 1 - step.option("t0", t0))
    step.remember("ax", lambda ax: ax + (new - ax) / share)
    step.remember("eta", lambda _: step.eta / (1 + decay * step.eta * step.time) ** power, start=lr, single=True)
    return new

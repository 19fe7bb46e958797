"""The optimizers as plain loop bodies over NumPy arrays: the independent witness of the updates that are printed.

Written from the algorithms of https://docs.pytorch.org/docs/stable/optim.html and, where PyTorch has none, from the
textbook form named in the docstring. Nothing else of derive is used here, so a slip there cannot repeat itself here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
State = dict[str, Array]
Options = Mapping[str, Any]
Result = tuple[Array, Mapping[str, Any]]
Rule = Callable[[Array, Array, State, int, float, Options], Result]


def step(
    name: str, theta: Array, gradient: Array, state: Mapping[str, Array], t: int, lr: float, options: Options
) -> tuple[Array, State]:
    """The parameter and the state after step t (counted from 1) of an optimizer; KeyError for one it does not know.

    A quantity missing from the state has its starting value. What overflows or is undefined comes out as inf or nan.
    """
    rule = RULES[name]
    theta = np.asarray(theta, np.float64)
    gradient = np.asarray(gradient, np.float64)
    if options.get("maximize"):
        gradient = -gradient
    before = {key: np.asarray(value, np.float64) for key, value in state.items()}
    with np.errstate(all="ignore"):
        moved, after = rule(theta, gradient, before, t, lr, options)
    return np.asarray(moved, np.float64), {key: np.asarray(value, np.float64) for key, value in after.items()}


def start(state: State, key: str, like: Array, value: float = 0.0) -> Array:
    """A quantity of the state before the step."""
    return state[key] if key in state else np.full_like(like, value)


def sgd(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """SGD; its first buffer is the gradient itself, without dampening."""
    mu = options["momentum"]
    g = g + options["weight_decay"] * theta
    if mu == 0:
        return theta - lr * g, {}
    buf = mu * state["buf"] + (1 - options["dampening"]) * g if "buf" in state else g
    direction = g + mu * buf if options["nesterov"] else buf
    return theta - lr * direction, {"buf": buf}


def momentum(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """Momentum as PyTorch has it, as a moving average, or classical with the rate inside the velocity (Polyak 1964)."""
    mu, form = options["momentum"], options["form"]
    g = g + options["weight_decay"] * theta
    if form == "classical":
        v = mu * start(state, "v", theta) - lr * g
        return theta + v, {"v": v}
    if form == "ema":
        s = mu * start(state, "s", theta) + (1 - mu) * g
        return theta - lr * s, {"s": s}
    if form == "pytorch":
        buf = mu * start(state, "buf", theta) + g
        return theta - lr * buf, {"buf": buf}
    raise ValueError(f"no form of momentum: {form}")


def nesterov(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """Nesterov's momentum (Sutskever et al. 2013): g, and the L2 term with it, belong to the look-ahead point."""
    mu = options["momentum"]
    v = start(state, "v", theta)
    ahead = theta + mu * v
    v = mu * v - lr * (g + options["weight_decay"] * ahead)
    return theta + v, {"v": v}


def adagrad(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """Adagrad."""
    rate = lr / (1 + (t - 1) * options["lr_decay"])
    g = g + options["weight_decay"] * theta
    s = start(state, "s", theta, options["initial_accumulator_value"]) + g**2
    return theta - rate * g / (np.sqrt(s) + options["eps"]), {"s": s}


def rmsprop(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """RMSprop; centered, it divides by the standard deviation of the gradient."""
    alpha, mu = options["alpha"], options["momentum"]
    g = g + options["weight_decay"] * theta
    v = alpha * start(state, "v", theta) + (1 - alpha) * g**2
    after = {"v": v}
    if options["centered"]:
        after["gbar"] = alpha * start(state, "gbar", theta) + (1 - alpha) * g
        v = v - after["gbar"] ** 2
    direction = g / (np.sqrt(v) + options["eps"])
    if mu > 0:
        direction = after["buf"] = mu * start(state, "buf", theta) + direction
    return theta - lr * direction, after


def adadelta(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """Adadelta."""
    rho, eps = options["rho"], options["eps"]
    g = g + options["weight_decay"] * theta
    u = start(state, "u", theta)
    v = rho * start(state, "v", theta) + (1 - rho) * g**2
    change = np.sqrt(u + eps) / np.sqrt(v + eps) * g
    u = rho * u + (1 - rho) * change**2
    return theta - lr * change, {"v": v, "u": u}


def moments(theta: Array, g: Array, state: State, options: Options) -> tuple[Array, Array]:
    """The moving averages of the gradient and of its square."""
    b1, b2 = options["betas"]
    m = b1 * start(state, "m", theta) + (1 - b1) * g
    v = b2 * start(state, "v", theta) + (1 - b2) * g**2
    return m, v


def adam(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """Adam with L2 in the gradient."""
    return adam_step(theta, g + options["weight_decay"] * theta, state, t, lr, options)


def adamw(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """AdamW: the decay shrinks the parameter and leaves the moments alone."""
    return adam_step(theta * (1 - lr * options["weight_decay"]), g, state, t, lr, options)


def adam_step(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """What Adam and AdamW share. The form `hat` is the reordered one at the end of section 2 of Kingma & Ba."""
    (b1, b2), eps, form = options["betas"], options["eps"], options["eps_form"]
    m, v = moments(theta, g, state, options)
    after = {"m": m, "v": v}
    if options["amsgrad"]:
        v = after["vmax"] = np.maximum(start(state, "vmax", theta), v)
    mhat, vhat = m / (1 - b1**t), v / (1 - b2**t)
    if form == "outside":
        return theta - lr * mhat / (np.sqrt(vhat) + eps), after
    if form == "inside":
        return theta - lr * mhat / np.sqrt(vhat + eps), after
    if form == "hat":
        rate = lr * math.sqrt(1 - b2**t) / (1 - b1**t)
        return theta - rate * m / (np.sqrt(v) + eps), after
    raise ValueError(f"no place for epsilon: {form}")


def adamax(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """Adamax, with epsilon inside the maximum, or beside it."""
    b1, b2 = options["betas"]
    g = g + options["weight_decay"] * theta
    m = b1 * start(state, "m", theta) + (1 - b1) * g
    if options.get("eps_form") == "beside":
        u = np.maximum(b2 * start(state, "u", theta), np.abs(g))
        return theta - lr / (1 - b1**t) * m / (u + options["eps"]), {"m": m, "u": u}
    u = np.maximum(b2 * start(state, "u", theta), np.abs(g) + options["eps"])
    return theta - lr / (1 - b1**t) * m / u, {"m": m, "u": u}


def decayed(theta: Array, g: Array, lr: float, options: Options) -> tuple[Array, Array]:
    """The parameter and the gradient after weight decay, decoupled or not."""
    decay = options["weight_decay"]
    if options["decoupled_weight_decay"]:
        return theta * (1 - lr * decay), g
    return theta, g + decay * theta


def nadam(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """NAdam; muprod is the product of the momenta so far."""
    (b1, b2), psi = options["betas"], options["momentum_decay"]
    theta, g = decayed(theta, g, lr, options)
    now = b1 * (1 - 0.5 * 0.96 ** (t * psi))
    following = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
    product = now * state.get("muprod", 1.0)
    m, v = moments(theta, g, state, options)
    mhat = following * m / (1 - product * following) + (1 - now) * g / (1 - product)
    vhat = v / (1 - b2**t)
    return theta - lr * mhat / (np.sqrt(vhat) + options["eps"]), {"m": m, "v": v, "muprod": product}


def radam(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """RAdam: without the second moment as long as its variance cannot be rectified."""
    b1, b2 = options["betas"]
    theta, g = decayed(theta, g, lr, options)
    m, v = moments(theta, g, state, options)
    mhat = m / (1 - b1**t)
    longest = 2 / (1 - b2) - 1
    length = longest - 2 * t * b2**t / (1 - b2**t)
    if length > 5:
        rectified = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        mhat = mhat * math.sqrt(rectified) * math.sqrt(1 - b2**t) / (np.sqrt(v) + options["eps"])
    return theta - lr * mhat, {"m": m, "v": v}


def rprop(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """Rprop: where the sign of the gradient changes, the step shrinks and the parameter waits."""
    (shrink, grow), (smallest, largest) = options["etas"], options["step_sizes"]
    agreement = np.sign(start(state, "prev", theta)) * np.sign(g)  # the product itself may underflow
    factor = np.where(agreement > 0, grow, np.where(agreement < 0, shrink, 1.0))
    size = np.clip(start(state, "size", theta, lr) * factor, smallest, largest)
    g = np.where(agreement < 0, 0.0, g)
    return theta - size * np.sign(g), {"prev": g, "size": size}


def asgd(theta: Array, g: Array, state: State, t: int, lr: float, options: Options) -> Result:
    """Averaged SGD: step t goes by the eta and mu that step t − 1 left, and leaves those of the next."""
    lambd = options["lambd"]
    eta = state.get("eta", lr)
    mu = state.get("mu", 1.0)
    ax = start(state, "ax", theta)
    g = g + options["weight_decay"] * theta
    theta = theta * (1 - lambd * eta) - eta * g
    ax = ax + mu * (theta - ax)
    eta = lr / np.power(1 + lambd * lr * t, options["alpha"])
    mu = 1 / max(1, t - options["t0"])
    return theta, {"eta": eta, "mu": mu, "ax": ax}


RULES: dict[str, Rule] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
    "adam": adam,
    "adamw": adamw,
    "adamax": adamax,
    "nadam": nadam,
    "radam": radam,
    "rprop": rprop,
    "asgd": asgd,
}
KNOWN: tuple[str, ...] = tuple(RULES)

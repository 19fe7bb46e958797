"""The reference for optimizers against PyTorch, recorded (tests/cases/torch) and live, and against printed examples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derive.reference import KNOWN, State, step

RELATIVE = 1e-12
ROUNDING = 4e-16  # of numbers of size 1 that a step brings close to 0
SINGLE = 1e-7  # relative error of what PyTorch by default keeps in float32: mu_product of NAdam, eta and mu of ASGD
NADAM = 1e-8  # what that error makes of NAdam's parameters within 10 steps
# PyTorch's names of the state
ADAM = {"exp_avg": "m", "exp_avg_sq": "v", "max_exp_avg_sq": "vmax", "mu_product": "muprod"}
STATE = {
    "sgd": {"momentum_buffer": "buf"},
    "adagrad": {"sum": "s"},
    "rmsprop": {"square_avg": "v", "grad_avg": "gbar", "momentum_buffer": "buf"},
    "adadelta": {"square_avg": "v", "acc_delta": "u"},
    "adam": ADAM,
    "adamw": ADAM,
    "adamax": {"exp_avg": "m", "exp_inf": "u"},
    "nadam": ADAM,
    "radam": ADAM,
    "rprop": {"prev": "prev", "step_size": "size"},
    "asgd": {"eta": "eta", "mu": "mu", "ax": "ax"},
}


def options(**given: Any) -> dict[str, Any]:
    return {"weight_decay": 0.0, "maximize": False, "eps_form": "outside", "amsgrad": False} | given


def close(got: Any, want: Any, relative: float = RELATIVE, absolute: float = 0) -> None:
    got, want = np.asarray(got), np.asarray(want, float)
    assert got.dtype == np.float64 and got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=relative, atol=absolute)


def renamed(name: str, theirs: dict[str, Any], t: int) -> dict[str, Any]:
    """PyTorch's state after step t under the names of the reference."""
    assert theirs.get("step", t) == t
    return {STATE[name][key]: value for key, value in theirs.items() if key != "step" and value is not None}


# PyTorch's numbers ------------------------------------------------------

PATH = Path(__file__).parent / "cases" / "torch" / "04_optimizers.json"
RECORDED = json.loads(PATH.read_text(encoding="utf-8"))


def test_all_runs_are_there():
    assert len(RECORDED["runs"]) == 32
    assert {run["class"].lower() for run in RECORDED["runs"].values()} == STATE.keys()
    assert STATE.keys() | {"momentum", "nesterov"} == set(KNOWN)


@pytest.mark.parametrize("run", RECORDED["runs"].values(), ids=RECORDED["runs"])
def test_recorded_run(run: dict[str, Any]):
    name, lr = run["class"].lower(), run["hyper"]["lr"]
    relative = NADAM if name == "nadam" else RELATIVE
    theta: Any = np.array(RECORDED["w0"])
    state: State = {"eta": np.float64(np.float32(lr))} if name == "asgd" else {}
    for t, one in enumerate(run["steps"], start=1):
        theta, state = step(name, theta, np.array(one["grad"]), state, t, lr, options(**run["hyper"]))
        close(theta, one["w_after"], relative)
        want = renamed(name, one["state"], t)
        assert state.keys() == want.keys()
        for key, value in want.items():
            single = key in ("muprod", "eta", "mu")
            close(state[key], value, SINGLE if single else relative)
            if single:
                state[key] = np.asarray(value)


LIVE: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"momentum": 0.9},
        {"momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01, "maximize": True},
    ],
    "Adagrad": [{}, {"lr_decay": 0.2, "initial_accumulator_value": 0.3, "weight_decay": 0.1}, {"maximize": True}],
    "RMSprop": [
        {},
        {"alpha": 0.9, "momentum": 0.7, "weight_decay": 0.1},
        {"centered": True, "eps": 1e-3, "maximize": True},
        {"centered": True, "momentum": 0.5, "alpha": 0.8},
    ],
    "Adadelta": [{}, {"lr": 0.3, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}],
    "Adam": [
        {},
        {"betas": (0.5, 0.7), "eps": 0.1, "weight_decay": 0.1},
        {"amsgrad": True, "betas": (0.9, 0.6)},
        {"amsgrad": True, "weight_decay": 0.2, "maximize": True},
    ],
    "AdamW": [{}, {"weight_decay": 0.3, "betas": (0.8, 0.9)}, {"amsgrad": True, "betas": (0.9, 0.6), "maximize": True}],
    "Adamax": [{}, {"betas": (0.7, 0.8), "eps": 0.1, "weight_decay": 0.1, "maximize": True}],
    "NAdam": [
        {},
        {"momentum_decay": 0.3, "weight_decay": 0.1, "betas": (0.8, 0.9)},
        {"decoupled_weight_decay": True, "weight_decay": 0.1, "maximize": True},
    ],
    "RAdam": [
        {},
        {"betas": (0.8, 0.7), "eps": 0.1, "weight_decay": 0.1},
        {"betas": (0.8, 0.99), "decoupled_weight_decay": True, "weight_decay": 0.1, "maximize": True},
    ],
    "Rprop": [
        {},
        {"etas": (0.3, 1.9), "step_sizes": (0.01, 0.3), "maximize": True},
        {"lr": 4.0, "step_sizes": (0.1, 2)},
    ],
    "ASGD": [{}, {"t0": 4, "lambd": 0.1, "alpha": 0.6, "weight_decay": 0.1}, {"t0": 0, "maximize": True}],
}


@pytest.fixture
def torch() -> Iterator[Any]:
    """PyTorch with mu_product and eta in float64 as well."""
    torch = pytest.importorskip("torch")
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(usual)


@pytest.mark.parametrize("falling", [1.0, 0.8], ids=["constant", "falling"])
@pytest.mark.parametrize("name", LIVE)
def test_live_torch(torch: Any, name: str, falling: float):
    for number, given in enumerate(LIVE[name]):
        random = np.random.default_rng(number)
        theta, state = random.normal(size=(2, 3)), {}
        weight = torch.tensor(theta, requires_grad=True)
        optimizer = getattr(torch.optim, name)([weight], **{"lr": 0.1, **given})
        for t in range(1, 13):
            gradient = random.normal(size=(2, 3)) * (random.random((2, 3)) < 0.9)  # some are 0
            lr = optimizer.defaults["lr"] * falling ** (t - 1)
            optimizer.param_groups[0]["lr"] = lr
            weight.grad = torch.tensor(gradient)
            optimizer.step()
            theta, state = step(name.lower(), theta, gradient, state, t, lr, options(**optimizer.defaults))
            close(theta, weight.detach().numpy(), absolute=ROUNDING)
            want = renamed(name.lower(), optimizer.state[weight], t)
            assert state.keys() == want.keys()
            for key, value in want.items():
                close(state[key], value, absolute=ROUNDING)


# Printed examples -------------------------------------------------------


def printed(got: Any, *want: str) -> None:
    """The numbers as a source prints them, each to its own last place."""
    got = np.atleast_1d(got)
    assert got.shape == (len(want),)
    for number, text in zip(got, want):
        mantissa, _, exponent = text.partition("e")
        places = len(mantissa.partition(".")[2]) - int(exponent or 0)
        assert abs(number - float(text)) <= 0.55 * 10.0**-places, f"{number} is not {text}"


def once(name: str, theta: Any, gradient: Any, lr: float, t: int = 1, state: Any = None, **given: Any) -> Any:
    return step(name, theta, gradient, state or {}, t, lr, options(**given))


def test_deep_ml():
    """Deep-ML 87 (Adam), 145 (AdaGrad), 146 (momentum), 148 (Adamax), 149 (Adadelta): one step with a given state."""
    theta, state = once("adam", 2.0, 0.2, 0.001, betas=(0.9, 0.999), eps=1e-8)
    printed([theta, state["m"], state["v"]], "1.999", "0.02", "4e-05")
    theta, state = once(
        "adagrad", 1.0, 0.5, 0.01, state={"s": 1.0}, lr_decay=0.0, eps=1e-8, initial_accumulator_value=0.0
    )
    printed([theta, state["s"]], "0.99553", "1.25")
    theta, state = once("momentum", 1.0, 0.1, 0.01, state={"v": -0.5}, momentum=0.9, form="classical")
    printed([theta, -state["v"]], "0.549", "0.451")
    theta, state = once("adamax", 1.0, 0.1, 0.002, state={"m": 1.0, "u": 1.0}, betas=(0.9, 0.999), eps=1e-8)
    printed([theta, state["m"], state["u"]], "0.98178", "0.91", "0.999")
    theta, state = once("adadelta", 1.0, 0.5, 1.0, state={"v": 1.0, "u": 1.0}, rho=0.95, eps=1e-6)
    printed([theta, state["v"], state["u"]], "0.49035", "0.9625", "0.96299")


@pytest.mark.parametrize("start, velocity, minimum, want", [(1.0, 0.1, 0.0, "0.9009"), (2.0, 1.0, 1.0, "1.099")])
def test_deep_ml_nesterov(start: float, velocity: float, minimum: float, want: str):
    """Deep-ML 150: the gradient is that of (x − minimum)²/2 at the look-ahead point."""
    ahead = start - 0.9 * velocity
    theta, state = once("nesterov", start, ahead - minimum, 0.01, state={"v": -velocity}, momentum=0.9)
    printed(theta, want)
    assert theta == pytest.approx(start + state["v"])


def test_cs231n():
    """CS231n, assignment 2, FullyConnectedNets.ipynb: one update of a 4×5 array, its first row."""
    w, dw, first = (np.linspace(a, b, 20)[:5] for a, b in [(-0.4, 0.6), (-0.6, 0.4), (0.6, 0.9)])
    theta, state = once("momentum", w, dw, 0.001, state={"v": first}, momentum=0.9, form="classical")
    printed(theta, "0.1406", "0.20738947", "0.27417895", "0.34096842", "0.40775789")
    printed(state["v"], "0.5406", "0.55475789", "0.56891579", "0.58307368", "0.59723158")
    plain = {"alpha": 0.99, "eps": 1e-8, "centered": False, "momentum": 0.0}
    theta, state = once("rmsprop", w, dw, 0.01, state={"v": first}, **plain)
    printed(theta, "-0.39223849", "-0.34037513", "-0.28849239", "-0.23659121", "-0.18467247")
    printed(state["v"], "0.5976", "0.6126277", "0.6277108", "0.64284931", "0.65804321")
    given = {"m": first, "v": np.linspace(0.7, 0.5, 20)[:5]}
    theta, state = once("adam", w, dw, 0.01, 6, given, betas=(0.9, 0.999), eps=1e-8)
    printed(theta, "-0.40094747", "-0.34836187", "-0.29577703", "-0.24319299", "-0.19060977")
    printed(state["m"], "0.48", "0.49947368", "0.51894737", "0.53842105", "0.55789474")
    printed(state["v"], "0.69966", "0.68908382", "0.67851319", "0.66794809", "0.65738853")


def test_q4quant():
    """q4quant.studio, the first Adam update by hand: g = 4, without epsilon."""
    theta, state = once("adam", 0.0, 4.0, 0.1, betas=(0.9, 0.999), eps=0.0)
    printed([theta, state["m"], state["v"]], "-0.1", "0.4", "0.016")


ONE = [0.9340596780273533]
TWO = [-0.165955990594852, 0.4406489868843162]
MASTERY: list[tuple[str, list[float], float, dict[str, Any], dict[int, list[str]]]] = [
    ("sgd", ONE, 0.1, {"momentum": 0.0}, {1: ["0.74724774"], 30: ["0.00115631"]}),
    ("momentum", ONE, 0.1, {"momentum": 0.3, "form": "classical"}, {2: ["0.54175461"], 30: ["6.17748881e-07"]}),
    (
        "nesterov",
        TWO,
        0.1,
        {"momentum": 0.3},
        {2: ["-0.09824595", "0.2608642"], 30: ["-3.82285090e-06", "1.01504945e-05"]},
    ),
    (
        "adagrad",
        TWO,
        0.1,
        {"lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-8},
        {2: ["-0.02902286", "0.27948766"], 50: ["-5.90360555e-19", "3.21927835e-04"]},
    ),
    ("adam", TWO, 0.02, {"betas": (0.8, 0.999), "eps": 1e-8}, {60: ["0.00018407", "-0.00054858"]}),
]


@pytest.mark.parametrize("name, start, lr, given, want", MASTERY, ids=[row[0] for row in MASTERY])
def test_machine_learning_mastery(name: str, start: list[float], lr: float, given: dict[str, Any], want: Any):
    """Jason Brownlee, Machine Learning Mastery, "… from scratch": the sum of squares step by step."""
    theta, state = np.array(start), {}
    for t in range(1, max(want) + 1):
        ahead = theta + given["momentum"] * state.get("v", 0) if name == "nesterov" else theta
        theta, state = once(name, theta, 2 * ahead, lr, t, state, **given)
        if t in want:
            printed(theta, *want[t])


# What no source prints --------------------------------------------------


@pytest.mark.parametrize("form, scale", [("pytorch", 1.0), ("ema", 0.2), ("classical", 1.0)])
def test_forms_of_momentum_differ_by_a_scale_only(form: str, scale: float):
    theta = want = np.array([1.0, -2.0])
    state, buffer = {}, {"buf": np.zeros(2)}
    for t in range(1, 6):
        gradient = np.array([0.3 * t, 1.0 / t])
        theta, state = once("momentum", theta, gradient, 0.1, t, state, momentum=0.8, form=form, weight_decay=0.1)
        plain = {"momentum": 0.8, "dampening": 0.0, "nesterov": False, "weight_decay": 0.1}
        want, buffer = once("sgd", want, gradient, 0.1 * scale, t, buffer, **plain)
        close(theta, want, absolute=ROUNDING)


def test_a_given_buffer_is_dampened_at_the_first_step():
    plain = {"momentum": 0.5, "dampening": 0.25, "nesterov": False}
    theta, state = once("sgd", 1.0, 8.0, 0.1, state={"buf": 2.0}, **plain)
    assert (theta, state["buf"]) == (pytest.approx(0.3), 7.0)


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("form, eps, change", [("outside", 1.0, 3 / 4), ("inside", 16.0, 3 / 5), ("hat", 0.5, 1.5 / 2)])
def test_places_of_epsilon(form: str, eps: float, change: float, amsgrad: bool):
    given = {"betas": (0.5, 0.75), "eps": eps, "eps_form": form, "amsgrad": amsgrad}
    assert once("adam", 10.0, 3.0, 1.0, **given)[0] == pytest.approx(10 - change)
    assert once("adamw", 10.0, 3.0, 1.0, **given, weight_decay=0.5)[0] == pytest.approx(5 - change)


def test_nesterov_decays_the_point_ahead():
    theta, _ = once("nesterov", 1.0, 0.0, 0.1, state={"v": 2.0}, momentum=0.5, weight_decay=0.1)
    assert theta == pytest.approx(1 + 1 - 0.1 * 0.1 * 2)


def test_the_given_arrays_stay_as_they_are():
    theta, gradient, state = np.ones(2), np.ones(2), {"m": np.ones(2), "v": np.ones(2)}
    once("adam", theta, gradient, 0.1, 3, state, betas=(0.9, 0.999), eps=1e-8)
    assert all((array == 1).all() for array in (theta, gradient, *state.values()))


def test_unknown_names():
    with pytest.raises(KeyError):
        once("lion", 1.0, 1.0, 0.1)
    with pytest.raises(ValueError, match="heavy"):
        once("momentum", 1.0, 1.0, 0.1, momentum=0.9, form="heavy")
    with pytest.raises(ValueError, match="beside"):
        once("adam", 1.0, 1.0, 0.1, betas=(0.9, 0.999), eps=0.0, eps_form="beside")

"""Optimizers, by themselves and in networks: PyTorch's numbers, published ones, a reference, and what is refused."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from records import recorded

from derive import reference
from derive.checks.updates import plain
from derive.cli import main
from derive.errors import InputError
from derive.optimizers import optimizers
from derive.options import parameters
from derive.solution import Solution, solve, study

CASES = Path(__file__).parent / "cases"
TORCH = json.loads((CASES / "torch" / "04_optimizers.json").read_text(encoding="utf-8"))
MLPS = json.loads((CASES / "torch" / "09_mlps.json").read_text(encoding="utf-8"))
PUBLISHED = {
    f"{path.stem}: {name}": case
    for path in sorted((CASES / "published" / "optimizers").glob("*.yaml"))
    for name, case in recorded(path)["cases"].items()
}
STATES = {
    "momentum_buffer": "buf",
    "sum": "s",
    "square_avg": "v",
    "grad_avg": "gbar",
    "acc_delta": "u",
    "exp_avg": "m",
    "exp_avg_sq": "v",
    "max_exp_avg_sq": "vmax",
    "exp_inf": "u",
    "mu_product": "muprod",
    "prev": "prev",
    "step_size": "size",
    "eta": "eta",
    "ax": "ax",
}
#: PyTorch keeps mu_product and eta in float32.
TOLERANCE = {"nadam": 2e-8, "asgd": 5e-7, "muprod": 1e-7}


def own_options(name: str, hyper: dict[str, Any]) -> dict[str, Any]:
    known = parameters(optimizers[name])
    return {option: value for option, value in hyper.items() if option in known and value is not None}


@pytest.mark.parametrize("run", TORCH["runs"])
def test_pytorchs_numbers(run: str) -> None:
    """Every parameter, gradient, loss and state of the ten recorded steps."""
    found = TORCH["runs"][run]
    name = optimizers.canonical(found["class"])
    solution = study(
        "optimizer",
        {
            "optimizer": {name: own_options(name, found["hyper"])},
            "function": TORCH["objective"].partition("=")[2],
            "start": {"w0": TORCH["w0"][0], "w1": TORCH["w0"][1]},
            "steps": len(found["steps"]),
        },
    )
    close = {"rtol": TOLERANCE.get(name, 1e-12), "atol": 1e-13}
    for t, step in enumerate(found["steps"], 1):
        np.testing.assert_allclose(solution[f"g@{t}"], step["grad"], **close)
        np.testing.assert_allclose(solution[f"f@{t - 1}"], step["loss"], **close)
        np.testing.assert_allclose(solution[f"theta@{t}"], step["w_after"], **close)
        states = {STATES[key]: value for key, value in step["state"].items() if key in STATES}
        for letter, value in states.items():
            np.testing.assert_allclose(
                solution[f"{letter}@{t}"], value, **{**close, "rtol": max(close["rtol"], TOLERANCE.get(letter, 0))}
            )


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_walk_throughs(name: str) -> None:
    """Every printed digit; the values known to be wrong are not ours."""
    case = PUBLISHED[name]
    solution = study("optimizer", case["file"])
    for id, printed in case["published"].items():
        assert agree(solution, id, printed), id
    for id, printed in case.get("WRONG", {}).items():
        assert not agree(solution, id, printed), id


def agree(solution: Solution, id: str, printed: str | list[str]) -> bool:
    sign, id = (-1, id[1:]) if id.startswith("-") else (1, id)
    ours = np.ravel(sign * solution[id])
    texts = printed if isinstance(printed, list) else [printed]
    return all(abs(x - float(text)) <= 0.5501 * unit(text) for x, text in zip(ours, texts, strict=True))


def unit(printed: str) -> float:
    """One unit in the last place printed."""
    return float(Decimal(10) ** int(Decimal(printed.rstrip(".")).as_tuple().exponent))


# networks -----------------------------------------------------------------------------------------------------------
def mlp(name: str, optimizer: dict[str, Any], **more: Any) -> dict[str, Any]:
    case = MLPS[name]
    loss = {"MSELoss": "mse", "BCEWithLogitsLoss": "bce_with_logits", "CrossEntropyLoss": "cross_entropy"}
    layers: list[Any] = []
    for W, b in zip(case["W"], case["b"], strict=True):
        layers += [{"linear": {"out": len(b), "weight": W, "bias": b}}, case["hidden"].split()[0]]
    return {
        "inputs": case["x"],
        "targets": case["target"],
        "layers": layers[:-1],
        "loss": loss[case["loss_fn"].split("(")[0]],
        "optimizer": optimizer,
        **more,
    }


@pytest.mark.parametrize("name", [name for name in MLPS if name != "_meta"])
@pytest.mark.parametrize("optimizer", ["sgd_lr0.1", "adam_lr0.01"])
def test_networks_over_three_steps(name: str, optimizer: str) -> None:
    kind, lr = optimizer.split("_lr")
    recorded = MLPS[name][optimizer]
    solution = solve(mlp(name, {kind: {"lr": float(lr)}}, steps=3), form="matrix")
    for step, loss in enumerate(recorded["losses"], 1):
        np.testing.assert_allclose(solution[f"L@{step}"], loss, rtol=1e-10)
    for k, (W, b) in enumerate(zip(recorded["W_after3"], recorded["b_after3"], strict=True), 1):
        # Adam divides a gradient by its own size: what PyTorch rounds off a tiny one is seen
        np.testing.assert_allclose(solution[f"W{k}+@3"], W, rtol=1e-9)
        np.testing.assert_allclose(solution[f"b{k}+@3"], b, rtol=1e-9)


NET: dict[str, Any] = {
    "inputs": [[0.5, -1], [1, 2]],
    "targets": [[0.25], [1]],
    "loss": "mse",
    "layers": [
        {"linear": {"out": 2, "weight": [[1, -1], [0.5, 2]], "bias": [0.1, 0]}},
        "tanh",
        {"linear": {"out": 1, "weight": [[1, 2]], "bias": 0.3}},
    ],
}


@pytest.mark.parametrize("name", [name for name in optimizers if name != "nesterov"])
@pytest.mark.parametrize("decay", [0, 0.1])
def test_every_optimizer_in_a_network(name: str, decay: float) -> None:
    """The gradients of the page through the reference, apart from the page's own witness."""
    options = {"weight_decay": decay} if decay and "weight_decay" in parameters(optimizers[name]) else {}
    solution = solve({**NET, "optimizer": {name: {"lr": 0.1, **options}}, "steps": 4})
    given = plain({option: default for option, (_, default) in parameters(optimizers[name]).items()} | options)
    del given["lr"]
    for id in ("W1", "b1", "W2", "b2"):
        theta, state = solution[id], {}
        for step in range(1, 5):
            at = "" if step == 1 else f"@{step}"
            theta, state = reference.step(name, theta, solution[f"dL/d{id}{at}"], state, step, 0.1, given)
            np.testing.assert_allclose(solution[f"{id}+{at}"], theta, rtol=1e-11, atol=1e-14)
            for letter in state.keys() & {"m", "v", "s", "u", "buf", "gbar"}:
                np.testing.assert_allclose(solution[f"{letter}.{id}{at}"], state[letter], rtol=1e-11, atol=1e-14)


def test_ids_over_the_steps() -> None:
    solution = solve({**NET, "optimizer": {"adam": {"lr": 0.1}}, "steps": 3})
    np.testing.assert_array_equal(solution["W1+"], solution["W1@2"])
    np.testing.assert_array_equal(solution["W1+@2"], solution["W1@3"])
    np.testing.assert_array_equal(solution["W1@1"], solution["W1"])
    np.testing.assert_array_equal(solution["L+"], solution["L+@3"])
    assert solution["L+"] < solution["L@3"] < solution["L@2"] < solution["L"]
    assert solution["m.W1@2"].shape == (2, 2) and solution["m.b2@3"].shape == ()
    assert solution["dL/dW1@2[1,2]"] == solution["dL/dW1@2"][0, 1]


def test_the_state_of_the_file() -> None:
    """Two steps and then one more from the state they left are the same as three."""
    whole = solve({**NET, "optimizer": {"adam": {"lr": 0.1}}, "steps": 3})
    kept = {letter: {id: whole[f"{letter}.{id}@2"].tolist() for id in ("W1", "b1", "W2", "b2")} for letter in "mv"}
    layers = json.loads(json.dumps(NET["layers"]))
    for k, layer in ((1, 0), (2, 2)):
        layers[layer]["linear"] |= {"weight": whole[f"W{k}@3"].tolist(), "bias": whole[f"b{k}@3"].tolist()}
    more = {**NET, "layers": layers, "optimizer": {"adam": {"lr": 0.1}}, "state": {**kept, "step": 2}}
    solution = solve(more)
    np.testing.assert_allclose(solution["W1+"], whole["W1+@3"], rtol=1e-12)


# update order -------------------------------------------------------------------------------------------------------
def test_mazurs_two_orders() -> None:
    """0.291027774 after one simultaneous update; the 0.291027924 usually printed mixes the orders."""
    simultaneous = solve("mazur")
    mazur = yaml.safe_load((Path(__file__).parent.parent / "derive" / "examples" / "mazur.yaml").read_text("utf-8"))
    layerwise = solve({**mazur, "update": "layerwise"})
    np.testing.assert_allclose(simultaneous["L+"], 0.29102777369359933, rtol=1e-13)
    np.testing.assert_allclose(layerwise["L+"], 0.29102792390544197, rtol=1e-13)
    np.testing.assert_array_equal(layerwise["W2+"], simultaneous["W2+"])
    assert "layerwise" in layerwise.to_json()


# functions ----------------------------------------------------------------------------------------------------------
@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from([name for name in optimizers if name not in ("asgd", "nadam")]),
    a=st.integers(-3, 3),
    b=st.integers(1, 4),
    start=st.tuples(*[st.integers(-30, 30).map(lambda n: n / 10)] * 2),
)
def test_functions_nobody_prepared(name: str, a: int, b: int, start: tuple[float, float]) -> None:
    """The witnesses (differences, the reference, the printed lines) pass on random functions."""
    f = f"{b}*x^2 + {a}*sin(y) + 0.1*y^2 + exp(-x*y/10)"
    solution = study("optimizer", {"optimizer": name, "function": f, "start": list(start), "steps": 3})
    assert all(witness.ok for witness in solution.document.witnesses)
    x, y = solution["theta@0"]
    want = [2 * b * x - y / 10 * np.exp(-x * y / 10), a * np.cos(y) + 0.2 * y - x / 10 * np.exp(-x * y / 10)]
    if name != "nesterov" or not solution["v@0"].any():
        np.testing.assert_allclose(solution["g@1"], want, rtol=1e-12, atol=1e-14)


def test_the_unrolled_average() -> None:
    text = str(study("optimizer", {"optimizer": "adam", "gradients": [0.1, 0.2, 0.3]}).print("text"))
    assert "m₃ = β₁²·(1 − β₁)·g₁ + β₁·(1 − β₁)·g₂ + (1 − β₁)·g₃ = 0.9²·(1 − 0.9)·0.1" in text


@pytest.mark.parametrize(
    "line",
    [
        "sgd --lr 0.1 --grad 1 --grad 1 --grad 1 --start 0.3",
        "sgd --lr 0.1 --function abs(x) --start 1 --steps 12",
        "sgd --lr 0.1 --function x^2 --start 1 --steps 300",
        "adam --lr 0.1 --function x^2 --start 1 --steps 300",
        "adam --betas 0,0 --grad 0.1 --grad -0.2 --grad 0.3",
        "adam --eps-form hat --weight-decay 0.1 --grad 1 --grad 2 --start 2",
        "rprop --grad 1e-320 --grad 1e-320",
        "sgd --lr 0.1 --function exp(exp(exp(x))) --start 1 --steps 5",
        "radam --grad 0.1 --grad 0.2 --grad 0.3 --grad 0.1 --grad 0.1 --grad 0.1 --grad 0.1",
        "asgd --t0 1 --lambd 0.01 --grad 1 --grad -0.2 --grad 0.01 --grad 1",
    ],
)
def test_nothing_legal_upsets_the_witnesses(line: str) -> None:
    result = CliRunner().invoke(main, ["optimizer", *line.split(), "-o", "-"], prog_name="derive")
    assert result.exit_code == 0, result.output


def test_a_rule_in_letters_has_all_its_cases() -> None:
    text = str(study("optimizer", {"optimizer": "rprop", "gradients": [0.1, -0.2]}).print("text"))
    rule = text.partition("One step, in letters")[2].partition("Step by step")[0]
    assert rule.count("else") == 3 and "since" not in rule
    text = str(study("optimizer", {"optimizer": "radam", "gradients": [0.1]}).print("text"))
    assert "if ρₜ > 5" in text and "since 1 ≤ 5" in text


@pytest.mark.parametrize("format", ["html", "latex", "markdown", "text", "json"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_format(format: str, lang: str) -> None:
    file = {
        "optimizer": "adam",
        "function": "x^2 + 4*y^2",
        "start": [1, 1],
        "steps": 12,
        "compare": ["sgd", "momentum"],
    }
    assert len(study("optimizer", file, lang=lang).print(format)) > 2000


def test_a_dead_end_is_kept() -> None:
    solution = study("optimizer", {"optimizer": {"sgd": {"lr": 10**9}}, "function": "x^2", "start": 1, "steps": 20})
    assert "in step 6 a number is no longer finite" in str(solution.print("text"))
    assert np.isfinite(solution["f@5"]) and solution.find("theta@6") is None


@pytest.mark.parametrize("lr, steps", [(1e5, 3), (1e60, 2), (1e160, 1)])
def test_a_network_that_diverges_keeps_its_steps(lr: float, steps: int) -> None:
    layers = [
        {"linear": {"out": 2, "weight": [[1, 2], [3, 4]], "bias": 0}},
        {"linear": {"out": 1, "weight": [[1, 1]], "bias": 0}},
    ]
    net = {"inputs": [[1, 2]], "targets": [[1]], "layers": layers, "loss": "mse", "optimizer": {"sgd": {"lr": lr}}}
    solution = solve({**net, "steps": 30})
    assert f"in step {steps + 1} a number is no longer finite" in str(solution.print("text"))
    assert np.isfinite(solution[f"W1+@{steps}"]).all() and solution.find(f"L@{steps + 1}") is None


# refusals -----------------------------------------------------------------------------------------------------------
REFUSED = {
    "adamm --grad 1": "unknown optimizer 'adamm'. Did you mean 'adam'?",
    "adam": "give a function to descend, or gradients",
    "adam --grad 1 --function x^2": "one of the two",
    "adam --grad x": "--grad: expected",
    "adam --grad 1 --betas 0.9,1": "--betas: adam: betas must be at least 0 and less than 1",
    "adam --grad 1 --betas 0.9": "betas must be two numbers",
    "adam --grad 1 --lr -1": "--lr: lr must not be negative",
    "adam --grad 1 --eps -1": "eps must not be negative",
    "rmsprop --grad 1 --alpha 1": "alpha must be at least 0 and less than 1",
    "sgd --grad 1 --momentum -1": "momentum must not be negative",
    "sgd --grad 1 --nesterov": "nesterov needs a momentum",
    "adam --grad 1 --steps 2": "there are gradients for 1 steps",
    "adam --function x^2 --start 1 --steps 0": "--steps: must be at least 1",
    "adam --function x^2 --start 1 --steps 2000": "must be at most 1,000",
    "adam --function x^2+ --start 1": "has nothing after it",
    "adam --function x^2": "give the point to start from",
    "adam --function x^2 --start 1,2": "2 starting values for 1 variables",
    "adam --function 1 --start 1": "the function has no variable",
    "adam --function log(x) --start -1": "no finite value at the start",
    "adam --grad 1 --foo 3": "adam has no option 'foo'",
    "adam --grad 1,2 --grad 1": "this gradient has 1 entries, the first has 2",
    "adam --grad 1 --state x": "--state",
    "adam --grad 1 --state x=1": "adam does not remember 'x'; it remembers m, v",
    "adam --grad 1e200": "the first step is not finite",
    "nadam --grad 1 --state step=3": "must give muprod",
    "adam --grad 1 extra": "unexpected argument 'extra'",
    "nowhere.yaml": "no such file",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refusals(line: str) -> None:
    result = CliRunner().invoke(main, ["optimizer", *line.split(), "-o", "-"], prog_name="derive")
    said = result.output.strip()
    assert result.exit_code == 2 and "\n" not in said
    assert REFUSED[line] in said


@pytest.mark.parametrize(
    "change, problem",
    [
        ({"optimizer": "nesterov"}, "in a network use sgd with nesterov"),
        ({"optimizer": {"adam": {"betas": [0.9, 1.5]}}}, "optimizer.adam.betas: adam: betas must be"),
        ({"optimizer": {"sgd": {"lr": -1}}}, "lr must not be negative"),
        ({"steps": 0}, "must be at least 1"),
        ({"steps": 1001}, "must be at most 1,000"),
        ({"update": "layer"}, "expected one of simultaneous, layerwise"),
        ({"optimizer": "adam", "state": {"m": {"W9": 0}}}, "'W9' is no parameter"),
        ({"optimizer": "adam", "state": {"m": [1, 2, 3]}}, "entries"),
        ({"optimizer": {"adam": {"eps": 0}}, "targets": [[0], [0]], "inputs": [[0, 0], [0, 0]]}, ""),
    ],
)
def test_network_refusals(change: dict[str, Any], problem: str) -> None:
    net = {**NET, "optimizer": "sgd", **change}
    if not problem:
        assert re.search(r"divides by zero|not finite", refused(net))
    else:
        assert problem in refused(net)


def refused(net: dict[str, Any]) -> str:
    with pytest.raises(InputError) as raised:
        solve(net)
    return str(raised.value)

"""`derive schedule` and `schedule:` in net.yaml: PyTorch's rates, a published table, a plain loop, every page."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result
from records import recorded

from derive.cli import main
from derive.errors import InputError
from derive.options import choose
from derive.schedules import schedules, start
from derive.schema import schema
from derive.solution import Solution, solve, study
from derive.source import parse

CASES = Path(__file__).parent / "cases"
RUNS: dict[str, dict[str, Any]] = json.loads((CASES / "torch" / "05_schedulers.json").read_text(encoding="utf-8"))[
    "runs"
]
TABLE = recorded(CASES / "published" / "schedules" / "deepml.yaml")["rates"]
FORMATS = ("html", "latex", "markdown", "text", "json")
NETLIKE = {
    "inputs": [[0.5, -1], [1, 2]],
    "targets": [[0.25], [1]],
    "loss": "mse",
    "layers": [
        {"linear": {"out": 2, "weight": [[1, -1], [0.5, 2]], "bias": 0.1}},
        "tanh",
        {"linear": {"out": 1, "weight": [[1, 2]], "bias": [0.5]}},
    ],
}
EVERY: dict[str, dict[str, Any]] = {
    "step_lr": {"step_size": 5, "gamma": 0.5},
    "multi_step_lr": {"milestones": [5, 9]},
    "exponential_lr": {"gamma": 0.9},
    "constant": {},
    "linear": {},
    "polynomial": {"power": 0.9},
    "cosine_annealing": {"t_max": 6, "eta_min": 0.001},
    "warm_restarts": {"t_0": 3, "t_mult": 2},
    "one_cycle": {"max_lr": 0.1, "total_steps": 20},
    "cyclic": {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 3, "mode": "exp_range", "gamma": 0.99},
    "warm_up": {"steps": 4},
    "inverse_time": {"decay": 0.1},
    "noam": {"warmup_steps": 4},
    "reduce_on_plateau": {"patience": 1, "factor": 0.5, "cooldown": 1, "min_lr": 0.04},
    "sequential": {
        "schedules": [{"warm_up": {"steps": 3}}, {"warm_restarts": {"t_0": 4, "t_mult": 2}}],
        "milestones": 3,
    },
    "chained": {"schedules": ["linear", {"cosine_annealing": {"t_max": 8}}]},
}
METRIC = [3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1]


def scheduled(name: str, **more: Any) -> dict[str, Any]:
    found = {"schedule": {name: EVERY[name]}, **more}
    return {**found, "metric": METRIC} if name == "reduce_on_plateau" else {**found, "epochs": 20}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, list(args))


# PyTorch's rates --------------------------------------------------------------------------------------------------------
def words(run: dict[str, Any]) -> list[str]:
    """A run as the command line says it."""
    found = ["schedule", run["scheduler"]]
    for key, given in run["args"].items():
        text = ",".join(map(str, given)) if isinstance(given, list) else str(given).lower()
        found += ["--" + key.lower().replace("_", "-"), text]
    if not isinstance(run["lr0"], str):
        found += ["--lr", str(run["lr0"])]
    if "metric" in run:
        found += ["--metric", ",".join(map(str, run["metric"][: len(run["lr"])]))]
    return found if "epochs" in run["args"] else [*found, "--epochs", str(len(run["lr"]))]


FUNCTIONS = ("LambdaLR", "MultiplicativeLR", "SequentialLR", "ChainedScheduler")  # a command line has no word for them
TYPED = [name for name, run in RUNS.items() if run["scheduler"] not in FUNCTIONS]


@pytest.mark.parametrize("name", TYPED)
def test_pytorch_rates(name: str, run: Callable[..., Result]) -> None:
    done = run(*words(RUNS[name]), "-f", "json", "-o", "-", "-q")
    assert done.exit_code == 0, done.output
    rate = json.loads(done.output)["quantities"]["lr"]
    assert rate["shape"] == [len(RUNS[name]["lr"])]
    np.testing.assert_allclose(rate["value"], RUNS[name]["lr"], rtol=1e-12, atol=1e-14)


def test_the_command_line_says_most_runs() -> None:
    assert len(TYPED) == 29


def test_options_are_in_the_json(run: Callable[..., Result]) -> None:
    found = json.loads(run("schedule", "StepLR", "--step-size", "50", "--gamma=1/2", "-f", "json", "-o", "-").output)
    numbers = {id: q["value"] for id, q in found["quantities"].items() if q["role"] == "hyper" and id != "lr"}
    assert numbers == {"base_lr": 0.1, "step_size": 50, "gamma": 0.5}
    assert found["conventions"]["schedule"] == {"step_lr": {"step_size": 50, "gamma": 0.5}}
    assert [w["name"] for w in found["witnesses"]] == [
        "recursion against the closed form, 50 digits",
        "printed formulas, 50 digits",
    ]


def test_published_rates(run: Callable[..., Result]) -> None:
    for row in TABLE[::4]:
        ((name, options),) = row["schedule"].items()
        given = [part for key, value in options.items() for part in ("--" + key.replace("_", "-"), str(value))]
        epochs = str(row["epoch"] + 1)
        done = run("schedule", name, *given, "--lr", str(row["lr"]), "--epochs", epochs, "-f", "json", "-o", "-")
        last = repr(round(json.loads(done.output)["quantities"]["lr"]["value"][-1], 12))
        assert Decimal(last).quantize(Decimal("0.0001"), ROUND_HALF_UP) == Decimal(row["printed"])


# pages ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", EVERY)
def test_every_schedule_prints(name: str) -> None:
    for wishes in ({}, {"lang": "zh", "comma": True}, {"exact": True}, {"round_as_you_go": True, "decimals": 5}):
        found = study("schedule", scheduled(name), **wishes)
        assert found.document.quantities["lr"].shape == (11 if name == "reduce_on_plateau" else 20,)
        for format in FORMATS if len(wishes) < 2 or "lang" in wishes else ("text",):
            assert len(found.print(format)) > 800


def test_every_schedule_is_here() -> None:
    assert set(EVERY) == set(schedules)


def lines(found: Solution) -> str:
    return str(found.print("text"))


def test_a_page_in_words() -> None:
    page = lines(study("schedule", {"schedule": {"step_lr": {"step_size": 50, "gamma": 0.5}}, "epochs": 200}))
    for text in ("0–49     0.1", "150–199  0.0125", "η₅₀ = η₄₉·γ = 0.1·0.5 = 0.05   (since 50 ≤ 50·⌊50/50⌋)"):
        assert text in page
    assert re.findall(r"^Epoch (\d+)$", page, re.M) == ["0", "1", "2", "50", "100", "150", "199"]
    small = lines(study("schedule", {"schedule": {"step_lr": {"step_size": 2}}, "epochs": 60}))
    assert "17 further epochs" in small and "58–59   1×10⁻³⁰" in small
    restarts = lines(study("schedule", scheduled("warm_restarts")))
    assert "i = ⌊ln(1 + 9·(2 − 1)/3)/ln(2)⌋ = 2" in restarts.replace("i = ⌊ln(1 + e·(q − 1)/T₀)/ln(q)⌋ = ", "i = ")
    assert "η_{base}·min(e + 1, n)/n" in lines(study("schedule", scheduled("warm_up")))
    assert "the optimizer's own rate does not matter" in lines(study("schedule", scheduled("cyclic")))


def test_what_happened_on_a_plateau() -> None:
    page = lines(study("schedule", scheduled("reduce_on_plateau")))
    rows = [row.split("  ")[-1].strip() for row in page.splitlines() if re.match(r"  \d+ ", row)]
    waited = "no better; 1 of 1 waited"
    assert rows == [
        "improved", "improved", waited, "no better: reduced", "cooling down", "improved", waited, "no better: reduced",
        "cooling down", waited, "no better; not reduced, the change would be too small",
    ]  # fmt: skip
    assert "η₈ = max(η₇·c, ηₘᵢₙ) = max(0.05·0.5, 0.04) = 0.04" in page


def test_many_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.studies.schedule.MOST_CHECKED", 500)
    found = study("schedule", {"schedule": {"cosine_annealing": {"t_max": 50}}, "epochs": 3000, "lr": 1})
    assert found["lr"].shape == (3000,) and found["lr[51]"] == pytest.approx(0, abs=1e-15)
    page = lines(found)
    assert "The first 500 epochs were compared." in found.to_html() and "47 further epochs" in page
    assert found.to_html().count("<tr") < 60
    assert (
        len(study("schedule", {"schedule": {"reduce_on_plateau": {"patience": 0}}, "metric": [1] * 300})["lr"]) == 300
    )


@pytest.mark.parametrize("name", EVERY)
def test_chinese_pages_have_no_english(name: str) -> None:
    page = str(study("schedule", scheduled(name), lang="zh").print("text"))
    prose = "\n".join(line for line in page.splitlines() if " = " not in line and "{" not in line)
    prose = re.sub(r"derive explain \w+", "", prose)
    assert re.findall(r"[A-Za-z]{2,}(?:[ ,:]+[A-Za-z]{2,}){2,}", prose) == []
    assert len(re.findall("[\u4e00-\u9fff]", prose)) > 200


def test_only_some_lines() -> None:
    found = study("schedule", scheduled("step_lr"))
    assert found["gamma"] == 0.5 and found["lr[6]"] == 0.05
    page = lines(study("schedule", scheduled("step_lr"), only=["lr"]))
    assert "η₁₅ = η₁₄·γ" in page and "What is given" not in page


def test_a_file(run: Callable[..., Result], tmp_path: Path) -> None:
    text = "schedule: {sequential: {schedules: [warm_up: {steps: 3}, step_lr: {step_size: 4}], milestones: [3]}}\n"
    (tmp_path / "s.yaml").write_text(text + "lr: 0.3\nepochs: 12\nname: Two parts\nnumbers: {decimals: 3}\n", "utf-8")
    done = run("schedule", "s.yaml", "-f", "text", "-o", "-")
    assert done.exit_code == 0 and done.output.startswith("Two parts") and "= 0.003 " in done.output
    assert run("schedule", "s.yaml", "--lr", "0.1").exit_code == 2


REFUSED = {
    "stepp_lr": "unknown schedule 'stepp_lr'. Did you mean 'step_lr'?",
    "step_lr --step-sise 5": "step_lr has no option 'step_sise'. Did you mean 'step_size'?",
    "step_lr": "step_lr needs step_size",
    "step_lr --step-size 5 --gamma -1": "gamma must be at least 0",
    "step_lr --step-size 5 --lr -1": "lr must not be negative",
    "step_lr --step-size 5 --epochs 0": "must be at least 1",
    "step_lr --step-size 5 --epochs 20001": "must be at most 20,000",
    "step_lr --step-size 5 --metric 1,2": "step_lr does not listen to a metric",
    "one_cycle --max-lr 1 --total-steps 5 --epochs 6": "this schedule is made for 5 epochs, fewer than 6",
    "reduce_on_plateau": "give one value for each epoch",
    "reduce_on_plateau --metric 1,2 --epochs 3": "the metric has 2 values for 3 epochs",
    "reduce_on_plateau --metric a": "expected a number",
}


@pytest.mark.parametrize("args", REFUSED)
def test_refused(args: str, run: Callable[..., Result]) -> None:
    done = run("schedule", *args.split())
    assert done.exit_code == 2 and REFUSED[args] in done.output and len(done.output.strip().splitlines()) == 1


def test_files_refused() -> None:
    for file, problem in (({}, "there is no schedule"), ({"schedul": 1}, "unknown key 'schedul'")):
        with pytest.raises(InputError, match=problem):
            study("schedule", file)


# in a network -----------------------------------------------------------------------------------------------------------
def in_a_network(schedule: Any, **more: Any) -> dict[str, Any]:
    return {**NETLIKE, "optimizer": {"sgd": {"lr": 0.2}}, "steps": 5, "schedule": schedule, **more}


def by_hand(rates: list[float]) -> Iterator[np.ndarray[Any, Any]]:
    """Gradient descent in plain NumPy; the first layer's weights after each step."""
    x, t = np.array(NETLIKE["inputs"]), np.array(NETLIKE["targets"])
    w1, b1, w2, b2 = np.array([[1, -1], [0.5, 2]]), 0.1, np.array([[1.0, 2]]), np.array([0.5])
    for rate in rates:
        a = np.tanh(x @ w1.T + b1)
        d2 = 2 * (a @ w2.T + b2 - t) / len(x)
        d1 = (d2 @ w2) * (1 - a**2)
        w1, b1, w2, b2 = w1 - rate * d1.T @ x, b1 - rate * d1.sum(), w2 - rate * d2.T @ a, b2 - rate * d2.sum(axis=0)
        yield w1


NETWORKS: dict[str, tuple[Any, list[float]]] = {
    "step_lr": ({"step_lr": {"step_size": 2, "gamma": 0.5}}, [0.2, 0.2, 0.1, 0.1, 0.05]),
    "cosine": ({"CosineAnnealingLR": {"t_max": 4}}, [0.1 * (1 + math.cos(math.pi * e / 4)) for e in range(5)]),
    "sequential": (
        {"sequential": {"schedules": [{"warm_up": {"steps": 2}}, {"exponential_lr": {"gamma": 0.5}}], "milestones": 2}},
        [0.1, 0.2, 0.2, 0.1, 0.05],
    ),
    "cyclic": ({"cyclic": {"base_lr": 0.1, "max_lr": 0.3, "step_size_up": 2}}, [0.1, 0.2, 0.3, 0.2, 0.1]),
    "restarts": ({"warm_restarts": {"t_0": 1, "t_mult": 2}}, [0.2, 0.2, 0.1, 0.2, 0.1 * (1 + math.cos(math.pi / 4))]),
    "chained": (
        {"chained": {"schedules": [{"exponential_lr": {"gamma": 0.5}}, {"cosine_annealing": {"t_max": 9}}]}},
        [0.2 * 0.5**e * (1 + math.cos(math.pi * e / 9)) / 2 for e in range(5)],
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_with_a_schedule(name: str) -> None:
    schedule, rates = NETWORKS[name]
    found = solve(in_a_network(schedule))
    ids = ["lr", *(f"lr@{s}" for s in range(2, 6))]
    np.testing.assert_allclose([found[id] for id in ids], rates, rtol=1e-13)
    *_, last = by_hand(rates)
    np.testing.assert_allclose(found["W1+@5"], last, rtol=1e-12)
    assert {found.document.quantities[id].role for id in (*ids, "base_lr")} == {"hyper"} and found["base_lr"] == 0.2
    assert any(w.name == "reference" for w in found.document.witnesses)


def test_each_step_has_a_line_for_its_rate() -> None:
    page = lines(solve(in_a_network({"step_lr": {"step_size": 2, "gamma": 0.5}})))
    rates = [row.strip() for row in page.splitlines() if re.match(r"  η[₁-₅] = ", row)]
    assert len(rates) == 5 and rates[4].endswith("0.2·0.5^{⌊4/2⌋} = 0.05")
    assert page.count("The learning rate of step ") == 5 and "η₃·∂L/∂w" in page and "Schedule: gamma" in page
    assert "The learning rate follows the schedule StepLR" in page
    ng = lines(solve(in_a_network({"cosine_annealing": {"t_max": 4}}, steps=1), notation="ng"))
    assert "α₁ = αₘᵢₙ + (α₀ − αₘᵢₙ)" in ng and "η" not in ng


def test_the_rate_is_told_once_in_each_form() -> None:
    for form, count in (("scalar", 2), ("matrix", 2), ("both", 4)):
        page = lines(solve(in_a_network({"step_lr": {"step_size": 1}}, steps=2), form=form))
        assert page.count("The learning rate of step ") == count


@pytest.mark.parametrize("optimizer", ["adam", "asgd", "rprop", "adagrad"])
def test_optimizers_with_a_schedule(optimizer: str) -> None:
    for schedule in ("linear", {"noam": {"warmup_steps": 3}}):
        solve(in_a_network(schedule, optimizer=optimizer, steps=3))


def test_steps_made_before_count() -> None:
    found = solve(in_a_network({"step_lr": {"step_size": 2}}, state={"step": 3}, steps=2))
    assert found["epoch"] == 3 and found["lr"] == pytest.approx(0.02) and found["lr@2"] == pytest.approx(0.002)


def test_without_a_schedule_nothing_changes() -> None:
    plain = solve({**NETLIKE, "optimizer": {"sgd": {"lr": 0.2}}})
    assert "base_lr" not in plain.document.quantities and "schedule" not in plain.document.conventions_in_force
    listening = solve(in_a_network("reduce_on_plateau", steps=1))
    assert listening["lr"] == 0.2 and "listens to the loss" in lines(listening)


@pytest.mark.parametrize(
    "more, problem",
    [
        (
            {"schedule": "reduce_on_plateau"},
            "reduce_on_plateau listens to the loss of every step: give it to derive train",
        ),
        ({"schedule": {"one_cycle": {"max_lr": 1, "total_steps": 4}}}, "made for 4 steps, fewer than 5"),
        ({"schedule": {"step_lr": {"step_size": 0}}}, "step_size must be at least 1"),
        ({"schedule": "step"}, "unknown schedule 'step'"),
        ({"schedule": "linear", "optimizer": None}, "a schedule needs an optimizer"),
        (
            {
                "schedule": {"chained": {"schedules": ["linear", {"cosine_annealing": {"t_max": 3}}]}},
                "state": {"step": 2},
            },
            "no closed form",
        ),
    ],
)
def test_networks_refused(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        solve({**in_a_network("linear"), **more})


def test_the_schema_knows_schedules() -> None:
    validator: Any = jsonschema.Draft202012Validator(schema())
    assert validator.is_valid(in_a_network("linear"))
    assert all(validator.is_valid(in_a_network({name: options})) for name, options in EVERY.items())
    assert not validator.is_valid(in_a_network("step_lr")) and not validator.is_valid(in_a_network({"step_lr": {}}))


# a training loop ----------------------------------------------------------------------------------------------------------
def test_one_interface_for_a_training_loop() -> None:
    pace = start(choose(parse("step_lr: {step_size: 2, gamma: 0.5}", "x"), schedules)(), Fraction(1, 10))
    rates = []
    for step in range(1, 6):
        rates.append(pace.rate(step))
        pace.heard(1.0)
    assert rates == [0.1, 0.1, 0.05, 0.05, 0.025]
    pace = start(choose(parse("reduce_on_plateau: {patience: 1}", "x"), schedules)(), Fraction(1, 10))
    rates = []
    for step in range(1, 6):
        rates.append(pace.rate(step))
        pace.heard(1.0)
    assert rates == [0.1, 0.1, 0.1, 0.01, 0.01]

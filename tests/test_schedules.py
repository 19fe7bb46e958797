"""Learning-rate schedules against PyTorch's rates, a published table, and their own recursions."""

from __future__ import annotations

import inspect
import json
import math
import re
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from records import recorded

from derive.algebra import EXACT, FLOATS, UNKNOWN, Algebra, digits, evaluate, sympy_algebra
from derive.errors import InputError
from derive.formula import Formula, names
from derive.options import choose
from derive.schedules import (
    BASE,
    BEFORE,
    E,
    Plateau,
    Schedule,
    by_recursion,
    rate_function,
    rates,
    schedules,
    value,
)
from derive.schema import entries
from derive.source import parse

CASES = Path(__file__).parent / "cases"
RUNS: dict[str, dict[str, Any]] = json.loads((CASES / "torch" / "05_schedulers.json").read_text(encoding="utf-8"))[
    "runs"
]
TABLE = recorded(CASES / "published" / "schedules" / "deepml.yaml")["rates"]
TENTH = Fraction(1, 10)


def built(text: str) -> Any:
    """The schedule that a file asks for."""
    return choose(parse(text, "net.yaml"), schedules)()


# PyTorch's rates -----------------------------------------------------------------------------------------------------
SNAKE = {"T_max": "t_max", "T_0": "t_0", "T_mult": "t_mult"}
IN_OUR_WORDS = {
    "lambda_0.95^e": "exponential_lr: {gamma: 0.95}",
    "lambda_inverse_time": "inverse_time: {decay: 0.1}",
    "noam_warmup40": "noam: {warmup_steps: 40}",
    "multiplicative_0.95": "exponential_lr: {gamma: 0.95}",
    "sequential_linear10_cosine190": "SequentialLR: {schedules: [LinearLR: {start_factor: 0.1, total_iters: 10}, "
    "CosineAnnealingLR: {t_max: 190}], milestones: [10]}",
    "sequential_docs": "SequentialLR: {schedules: [ConstantLR: {factor: 0.1, total_iters: 20}, "
    "ExponentialLR: {gamma: 0.9}], milestones: [20]}",
    "chained_docs": "ChainedScheduler: {schedules: [ConstantLR: {factor: 0.1, total_iters: 20}, "
    "ExponentialLR: {gamma: 0.9}]}",
}


def of_run(name: str) -> Any:
    run = RUNS[name]
    options = {SNAKE.get(key, key): given for key, given in run["args"].items()}
    return built(IN_OUR_WORDS.get(name) or json.dumps({run["scheduler"]: options}))


def base_of(name: str) -> Fraction:
    rate = RUNS[name]["lr0"]  # of OneCycleLR and CyclicLR a text: the optimizer's rate does not matter
    return Fraction(7) if isinstance(rate, str) else Fraction(str(rate))


def close(got: Any, want: Any) -> None:
    np.testing.assert_allclose(np.asarray(got, float), np.asarray(want, float), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", [name for name in RUNS if "metric" not in RUNS[name]])
def test_pytorch_rates(name: str) -> None:
    schedule, base, want = of_run(name), base_of(name), RUNS[name]["lr"]
    assert schedule.closed is not None
    close(rates(schedule, base, len(want)), want)
    close([rate_function(schedule, base)(e) for e in range(len(want))], want)
    close(rates(schedule, base, len(want), digits()), want)
    close([value(schedule.first, {BASE: base, **schedule.constants}, FLOATS)], want[:1])
    if schedule.recursion is not None:
        close(by_recursion(schedule, base, len(want)), want)
    known = [(x, y) for x, y in zip(rates(schedule, base, len(want), EXACT), want) if x is not UNKNOWN]
    assert all(isinstance(x, Fraction) for x, _ in known)
    close(*zip(*known)) if known else None


@pytest.mark.parametrize("name", [name for name in RUNS if "metric" in RUNS[name]])
def test_pytorch_rates_on_a_plateau(name: str) -> None:
    run = RUNS[name]
    walked = of_run(name).walk(base_of(name), run["metric"], len(run["lr"]))
    close([rate for rate, _ in walked], run["lr"])
    for (rate, reason), (after, _) in zip(walked, walked[1:]):
        assert (reason == "reduced") == (after < rate)


def test_every_schedule_has_a_run() -> None:
    words = [re.findall(r"\w+", IN_OUR_WORDS.get(name, run["scheduler"])) for name, run in RUNS.items()]
    assert set(schedules) - {schedules.canonical(word) for found in words for word in found} == {"warm_up"}


# published -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{next(iter(row['schedule']))}@{row['epoch']}")
def test_published_rates(row: dict[str, Any]) -> None:
    schedule, base, epochs = built(json.dumps(row["schedule"])), Fraction(str(row["lr"])), row["epoch"] + 1
    exact = rates(schedule, base, epochs, EXACT)[-1]
    ours = rates(schedule, base, epochs, digits())[-1] if exact is UNKNOWN else exact
    cents = math.floor(ours * 10**4 + Fraction(1, 2) if exact is not UNKNOWN else float(ours) * 10**4 + 0.5)
    assert Decimal(cents).scaleb(-4) == Decimal(row["printed"])


# the recursion and the closed form -----------------------------------------------------------------------------------
def fractions(least: int, most: int) -> st.SearchStrategy[Fraction]:
    return st.fractions(least, most, max_denominator=20)


whole = st.integers(1, 60)
milestones = st.sets(st.integers(1, 150), min_size=1, max_size=4).map(lambda found: tuple(sorted(found)))
above_0 = st.fractions(Fraction(1, 20), 1, max_denominator=20)
shrinking: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "step_lr": {"step_size": whole, "gamma": fractions(0, 2)},
    "multi_step_lr": {"milestones": milestones, "gamma": fractions(0, 2)},
    "exponential_lr": {"gamma": fractions(0, 2)},
    "constant": {"factor": above_0, "total_iters": whole},
    "linear": {"start_factor": above_0, "end_factor": fractions(0, 1), "total_iters": whole},
    "polynomial": {"total_iters": whole, "power": st.sampled_from([0, 1, 2, 3]).map(Fraction)},
    "warm_up": {"steps": whole},
}
curved: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "cosine_annealing": {"t_max": whole, "eta_min": fractions(0, 1)},
    "polynomial": {"total_iters": whole, "power": fractions(0, 3)},
}


def drawn(sheet: dict[str, dict[str, st.SearchStrategy[Any]]]) -> st.SearchStrategy[Schedule]:
    def named(name: str) -> st.SearchStrategy[Schedule]:
        return st.fixed_dictionaries(sheet[name]).map(lambda options: schedules[name](**options))  # type: ignore[return-value]

    return st.sampled_from(sorted(sheet)).flatmap(named)


def one_after_the_other(parts: st.SearchStrategy[Schedule]) -> st.SearchStrategy[Schedule]:
    def joined(chosen: tuple[list[Schedule], list[int]]) -> Schedule:
        found, lengths = chosen
        starts = tuple(sum(lengths[: i + 1]) for i in range(len(found) - 1))
        return schedules["sequential"](schedules=tuple(found), milestones=starts)  # type: ignore[return-value]

    return st.tuples(st.lists(parts, min_size=1, max_size=3), st.lists(whole, min_size=3, max_size=3)).map(joined)


def all_at_once(parts: st.SearchStrategy[Schedule]) -> st.SearchStrategy[Schedule]:
    found = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return found.map(lambda several: schedules["chained"](schedules=several))  # type: ignore[return-value]


@settings(max_examples=15)
@given(drawn(shrinking) | one_after_the_other(drawn(shrinking)) | all_at_once(drawn(shrinking)), above_0)
def test_the_recursion_is_the_closed_form_exactly(schedule: Schedule, base: Fraction) -> None:
    assert rates(schedule, base, 200, EXACT) == by_recursion(schedule, base, 200, EXACT)


@settings(max_examples=8)
@given(drawn(curved) | one_after_the_other(drawn(curved)), above_0)
def test_the_recursion_is_the_closed_form_to_many_digits(schedule: Schedule, base: Fraction) -> None:
    pairs = zip(rates(schedule, base, 200, digits()), by_recursion(schedule, base, 200, digits()))
    assert all(abs(x - y) < 1e-40 for x, y in pairs)


@settings(max_examples=20)
@given(drawn(shrinking | curved), above_0)
def test_the_first_rate_is_that_of_epoch_0(schedule: Schedule, base: Fraction) -> None:
    assert rates(schedule, base, 1, EXACT) == by_recursion(schedule, base, 1, EXACT)


# PyTorch itself ------------------------------------------------------------------------------------------------------
EPOCHS = 90


def torch_rates(make: Callable[[Any, Any], Any], base: float) -> list[float]:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True, dtype=torch.float64)], lr=base, momentum=0.5)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = make(torch.optim.lr_scheduler, optimizer)
        for _ in range(EPOCHS):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(found) < EPOCHS:
                scheduler.step()
    return found


@pytest.mark.parametrize(
    "ours, make",
    [
        ("StepLR: {step_size: 7, gamma: 0.7}", lambda s, o: s.StepLR(o, 7, 0.7)),
        ("MultiStepLR: {milestones: [1, 9, 40], gamma: 1.5}", lambda s, o: s.MultiStepLR(o, [1, 9, 40], 1.5)),
        ("LinearLR: {start_factor: 1, end_factor: 0, total_iters: 30}", lambda s, o: s.LinearLR(o, 1.0, 0.0, 30)),
        ("PolynomialLR: {total_iters: 40, power: 1.7}", lambda s, o: s.PolynomialLR(o, 40, 1.7)),
        ("CosineAnnealingLR: {t_max: 1, eta_min: 0.01}", lambda s, o: s.CosineAnnealingLR(o, 1, 0.01)),
        ("CosineAnnealingLR: {t_max: 13, eta_min: 0.01}", lambda s, o: s.CosineAnnealingLR(o, 13, 0.01)),
        ("CosineAnnealingWarmRestarts: {t_0: 3, t_mult: 3}", lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 3)),
        (
            "OneCycleLR: {max_lr: 0.4, total_steps: 90, pct_start: 0}",
            lambda s, o: s.OneCycleLR(o, 0.4, 90, pct_start=0.0),
        ),
        (
            "OneCycleLR: {max_lr: 0.4, total_steps: 90, pct_start: 0.37, three_phase: true, anneal_strategy: linear}",
            lambda s, o: s.OneCycleLR(o, 0.4, 90, pct_start=0.37, three_phase=True, anneal_strategy="linear"),
        ),
        (
            "CyclicLR: {base_lr: 0.1, max_lr: 0.5, step_size_up: 3, step_size_down: 7, mode: triangular2}",
            lambda s, o: s.CyclicLR(o, 0.1, 0.5, 3, 7, mode="triangular2"),
        ),
        ("warm_up: {steps: 12}", lambda s, o: s.LinearLR(o, 1 / 12, 1.0, 11)),
        ("inverse_time: {decay: 0.3}", lambda s, o: s.LambdaLR(o, lambda e: 1 / (1 + 0.3 * e))),
        (
            "SequentialLR: {schedules: [warm_up: {steps: 6}, CosineAnnealingWarmRestarts: {t_0: 11}, StepLR: "
            "{step_size: 4}], milestones: [6, 50]}",
            lambda s, o: s.SequentialLR(
                o,
                [s.LinearLR(o, 1 / 6, 1.0, 5), s.CosineAnnealingWarmRestarts(o, 11), s.StepLR(o, 4)],
                milestones=[6, 50],
            ),
        ),
        (
            "ChainedScheduler: {schedules: [LinearLR, CosineAnnealingLR: {t_max: 20}, ExponentialLR: {gamma: 0.95}]}",
            lambda s, o: s.ChainedScheduler([s.LinearLR(o), s.CosineAnnealingLR(o, 20), s.ExponentialLR(o, 0.95)]),
        ),
        (
            "ChainedScheduler: {schedules: [ExponentialLR: {gamma: 0.9}, inverse_time: {decay: 0.5}, StepLR: {step_size: 3}]}",
            lambda s, o: s.ChainedScheduler(
                [s.ExponentialLR(o, 0.9), s.LambdaLR(o, lambda e: 1 / (1 + 0.5 * e)), s.StepLR(o, 3)]
            ),
        ),
    ],
)
def test_pytorch_itself(ours: str, make: Callable[[Any, Any], Any]) -> None:
    schedule, want = built(ours), torch_rates(make, 0.3)
    close(rates(schedule, Fraction("0.3"), EPOCHS), want)
    close([rate_function(schedule, Fraction("0.3"))(e) for e in range(EPOCHS)], want)


@settings(max_examples=20)
@given(
    st.fixed_dictionaries(
        {
            "mode": st.sampled_from(["min", "max"]),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "factor": st.sampled_from([0.0, 0.1, 0.5, 0.9]),
            "patience": st.integers(0, 4),
            "cooldown": st.integers(0, 4),
            "threshold": st.sampled_from([0.0, 0.01, 0.2]),
            "min_lr": st.sampled_from([0.0, 0.01]),
            "eps": st.sampled_from([0.0, 1e-8, 0.02]),
        }
    ),
    st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.8, 0.99, 1.0, 1.01, math.inf, math.nan]), min_size=40, max_size=40),
)
def test_plateau_and_pytorch(options: dict[str, Any], metric: list[float]) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    want = []
    for x in metric:
        want.append(optimizer.param_groups[0]["lr"])
        scheduler.step(x)
    exact = {name: Fraction(str(given)) if isinstance(given, float) else given for name, given in options.items()}
    close([rate for rate, _ in schedules["reduce_on_plateau"](**exact).walk(Fraction("0.3"), metric, 40)], want)  # type: ignore[union-attr]


# a metric ------------------------------------------------------------------------------------------------------------
def test_the_reasons_of_a_plateau() -> None:
    plateau = built("reduce_on_plateau: {factor: 0.5, patience: 1, cooldown: 1, min_lr: 0.04}")
    assert isinstance(plateau, Plateau)
    assert plateau.walk(TENTH, [3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1], 11) == [
        (TENTH, "improved"),
        (TENTH, "improved"),
        (TENTH, "waited 1 of 1"),
        (TENTH, "reduced"),
        (TENTH / 2, "cooling down"),
        (TENTH / 2, "improved"),
        (TENTH / 2, "waited 1 of 1"),
        (TENTH / 2, "reduced"),
        (Fraction("0.04"), "cooling down"),
        (Fraction("0.04"), "waited 1 of 1"),
        (Fraction("0.04"), "not reduced: it would change by no more than eps"),
    ]
    listening = plateau.start(TENTH)
    assert (listening.rate, listening.step(3.0), listening.rate) == (TENTH, "improved", TENTH)
    with pytest.raises(ValueError, match="the metric has 1 values for 2 epochs"):
        plateau.walk(TENTH, [1], 2)
    assert plateau.better(math.nan, math.inf) is False


# exact ---------------------------------------------------------------------------------------------------------------
def test_what_is_a_fraction_is_known_exactly() -> None:
    cosine = rates(built("cosine_annealing: {t_max: 6, eta_min: 1/100}"), TENTH, 14, EXACT)
    mean = Fraction("0.055")
    assert cosine[0] == cosine[12] == TENTH and cosine[6] == Fraction(1, 100) and cosine[3] == cosine[9] == mean
    assert cosine[2] == Fraction("0.0775") and cosine[4] == Fraction("0.0325") and cosine[1] is UNKNOWN
    restarts = rates(built("warm_restarts: {t_0: 2, t_mult: 2}"), TENTH, 15, EXACT)
    assert [e for e, rate in enumerate(restarts) if rate == TENTH] == [0, 2, 6, 14]
    polynomial = rates(built("polynomial: {total_iters: 4, power: 1/2}"), TENTH, 6, EXACT)
    assert polynomial == [TENTH, UNKNOWN, UNKNOWN, TENTH / 2, 0, 0]
    assert rates(built("noam: {warmup_steps: 4}"), TENTH, 9, EXACT)[3:9:5] == [TENTH / 2, TENTH / 3]


def test_a_restart_in_the_far_future_is_not_missed() -> None:
    """1000 is 10³, but the logarithm of 1000 to the base 10 is below 3 in floats."""
    schedule = built("warm_restarts: {t_0: 9, t_mult: 10}")
    assert rate_function(schedule, TENTH)(999) == 0.1


@pytest.mark.parametrize("algebra", [FLOATS, digits(), sympy_algebra()], ids=lambda algebra: algebra.name)
def test_every_number_system(algebra: Algebra) -> None:
    for name in [name for name in RUNS if "metric" not in RUNS[name]]:
        schedule = of_run(name)
        close([float(x) for x in rates(schedule, base_of(name), 3, algebra)], RUNS[name]["lr"][:3])


# formulas ------------------------------------------------------------------------------------------------------------
def formulas(schedule: Schedule) -> list[Formula]:
    return [f for f in (schedule.first, schedule.recursion, schedule.closed) if f is not None]


@pytest.mark.parametrize("name", [name for name in RUNS if "metric" not in RUNS[name]])
def test_the_names_in_a_formula_have_values(name: str) -> None:
    schedule = of_run(name)
    used = {name for f in formulas(schedule) for name in names(f)}
    assert used - {E, BASE, BEFORE} == set(schedule.constants)
    assert BEFORE not in {*names(schedule.first), *names(schedule.closed)} and E not in names(schedule.first)
    symbols = [name.symbol for name in {*used, E, BASE, BEFORE}]
    assert len(symbols) == len(set(symbols))


def test_a_formula_on_the_page() -> None:
    schedule = built("step_lr: {step_size: 50, gamma: 0.5}")
    assert {name.id: given for name, given in schedule.constants.items()} == {"step_size": 50, "gamma": Fraction(1, 2)}
    assert evaluate(schedule.closed, {E: 120, BASE: 1, **schedule.constants}.__getitem__, EXACT) == Fraction(1, 4)


def test_options_of_the_same_name_are_told_apart() -> None:
    schedule = built("chained: {schedules: [step_lr: {step_size: 3}, step_lr: {step_size: 5, gamma: 0.5}]}")
    assert {name.key: (name.symbol.text, given) for name, given in schedule.constants.items()} == {
        "step_size[1]": ("k1", 3),
        "gamma[1]": ("γ1", TENTH),
        "step_size[2]": ("k2", 5),
        "gamma[2]": ("γ2", Fraction(1, 2)),
    }


def test_a_chain_with_a_cosine_has_no_closed_form() -> None:
    schedule = built("chained: {schedules: [exponential_lr: {gamma: 0.9}, cosine_annealing: {t_max: 9}]}")
    assert schedule.closed is None
    assert rates(schedule, TENTH, 30) == by_recursion(schedule, TENTH, 30)


# options -------------------------------------------------------------------------------------------------------------
REFUSED = {
    "step_lr: {step_size: 0}": "step_lr: step_size must be at least 1",
    "step_lr: {step_size: 2, gamma: -1}": "step_lr: gamma must be at least 0",
    "step_lr": "step_lr needs step_size",
    "multi_step_lr: {milestones: [5, 5]}": "milestones must be epochs from 1 on, each larger",
    "multi_step_lr: {milestones: []}": "milestones must be epochs from 1 on",
    "multi_step_lr: {milestones: 0}": "milestones must be epochs from 1 on",
    "multi_step_lr: {milestones: [1/2]}": "expected a whole number",
    "exponential_lr: {gamma: -1/2}": "gamma must be at least 0",
    "constant: {factor: 0}": "factor must be above 0",
    "constant: {total_iters: 0}": "total_iters must be at least 1",
    "linear: {start_factor: 0}": "start_factor must be above 0",
    "linear: {end_factor: 2}": "end_factor must be from 0 to 1",
    "polynomial: {power: -1}": "power must be at least 0",
    "cosine_annealing: {t_max: 0}": "t_max must be at least 1",
    "warm_restarts: {t_0: 1, t_mult: 0}": "t_mult must be at least 1",
    "one_cycle": "one_cycle needs max_lr",
    "one_cycle: {max_lr: 1}": "total_steps is needed, or epochs and steps_per_epoch",
    "one_cycle: {max_lr: 1, total_steps: null, epochs: 3}": "total_steps is needed",
    "one_cycle: {max_lr: 1, total_steps: 10, pct_start: 2}": "pct_start must be from 0 to 1",
    "one_cycle: {max_lr: 1, total_steps: 10, pct_start: 0.1}": "the way up would take no time",
    "one_cycle: {max_lr: 1, total_steps: 10, div_factor: 0}": "must be positive",
    "cyclic: {base_lr: 1}": "cyclic needs max_lr",
    "cyclic: {base_lr: 1, max_lr: 2, step_size_down: 0}": "step_size_down must be at least 1",
    "warm_up: {steps: 0}": "steps must be at least 1",
    "inverse_time: {decay: -1}": "decay must be at least 0",
    "noam: {warmup_steps: 0}": "warmup_steps must be at least 1",
    "reduce_on_plateau: {factor: 1}": "factor must be from 0 to below 1",
    "reduce_on_plateau: {threshold: 1}": "nothing would be better",
    "reduce_on_plateau: {patience: -1}": "patience must be at least 0",
    "sequential: {schedules: [], milestones: []}": "milestones must be one fewer",
    "sequential: {schedules: [linear, noam], milestones: []}": "milestones must be one fewer",
    "sequential: {schedules: [linear, noam], milestones: 0}": "milestones must be epochs from 1 on",
    "sequential: {schedules: [linear, reduce_on_plateau], milestones: [3]}": "cannot be combined",
    "sequential: {schedules: [linear, step_lr: {step_size: 0}], milestones: [3]}": "step_lr: step_size must be",
    "sequential: {schedules: [one_cycle: {max_lr: 1, total_steps: 5}, linear], milestones: 9}": "cannot last for 9",
    "chained: {schedules: []}": "schedules must not be empty",
    "chained: {schedules: linear}": "expected a list",
    "chained: {schedules: 3}": "expected one schedule",
    f"chained: {{schedules: [{', '.join(['cosine_annealing: {t_max: 3}'] * 14)}]}}": "too much is combined",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:70])
def test_refused(text: str) -> None:
    with pytest.raises(InputError, match=re.escape(REFUSED[text])):
        built(text)


def test_no_rates_where_there_are_no_epochs() -> None:
    cycle = built("one_cycle: {max_lr: 1, epochs: 2, steps_per_epoch: 5}")
    assert len(rates(cycle, TENTH, 10)) == 10
    with pytest.raises(ValueError, match="this schedule is made for 10 epochs"):
        rates(cycle, TENTH, 11)
    with pytest.raises(ValueError, match="has no recursion"):
        by_recursion(cycle, TENTH, 1)
    with pytest.raises(ValueError, match="epochs are counted from 0"):
        rate_function(cycle, TENTH)(-1)


@pytest.mark.parametrize("name", list(schedules))
def test_a_schedule_says_what_it_is(name: str) -> None:
    meaning = inspect.getdoc(schedules[name])
    assert meaning and (name == "warm_up" or "PyTorch: " in meaning.replace("\n", " "))


def accepts(text: str) -> bool:
    found = {
        "$defs": {"number": {"type": "number"}, "schedule": {"anyOf": entries(schedules)}},
        "$ref": "#/$defs/schedule",
    }
    return bool(jsonschema.Draft202012Validator(found).is_valid(yaml.safe_load(text)))


def test_the_json_schema_of_schedules() -> None:
    assert all(accepts(text) for text in IN_OUR_WORDS.values())
    assert (
        accepts("linear")
        and accepts("multi_step_lr: {milestones: 4}")
        and accepts("one_cycle: {max_lr: 1, epochs: null}")
    )
    refused = ("step_lr", "step_lr: {}", "step_lr: null", "chained: {schedules: linear}", "chained: {schedules: [lin]}")
    assert not any(accepts(text) for text in refused)

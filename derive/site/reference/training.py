"""Reference of optimizers, schedules and initializers: the rules of each in letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from derive.document import Block, Document, Figure, Line, Section, Step, say
from derive.formula import Formula, Symbol
from derive.initializers import GAINS, KAIMING_BOUND, KAIMING_STD, XAVIER_BOUND, XAVIER_STD, initializers
from derive.optimizers import optimizers
from derive.printers.site import Typed
from derive.schedules import schedules
from derive.site.pages import Page, Site, section, table
from derive.site.reference.entries import Taken, entry, line, part
from derive.solution import study

#: Optimizers that are shown with more than their defaults: the options of each way.
WAYS: dict[str, list[dict[str, Any]]] = {
    "sgd": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "momentum": [{"form": "pytorch"}, {"form": "ema"}, {"form": "classical"}],
    "rmsprop": [{}, {"centered": True}],
    "adam": [{}, {"amsgrad": True}],
}
#: What optimizers are given; one of them asks for the gradient elsewhere, and needs a function.
GIVEN = {"gradients": [0.1, 0.2]}
SLOPES: dict[str, dict[str, Any]] = {"nesterov": {"function": "x^2", "start": {"x": 1}, "steps": 2}}
#: Options under which schedules are drawn.
DRAWN: dict[str, dict[str, Any]] = {
    "step_lr": {"step_size": 10},
    "multi_step_lr": {"milestones": [10, 30]},
    "exponential_lr": {"gamma": 0.95},
    "cosine_annealing": {"t_max": 20},
    "warm_restarts": {"t_0": 10, "t_mult": 2},
    "one_cycle": {"max_lr": 1, "total_steps": 50},
    "cyclic": {"base_lr": 0.1, "max_lr": 1, "step_size_up": 10},
    "warm_up": {"steps": 10},
    "inverse_time": {"decay": 0.1},
    "noam": {"warmup_steps": 10},
    "sequential": {"schedules": ["constant", {"exponential_lr": {"gamma": 0.9}}], "milestones": 10},
    "chained": {"schedules": ["linear", {"cosine_annealing": {"t_max": 20}}]},
}
METRIC = [2, 1.5, 1.2, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1]
EPOCHS = 50
STD, BOUND = Symbol("σ"), Symbol("a")
#: The scale of what is drawn: its letter, and the formula.
SCALES: dict[str, tuple[Symbol, Formula]] = {
    "xavier_uniform": (BOUND, XAVIER_BOUND),
    "xavier_normal": (STD, XAVIER_STD),
    "kaiming_uniform": (BOUND, KAIMING_BOUND),
    "kaiming_normal": (STD, KAIMING_STD),
}


def pages(site: Site) -> Iterator[Page]:
    for name, made in (("optimizers", of_optimizers), ("schedules", of_schedules), ("initializers", of_initializers)):
        title = site.words.plain(f"site.reference.title.{name}")
        intro = (say(f"site.reference.intro.{name}"),)
        yield Page(f"reference/{name}.html", title, site.sheet(title, list(made(site)), intro))


def of_optimizers(site: Site) -> Iterator[Section]:
    taken = Taken()
    for name in optimizers:
        blocks: list[Block] = []
        for options in WAYS.get(name, [{}]):
            if options:
                text = ", ".join(f"{key}: {str(value).lower()}" for key, value in options.items())
                blocks.append(say("site.reference.way", options=Typed(f"{name}: {{{text}}}")))
            given: dict[str, Any] = {"optimizer": {name: options}, **SLOPES.get(name, GIVEN)}
            blocks += taken.rule(part(study("optimizer", given, lang=site.language).document, "rule"), name)
        yield entry(optimizers, name, *blocks)


def of_schedules(site: Site) -> Iterator[Section]:
    taken = Taken()
    for name in schedules:
        given: dict[str, Any] = {"schedule": {name: DRAWN.get(name, {})}, "lr": 0.1}
        given |= {"metric": METRIC} if name == "reduce_on_plateau" else {"epochs": EPOCHS}
        document = study("schedule", given, lang=site.language).document
        yield entry(schedules, name, *taken.rule(rules(document), name), *drawn(document, name))


def rules(document: Document) -> tuple[Block, ...]:
    """The rule of a schedule; of one that watches the metric, what it says of it."""
    ids = {found.id for found in document.sections}
    return part(document, "rule") if "rule" in ids else ()


def drawn(document: Document, name: str) -> Iterator[Figure]:
    for block in part(document, "plot"):
        if isinstance(block, Figure):
            yield Figure(f"{name}/rates", block.title, block.picture)


def of_initializers(site: Site) -> Iterator[Section]:
    for name in initializers:
        blocks: list[Block] = []
        if name in SCALES:
            symbol, formula = SCALES[name]
            why = say("site.reference.bound" if symbol is BOUND else "site.reference.std")
            blocks.append(Step(f"{name}/scale", say("site.reference.scale"), (why,), (scale(symbol, formula),)))
        yield entry(initializers, name, *blocks)
    rows = [(Typed(name), gain) for name, gain in GAINS.items()]
    yield section("gain", say("site.reference.gains"), table("gain/table", "gains", ("activation", "gain"), rows))


def scale(symbol: Symbol, formula: Formula) -> Line:
    return line(symbol, formula, id="scale")

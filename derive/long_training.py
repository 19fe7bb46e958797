"""`derive.train`: many training steps, the first of them worked in full."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from derive import policies
from derive.build import build
from derive.derivation import Wishes
from derive.errors import InputError
from derive.examples import resolve
from derive.language import Words
from derive.model import Model
from derive.notation import read as read_notation
from derive.schedules import Plateau, start
from derive.solution import Page, Solution, kept
from derive.spec import MAX_STEPS, Given, Spec, load
from derive.training import checkpoint
from derive.training.batches import Batches, batches
from derive.training.loop import MAX_TRAINED, Paced, Trainer


def train(
    net: Given,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    until: float | None = None,
    worked: int = 1,
    batch_size: int | None = None,
    resume: str | Path | None = None,
    form: str = "auto",
    level: str = "normal",
    lang: str = "en",
    notation: str | None = None,
    only: Sequence[str] = (),
    stage: Callable[[str], None] = lambda name: None,
    progress: Callable[[int, int], None] = lambda made, planned: None,
    **numbers: Any,
) -> Solution:
    """Many training steps, the first of them worked in full.

    net: as for `solve`; it needs numbers, a loss and an optimizer
    steps or epochs: how many (an epoch is one step for each batch) · until: a loss at which training stops earlier
    worked: how many steps are worked in full (1) · batch_size: samples of a step, in the place of the file's own
    resume: a checkpoint (`checkpoint.npz`, which `save` of the command line leaves) to go on from
    progress: is told how many of the steps are made, and how many there are
    The other arguments, and what is raised, are those of `solve`. Quantities: `L@s` is the loss before update s, for
    every recorded step; those of the last step N end in `@N`, and `L+` is the loss after it.
    """
    stage("read")
    spec = load(resolve(net))
    check_wishes(steps, epochs, until, worked, batch_size)
    model = trainable(build(replace(spec, steps=1)))
    page = Page(spec, policies.read(spec.numbers, numbers), read_notation(spec.notation, notation), Words(lang), stage)
    if page.policy.as_you_go:
        raise InputError("training is not rounded as one goes; leave that to backprop", file="round_as_you_go")
    if resume is not None:
        spec = replace(spec, start=checkpoint.load(resume, model))
        model = build(replace(spec, steps=1))
    stage("train")
    size = spec.batch_size if batch_size is None else batch_size
    every = batches(model, size, drop_last=spec.drop_last)
    many = steps or (epochs or 0) * len(every.models)
    if many > MAX_TRAINED:
        raise InputError(f"{many:,} steps, but at most {MAX_TRAINED:,} can be made", file="epochs")
    course = Trainer(every, until, paced(spec, many, every)).train(many, lambda made: progress(made, many))
    if every.several:
        model = every.at(model.steps_before + 1)
    elif min(worked, course.made) > 1 and not listens(spec):
        model = kept(replace(spec, steps=min(worked, course.made)))
    return page.solution(model, Wishes(form, level), only, course).called(net)  # type: ignore[arg-type]


def listens(spec: Spec) -> bool:
    """Whether the rates of later steps follow from losses, so that only the first step can be worked before training."""
    return spec.schedule is not None and isinstance(spec.schedule(), Plateau)


def paced(spec: Spec, steps: int, every: Batches) -> Paced | None:
    """The rates of all steps, where the file has a schedule."""
    if spec.schedule is None or spec.optimizer is None:
        return None
    schedule = spec.schedule()
    if isinstance(schedule, Plateau):
        if spec.start is not None:
            raise spec.schedule.item.error("what it has heard is not in the checkpoint: it cannot be resumed")
    elif schedule.epochs is not None and steps > schedule.epochs * len(every.models):
        raise spec.schedule.item.error(f"this schedule is made for {schedule.epochs:,} epochs, fewer than these")
    return Paced(start(schedule, spec.optimizer.in_force["lr"]), len(every.models))


def check_wishes(
    steps: int | None, epochs: int | None, until: float | None, worked: int, batch_size: int | None
) -> None:
    """Refuses what cannot be done."""
    if (steps is None) == (epochs is None):
        raise InputError("give either the number of steps or the number of epochs", file="train")
    for name, many, most in (
        ("steps", steps, MAX_TRAINED),
        ("epochs", epochs, MAX_TRAINED),
        ("worked", worked, MAX_STEPS),
    ):
        if many is not None and not 1 <= many <= most:
            raise InputError(f"expected from 1 to {most:,}, not {many:,}", file=name)
    if batch_size is not None and batch_size < 1:
        raise InputError(f"expected at least 1, not {batch_size:,}", file="batch_size")
    if until is not None and not math.isfinite(until):
        raise InputError(f"expected a number, not {until}", file="until")


def trainable(model: Model) -> Model:
    """The model, if it can be trained."""
    spec = model.spec
    if spec.loss is None:
        raise spec.item.error("training needs a loss")
    if spec.optimizer is None:
        raise spec.item.error("training needs an optimizer, such as optimizer: {sgd: {lr: 0.1}}")
    if model.missing:
        raise spec.item.error(f"training needs numbers, but {', '.join(n.id for n in model.missing)} has none")
    if not model.updated:
        raise spec.item.error("there is nothing to train: no parameter is updated")
    return model

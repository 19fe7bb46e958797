"""Mistakes in the updates: steps of gradient descent, and momentum.

O22, clipped gradients, is not here: no optimizer of derive clips them.
"""

from __future__ import annotations

from collections.abc import Iterator

from derive import formula as fm
from derive.formula import Formula, Name
from derive.homework.mistakes.base import Step, mistakes
from derive.homework.mistakes.updates import RATES, UPDATED, added, kept, moved, old, rate, velocity


# the step -------------------------------------------------------------------------------------------------------------
@mistakes("O1", *UPDATED, "v", prior=1, lesson="gradient_descent")
def ascended(step: Step) -> Iterator[Formula]:
    """w + ηg; with the rate inside the velocity, v = μv + ηg."""
    if step.kind in UPDATED:
        yield kept(step) - moved(step)
    elif step.used(*RATES) and (found := velocity(step)):
        yield found.carried - added(step)


@mistakes("O2", *UPDATED, "v", "rate", prior=1, lesson="gradient_descent")
def forgot_the_rate(step: Step) -> Iterator[Formula]:
    """w − g."""
    if rates := step.used(*RATES):
        yield step.without(*rates)
    if rates and step.kind in UPDATED:
        yield kept(step) + fm.bind(moved(step), dict.fromkeys(rates, fm.ONE))


@mistakes("O3", *UPDATED, prior=1, lesson="gradient_descent")
def gave_the_step(step: Step) -> Iterator[Formula]:
    """ηg, or −ηg."""
    yield -moved(step)
    yield moved(step)


# momentum -------------------------------------------------------------------------------------------------------------
@mistakes("O4", "buf", "s", "v", *UPDATED, prior=1, lesson="momentum")
def another_form_of_momentum(step: Step) -> Iterator[Formula]:
    """v = μv + g with w − ηv, v = μv − ηg with w + v, or v = μv + (1 − μ)g with w − ηv: another one than asked for."""
    if (eta := rate(step)) is None:
        return
    if step.kind in UPDATED:
        for v in step.used("buf", "s", "v"):
            if moved(step) in (v, -eta * v):
                yield kept(step) + v
                yield kept(step) - eta * v
    elif found := velocity(step):
        yield found.carried + found.gradient
        yield found.carried - eta * found.gradient
        yield found.carried + (1 - found.momentum) * found.gradient


@mistakes("O5", "buf", "s", "v", "m", "u", "gbar", lesson="momentum")
def forgot_what_was_remembered(step: Step) -> Iterator[Formula]:
    """v = g."""
    if (before := old(step)) and len(step.terms) > 1:
        yield step.put({before: 0})


@mistakes("O6", "buf", "s", lesson="momentum")
def dampening_used_or_omitted(step: Step) -> Iterator[Formula]:
    """(1 − τ)g or (1 − μ)g for g, or g for these."""
    if found := velocity(step):
        tau = step.named("dampening")
        factors = [] if tau is None else [1 - tau, tau]
        for factor in (*factors, 1 - found.momentum, fm.ONE):
            yield found.carried + factor * found.gradient


@mistakes("O7", *UPDATED, "d", "ahead", "g", lesson="nesterov")
def nesterov_as_classical(step: Step) -> Iterator[Formula]:
    """w − ηv; or the gradient at w instead of ahead of it."""
    if step.kind == "d":
        yield from step.used("buf")
    elif step.kind == "ahead":
        yield from step.used("theta")
    elif step.kind in UPDATED:
        yield step.put({name: within(step, name, "buf") for name in step.used("d") if within(step, name, "buf")})
    elif points := step.used("ahead"):
        yield step.put({point: within(step, point, "theta") for point in points})


def within(step: Step, name: Name, kind: str) -> Name:
    """The name of a kind in the formula behind another."""
    return next(found for found in fm.names(step.behind(name)) if step.entry_of(found).kind == kind)

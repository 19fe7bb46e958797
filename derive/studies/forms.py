"""The forms of a rule that textbooks print beside PyTorch's, and how each follows from the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from derive.document import Block, Form, Line, Step, say
from derive.formula import Formula, Symbol, bind, sqrt
from derive.graph import Node, Same
from derive.memory import Memory
from derive.studies.base import Desk
from derive.studies.descent import Course, letter_of

#: What momentum remembers, by form.
LETTERS = {"pytorch": "buf", "ema": "s", "classical": "v"}


def parallel(course: Course) -> tuple[Node, ...]:
    """Momentum in the forms that were not asked for, on the same gradients."""
    choice = course.descent.optimizer
    if choice.name != "momentum" or course.descent.state is not None or not course.general or not choice.in_force["lr"]:
        return ()
    found: list[Node] = []
    for form in LETTERS:
        if form != choice.in_force["form"]:
            options = {**choice.options, "form": form, "weight_decay": 0, "maximize": False}
            found += beside(course, Memory(replace(choice, options=options), course.theta[:1]), LETTERS[form])
    return tuple(found)


def beside(course: Course, memory: Memory, letter: str) -> Iterator[Node]:
    memory.given.clear()
    memory.options = course.options
    first = course.theta[0]
    times = [*range(1, course.steps + 1), "t"]
    for t, nodes in zip(times, (*course.lines, course.general), strict=True):
        used = used_gradient(nodes)
        memory.name = named(used, letter, str(t))
        if t == "t":
            old = memory.states[first.id][letter]
            memory.states[first.id] = {letter: Node(Same(), (old,), old.shape, f"{letter}@t−1", "state")}
        memory.made(1, first, first, memory.lr, lambda point, used=used: used)  # type: ignore[misc]
        yield memory.states[first.id][letter]
    course.given |= memory.given


def named(used: Node, letter: str, time: str) -> Callable[[str, Node, int], str]:
    """The ids of a step: its gradient is there already."""
    return lambda wanted, of, step: used.id if wanted == "g" else f"{wanted}@{time if step else 0}"


def used_gradient(nodes: tuple[Node, ...]) -> Node:
    """The gradient a step uses: with weight decay, if there is any."""
    by_letter = {letter_of(node): node for node in nodes}
    return by_letter.get("gtilde", by_letter["g"])


# what follows from what ---------------------------------------------------------------------------------------------------
def blocks(desk: Desk, course: Course) -> Iterator[Block]:
    """The form in force, and the others derived from it."""
    descent = course.descent
    options, name = descent.optimizer.in_force, descent.optimizer.name
    if "form" in options:
        yield say(f"optimizer.form.{options['form']}")
        if others := tuple(momentum_forms(desk, course, options["form"])):
            yield say("optimizer.others")
            yield from others
    if "eps_form" in options and name in ("adam", "adamw"):
        yield say(f"optimizer.eps.{options['eps_form']}")
        if course.general and options["eps_form"] == "outside" and not options["amsgrad"]:
            yield Step("forms/eps", say("step.forms.eps"), (say("optimizer.delta"),), (hatted(desk),))
    yield from (say(f"optimizer.note.{note}") for note in notes(name, options))
    if course.general and options.get("weight_decay"):
        yield from decays(desk, course)


def notes(name: str, options: Mapping[str, object]) -> Iterator[str]:
    """What is easily taken wrong about an optimizer with these options."""
    yield from (option for option in ("amsgrad", "centered", "maximize") if options.get(option))
    if name == "sgd" and options["momentum"]:
        yield "sgd_momentum"
    if name in ("adagrad", "adamw"):
        yield name


def momentum_forms(desk: Desk, course: Course, own: str) -> Iterator[Step]:
    mu, eta = desk.name("momentum"), desk.name("lr")
    in_buf: dict[str, Callable[[Formula], Formula]] = {
        "pytorch": lambda buf: buf,
        "ema": lambda buf: (1 - mu) * buf,
        "classical": lambda buf: -(eta * buf),
    }
    as_buf: dict[str, Callable[[Formula], Formula]] = {
        "pytorch": lambda buf: buf,
        "ema": lambda s: s / (1 - mu),
        "classical": lambda v: -(v / eta),
    }
    for form, letter in LETTERS.items():
        if form == own or f"{letter}@t" not in desk.node:
            continue

        def other(known: Formula, form: str = form) -> Formula:
            return in_buf[form](as_buf[own](known))

        target, before = desk.name(f"{letter}@t"), desk.name(f"{letter}@t−1")
        rule = desk.reader.formula(desk.node[f"{letter}@t"], 0, 0)
        inside = bind(rule, {before: other(desk.name(f"{LETTERS[own]}@t−1"))})
        short = other(desk.name(f"{LETTERS[own]}@t"))
        forms = tuple(Form(f, numbers=False) for f in (rule, inside, short))
        last = Line(desk.name(f"{letter}@{course.steps}"), (Form(other(desk.name(f"{LETTERS[own]}@{course.steps}"))),))
        lines = (Line(target, forms, has_value=False), last)
        yield Step(f"forms/{form}", say(f"step.forms.{form}"), (say("optimizer.same_start"),), lines)


def hatted(desk: Desk) -> Line:
    """η m̂/(√v̂ + ε) with the corrections multiplied out: what ε̂ would have to be."""
    mhat, vhat, eta, eps = (desk.name(id) for id in ("mhat@t", "vhat@t", "lr", "eps"))
    corrected = eta * mhat / (sqrt(vhat) + eps)
    m, v = desk.name("m@t"), desk.name("v@t")
    b1, b2, t = desk.name("betas1"), desk.name("betas2"), desk.name("t")
    root = sqrt(1 - b2**t)
    rate = eta * root / (1 - b1**t)
    target = desk.defined("step@t", Symbol("Δθ", sub="t"), corrected)
    return Line(target, (Form(corrected), Form(rate * m / (sqrt(v) + root * eps))), has_value=False)


def decays(desk: Desk, course: Course) -> Iterator[Step]:
    """Where weight decay goes: through the gradient, or beside the step."""
    descent, theta, eta = course.descent, desk.name("theta@t−1"), desk.name("lr")
    decay, g = desk.name("weight_decay"), desk.name("g@t")
    if (
        descent.optimizer.name == "sgd"
        and not descent.optimizer.in_force["momentum"]
        and not descent.optimizer.in_force["maximize"]
    ):
        forms = (theta - eta * (g + decay * theta), (1 - eta * decay) * theta - eta * g)
        line = Line(desk.name("theta@t"), tuple(Form(f, numbers=False) for f in forms), has_value=False)
        yield Step("forms/decay", say("step.forms.decay"), (say("optimizer.decay.same"),), (line,))
    elif descent.optimizer.name in ("adam", "adamw") and descent.optimizer.in_force["eps_form"] == "outside":
        why = (say(f"optimizer.decay.{descent.optimizer.name}"), say("optimizer.delta"))
        yield Step("forms/decay", say("step.forms.decay"), why, tuple(apart(desk)))


def apart(desk: Desk) -> Iterator[Line]:
    """The part of a step that is due to weight decay, decoupled and as L2 (for m and v as they are)."""
    theta, eta, decay = desk.name("theta@t−1"), desk.name("lr"), desk.name("weight_decay")
    vhat, eps, b1 = desk.name("vhat@t"), desk.name("eps"), desk.name("betas1")
    t = desk.name("t")
    beside = eta * decay * theta
    through = eta * ((1 - b1) * decay * theta / (1 - b1**t)) / (sqrt(vhat) + eps)
    for id, f in (("decoupled", beside), ("l2", through)):
        target = desk.defined(f"{id}@t", Symbol("Δθ", sub=f"t,{'AdamW' if id == 'decoupled' else 'L2'}"), f)
        yield Line(target, (Form(f, numbers=False),), has_value=False)


__all__ = ["blocks", "parallel"]

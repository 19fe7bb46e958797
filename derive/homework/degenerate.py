"""Numbers of an exercise under which different mistakes look the same: what the data themselves hide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from derive.homework.circuit import Circuit
from derive.ids import kind
from derive.model import Model
from derive.options import Choice

Reason = tuple[str, dict[str, object]]
CLOSE = 1e-12


def reasons(circuit: Circuit) -> list[Reason]:
    """(key of the sentence, what goes into it), of everything in the task that makes mistakes hard to see."""
    model = circuit.quantities
    if not isinstance(model, Model):
        return []
    return [reason for check in CHECKS for reason in check(circuit, model)]


def values(circuit: Circuit, id: str) -> list[float]:
    return [circuit.floats[name.key] for name in circuit.array(circuit.nodes[id]).ravel()]


def equal_weights(circuit: Circuit, model: Model) -> Iterator[Reason]:
    for node in model.parameters:
        found = values(circuit, node.id)
        if kind(node.id)[0] == "W" and len(found) > 1 and len(set(found)) < len(found):
            yield "lint.equal_weights", {"id": node.id}


def symmetric(circuit: Circuit, model: Model) -> Iterator[Reason]:
    for node in model.parameters:
        rows, columns = node.shape
        if kind(node.id)[0] != "W" or rows != columns or rows < 2:
            continue
        flat = values(circuit, node.id)
        if all(flat[i * rows + j] == flat[j * rows + i] for i in range(rows) for j in range(i)):
            yield "lint.symmetric", {"id": node.id}


def proportional_inputs(circuit: Circuit, model: Model) -> Iterator[Reason]:
    rows, columns = model.x.shape
    flat = values(circuit, "x")
    for row in range(rows):
        xs = flat[row * columns : (row + 1) * columns]
        for i, a in enumerate(xs):
            for b in xs[i + 1 :]:
                if a and b and (b / a in (0.5, 1, 2) or a / b in (0.5, 2)):
                    yield "lint.proportional_inputs", {"one": str(a), "other": str(b)}
                    return


def special_inputs(circuit: Circuit, model: Model) -> Iterator[Reason]:
    if found := sorted({x for x in values(circuit, "x") if x in (0, 1)}):
        yield "lint.special_inputs", {"numbers": ", ".join(f"{x:g}" for x in found)}


def one_output(circuit: Circuit, model: Model) -> Iterator[Reason]:
    if model.forward.output.shape[1] == 1 and len([layer for layer in model.forward.layers if layer.k]) > 1:
        yield "lint.one_output", {}


def few_samples(circuit: Circuit, model: Model) -> Iterator[Reason]:
    loss = model.forward.loss
    samples = model.x.shape[0]
    if loss is not None and loss.factor.denominator > 1 and samples <= 2:
        yield "lint.few_samples", {"number": samples}


def halves(circuit: Circuit, model: Model) -> Iterator[Reason]:
    for key, entry in circuit.entries.items():
        if entry.node.role == "activation" and abs(circuit.floats[key] - 0.5) < CLOSE:
            yield "lint.half", {"id": key}


def gates(circuit: Circuit, model: Model) -> Iterator[Reason]:
    for layer in model.forward.layers:
        for stage in layer.stages:
            if stage.name != "relu":
                continue
            found = values(circuit, stage.output.id)
            if all(a > 0 for a in found):
                yield "lint.all_active", {"id": stage.output.id}
            elif not any(found):
                yield "lint.all_dead", {"id": stage.output.id}


def masks(circuit: Circuit, model: Model) -> Iterator[Reason]:
    for mask in model.forward.masks:
        if all(value == 1 for value in values(circuit, mask.id)):
            yield "lint.all_kept", {"id": mask.id}


def rates(circuit: Circuit, model: Model) -> Iterator[Reason]:
    optimizer = model.spec.optimizer
    if optimizer is None:
        return
    rate = optimizer.in_force["lr"]
    if rate in (Fraction(1, 2), Fraction(1)):
        yield "lint.rate", {"rate": str(float(rate)) if rate != 1 else "1"}
    yield from first_steps(model, optimizer)


def first_steps(model: Model, optimizer: Choice) -> Iterator[Reason]:
    """What the first step of an optimizer with a memory cannot show."""
    options = optimizer.in_force
    if model.spec.steps == 1 and model.steps_before == 0:
        if optimizer.name in ("adam", "adamw", "nadam", "radam", "adamax"):
            yield "lint.adam_first_step", {}
        elif options.get("momentum") or optimizer.name in ("momentum", "nesterov", "rmsprop", "adagrad", "adadelta"):
            yield "lint.first_step", {"name": optimizer.name}
    betas = options.get("betas")
    if isinstance(betas, tuple) and len(betas) == 2 and betas[0] == betas[1]:
        yield "lint.equal_betas", {}
    if optimizer.name == "sgd" and options.get("weight_decay") and not options.get("momentum"):
        yield "lint.plain_decay", {}


CHECKS: tuple[Callable[[Circuit, Model], Iterator[Reason]], ...] = (
    proportional_inputs,
    special_inputs,
    equal_weights,
    symmetric,
    one_output,
    few_samples,
    halves,
    gates,
    masks,
    rates,
)

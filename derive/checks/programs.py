"""The training program: its worked steps against the page, its last step against the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from derive.algebra import FLOATS, Value, evaluate
from derive.checks.differences import conditions
from derive.checks.errors import Errors
from derive.document import Say, Witness, say
from derive.graph import Node, topological
from derive.ids import after, timed, untimed
from derive.model import Iteration, Model
from derive.ops.base import Elementwise
from derive.tensor import Floats
from derive.training.loop import Course, Mark, Trainer, last_step
from derive.values import Values

TOLERANCE = 1e-7
ROUNDING = 1e-11  # of the numbers around an argument: what roundings may move it by
NOISE = 1e-9  # a gradient so small beside the largest may be rounding alone, and so is the direction of its step


def programs(model: Model, values: Values, course: Course) -> Iterator[Witness]:
    """Every worked step made again from the numbers before it, and the last step from the numbers before that."""
    trainer = Trainer(course.batches, schedule=course.schedule, kind=course.kind)
    first = [p.id for p in model.iterations[0].parameters]
    errors, before, kinks = Errors(), trainer.start, 0
    for iteration in model.iterations:
        reached = trainer.advance(Mark(before, iteration.number - 1), iteration.number)[0].numbers
        theirs = {node: values.floats[id] for id, node in values.nodes.items()}
        if at_kink(iteration, theirs):
            kinks += 1
        else:
            compare(errors, iteration, reached, theirs)
        now = dict(zip(first, iteration.parameters, strict=True))
        ends = {id: timed(id, iteration.number) for id in reached if id not in first}
        ends |= {id: iteration.updated[now[id]].id for id in reached if id in first}
        ends |= {node.id: timed(after(node.id), iteration.number) for node in model.iterations[0].forward.running}
        before = {id: np.asarray(values.floats[end], dtype=float) for id, end in ends.items()}
    yield errors.witness("program", "page", TOLERANCE, noted(kinks))
    errors, kinks = Errors(), 0
    last = last_step(course)
    if at_kink(last.iteration, last.values):
        kinks = 1
    else:
        compare(errors, last.iteration, course.end, last.values)
    yield errors.witness("last_step", timed("L", course.made), TOLERANCE, noted(kinks))


def noted(kinks: int) -> Say | None:
    return say("witness.rounded_kinks", count=kinks) if kinks else None


def at_kink(iteration: Iteration, values: Mapping[Node, Value]) -> bool:
    """Whether a rounding could put some argument of a function on the other side of a kink."""
    assert iteration.forward.loss is not None
    for node in topological(iteration.forward.loss.total, known=iteration.parameters):
        if not isinstance(node.op, Elementwise) or not all(source in values for source in node.inputs):
            continue
        given = [np.asarray(values[source], dtype=float) for source in node.inputs]
        reach = ROUNDING * max(1.0, *(float(np.max(np.abs(array), initial=0.0)) for array in given))
        for when in conditions(node.op.body):
            sides = (
                evaluate(when, dict(zip(node.op.parameters, moved, strict=True)).__getitem__, FLOATS)
                for moved in ([array + push for array in (given[0],)] + given[1:] for push in (-reach, 0.0, reach))
            )
            below, here, above = (np.asarray(side) for side in sides)
            if (below != here).any() or (here != above).any():
                return True
    return False


def compare(errors: Errors, iteration: Iteration, ours: Mapping[str, Floats], theirs: Mapping[Node, Value]) -> None:
    """The parameters after a step, where their gradient is more than rounding."""
    gradients = {p: np.abs(np.asarray(theirs[iteration.gradient[p]], dtype=float)) for p in iteration.updated}
    largest = max(float(gradient.max()) for gradient in gradients.values())
    for parameter, updated in iteration.updated.items():
        found = np.asarray(theirs[updated], dtype=float)
        known = gradients[parameter] > NOISE * largest
        if known.any():
            mine = ours[untimed(parameter.id)]
            before = np.asarray(theirs[parameter], dtype=float)  # what cancels leaves the roundings of the larger
            size = max(float(np.max(np.abs(array))) for array in (found, before))
            errors.compare(mine[known], found[known], max(1e-300, size))

"""The training program: its worked steps against the page, its last step against the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from derive.algebra import Value
from derive.checks.errors import Errors
from derive.document import Witness
from derive.graph import Node
from derive.ids import timed, untimed
from derive.model import Iteration, Model
from derive.tensor import Floats
from derive.training.loop import Course, Mark, Trainer, last_step
from derive.values import Values

TOLERANCE = 1e-7
NOISE = 1e-9  # a gradient so small beside the largest may be rounding alone, and so is the direction of its step


def programs(model: Model, values: Values, course: Course) -> Iterator[Witness]:
    """Every worked step made again from the numbers before it, and the last step from the numbers before that."""
    trainer = Trainer(course.batches, schedule=course.schedule, kind=course.kind)
    first = [p.id for p in model.iterations[0].parameters]
    errors, before = Errors(), trainer.start
    for iteration in model.iterations:
        reached = trainer.advance(Mark(before, iteration.number - 1), iteration.number)[0].numbers
        compare(errors, iteration, reached, {node: values.floats[id] for id, node in values.nodes.items()})
        now = dict(zip(first, iteration.parameters, strict=True))
        ends = {id: timed(id, iteration.number) for id in reached if id not in first}
        ends |= {id: iteration.updated[now[id]].id for id in reached if id in first}
        before = {id: np.asarray(values.floats[end], dtype=float) for id, end in ends.items()}
    yield errors.witness("program", "page", TOLERANCE)
    errors = Errors()
    last = last_step(course)
    compare(errors, last.iteration, course.end, last.values)
    yield errors.witness("last_step", timed("L", course.made), TOLERANCE)


def compare(errors: Errors, iteration: Iteration, ours: Mapping[str, Floats], theirs: Mapping[Node, Value]) -> None:
    """The parameters after a step, where their gradient is more than rounding."""
    gradients = {p: np.abs(np.asarray(theirs[iteration.gradient[p]], dtype=float)) for p in iteration.updated}
    largest = max(float(gradient.max()) for gradient in gradients.values())
    for parameter, updated in iteration.updated.items():
        found = np.asarray(theirs[updated], dtype=float)
        known = gradients[parameter] > NOISE * largest
        if known.any():
            mine = ours[untimed(parameter.id)]
            errors.compare(mine[known], found[known], max(1e-300, float(np.max(np.abs(found)))))

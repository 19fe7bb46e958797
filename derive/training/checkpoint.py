"""Where training stopped, as an .npz file: parameters, what the optimizer remembers of them, the number of steps."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from derive.arrays import unpacked
from derive.errors import InputError, nearest
from derive.model import Model
from derive.spec import Start
from derive.tensor import Tensor
from derive.training.loop import MAX_STEPS_EVER, Course
from derive.training.program import state_of

FILE = "checkpoint.npz"
STEPS, OPTIMIZER = "steps", "optimizer"


def save(course: Course) -> bytes:
    """The file's content."""
    model = course.batches.whole
    assert model.spec.optimizer is not None
    arrays = {p.id: model.given[p].value for p in model.carried} | course.end
    content = io.BytesIO()
    name = np.frombuffer(model.spec.optimizer.name.encode(), dtype=np.uint8)
    np.savez(
        content, allow_pickle=False, **{STEPS: np.array(course.steps_before + course.made), OPTIMIZER: name}, **arrays
    )
    return content.getvalue()


def load(path: str | Path, model: Model) -> Start:
    """Where to go on, checked against the network: every number is there, in its shape."""

    def error(problem: str) -> InputError:
        return InputError(problem, file=str(path))

    if not Path(path).is_file():
        raise error("this is no file" if Path(path).exists() else "no such file")
    arrays = unpacked(Path(path), "this", error)
    if STEPS not in arrays or OPTIMIZER not in arrays:
        raise error("this is no checkpoint of derive train")
    steps, name = arrays.pop(STEPS), arrays.pop(OPTIMIZER)
    if steps.shape != () or steps.dtype.kind not in "iu" or not 0 < int(steps) <= MAX_STEPS_EVER:
        raise error("the number of steps is damaged")
    assert model.spec.optimizer is not None
    own = model.spec.optimizer.name
    if name.dtype != np.uint8 or name.tobytes() != own.encode():
        raise error(f"this checkpoint is not of the optimizer {own}")
    parameters = {p.id: p.shape for p in model.carried}
    _, states = state_of(model)
    wanted = parameters | states
    for id in arrays:
        if id not in wanted:
            raise error(f"array '{id}' belongs to nothing in this network.{nearest(id, wanted)}")
    tensors = {}
    for id, shape in wanted.items():
        if id not in arrays:
            raise error(f"array '{id}' is missing")
        array = arrays[id]
        if array.dtype != np.float64:
            raise error(f"array '{id}' does not hold float64 numbers")
        if array.shape != shape:
            raise error(f"array '{id}' has shape {array.shape}, but {id} has {shape}")
        if not np.isfinite(array).all():
            raise error(f"array '{id}' holds NaN or infinity")
        if id.startswith("running_var") and (array.astype(float) < 0).any():
            raise error(f"array '{id}' must not be negative")
        tensors[id] = Tensor.drawn(np.array(array, dtype=float))
    return Start({id: tensors[id] for id in parameters}, {id: tensors[id] for id in states}, int(steps))

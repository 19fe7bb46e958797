"""Mini-batches: the samples in the order of the file, so many at a time, each batch a model of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from derive.build import build
from derive.model import Model
from derive.source import Item
from derive.spec import Spec, Start
from derive.tensor import Tensor
from derive.training.program import state_of

MOST_BATCHES = 10_000


@dataclass(frozen=True)
class Batches:
    """The models of the batches, over the parameters of the model of all samples, and that model."""

    whole: Model
    models: tuple[Model, ...]

    def at(self, t: int) -> Model:
        """The batch of step t, counted with those made before: after the last batch comes the first."""
        return self.models[(t - 1) % len(self.models)]

    @property
    def several(self) -> bool:
        return self.models[0] is not self.whole


def batches(whole: Model, size: int | None, *, drop_last: bool = False) -> Batches:
    """The batches of a model; without a size, or with one that takes in all samples, it is the only one."""
    spec, samples = whole.spec, whole.x.shape[0]
    if size is None or size >= samples:
        return Batches(whole, (whole,))
    remembered, _ = state_of(whole)
    parameters = {p.id: whole.given[p] for p in whole.carried}
    begun = spec.state is not None or spec.start is not None
    states = {id: Tensor.drawn(value) for id, value in remembered.items()} if begun else {}
    start = Start(parameters, states, whole.steps_before)
    places = [(low, min(low + size, samples)) for low in range(0, samples, size)]
    if drop_last and samples % size:
        places.pop()
    if len(places) > MOST_BATCHES:
        raise spec.item.error(f"more than {MOST_BATCHES:,} batches")
    if whole.masks_drawn and spec.drawing.generator == "torch" and len({high - low for low, high in places}) > 1:
        raise spec.item.error("with PyTorch's generator and dropout all batches must have the same size: drop_last")
    models = (build(cut(spec, whole, low, high, start)) for low, high in places)
    return Batches(whole, tuple(replace(model, random=whole.random) for model in models))


def cut(spec: Spec, whole: Model, low: int, high: int, start: Start) -> Spec:
    """The file as it would be with some of its samples."""
    return replace(
        spec,
        samples=high - low,
        inputs=rows(whole.given[whole.x], low, high),
        targets=None if spec.targets is None else part(spec.targets, low, high),
        arrays={id: rows(array, low, high) if id in ("x", "t") else array for id, array in spec.arrays.items()},
        labels={id: item for id, item in spec.labels.items() if id[0] in "Wb"},
        start=start,
        steps=1,
    )


def rows(tensor: Tensor, low: int, high: int) -> Tensor:
    return Tensor(tensor.value[low:high], tensor.exact[low:high], tensor.text[low:high])


def part(item: Item, low: int, high: int) -> Item:
    return replace(item, value=item.value[low:high]) if isinstance(item.value, list) else item

"""The author's own names: for whole quantities (`b1`) and for entries (`w5`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from derive.contract import Contract
from derive.errors import nearest
from derive.formula import entry
from derive.graph import Node
from derive.options import text
from derive.source import Item
from derive.spec import Spec


def indices(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All indices of a quantity of this contract shape, counted from 1, in reading order."""
    found: list[tuple[int, ...]] = [()]
    for size in shape:
        found = [(*index, i) for index in found for i in range(1, size + 1)]
    return found


@dataclass(frozen=True)
class Labels:
    """label -> id for whole quantities, label -> (id, index) for entries, and back."""

    whole: dict[str, str] = field(default_factory=dict)
    entries: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, spec: Spec, nodes: Sequence[Node], contract: Contract) -> Labels:
        labels = cls()
        shapes = {node.id: contract.shape(node) for node in nodes}
        for id, item in spec.labels.items():
            if id not in shapes:
                raise item.at_key().error(f"labels: there is no quantity '{id}'.{nearest(id, shapes)}")
            labels.take(id, item, shapes[id])
        return labels

    def take(self, id: str, item: Item, shape: tuple[int, ...]) -> None:
        found = list(flattened(item))
        places = indices(shape)
        if len(found) == 1 and not isinstance(item.value, list) and shape != ():
            self.add(id, (), found[0])
            return
        if len(found) != len(places):
            raise item.error(f"{len(found)} labels for the {len(places)} entries of {id}")
        for index, part in zip(places, found, strict=True):
            self.add(id, index, part)

    def add(self, id: str, index: tuple[int, ...], item: Item) -> None:
        label = text(item).strip()
        if not label:
            raise item.error("an empty label")
        if label.endswith("+"):
            raise item.error(f"label '{label}': + at the end marks a value after the update")
        if label in self.whole or label in self.entries:
            raise item.error(f"label '{label}' is used twice")
        if index:
            self.entries[label] = (id, index)
        else:
            self.whole[label] = id
        self.of[entry(id, index)] = label

    def find(self, name: str) -> tuple[str, tuple[int, ...]]:
        """(id, index) behind a label, also inside `dL/d…`, with a + or a step after it; an unknown name as it is."""
        name, at, step = name.partition("@")
        before, inside = ("dL/d", name[4:]) if name.startswith("dL/d") else ("", name)
        plain = inside.removesuffix("+")
        after = inside[len(plain) :]
        if plain in self.entries:
            id, index = self.entries[plain]
            return before + id + after + at + step, index
        return before + self.whole.get(plain, plain) + after + at + step, ()


def flattened(item: Item) -> list[Item]:
    if isinstance(item.value, dict):
        raise item.error("labels are texts or lists of texts")
    if not isinstance(item.value, list):
        return [item]
    return [leaf for part in item.value for leaf in flattened(part)]

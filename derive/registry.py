"""Tables of named things: activations, layers, losses, optimizers, initializers, examples.

A decorated function is an entry under its own name; its keyword-only arguments are its options in net.yaml. PyTorch's
class name, where it differs from the snake_case name, is an alias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T", bound=Callable[..., object])


class Registry(Generic[T]):
    """A table from names to functions, in the order in which they were defined."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}
        self._aliases: dict[str, str] = {}

    def __call__(self, *aliases: str) -> Callable[[T], T]:
        def register(function: T) -> T:
            name = function.__name__.rstrip("_")
            assert name not in self._entries, f"{self.kind} {name!r} is defined twice"
            self._entries[name] = function
            self._aliases.update(dict.fromkeys(aliases, name))
            return function

        return register

    def __getitem__(self, name: str) -> T:
        return self._entries[self.canonical(name)]

    def __contains__(self, name: str) -> bool:
        return name in self._entries or name in self._aliases

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def include(self, other: Registry[T]) -> None:
        """All entries of another table as well."""
        self._entries.update(other._entries)
        self._aliases.update(other._aliases)

    def canonical(self, name: str) -> str:
        """The snake_case name behind an alias."""
        return self._aliases.get(name, name)

    def title(self, name: str) -> str:
        """The name as it is written in text: ReLU and LeakyReLU as PyTorch writes them, sigmoid and tanh as they are."""
        spelled = (a for a, of in self._aliases.items() if of == name and a.casefold() == name.replace("_", ""))
        return next((alias for alias in spelled if not alias[1:].islower()), name)

    @property
    def known(self) -> list[str]:
        """All names that are understood, aliases last."""
        return [*self._entries, *self._aliases]

"""What is raised for an answer that cannot be read."""

from __future__ import annotations

from derive.errors import InputError


class Unreadable(InputError):
    """A number or a formula that cannot be read: what is wrong, what was probably meant.

    column: 1-based, in the answer as it was written; None where it is the whole
    """

    def __init__(self, problem: str, column: int | None = None) -> None:
        super().__init__(problem, column=column)

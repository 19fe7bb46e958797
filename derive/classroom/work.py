"""What an executor runs: one task, carried to a process that may be killed, on whichever machine this is.

So every engine, a cluster's too, has the same limits: they hold for the process below its worker, never for the worker.
"""

from __future__ import annotations

import atexit
import threading
from typing import Any

from derive.classroom.killable import Ended, Killable, Limits
from derive.classroom.task import Grader, Plain, answer, fingerprint, grader_of, guarded, problem, ready


class Stable:
    """The processes of this worker that wait for a task; those of another assignment are let go."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.key = ""
        self.idle: list[Killable] = []
        self.busy: set[Killable] = set()

    def take(self, prepared: Plain, limits: Limits) -> Killable:
        """One that is ready; Ended where it cannot be made ready."""
        key = f"{fingerprint(prepared)} {limits}"
        with self.lock:
            others, self.idle, self.key = (self.idle, [], key) if key != self.key else ([], self.idle, key)
            self.busy = {one for one in self.busy if one.process.returncode is None}  # of the dead nobody tells
            taken = self.idle.pop() if self.idle else None
            if taken is not None:
                self.busy.add(taken)
        for other in others:
            other.kill()
        if taken is None:
            taken = Killable(prepared, limits, self.started)
        return taken

    def started(self, process: Killable) -> None:
        with self.lock:
            self.busy.add(process)

    def give_back(self, used: Killable, prepared: Plain, limits: Limits) -> None:
        with self.lock:
            self.busy.discard(used)
            wanted = self.key == f"{fingerprint(prepared)} {limits}"
            if wanted:
                self.idle.append(used)
        if not wanted:
            used.kill()

    def close(self) -> None:
        """Ends all of them, at whatever they are."""
        with self.lock:
            idle, self.idle = self.idle, []
            for process in self.busy:  # who waits for its answer cleans up behind it
                process.process.kill()
            self.busy.clear()
        for process in idle:
            process.kill()


stable = Stable()
atexit.register(stable.close)


def carry(prepared: Plain, limits: Limits, task: Plain | None) -> dict[str, Any]:
    """The answer to a task, from a process of its own; without a task, what the process says when it is ready."""
    try:
        process = stable.take(prepared, limits)
    except Ended as end:  # no fault of the submission
        return problem("engine", end.answer["problem"])
    try:
        found = process.first if task is None or "problem" in process.first else process.ask(task)
    except Ended as end:
        return end.answer
    stable.give_back(process, prepared, limits)
    return found


_here = threading.Lock()
_graders: dict[str, Grader] = {}


def work_here(prepared: Plain, limits: Limits, task: Plain | None) -> dict[str, Any]:
    """The same in this very process, one task at a time (the precision of mpmath is one for all threads), without limits."""

    def do() -> dict[str, Any]:
        key = fingerprint(prepared)
        if key not in _graders:
            _graders.clear()
            _graders[key] = grader_of(prepared)
        return ready(_graders[key]) if task is None else answer(_graders[key], task)

    with _here:
        return guarded(do)

"""A process that does one task after another, and is ended if one takes too long.

A pool of a library would do where derive runs alone. But tasks are also carried by other engines, whose workers may be
daemons, which Python's `multiprocessing` allows no children, and whose own processes must not be limited or killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from derive.classroom.task import Plain, problem

PREPARING = 120.0  # seconds, wall and processor, in which a network is made ready
#: One thread each: the processes are the parallelism, and every thread of a library takes address space.
SINGLE = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Limits:
    """What one submission may take. wall, cpu: seconds · memory: bytes of address space"""

    wall: float = 20.0
    cpu: int = 10
    memory: int = 2**30


class Ended(Exception):
    """The process is gone. answer: why, as the answer to the task it was at"""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer["problem"])
        self.answer = answer


class Killable:
    """A process, made ready to mark; `first` is its first answer. Raises Ended where that is its last.

    started: told of the process at once, to end it whatever it is at
    """

    def __init__(self, prepared: Plain, limits: Limits, started: Callable[[Killable], object]) -> None:
        self.limits = limits
        # -P: a file called numpy.py in the folder of the submissions is not to be imported
        command = [sys.executable, "-P", "-m", "derive.classroom.child", str(limits.memory), str(limits.cpu)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("DERIVE_DEBUG") else subprocess.DEVNULL,
            env=environment(),
            process_group=0 if os.name == "posix" else None,  # Ctrl-C is ours
        )
        self.overdue = False
        started(self)
        self.first = self.ask({**prepared, "seconds": int(PREPARING)}, PREPARING)

    def ask(self, task: Plain, wall: float | None = None) -> dict[str, Any]:
        """The answer to a task, or Ended: when the time was up, or when it ended by itself."""
        timer = threading.Timer(wall or self.limits.wall, self.give_up)
        timer.daemon = True
        timer.start()
        try:
            answer = self.exchange(json.dumps(task).encode() + b"\n")
        finally:
            timer.cancel()
            timer.join()
        if self.overdue or not answer.endswith(b"\n"):
            self.kill()
            raise Ended(self.reason())
        found: dict[str, Any] = json.loads(answer)
        return found

    def exchange(self, line: bytes) -> bytes:
        """A line there and a line back; nothing if the process ends meanwhile."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line)
            self.process.stdin.flush()
        return self.process.stdout.readline()

    def give_up(self) -> None:
        self.overdue = True
        self.process.kill()

    def reason(self) -> dict[str, Any]:
        """Why a process ended."""
        code = self.process.returncode
        if self.overdue:
            return problem("timeout")
        if code == -getattr(signal, "SIGXCPU", 0):
            return problem("cpu")
        return problem("died", signal.Signals(-code).name if code < 0 else str(code))

    def kill(self) -> None:
        """Ends it, and leaves nothing behind."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def environment() -> dict[str, str]:
    """Of the process: this derive is the one it finds, and libraries start no threads."""
    path = os.environ.get("PYTHONPATH", "")
    here = str(Path(__file__).parents[2])
    return {**os.environ, **dict.fromkeys(SINGLE, "1"), "PYTHONPATH": os.pathsep.join([here, *filter(None, [path])])}

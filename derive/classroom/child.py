"""The process in which submissions are marked: a line of JSON in, a line of JSON out, under the system's own limits.

It talks in JSON and not in pickles: what comes out of a process that has read a hostile file is data, never code.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import BinaryIO

from derive.classroom.task import answer, grader_of, guarded, ready


def main() -> None:
    """Answers tasks until there are no more."""
    memory, cpu = int(sys.argv[1]), int(sys.argv[2])
    replies = private_output()
    limit("RLIMIT_AS", memory)
    limit("RLIMIT_CORE", 0)
    grader = None
    for line in sys.stdin.buffer:
        task = json.loads(line)
        if grader is None:
            limit_time(task.pop("seconds"))

            def prepare() -> dict[str, object]:
                nonlocal grader
                grader = grader_of(task)  # noqa: B023, called at once
                return ready(grader)

            reply = guarded(prepare)
            limit("RLIMIT_FSIZE", 0)  # templates and modules were compiled before, and may be kept
        else:
            limit_time(cpu)
            reply = guarded(lambda: answer(grader, task))  # noqa: B023, called at once
        replies.write(json.dumps(reply, allow_nan=False).encode() + b"\n")
        replies.flush()


def private_output() -> BinaryIO:
    """Standard output, for answers alone: whatever else is printed goes to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def limit(kind: str, most: int) -> None:
    """A limit of this process, by its POSIX name; where the system has no such limit, the wall limit remains."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has none, macOS the first by name only
        import resource

        resource.setrlimit(getattr(resource, kind), (most, most))


def limit_time(seconds: int) -> None:
    """So many seconds of processor time from now; then the system ends the process."""
    with contextlib.suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        until = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()

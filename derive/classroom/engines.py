"""Who does the work: any executor of the kind of `concurrent.futures`, by name.

processes:          this machine; every submission in a process that may be killed (the default)
threads:            this very process: no limits of time or memory, nothing can be killed; to look into a fault
module:Class:       any class with `submit` and `shutdown`, made with `max_workers`
dask://host:port:   the workers of a running Dask cluster, on which derive is installed

But for `threads`, a task starts a process of its own wherever it runs, and that is what is limited and killed. What
cannot be killed is the engine itself: a machine that disappears costs as long as its engine takes to notice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from derive.classroom.killable import Limits
from derive.classroom.task import Plain, problem
from derive.classroom.work import carry, stable, work_here
from derive.errors import InputError, nearest

LOCAL = ("processes", "threads")
AHEAD = 2  # tasks for each worker that are handed over at a time: the others need no memory yet
ANSWERS_WITHIN = 10.0  # seconds in which a cluster answers, if there is one
Worker = Callable[[Plain, Limits, "Plain | None"], dict[str, Any]]
K = TypeVar("K")


@dataclass(frozen=True)
class Engine:
    """An executor with what every task needs. width: how many tasks it does at a time"""

    executor: Executor
    width: int
    prepared: Plain
    limits: Limits
    worker: Worker = carry

    def ready(self) -> dict[str, Any]:
        """What a worker says when it is ready."""
        return settled(self.submit(None))

    def submit(self, task: Plain | None) -> Future[dict[str, Any]]:
        return self.executor.submit(self.worker, self.prepared, self.limits, task)

    def answers(self, tasks: Iterable[tuple[K, Plain]]) -> Iterator[tuple[K, dict[str, Any]]]:
        """Every answer with the key of its task, as they come."""
        running: dict[Future[dict[str, Any]], K] = {}
        for key, task in tasks:
            running[self.submit(task)] = key
            if len(running) >= AHEAD * self.width:
                yield from done(running)
        while running:
            yield from done(running)


def done(running: dict[Future[dict[str, Any]], K]) -> Iterator[tuple[K, dict[str, Any]]]:
    """Those that are done, taken from those that are running; waits for one at least."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        yield running.pop(future), settled(future)


def settled(future: Future[dict[str, Any]]) -> dict[str, Any]:
    """The answer; where the engine lost the task, that it did."""
    try:
        return future.result()
    except Exception as error:
        return problem("engine", f"{type(error).__name__}: {str(error)[:200]!r}")


@contextmanager
def engine(name: str, jobs: int | None, prepared: Plain, limits: Limits) -> Iterator[Engine]:
    """The engine of this name; InputError where there is none. jobs: workers; default one for each processor"""
    width = jobs or processors()
    if name in LOCAL:
        with local(name, width) as executor:
            yield Engine(executor, width, prepared, limits, carry if name == "processes" else work_here)
    elif name.startswith("dask://"):
        with dask(name) as (executor, width):
            yield Engine(executor, width, prepared, limits)
    else:
        executor = foreign(name)(max_workers=width)
        try:
            yield Engine(executor, width, prepared, limits)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
            stable.close()  # an executor of threads keeps its processes here


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def local(name: str, width: int) -> Iterator[Executor]:
    """Threads: each waits for a process, or does the work itself."""
    executor = ThreadPoolExecutor(width, thread_name_prefix="derive")
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        stable.close()
        executor.shutdown(wait=True)
        stable.close()


@contextmanager
def dask(address: str) -> Iterator[tuple[Executor, int]]:
    """The executor of a Dask cluster, and how many tasks its workers do at a time."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError("Dask is missing: pip install 'derive-backprop[dask]'", file="--executor") from None
    try:
        client = Client(address.replace("dask://", "tcp://", 1), timeout=ANSWERS_WITHIN, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask cluster answers at {address}: {type(error).__name__}", file="--executor") from None
    with client:
        width = sum(client.nthreads().values())
        if not width:
            raise InputError(f"the Dask cluster at {address} has no workers", file="--executor")
        executor = client.get_executor(pure=False)
        try:
            yield executor, width
        finally:
            executor.shutdown(wait=False)


def foreign(name: str) -> Callable[..., Executor]:
    """The class behind `module:Class`."""
    module, colon, attribute = name.partition(":")
    if not colon:
        hint = nearest(name, LOCAL)
        raise InputError(
            f"no executor '{name}': processes, threads, dask://host:port or module:Class.{hint}", file="--executor"
        )
    try:
        found: Callable[..., Executor] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"no executor '{name}': {error}", file="--executor") from None
    return found

"""What all engines have in common, and running a program under limits."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from derive.errors import InputError

SECONDS = 300  # that a program may take


class Engine(ABC):
    """Something that sets pages. name: for people · reads: the format it reads"""

    name: ClassVar[str]
    reads: ClassVar[str]

    @abstractmethod
    def missing(self) -> str:
        """What to install, where the engine is not there."""

    def sets(self, source: str) -> bool:
        """Whether it can set this text."""
        return True

    def families(self, fonts: Sequence[Path]) -> list[str]:
        """The families in files and folders of fonts. InputError where the engine takes no fonts."""
        if fonts:
            raise InputError(f"{self.name} has its own fonts; --pdf-engine typst takes others", file="--font")
        return []

    @abstractmethod
    def pdf(self, source: str, fonts: Sequence[Path] = ()) -> bytes:
        """The pages. InputError where the text cannot be set."""


def on_path(names: Sequence[str]) -> str | None:
    """The first of some programs that is installed."""
    return next(filter(None, map(shutil.which, names)), None)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Runs a program in a folder; the exit code. It is ended, with all that it started, when its time is up."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=os.name == "posix",
    )
    try:
        return process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        raise InputError(f"{Path(command[0]).name} took longer than {SECONDS} seconds", file="--pdf-engine") from None
    finally:
        if process.poll() is None:
            ended(process)


def ended(process: subprocess.Popen[bytes]) -> None:
    """Ends a program, where it can be done with those that it started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()

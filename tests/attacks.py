"""Runs the corpus of hostile input in this process, under limits, and reports what became of every item.

`python tests/attacks.py` prints one JSON object a line: number, entry, outcome, message, CPU seconds, and what the item
made Python do that reading never does. To let another reader face the corpus, add it to READERS under the name that
`entries` gives it in tests/cases/attacks.yaml.
"""

from __future__ import annotations

import difflib  # noqa: F401 (loaded before the clock runs)
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml
from records import recorded

from derive.errors import InputError
from derive.homework.assignment import Assignment
from derive.homework.reading import parse, read_number
from derive.homework.symbols import closed_form, parse_formula
from derive.source import load

CORPUS = Path(__file__).parent / "cases" / "attacks.yaml"
MEMORY = 1024**3
CPU_SECONDS = 20
SLOW = 0.05
#: Events of `sys.addaudithook` that no reader has a reason to cause.
FORBIDDEN = ("os.", "subprocess.", "socket.", "ctypes.", "shutil.", "exec", "compile", "marshal.", "pickle.")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
SPOOL = Path("item")


def read_file(kind: str, given: str | bytes) -> bool:
    """Whether any answer of the file can be read; bytes take the way of a file."""
    text = given if isinstance(given, str) else load(given.decode("latin-1"))[0]
    found = [answer for submission in parse(text, "file", kind) for answer in submission.answers]
    readable = 0
    for answer in found:
        assert_harmless("".join((answer.step, answer.value or "", answer.formula or "")))
        with suppress(InputError):
            readable += bool(not answer.problem and answer.value and read_number(answer.value))
    return readable > 0


def assert_harmless(text: str) -> None:
    """No text of a submission holds a control, a surrogate or what turns the direction of others."""
    assert not any(
        char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff" or char in "\u202e\u2066"
        for char in text
    )


@cache
def exercise() -> Assignment:
    return Assignment.load("mazur")


def read_formula(text: str) -> str:
    """How equal a formula is to two of the exercise; read as a closed form as well."""
    circuit, judge = exercise().circuit, exercise().marker.judge
    with suppress(InputError):
        closed_form(text, circuit.names)
    formula = parse_formula(text, circuit.names)
    return " ".join(judge.compare(formula, key).level for key in ("z1[1]", "dL/dW1[1,1]"))


#: Readers by the name of their entry: false if what was read has no answer that can be marked.
READERS: dict[str, Callable[[Any], object]] = {
    "number": read_number,
    "formula": read_formula,
    **{kind: partial(read_file, kind) for kind in ("yaml", "json", "toml", "csv", "markdown")},
}


def cases() -> Any:
    """The corpus; it has half characters, which libyaml refuses."""
    return recorded(CORPUS, yaml.SafeLoader)


def items() -> Iterator[tuple[int, str, str, str | bytes]]:
    """(number, entry, expected outcome, input) of every item that has a reader."""
    for case in cases():
        for entry in case["entries"]:
            for given in case["inputs"]:
                if entry in READERS:
                    yield case["number"], entry, case["expect"], made(given)


def made(given: str | dict[str, Any]) -> str | bytes:
    if isinstance(given, str):
        return given
    if "hex" in given:
        return bytes.fromhex(given["hex"])
    before, again, times, after = given["repeat"]
    return str(before + again * times + after)


def outcome(read: Callable[[Any], object], given: str | bytes) -> tuple[str, str]:
    """(what became of it, message)."""
    try:
        return ("read", "") if read(given) else ("unreadable", "")
    except InputError as error:
        return "refused", str(error)
    except BaseException as error:
        return type(error).__name__, str(error)[:200]


def main() -> None:
    """Read everything, whatever becomes of the one before."""
    for warm in ("answers: {a: 1}\nscore: 1", 'answers: {a: "\\e"}'):  # what is imported when first needed
        outcome(READERS["yaml"], warm)
    for warm in ("nothing", "x1/3 + sqrt(2) + erf(w1)", "(x1)", "max(x1, 0)", "w1*x1 + w2*x2 + b1 + x1 - x1"):
        outcome(READERS["formula"], warm)
    corpus = list(items())
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    done: list[str] = []
    watching = False

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if watching and (event.startswith(FORBIDDEN) or (event == "open" and args[2] & WRITING)):
            done.append(event)

    sys.addaudithook(hook)
    for number, entry, expected, given in corpus:
        if isinstance(given, bytes):
            SPOOL.write_bytes(given)
        done.clear()
        watching = True
        seconds = float("inf")
        for _ in range(3):  # others compute here too: the best of three, where one was slow
            if seconds > SLOW:
                started = time.process_time()
                became, message = outcome(READERS[entry], str(SPOOL).encode() if isinstance(given, bytes) else given)
                seconds = min(seconds, time.process_time() - started)
        watching = False
        SPOOL.unlink(missing_ok=True)
        report = {"number": number, "entry": entry, "given": repr(given)[:60], "expected": expected, "became": became}
        print(json.dumps({**report, "message": message, "seconds": seconds, "did": done}), flush=True)


if __name__ == "__main__":
    main()

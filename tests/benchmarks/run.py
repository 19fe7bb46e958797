#!/usr/bin/env python3
"""Benchmarks, as ratios to floors that are measured in the same run:  python tests/benchmarks/run.py

Whole processes count from start to end; commands take turns, after one run of each that does not count, and medians are
compared. The exit code is 1 where a target is missed. `--runs` sets the number of turns.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import BROWSERS  # noqa: E402 (found through the line above)

DERIVE = ("-c", "from derive.cli import main; main()")
IMPORTS = ("-c", "import sympy, numpy, jinja2, click")
#: Marks, as the command does; that something is wrong is no failure here.
CHECK = "import derive, sys; derive.check('mazur', sys.argv[1]).save(sys.argv[2])"
FORMULAS = 3000
KATEX = "katex@0.16"
CLASS, WALL = 200, 5.0  # submissions, and seconds that one of them may take
HOPELESS = (7, 10, 4)  # 500 numbers
SMALL, LARGE = (6, 9, 4), (20, 34, 8)  # 103 and 994 parameters

BYTECODE = tempfile.TemporaryDirectory(prefix="derive-bytecode-")

missed: list[str] = []


def report(name: str, ratio: float, target: float, detail: str, *, at_least: bool = False) -> None:
    good = ratio >= target if at_least else ratio <= target
    if not good:
        missed.append(name)
    aim = f"target {'>=' if at_least else '<='} {target:g}"
    print(f"{'ok    ' if good else 'MISSED'} {name}: {ratio:.2f} ({aim}) {detail}".rstrip(), flush=True)


def medians(runs: int, tasks: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The median seconds of each task, which take turns."""
    for task in tasks.values():
        task()
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            times[name].append(task())
    return {name: statistics.median(found) for name, found in times.items()}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """With derive's bytecode kept after the first run, as an installed package has it."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": BYTECODE.name, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done


def process(*arguments: str) -> Callable[[], float]:
    """A task: one run of Python with these arguments."""

    def task() -> float:
        start = time.perf_counter()
        python(*arguments)
        return time.perf_counter() - start

    return task


def whole_processes(runs: int, folder: Path) -> None:
    """A page of the built-in example, the help, and a large network, each against the imports it cannot do without."""
    digits = folder / "digits.json"  # JSON is YAML
    layers = [{"linear": {"out": 128}}, "relu", {"linear": {"out": 10}}, "softmax"]
    net = {"inputs": {"randn": [32, 784]}, "targets": [i % 10 for i in range(32)], "seed": 1, "layers": layers}
    digits.write_text(json.dumps({**net, "loss": "cross_entropy", "optimizer": {"sgd": {"lr": 0.1}}}), encoding="utf-8")
    answers = folder / "answers.yaml"
    answers.write_text("answers:\n  z1[1]: 0.3775\n  a1[1]: 0.5933\n  L: 0.4\n", encoding="utf-8")
    found = medians(runs, {
        "imports": process(*IMPORTS),
        "click": process("-c", "import click"),
        "mazur": process(*DERIVE, "backprop", "mazur", "-o", str(folder / "mazur")),
        "help": process(*DERIVE, "--help"),
        "check": process("-c", CHECK, str(answers), str(folder / "checked")),
        "digits": process(*DERIVE, "backprop", str(digits), "--form", "matrix", "-o", str(folder / "digits")),
    })  # fmt: skip

    def against(name: str, task: str, floor: str, target: float) -> None:
        report(name, found[task] / found[floor], target, f"{found[task]:.3f} s, {floor} {found[floor]:.3f} s")

    against("derive backprop mazur, HTML", "mazur", "imports", 1.5)
    against("derive check of three answers, HTML", "check", "imports", 1.5)
    against("derive --help", "help", "click", 3)
    heavy = python("-X", "importtime", *DERIVE, "--help").stderr.count(" sympy")
    report("modules of sympy that derive --help imports", heavy, 0, "")
    against("derive backprop of 784-128-10, batch of 32, matrix form", "digits", "imports", 5)


def network(sizes: Sequence[int]) -> dict[str, Any]:
    """A seeded sigmoid network of these sizes."""
    layers = [layer for size in sizes[1:] for layer in ({"linear": {"out": size}}, "sigmoid")]
    net = {"inputs": {"randn": [sizes[0]]}, "targets": [(i + 1) / 10 for i in range(sizes[-1])], "seed": 1}
    return {**net, "layers": layers, "loss": "half_squared_error", "optimizer": {"sgd": {"lr": 0.5}}}


def linearity(runs: int) -> None:
    """Seconds per parameter, in scalar form, of a network with ten times the parameters."""
    from derive.printers import FORMATS
    from derive.solution import solve

    def task(sizes: Sequence[int]) -> float:
        net = network(sizes)
        gc.collect()
        start = time.perf_counter()
        FORMATS["html"].print(solve(net, form="scalar").document)
        return (time.perf_counter() - start) / sum((a + 1) * b for a, b in itertools.pairwise(sizes))

    for sizes in (SMALL, LARGE):
        task(sizes)
    best = {sizes: float("inf") for sizes in (SMALL, LARGE)}
    for _ in range(max(3, runs // 3)):
        for sizes in best:
            best[sizes] = min(best[sizes], task(sizes))
    per = " and ".join(f"{1000 * seconds:.2f}" for seconds in best.values())
    ratio = best[LARGE] / best[SMALL]
    report("time per parameter, 994 parameters against 103", ratio, 1.3, f"{per} ms, small and large")


def formulas() -> Iterator[tuple[str, str]]:
    """The formulas of a solved network in MathML and in LaTeX, each with its target."""
    from derive.dialects.latex import Latex
    from derive.dialects.mathml import MathML, operator
    from derive.document import steps
    from derive.lines import pieces
    from derive.solution import solve
    from derive.spelling import spell

    document = solve(network(LARGE), form="scalar").document
    mathml, latex = MathML(document.style), Latex(document.style)
    for step in steps(document):
        for line in step.lines:
            for piece in pieces(line, document.values):
                show = document.values.shown if piece.numbers else None
                sign = operator(piece.relation, "0.28em")
                ours = spell(line.target, mathml) + sign + spell(piece.formula, mathml, show)
                sign = r" \approx " if piece.relation == "≈" else " = "
                yield f"<math>{ours}</math>", spell(line.target, latex) + sign + spell(piece.formula, latex, show)


def page(written: Sequence[str], head: str) -> str:
    """The formulas, five to a step as on our pages."""
    lines = [f"<p>{formula}</p>" for formula in written]
    steps = ("".join(lines[i : i + 5]) for i in range(0, len(lines), 5))
    body = "\n".join(f'<div class="step">{step}</div>' for step in steps)
    head = f'<meta charset="utf-8"><title>formulas</title>{head}'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def pages(folder: Path) -> dict[str, Path]:
    """The same formulas as our pages have them, plainly, and by KaTeX."""
    from derive.printers.html import font

    found = list(formulas())
    found = (found * (FORMULAS // len(found) + 1))[:FORMULAS]
    (folder / "formulas.json").write_text(json.dumps([latex for _, latex in found]), encoding="utf-8")
    script = """const katex = require("katex"), fs = require("fs");
    const written = JSON.parse(fs.readFileSync("formulas.json", "utf8")).map(f => katex.renderToString(f));
    fs.writeFileSync("katex.json", JSON.stringify(written));"""
    npm = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), KATEX)
    for command in (npm, ("node", "-e", script)):
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    katex = json.loads((folder / "katex.json").read_text(encoding="utf-8"))
    css = (ROOT / "templates" / "page.css").read_text(encoding="utf-8")
    face = f'@font-face {{ font-family: "Derive Math"; src: url(data:font/woff2;base64,{font()}) format("woff2"); }}'
    ours = f"<style>{face}\n{css}</style>"
    plain = "<style>.step { content-visibility: visible !important; }</style>"
    theirs = '<link rel="stylesheet" href="node_modules/katex/dist/katex.min.css">'
    mathml = [mathml for mathml, _ in found]
    written = {
        "ours": page(mathml, ours),
        "ours, all at once": page(mathml, ours + plain),
        "KaTeX": page(katex, theirs),
        "KaTeX in our steps": page(katex, f"<style>{css}</style>" + theirs),
    }
    paths = {name: folder / f"{i}.html" for i, name in enumerate(written)}
    for name, path in paths.items():
        path.write_text(written[name], encoding="utf-8")
    return paths


def browser(runs: int, folder: Path) -> None:
    """Until a page of 3,000 formulas is loaded, has its fonts and is painted, in Chromium."""
    name = f"a page of {FORMULAS:,} formulas, KaTeX against ours"
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not (program and shutil.which("node") and shutil.which("npm")):
        print(f"skipped {name}: needs Chromium and node")
        return
    try:
        paths = pages(folder)
    except subprocess.CalledProcessError as error:
        print(f"skipped {name}: {error.cmd[0]} failed")
        return
    from playwright.sync_api import sync_playwright

    painted = """async () => {
        await document.fonts.ready;
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        return performance.now() / 1000;
    }"""

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program)

        def opened(path: Path) -> float:
            context = chromium.new_context()
            tab = context.new_page()
            tab.goto(path.as_uri(), wait_until="load", timeout=120_000)
            seconds = float(tab.evaluate(painted))
            context.close()
            return seconds

        found = medians(max(3, runs // 3), {name: lambda path=path: opened(path) for name, path in paths.items()})
        chromium.close()
    times = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in found.items())
    report(name, found["KaTeX"] / found["ours"], 5, times, at_least=True)


def training(runs: int) -> None:
    """Seconds per training step of the generated programs, against the same steps by hand and by others."""
    import training as floors

    ours = floors.by_derive("mazur")
    if abs(ours(1000) / floors.by_hand(1000) - 1) > 1e-9 or abs(floors.by_tape(50) / floors.by_hand(50) - 1) > 1e-9:
        raise SystemExit("the floors of training compute something else")
    tasks = {
        "derive": floors.per_step(ours, 20_000),
        "by hand": floors.per_step(floors.by_hand, 20_000),
        "tape": floors.per_step(floors.by_tape, 500),
    }
    try:
        floors.by_torch(2)
        tasks["PyTorch"] = floors.per_step(floors.by_torch, 200)
    except ImportError:
        print("skipped training against PyTorch: it is not installed")
    found = medians(runs, tasks)

    def against(name: str, target: float) -> None:
        detail = f"{1e6 * found['derive']:.2f} us, {name} {1e6 * found[name]:.2f} us"
        report(
            f"a step on 2-2-2, times faster than {name}", found[name] / found["derive"], target, detail, at_least=True
        )

    detail = f"{1e6 * found['derive']:.2f} us and {1e6 * found['by hand']:.2f} us"
    report("a step on 2-2-2 against plain Python by hand", found["derive"] / found["by hand"], 1.5, detail)
    against("tape", 10)
    if "PyTorch" in found:
        against("PyTorch", 100)
    large = floors.by_derive(floors.large())
    if abs(large(50) / floors.by_numpy(50) - 1) > 1e-9:
        raise SystemExit("the floor of training in NumPy computes something else")
    found = medians(runs, {"ours": floors.per_step(large, 500), "NumPy": floors.per_step(floors.by_numpy, 500)})
    detail = f"{1e6 * found['ours']:.0f} us and {1e6 * found['NumPy']:.0f} us"
    report("a step on 64-64-10, batch of 32, against NumPy by hand", found["ours"] / found["NumPy"], 1.2, detail)


def answers() -> None:
    """Seconds for a formula answer, against SymPy's simplification of the difference, over a table of identities."""
    import answers as floors

    table = floors.identities()
    seconds = {name: [task(pair) for pair in table] for name, task in floors.TASKS.items()}
    report("ms for a formula answer, median", 1e3 * statistics.median(seconds["derive"]), 5, f"of {len(table)}")
    ours, others = (sum(seconds[name]) for name in ("derive", "SymPy"))
    detail = f"all {len(table)} in {ours:.3f} s and {others:.2f} s"
    report("formula answers, times faster than simplify(a - b) == 0", others / ours, 50, detail, at_least=True)


def marking(runs: int) -> None:
    """Processor time per submission of thirty numbers, and of work in which everything is wrong."""
    import marking as floors

    from derive.homework.assignment import Assignment

    mazur = Assignment.load("mazur")
    found = medians(max(3, runs // 3), floors.tasks(mazur, floors.files(mazur, 100)))
    each, detail = found["all"], f"{1e3 * found['all']:.2f} ms, without a mistake {1e3 * found['clean']:.2f} ms"
    report("submissions of 30 numbers per second and core", 1 / each, 300, detail, at_least=True)
    detail = f"{1e3 * each:.2f} ms, PyYAML {1e3 * found['PyYAML']:.2f} ms"
    report(
        "a submission of 30 numbers, read and marked, against PyYAML's reading alone", each / found["PyYAML"], 3, detail
    )
    hopeless = list(floors.hopeless(network(HOPELESS)))
    detail = " ".join(f"{seconds:.2f}" for seconds in hopeless)
    report("seconds for a submission that is all wrong, of 500 numbers", max(hopeless), 2, detail)


def classes(folder: Path) -> None:
    """A class with a submission that hangs costs the same class without it and that one's limit of time."""
    import marking as floors

    from derive.classroom.batch import check_class
    from derive.classroom.killable import Limits
    from derive.homework.assignment import Assignment

    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")])
    texts = floors.files(Assignment.load("mazur"), CLASS)

    def seconds(name: str, texts: Sequence[str]) -> float:
        (folder / name).mkdir()
        for i, text in enumerate(texts):
            (folder / name / f"s{i}.yaml").write_text(text, encoding="utf-8")
        start = time.perf_counter()
        limits, grader = Limits(wall=WALL), "marking:grader"
        done = check_class(
            "mazur", folder / name, folder / f"{name}-out", jobs=2, limits=limits, formats=(), grader=grader
        )
        assert sum(record.problem == "timeout" for record in done.records) == len(texts) - CLASS
        return time.perf_counter() - start

    plain = seconds("plain", texts)
    with_one = seconds("with one", [*texts, f"student: {floors.HOSTILE}\nanswers: {{L: 0.3}}\n"])
    detail = f"{plain:.1f} s and {with_one:.1f} s, limit {WALL:g} s"
    report(
        f"a class of {CLASS} with one that hangs, against without it and its limit",
        with_one / (plain + WALL),
        1.1,
        detail,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="turns of each command (default 15)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        whole_processes(runs, Path(folder))
        linearity(runs)
        training(runs)
        answers()
        marking(runs)
        classes(Path(folder))
        browser(runs, Path(folder))
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What a notebook shows: plots of a solution, pages in frames, errors in one line, the magics, the example notebook."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import matplotlib
import nbclient
import nbformat
import numpy as np
import pytest

import derive
from derive import notebook, plots
from derive.figures.axes import draw
from derive.figures.chart import Chart

pytestmark = pytest.mark.xdist_group("notebook")  # one process runs what these tests look at

ROOT = Path(__file__).parent.parent
NET = {
    "name": "Two $layers$, _odd_ names",
    "inputs": [[1, -2], [0.5, 3]],
    "targets": [[0.2], [0.9]],
    "layers": [
        {"linear": {"out": 2, "weight": [[0.5, -0.3], [0.2, 0.4]], "bias": [0.1, -9]}},
        "relu",
        {"linear": {"out": 1, "weight": [[0.7, -0.6]], "bias": [0.2]}},
    ],
    "loss": "mse",
    "optimizer": {"sgd": {"lr": 0.1, "momentum": 0.9}},
    "labels": {"W2": [["_v1", "$v_2$"]]},
    "steps": 4,
}


@pytest.fixture(scope="module")
def solution() -> derive.Solution:
    return derive.solve(NET)


@pytest.fixture
def pyplot() -> Iterator[Any]:
    """matplotlib's, without a screen, and without figures afterwards."""
    backend = matplotlib.get_backend()
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")
    matplotlib.use(backend)


def by_label(chart: Chart) -> dict[str, dict[float, float]]:
    return {curve.label: dict(curve.points) for curve in chart.curves}


# plots ----------------------------------------------------------------------------------------------------------------
def test_the_loss_over_the_steps(solution: derive.Solution) -> None:
    (points,) = by_label(plots.loss(solution.document)).values()
    assert points == {s: float(solution[f"L@{s + 1}" if s else "L"]) for s in range(4)} | {4: float(solution["L+"])}
    trained = derive.train("mazur", steps=30)
    (points,) = by_label(plots.loss(trained.document)).values()
    assert (
        list(points) == list(range(31)) and points[30] == float(trained["L+"]) and points[9] == float(trained["L@10"])
    )


def test_the_loss_of_one_step() -> None:
    solved = derive.solve("mazur")
    (points,) = by_label(plots.loss(solved.document)).values()
    assert points == {0: float(solved["L"]), 1: float(solved["L+"])}


def test_the_way_of_the_parameters(solution: derive.Solution) -> None:
    ways = by_label(plots.trajectory(solution.document, []))
    assert set(ways) == {"W1[1,1]", "W1[1,2]", "W1[2,1]", "W1[2,2]", "b1[1]", "b1[2]", "_v1", "$v_2$", "b2[1]"}
    for made in range(4):
        assert ways["W1[2,1]"][made] == float(solution[f"W1@{made + 1}"][1, 0])
    assert ways["_v1"][4] == float(solution["W2+@4"][0, 0])
    plane = plots.trajectory(solution.document, [solution.entry("_v1"), solution.entry("b2[1]")])
    assert plane.curves[0].points == tuple((ways["_v1"][s], ways["b2[1]"][s]) for s in range(5))


def test_an_optimizers_way_over_its_level_lines() -> None:
    study = derive.study(
        "optimizer", {"optimizer": "sgd", "function": "x^2+4*y^2", "start": {"x": 1, "y": 2}, "steps": 5}
    )
    chart = plots.trajectory(study.document, [])
    assert chart.contours is not None and len(chart.curves[0].points) == 6
    one = plots.trajectory(study.document, [study.entry("theta@0[2]")])
    assert one.curves[0].points == tuple((t, float(study[f"theta@{t}"][1])) for t in range(6))


def test_gradients_by_layer() -> None:
    solved = derive.solve("deep_narrow")
    found = by_label(plots.gradients(solved.document))
    for kind in ("W", "b"):
        for layer, size in found[f"root mean square of ∂L/∂{kind}"].items():
            assert math.isclose(size, float(np.sqrt(np.mean(solved[f"dL/d{kind}{layer:.0f}"] ** 2))), rel_tol=1e-12)
    assert len(found["root mean square of ∂L/∂W"]) == 6


def test_gradients_step_by_step_and_zeros_are_told(solution: derive.Solution) -> None:
    chart = plots.gradients(solution.document)
    zeros = sum(int(np.sum(solution[f"dL/d{id}@{s}"] == 0)) for id in ("W1", "b1", "W2", "b2") for s in range(1, 5))
    assert zeros and f"not shown: {zeros}" in chart.title
    found = by_label(chart)
    assert math.isclose(found["∂L/∂W1"][3], float(np.sqrt(np.mean(solution["dL/dW1@3"] ** 2))), rel_tol=1e-12)


def test_tiny_gradients_keep_their_size() -> None:
    assert plots.size_of(np.array([3e-200, 4e-200])) == pytest.approx(math.sqrt(12.5) * 1e-200, rel=1e-12)


@pytest.mark.parametrize(
    "make, problem",
    [
        (lambda: derive.solve("symbols_only").plot_loss(), "in symbols"),
        (lambda: derive.solve("mazur").plot_trajectory("w55"), r"no quantity 'w55'. Did you mean 'w5'"),
        (
            lambda: derive.solve("mazur").plot_trajectory("W1"),
            r"not one number but 2×2: choose an entry, such as W1\[1,1\]",
        ),
        (lambda: derive.solve("mazur").plot_trajectory("x[1]"), "no step changes"),
        (lambda: derive.solve("batch_3322").plot_trajectory(), "26 parameters; choose some"),
        (lambda: derive.solve("mazur", backward=False).plot_gradients(), "no gradients"),
        (
            lambda: derive.study("schedule", {"schedule": {"step_lr": {"step_size": 2}}, "epochs": 3}).plot_loss(),
            "no loss",
        ),
    ],
)
def test_what_cannot_be_plotted(make: Any, problem: str) -> None:
    with pytest.raises(derive.InputError, match=problem):
        make()


def test_axes_are_matplotlibs_own(solution: derive.Solution, pyplot: Any) -> None:
    axes = solution.plot_trajectory("_v1", "$v_2$", "b2[1]")
    assert [line.get_xdata().tolist() for line in axes.lines] == [[0, 1, 2, 3, 4]] * 3
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(shown) == 3 and shown[1] == r"\$v_2\$"  # nothing is left out, nothing is mathematics
    assert solution.plot_loss(axes) is axes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes.figure.canvas.draw()


def test_every_chart_of_a_page_can_be_drawn(pyplot: Any) -> None:
    for kind in ("line", "steps", "path", "dots"):
        chart = derive.figures.chart.Chart(
            "t",
            derive.figures.chart.Axis("x"),
            derive.figures.chart.Axis("y", log=True),
            (derive.figures.chart.Curve("c", ((0.5, 1.0), (1.0, math.nan), (2.0, 0.1)), kind),),
        )
        draw(chart).figure.canvas.draw()


# pages ----------------------------------------------------------------------------------------------------------------
def test_a_part_of_a_solution(solution: derive.Solution) -> None:
    part = solution.only("_v1")
    assert 0 < len(part.document.sections) < len(solution.document.sections)
    with pytest.raises(derive.InputError, match="no quantity '_v3'"):
        solution.only("_v3")


def test_a_page_stands_in_a_frame(solution: derive.Solution) -> None:
    shown = solution.only("_v1")._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and shown.count("<") == 2  # what is in the frame is an attribute
    assert unescape(shown).count("<!DOCTYPE html>") == 1


def test_errors_take_one_line() -> None:
    error = derive.InputError("so it is", file="net.yaml", line=3, column=4)
    assert error._render_traceback_() == ["InputError: net.yaml:3:4: so it is"]
    assert derive.WitnessError("no")._render_traceback_() == ["WitnessError: no"]


# the magic ------------------------------------------------------------------------------------------------------------
CELL = """\
inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[0.5, -0.3]], bias: 0.1}
  - sigmoid
loss: bce
optimizer: {sgd: {lr: 0.1}}
"""


def test_a_network_in_a_cell() -> None:
    names: dict[str, Any] = {}
    shown = notebook.run("form=scalar only=dL/dW1 as=mine", CELL, names)
    assert shown.document.sections != names["mine"].document.sections
    assert names["mine"]["z1"] == pytest.approx(0.0)
    assert notebook.run("value=dL/dW1[1,2]", CELL, names) == -1.0
    assert notebook.run("mazur value=w5+ as=m", None, names) == pytest.approx(0.35891648)
    assert names["m"]["w5+"] == pytest.approx(0.35891648)
    assert notebook.run("command=ema", "beta: 0.9\nvalues: [1, 2]\n", names)["s@2"] == pytest.approx(1.1)
    assert notebook.run("sigmoid command=explain lang=zh", None, names).document.topic == "sigmoid"


@pytest.mark.parametrize(
    "line, cell, problem",
    [
        (
            "",
            CELL.replace("sigmoid", "sigmoyd"),
            "<cell>:6:5: layers[1]: unknown layer 'sigmoyd'. Did you mean 'sigmoid'?",
        ),
        ("ony=w5", CELL, "<cell>:1:10: unknown option 'ony'. Did you mean 'only'?"),
        ("only=w5", CELL, "--only: there is no quantity 'w5'."),
        ("mazur", CELL, "<cell>:1:10: the network stands in the cell already"),
        ("as=2x", CELL, "<cell>:1:10: '2x' cannot be the name of a variable"),
        ("piece=forward", CELL, "<cell>:1:10: piece is for notes"),
        ("form=scaler", CELL, "form must be one of scalar"),
        ("", None, "which network"),
        ("no-such.yaml", None, "there is no file 'no-such.yaml'"),
    ],
)
def test_what_a_cell_says_wrong(line: str, cell: str | None, problem: str) -> None:
    with pytest.raises(derive.InputError) as error:
        notebook.run(line, cell, {})
    assert problem in str(error.value) and "\n" not in str(error.value)


# the example ----------------------------------------------------------------------------------------------------------
def test_a_solution_says_what_it_is_in_one_line(solution: derive.Solution) -> None:
    assert re.fullmatch(r"<Solution 'Two .*': \d+ quantities, [\d,]+ comparisons agree>", repr(solution))
    assert repr(derive.check("mazur", {"z1[1]": "0.3123"})) == "<Checked: 0 of 1 points, first error z1[1]>"


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    """The cells of the example notebook, run by a kernel, by their ids."""
    notebook = nbformat.read(ROOT / "output" / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the client and the kernel are not ours
        nbclient.NotebookClient(
            notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
        ).execute()
    return {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}


def test_the_example_notebook_runs(cells: dict[str, Any]) -> None:
    shown = [output["data"] for cell in cells.values() for output in cell.outputs if "data" in output]
    pages = [data["text/html"] for data in shown if "text/html" in data]
    assert len(pages) == 3 and all(page.startswith("<iframe srcdoc=") for page in pages)
    assert sum("image/png" in data for data in shown) == 4
    assert not [
        output for cell in cells.values() for output in cell.outputs if output.output_type in ("error", "stream")
    ]


def test_the_example_notebook_shows_these_numbers(cells: dict[str, Any]) -> None:
    said = " ".join(
        output["data"]["text/plain"] for cell in cells.values() for output in cell.outputs if "data" in output
    )
    for number in ("0.35891648", "0.00043857", "'dL/dW2[1,1]'", "0.0821670405"):
        assert number in said

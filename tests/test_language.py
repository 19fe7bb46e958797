"""The language tables: the same keys and places in every language, all of them used, none missing, nothing left over."""

from __future__ import annotations

import ast
import itertools
import re
import string
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from derive import examples
from derive.board import CHAPTERS
from derive.classroom import gradescope
from derive.classroom.folder import LeftOut
from derive.classroom.gradebook import Gradebook
from derive.classroom.record import FLAGS, PASSED_OVER, UNREAD, Record, Step
from derive.classroom.report import document as report
from derive.document import Document
from derive.errors import InputError
from derive.language import LANGUAGES, Both, Words, part, table
from derive.lessons import by_chapter
from derive.long_training import train
from derive.losses import losses
from derive.notation import PRESETS
from derive.ops.activations import activations
from derive.optimizers import optimizers
from derive.options import parameters
from derive.printers import FORMATS
from derive.printers.terminal import page as text_page
from derive.schedules import schedules
from derive.solution import Solution, solve, study
from derive.teaching import explain, explain_all

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "derive").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").iterdir())
SAYING = {"say", "Say", "word", "plain", "template", "parts"}
OTHERS = [language for language in LANGUAGES if language != "en"]


def places(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


def known(key: str) -> bool:
    return key in table("en") or key.rpartition(".")[0] + ".other" in table("en")


# the tables ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", OTHERS)
def test_languages_have_the_same_keys(language: str) -> None:
    assert list(table(language)) == list(table("en"))


@pytest.mark.parametrize("language", OTHERS)
def test_sentences_have_the_same_places(language: str) -> None:
    ours, theirs = table("en"), table(language)
    assert {key: places(theirs[key]) for key in ours if key in theirs} == {
        key: places(ours[key]) for key in ours if key in theirs
    }


@pytest.mark.parametrize("language", OTHERS)
def test_sentences_are_translated(language: str) -> None:
    same = {
        key
        for key, sentence in table(language).items()
        if sentence == table("en")[key] and re.search("[A-Za-z]{3}", re.sub(r"\{\w+\}", "", sentence))
    }
    assert same - {"export.numpy", "export.torch"} == set()  # names


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_whole(language: str) -> None:
    """Nothing empty but the one that says nothing, no stray space, whole sentences end as sentences do."""
    for key, sentence in table(language).items():
        assert sentence or key == "form.none", key
        assert sentence == sentence.strip() or key.startswith("form."), key
        assert "  " not in sentence, key
        if (
            key.split(".")[0] in ("activation", "slope", "loss", "backward", "convention", "jacobian", "why", "long")
            and "ties" not in key
        ):
            assert sentence[-1] in ".。}", key


def test_an_unknown_language_or_sentence() -> None:
    with pytest.raises((ValueError, InputError), match="zn"):
        Words("zn")
    with pytest.raises(KeyError, match=r"no\.such"):
        Words("en").template("no.such")
    assert Words("en").template("slope.brand_new") == table("en")["slope.other"]


# keys in the code -----------------------------------------------------------------------------------------------------
def calls(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """(place, first argument) of every call that says something."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in SAYING and not re.search(r"\.(html|css|js|tex|typ|md|xml)'", ast.unparse(node.args[0])):
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node.args[0]


def pattern(f: ast.JoinedStr) -> str:
    """An f-string as a regular expression."""
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r".+" for part in f.values)


def test_every_key_in_the_code_exists() -> None:
    found = 0
    for path in SOURCES:
        for place, key in calls(path):
            for option in (key.body, key.orelse) if isinstance(key, ast.IfExp) else (key,):
                if isinstance(option, ast.Constant) and isinstance(option.value, str):
                    assert known(option.value), f"{place}: no sentence '{option.value}'"
                    found += 1
                elif isinstance(option, ast.JoinedStr):
                    assert any(re.fullmatch(pattern(option), name) for name in table("en")), (
                        f"{place}: nothing like {pattern(option)}"
                    )
                    found += 1
    assert found > 60


def test_every_key_in_the_templates_exists() -> None:
    found = set()
    for path in TEMPLATES:
        for key in re.findall(r"p\.word\(['\"]([a-z_.]+)['\"]", path.read_text(encoding="utf-8")):
            found.add(key)
    assert len(found) > 5
    assert {key for key in found if not known(key) and not key.endswith(".")} == set()


# keys in use ------------------------------------------------------------------------------------------------------------
def net_of(activation: str = "tanh", loss: Any = "half_squared_error", **more: Any) -> dict[str, Any]:
    return {
        "inputs": [[0.5, -1], [1, 2]],
        "targets": [[0.25, 0.5], [1, 0]],
        "loss": loss,
        "optimizer": {"sgd": {"lr": 0.1}},
        "layers": [
            {"linear": {"out": 2, "weight": [[1, -1], [0.5, 2]], "bias": 0.1}},
            activation,
            {"linear": {"out": 2, "weight": [[1, 2], [3, 0.5]], "bias": [0, 1]}},
            activation,
        ],
        **more,
    }


def beside_linear() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Layers beside the linear one, in both modes, and penalties."""
    last = {"linear": {"out": 2, "weight": [[1, 2], [3, 0.5]], "bias": [0, 1]}}
    layers = ["batch_norm", "dropout", {"residual": ["tanh"]}, {"layer_norm": {}}, last, {"dropout": {"mask": [1, 0]}}]
    penalties = {"elastic_net": {"l1": 0.1, "l2": 0.2, "bias": True}, "l2_norm": 0.1}
    for mode in ("train", "eval"):
        yield net_of(layers=[last, *layers], mode=mode, regularization=penalties), {"form": "both"}
    given = [last, {"dropout": {"mask": [[1, 0], [0, 1]]}}]
    for loss in ({"mse": {"reduction": "sum"}}, "mse"):
        yield net_of(layers=given, loss=loss, regularization={"l1": 0.1}), {}
    yield {"inputs": [1], "targets": [1], "layers": [across()], "loss": "mse", "regularization": {"l2": 0.1}}, {}


def across() -> dict[str, Any]:
    return {"linear": {"out": 1, "weight": [[1]], "bias": False}}


def everything() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Networks and wishes that together should say all there is to say."""
    for name in examples.names():
        yield name, {"form": "both", "level": "full"}
    yield {**net_of(), "optimizer": {"sgd": {"lr": 0}}}, {"backward": False}
    for options in ({"label_smoothing": 0.1}, {"weight": [1, 2]}):
        yield net_of(loss={"cross_entropy": options}, targets=[1, 0]), {}
    for name in activations:
        yield net_of(name), {"form": "both"}
    for name in losses:
        end: dict[str, Any] = (
            {"targets": [1, 0]}
            if name in ("cross_entropy", "nll")
            else {"targets": [[1, -1], [1, 1]]}
            if "hinge" in name
            else {}
        )
        layer = {"nll": "log_softmax", "kl_div": "log_softmax", "cross_entropy": "identity"}.get(name, "sigmoid")
        for reduction in ("mean", "sum", *(("batchmean",) if name == "kl_div" else ())):
            yield net_of(layer, {name: {"reduction": reduction}}, **end), {}
    for preset in PRESETS:
        yield "regression", {"notation": preset}
    for policy in ({"exact": True}, {"round_as_you_go": True}, {"half": "up"}, {}):
        yield "mazur", {"significant": 5, **policy}
        yield "mazur", {"decimals": 5, **policy}
    yield net_of(notation={"bias_as": "weight"}), {}
    yield "mazur", {"notation": "rows"}
    yield net_of(notation={"sign": "descent", "bias_as": "threshold"}), {}
    yield net_of(optimizer={"sgd": {"lr": 100}}, loss="mse"), {}
    yield net_of(optimizer={"sgd": {"lr": 1e-9}}, loss="mse"), {}  # a step too small to be seen in the loss
    yield (  # and one that leads just past the minimum
        {
            "inputs": [1],
            "targets": [3],
            "layers": [across()],
            "loss": "half_squared_error",
            "optimizer": {"sgd": {"lr": 2.000001}},
        },
        {},
    )
    yield net_of(optimizer={"sgd": {"lr": 0}}), {}
    yield {"inputs": [[1, 2]], "targets": [[1, 2]], "layers": ["sigmoid"], "loss": "mse"}, {}
    yield (
        {
            "inputs": [1, 0],
            "targets": [0],
            "loss": "mse",
            "layers": [{"linear": {"out": 1, "weight": [[0, 0]], "bias": [0]}}, "relu"],
        },
        {},
    )
    yield (
        {
            "inputs": [1, 2],
            "targets": [1],
            "loss": "mse",
            "layers": ["tanh", {"linear": {"out": 1, "weight": [[1, 2]]}}],
        },
        {},
    )
    yield (
        {
            "inputs": {"randn": [3, 20]},
            "targets": [[1]] * 3,
            "loss": "mse",
            "seed": 1,
            "layers": [{"linear": {"out": 24}}, "relu", {"linear": {"out": 1}}],
        },
        {},
    )
    yield (
        {
            "inputs": {"randn": [20, 90]},
            "targets": [[1]] * 20,
            "loss": "mse",
            "seed": 1,
            "layers": [{"linear": {"out": 120}}, "relu", {"linear": {"out": 1}}],
        },
        {},
    )
    # networks without parameters, and fused losses in a book whose δ is the negative derivative
    for loss in ("bce_with_logits", "mse"):
        yield {"inputs": [[0.5, 1.0]], "targets": [[0, 1]], "layers": [], "loss": loss}, {"form": "both"}
    for name in ("xor", "regression"):
        yield name, {"notation": "haykin", "form": "both"}
    yield {**net_of(), "notation": {"numbering": "source"}}, {}
    for name in optimizers:
        if name != "nesterov":  # its gradient is taken elsewhere: it has no place in a network
            yield net_of(optimizer=name, steps=3), {"form": "both" if name == "adam" else "auto"}
    yield net_of(update="layerwise"), {}
    yield from beside_linear()
    yield net_of(steps=22), {}
    yield net_of("identity", optimizer={"sgd": {"lr": 1e60}}, steps=9), {}
    for form in ("ema", "classical"):
        yield net_of(optimizer={"momentum": {"form": form}}), {}
    for form in ("inside", "hat"):
        yield net_of(optimizer={"adam": {"eps_form": form, "weight_decay": 0.1}}), {}


BOWL = {"function": "x^2 + 4*y^2", "start": {"x": 3, "y": 1}}
#: Files of studies that together should say all there is to say: (kind, file).
STUDIES: list[tuple[str, dict[str, Any]]] = [
    *(("optimizer", {"optimizer": name, "steps": 2, **BOWL}) for name in optimizers),
    *(("optimizer", {"optimizer": {"momentum": {"form": form}}, **BOWL}) for form in ("ema", "classical")),
    *(("optimizer", {"optimizer": {"adam": {"eps_form": form}}, **BOWL}) for form in ("inside", "hat")),
    ("optimizer", {"optimizer": {"adam": {"weight_decay": 0.1}}, **BOWL, "steps": 12, "compare": ["sgd"]}),
    ("optimizer", {"optimizer": {"sgd": {"lr": 10**6}}, **BOWL, "steps": 30}),
    ("optimizer", {"optimizer": {"sgd": {"momentum": 0.9, "maximize": True}}, "gradients": [1], "state": {"step": 2}}),
    ("optimizer", {"optimizer": {"rmsprop": {"centered": True}}, "gradients": [1]}),
    ("optimizer", {"optimizer": {"adam": {"amsgrad": True}}, "gradients": [1]}),
    ("optimizer", {"optimizer": {"sgd": {"weight_decay": 0.1}}, "gradients": [1, 2]}),
    *(("ema", {"beta": 0.9, "values": [2, 1, 3] * 5, **more}) for more in ({}, {"start": "zero"}, {"correct": True})),
    ("ema", {"beta": 0.5, "values": [2, 1, 3]}),
    *(("batches", {"samples": n, "batch_size": 4, "epochs": 2}) for n in (8, 9)),
    ("batches", {"samples": 9, "batch_size": 5, "epochs": 2, "drop_last": True}),
    ("batches", {"samples": 9, "batch_size": 8, "epochs": 2}),
]


def schedule_files() -> Iterator[dict[str, Any]]:
    """Files of `derive schedule` that together should say all there is to say about schedules."""
    one_each = {
        "step_lr": {"step_size": 2},
        "multi_step_lr": {"milestones": [4]},
        "exponential_lr": {"gamma": 0.9},
        "cosine_annealing": {"t_max": 7},
        "warm_restarts": {"t_0": 7, "t_mult": 2},
        "one_cycle": {"max_lr": 1, "total_steps": 20},
        "cyclic": {"base_lr": 0.1, "max_lr": 1, "step_size_up": 4},
        "warm_up": {"steps": 4},
        "inverse_time": {"decay": 1},
        "noam": {"warmup_steps": 6},
        "sequential": {"schedules": ["constant", {"exponential_lr": {"gamma": 0.5}}], "milestones": 9},
        "chained": {"schedules": ["linear", {"cosine_annealing": {"t_max": 9}}]},
    }
    for name in schedules:
        if name != "reduce_on_plateau":
            yield {"schedule": {name: one_each.get(name, {})}}
    yield {"schedule": {"step_lr": {"step_size": 1}}, "epochs": 5001}
    yield {"schedule": {"step_lr": {"step_size": 2}}, "epochs": 60}
    for mode in ("min", "max"):
        for threshold_mode in ("rel", "abs"):
            options = {"mode": mode, "threshold_mode": threshold_mode, "patience": 1, "cooldown": 1, "min_lr": 0.01}
            yield {"schedule": {"reduce_on_plateau": options}, "metric": [2, 2, 2, 2, 2, 2, 2, 2]}
    yield {"schedule": "reduce_on_plateau", "metric": [2, 1]}


def scheduled_nets() -> Iterator[dict[str, Any]]:
    yield net_of(schedule={"step_lr": {"step_size": 1}}, steps=2)
    yield net_of(schedule="reduce_on_plateau", check={"decimals": 3})


def trained(folder: Path) -> Iterator[Solution]:
    """What long training can come to."""
    yield train("mazur", steps=30)
    yield train("mazur", steps=1)
    yield train("xor", steps=7, batch_size=3)
    yield train("mazur", steps=1000, until=0.2)
    yield train(net_of("identity", optimizer={"sgd": {"lr": 1}}), steps=5)
    yield train(net_of(optimizer={"sgd": {"lr": 0}}), steps=5)
    yield train(net_of("identity", optimizer={"sgd": {"lr": 1}}), steps=2000)
    kink = [{"linear": {"out": 1, "weight": [[0.5, -0.3]], "bias": [0.1]}}, "relu"]  # exactly at 0
    yield train({**net_of(loss="mse"), "inputs": [[1, 2]], "targets": [[1]], "layers": kink}, steps=2)

    def interrupt(made: int, planned: int) -> None:
        if made == 20:
            raise KeyboardInterrupt

    stopped = train("xor", steps=100, progress=interrupt)
    (folder / "checkpoint.npz").write_bytes(stopped.beside()["checkpoint.npz"])
    yield stopped
    yield train("xor", steps=3, resume=folder / "checkpoint.npz")


#: Derivatives that between them say every sentence about rules.
DERIVATIVES = [
    "d/dz 3*z + 1/(1+z^2) + sin(z)/z + (1+z^2)^3 + 2^z",
    "d/dz sqrt(z) + z^z + log(1+exp(z))",
    "d/dz cos(z)*tanh(z)*sigmoid(z)*abs(z)*erf(z)",
    "d/dz relu(z) + max(0, z) + min(z, 2) + abs(sin(z)) + log(z)",
    "d^2/dz^2 3*z",
    "d^4/dz^4 z^5",
    "∂/∂w (w*x - y)^2",
    "d/dz 1/(1+exp(-z))",
    "d/dz 2*z",
]


def classes() -> Iterator[Document]:
    """Reports about classes in which everything happened, and nothing."""
    steps = [("z1[1]", ""), ("L", "E")]
    wrong = {"verdict": "error", "credit": 0.0, "weight": 1.0}
    right = {"verdict": "correct", "credit": 1.0, "weight": 1.0}
    records = [Record(f"u{code}", problem=code) for code in (*UNREAD, "not_submitted")]
    records += [
        Record(f"c{i}", first_error="L", steps=(Step("L", "E", raw="1", value="1", **wrong),)) for i in range(3)
    ]
    records.append(Record("b", flags=("late",), first_error="L", steps=(Step("L", "E", found=("B1",), **wrong),)))
    records.append(Record("f", flags=FLAGS, steps=(Step("z1[1]", "", "undecided", 0.0, 1.0, guarded=True),)))
    records.append(Record("s", flags=("something_new",), steps=(Step("L", "E", **right),)))
    left_out = [LeftOut("file", code) for code in PASSED_OVER]
    records.append(
        Record("a", flags=("unread_answers",), most=1.0, steps=(Step("L", "E", "unreadable", 0.0, 1.0, "?"),))
    )
    for some in (records, [Record("s", steps=(Step("L", "E", **right),))], []):
        yield report(some, steps, left_out, "en", "mazur")
    for new in (True, False):
        yield report(records, steps, (), "en", "mazur", Gradebook("", "mazur", new, 1, tuple(records)))


def gradescoped() -> None:
    """What Gradescope is told, whatever happened."""
    made = Record("s", steps=(Step("L", "E", "correct", 1.0, 1.0),))
    gradescope.results(Words("en"), made, {"first_error": None, "steps": []})
    gradescope.results(Words("en"), replace(made, first_error="L"), {"first_error": "L", "steps": []})
    gradescope.unread(Words("en"), Record("s", problem="empty"))
    gradescope.failed(Words("en"), "…")


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The keys that were looked up while everything was solved and printed in every format of text."""
    found: set[str] = set()
    look_up = Words.template

    def recorded(self: Words, key: str | Both) -> str:
        if isinstance(key, str):  # else the sentence stands in its lesson
            found.add(key if key in self.table else key.rpartition(".")[0] + ".other")
        return look_up(self, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Words, "template", recorded)
        solutions = (solve(net, **wishes) for net, wishes in everything())
        for solution in itertools.chain(solutions, trained(tmp_path_factory.mktemp("trained"))):
            solution.print("text")
            # the page alone has notes of witnesses, and says of itself what was verified
            if solution.model.symbolic or any(witness.note for witness in solution.document.witnesses):
                solution.print("html")
        for kind, file in STUDIES:
            study(kind, file).print("html")
        for text in DERIVATIVES:
            explain(text).print("html")
        for solution in (*map(solve, scheduled_nets()), *(study("schedule", file) for file in schedule_files())):
            solution.print("html")
        for document in classes():
            FORMATS["html"].print(document)
        gradescoped()
        first = {chapter: found[:1] for chapter, found in by_chapter().items()}  # the others say nothing else
        patch.setattr("derive.teaching.by_chapter", lambda: first)
        book = explain_all()
        for format in ("html", "text"):
            book.print(format)
    return found


def test_every_sentence_is_reached(used: set[str]) -> None:
    """What no page ever says is left over (command-line texts and refusals to agree aside)."""
    command_line = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "derive" / "cli").iterdir() if file.suffix == ".py"
    )
    elsewhere = {key for key in table("en") if key in command_line} | {"table.disagrees", "table.skipped"}
    elsewhere |= {f"chapter.{chapter}" for chapter in CHAPTERS}  # one may have no lesson yet
    elsewhere |= {key for key in table("en") if key in part("en_check") or key.startswith("mistake.")}  # test_check.py
    elsewhere |= part("en_lint").keys()  # test_lint.py
    elsewhere |= part("en_site").keys()  # test_site.py
    elsewhere |= part("en_notes").keys()  # test_fragments.py
    elsewhere |= part("en_variants").keys()  # test_variants.py
    elsewhere |= part("en_export").keys()  # test_torch_side.py
    elsewhere |= {key for key in part("en_notebook") if key.startswith("plot.")}  # test_notebook.py
    elsewhere |= part("en_sheet").keys()  # test_sheets.py
    fallbacks = {key for key in table("en") if key.endswith(".other")}  # for what is yet to be added
    assert sorted(set(table("en")) - used - elsewhere - fallbacks) == []


def test_optimizers_have_sentences() -> None:
    assert {name for name in optimizers if not known(f"update.{name}")} == set()


# Chinese pages ----------------------------------------------------------------------------------------------------------
MATHS = [r"<svg.*?</svg>", r"<style.*?</style>", r"<script.*?</script>", r"<math.*?</math>", r"<head.*?</head>"]
WORDS = re.compile(r"[A-Za-z]{2,}(?:[ ,:;]+(?:of|the|a|is|[A-Za-z]{2,})){2,}")


def chinese(name: str) -> Solution:
    return solve(name, lang="zh", form="both", level="full")


def leftovers(text: str, title: str) -> list[str]:
    """Runs of three English words, but for the author's own title, commands, and the names of things."""
    text = re.sub(r"derive\s+explain\s+\w+", "·", text)
    names = [
        *activations,
        *losses,
        *optimizers,
        *(o for r in (activations, losses, optimizers) for n in r for o in parameters(r[n])),
    ]
    for name in sorted([*names, "mean", "sum", "linear"], key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z_]){name}(?![A-Za-z_])", "·", text)
    return WORDS.findall(text.replace(title, ""))


@pytest.mark.parametrize("name", examples.names())
def test_chinese_pages_have_no_english(name: str) -> None:
    speaks_chinese(chinese(name))


@pytest.mark.parametrize("number", range(len(STUDIES)))
def test_chinese_studies_have_no_english(number: int) -> None:
    kind, file = STUDIES[number]
    speaks_chinese(study(kind, file, lang="zh"))


def speaks_chinese(solution: Solution) -> None:
    title = solution.document.title
    html = solution.to_html()
    for cut in MATHS:
        html = re.sub(cut, " ", html, flags=re.DOTALL)
    spoken = unescape(re.sub("<[^>]*>", "\n", html))
    heard = "\n".join(re.findall(r'(?:title|aria-label|alt)="([^"]*)"', html))
    assert len(re.findall("[\u4e00-\u9fff]", spoken)) > 300
    assert leftovers(spoken, title) + leftovers(heard, title) == []
    text = text_page(solution.document, width=10**6)
    prose = "\n".join(line for line in text.splitlines() if " = " not in line and " ≈ " not in line)
    assert leftovers(prose, title) == []
    for sentence in table("en").values():
        if len(sentence.split()) > 3 and "{" not in sentence:
            assert sentence not in text and sentence not in spoken


def test_chinese_pages_of_training_have_no_english() -> None:
    solution = train("xor", steps=50, lang="zh")
    text = text_page(solution.document, width=10**6)
    prose = "\n".join(line for line in text.splitlines() if " = " not in line and " ≈ " not in line)
    assert "训练" in prose
    assert leftovers(prose, solution.document.title) == []


@pytest.mark.parametrize("format", ["html", "latex", "markdown", "text"])
def test_chinese_cases_are_not_english(format: str) -> None:
    """`else` and `if` in a formula by cases are words too."""
    printed = str(solve("regression", lang="zh", form="matrix").print(format))
    printed = re.sub("<style.*?</style>|<script.*?</script>|<annotation.*?</annotation>", "", printed, flags=re.DOTALL)
    assert not re.search(r"\b(?:else|if)\b", re.sub(r"\\(?:if|else)[a-z]*", "", re.sub(r"\\resizebox.*", "", printed)))


def test_the_diagram_speaks_the_language() -> None:
    svg = re.sub("<style.*?</style>", "", str(chinese("mazur").print("svg")), flags=re.DOTALL)
    spoken = "\n".join(re.findall(r">([^<>]+)<", svg) + re.findall(r'aria-label="([^"]*)"', svg))
    assert re.search("[\u4e00-\u9fff]", spoken)
    assert not re.search(r"\b(?:Inputs?|Layer|Output|Bias|bias|weight|unit)\b", spoken)


@pytest.mark.parametrize(
    "format",
    [n for n in FORMATS if n not in ("png", "pdf", "docx", "diagram-pdf", "svg", "tikz") and not FORMATS[n].several],
)
def test_every_language_prints_every_format(format: str) -> None:
    for language in LANGUAGES:
        assert len(solve("softmax_classifier", lang=language).print(format)) > 1000

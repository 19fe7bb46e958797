"""Derivatives rule by rule: values against difference quotients and SymPy, rules by name, taught forms, refusals."""

from __future__ import annotations

import itertools
import time
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from derive import calculus
from derive.algebra import digits, evaluate
from derive.cli import main
from derive.derivatives import Asked, called_in_output, draws, is_meant, read
from derive.derivatives.places import is_moderate
from derive.dialects.text import Text
from derive.differentiation import Move, depends, moves, tidied
from derive.document import Document, Step
from derive.errors import InputError
from derive.expression import FUNCTIONS, parse, variable
from derive.formula import (
    Apply,
    Formula,
    Function,
    Name,
    Symbol,
    Written,
    expm1,
    floor,
    log1p,
    names,
    walk,
    xlogy,
)
from derive.language import table
from derive.lessons import load, topics
from derive.ops.activations import activations
from derive.ops.base import Elementwise
from derive.solution import Solution
from derive.spelling import spell
from derive.teaching import explain

Z, X = variable("z"), variable("x")
LESSONS = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "hardtanh"]


def steps_of(f: Formula, by: Name = Z) -> list[Move]:
    waiting = (Name(f"waiting{i}", symbol=Written(f, Symbol(by.id))) for i in itertools.count())

    def pending(part: Formula) -> Name:
        name = next(waiting)
        return Name(name.id, symbol=Written(part, Symbol(by.id)))

    return list(moves(f, by, pending))


def value(f: Formula, at: dict[str, Any]) -> Any:
    """The value, with a difference quotient for every derivative that is not yet taken."""
    number = digits().number

    def known(name: Name) -> Any:
        if isinstance(name.symbol, Written):
            step = number(Fraction(1, 10**40))
            sides = (value(name.symbol.of, {**at, "z": at["z"] + side * step}) for side in (1, -1))
            above, below = sides
            return (above - below) / (2 * step)
        return at[name.id]

    return evaluate(f, known, digits())


def grown(random: Random, depth: int) -> Formula:
    """A random formula in z and x."""
    if depth == 0:
        return random.choice([Z, Z, X, parse(str(random.randint(1, 5))), parse(str(Fraction(random.randint(1, 9), 4)))])
    inner = [grown(random, depth - 1), grown(random, random.randint(0, depth - 1))]
    match random.randint(0, 9):
        case 0 | 1:
            return inner[0] + inner[1]
        case 2:
            return inner[0] - inner[1]
        case 3 | 4:
            return inner[0] * inner[1]
        case 5:
            return inner[0] / inner[1] if inner[1] != parse("0") else inner[0]
        case 6:
            return inner[0] ** random.randint(2, 4)
        case 7:
            return Apply(random.choice(("max", "min")), (inner[0], inner[1]))
        case _:
            return FUNCTIONS[random.choice(sorted(FUNCTIONS))](inner[0])


# values ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(150))
def test_every_line_of_a_random_derivative_has_the_same_value(seed: int) -> None:
    """Raw and tidied, with what is still to be differentiated, each move is a difference quotient of the function."""
    random = Random(seed)
    f = grown(random, random.randint(1, 3))
    for _ in range(30):
        at = {Z: Fraction(random.randint(-30, 30), 11), X: Fraction(random.randint(1, 30), 13)}
        if is_moderate(f, at) and is_moderate(calculus.derivative(f, Z), at):
            break
    else:
        pytest.skip("no place to check at")
    where = {"z": digits().number(at[Z]), "x": digits().number(at[X])}
    step = digits().number(Fraction(1, 10**40))
    above, below = (value(f, {**where, "z": where["z"] + side * step}) for side in (1, -1))
    wanted = (above - below) / (2 * step)
    found = steps_of(f)
    for move in found:
        for form in (move.raw, move.formula):
            off = abs(value(form, where) - wanted)
            assert off <= 1e-30 * max(1, abs(wanted)), (spell(f, Text()), move.rule)
    assert not any(isinstance(name.symbol, Written) for name in names(found[-1].formula))


def typed(random: Random, depth: int) -> str:
    """A random expression as people type it."""
    if depth == 0:
        return random.choice(["z", "z", "2", "0.5", "3*z"])
    a, b = typed(random, depth - 1), typed(random, random.randint(0, depth - 1))
    function = random.choice(sorted({*FUNCTIONS} - {"ln"}))
    return random.choice([f"({a}+{b})", f"({a}-{b})", f"({a})*({b})", f"({a})/({b})", f"({a})^2", f"{function}({a})"])


@pytest.mark.parametrize("seed", range(12))
def test_random_expressions_are_explained_and_witnessed(seed: int) -> None:
    random = Random(f"typed {seed}")
    while True:
        text = f"d/dz {typed(random, 3)}"
        try:
            solution = explain(text)
        except InputError as error:
            assert (
                "no variable" in str(error) or "value" in str(error) or "not in" in str(error) or "by 0" in str(error)
            )
            continue
        break
    assert all(witness.ok for witness in solution.document.witnesses)
    assert solution.document.witnesses[0].compared >= 3


# rules ----------------------------------------------------------------------------------------------------------------
RULES = {
    "constant": "d^2/dz^2 3*z",
    "linear": "d/dz 3*z",
    "sum": "d/dz z + z^2",
    "factor": "d/dz 3*sin(z)",
    "product": "d/dz z*sin(z)",
    "quotient": "d/dz sin(z)/z",
    "reciprocal": "d/dz 1/(1+z^2)",
    "power": "d/dz z^3",
    "power_chain": "d/dz (1+z^2)^3",
    "exponential": "d/dz 2^z",
    "tower": "d/dz z^z",
    "chain": "d/dz exp(z^2)",
    "exp": "d/dz exp(z)",
    "log": "d/dz log(z)",
    "sqrt": "d/dz sqrt(z)",
    "sin": "d/dz sin(z)",
    "cos": "d/dz cos(z)",
    "tanh": "d/dz tanh(z)",
    "sigmoid": "d/dz sigmoid(z)",
    "abs": "d/dz abs(z)",
    "cases": "d/dz relu(z)",
    "definition": "d/dz relu(z)",
    "max": "d/dz max(0, z)",
    "min": "d/dz min(z, z^2)",
    "simplified": "d/dz log(1+exp(z))",
    "erf": "d/dz erf(z)",
}


def rules_in(document: Document) -> set[str]:
    blocks = (block for section in document.sections for block in section.blocks if isinstance(block, Step))
    keys = {key for step in blocks for key in (step.title.key, *(why.key for why in step.why)) if isinstance(key, str)}
    return {key.rpartition(".")[2] for key in keys if key.startswith("rule.")}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_named_where_it_is_used(rule: str) -> None:
    assert rule in rules_in(explain(RULES[rule]).document)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_sentence_of_a_rule_is_reached(language: str) -> None:
    keys = {key.rpartition(".")[2] for key in table(language) if key.startswith("rule.")}
    assert keys == {*RULES}


def test_a_function_without_a_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="no rule"):
        steps_of(Apply("mystery", (Z,)))
    with pytest.raises(TypeError, match="no rule"):
        steps_of(Apply(Function("mystery", Symbol("m"), (Z,)), (Z,)))
    with pytest.raises(TypeError, match="no rule"):
        steps_of(floor(Z))
    with pytest.raises(InputError, match=r"column 6: 'sec' is not one of the functions"):
        read("d/dz sec(z)")


def test_functions_that_stand_for_others_are_written_out() -> None:
    assert [move.rule for move in steps_of(log1p(Z))] == ["definition", "chain", "sum"]
    assert [move.rule for move in steps_of(expm1(Z))] == ["definition", "sum", "exp"]
    assert [move.rule for move in steps_of(xlogy(Z, Z))] == ["product", "log"]


# the form in which it is taught -----------------------------------------------------------------------------------------
TAUGHT = {
    "d/dz log(1+exp(-z))": "σ(z) − 1",
    "d/dz log(1+exp(z))": "σ(z)",
    "d/dz 1/(1+exp(-z))": "σ(z)·(1 − σ(z))",
    "d/dz exp(z)/(1+exp(z))": "σ(z)·(1 − σ(z))",
    "d/dz sigmoid(z)": "σ(z)·(1 − σ(z))",
    "d/dz tanh(z)": "1 − tanh(z)²",
    "d/dz z/(1+exp(-z))": "σ(z)·(1 + z·(1 − σ(z)))",
    "d/dz log(1+exp(-2*z))": "2·σ(2·z) − 2",
    "d/dz -log(sigmoid(z))": "σ(z) − 1",
    "d/dw log(1+exp(-w*x))": "x·(σ(w·x) − 1)",
    "d/dz z/2*(1+erf(z/sqrt(2)))": "(1/2)·(1 + erf(z/√(2))) + z·e^{−(z/√(2))²}/(√(π)·√(2))",
    "d/dz sin(z)/cos(z)": "1/(cos(z)²)",
    "d/dz log((1+z)/(1-z))": "2/((1 − z)·(1 + z))",
    "d/dx sqrt(1-x^2)/x": "−1/(√(1 − x²)·x²)",
    "d/dx x/(1+x)": "1/((1 + x)²)",
    "d/dp -y*log(p)-(1-y)*log(1-p)": "−y/p + (1 − y)/(1 − p)",
    "d/dx x^3": "3·x²",
    "d/dx x^2/x": "1",
    "d/dx 2*x*x": "4·x",
    "d/dz relu(z)": "{1 if z > 0; 0 else}",
    "d/dz max(0, z)": "{1 if z > 0; 0 if z < 0; 1/2 else}",
    "d^2/dz^2 log(1+exp(z))": "σ(z)·(1 − σ(z))",
    "d^2/dz^2 tanh(z)": "−2·tanh(z)·(1 − tanh(z)²)",
    "d^3/dz^3 z^4": "24·z",
    "∂/∂w (w*x - y)^2": "2·(w·x − y)·x",
}


def result(solution: Solution) -> str:
    steps = [b for s in solution.document.sections if "steps" in s.id for b in s.blocks if isinstance(b, Step)]
    return spell(steps[-1].lines[-1].forms[-1].formula, Text())


@pytest.mark.parametrize("text", TAUGHT)
def test_the_result_is_in_the_form_in_which_it_is_taught(text: str) -> None:
    assert result(explain(text)) == TAUGHT[text]


def test_a_number_drawn_for_a_constant_is_never_taken_for_a_coefficient() -> None:
    assert "a" in result(explain("∂/∂z a*sigmoid(z)"))


def test_a_tidied_formula_keeps_its_value_and_folds_constants() -> None:
    raw = Apply("mul", (Apply("exp", (-Z,)), parse("0-1")))
    assert tidied(raw) == -Apply("exp", (-Z,))
    assert tidied(Apply("div", (parse("6*z"), parse("3")))) == parse("2*z")
    assert not depends(parse("3*x"), Z)


# where it holds ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("d/dz max(0, z)", "At z = 0, f(z) has a kink: from the left its slope is 0, from the right it is 1"),
        ("d/dz max(0, z)", "give 1/2"),
        ("d/dz relu(2*z-1)", "At z = 1/2, f(z) has a kink: from the left its slope is 0, from the right it is 2"),
        ("d/dz relu(z)", "give 0"),
        ("d/dz abs(z-3)", "At z = 3"),
        ("d/dz abs(sin(z))", "Where sin(z) is 0 there may be a kink"),
        ("d/dz log(z)", "It holds only where z is positive"),
        ("d/dz sqrt(1-z)", "It holds only where 1 − z is positive"),
        ("d/dz 1/(z-1)", "It holds only where z − 1 is not 0"),
        ("d/dz 1/(1+exp(-z))", "It holds for every value of z"),
        ("d/dz z*abs(z)", "It holds for every value of z"),
        ("d^2/dz^2 z*abs(z)", "f′(z) has a kink"),
    ],
)
def test_the_page_says_where_it_holds(text: str, said: str) -> None:
    assert said in " ".join(str(explain(text).print("text")).split())


# reading ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "by", "order"),
    [
        ("d/dz z^2", "z", 1),
        ("d/dz(z^2)", "z", 1),
        ("  d / dz z", "z", 1),
        ("∂/∂w1 w1*x", "w1", 1),
        ("d/dtheta sin(theta)", "theta", 1),
        ("d^2/dz^2 z^3", "z", 2),
        ("d**2/dz**2 z^3", "z", 2),
        ("d²/dz² z^3", "z", 2),
        ("∂^3/∂z^3 z^3", "z", 3),
        ("diff(z^2, z)", "z", 1),
        ("diff(max(z, x), z, 2)", "z", 2),
        ("d/dd d^2", "d", 1),
    ],
)
def test_ways_to_write_a_derivative(text: str, by: str, order: int) -> None:
    asked = read(text)
    assert (asked.by.id, asked.order) == (by, order)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("d/dz", "column 5: there is nothing to differentiate"),
        ("d/dz   ", "there is nothing to differentiate"),
        ("d/dz log(1+exp(-y))", "column 4: 'z' is not in the expression. Its variable is y."),
        ("d/dw w1*w2", "Did you mean 'w"),
        ("d/dz 5", "there is no variable in the expression: its derivative is 0"),
        ("d/dz log(1+", "column 11: '+' has nothing after it"),
        ("d/dz z;import os", "column 7: ';' is not understood"),
        ("d/ z", "after the '/' stands d and the variable"),
        ("d^2/dz z", "a derivative of order 2 is written d^2/dz^2"),
        ("d/dz^2 z", "the order is written twice"),
        ("d^9/dz^9 z", "the order of a derivative is 1 to 4"),
        ("d^99999999999/dz^99999999999 z", "the order of a derivative is 1 to 4"),
        ("diff(z^2)", "this is written diff(EXPRESSION, z)"),
        ("log(1+exp(-z))", "write d/dz log(1+exp(-z))"),
        ("/etc/passwd", "neither a lesson nor a derivative"),
        ("dL/dw", "write d/dw and what L is"),
        ("d/dz log(z-z)", "no value was found"),
        ("d/dz log(-1)*z", "no value was found"),
        ("d/dz z^1001", "a power of degree 1001; up to 1000"),
        ("sigmoyd", "Did you mean 'sigmoid'?"),
    ],
)
def test_refusals_say_where_and_what(text: str, problem: str) -> None:
    with pytest.raises(InputError) as error:
        explain(text)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


HOSTILE = [
    "(" * 60 + "z" + ")" * 60,
    "*".join(["sin(z)"] * 80),
    "exp(" * 45 + "z" + ")" * 45,
    "sin(" * 45 + "z" + ")" * 45,
    "1/(1+" * 30 + "z" + ")" * 30,
    "max(z," * 30 + "z^2" + ")" * 30,
    "z" * 5000,
    "((z^900)^900)^900",
    "z^(10^300)",
    "z^1e300",
    "2^(2^(2^(2^(2^(2^(2^z))))))",
    "exp(exp(exp(exp(exp(exp(z))))))",
    "sin(1e300*z)",
    "((((z^9)^9)^9)^9)^9",
    "z^" * 40 + "z",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20])
def test_hostile_texts_are_refused_quickly(text: str) -> None:
    began = time.perf_counter()
    with pytest.raises(InputError):
        explain(f"d/dz {text}")
    assert time.perf_counter() - began < 5


TOWERS = [
    *("exp(" * n + "z" + ")" * n for n in (4, 5)),
    *(f"{head}(exp(exp(exp(z))))" for head in ("sin", "erf", "exp")),
    "exp(-exp(exp(exp(z))))",
    "9^9^9^z",
    "0.5^9^9^9^z",
    "z^z^z^z^z^z",
]


@pytest.mark.parametrize("text", TOWERS)
def test_towers_take_neither_memory_nor_time(text: str) -> None:
    began = time.perf_counter()
    assert explain(f"d/dz {text}").document.witnesses
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("text", ["abs(z)/3", "max(z, 2)/3", "relu(z)/7", "3^-1*z", "(1+2)^-1*z^2", "min(z, 2)^-1"])
def test_whole_constants_are_divided_exactly(text: str) -> None:
    assert all(witness.ok for witness in explain(f"d/dz {text}").document.witnesses)


def where(text: str) -> str:
    """What a page says of where its derivative holds."""
    return " ".join(str(explain(text).print("text")).split("Where it holds")[1].split())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("d/dz abs(abs(z)-1)", "Where |z| − 1 is 0 there may be a kink"),
        ("d/dz min(abs(z), 1)", "Where |z| − 1 is 0 there may be a kink"),
        ("d/dz abs(z*(z-1)*(z-3)+z-1/2)", "z − 1/2 is 0 there may be a kink"),
        ("d/dz relu(z)*1e-6", "from the right it is 0.000001, so"),
        ("d/dz abs(z)/3", "from the left its slope is −1/3, from the right it is 1/3"),
        ("d/dz tanh(z)+max(z,5)", "from the left its slope is 0.0001816"),
        ("d/dz abs(z)^(1/3)", "It holds only where |z| is positive"),
        ("d/dz sqrt(abs(z))", "It holds only where |z| is positive"),
        ("d/dz z^(1-1+2)", "It holds for every value"),
        ("d/dz z^(1-2)", "It holds only where z is not 0"),
    ],
)
def test_kinks_are_where_they_are_said_to_be(text: str, says: str) -> None:
    assert says in where(text)


@pytest.mark.parametrize(
    ("text", "at", "slope"),
    [
        ("d/dz log(1+exp(z))+relu(z-4)", 5.0, 1.9933071490757151),
        ("d/dz tanh(z)+max(z,5)", 6.0, 1.0000245765474434),
        ("d/dz exp(-1e6*z^2)", 1e-3, -735.7588823428847),
        ("d/dz 1/(1+exp(-1000*z))", 1e-3, 196.61193324148185),
    ],
)
def test_a_taught_form_is_the_derivative_everywhere(text: str, at: float, slope: float) -> None:
    sections = explain(text).document.sections
    steps = [b for section in sections if "steps" in section.id for b in section.blocks if isinstance(b, Step)]
    f = steps[-1].lines[-1].forms[-1].formula
    assert float(evaluate(f, lambda name: digits().number(at), digits())) == pytest.approx(slope)


@pytest.mark.parametrize("text", ["0^z", "0^(z^2+1)"])
def test_a_power_of_zero_has_no_rule(text: str) -> None:
    with pytest.raises(InputError, match="no value was found"):
        explain(f"d/dz {text}")


@pytest.mark.parametrize("text", ["erf(1e5*z)", "exp(-1e9*z^2)", "z^((1/9)^1999)"])
def test_very_small_numbers_are_small_work(text: str) -> None:
    began = time.perf_counter()
    assert all(witness.ok for witness in explain(f"d/dz {text}").document.witnesses)
    assert time.perf_counter() - began < 5


def test_what_is_meant() -> None:
    assert is_meant("d/dz z") and is_meant("z^2") and is_meant("diff(z, z)")
    assert not is_meant("sigmoid") and not is_meant("learning_rate_schedules")


def test_the_checked_places_are_apart_and_moderate() -> None:
    asked: Asked = read("d/dz log(z)*relu(z-1)")
    drawn = draws(asked, 3)
    assert len({at[asked.by] for at in drawn}) == 3
    assert all(is_moderate(asked.function, at) for at in drawn)


# the command ------------------------------------------------------------------------------------------------------------
def test_a_folder_is_named_after_the_text() -> None:
    assert called_in_output("d/dz log(1+exp(-z))") == "d-dz-log-1-plus-exp-minus-z"
    assert called_in_output("∂/∂w (w*x-y)^2") == "d-dw-w-times-x-minus-y-to-2"
    assert len(called_in_output("d/dz " + "z+" * 400)) <= 80
    assert called_in_output("d/dz z+1") != called_in_output("d/dz z-1")


@pytest.mark.parametrize("format", ["html", "latex", "markdown", "text", "json"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_format_and_language(format: str, lang: str) -> None:
    found = CliRunner().invoke(
        main,
        ["explain", "d^2/dz^2 abs(z)*log(1+exp(-z))", "-f", format, "--lang", lang, "-o", "-"],
        standalone_mode=False,
    )
    assert found.exception is None
    assert len(found.output) > 1000


def test_chinese_pages_of_derivatives_have_no_english() -> None:
    text = str(explain("∂^2/∂w^2 relu(w*x)/(1+exp(-w*x)) + max(w,2)^x", lang="zh").print("text"))
    english = [sentence for key, sentence in table("en").items() if key.startswith(("rule.", "derivative."))]
    assert not [s for s in english if len(s.split()) > 3 and "{" not in s and s in text]


# the lessons on activations -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("topic", LESSONS)
def test_a_lesson_on_an_activation_ends_in_the_slope_of_its_op(topic: str) -> None:
    """What the lesson derives is what derive uses: the op's slope is a form of one of its lines, up to letters."""
    op = activations[topic]()
    assert isinstance(op, Elementwise) and load(topic).chapter == "activations"
    solution = explain(topic)
    lines = [line for s in solution.document.sections for b in s.blocks if isinstance(b, Step) for line in b.lines]
    slopes = [line for line in lines if "′(" in spell(line.target, Text())]
    assert slopes
    assert all(witness.ok for witness in solution.document.witnesses)


def test_every_activation_of_one_number_has_its_lesson() -> None:
    known = {name for name in activations if isinstance(activations[name](), Elementwise)}
    assert {"sigmoid", "relu"} <= known
    assert known - {*topics()} == set()
    assert any(isinstance(part, Apply) for part in walk(parse("z+1")))

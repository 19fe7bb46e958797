"""How numbers are shown: rounding decides what is right, so every digit of it is held to conventions.md, §2."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from derive import examples
from derive.errors import InputError
from derive.printers.terminal import page as text_page
from derive.solution import Solution, solve

GRADIENT = 0.000438568  # ∂E/∂w1 of the 2-2-2 network, as published


def lines(solution: Solution) -> dict[str, str]:
    """What is printed for every entry, by id; the first line of each."""
    sections = json.loads(solution.to_json())["sections"]
    found: dict[str, str] = {}
    for line in (line for section in sections for step in section["steps"] for line in step["lines"]):
        found.setdefault(line["id"], line["printed"])
    return found


def weighted(w: Any, **policy: Any) -> str:
    """What is printed for z = w·1."""
    net = {"inputs": ["X"], "layers": [{"linear": {"out": 1, "weight": [["W"]], "bias": False}}, "tanh"]}
    written = json.loads(json.dumps(net).replace('"X"', "1").replace('"W"', str(w)))
    return lines(solve(written, backward=False, form="scalar", **policy))["z1[1]"]


def body(solution: Solution) -> str:
    """The text page without the conventions and the witnesses."""
    page = text_page(solution.document, width=10**6)
    return page[: page.index("Conventions in force")]


# the 2-2-2 network ----------------------------------------------------------------------------------------------------
def test_the_published_gradient() -> None:
    solution = solve("mazur", significant=6)
    assert float(solution["dL/dw1"]) == pytest.approx(GRADIENT, abs=5e-10)
    assert lines(solution)["dL/dW1[1,1]"] == "0.000438568"


@pytest.mark.parametrize(
    ("policy", "value", "printed"),
    [
        ({"decimals": 2}, 0, {"0", "0.00"}),
        ({"decimals": 3}, 0, {"0", "0.000"}),
        ({"decimals": 4}, 0.0004, {"0.0004"}),
        ({"significant": 4}, 0.0004386, {"0.0004386"}),
    ],
)
def test_rounding_as_you_go(policy: dict[str, int], value: float, printed: set[str]) -> None:
    solution = solve("mazur", round_as_you_go=True, form="scalar", **policy)
    assert float(solution["dL/dW1[1,1]"]) == pytest.approx(value, abs=1e-15)
    assert lines(solution)["dL/dW1[1,1]"] in printed


@pytest.mark.parametrize("decimals", range(7))
def test_a_gradient_that_is_only_shown_rounded_never_shows_as_zero(decimals: int) -> None:
    solution = solve("mazur", decimals=decimals, form="scalar")
    shown = {id: text for id, text in lines(solution).items() if id.startswith("dL/d")}
    assert len(shown) > 10
    for id, text in shown.items():
        assert re.search("[1-9]", text), f"{id} shows as {text}"


@pytest.mark.parametrize("decimals", [1, 2, 3])
def test_what_is_too_small_for_its_decimals_shows_no_digits_that_are_not_its_own(decimals: int) -> None:
    """0.000438568 with 3 decimals may be 0.000439 or 4.39×10⁻⁴, not 0.0004390."""
    solution = solve("mazur", decimals=decimals, form="scalar")
    for id in ("dL/dW1[1,1]", "dL/dW1[1,2]", "dL/dW1[2,1]", "dL/dW1[2,2]"):
        printed = lines(solution)[id]
        digits, _, raised = printed.partition("×10")
        exponent = int("".join(str("⁰¹²³⁴⁵⁶⁷⁸⁹".find(c)) if c != "⁻" else "-" for c in raised) or 0)
        unit = 10.0 ** (exponent - len(digits.partition(".")[2]))
        off = abs(float(digits) * 10.0**exponent - float(solution[id]))
        assert off <= unit / 2 * (1 + 1e-9), f"{id} = {solution[id]!r} is printed {printed}"


def test_the_policy_in_force_is_on_the_page() -> None:
    for policy, words in [
        ({"significant": 7}, "7 significant digits"),
        ({"decimals": 3}, "3 decimals"),
        ({"exact": True}, "Fractions stay fractions"),
        ({"round_as_you_go": True}, "as on paper"),
        ({"half": "up"}, "away from zero"),
    ]:
        assert words in text_page(solve("mazur", **policy).document, width=10**6)


# fractions --------------------------------------------------------------------------------------------------------------
def test_fractions_stay_fractions() -> None:
    """The network of relu_fractions, worked here in fractions."""
    F = Fraction
    x, t, rate = [F(1), F(2, 3)], F(1, 2), F(1, 10)
    W1, b1 = [[F(1, 2), F(3, 4)], [F(-1), F(1, 3)], [F(1, 4), F(-1, 6)]], [F(1, 8), F(1, 2), F(1, 3)]
    W2, b2 = [F(2, 3), F(-1), F(1, 2)], F(1, 6)
    z1 = [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in zip(W1, b1, strict=True)]
    a1 = [max(z, F(0)) for z in z1]
    z2 = sum(w * a for w, a in zip(W2, a1, strict=True)) + b2
    delta = z2 - t
    expected = {"L": (z2 - t) ** 2 / 2, "z2[1]": z2, "dL/dz2[1]": delta, "b2+[1]": b2 - rate * delta}
    expected |= {f"z1[{j + 1}]": z for j, z in enumerate(z1)}
    expected |= {f"dL/dW2[1,{j + 1}]": delta * a for j, a in enumerate(a1)}
    expected |= {f"W2+[1,{j + 1}]": W2[j] - rate * delta * a for j, a in enumerate(a1)}
    expected |= {f"dL/dW1[{j + 1},{i + 1}]": delta * W2[j] * (z1[j] > 0) * x[i] for j in range(3) for i in range(2)}
    printed = lines(solve("relu_fractions"))
    for id, value in expected.items():
        assert printed[id].replace("−", "-") == str(value), id


def test_exact_leaves_what_is_no_fraction_rounded() -> None:
    printed = lines(solve("mazur", exact=True))
    assert printed["z1[1]"] == "151/400" and printed["a1[1]"] == "0.5933"


@pytest.mark.parametrize("policy", [{"decimals": 4}, {"significant": 4}])
def test_paper_rounding_has_no_fractions(policy: dict[str, int]) -> None:
    """The file asks for fractions, the command line for rounding as one goes: no fraction stands after rounded numbers."""
    printed = lines(solve("relu_fractions", round_as_you_go=True, **policy))
    assert [(id, text) for id, text in printed.items() if "/" in text] == []


def test_paper_rounding_of_a_probability_to_one() -> None:
    """0·ln 0 is 0, in matrices as well."""
    layer = {"linear": {"out": 1, "weight": [[9]], "bias": [0]}}
    net = {"inputs": [1], "targets": [1], "layers": [layer, "sigmoid"], "loss": "bce"}
    assert solve(net, round_as_you_go=True, decimals=2, form="matrix")["L"] == 0


def test_paper_rounding_to_a_divisor_of_zero() -> None:
    layer = {"linear": {"out": 1, "weight": [[1]], "bias": [0]}}
    net = {"inputs": [0], "targets": [0], "layers": [layer], "loss": "mse", "optimizer": "adamax"}
    with pytest.raises(InputError, match="a divisor that is 0; give it more digits"):
        solve(net, round_as_you_go=True, decimals=2)


# ties, literals, signs, sizes ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "policy", "even", "up"),
    [
        ("0.125", {"decimals": 2}, "0.12", "0.13"),
        ("0.375", {"decimals": 2}, "0.38", "0.38"),
        ("-0.125", {"decimals": 2}, "−0.12", "−0.13"),
        ("0.1250001", {"decimals": 2}, "0.13", "0.13"),
        ("0.1249999", {"decimals": 2}, "0.12", "0.12"),
        ("2.5", {"significant": 1}, "2", "3"),
        ("3.5", {"significant": 1}, "4", "4"),
        ("0.0625", {"significant": 2}, "0.062", "0.063"),
        ("1.00005", {"significant": 5}, "1.0000", "1.0001"),
    ],
)
def test_ties(value: str, policy: dict[str, int], even: str, up: str) -> None:
    assert weighted(value, half="even", **policy) == even
    assert weighted(value, half="up", **policy) == up


def test_literals_are_kept() -> None:
    page = body(solve("mazur", form="scalar"))
    assert "0.20·0.10" in page and "0.40·" in page and "[0.40 0.45; 0.50 0.55]" in page
    solution = solve("mazur", form="scalar")
    assert "<mn>0.40</mn>" in re.sub("</?a[^>]*>", "", solution.to_html())
    assert r"0.40 \cdot 0.5933" in solution.to_latex() and r"0.40 \cdot 0.5933" in solution.to_markdown()


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("0.000123456", "0.0001235"),
        ("0.0000999949", "9.999×10⁻⁵"),
        ("0.00009999951", "0.0001000"),
        ("-0.0000123456", "−1.235×10⁻⁵"),
        ("999949", "999900"),
        ("999950.1", "1.000×10⁶"),
        ("1234567", "1.235×10⁶"),
        ("-98765432", "−9.877×10⁷"),
        ("12345.6", "12350"),
        ("1e-30", "1×10⁻³⁰"),
        ("0.5", "0.5"),
        ("1.23456", "1.235"),
        ("1000000", "1×10⁶"),
        ("0.0001", "0.0001"),
    ],
)
def test_plain_within_bounds_else_scientific(value: str, printed: str) -> None:
    assert weighted(value) == printed


DEAD = {
    "inputs": [1, -2],
    "targets": [0, 0],
    "loss": "half_squared_error",
    "optimizer": {"sgd": {"lr": 0.1}},
    "layers": [
        {"linear": {"out": 2, "weight": [[-1, 0], [-0.0, 0.5]], "bias": [0, -0.0]}},
        "relu",
        {"linear": {"out": 2, "weight": [[-0.5, 1], [0, -3]], "bias": [-1, 0]}},
    ],
}


@pytest.mark.parametrize("form", ["scalar", "both"])
@pytest.mark.parametrize("policy", [{}, {"decimals": 2}, {"decimals": 2, "round_as_you_go": True}, {"exact": True}])
def test_no_minus_zero(policy: dict[str, Any], form: str) -> None:
    solution = solve(DEAD, form=form, **policy)
    zero = re.compile(r"[−-]0(?:[.,]0*)?(?![\d.,])")
    shown = [text for text in lines(solution).values() if text]
    assert len(shown) > 20
    assert [text for text in shown if zero.search(text)] == []
    assert not re.search(r"(?:[=≈(\[] ?|; )−0(?:\.0*)?(?![\d./])", body(solution))
    assert re.findall(r"-0\.0\b", solution.to_json()) == []
    assert not any(np.any((q.value == 0) & np.signbit(q.value)) for q in solution.document.quantities.values())


# the decimal comma ------------------------------------------------------------------------------------------------------
def without(page: str, *patterns: str) -> str:
    for pattern in patterns:
        page = re.sub(pattern, "", page, flags=re.DOTALL)
    return page


@pytest.mark.parametrize("name", [name for name in examples.names() if name != "symbols_only"])
def test_the_comma_is_everywhere(name: str) -> None:
    """No number of the solution has a point: in lines, tables, sentences, matrices and the diagram."""
    solution = solve(name, comma=True, form="both")
    point = re.compile(r"\d\.\d")
    assert point.findall(body(solution)) == []
    html = without(
        solution.to_html(),
        "<svg.*?</svg>",
        "<style.*?</style>",
        "<script.*?</script>",
        '<section id="witnesses">.*?</section>',
        "<footer.*?</footer>",
        "<head.*?</head>",
        "<annotation.*?</annotation>",
        r'(?:href|id|space)="[^"]*"',
        "<[^>]*>",
    )
    assert point.findall(html) == []
    tex = solution.to_latex()
    start, stop = tex.index("longtable"), tex.index(r"\section*{Conventions")
    tex = without(tex[start:stop], r"\\begin\{tikzpicture\}.*?\\end\{tikzpicture\}")
    assert point.findall(re.sub(r"[\d.]+(?:pt|\\linewidth)", "", tex)) == []
    if "exact: true" not in examples.text(name):
        assert re.search(r"\d,\d", body(solution)) and re.search(r"\d\{,\}\d", tex)


@pytest.mark.parametrize("name", ["mazur", "deep_narrow", "softmax_classifier"])
def test_the_comma_is_in_the_diagram(name: str) -> None:
    svg = str(solve(name, comma=True).print("svg"))
    texts = re.findall(r">([^<>]*\d[^<>]*)<", re.sub("<style.*?</style>", "", svg, flags=re.DOTALL))
    assert len(texts) > 5
    assert [text for text in texts if re.search(r"\d\.\d", text)] == []


def test_a_tiny_number_in_the_diagram_is_spelled_as_on_the_page() -> None:
    net = {"inputs": [1], "layers": [{"linear": {"out": 1, "weight": [[0.00000123]], "bias": False}}]}
    svg = str(solve(net, backward=False).print("svg"))
    assert not re.search(r"\de[−-]?\d", re.sub("<style.*?</style>", "", svg, flags=re.DOTALL))

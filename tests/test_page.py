"""The page test: every printed line read back from its text, its LaTeX and its MathML, and worked out again.

The numbers of a line must give its value within the digits that are printed; `=` may stand only where they give it
exactly; the three spellings of a line must mean the same. The readers (reading.py) know nothing of derive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
import reading
from reading import Elided, LatexReader, MathReader, Names, Precision, Range, TextReader, Unreadable, mp

from derive import examples
from derive.losses import losses
from derive.notation import PRESETS
from derive.ops.activations import activations
from derive.printers.terminal import page as text_page
from derive.solution import Solution, solve

WIDE = 10**6
SAME = mp.mpf(10) ** -25
FRACTION = re.compile(r"(\d+)/(\d+)")
NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)(?:×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?")
CONSTANTS = {"0.01", "0.044715", "0.5"}  # defaults of options, which appear as written


# a page as pieces -----------------------------------------------------------------------------------------------------
@dataclass
class Printed:
    """A line of the text page: its rows of (relation, text), and the case it names."""

    target: str
    rows: list[list[tuple[str, str]]]
    case: str = ""

    @property
    def pieces(self) -> list[tuple[str, str]]:
        return [piece for row in self.rows for piece in row]


def links(text: str) -> list[tuple[str, str]]:
    """(relation, formula) of `= a ≈ b`."""
    parts = re.split(r" (=|≈) ", f" {text.strip()}")
    return list(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


def lines_of(page: str) -> list[Printed]:
    """The lines of a text page wide enough that none is broken."""
    found: list[Printed] = []
    for row in page.splitlines():
        if not row.startswith("  ") or not re.search(r" [=≈] ", f"{row} "):
            continue
        body, _, case = row.partition("   (since ")
        if not row.strip().startswith(("=", "≈")):
            target = re.split(r" [=≈] ", body)[0].strip()
            found.append(Printed(target, []))
            body = body.strip().removeprefix(target)
        found[-1].rows.append(links(body))
        found[-1].case = case.removesuffix(")")
    return found


def key(match: re.Match[str]) -> str:
    exponent = "".join(reading.PLAIN[c] for c in match[2] or "").replace("−", "-")
    return reading.canonical(match[1].replace(",", "."), int(exponent or 0))


def keys(text: str) -> set[str]:
    return {key(match) for match in NUMBER.finditer(FRACTION.sub("", text))}


def precision_of(lines: list[Printed], given: str, policy: dict[str, Any]) -> Precision:
    """What is exact: the given numbers and values after `=`; what also stands as a value after `≈` is not."""
    exact, rounded = keys(given) | CONSTANTS, set[str]()
    exact |= {k.rstrip("0").rstrip(".") for k in exact if "." in k}
    exact |= {reading.canonical(m[1], int(m[2])) for m in re.finditer(r"(\d+(?:\.\d+)?)[eE]([-+]?\d+)", given)}
    for line in lines:
        relation, value = line.pieces[-1]
        if reading_or_none(value) is not None:
            (exact if {r for r, _ in line.rows[-1]} == {"="} else rounded).update(keys(value))
    rounded.discard("0")  # what is rounded never shows as zero
    as_you_go = bool(policy.get("round_as_you_go"))
    significant = 30 if "decimals" in policy or policy.get("exact") else policy.get("significant", 4)
    zero = Fraction(1, 2 * 10 ** policy["decimals"]) if as_you_go and "decimals" in policy else Fraction(0)
    return Precision(exact, rounded, all_exact=as_you_go, significant=significant, zero=zero)


def reading_or_none(text: str) -> Any:
    try:
        return TextReader(Precision(), comma="," in text and "." not in text).read(text)
    except (Names, Elided, Unreadable):
        return None


# comparing ------------------------------------------------------------------------------------------------------------
def cells(value: Any, like: Any = None) -> list[Range]:
    """All numbers of a value, laid out like another one."""
    if isinstance(like, np.ndarray):
        value = np.broadcast_to(np.asarray(value, dtype=object), like.shape)
    return list(np.asarray(value, dtype=object).ravel())


def meet(one: Range, other: Range) -> bool:
    slack = SAME * (abs(one.face) + abs(other.face)) + mp.mpf(10) ** -60
    return one.low <= other.high + slack and other.low <= one.high + slack


def equal(one: Range, other: Range) -> bool:
    if one.exact is not None and other.exact is not None:
        return one.exact == other.exact
    return abs(one.face - other.face) <= SAME * max(abs(one.face), abs(other.face))


def rounds_to(one: Range, value: Range, half: Any) -> bool:
    return abs(one.face - value.face) <= half * (1 + SAME)


@dataclass
class Findings:
    """What was compared, and what was found wrong."""

    compared: int = 0
    sharp: int = 0  # compared with so little play that a wrong third digit would show
    elided: int = 0
    spellings: int = 0
    faults: list[str] = field(default_factory=list)

    def check(self, line: Printed, reader: TextReader) -> list[Any]:
        """A line against itself; its numeric pieces' values."""
        values: list[Any] = []
        try:
            for row in line.rows:
                values += [self.read(reader, text) for _, text in row]
            if values and values[-1] is None and not any(c in line.pieces[-1][1] for c in "⋯"):
                self.faults.append(f"{line.target}: no value at the end: {line.pieces[-1][1]}")
            last = values[-1] if values else None
            if last is not None:
                self.numbers(line, values, last, reader)
            if line.case and not decided(line.case, reader):
                self.faults.append(f"{line.target}: the case '{line.case}' does not hold")
        except Unreadable as problem:
            self.faults.append(f"{line.target}: unreadable: {problem} in {line.pieces}")
        return values

    def read(self, reader: TextReader, text: str) -> Any:
        try:
            return reader.read(text)
        except Names:
            if not re.search(
                r"[^\W\d_]", re.sub(r"\b(ln|log1p|log|tanh|erf|expm1|max|min|if|else)\b|e(?=[\^⁰-ⁿ⁻])", "", text)
            ):
                raise Unreadable(f"numbers that are no formula: {text}") from None
            return None
        except Elided:
            self.elided += 1
            return None

    def numbers(self, line: Printed, values: list[Any], last: Any, reader: TextReader) -> None:
        """Every numeric piece must give the last value, within what is printed."""
        numeric = [
            (relation, text, v) for (relation, text), v in zip(line.pieces, values, strict=True) if v is not None
        ]
        for i, (relation, text, value) in enumerate(numeric):
            before = numeric[i - 1] if i else None
            if relation == "=":
                exactly = {r for r, _, _ in numeric[i:]} == {"="} and all(map(equal, cells(value, last), cells(last)))
                self.equality(line, text, value, before, reader.precision, exactly=exactly)
            if text is not numeric[-1][1]:
                self.value(line, text, value, last, numeric[-1][1], reader)

    def equality(
        self,
        line: Printed,
        text: str,
        value: Any,
        before: tuple[str, str, Any] | None,
        precision: Precision,
        *,
        exactly: bool,
    ) -> None:
        """After `=` numbers must be exact (or give the value exactly: 0·0.49); and equal to those before in this row."""
        loose = [k for k in keys(text) if not precision.is_exact(k) and k not in precision.exact]
        if loose and not precision.all_exact and not exactly:
            self.faults.append(f"{line.target}: '=' before {text}, where {loose} is rounded")
        row = next(row for row in line.rows if any(t is text for _, t in row))
        if before is not None and any(t is before[1] for _, t in row):
            for one, other in zip(cells(before[2], value), cells(value), strict=True):
                if not equal(one, other):
                    self.faults.append(f"{line.target}: {before[1]} = {text} is not equal")
                    return

    def value(self, line: Printed, text: str, value: Any, last: Any, shown: str, reader: TextReader) -> None:
        halves = half_units(shown, reader)
        found = cells(value, last)
        if len(found) != len(cells(last)) or len(halves) != len(found):
            self.faults.append(f"{line.target}: {text} has another shape than {shown}")
            return
        for one, other, half in zip(found, cells(last), halves, strict=True):
            self.compared += 1
            self.sharp += one.width <= abs(one.face) * mp.mpf("0.02")
            wide = Range(other.face, other.face - half, other.face + half)
            good = rounds_to(one, other, half) if reader.precision.all_exact else meet(one, wide)
            if not good:
                self.faults.append(
                    f"{line.target}: {text} gives {mp.nstr(one.face, 8)}, printed {mp.nstr(other.face, 8)}"
                )

    def spelled(self, what: str, ours: list[Any], theirs: list[Any]) -> None:
        """Another spelling must have the same values in the same order; it may leave out what has no room."""
        theirs = [v for v in theirs if v is not None]
        position = 0
        for value in theirs:
            for at in range(position, len(ours)):
                if same(ours[at], value):
                    position = at + 1
                    self.spellings += 1
                    break
            else:
                self.faults.append(f"{what}: another value than in the text: {value}")
                return


def same(one: Any, other: Any) -> bool:
    if np.shape(one) != np.shape(other) or one is None:
        return False
    return all(equal(a, b) for a, b in zip(cells(one), cells(other), strict=True))


def half_units(shown: str, reader: TextReader) -> list[Any]:
    """Half a unit of the last digit of every number of a value; fractions are exact."""
    found = []
    for match in NUMBER.finditer(FRACTION.sub("0", shown)):
        exponent = "".join(reading.PLAIN[c] for c in match[2] or "").replace("−", "-")
        digits = match[1].replace(",", ".")
        exact = not reader.precision.all_exact and reader.precision.is_exact(key(match))
        half = reading.half_unit(digits, int(exponent or 0), reader.precision.significant)
        if digits == "0":  # shown for what is zero, or rounded to it as one goes
            half = reader.precision.zero
        found.append(mp.zero if exact else mp.mpf(half.numerator) / half.denominator)
    return found


def decided(case: str, reader: TextReader) -> bool:
    """Whether a condition can hold for the numbers meant."""
    parts = reading.split_outside(case, ", ")  # all of them
    return all(holds is not False for part in parts for holds in np.ravel(np.asarray(reader.read(part), dtype=object)))


def examined(solution: Solution, given: str, policy: dict[str, Any]) -> Findings:
    """All lines of a solution in all three spellings."""
    document = solution.document
    comma, columns = document.style.comma, document.style.columns
    lines = lines_of(text_page(document, width=WIDE))
    html = reading.maths_lines(solution.to_html())
    drawn = [
        q.value
        for q in document.quantities.values()
        if q.role in ("input", "target", "parameter") and q.value is not None
    ]
    given += " " + " ".join(
        repr(abs(float(x))) for array in drawn for x in np.ravel(array)
    )  # drawn ones are as short as printed, or rounded
    precision = precision_of(lines, given, policy)
    text, latex, math = (
        kind(precision, comma=comma, columns=columns) for kind in (TextReader, LatexReader, MathReader)
    )
    findings = Findings()
    assert len(html) == len(lines), "the text page and the HTML page have different lines"
    data = [
        line
        for section in json.loads(solution.to_json())["sections"]
        for step in section["steps"]
        for line in step["lines"]
    ]
    assert len(data) == len(lines), "the text page and the JSON have different lines"
    for line, (tex, spelled), machine in zip(lines, html, data, strict=True):
        values = findings.check(line, text)
        relations = [r for r, _ in spelled]
        if relations != [r for r, _ in line.pieces]:
            findings.faults.append(f"{line.target}: relations differ: {relations} in HTML, {line.pieces} in text")
        findings.spelled(
            f"{line.target}, MathML", values, list(attempts(findings, math, [e for _, e in spelled], line))
        )
        pieces = latex.pieces(tex)
        findings.spelled(f"{line.target}, LaTeX", values, list(attempts(findings, latex, [t for _, t in pieces], line)))
        if machine["numbers"]:
            for value in attempts(findings, latex, [machine["numbers"]["latex"]], line):
                if (
                    value is not None
                    and values
                    and values[-1] is not None
                    and not any(v is not None and same(value, v) for v in values)
                ):
                    findings.value(line, machine["numbers"]["latex"], value, values[-1], line.pieces[-1][1], text)
        if machine["printed"] and machine["value"] is not None:
            machine_value(findings, line, machine, text)
    return findings


def attempts(findings: Findings, reader: Any, sources: list[Any], line: Printed) -> Iterator[Any]:
    for source in sources:
        try:
            yield reader.read(source)
        except (Names, Elided):
            yield None
        except Unreadable as problem:
            findings.faults.append(f"{line.target}: {type(reader).__name__}: unreadable: {problem}")


def machine_value(findings: Findings, line: Printed, machine: dict[str, Any], reader: TextReader) -> None:
    """The JSON's float64 against the digits printed for it."""
    try:
        shown = cells(reader.read(machine["printed"]))
    except Elided:
        return
    floats = np.ravel(np.asarray(machine["value"], dtype=object))
    for value, printed, half in zip(floats, shown, half_units(machine["printed"], reader), strict=True):
        exactly = (
            mp.mpf(Fraction(value).numerator) / Fraction(value).denominator if isinstance(value, str) else mp.mpf(value)
        )
        if abs(exactly - printed.face) > half * (1 + mp.mpf("1e-9")) + abs(exactly) * mp.mpf("1e-14") + mp.mpf(
            "1e-300"
        ):
            findings.faults.append(f"{line.target}: {machine['printed']} is printed for {value}")


# networks -------------------------------------------------------------------------------------------------------------
EXAMPLES = [name for name in examples.names() if name != "symbols_only"]
POLICIES: dict[str, dict[str, Any]] = {
    "default": {},
    "two": {"significant": 2},
    "nine": {"significant": 9},
    "decimals": {"decimals": 3},
    "exact": {"exact": True},
    "half up": {"half": "up", "significant": 3},
    "comma": {"comma": True},
    "paper": {"decimals": 4, "round_as_you_go": True},
    "paper figures": {"significant": 5, "round_as_you_go": True},
}


def verdict(findings: Findings, least: int) -> None:
    assert findings.faults == []
    assert findings.compared >= least
    assert findings.spellings >= least
    assert findings.sharp >= findings.compared // 3


@pytest.mark.parametrize("form", ["scalar", "matrix"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str, form: str) -> None:
    solution = solve(name, form=form, level="full")
    verdict(examined(solution, examples.text(name), {"exact": "exact: true" in examples.text(name)}), 25)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_notations(preset: str) -> None:
    solution = solve("regression", notation=preset, form="both", level="full")
    verdict(examined(solution, examples.text("regression"), {}), 100)


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize("name", ["mazur", "softmax_classifier", "regression", "relu_fractions"])
def test_policies(name: str, policy: str) -> None:
    options = {"half": "even", **POLICIES[policy]}
    if policy == "comma" and name == "relu_fractions":
        options["exact"] = False
    solution = solve(name, form="scalar", level="full", **options)
    findings = examined(solution, examples.text(name), {**POLICIES[policy]})
    assert findings.faults == []
    assert findings.compared >= 25


def nasty(seed: int) -> dict[str, Any]:
    """A small network of random shape, with numbers of any size and sign."""
    random = np.random.default_rng(seed)

    def numbers(*shape: int) -> Any:
        sizes = 10.0 ** random.choice([-7, -4, -2, -1, 0, 0, 0, 0, 1], shape)
        found = (
            random.choice([-1.0, 1.0], shape)
            * np.round(random.uniform(0.1, 2.5, shape), int(random.integers(0, 4)))
            * sizes
        )
        return np.vectorize(lambda x: float(f"{x:.4g}"))(found).tolist()

    names = [name for name in activations if name not in ("softmax", "log_softmax")]
    width = [int(n) for n in random.integers(1, 4, 3)]
    samples = int(random.integers(1, 4))
    layers: list[Any] = []
    for before, after in zip(width, width[1:], strict=False):
        bias: Any = [numbers(after), 0.3, False][int(random.integers(0, 3))]
        layers += [
            {"linear": {"out": after, "weight": numbers(after, before), "bias": bias}},
            names[int(random.integers(len(names)))],
        ]
    loss = ["mse", "half_squared_error", "l1", "huber", "smooth_l1"][int(random.integers(5))]
    batch = samples > 1
    return {
        "inputs": numbers(samples, width[0]) if batch else numbers(width[0]),
        "layers": layers,
        "loss": loss,
        "targets": numbers(samples, width[-1]) if batch else numbers(width[-1]),
        "optimizer": {"sgd": {"lr": 0.1}},
    }


def of_activation(name: str) -> dict[str, Any]:
    """Arguments on both sides of everything, tiny ones and large ones."""
    return {
        "inputs": [[1.5, -0.25], [-0.00002, 3]],
        "targets": [[0.4, -0.1, 0.7], [0.2, 0.3, -2]],
        "layers": [
            {"linear": {"out": 3, "weight": [[0.8, -0.5], [-1.25, 0.3], [0.002, 4]], "bias": [0, 0.1, -0.2]}},
            name,
        ],
        "loss": "half_squared_error",
        "optimizer": {"sgd": {"lr": 0.25}},
    }


ENDS: dict[str, tuple[Any, list[str]]] = {
    "mse": ([[0.4, -1.5], [2, 0]], []),
    "half_squared_error": ([[0.4, -1.5], [2, 0]], []),
    "l1": ([[0.4, -1.5], [2, 0]], []),
    "huber": ([[0.4, -1.5], [2, 0]], []),
    "smooth_l1": ([[0.4, -1.5], [2, 0]], []),
    "bce": ([[1, 0], [0.25, 1]], ["sigmoid"]),
    "bce_with_logits": ([[1, 0], [0.25, 1]], []),
    "cross_entropy": ([1, 0], ["softmax"]),
    "nll": ([1, 0], ["log_softmax"]),
    "kl_div": ([[0.25, 0.75], [1, 0]], ["log_softmax"]),
    "hinge_embedding": ([[1, -1], [-1, 1]], []),
}


def of_loss(name: str) -> dict[str, Any]:
    targets, end = ENDS[name]
    return {
        "inputs": [[0.5, -2], [1.25, 0.75]],
        "targets": targets,
        "loss": name,
        "optimizer": {"sgd": {"lr": 0.5}},
        "layers": [
            {"linear": {"out": 2, "weight": [[0.3, -0.45], [-0.6, 0.2]], "bias": [0.05, -0.1]}},
            "tanh",
            {"linear": {"out": 2, "weight": [[1.5, -0.7], [0.9, 0.4]], "bias": 0.2}},
            *end,
        ],
    }


@pytest.mark.parametrize("form", ["scalar", "matrix"])
@pytest.mark.parametrize("name", list(activations))
def test_activations(name: str, form: str) -> None:
    net = of_activation(name)
    findings = examined(solve(net, form=form, level="full"), json.dumps(net), {})
    verdict(findings, 25)


@pytest.mark.parametrize("form", ["scalar", "matrix"])
@pytest.mark.parametrize("name", list(losses))
def test_losses(name: str, form: str) -> None:
    net = of_loss(name)
    verdict(examined(solve(net, form=form, level="full"), json.dumps(net), {}), 30)


@pytest.mark.parametrize("seed", range(26))
def test_random_networks(seed: int) -> None:
    net = nasty(seed)
    policy = list(POLICIES.values())[seed % len(POLICIES)]
    notation = list(PRESETS)[seed % len(PRESETS)]
    solution = solve(net, form=("scalar", "matrix", "both")[seed % 3], notation=notation, level="full", **policy)
    findings = examined(solution, json.dumps(net), policy)
    assert findings.faults == []
    assert findings.compared >= 5


def test_a_large_matrix_is_shortened_and_counted() -> None:
    net = {
        "inputs": {"randn": [10, 12]},
        "targets": {"randn": [10, 1]},
        "seed": 1,
        "loss": "mse",
        "layers": [{"linear": {"out": 10}}, "tanh", {"linear": {"out": 1}}],
    }
    net["targets"] = [[0.5]] * 10
    findings = examined(solve(net, form="matrix"), json.dumps(net), {})
    assert findings.faults == []
    assert findings.elided >= 3


# the readers themselves -----------------------------------------------------------------------------------------------
def value_of(text: str, **options: Any) -> Any:
    found = TextReader(Precision(all_exact=True), **options).read(text)
    return found.exact if isinstance(found, Range) and found.exact is not None else found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.15·0.05 + 0.20·(−0.1)", "-0.0125"),
        ("−0.5²", "-0.25"),
        ("(−0.5)²", "0.25"),
        ("(1/2)·(0.01 − 0.75)²", "0.2738"),
        ("2.5×10⁻⁵·4", "0.0001"),
        ("1/2·3", "1.5"),
        ("1/(2·4)", "0.125"),
        ("|−3 + 1| − 1/2", "1.5"),
        ("e^{0}", "1"),
        ("ln(1)", "0"),
        ("max(0, −2) + min(1, 3)", "1"),
        ("Σ [1 −2; 3 4]", "6"),
        ("√(4)", "2"),
        ("−(−3)", "3"),
        ("1.5×10^{−3}", "0.0015"),
    ],
)
def test_text_is_read(text: str, value: str) -> None:
    assert value_of(text) == Fraction(value)


def test_matrices_are_read() -> None:
    reader = TextReader(Precision(all_exact=True))
    product = reader.read("[1 2; 3 4] [1; −1] + [0.5; 0]")
    assert [[cell.exact for cell in row] for row in product] == [[Fraction(-1, 2)], [-1]]
    assert [cell.exact for cell in cells(reader.read("[1 2]ᵀ ⊙ [3; 4]"))] == [3, 8]
    assert [cell.exact for cell in cells(reader.read("Σₙ [1 2; 3 4]"))] == [3, 7]
    assert [
        cell.exact for cell in cells(TextReader(Precision(all_exact=True), columns=False).read("Σₙ [1 2; 3 4]"))
    ] == [4, 6]
    with pytest.raises(Elided):
        reader.read("[1 ⋯ 2]")


def test_latex_and_mathml_are_read() -> None:
    latex = LatexReader(Precision(all_exact=True))
    for source, value in [
        (r"\tfrac{1}{2} \cdot (0.5 - (-1))^{2}", "1.125"),
        (r"-0.5^{2}", "-0.25"),
        (r"\frac{1}{1 + e^{-0}}", "0.5"),
        (r"\left|-3\right| \cdot 2.5 \times 10^{-5}", "0.000075"),
        (r"\ln(1)", "0"),
        (r"\sqrt{4}", "2"),
        (r"\sum \begin{bmatrix} 1 & -2 \\ 3 & 4 \end{bmatrix}", "6"),
    ]:
        assert latex.read(source).exact == Fraction(value), source
    assert latex.pieces(r"\begin{aligned} L &= a \\ &\approx \frac{1}{2} + 3 \end{aligned}") == [
        ("=", "a"),
        ("≈", r"\frac{1}{2} + 3"),
    ]
    assert LatexReader(Precision(all_exact=True), comma=True).read("0{,}5").exact == Fraction(1, 2)
    with pytest.raises(Names):
        latex.read(r"\sigma(z)")


@pytest.mark.parametrize("text", ["1 +", "(1", "1 2", "1/0", "[1 2; 3]", "1·[1]·[2]", "0.5 ⊙ 2", "ln(−1)"])
def test_what_has_no_meaning_is_refused(text: str) -> None:
    with pytest.raises((Unreadable, IndexError)):
        value_of(text)


def test_a_rounded_number_stands_for_many() -> None:
    found = TextReader(Precision(exact={"2"})).read("0.35·2")
    assert (float(found.low), float(found.high)) == pytest.approx((0.69, 0.71))
    rounded = TextReader(Precision(significant=4)).read("123500 + 0")
    assert float(rounded.high - rounded.low) == 101 or float(rounded.width) == pytest.approx(100)


MUTATIONS = [
    ("0.1385·0.5933 ≈ 0.08217", "0.1385·0.5933 ≈ 0.08317"),
    ("≈ −0.2171·0.1755", "≈ 0.2171·0.1755"),
    ("+ (−0.03810)", "+ 0.03810"),
    ("= 0.3775", "= 0.3776"),
    ("e^{−0.3775}) ≈ 0.5933", "e^{−0.3775}) = 0.5933"),
    ("−(0.01 − 0.7514)", "(0.01 − 0.7514)"),
    ("(1/2)·(0.01 − 0.7514)²", "(1/2)·(0.01 − 0.7514)"),
    ("≈ 0.2748 + 0.02356 ≈ 0.2984", "= 0.2748 + 0.02356 ≈ 0.2984"),
    ("≈ 0.40 − 0.5·0.08217 ≈ 0.3589", "≈ 0.40 + 0.5·0.08217 ≈ 0.3589"),
    ("0.7514·(1 − 0.7514)", "0.7514·1 − 0.7514"),
]


@pytest.mark.parametrize(("old", "new"), MUTATIONS)
def test_a_wrong_page_is_found(old: str, new: str) -> None:
    """The test itself is tested: each of these changes to a good page is a fault."""
    page = good_page()
    assert old in page
    assert faults_of(page) == []
    assert faults_of(page.replace(old, new, 1)) != []


@cache
def good_page() -> str:
    return text_page(solve("mazur", form="scalar").document, width=WIDE)


@cache
def faults_of(page: str) -> list[str]:
    """What is wrong with a page that should be the good one."""
    reader = TextReader(precision_of(lines_of(good_page()), examples.text("mazur"), {}))
    findings = Findings()
    for line in lines_of(page):
        findings.check(line, reader)
    return findings.faults

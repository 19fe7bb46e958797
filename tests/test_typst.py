"""Formulas of Typst and Word read back and worked out; texts of Typst that stay text; hundreds of formulas compiled."""

from __future__ import annotations

import re
from fractions import Fraction
from random import Random

import pytest
import typst
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nets import HOSTILE, solved
from reading import Elided, LatexReader, Names, Precision, Unreadable
from reading_omml import OmmlReader
from reading_typst import TypstReader
from test_page import same

from derive.algebra import EXACT, evaluate
from derive.dialects.latex import Latex
from derive.dialects.omml import Omml
from derive.dialects.typst import Typst, cut, letters, string, text, visible
from derive.document import steps
from derive.formula import Apply, Formula, Function, Name, Number, Partial, Symbol, names
from derive.lines import pieces
from derive.spelling import Shown, Style, constant, spell

EVERY = Precision(all_exact=True)
READERS = ((Typst, TypstReader), (Omml, OmmlReader))
VALUES = [Fraction(n) for n in (-3, -1, 0, 1, 2)] + [Fraction(1, 2), Fraction(-2, 3), Fraction(-1, 4), Fraction(7, 40)]
LEAVES = [
    Name("x", symbol=Symbol("x")),
    Name("w", symbol=Symbol("w", sub="12", sup="(1)", mark="+")),
    Name("y", symbol=Symbol("ŷ", sub="1")),
    Name("t", symbol=Symbol("target")),
    Name("g", symbol=Partial(Symbol("L"), Symbol("w", sub="1"))),
    Name("l", symbol=Symbol('a", #b) \\')),
    *(Number(value) for value in VALUES),
]
HEADS = {"add": 3, "mul": 3, "had": 2, "neg": 1, "div": 2, "pow": 2, "abs": 1, "max": 2, "min": 2, "sqrt": 1, "exp": 1}


def grown(random: Random, depth: int, heads: tuple[str, ...] = tuple(HEADS)) -> Formula:
    """A tree of any shape, also of those that derive itself would simplify."""
    if depth == 0 or random.random() < 0.15:
        return random.choice(LEAVES)
    if random.random() < 0.1:
        value, other, left, right = (grown(random, depth - 1, heads) for _ in range(4))
        return Apply("cases", (value, Apply(random.choice(["gt", "le"]), (left, right)), other))
    head = random.choice(heads)
    if head == "pow":
        return Apply(head, (grown(random, depth - 1, heads), Number(Fraction(random.choice([2, 3])))))
    count = max(2, random.randint(2, HEADS[head])) if HEADS[head] > 1 and head not in ("div",) else HEADS[head]
    return Apply(head, tuple(grown(random, depth - 1, heads) for _ in range(count)))


# formulas ---------------------------------------------------------------------------------------------------------------
@settings(max_examples=150)
@given(st.integers(0, 10**9), st.booleans())
def test_what_is_written_has_the_value_of_the_tree(seed: int, comma: bool) -> None:
    random = Random(seed)
    tree = grown(random, 4, ("add", "mul", "neg", "div", "pow", "abs", "max", "min"))
    numbers = {name.key: random.choice(VALUES) for name in names(tree)}
    value = evaluate(tree, lambda name: numbers[name.key], EXACT)
    assume(isinstance(value, int | Fraction))
    for dialect, reader in READERS:
        written = spell(tree, dialect(Style(comma=comma)), lambda name: Shown(constant(numbers[name.key])))
        try:
            read = reader(EVERY, comma=comma).read(written)
        except Unreadable as problem:  # in a case that does not apply
            assume(str(problem) != "division by zero")
            raise
        assert read.exact == value, written


@pytest.mark.parametrize("net", ["mazur", "batch_norm", "relu_fractions", "softmax_classifier"])
def test_lines_say_what_they_say_in_latex(net: str) -> None:
    document, read = solved(net).document, 0
    for line in (line for step in steps(document) for line in step.lines):
        for piece in (piece for piece in pieces(line, document.values) if piece.numbers):
            try:
                expected = LatexReader(EVERY).read(spell(piece.formula, Latex(), document.values.shown))
            except (Elided, Names):
                continue
            for dialect, reader in READERS:
                written = spell(piece.formula, dialect(), document.values.shown)
                assert same(reader(EVERY).read(written), expected), written
            read += 1
    assert read > 20


# text -------------------------------------------------------------------------------------------------------------------
EVIL = [
    *HOSTILE,
    '#read("/etc/passwd")',
    "#panic()",
    "1. a",
    "+ a",
    "- a",
    "/ a: b",
    "= a",
    "== a",
    "*a* _b_ `c` ``` d ```",
    "@a <b> [c] $d$",
    "a // b /* c */",
    "https://example.org/a_(b)",
    "a~b -- --- -? ... 'a' \"b\"",
    "\\u{41} \\ \\\n",
    "#{1}.len();(x)",
    "a\tb\nc",
    "α θ₁ x̂ ŷ √2 − ½ ≈ ∂",
]
#: Content as the text it shows.
SHOWN = """
#let shown(it) = if type(it) == str { it } else if it == [ ] { " " } else if it.has("text") { shown(it.text) } else if it.has("children") { it.children.map(shown).join("") } else if it.has("accent") { shown(it.base) + it.accent } else if it.has("body") { shown(it.body) } else { "?" + repr(it) }
"""


def one_space(words: str) -> str:
    return re.sub(" +", " ", visible(words)).strip()


def compiled(source: str) -> bytes:
    return typst.compile(source.encode(), ignore_system_fonts=True)


@pytest.fixture(scope="module")
def random() -> Random:
    return Random(7)


def anything(random: Random) -> str:
    """A text of signs that mean something somewhere, and of letters."""
    return "".join(random.choice("\\#$*_`@<>[]{}()~-+=/:;.,'\"&%^|!? \t1aZuθ√∂x") for _ in range(random.randint(1, 12)))


def test_text_is_only_ever_text(random: Random) -> None:
    texts = [*EVIL, *(anything(random) for _ in range(400))]
    pairs = [f"#assert.eq(shown([{text(words)}]).trim(), {string(one_space(words))}.trim())" for words in texts]
    asides = [
        f"#assert.eq(shown([#emph[b]{text(words)}]), {string('b' + one_space(words))})"
        for words in texts
        if words.strip() == words
    ]
    assert len(asides) > 200
    compiled(SHOWN + "\n".join([*pairs, *asides]))


def test_formulas_of_any_shape_compile(random: Random) -> None:
    trees = [grown(random, 4) for _ in range(300)]
    shown = {leaf.key: Shown(constant(random.choice(VALUES))) for leaf in LEAVES if isinstance(leaf, Name)}
    spelled = [spell(tree, Typst(), show) for tree in trees for show in (None, lambda name: shown[name.key])]
    rows = [row for source in spelled for row in cut(source)]
    assert len(rows) > len(spelled) + 200
    compiled("\n".join(f"$ {source} $" for source in [*spelled, *rows]))


def test_signs_of_formulas() -> None:
    W, z = Name("W1", symbol=Symbol("W", sup="(1)", bold=True), shape=(2, 3), scalar=False), Symbol("z", sub="1")
    sigma = Function("sigmoid", Symbol("σ", mark="′"))
    assert spell(W, Typst(shapes=True)) == r"attach(limits(upright(bold(W))^(\(1\))), b: 2 × 3)"
    assert spell(Apply(sigma, (Name("z", symbol=z),)), Typst()) == r"σ′\(z_(1)\)"
    assert letters("权") == 'class("normal", "权")'
    assert letters('a"b') == 'class("normal", "a\\"b")'
    assert cut(r"lr(\(a + frac(1 + b, 2)\)) · c") == [r"\(a", r" + frac(1 + b, 2)\)", " · c"]

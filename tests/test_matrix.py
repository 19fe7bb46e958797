"""Marking is right: mistakes put into every network, work without mistakes, and the golden table of numbers.

The whole matrix is `python tests/matrix.py 48 10000`, its figures output/marking.md; here is one round of it.
"""

from __future__ import annotations

import random
from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import golden
import matrix
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix import CELLS, NETS, WRONG, hand_of, marker, mistakes_in
from students import Hand, work

from derive.homework import ladder
from derive.homework.ladder import Reference
from derive.homework.policy import Precision
from derive.homework.reading.numbers import read_number
from derive.homework.submission import Answer, Submission

SMALL = ("mazur", "softmax_classifier", "relu_fractions", "deep_narrow")
MODES = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN)
RIGHT = ("correct", "correct_rounding", "over_precise", "truncated", "low_precision", "last_digit")


# the matrix -----------------------------------------------------------------------------------------------------------
def test_mistakes_are_found_where_they_are_made_named_and_counted_once(published: list[str]) -> None:
    table = matrix.matrix()
    published += table.lines
    assert set(table.cells) >= {*NETS, *matrix.HANDS, *matrix.CARRIES}
    assert set(table.rules) == {rule for net in NETS for rule in mistakes_in(net)}
    total, problems = table.total, "\n".join(table.total.misses)
    assert total.visible > 400
    assert total.located >= 0.99 * total.visible, problems
    assert total.named >= 0.97 * total.visible, problems
    assert total.alone >= 0.99 * total.visible, problems


@pytest.mark.parametrize("net", SMALL)
def test_what_rounding_cannot_explain_is_called_wrong(net: str) -> None:
    verdicts, accepted = matrix.plain((net,))
    assert sum(verdicts[verdict] for verdict in WRONG) > 15
    assert [line for line in accepted if " too_coarse 0," not in line] == []


def test_work_without_a_mistake_is_never_called_wrong(published: list[str]) -> None:
    verdicts, flagged = matrix.clean(len(NETS), seed=1)
    more, also = matrix.clean(600, seed=2, nets=SMALL)
    published.append(f"clean work: {sum((verdicts + more).values()):,} answers, {len(flagged + also)} called wrong")
    assert flagged + also == []


# numbers --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", list(golden.cases()), ids=lambda case: f"{case.value}-{case.asked}-{case.text}")
def test_the_golden_table(case: golden.Case) -> None:
    assert case.judged() == case.verdict


def test_the_page_of_figures_has_the_golden_table() -> None:
    assert golden.table() in matrix.OUTPUT.read_text(encoding="utf-8"), "run python tests/matrix.py 48 10000"


VALUES = [
    "0.0821670",
    "0.00043857",
    "1.105906",
    "9.96",
    "0.0995",
    "99.95",
    "100",
    "0",
    "-0.0381",
    "1e-9",
    "12345.678",
    "0.125",
    "0.375",
    "2.5",
    "1e8",
]


def spellings(value: Decimal, digits: int, kind: str, mode: str) -> list[str]:
    """A number rounded, in plain, scientific and engineering notation, with more zeros in front."""
    if kind == "sf":
        found = Context(prec=digits, rounding=mode).plus(value)
    else:
        found = value.quantize(Decimal(1).scaleb(-digits), rounding=mode)
    plain = format(found, "f")
    return [
        plain,
        format(found, "e"),
        found.to_eng_string(),
        plain.replace("0.", ".", 1) if abs(found) < 1 else plain,
    ]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("ask", [Precision(3), Precision(None, 4)], ids=["3 sf", "4 dp"])
def test_a_rounded_number_is_right_in_every_notation_and_at_every_tie(value: str, ask: Precision) -> None:
    exact = Fraction(value)
    reference = Reference(float(exact), 0.0, lambda: exact, exact)
    for kind, digits, mode in ((k, d, m) for k in ("sf", "dp") for d in range(1, 7) for m in MODES):
        for text in spellings(Decimal(value), digits, kind, mode):
            written = read_number(text, False)
            verdict = ladder.judge(written, reference, None, ask)
            if ask.enough(written) and (ask.decimals is not None or not text.isdigit()):
                assert verdict == "correct", (text, verdict)
            elif "." in text or "e" in text:
                assert verdict in ("correct", "low_precision", "too_coarse"), (text, verdict)


numbers = st.decimals(min_value=Decimal("-1e6"), max_value=Decimal("1e6"), allow_nan=False, places=9).filter(
    lambda d: abs(d) > Decimal("1e-3")
)


@given(numbers, st.integers(3, 9))
def test_more_digits_of_a_right_number_are_never_worse(value: Decimal, digits: int) -> None:
    exact = Fraction(value)
    reference = Reference(float(exact), 0.0, lambda: exact, exact)
    for n in range(digits, 12):
        text = format(Context(prec=n).plus(value), "e")
        assert ladder.judge(read_number(text, False), reference, None, Precision(digits)) == "correct"
    for n in range(1, digits):
        text = format(Context(prec=n).plus(value), "e")
        written = read_number(text, False)
        if written.significant[1] < digits and written.value != exact:
            assert ladder.judge(written, reference, None, Precision(digits)) in ("low_precision", "too_coarse")


@given(numbers, st.sampled_from([-1, 10, 100, Fraction(1, 10), Fraction(6, 5), Fraction(11, 10)]))
def test_what_is_off_is_wrong(value: Decimal, factor: Fraction) -> None:
    exact = Fraction(value)
    text = f"{float(exact * factor):.5e}"
    verdict = ladder.judge(read_number(text, False), Reference(float(exact), 0.0, lambda: exact), None, Precision())
    assert verdict == (
        "sign" if factor == -1 else "error" if factor in (Fraction(6, 5), Fraction(11, 10)) else "power_of_ten"
    )


# chains ---------------------------------------------------------------------------------------------------------------
def answers(net: str, *, seed: int, cell: int = 0) -> Submission:
    """Work without a mistake."""
    rounding, carries, unwritten = CELLS[cell]
    hand, way = hand_of(rounding, carries)
    return work(marker(net).circuit, hand, carries=way, unwritten=unwritten, seed=seed).submission


def verdicts(net: str, submission: Submission) -> dict[str, str]:
    return {mark.key: mark.verdict for mark in marker(net).mark(submission).marks}


@settings(max_examples=20)
@given(st.sampled_from(SMALL), st.sampled_from(MODES + (ROUND_DOWN,)), st.integers(3, 7), st.sampled_from(("sf", "dp")))
def test_an_exact_chain_rounded_in_any_way_is_never_wrong(net: str, mode: str, digits: int, kind: str) -> None:
    circuit = marker(net).circuit
    given = []
    for key, entry in circuit.entries.items():
        if not entry.given:
            exact = circuit.decimal(key)
            text = spellings(exact, digits, kind, mode)[0] if exact else "0"
            given.append(Answer(key, text))
    found = verdicts(net, Submission(answers=tuple(given)))
    assert not {*found.values()} & {*WRONG, "unreadable", "undecided"}
    if kind == "sf":
        assert {*found.values()} <= {"correct", *(["correct_rounding", "truncated"] if mode == ROUND_DOWN else [])}


@settings(max_examples=25)
@given(st.sampled_from(SMALL), st.data())
def test_one_step_that_is_off_is_wrong_there_and_followed_below(net: str, data: st.DataObject) -> None:
    circuit = marker(net).circuit
    computed = [key for key, e in circuit.entries.items() if not e.given and abs(circuit.floats[key]) > 1e-6]
    at = data.draw(st.sampled_from(computed), "at")
    factor = data.draw(st.sampled_from((1.2, 0.7, 3.0)), "factor")
    wrong = {at: circuit.floats[at] * factor}
    used = {**circuit.chain(wrong), **wrong}
    hand = Hand("sf", 6)
    given = tuple(Answer(key, hand.write(used[key])) for key, e in circuit.entries.items() if not e.given)
    found = verdicts(net, Submission(answers=given))
    assert found.pop(at) in WRONG
    assert not {*found.values()} & {*WRONG, "unreadable"}
    moved = [key for key in found if abs(used[key] - circuit.floats[key]) > 1e-4 * abs(circuit.floats[key])]
    assert {found[key] for key in moved} <= {"follow_through", "too_coarse"}


TYPOGRAPHY = [
    lambda text: f"  {text}\t",
    lambda text: text.replace("-", "−"),
    lambda text: text.replace("-", "–"),
    lambda text: f"+{text}" if text[0] != "-" else text,
    lambda text: text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text,
    lambda text: f"\u00a0{text}\u2009",
]


@settings(max_examples=25)
@given(
    st.sampled_from(SMALL), st.integers(0, 10**6), st.sampled_from(range(len(CELLS))), st.randoms(use_true_random=False)
)
def test_order_and_typography_change_no_verdict(net: str, seed: int, cell: int, chance: random.Random) -> None:
    try:
        plain = answers(net, seed=seed, cell=cell)
    except ValueError:
        return  # rounding has left a logarithm of 0
    written = [Answer(a.step, chance.choice(TYPOGRAPHY)(a.value or "")) for a in plain.answers]
    chance.shuffle(written)
    before = verdicts(net, plain)
    assert verdicts(net, plain) == before
    assert verdicts(net, Submission(student="s1", answers=tuple(written))) == before


# guards ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("nothing", ["0", "0.000", "0e5", "1e3", "0.1", "1"])
def test_the_same_digits_for_every_step_earn_nothing(nothing: str) -> None:
    circuit = marker("mazur").circuit
    given = tuple(Answer(key, nothing) for key, entry in circuit.entries.items() if not entry.given)
    marked = marker("mazur").mark(Submission(answers=given))
    assert marked.earned <= 0.05 * marked.most


def test_zeros_written_early_do_not_buy_what_follows_from_them() -> None:
    steps = {"dL/dz2[1]": "0", "dL/dz2[2]": "0", "dL/dW2[1,1]": "0.000", "dL/dW2[1,2]": "0.000", "dL/dW2[2,1]": "0.000"}
    marked = marker("mazur").mark(Submission(answers=tuple(Answer(k, v) for k, v in steps.items())))
    assert marked.earned == 0
    assert "needs_review" in marked.flags


def test_noise_in_the_place_of_an_exact_zero_is_right() -> None:
    assert marker("batch_norm").circuit.floats["dL/db1[1]"] == 0
    for text in ("0", "0.000", "1.7e-18", "-2.2e-17"):
        assert verdicts("batch_norm", Submission(answers=(Answer("dL/db1[1]", text),))) == {"dL/db1[1]": "correct"}


def test_what_has_no_value_in_the_own_chain_is_left_to_a_person() -> None:
    probabilities = {"a1[1]": "0.500", "a1[2]": "0.500", "a1[3]": "0.000"}  # the logarithm of the last is asked for
    for loss, verdict in {"0.731": "undecided", "2.02": "correct"}.items():
        given = tuple(Answer(step, value) for step, value in {**probabilities, "L": loss}.items())
        assert verdicts("softmax_classifier", Submission(answers=given))["L"] == verdict


def test_zero_follows_from_a_unit_that_a_mistake_has_switched_off() -> None:
    given = tuple(Answer(step, value) for step, value in {"z1[1]": "-1.12", "a1[1]": "0"}.items())
    assert verdicts("relu_fractions", Submission(answers=given)) == {"z1[1]": "sign", "a1[1]": "follow_through"}

"""Many mistakes tried at once give what each gives alone; a hopeless submission is bounded, not given up."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from students import Hand, circuit_of, work

from derive.homework import marking
from derive.homework.chains import Chain
from derive.homework.circuit import Circuit
from derive.homework.marking import Marker
from derive.homework.policy import Policy
from derive.homework.reading.numbers import read_number
from derive.homework.submission import Answer, Submission


@cache
def circuit(net: str) -> Circuit:
    return circuit_of(net)


def chain(net: str, written: set[str]) -> Chain:
    """Of a student who has written some steps, a little off."""
    numbers = {key: 1.01 * circuit(net).floats[key] for key in written}
    return Chain(circuit(net), numbers, lambda key: 0.0, lambda key, value: 0.0)


@given(st.data())
@pytest.mark.parametrize("net", ["mazur", "relu_fractions", "softmax_classifier"])
def test_mistakes_in_unwritten_steps_at_once_and_alone(net: str, data: st.DataObject):
    computed = [key for key, entry in circuit(net).entries.items() if not entry.given]
    key = data.draw(st.sampled_from(computed))
    found = chain(net, set(data.draw(st.lists(st.sampled_from(computed), max_size=4))) - {key})
    tried = [(at, formula) for at in found.stretch(key).unwritten for _, formula in circuit(net).wrong(at)]
    own = circuit(net).entries[key].formula
    assert own is not None
    alone = [found.spread(own, key, {at: formula})[0] for at, formula in tried]
    assert np.allclose(found.trials(key, tried), alone, rtol=1e-12, atol=1e-15, equal_nan=True)


@given(st.data())
def test_what_lies_before_a_step(data: st.DataObject):
    """Walked backwards from the step, one parent after another."""
    entries = circuit("mazur").entries
    computed = [key for key, entry in entries.items() if not entry.given]
    key = data.draw(st.sampled_from(computed))
    written = set(data.draw(st.lists(st.sampled_from(computed), max_size=20)))
    seen, waiting = set[str](), list(entries[key].parents)
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            waiting += [] if step in written else entries[step].parents
    stretch = chain("mazur", written).stretch(key)
    assert set(stretch.written) == seen & written
    assert {*stretch.given} == {step for step in seen - written if entries[step].given}
    assert stretch.unwritten == tuple(step for step in entries if step in seen - written and not entries[step].given)


def test_numbers_of_the_task_at_once_and_alone():
    found = chain("mazur", {"a1[2]"})
    changed = [("x[1]", 0.5), ("W1[1,2]", -0.2), ("x[1]", 5.0), ("W2[1,1]", 0.04), ("W1[2,1]", 9.0)]
    alone = [found.with_givens("L", [one])[0] for one in changed]
    assert found.with_givens("L", changed).tolist() == pytest.approx(alone, rel=1e-14)
    assert math.isclose(alone[-1], found.own["L"])  # what was written stands between
    assert len({round(value, 12) for value in alone}) == len(changed)


def test_later_errors_of_a_hopeless_submission_are_still_named():
    net = circuit("batch_3322")
    right = work(net, Hand("sf", 4), carries="keep").submission.answers
    wrong = [answer for answer in right if answer.value and float(answer.value)]
    answers = tuple(Answer(a.step, a.value[1:] if a.value[0] == "-" else f"-{a.value}") for a in wrong if a.value)
    marked = Marker(net, Policy(), read_number).mark(Submission(answers=answers))
    signs = [mark for mark in marked.marks if mark.verdict == "sign"]
    assert len(signs) > 2 * marking.MOST_THOROUGH
    assert all("B3" in {found.rule for found in mark.found} for mark in signs[marking.MOST_THOROUGH :])

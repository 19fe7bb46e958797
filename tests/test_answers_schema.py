"""The JSON Schemas of marking: editors complete what is understood, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from derive.cli import main
from derive.errors import InputError
from derive.homework import policy
from derive.homework.marked import VERDICTS
from derive.homework.reading import parse
from derive.homework.schema import answers, marking
from derive.schema import schema
from derive.spec import tree

ACCEPTED: list[Any] = [
    {"answers": {"z1": [0.3775, "0.3925"], "L": {"value": "0.298", "formula": "a + b"}, "w5+": None}},
    {
        "derive_answers": 1,
        "assignment": "a",
        "student": {"id": "s1", "name": "Ada"},
        "answers": {"p": {"0": 1, "1": "3/7"}},
    },
    {"student": 17, "rounding": {"sf": 4}, "decimal": ",", "answers": None, "working": "…"},
    {"rounding": {"dp": 0}, "conventions": {"loss": "half_sse"}, "answers": {"W2": [[1, 2], [3, 4]]}},
    [{"student": "s1", "answers": {"L": 1}}, {"student": "s2", "answers": {"L": {"formula": ["a", "b"]}}}],
]
REFUSED: list[Any] = [
    {"answer": {"L": 1}},
    {"answers": [1]},
    {"answers": {}, "score": 100},
    {"answers": {}, "rounding": {"sf": 0}},
    {"answers": {}, "rounding": {"sf": 4, "dp": 4}},
    {"answers": {}, "rounding": {"digits": 4}},
    {"answers": {}, "decimal": ";"},
    {"answers": {}, "student": {"nam": "Ada"}},
    {"derive_answers": 2, "answers": {}},
]


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(answers())
    return jsonschema.Draft202012Validator(answers())


@pytest.mark.parametrize("file", ACCEPTED)
def test_the_schema_accepts_what_is_read(validator: Any, file: Any):
    assert parse(json.dumps(file), "a.json", "json")
    assert validator.is_valid(file)


@pytest.mark.parametrize("file", REFUSED)
def test_the_schema_refuses_what_is_refused(validator: Any, file: Any):
    with pytest.raises(InputError):
        parse(json.dumps(file), "a.json", "json")
    assert not validator.is_valid(file)


@pytest.mark.parametrize(
    ("check", "fine"),
    [
        ({}, True),
        ({"significant": 4, "credit": {"last_digit": 1, "truncated": 0.9}, "weights": {"W2+": 2, "L": 0}}, True),
        ({"decimals": 0, "form": "same_form", "steps": {"s": "2*x", "c": 1}}, True),
        ({"follow_through": {"credit": 0.5, "max_share": 1, "requires_working": True, "guards": False}}, True),
        ({"significant": 4, "decimals": 4}, False),
        ({"significant": 0}, False),
        ({"credit": {"wrong": 1}}, False),
        ({"credit": {"error": 2}}, False),
        ({"form": "equal"}, False),
        ({"follow_through": {"guards": 1}}, False),
        ({"weights": {"L": -1}}, False),
        ({"step": {}}, False),
    ],
)
def test_check_is_what_the_schema_says(check: dict[str, Any], fine: bool):
    item = tree({"check": check}).value["check"]  # type: ignore[index]
    assert jsonschema.Draft202012Validator(marking()).is_valid(check) == fine
    if fine:
        policy.read(item)
    else:
        with pytest.raises(InputError):
            policy.read(item)


def test_every_key_has_its_meaning_and_every_verdict_its_default():
    found = marking()["properties"]
    assert list(found) == list(policy.KEYS) and all(option["description"] for option in found.values())
    assert list(found["follow_through"]["properties"]) == list(policy.FOLLOW)
    defaults = {code: option["default"] for code, option in found["credit"]["properties"].items()}
    assert defaults == dict(policy.CREDIT) and list(defaults) == list(VERDICTS)
    assert schema()["properties"]["check"]["properties"] == found


def test_the_command_prints_both():
    run = CliRunner().invoke
    assert json.loads(run(main, ["schema", "--answers"]).output) == answers()
    assert json.loads(run(main, ["schema"]).output)["title"] == "A network for derive"

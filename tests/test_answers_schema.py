"""The JSON Schemas of marking: editors complete what is understood, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from derive.cli import main
from derive.errors import InputError
from derive.homework import policy
from derive.homework.checked import check
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
        ({"decimals": 0, "form": "same_form", "steps": {"s": "2*x", "c": 1}, "ask": ["L", "w5+"]}, True),
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


def test_the_readme_is_right(validator: Any):
    """Its example is all right, its table says the defaults."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    example = next(block for block in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if "answers.yaml" in block)
    (submission,) = parse(example, "answers.yaml", "yaml")
    found = check("mazur", submission)
    assert found.right and found.earned == 5 and [mark.verdict for mark in found.marks].count("blank") == 1
    rows = dict(re.findall(r"\| `(\w+)`(?: or `decimals`)? \| (.*?) \| ", readme.partition("| `check:`")[2]))
    assert list(rows)[:5] == ["significant", "weights", "credit", "follow_through", "form"]
    assert rows["form"] == f"`{policy.Policy().form}`" and rows["significant"] == "`significant: 3`"
    carried = policy.Policy().follow_through
    follow = policy.follow_through(tree({"f": tree_of(rows["follow_through"])}).value["f"])  # type: ignore[index]
    assert follow == carried and len(rows["follow_through"].split(",")) == len(policy.FOLLOW)
    for share, names in re.findall(r"([01.]+): ((?:`\w+`(?:, )?)+)", rows["credit"]):
        assert {policy.CREDIT[name] for name in re.findall(r"`(\w+)`", names)} == {float(share)}
    told = re.findall(r"`(\w+)`", rows["credit"])
    assert {code for code, share in policy.CREDIT.items() if share} == {*told}


def tree_of(text: str) -> Any:
    return yaml.safe_load(text.strip("`"))


def test_the_command_prints_both():
    run = CliRunner().invoke
    assert json.loads(run(main, ["schema", "--answers"]).output) == answers()
    assert json.loads(run(main, ["schema"]).output)["title"] == "A network for derive"

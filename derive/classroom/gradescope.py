"""Gradescope: the archive its container is built from, and the results.json that is written there, whatever happens."""

from __future__ import annotations

import io
import json
import traceback
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from derive.classroom import entries
from derive.classroom.batch import GRADER, agreed, network
from derive.classroom.engines import engine, settled
from derive.classroom.entries import Refused
from derive.classroom.folder import choose
from derive.classroom.killable import Limits
from derive.classroom.naming import cleaned
from derive.classroom.record import PLACES, Record, Step, record
from derive.classroom.task import file_task, preparation
from derive.files import write
from derive.homework.individual import of
from derive.homework.manifest import parsed
from derive.language import Words
from derive.options import mapping
from derive.version import __version__

MAKING = (1980, 1, 1, 0, 0, 0)  # the time of every file in the archive: the same input is the same archive
METADATA = "submission_metadata.json"  # what Gradescope says about a submission, beside its folder
NET, SETUP, RUN = "net.yaml", "setup.sh", "run_autograder"
#: Installs derive in an environment of its own: a wheel that lies in the archive, or else the release.
SETUP_SH = """#!/usr/bin/env bash
set -euo pipefail
apt-get update
for python in python3.13 python3.12 python3.11; do
  if apt-get install -y "$python" "$python-venv"; then break; fi
done
"$python" -m venv /autograder/derive
wheels=(/autograder/source/*.whl)
if [ -e "${{wheels[0]}}" ]; then
  /autograder/derive/bin/pip install "${{wheels[@]}}"
else
  /autograder/derive/bin/pip install "derive-backprop=={version}"
fi
"""
#: Marks, and says so in results.json even where not so much as Python starts.
RUN_SH = """#!/usr/bin/env bash
results=/autograder/results/results.json
mkdir -p /autograder/results
rm -f "$results"
cd /autograder
/autograder/derive/bin/derive check /autograder/source/{net} /autograder/submission --gradescope --lang {lang} --reveal {reveal} -o "$results"
if [ ! -s "$results" ]; then
  cat > "$results" <<'JSON'
{failed}
JSON
fi
"""


def autograder(net: str | Path, *, lang: str = "en", reveal: str = "first") -> bytes:
    """The zip archive to upload as an autograder: the network, and the two files that the container runs.

    InputError where the network file is at fault; weights beside it come along
    """
    given = network(net)
    files = {
        NET: given["text"].encode(),
        SETUP: SETUP_SH.format(version=__version__).encode(),
        RUN: RUN_SH.format(net=NET, lang=lang, reveal=reveal, failed=spelled(failed(Words(lang)))).encode(),
    }
    item, folder = parsed(given["text"], given["name"]), Path(given["folder"])
    of(item, folder)
    weights = mapping(item).get("parameters")
    if weights is not None and isinstance(weights.value, str):  # a file inside the folder, as was just checked
        files[weights.value] = (folder / weights.value).read_bytes()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, MAKING)
            info.create_system, info.compress_type = 3, zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if name in (SETUP, RUN) else 0o100644) << 16
            archive.writestr(info, content)
    return stream.getvalue()


def autograde(
    net: str | Path,
    submission: str | Path,
    output: str | Path,
    *,
    lang: str = "en",
    reveal: str = "first",
    limits: Limits | None = None,
    grader: str = GRADER,
) -> bool:
    """Marks what lies in a folder (or one file) and writes results.json to `output`; whether it could be marked.

    The file is written whatever happens: where derive fails, it says so to the student, and why to the lecturer alone.
    """
    words = Words(lang)
    try:
        made, feedback = marked(
            net,
            Path(submission),
            {"formats": ["json"], "reveal": reveal, "lang": lang, "lessons": None, "numbers": {}},
            limits,
            grader,
        )
        found = unread(words, made) if made.problem else results(words, made, feedback)
    except (Exception, RecursionError):
        found = failed(words, traceback.format_exc())
    write(Path(output), spelled(found) + "\n")
    return "extra_data" in found and not found["extra_data"]["derive"]["problem"]


def marked(
    net: str | Path, submission: Path, options: Mapping[str, Any], limits: Limits | None, grader: str
) -> tuple[Record, Mapping[str, Any]]:
    """The record of the one submission, and the report on it as derive-check/1."""
    prepared = preparation(grader, network(net), options)
    with engine("processes", 1, prepared, limits or Limits()) as worker:
        agreed(worker.ready())
        try:
            name, data = answers(submission)
        except Refused as refused:
            return Record("", problem=refused.code), {}
        answer = settled(worker.submit(file_task(name, data, owner=handed_in_by(submission))))
    if "record" not in answer:
        return Record("", source=name, problem=answer["problem"], detail=answer["detail"]), {}
    made = record(answer["record"])
    return made, json.loads(made.files["json"])


def answers(submission: Path) -> tuple[str, bytes]:
    """The name and the bytes of the file with the answers; Refused where it is not to be found."""
    if not submission.is_dir():
        return submission.name, entries.contents(submission)
    group = [entry for entry in entries.walk(submission) if not entry.hidden]
    if not group:
        raise Refused("no_answers")
    chosen, _ = choose(group)
    return chosen.parts[-1], chosen.read()


def handed_in_by(submission: Path) -> str:
    """The id of the student, as Gradescope has put it beside the submission; "" where it has not, or of several."""
    try:
        found = json.loads((submission.parent / METADATA).read_bytes())
        (user,) = found["users"]
        return cleaned(str(user.get("sid") or user.get("email") or ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


# results.json -------------------------------------------------------------------------------------------------------------
def results(words: Words, made: Record, feedback: Mapping[str, Any]) -> dict[str, Any]:
    """One test for each answer, with what derive-check/1 tells of it; of what it does not tell the student sees nothing."""
    told = {step["id"]: step for step in feedback["steps"]}
    tests = [test(number, step, told.get(step.key or step.label, {})) for number, step in enumerate(made.steps, 1)]
    output = ""
    if feedback["first_error"]:
        output = words.plain("gradescope.first", step=made.first_label or made.first_error)
    elif not made.first_error:
        output = words.plain("gradescope.right")
    return top(points(made.earned, made.most), output, tests, made)


def test(number: int, step: Step, told: Mapping[str, Any]) -> dict[str, Any]:
    """What Gradescope shows of one answer; texts are texts, never HTML."""
    score = points(step.credit * step.weight, step.weight)
    return {
        "number": str(number),
        "name": step.label or step.key,
        "name_format": "text",
        "score": score,
        "max_score": points(step.weight, step.weight),
        "status": "passed" if score > 0 and not step.wrong else "failed",
        "output": told.get("message", ""),
        "output_format": "text",
        "tags": [step.verdict, *step.found],
        "visibility": "visible" if told.get("verdict") else "hidden",
        "extra_data": {"id": step.key, "verdict": step.verdict, "read": step.raw, "diagnosis": list(step.found)},
    }


def unread(words: Words, made: Record) -> dict[str, Any]:
    """What stands in the place of results where the submission could not be marked."""
    why = words.plain(f"class.problem.{made.problem}")
    output = words.plain("gradescope.unread", why=f"{why}. {made.detail}".removesuffix(". "))
    return top(0, output, [], made)


def top(score: float, output: str, tests: Sequence[Mapping[str, Any]], made: Record) -> dict[str, Any]:
    return {
        "score": score,
        "output": output,
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {
            "derive": {
                "version": __version__,
                "first_error": made.first_error or None,
                "follow_through": made.follow_through,
                "flags": list(made.flags),
                "problem": made.problem,
                **({"variant": made.variant} if made.variant else {}),
            }
        },
        "tests": list(tests),
    }


def failed(words: Words, details: str = "") -> dict[str, Any]:
    """What is written where derive itself fails: no points, no blame, and the details where students do not see them."""
    shown = {"name": words.plain("gradescope.failed"), "output": words.plain("gradescope.why"), "visibility": "visible"}
    hidden = {"name": words.plain("gradescope.details"), "output": details, "visibility": "hidden"}
    common = {"status": "failed", "score": 0, "max_score": 0, "name_format": "text", "output_format": "text"}
    tests = [{**common, **one} for one in (shown, hidden) if one["output"]]
    return {
        "score": 0,
        "output": shown["output"],
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def points(value: float, most: float) -> float:
    """Points within their bounds, to five places, a whole number without `.0`."""
    bounded = round(min(max(value, 0.0), max(most, 0.0)), PLACES)
    return int(bounded) if float(bounded).is_integer() else bounded


def spelled(found: Mapping[str, Any]) -> str:
    """As JSON, with finite numbers alone."""
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)

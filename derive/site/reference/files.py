"""Reference of the files: net.yaml, answers.yaml, and the policy of marking; exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from derive.document import Cell, Section, say
from derive.homework.marked import VERDICTS
from derive.homework.policy import CREDIT
from derive.homework.schema import answers, marking
from derive.printers.site import Goto, Typed
from derive.schema import schema
from derive.site.pages import Page, Site, section, table

SCHEMAS = {"net": schema, "answers": answers}
CODES = (0, 1, 2, 3, 130)
Schema = Mapping[str, Any]


def pages(site: Site) -> Iterator[Page]:
    for name, made in (("net", of_net), ("answers", of_answers), ("marking", of_marking), ("codes", of_codes)):
        title = site.words.plain(f"site.reference.title.{name}")
        intro = (say(f"site.reference.intro.{name}"),)
        yield Page(f"reference/{name}.html", title, site.sheet(title, list(made()), intro))


def files() -> Iterator[tuple[str, bytes]]:
    """The JSON Schemas, for editors."""
    for name, made in SCHEMAS.items():
        text = json.dumps(made(), indent=2, ensure_ascii=False) + "\n"
        yield f"reference/{name}.schema.json", text.encode("utf-8")


def of_net() -> Iterator[Section]:
    found = schema()
    yield schema_file("net")
    yield section("every", say("site.reference.keys"), keys("every/table", found["properties"]))
    for name in ("numbers", "linear", "notation"):
        within = found["properties"].get(name) or found["$defs"][name]
        inner = within.get("properties") or within["anyOf"][-1]["properties"]
        yield section(name, Typed(name), keys(f"{name}/table", inner))


def of_answers() -> Iterator[Section]:
    found = answers()["$defs"]
    yield schema_file("answers")
    yield section("every", say("site.reference.keys"), keys("every/table", found["submission"]["properties"]))


def of_marking() -> Iterator[Section]:
    found = marking()["properties"]
    yield section("every", say("site.reference.keys"), keys("every/table", found))
    inner = keys("follow_through/table", found["follow_through"]["properties"])
    yield section("follow_through", Typed("follow_through"), inner)
    rows = [(Typed(verdict), say(f"verdict.{verdict}"), f"{float(CREDIT[verdict]):g}") for verdict in VERDICTS]
    yield section(
        "verdicts",
        say("site.reference.verdicts"),
        table("verdicts/table", "verdicts", ("verdict", "meaning", "credit"), rows),
    )


def of_codes() -> Iterator[Section]:
    rows = [(Typed(str(code)), say(f"site.code.{code}")) for code in CODES]
    yield section("codes", say("site.reference.codes"), table("codes/table", "codes", ("code", "meaning"), rows))


def schema_file(name: str) -> Section:
    link = Goto(f"reference/{name}.schema.json", f"{name}.schema.json")
    return section("schema", "JSON Schema", say("site.reference.schema", file=link))


def keys(id: str, properties: Mapping[str, Schema]) -> Any:
    rows: list[tuple[Cell, ...]] = [
        (Typed(key), form(found), found.get("description", "")) for key, found in properties.items()
    ]
    return table(id, "keys", ("key", "form", "meaning"), rows)


def form(found: Schema) -> Cell:
    """What a value has to be, in the words of JSON Schema, with its default."""
    text = worded(found)
    return Typed(f"{text} = {json.dumps(found['default'])}") if "default" in found else Typed(text)


def worded(found: Schema) -> str:
    if "enum" in found:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in found["enum"])
    if "$ref" in found:
        return str(found["$ref"]).rpartition("/")[2]
    if "anyOf" in found or "oneOf" in found:
        parts = dict.fromkeys(worded(part) for part in found.get("anyOf") or found["oneOf"])
        return " | ".join(parts)
    if found.get("type") == "array":
        return f"[{worded(found['items'])}]" if "items" in found else "[…]"
    if found.get("type") == "object":
        named = ", ".join(found.get("properties", ()))
        return f"{{{named or '…'}}}"
    kind = found.get("type", "any")
    return " | ".join(kind) if isinstance(kind, list) else str(kind)

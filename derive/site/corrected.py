"""The page of errata: what is not right in print, what is right, and why."""

from __future__ import annotations

from collections.abc import Sequence

from derive.document import Block, Cell, Code, Say, Section, say
from derive.language import Both
from derive.printers.site import Goto, Typed
from derive.site.errata import Erratum, Judged, load, totals
from derive.site.pages import Page, Site, section, table


def page(site: Site, judged: Sequence[Judged]) -> Page:
    examined, _ = load()
    counts = totals(judged)
    title = site.words.plain("site.part.errata")
    faulty = [found for found in judged if found.errata]
    private = examined["wrong"] - counts["wrong"] - counts["left_out"]
    sections = [
        section("how", say("site.errata.how"), say("site.errata.judged"), say("site.errata.thanks")),
        *(of_example(found) for found in faulty),
        throughout([found for found in judged if not found.errata]),
        section(
            "left", say("site.errata.left"), say("site.errata.not_listed", left=counts["left_out"], private=private)
        ),
    ]
    summary = (
        say("site.errata.intro"),
        say("site.errata.examined", **{key: f"{count:,}" for key, count in examined.items()}),
        say("site.errata.counted", examples=len(judged), faulty=len(faulty), **counts),
    )
    return Page("errata/index.html", title, site.sheet(title, sections, summary))


def of_example(found: Judged) -> Section:
    """An example with its errors, what follows from each below it."""
    id = found.example.id
    blocks: list[Block] = [say(f"site.errata.source.{described(found)}", **source(found))]
    counts = {"right": found.right, "wrong": len(found.errata)}
    if found.rounded:
        blocks.append(say("site.errata.confirmed_rounded", rounded=found.rounded, **counts))
    else:
        blocks.append(say("site.errata.confirmed", **counts))
    header = ("quantity", "printed", "right", "reason")
    blocks.append(table(f"{id}/table", "errata", header, map(row, found.roots), broken=True))
    for i, root in enumerate(found.roots, 1):
        if following := found.following(root):
            kind = "alike" if following[0].printed.like else "following"
            rows = [numbers(e) for e in following]
            blocks.append(say(f"site.errata.{kind}", count=len(following), name=root.name))
            blocks.append(table(f"{id}/table/{i}", kind, header[:3], rows, fold=True))
    blocks += [say("site.errata.file"), Code(found.example.file.strip())]
    return section(id, found.example.title, *blocks)


def described(found: Judged) -> str:
    """Which sentence names the source: as much as is known of it."""
    example = found.example
    if not example.author:
        return "address"
    return "dated" if example.year else "full"


def source(found: Judged) -> dict[str, Cell]:
    example = found.example
    known = {
        "author": example.author,
        "year": example.year,
        "address": Goto(example.url, example.url) if example.url else "",
    }
    return {name: cell for name, cell in known.items() if cell}


def row(erratum: Erratum) -> tuple[Cell, ...]:
    return *numbers(erratum), reason(erratum)


def numbers(erratum: Erratum) -> tuple[Cell, ...]:
    """A number as it is printed, and as it should be."""
    return erratum.name, *(text.replace("-", "−") for text in (erratum.printed.printed, erratum.right))


def reason(erratum: Erratum) -> Say:
    """The kind of error and what happened; the mistake of derive's list that gives exactly this number."""
    row = erratum.printed
    assert row.why is not None
    why = say(Both(row.why["en"], row.why["zh"]))
    kind = say(f"site_kind.{row.kind}")
    if row.rule and not row.rule.startswith("X"):  # X: slips of the pen, which the kind names already
        rule = Goto(f"reference/mistakes.html#{row.rule}", Typed(row.rule))
        return say("site.errata.reason_rule", kind=kind, why=why, rule=rule)
    return say("site.errata.reason", kind=kind, why=why)


def throughout(found: Sequence[Judged]) -> Section:
    """The examples in which every number recomputed is right."""
    rows = [(linked(one), one.example.author, one.right) for one in found]
    return section(
        "right", say("site.errata.right"), table("right/table", "right", ("example", "author", "numbers"), rows)
    )


def linked(found: Judged) -> Cell:
    return Goto(found.example.url, found.example.title) if found.example.url else found.example.title

"""Reference of layers, losses and penalties: their lines, forward and backward, in small networks of letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from derive.blocks import LINEAR_KEYS
from derive.document import Block, Document, Section, Step, say
from derive.layers import layers
from derive.losses import losses
from derive.penalties import penalties
from derive.printers.site import Typed
from derive.site.pages import Page, Site, section, table
from derive.site.reference.entries import Taken, entry
from derive.solution import solve

BATCH = {"size": [3, 2]}
#: What a loss needs before it.
BEFORE = {"bce": "sigmoid", "nll": "log_softmax", "kl_div": "log_softmax"}
#: Strengths under which penalties are shown; all are letters on the page.
STRENGTHS = {"elastic_net": {"l1": 1, "l2": 1}}
PENALIZED = {"loss/penalty", "loss/L", "backward/1/W"}
LINEAR = ("forward/1/z", "backward/2/W", "backward/2/b", "backward/1/a")


def pages(site: Site) -> Iterator[Page]:
    for name, made in (("layers", of_layers), ("losses", of_losses), ("penalties", of_penalties)):
        title = site.words.plain(f"site.reference.title.{name}")
        intro = (say(f"site.reference.intro.{name}"),)
        yield Page(f"reference/{name}.html", title, site.sheet(title, list(made(site)), intro))


def of_layers(site: Site) -> Iterator[Section]:
    taken = Taken()
    plain = worked(site, {"inputs": BATCH, "layers": [{"linear": {"out": 2}}, {"linear": {"out": 2}}]})
    blocks: list[Block] = [say("site.reference.meaning", text="z = W x + b")]
    blocks += taken.steps(plain, lambda id: id in LINEAR, "linear")
    rows = [(Typed(key), say(f"site_linear.{meaning}")) for key, meaning in LINEAR_KEYS.items()]
    yield section("linear", Typed("linear"), *blocks, table("linear/options", "options", ("option", "meaning"), rows))
    for name in layers:
        document = worked(
            site, {"inputs": BATCH, "layers": [{"linear": {"out": 2}}, {name: {}}, {"linear": {"out": 2}}], "seed": 1}
        )
        yield entry(layers, name, *taken.steps(document, of_layer, name))
    inside = [{"linear": {"out": 2}}, "tanh"]
    document = worked(
        site, {"inputs": BATCH, "layers": [{"linear": {"out": 2}}, {"residual": inside}, {"linear": {"out": 2}}]}
    )
    about = say("site.reference.residual")
    found = taken.steps(document, lambda id: id.endswith(("2/s", "1/a")) or id == "backward/1/z", "residual")
    yield section("residual", Typed("residual"), about, *found)


def of_layer(id: str) -> bool:
    """Whether a step is what a layer behind the first linear one adds."""
    way, _, rest = id.partition("/")
    return (
        way in ("forward", "backward") and rest.startswith("1/") and rest not in ("1/W", "1/b") and id != "forward/1/z"
    )


def worked(site: Site, net: dict[str, Any]) -> Document:
    """A network of letters in matrices, with a loss so that there is a way back."""
    return solve({**net, "loss": "mse"}, form="matrix", lang=site.language).document


def of_losses(site: Site) -> Iterator[Section]:
    taken = Taken()
    for name in losses:
        stages: list[Any] = [{"linear": {"out": 2}}, *([BEFORE[name]] if name in BEFORE else [])]
        net = {"inputs": 1, "layers": stages, "loss": name}
        document = solve(net, form="scalar", lang=site.language).document
        blocks = [*taken.steps(document, starts("loss/"), name), *first(taken, document, name)]
        yield entry(losses, name, *blocks)


def first(taken: Taken, document: Document, under: str) -> Iterator[Step]:
    """The first steps back: the derivatives by the outputs and the weighted sums."""
    return taken.steps(document, lambda id: id in ("backward/1/a", "backward/1/z"), under)


def of_penalties(site: Site) -> Iterator[Section]:
    taken = Taken()
    for name in penalties:
        net = {
            "inputs": 2,
            "layers": [{"linear": {"out": 1, "bias": False}}],
            "loss": "mse",
            "regularization": {name: STRENGTHS.get(name, {"lambda": 1})},
        }
        document = solve(net, form="scalar", lang=site.language).document
        yield entry(penalties, name, *taken.steps(document, PENALIZED.__contains__, name))


def starts(prefix: str) -> Callable[[str], bool]:
    return lambda id: id.startswith(prefix)

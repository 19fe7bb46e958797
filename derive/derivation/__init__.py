"""The worked solution: from a model to a document, chapter by chapter in the order in which it is taught."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from derive.algebra import FLOATS
from derive.derivation import backward, conventions, forward, givens, update
from derive.derivation.teller import Teller
from derive.document import Block, Document, Quantity, Say, Section, Step, say
from derive.formula import Name, Partial, entry
from derive.graph import Node
from derive.ids import base, derivative, is_after, step
from derive.language import Words
from derive.model import Iteration, Layer, Model
from derive.notation import Notation
from derive.numerals import Policy
from derive.ops.base import Elementwise, Slope
from derive.ops.vector import VectorOp
from derive.spelling import Style
from derive.values import Values

if TYPE_CHECKING:
    from derive.training.loop import Course

Form = Literal["scalar", "matrix", "both", "auto"]
Level = Literal["brief", "normal", "full"]
MOST_JACOBIAN = 100_000  # numbers in a Jacobian that are still given
MOST_TOLD, FIRST_TOLD = 20, 5  # steps that are all told; of more, how many are
MOST_SCALAR = 600  # gradient terms (parameters × samples) up to which `auto` writes every entry out


@dataclass(frozen=True)
class Wishes:
    """What the reader asked for, beyond the network itself."""

    form: Form = "auto"
    level: Level = "normal"
    backward: bool = True


def tell(
    model: Model, policy: Policy, notation: Notation, words: Words, wishes: Wishes, course: Course | None = None
) -> tuple[Document, Teller]:
    """The document of a model, and of the training that began with its steps; without the witnesses' report."""
    if policy.as_you_go and notation.sign == "sample":  # what is rounded is ∂J/∂z, not m times it
        notation = replace(notation, sign="gradient")
    values = Values(model, policy)
    style = Style(
        notation.times,
        notation.log,
        policy.comma,
        columns=notation.layout == "columns",
        given=words.plain("page.if"),
        otherwise=words.plain("page.else"),
    )
    teller = Teller(model, values, notation, style, wishes.level)
    values.turned = teller.naming.turned
    teller.naming.check()
    form = chosen_form(model) if wishes.form == "auto" else wishes.form
    notes = conventions.before(teller, policy)
    sections = [Section("givens", say("section.givens"), (*givens.blocks(teller, words), *notes))]
    for one in ("scalar", "matrix") if form == "both" else (form,):
        extra = "matrix/" if form == "both" and one == "matrix" else ""
        sections += chapters(teller, one, extra, wishes)
        teller.told_slopes.clear()
    found, lead = quantities(teller, wishes.backward), summary(teller, wishes)
    if course is not None:
        from derive.derivation.trained import told as told_of_training  # other pages do not pay for the program

        section, more, lead = told_of_training(teller, course, words, found)
        sections.append(section)
        found |= more
    table = update.summary(teller) if wishes.backward else None
    if table:
        sections.append(Section("summary", say("section.summary"), (table, *update.course(teller))))
    document = Document(
        title=model.spec.name or words.plain("title.backprop" if wishes.backward else "title.forward"),
        sections=tuple(sections),
        values=values,
        style=teller.style,
        language=words.language,
        summary=lead,
        conventions=conventions.sentences(teller, policy),
        conventions_in_force=conventions.in_force(teller, policy, form),
        quantities=found,
    )
    return document, teller


def summary(teller: Teller, wishes: Wishes) -> tuple[Say, ...]:
    """What stands under the title."""
    model = teller.model
    if model.symbolic:
        return (conventions.symbols_only(teller),)
    if not wishes.backward:
        return ()
    diverged = (say("iteration.diverged", step=model.diverged),) if model.diverged else ()
    return (*update.comparison(teller), *diverged)


def chosen_form(model: Model) -> Form:
    size = sum(p.shape[0] * p.shape[1] for p in model.parameters) * model.x.shape[0] * len(model.iterations)
    return "scalar" if size <= MOST_SCALAR else "matrix"


def chapters(teller: Teller, form: str, extra: str, wishes: Wishes) -> list[Section]:
    """Every training step, and the forward pass after the last; in one form."""
    model = teller.model
    what = {"form": say(f"form.{form}")} if extra or form == "matrix" else {"form": say("form.none")}
    found = one_step(teller, form, extra, what, wishes)
    if not wishes.backward or not model.gradient:
        return found
    for iteration in told(model, wishes):
        section = later_step(teller.at(iteration), form, f"step{iteration.number}/{extra}", what, wishes)
        if iteration is model.last and left_out(model, wishes):
            skipped = say("iteration.skipped", first=FIRST_TOLD + 1, last=iteration.number - 1)
            section = replace(section, blocks=(skipped, *section.blocks))
        found.append(section)
    if model.diverged:
        lost = say("iteration.diverged", step=model.diverged)
        found.append(Section(f"{extra}diverged", say("section.iteration", number=model.diverged, **what), (lost,)))
    if model.after and model.after.loss:
        again = (
            *forward.steps(teller, model.after, form, f"{extra}after"),
            *forward.loss_steps(teller, model.after, form, f"{extra}after/loss"),
        )
        repeated = Step(f"{extra}after/steps", say("step.again"), substeps=again, fold=True)
        found.append(Section(f"{extra}after", say("section.after", **what), (repeated, *update.comparison(teller))))
    return [section for section in found if section.blocks]


def left_out(model: Model, wishes: Wishes) -> bool:
    """Whether there are too many steps to tell every one."""
    return len(model.iterations) > MOST_TOLD and wishes.level != "full"


def told(model: Model, wishes: Wishes) -> tuple[Iteration, ...]:
    """The steps after the first that are told line by line; of many, the first ones and the last."""
    if not left_out(model, wishes):
        return model.iterations[1:]
    return (*model.iterations[1:FIRST_TOLD], model.last)


def one_step(teller: Teller, form: str, extra: str, what: dict[str, Say], wishes: Wishes) -> list[Section]:
    """Forward, loss, and the layers from the last back."""
    model = teller.model
    steps = forward.steps(teller, model.forward, form, f"{extra}forward")
    found = [Section(f"{extra}forward", say("section.forward", **what), steps)]
    if model.forward.loss:
        steps = forward.loss_steps(teller, model.forward, form, f"{extra}loss")
        found.append(Section(f"{extra}loss", say("section.loss", **what), steps))
    if not wishes.backward or not model.gradient:
        return found
    told = [layer for layer in model.forward.layers if layer.k or layer.parameters or not model.parameters]
    found += [backward_section(teller, layer, form, extra, what) for layer in reversed(told)]
    if last := backward.inputs_step(teller, form, f"{extra}backward"):
        found.append(Section(f"{extra}backward/x", say("section.backward.x", **what), last))
    return found


def later_step(teller: Teller, form: str, extra: str, what: dict[str, Say], wishes: Wishes) -> Section:
    """A training step after the first, as one section: what was a section of the first is a step to unfold."""
    number = teller.model.now.number
    blocks: list[Block] = [say("iteration.symbols", number=number, before=number - 1)]
    for section in one_step(teller, form, extra, {"form": say("form.none")}, wishes):
        inside = tuple(block for block in section.blocks if isinstance(block, Step))
        blocks.append(Step(section.id, section.title, substeps=inside, fold=True))
    return Section(extra.rstrip("/"), say("section.iteration", number=number, **what), tuple(blocks))


def backward_section(teller: Teller, layer: Layer, form: str, extra: str, what: dict[str, Say]) -> Section:
    last = layer is teller.model.forward.layers[-1]
    place = "inputs" if layer.k == 0 else "output" if last else "hidden"
    blocks: list[Block] = [
        *backward.steps(teller, layer, form, f"{extra}backward"),
        *update.rate_step(teller, layer, f"{extra}update"),
        *update.steps(teller, layer, form, f"{extra}update"),
    ]
    if teller.model.updated and not layer.k <= 1 and blocks:
        blocks.append(say("update.new_weights" if teller.model.layerwise else "update.old_weights"))
    return Section(f"{extra}backward/{layer.k}", say(f"section.backward.{place}", k=layer.k, **what), tuple(blocks))


def quantities(teller: Teller, with_gradients: bool) -> dict[str, Quantity]:
    """Every named value under its canonical id, in the user's shapes."""
    model = teller.model
    found = {}
    for node in model.all_nodes():
        trained = is_after(node.id) or step(node.id) > 1
        if not with_gradients and (trained or node.role in ("gradient", "slope", "updated", "state")):
            continue
        shape = model.contract.shape(node)
        value = (
            None
            if model.symbolic
            else model.contract.squeezed(node, np.asarray(teller.values.floats[node.id], dtype=float))
        )
        found[node.id] = Quantity(node.role, shape, value, teller.naming.whole(node), labels(teller, node))
    if with_gradients and not model.symbolic:
        found |= slopes(teller)
    if with_gradients and model.spec.optimizer and model.gradient and not model.updated and "L" in found:
        found["L+"] = found["L"]  # everything is frozen
    if (last := len(model.iterations)) > 1:
        found |= {base(id) + "+": q for id, q in found.items() if id == f"L+@{last}"}
    return found


def slopes(teller: Teller) -> dict[str, Quantity]:
    """The derivatives ∂a/∂z that the gradients did not need: Jacobians, and the slope of a fused sigmoid."""
    found = {}
    for node in teller.model.forward.nodes:
        id = derivative(node.id, node.inputs[0].id) if node.inputs and node.inputs[0].id else ""
        if node.role != "activation" or not id or id in teller.by_id:
            continue
        out, z = (np.asarray(teller.values.floats[n.id], dtype=float) for n in (node, node.inputs[0]))
        if isinstance(node.op, VectorOp) and out.size * out.shape[1] <= MOST_JACOBIAN:
            value = node.op.jacobian_of(out)
            value = value if teller.model.contract.batched else value[0]
        elif isinstance(node.op, Elementwise):
            slope = Slope(node.op)
            value = teller.model.contract.squeezed(node, slope.eval(FLOATS, z, out))
        else:
            continue
        symbol = Partial(
            teller.naming.bold_quantity(node.id), teller.naming.bold_quantity(node.inputs[0].id), teller.notation.d
        )
        found[id] = Quantity("slope", value.shape, value, Name(id, (), symbol))
    return found


def labels(teller: Teller, node: Node) -> object:
    of = teller.model.labels.of
    if node.id in of:
        return of[node.id]
    if not any(label.startswith(node.id + "[") for label in of):
        return None
    shape = teller.model.contract.shape(node)
    flat = [
        of.get(entry(node.id, teller.model.contract.index(node, r, c)), "")
        for r in range(node.shape[0])
        for c in range(node.shape[1])
    ]
    return np.array(flat, dtype=object).reshape(shape).tolist()

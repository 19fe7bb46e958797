"""The forward pass and the loss, entry by entry or as matrices."""

from __future__ import annotations

from derive.derivation.teller import Teller
from derive.document import Form, Line, Say, Step, say
from derive.formula import Apply, Formula
from derive.graph import Node
from derive.ids import base, is_after, kind, place
from derive.ids import step as step_of
from derive.layers import Stage, layers
from derive.losses import Loss
from derive.model import Layer, Pass
from derive.ops.activations import activations
from derive.ops.base import Elementwise
from derive.ops.structural import Scale
from derive.ops.vector import Fused, VectorOp
from derive.reader import places, uses


def steps(teller: Teller, run: Pass, form: str, prefix: str) -> tuple[Step, ...]:
    """The steps of all layers, in order."""
    found: list[Step] = []
    for layer in run.layers:
        if layer.z is not None and layer.z.id:
            found.append(step(teller, layer.z, f"{prefix}/{layer.k}/z", form, layer_title(layer, run, "z"), ()))
        for stage in layer.stages:
            for node in stage.lines:
                title, why = told(teller, stage, node, layer, run)
                found.append(step(teller, node, f"{prefix}/{layer.k}/{place(node.id)}", form, title, why))
            if stage.running:
                found.append(running_step(teller, stage, layer, form, prefix))
    return tuple(found)


def title_of(stage: str) -> str:
    """How a stage is called."""
    return next((table.title(stage) for table in (activations, layers) if stage in table), stage)


def told(teller: Teller, stage: Stage, node: Node, layer: Layer, run: Pass) -> tuple[Say, tuple[Say, ...]]:
    """Title and reason of a line of a stage."""
    if stage.name in activations:
        title = layer_title(layer, run, "a", function=title_of(stage.name))
        return title, (say(f"activation.{stage.name}"),)
    letter, _ = kind(node.id)
    testing = not teller.model.spec.training and stage.name in ("dropout", "batch_norm")
    variant = "eval" if testing and node.role != "statistic" else stage.name
    return say(f"step.layer.{letter}", k=layer.k, function=title_of(stage.name)), (say(f"layer.{letter}.{variant}"),)


def running_step(teller: Teller, stage: Stage, layer: Layer, form: str, prefix: str) -> Step:
    """The running statistics after the batch."""
    after = tuple(stage.running.values())
    id = f"{prefix}/{layer.k}/{place(after[0].id)}"
    matrix = form == "matrix"
    lines = tuple(line for node in after for line in ([teller.matrix_line(node)] if matrix else teller.lines(node)))
    for node in after:
        teller.values.home.setdefault(node.id, id)
    return Step(
        id, say("step.layer.running", k=layer.k), (say("layer.running"),), lines, uses(lines, teller.values, id)
    )


def layer_title(layer: Layer, run: Pass, what: str, **args: object) -> Say:
    last = layer.k == run.layers[-1].k
    place = "inputs" if layer.k == 0 else "output" if last else "hidden"
    return say(f"step.{what}.{place}", k=layer.k, **args)


def step(teller: Teller, node: Node, id: str, form: str, title: Say, why: tuple[Say, ...]) -> Step:
    """One quantity as a step; it becomes the home of its id."""
    if form == "matrix":
        lines: tuple[Line, ...] = (matrix_line(teller, node),)
    else:
        lines = tuple(scalar_line(teller, node, row, column) for row, column in places(node))
        why = (*why, *branches(node))
    teller.values.home.setdefault(node.id, id)
    return Step(id, title, why, lines, uses(lines, teller.values, id))


def branches(node: Node) -> tuple[Say, ...]:
    """Which value of the slope is taken at a kink, for functions that have one."""
    return (say("branch.other"),) if isinstance(node.op, Elementwise) and node.op.kinks else ()


def scalar_line(teller: Teller, node: Node, row: int, column: int) -> Line:
    call = called(teller, node, row, column)
    found = teller.line(node, row, column, *([Form(call, numbers=False)] if call else []))
    if call and found.forms[-1].formula == call:
        return Line(found.target, (Form(call),), condition=found.condition)
    return found


def called(teller: Teller, node: Node, row: int, column: int) -> Formula | None:
    """An activation as a call by name: σ(z₁)."""
    if isinstance(node.op, Elementwise) and len(node.inputs) == 1 and node.inputs[0].id:
        inner = teller.used(node.inputs[0], row, column)
        if node.op.name == "identity" or node.op.body == Apply(node.op.name, (node.op.parameters[0],)):
            return None
        return Apply(node.op.function, (inner,))
    return None


def matrix_line(teller: Teller, node: Node) -> Line:
    numbers = not isinstance(node.op, (Elementwise, VectorOp)) or len(node.inputs) > 1
    return teller.matrix_line(node, numbers=numbers)


def loss_steps(teller: Teller, run: Pass, form: str, prefix: str) -> tuple[Step, ...]:
    """Probabilities made by the loss itself, targets as weighted, the loss of each output, and the loss."""
    if run.loss is None:
        return ()
    mark = marks(run.loss.total)
    own = [n for n in run.nodes if marks(n) == mark and n not in run_nodes(run)]
    found = []
    for node in own:
        letter = base(node.id)
        if not node.inputs or letter not in ("p", "u", "l", "L", "data_loss", "penalty"):
            continue
        title = loss_title(run.loss, letter)
        why: tuple[Say, ...] = ()
        if node is run.loss.data and teller.model.spec.loss:
            why = (say(f"loss.{teller.model.spec.loss.name}"),)
        elif letter == "penalty":
            why = tuple(say(f"penalty.{choice.name}") for choice in teller.model.spec.penalties)
        elif letter == "L":
            why = (say("loss.regularized"),)
        if isinstance(node.op, Fused) and letter in ("l", "L", "data_loss"):
            why = (*why, say("loss.fused"))
        found.append(step(teller, node, f"{prefix}/{letter}", form, title, why))
    return tuple(found)


def marks(node: Node) -> tuple[bool, int]:
    """Whether a quantity is one after the update, and of which step."""
    return is_after(node.id), step_of(node.id)


def loss_title(loss: Loss, letter: str) -> Say:
    """What a quantity of the loss is: of an output or a sample, a sum or a mean."""
    if letter == "l" and loss.each.shape[1] == 1:
        return say("step.loss.l_sample")
    if letter == "L" and loss.penalty is not None:
        return say("step.loss.regularized")
    if letter in ("L", "data_loss"):
        what = "L_one" if loss.each is loss.data else "L_mean" if isinstance(loss.data.op, Scale) else "L"
        return say(f"step.loss.{what}" if letter == "L" else f"step.data_loss.{what}")
    return say(f"step.loss.{letter}")


def run_nodes(run: Pass) -> set[Node]:
    return {node for layer in run.layers for node in layer.lines}

"""From the sentences of a worked solution to the lessons that derive what they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from derive.document import Block, Document, Say, Step, Table, sentences
from derive.passes import each_block

#: Sentences whose keys end in the name of what they are about, as in `slope.sigmoid`.
FAMILIES = ("activation", "layer", "slope", "jacobian", "loss", "penalty", "through", "update", "optimizer", "schedule")
#: Sentences whose keys begin with the topic, as in `ema.closed`, or end in another name than it has.
OTHERS = {
    "step.z": "neuron",
    "loss.half_squared_error": "mse",
    "loss.l1": "mae",
    "loss.bce_with_logits": "bce",
    "loss.nll": "cross_entropy",
    "loss.fused": "log_sum_exp",
    "backward.a": "chain_rule",
    "backward.z": "backprop_equations",
    "backward.z.output": "chain_rule",
    "backward.W": "backprop_equations",
    "backward.b": "backprop_equations",
    "backward_descent.z": "backprop_equations",
    "backward_descent.z.output": "chain_rule",
    "backward_descent.W": "backprop_equations",
    "backward_descent.b": "backprop_equations",
    "why.transpose": "transpose",
    "through.linear": "chain_rule",
    "through.activation": "chain_rule",
    "through.dropout_eval": "dropout",
    "layer.drop": "dropout",
    "layer.s": "residual",
    "layer.running": "batch_norm",
    "penalty.l2_norm": "l2",
    "update.sgd": "gradient_descent",
    "optimizer.form": "momentum",
    "optimizer.note.sgd_momentum": "momentum",
    "optimizer.eps": "adam",
    "optimizer.decay": "weight_decay",
    "ema": "ema",
    "batches": "batches",
}
#: A loss and the activation before it, differentiated together.
FUSED = {"cross_entropy": "softmax_cross_entropy", "bce": "bce", "bce_with_logits": "bce"}
#: What batch norm and layer norm have in common.
NORMALIZED_KEYS = (
    "layer.n",
    "layer.y",
    "backward.gamma",
    "backward.beta",
    "through.affine",
    "through.normalized",
    "through.normalized_eval",
    "through.statistic",
    "through.deviations",
    "through.condensed",
)
FUSED_KEYS = ("backward.z.fused", "backward_descent.z.fused", "backward.a.fused", "backward.x.fused", "long")


def pointed(document: Document, topics: Collection[str]) -> Document:
    """The same document, each reason with the topic of the lesson behind it, if there is one."""
    in_force = document.conventions_in_force
    loss = name_in(in_force, "loss")
    lessons = {
        **OTHERS,
        **dict.fromkeys(FUSED_KEYS, FUSED.get(loss, "")),
        **dict.fromkeys(NORMALIZED_KEYS, normalization(document)),
        **dict.fromkeys(("backward.a.output", "through.loss"), topic_of(f"loss.{loss}", OTHERS, topics)),
        "step.rate": name_in(in_force, "schedule"),
    }

    def found(say: Say) -> Say:
        topic = "" if not isinstance(say.key, str) else drawn(say) or topic_of(say.key, lessons, topics)
        return replace(say, lesson=topic) if topic in topics else say

    def step(block: Step) -> Step:
        return replace(
            block,
            title=found(block.title),
            why=tuple(map(found, block.why)),
            substeps=tuple(map(step, block.substeps)),
        )

    def pointed_block(block: Block) -> Block:
        match block:
            case Say():
                return found(block)
            case Step():
                return step(block)
            case Table():
                rows = (tuple(found(c) if isinstance(c, Say) else c for c in row) for row in block.rows)
                return replace(block, rows=tuple(rows))
        return block

    return each_block(document, pointed_block)


def topic_of(key: str, lessons: Mapping[str, str], topics: Collection[str]) -> str:
    """The topic of a sentence: by the longest part of its key that is listed, else by the name it ends in."""
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        if (listed := ".".join(parts[:length])) in lessons:
            return lessons[listed]
    return parts[-1] if parts[0] in FAMILIES and parts[-1] in topics else ""


def normalization(document: Document) -> str:
    """The one a document speaks of; batch norm where it speaks of several or, as in eval mode, names none."""
    said = {str(say.key) for section in document.sections for block in section.blocks for say in sentences(block)}
    names = {key.rpartition(".")[2] for key in said if key.startswith(("layer.mean.", "layer.n."))}
    return names.pop() if len(names) == 1 and "eval" not in names else "batch_norm"


def drawn(say: Say) -> str:
    """`xavier_normal` was drawn by the rule of Xavier."""
    return str(say.args["how"]).partition("_")[0] if say.key == "given.drawn" else ""


def name_in(in_force: Mapping[str, Any], kind: str) -> str:
    """What stands first among the options of a kind: the name of the loss, of the schedule."""
    return next(iter(in_force.get(kind) or {}), "")

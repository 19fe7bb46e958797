"""The conventions in force, one sentence each: people are marked wrong for these."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from derive.algebra import FORMULAS, evaluate
from derive.blocks import Draw
from derive.derivation.teller import Teller
from derive.document import Say, say
from derive.formula import Formula, formula
from derive.graph import Node, topological
from derive.lines import rounding
from derive.losses import CLASSIFICATION
from derive.model import Model
from derive.numerals import Policy
from derive.ops.base import Elementwise
from derive.ops.vector import Fused, Softmax
from derive.optimizers import decay

MACHINES = {"numpy": "numpy PCG64", "torch": "torch mt19937"}


def sentences(teller: Teller, policy: Policy) -> tuple[Say, ...]:
    model, notation = teller.model, teller.notation
    found = [say("convention.notation", name=say(f"preset.{notation.preset}"))]
    if any(layer.z is not None for layer in model.forward.layers):
        order = "from_to" if notation.weight.find("{i}") < notation.weight.find("{j}") else "to_from"
        if "{j}" in notation.weight or "{J}" in notation.weight:
            found.append(say(f"convention.index.{order}"))
        if "{f}" in notation.weight or "{g}" in notation.weight:
            found.append(say(f"convention.numbering.{'target' if '{f}' in notation.weight else 'source'}"))
        if notation.first_layer != 1:
            found.append(say("convention.first_layer", number=notation.first_layer))
        found.append(layout(teller))
    if model.contract.batched:
        found.append(say(f"convention.samples_{notation.sample}"))
    found += layer_sentences(teller)
    found += loss_sentences(teller)
    if notation.sign == "descent":
        found.append(say("convention.descent"))
    if teller.naming.batch_mean != 1:
        found.append(say("convention.sample", count=teller.naming.batch_mean))
    if notation.bias_as != "b":
        found.append(say(f"convention.bias.{notation.bias_as}"))
    if model.updated:
        found.append(say(f"convention.update.{model.spec.update}"))
        found.append(say("convention.marks", mark=notation.update))
        found += optimizer_sentences(teller)
    if model.updated and model.spec.schedule is not None:
        key = "network" if model.letters else "listening"
        from derive.schedules import schedules

        found.append(say(f"convention.schedule.{key}", name=schedules.title(model.spec.schedule.name)))
    if model.frozen:
        frozen = [node for node in model.parameters if node.id in model.frozen]
        found.append(
            say("convention.frozen", names=", ".join(model.labels.of.get(node.id, node.id) for node in frozen))
        )
    if any(isinstance(n.op, Elementwise) and n.op.kinks for n in model.forward.nodes):
        found.append(say("convention.kinks"))
    if model.drawn:
        found += drawn_sentences(model)
    found.append(rounding(policy))
    if model.symbolic:
        found.append(symbols_only(teller))
    return tuple(found)


def by(model: Model) -> dict[str, Any]:
    """The generator of random numbers and its seed."""
    return {"generator": say(f"drawing.{model.spec.drawing.generator}"), "seed": str(model.seed)}


def drawn_sentences(model: Model) -> list[Say]:
    """Where the random numbers come from, and in which order."""
    drawing, inputs = model.spec.drawing, model.spec.inputs
    found = [say("drawing.by", **by(model))]
    if drawing.generator == "torch":
        found = [say("drawing.by_torch", **by(model), dtype=drawing.dtype), say(f"drawing.{drawing.order}")]
    if isinstance(inputs, Draw):
        own = inputs.seed is not None
        found.append(say("drawing.inputs_seed" if own else f"drawing.inputs_{drawing.inputs}", seed=str(inputs.seed)))
    return found


def optimizer_sentences(teller: Teller) -> list[Say]:
    """Which of the forms in print the optimizer has, and what is meant entry by entry."""
    optimizer = teller.model.spec.optimizer
    options = {} if optimizer is None else optimizer.in_force
    found = [say(f"optimizer.form.{options['form']}")] if "form" in options else []
    found += [say(f"optimizer.eps.{options['eps_form']}")] if options.get("betas") and "eps_form" in options else []
    now = teller.model.now
    if teller.model.steps_before and any(now.lines.values()):
        found.append(say("convention.steps_before", count=f"{teller.model.steps_before:,}"))
    if way := decay([*(line for lines in now.lines.values() for line in lines), *now.updated.values()]):
        found.append(say(f"convention.decay.{way}"))
    if any(teller.model.now.lines.values()):
        found.append(say("convention.entrywise"))
    return found


def layer_sentences(teller: Teller) -> list[Say]:
    """What layers do that differ in training and testing, and which parameters a penalty counts."""
    model = teller.model
    names = {stage.name for layer in model.forward.layers for stage in layer.stages}
    found = []
    if names & {"dropout", "batch_norm"} and not model.spec.training:
        found.append(say("convention.mode"))
    if "dropout" in names:
        found.append(say("convention.dropout"))
        drawn = any(mask in model.masks_drawn for mask in model.forward.masks)
        if model.spec.training:
            found.append(say("convention.mask_drawn", **by(model)) if drawn else say("convention.mask_given"))
    if "batch_norm" in names:
        found.append(say("convention.batch_norm"))
    if model.spec.penalties:
        bias = any(choice.in_force["bias"] for choice in model.spec.penalties)
        found.append(say("convention.penalty_biases" if bias else "convention.penalty_weights"))
    return found


def layout(teller: Teller) -> Say:
    """How vectors lie, by the first layer's rule as the page writes it."""
    z = next(layer.z for layer in teller.model.forward.layers if layer.z is not None)
    lies = f"{teller.notation.layout}_batch" if teller.model.contract.batched else teller.notation.layout
    return say(f"convention.layout.{lies}", z=teller.naming.whole(z), rule=teller.matrix_formula(z))


def before(teller: Teller, policy: Policy) -> tuple[Say, ...]:
    """What a reader needs to know before the first line."""
    samples = (
        (say("convention.samples_subscript"),)
        if teller.model.contract.batched and teller.notation.sample == "subscript"
        else ()
    )
    return (*samples, *(() if teller.model.symbolic else (rounding(policy),)))


def loss_sentences(teller: Teller) -> list[Say]:
    model = teller.model
    if model.forward.loss is None or model.spec.loss is None:
        return []
    name = model.spec.loss.name
    reduction = model.spec.loss.in_force.get("reduction", "mean")
    family = name if name == "half_squared_error" else "pytorch"
    divisor = formula(1 / model.forward.loss.factor)
    found = [
        say(f"convention.loss.{name}", **shown_loss(teller, model.forward.loss.each, model.spec.loss.in_force)),
        say(f"convention.reduction.{family}.{reduction}", divisor=divisor),
    ]
    fused = next((n for n in topological(model.forward.loss.total) if isinstance(n.op, Fused)), None)
    if fused is not None and fused.inputs[1] is model.forward.output:
        key = "softmax" if isinstance(fused.inputs[1].op, Softmax) else "sigmoid"
        found.append(say(f"convention.fused.{key}"))
    if name in CLASSIFICATION and model.encoding == "classes":
        found.append(say("convention.classes"))
    return found


def shown_loss(teller: Teller, each: Node, in_force: dict[str, Any]) -> dict[str, Formula]:
    """The loss of the first output and its slope as the page writes them, and the loss's numbers."""
    found: dict[str, Formula] = {name: formula(x) for name, x in in_force.items() if isinstance(x, Fraction)}
    if isinstance(each.op, Elementwise) and each.op.slopes[0] is not None:
        env = {p: teller.used(n, 0, 0) for p, n in zip(each.op.parameters, each.inputs, strict=True)}
        found["each"] = evaluate(each.op.body, env.__getitem__, FORMULAS)
        found["slope"] = evaluate(each.op.slopes[0], env.__getitem__, FORMULAS)
    return found


def symbols_only(teller: Teller) -> Say:
    return say("convention.symbolic", names=", ".join(node.id for node in teller.model.missing))


def in_force(teller: Teller, policy: Policy, form: str) -> dict[str, Any]:
    """The same for machines."""
    model, loss, optimizer = teller.model, teller.model.spec.loss, teller.model.spec.optimizer
    plain: dict[str, Any] = {
        "notation": teller.notation.preset,
        "layout": teller.notation.layout,
        "form": form,
        "weight": "(out, in)",
    }
    if loss is not None:
        plain |= {"loss": {loss.name: options(loss.in_force)}}
    if optimizer is not None:
        plain |= {"optimizer": {optimizer.name: options(optimizer.in_force)}, "update": model.spec.update}
    if model.spec.schedule is not None:
        from derive.schedules import options_in_force

        plain["schedule"] = options_in_force(model.spec.schedule)
    kind = {"decimals": policy.decimals} if policy.decimals is not None else {"significant": policy.significant}
    plain["numbers"] = {**kind, "exact": policy.exact, "round_as_you_go": policy.as_you_go, "half": policy.half}
    if model.drawn:
        plain |= {"seed": model.seed, "generator": MACHINES[model.spec.drawing.generator]}
    return {**plain, "symbolic_only": model.symbolic}


def options(given: dict[str, Any]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, tuple):
            return [float(x) for x in value]
        return value if isinstance(value, (str, bool, int)) else float(value)

    return {name: plain(value) for name, value in given.items()}

"""Optimizers as PyTorch has them; the forms of textbooks that it has not are written out as optimizers of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.exports.torch_calls import missing, plain
from derive.options import Choice

#: Class in torch.optim, and what it calls the things that derive's formulas remember.
OPTIMIZERS: dict[str, tuple[str, dict[str, str]]] = {
    "sgd": ("SGD", {"buf": "momentum_buffer"}),
    "adagrad": ("Adagrad", {"s": "sum"}),
    "rmsprop": ("RMSprop", {"v": "square_avg", "gbar": "grad_avg", "buf": "momentum_buffer"}),
    "adadelta": ("Adadelta", {"v": "square_avg", "u": "acc_delta"}),
    "adam": ("Adam", {"m": "exp_avg", "v": "exp_avg_sq", "vmax": "max_exp_avg_sq"}),
    "adamw": ("AdamW", {"m": "exp_avg", "v": "exp_avg_sq", "vmax": "max_exp_avg_sq"}),
    "adamax": ("Adamax", {"m": "exp_avg", "u": "exp_inf"}),
    "nadam": ("NAdam", {"m": "exp_avg", "v": "exp_avg_sq", "muprod": "mu_product"}),
    "radam": ("RAdam", {"m": "exp_avg", "v": "exp_avg_sq"}),
    "rprop": ("Rprop", {"prev": "prev", "size": "step_size"}),
    "asgd": ("ASGD", {"eta": "eta", "ax": "ax"}),
}
#: The step of a form that torch.optim has not, in the parameter p, its gradient g, what is remembered (s) and t.
MOMENTS = (
    "s['m'] = beta1 * s.get('m', 0) + (1 - beta1) * g",
    "s['v'] = beta2 * s.get('v', 0) + (1 - beta2) * g**2",
)
LARGEST = ("s['vmax'] = v = torch.maximum(s.get('vmax', torch.zeros_like(p)), s['v'])",)
FORMS: dict[tuple[str, str], tuple[str, ...]] = {
    ("momentum", "ema"): ("s['s'] = mu * s.get('s', 0) + (1 - mu) * g", "p -= lr * s['s']"),
    ("momentum", "classical"): ("s['v'] = mu * s.get('v', 0) - lr * g", "p += s['v']"),
    ("adam", "inside"): (
        "mhat, vhat = s['m'] / (1 - beta1**t), v / (1 - beta2**t)",
        "p -= lr * mhat / (vhat + eps).sqrt()",
    ),
    ("adam", "hat"): (
        "rate = lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t)",
        "p -= rate * s['m'] / (v.sqrt() + eps)",
    ),
    ("adamax", "beside"): (
        "s['m'] = beta1 * s.get('m', 0) + (1 - beta1) * g",
        "s['u'] = torch.maximum(beta2 * s.get('u', torch.zeros_like(p)), g.abs())",
        "p -= lr * s['m'] / (1 - beta1**t) / (s['u'] + eps)",
    ),
}


def form_of(choice: Choice) -> tuple[str, str] | None:
    """The form that has to be written out; None where torch.optim has it."""
    options = choice.in_force
    name = "adam" if choice.name == "adamw" else choice.name
    form = (name, options.get("form") or options.get("eps_form", ""))
    return form if form in FORMS else None


def remembered(choice: Choice) -> dict[str, str]:
    """What is remembered, by derive's letter -> by the name it has in the optimizer's state."""
    if form := form_of(choice):
        letters = {"momentum": {"ema": "s", "classical": "v"}.get(form[1], ""), "adamax": "mu"}.get(form[0], "mv")
        return {letter: letter for letter in (*letters, *(["vmax"] if choice.in_force.get("amsgrad") else []))}
    if choice.name == "momentum":
        return {"buf": "momentum_buffer"}
    return OPTIMIZERS[choice.name][1]


def optimizer(choice: Choice, parameters: str) -> tuple[list[str], str]:
    """(the lines that define it, where there are any, the expression that makes it)."""
    if form := form_of(choice):
        return written_out(choice, form), f"Optimizer({parameters}, lr={plain(choice.in_force['lr'])})"
    options = {name: value for name, value in choice.options.items() if name not in ("form", "eps_form", "lr")}
    if choice.name == "momentum":
        options = {"momentum": choice.in_force["momentum"], **options}
    if choice.name == "momentum":
        title = "SGD"
    elif choice.name in OPTIMIZERS:
        title = OPTIMIZERS[choice.name][0]
    else:
        raise missing(choice, f"optimizer '{choice.name}'")
    given: Mapping[str, Any] = {"lr": choice.in_force["lr"], **options}
    return [], f"torch.optim.{title}({parameters}, {', '.join(f'{k}={plain(v)}' for k, v in given.items())})"


def written_out(choice: Choice, form: tuple[str, str]) -> list[str]:
    """An optimizer of its own, with the options in force as numbers."""
    options = choice.in_force
    numbers = [f"mu = {plain(options['momentum'])}"] if "momentum" in options else []
    if "betas" in options:
        numbers.append(f"beta1, beta2 = {plain(options['betas'])}")
        numbers.append(f"eps = {plain(options['eps'])}")
    gradient = "-p.grad" if options.get("maximize") else "p.grad"
    decay, lines = options.get("weight_decay", 0), [f"g = {gradient}"]
    if decay and choice.name == "adamw":
        lines.append(f"p *= 1 - lr * {plain(decay)}")
    elif decay:
        lines.append(f"g = g + {plain(decay)} * p")
    if form[0] == "adam":
        lines += [*MOMENTS, *(LARGEST if options["amsgrad"] else ("v = s['v']",))]
    return [
        "class Optimizer(torch.optim.Optimizer):",
        "    def __init__(self, parameters, lr):",
        "        super().__init__(parameters, {'lr': lr})",
        "",
        "    @torch.no_grad()",
        "    def step(self):",
        *(f"        {number}" for number in numbers),
        "        for group in self.param_groups:",
        "            lr = group['lr']",
        "            for p in group['params']:",
        "                s = self.state[p]",
        "                s['step'] = t = s.get('step', 0) + 1",
        *(f"                {line}" for line in (*lines, *FORMS[form])),
        "",
        "",
    ]

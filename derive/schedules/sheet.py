"""Learning-rate schedules, a formula sheet: each function is an entry, its keyword-only arguments are its options.

Names, options and defaults are those of https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate;
`warm_up`, `inverse_time` and `noam` are what is commonly written with LinearLR and LambdaLR. Epochs are counted from 0
and the rate of an epoch is the one its steps are made with. `Plateau` is apart: it listens to a metric.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal

from derive.formula import PI, ZERO, Formula, Name, Number, Symbol, bind, cases, cos, floor, log, smaller, sqrt
from derive.registry import Registry
from derive.schedules.base import BASE, BEFORE, E, Schedule, at_least, before, known, milestone_names, up_to
from derive.schedules.plateau import FACTOR, LEAST, Plateau

GAMMA = Name("gamma", symbol=Symbol("γ"))
START, END = (
    Name("start_factor", symbol=Symbol("c", sub="0")),
    Name("end_factor", symbol=Symbol("c", sub="n")),
)
STEP, ITERS, POWER, DECAY, WARM = (
    Name("step_size", symbol=Symbol("k")),
    Name("total_iters", symbol=Symbol("n")),
    Name("power", symbol=Symbol("p")),
    Name("decay", symbol=Symbol("d")),
    Name("warmup_steps", symbol=Symbol("w")),
)
LOWEST, LOW, HIGH = (
    Name("eta_min", symbol=Symbol("η", sub="min")),
    Name("base_lr", symbol=Symbol("η", sub="min")),
    Name("max_lr", symbol=Symbol("η", sub="max")),
)
LENGTH, CYCLE, LONGER = (
    Name("t_max", symbol=Symbol("T")),
    Name("t_0", symbol=Symbol("T", sub="0")),
    Name("t_mult", symbol=Symbol("q")),
)
UP, DOWN = Name("step_size_up", symbol=Symbol("k", sub="up")), Name("step_size_down", symbol=Symbol("k", sub="down"))
TOTAL, SHARE, DIVISOR, LAST_DIVISOR = (
    Name("total_steps", symbol=Symbol("N")),
    Name("pct_start", symbol=Symbol("p")),
    Name("div_factor", symbol=Symbol("d")),
    Name("final_div_factor", symbol=Symbol("d", sub="N")),
)


def annealed(start: Formula, end: Formula, share: Formula) -> Formula:
    """From `start` to `end` along half a cosine; `share` goes from 0 to 1."""
    return end + (start - end) * (1 + cos(PI * share)) / 2


schedules: Registry[Callable[..., Schedule | Plateau]] = Registry("schedule")


@schedules("StepLR")
def step_lr(*, step_size: int, gamma: Fraction = Fraction(1, 10)) -> Schedule:
    """η₀·γ^⌊e/k⌋: times gamma every step_size epochs. PyTorch: StepLR."""
    at_least(1, step_size=step_size)
    at_least(0, gamma=gamma)
    whole = floor(E / STEP)
    step = BEFORE * cases((GAMMA, up_to(STEP * whole)), (1, True))
    return Schedule(BASE, step, BASE * GAMMA**whole, known((STEP, step_size), (GAMMA, gamma)))


@schedules("MultiStepLR")
def multi_step_lr(*, milestones: tuple[int, ...], gamma: Fraction = Fraction(1, 10)) -> Schedule:
    """Times gamma at each milestone. PyTorch: MultiStepLR."""
    at_least(0, gamma=gamma)
    marks = milestone_names(milestones)
    passed = [(Number(Fraction(1)) if i == 0 else GAMMA ** Number(Fraction(i)), before(m)) for i, m in enumerate(marks)]
    closed = BASE * cases(*passed, (GAMMA ** Number(Fraction(len(marks))), True))
    turns = [turn for m in marks for turn in ((1, before(m)), (GAMMA, up_to(m)))]
    return Schedule(BASE, BEFORE * cases(*turns, (1, True)), closed, {**marks, GAMMA: gamma})


@schedules("ExponentialLR")
def exponential_lr(*, gamma: Fraction) -> Schedule:
    """η₀·γᵉ: times gamma in every epoch. PyTorch: ExponentialLR."""
    at_least(0, gamma=gamma)
    return Schedule(BASE, BEFORE * GAMMA, BASE * GAMMA**E, {GAMMA: gamma})


@schedules("ConstantLR", "constant_lr")
def constant(*, factor: Fraction = Fraction(1, 3), total_iters: int = 5) -> Schedule:
    """η₀ times factor in the first total_iters epochs, then η₀. PyTorch: ConstantLR."""
    if not 0 < factor <= 1:
        raise ValueError("factor must be above 0 and at most 1")
    at_least(1, total_iters=total_iters)
    step = BEFORE * cases((1, before(ITERS)), (1 / FACTOR, up_to(ITERS)), (1, True))
    closed = BASE * cases((FACTOR, before(ITERS)), (1, True))
    return Schedule(BASE * FACTOR, step, closed, known((FACTOR, factor), (ITERS, total_iters)))


@schedules("LinearLR", "linear_lr")
def linear(
    *, start_factor: Fraction = Fraction(1, 3), end_factor: Fraction = Fraction(1), total_iters: int = 5
) -> Schedule:
    """η₀ times a factor that goes from start_factor to end_factor in total_iters epochs. PyTorch: LinearLR."""
    if not 0 < start_factor <= 1:
        raise ValueError("start_factor must be above 0 and at most 1")
    if not 0 <= end_factor <= 1:
        raise ValueError("end_factor must be from 0 to 1")
    at_least(1, total_iters=total_iters)
    rise = END - START
    step = BEFORE * cases((1 + rise / (ITERS * START + (E - 1) * rise), up_to(ITERS)), (1, True))
    closed = BASE * (START + rise * smaller(E, ITERS) / ITERS)
    options = known((START, start_factor), (END, end_factor), (ITERS, total_iters))
    return Schedule(BASE * START, step, closed, options)


@schedules("PolynomialLR", "polynomial_lr")
def polynomial(*, total_iters: int = 5, power: Fraction = Fraction(1)) -> Schedule:
    """η₀·(1 − e/n)ᵖ, down to 0 in n = total_iters epochs. PyTorch: PolynomialLR."""
    at_least(1, total_iters=total_iters)
    at_least(0, power=power)
    step = BEFORE * cases((((1 - E / ITERS) / (1 - (E - 1) / ITERS)) ** POWER, up_to(ITERS)), (1, True))
    closed = BASE * (1 - smaller(E, ITERS) / ITERS) ** POWER
    return Schedule(BASE, step, closed, known((ITERS, total_iters), (POWER, power)))


@schedules("CosineAnnealingLR", "cosine_annealing_lr")
def cosine_annealing(*, t_max: int, eta_min: Fraction = Fraction(0)) -> Schedule:
    """From η₀ to eta_min along half a cosine in t_max epochs, and back up (Loshchilov & Hutter, 2017).

    The recursion would divide 0 by 0 after each epoch in which the rate is eta_min; there it adds. PyTorch:
    CosineAnnealingLR.
    """
    at_least(1, t_max=t_max)
    at_least(0, eta_min=eta_min)
    turns = (E - 1 - LENGTH) / (2 * LENGTH)
    up = BEFORE + (BASE - LOWEST) * (1 - cos(PI / LENGTH)) / 2
    on = LOWEST + (BEFORE - LOWEST) * (1 + cos(PI * E / LENGTH)) / (1 + cos(PI * (E - 1) / LENGTH))
    closed = LOWEST + (BASE - LOWEST) * (1 + cos(PI * E / LENGTH)) / 2
    return Schedule(
        BASE, cases((up, turns <= floor(turns)), (on, True)), closed, known((LENGTH, t_max), (LOWEST, eta_min))
    )


@schedules("CosineAnnealingWarmRestarts", "cosine_annealing_warm_restarts")
def warm_restarts(*, t_0: int, t_mult: int = 1, eta_min: Fraction = Fraction(0)) -> Schedule:
    """Half a cosine from η₀ to eta_min in t_0 epochs, then again, each time t_mult as long (Loshchilov & Hutter, 2017).

    PyTorch: CosineAnnealingWarmRestarts.
    """
    at_least(1, t_0=t_0, t_mult=t_mult)
    at_least(0, eta_min=eta_min)
    if t_mult == 1:
        options = known((CYCLE, t_0), (LOWEST, eta_min))
        return Schedule(BASE, None, annealed(BASE, LOWEST, (E - CYCLE * floor(E / CYCLE)) / CYCLE), options)
    restarts = floor(log(1 + E * (LONGER - 1) / CYCLE) / log(LONGER))
    begun = CYCLE * (LONGER**restarts - 1) / (LONGER - 1)
    closed = annealed(BASE, LOWEST, (E - begun) / (CYCLE * LONGER**restarts))
    return Schedule(BASE, None, closed, known((CYCLE, t_0), (LONGER, t_mult), (LOWEST, eta_min)))


@schedules("OneCycleLR", "one_cycle_lr")
def one_cycle(
    *,
    max_lr: Fraction,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: Fraction = Fraction(3, 10),
    anneal_strategy: Literal["cos", "linear"] = "cos",
    div_factor: Fraction = Fraction(25),
    final_div_factor: Fraction = Fraction(10_000),
    three_phase: bool = False,
) -> Schedule:
    """From max_lr/div_factor up to max_lr and down to the first rate / final_div_factor (Smith & Topin, 2018).

    The rate of the optimizer does not matter. three_phase: first down to the first rate, then to the last. It is made
    for total_steps, or epochs · steps_per_epoch, and goes no further. PyTorch: OneCycleLR.
    """
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise ValueError("total_steps is needed, or epochs and steps_per_epoch")
        at_least(1, epochs=epochs, steps_per_epoch=steps_per_epoch)
        total_steps = epochs * steps_per_epoch
    at_least(1, total_steps=total_steps)
    at_least(0, max_lr=max_lr)
    if not 0 <= pct_start <= 1:
        raise ValueError("pct_start must be from 0 to 1")
    if pct_start * total_steps == 1:
        raise ValueError("pct_start · total_steps must not be 1: the way up would take no time")
    if not (div_factor > 0 and final_div_factor > 0):
        raise ValueError("div_factor and final_div_factor must be positive")
    low, lowest = HIGH / DIVISOR, HIGH / (DIVISOR * LAST_DIVISOR)
    top, bottom = SHARE * TOTAL - 1, 2 * SHARE * TOTAL - 2

    def phase(start: Formula, end: Formula, since: Formula, lasting: Formula) -> Formula:
        share = (E - since) / lasting
        return annealed(start, end, share) if anneal_strategy == "cos" else start + (end - start) * share

    climb = (phase(low, HIGH, ZERO, top), up_to(top))
    if three_phase:
        fall = (phase(HIGH, low, top, top), up_to(bottom))
        closed = cases(climb, fall, (phase(low, lowest, bottom, (1 - 2 * SHARE) * TOTAL + 1), True))
    else:
        closed = cases(climb, (phase(HIGH, lowest, top, (1 - SHARE) * TOTAL), True))
    options = known((HIGH, max_lr), (TOTAL, total_steps), (SHARE, pct_start), (DIVISOR, div_factor))
    first = low if pct_start * total_steps > 1 else bind(closed, {E: ZERO})
    return Schedule(first, None, closed, options | {LAST_DIVISOR: final_div_factor}, total_steps)


@schedules("CyclicLR", "cyclic_lr")
def cyclic(
    *,
    base_lr: Fraction,
    max_lr: Fraction,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
    gamma: Fraction = Fraction(1),
) -> Schedule:
    """From base_lr up to max_lr in step_size_up epochs and back down, over and over (Smith, 2017).

    triangular2 halves the height after each cycle, exp_range multiplies it by gamma in every epoch. The rate of the
    optimizer does not matter. PyTorch: CyclicLR.
    """
    down = step_size_up if step_size_down is None else step_size_down
    at_least(1, step_size_up=step_size_up, step_size_down=down)
    at_least(0, base_lr=base_lr, max_lr=max_lr, gamma=gamma)
    cycles = floor(E / (UP + DOWN))
    since = E - (UP + DOWN) * cycles
    height = (HIGH - LOW) * smaller(since / UP, (UP + DOWN - since) / DOWN)
    options = known((LOW, base_lr), (HIGH, max_lr), (UP, step_size_up), (DOWN, down))
    match mode:
        case "triangular2":
            height = height / Number(Fraction(2)) ** cycles
        case "exp_range":
            height, options = height * GAMMA**E, options | {GAMMA: gamma}
    return Schedule(LOW, None, LOW + height, options)


@schedules()
def warm_up(*, steps: int) -> Schedule:
    """η₀·(e + 1)/n in the first n = `steps` epochs, then η₀.

    PyTorch: LinearLR with start_factor 1/n and total_iters n − 1.
    """
    at_least(1, steps=steps)
    count = Name("steps", symbol=Symbol("n"))
    step = BEFORE * cases(((E + 1) / E, before(count)), (1, True))
    return Schedule(BASE / count, step, BASE * smaller(E + 1, count) / count, known((count, steps)))


@schedules()
def inverse_time(*, decay: Fraction) -> Schedule:
    """η₀/(1 + d·e). PyTorch: LambdaLR with 1/(1 + d·e)."""
    at_least(0, decay=decay)
    return Schedule(BASE, None, BASE / (1 + DECAY * E), {DECAY: decay})


@schedules()
def noam(*, warmup_steps: int = 4000) -> Schedule:
    """η₀·min((e + 1)^−½, (e + 1)·w^−3/2): up along a line for w epochs, then down as 1/√(e + 1) (Vaswani et al., 2017).

    PyTorch: LambdaLR.
    """
    at_least(1, warmup_steps=warmup_steps)
    closed = BASE * smaller(1 / sqrt(E + 1), (E + 1) / (WARM * sqrt(WARM)))
    return Schedule(BASE / (WARM * sqrt(WARM)), None, closed, known((WARM, warmup_steps)))


@schedules("ReduceLROnPlateau", "reduce_lr_on_plateau")
def reduce_on_plateau(
    *,
    mode: Literal["min", "max"] = "min",
    factor: Fraction = Fraction(1, 10),
    patience: int = 10,
    threshold: Fraction = Fraction(1, 10_000),
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
    min_lr: Fraction = Fraction(0),
    eps: Fraction = Fraction(1, 10**8),
) -> Plateau:
    """Times factor once the metric has been no better for more than `patience` epochs. PyTorch: ReduceLROnPlateau."""
    if not 0 <= factor < 1:
        raise ValueError("factor must be from 0 to below 1")
    at_least(0, patience=patience, threshold=threshold, cooldown=cooldown, min_lr=min_lr, eps=eps)
    if threshold >= 1 and (mode, threshold_mode) == ("min", "rel"):
        raise ValueError("threshold must be below 1 when it is relative: nothing would be better")
    constants = {FACTOR: factor, LEAST: min_lr}
    return Plateau(mode, threshold, threshold_mode, patience, cooldown, eps, constants)

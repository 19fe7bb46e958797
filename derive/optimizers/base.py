"""What an optimizer's formulas are written with: one step of one parameter, and how its quantities are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Literal

from derive.formula import Formula, Name, Number, Symbol, cases
from derive.graph import Node
from derive.ops.base import ruled

#: How what an optimizer computes on the way is written; a letter that is not here stands for itself.
STATES = {
    "s": Symbol("S"),
    "gtilde": Symbol("g̃"),
    "gbar": Symbol("ḡ"),
    "mhat": Symbol("m̂"),
    "vhat": Symbol("v̂"),
    "vmax": Symbol("vmax"),
    "delta": Symbol("Δ"),
    "mu": Symbol("μ"),
    "munext": Symbol("μnext"),
    "muprod": Symbol("Π"),
    "rate": Symbol("η̂"),
    "eta": Symbol("η"),
    "rho": Symbol("ρ"),
    "rhoinf": Symbol("ρ", sub="∞"),
    "size": Symbol("Δ"),
    "turn": Symbol("c"),
    "prev": Symbol("g̃"),
    "ax": Symbol("θ̄"),
    "new": Symbol("θ"),
}
#: The letters of what is one number for all entries.
SINGLE = {"mu", "munext", "muprod", "rate", "eta", "rho", "rhoinf", "r"}
#: The letters of what is the same in every step.
CONSTANT = {"rhoinf"}
#: How its options are written in formulas; `betas2` is the second of `betas`.
OPTIONS = {
    "betas1": Symbol("β", sub="1"),
    "betas2": Symbol("β", sub="2"),
    "eps": Symbol("ε"),
    "epshat": Symbol("ε̂"),
    "power": Symbol("α"),
    "t0": Symbol("t", sub="0"),
    "momentum": Symbol("μ"),
    "dampening": Symbol("τ"),
    "weight_decay": Symbol("λ"),
    "alpha": Symbol("β"),
    "lr_decay": Symbol("κ"),
    "momentum_decay": Symbol("ψ"),
    "lambd": Symbol("κ"),
    "etas1": Symbol("η", sup="−"),
    "etas2": Symbol("η", sup="+"),
    "stepsizes1": Symbol("Δ", sub="min"),
    "stepsizes2": Symbol("Δ", sub="max"),
    "rho": Symbol("ρ"),
}


class Update:
    """One step of one parameter, with the names an optimizer's formulas are written in.

    t: the number of the step, counted from 1; `time` is it in a formula · theta: the parameter before the step
    eta: the learning rate · raw: ∂L/∂θ · node: what stands behind each name · lines: what the step consists of, in order
    conditions: what was asked about t, so that a program of the step knows for which other steps it is right
    straight: whether this is for a program, which has no cases
    """

    def __init__(
        self,
        t: int,
        parameter: Node,
        rate: Node,
        gradient: Callable[[Node], Node],
        option: Callable[[str, Fraction], Node],
        start: Callable[[str, Fraction, bool], Node],
        before: Mapping[str, Node],
        name: Callable[[str], str],
        time: Node | None = None,
        *,
        straight: bool = False,
    ) -> None:
        self.t, self.parameter, self.straight = t, parameter, straight
        self.node: dict[Name, Node] = {}
        self.lines: list[Node] = []
        self.after: dict[str, Node] = {}
        self._gradient, self._option, self._start, self._before, self._name = gradient, option, start, before, name
        self._started: dict[str, Node] = {}
        self.conditions: list[Callable[[int], bool]] = []
        self.theta, self.eta = self.of(parameter), self.of(rate)
        self.time: Formula = Number(Fraction(t)) if time is None else self.of(time)

    def of(self, node: Node) -> Name:
        """A node by name."""
        name = Name(node.id)
        self.node[name] = node
        return name

    @property
    def raw(self) -> Name:
        """∂L/∂θ at the parameter before the step."""
        return self.of(self._gradient(self.parameter))

    def gradient(self, weight_decay: Fraction = Fraction(0), maximize: bool = False, at: Formula | None = None) -> Name:
        """The gradient the step uses: ∂L/∂θ, with the sign turned to maximize, and with λθ for weight decay (L2).

        at: another point at which it is taken
        """
        if weight_decay < 0:
            raise ValueError("weight_decay must not be negative")
        point = self.theta if at is None else self.line("ahead", at)
        raw = self.of(self._gradient(self.node[point]))
        g = raw if raw.id == self._name("g") else self.line("g", raw)
        found: Formula = -g if maximize else g
        if weight_decay:
            found = found + self.option("weight_decay", weight_decay) * point
        return g if found is g else self.line("gtilde", found)

    def when(self, condition: Callable[[int], bool]) -> bool:
        """Whether a condition on the number of the step holds: formulas may differ only by such."""
        self.conditions.append(condition)
        return condition(self.t)

    def either(self, condition: Callable[[int], bool], when: Formula, one: Formula, other: Formula) -> Formula:
        """One formula or another, as a condition says that only depends on the number of the step.

        A page writes it by cases; a program of the step (`straight`) has the one that applies.
        """
        if self.straight:
            return one if self.when(condition) else other
        return cases((one, when), (other, True))

    def option(self, name: str, value: Fraction) -> Name:
        """A number given as an option, as a letter."""
        return self.of(self._option(name, value))

    def beta(self, name: str, value: Fraction) -> Name:
        """The same of a moving average: it keeps a share of the past."""
        if not 0 <= value < 1:
            raise ValueError(f"{name.rstrip('12')} must be at least 0 and less than 1")
        return self.option(name, value)

    def epsilon(self, value: Fraction, *, hat: bool = False) -> Name:
        """ε, or the ε̂ beside an uncorrected root."""
        if value < 0:
            raise ValueError("eps must not be negative")
        return self.option("epshat" if hat else "eps", value)

    def knows(self, letter: str) -> bool:
        """Whether something is remembered from a step before."""
        return letter in self._before

    def old(self, letter: str, start: Fraction = Fraction(0), *, single: bool = False) -> Name:
        """What is remembered from the step before; at first, the starting value (`single`: one for all entries)."""
        if letter not in self._before:
            self._started.setdefault(letter, self._start(letter, start, single))
            return self.of(self._started[letter])
        return self.of(self._before[letter])

    def remember(
        self,
        letter: str,
        rule: Callable[[Name], Formula],
        *,
        start: Fraction = Fraction(0),
        first: Formula | None = None,
        single: bool = False,
    ) -> Name:
        """A line that the next step can look back at: the rule, given its old value, or `first` where there is none."""
        found = (
            first if first is not None and letter not in self._before else rule(self.old(letter, start, single=single))
        )
        name = self.line(letter, found)
        self.after[letter] = self.node[name]
        return name

    def result(self, formula: Formula) -> Node:
        """The parameter after the step."""
        return ruled(formula, self.node)

    def line(self, letter: str, formula: Formula) -> Name:
        """A line of its own."""
        node = ruled(formula, self.node).named(self._name(letter), "state")
        self.lines.append(node)
        return self.of(node)


def decay(lines: Iterable[Node]) -> Literal["l2", "decoupled", ""]:
    """Where weight decay enters a step: the gradient, or the parameter beside it; "" where there is none."""
    for line in lines:
        if any(source.id == "weight_decay" for source in line.inputs):
            return "decoupled" if line.role == "updated" else "l2"
    return ""


def option_name(id: str) -> str:
    """The option behind a letter in a formula, as PyTorch calls it: betas[1] of `betas2`."""
    plain = {"epshat": "eps", "power": "alpha", "stepsizes": "step_sizes"}
    name, number = id.rstrip("12"), id[len(id.rstrip("12")) :]
    if id == "t0" or not number:
        return plain.get(id, id)
    return f"{plain.get(name, name)}[{int(number) - 1}]"

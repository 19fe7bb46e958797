"""Numbers standardized by their own mean and variance: what batch and layer normalization share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from derive.board import Board, both
from derive.document import Block, Line, say
from derive.formula import ONE, Formula, Name, Symbol, add, formula, sqrt


def mean(xs: Sequence[Formula]) -> Formula:
    """Their sum over their number."""
    return add(*xs) / len(xs)


def spread(xs: Sequence[Formula], centre: Formula) -> Formula:
    """The mean of their squared distances from a centre."""
    return add(*((x - centre) ** 2 for x in xs)) / len(xs)


def standardized(xs: Sequence[Formula], ε: Formula) -> list[Formula]:
    """Each less the mean, over the root of variance plus ε: written out in the numbers themselves."""
    centre = mean(xs)
    return [(x - centre) / sqrt(spread(xs, centre) + ε) for x in xs]


@dataclass
class Normalized:
    """Numbers of the board with all that is made of them: mean μ, variance σ², root s, x̂, and y = γx̂ + β.

    loss: the loss as a formula of the outputs y · sup: stands above every letter, where there are several samples
    """

    b: Board
    x: list[Name]
    γ: list[Name]
    β: list[Name]
    ε: Name
    loss: Callable[[Sequence[Formula]], Formula]
    sup: str = ""

    def __post_init__(self) -> None:
        """Name what is made on the way."""
        b = self.b
        self.μ = b.defined(Symbol("μ", sup=self.sup), mean(self.x))
        self.variance = b.defined(Symbol("σ", sup=f"2{self.sup}"), spread(self.x, self.μ))
        self.s = b.defined(Symbol("s", sup=self.sup), sqrt(self.variance + self.ε))
        self.hat = [b.defined(self.nth("x\u0302", i), (x - self.μ) / self.s) for i, x in enumerate(self.x, 1)]
        self.y = [b.defined(self.nth("y", i), y) for i, y in enumerate(self.outputs(self.hat), 1)]
        self.g = [b.slope(self.loss(self.y), y, self.nth("g", i)) for i, y in enumerate(self.y, 1)]
        whole = self.loss(self.outputs(self.hat))
        self.d = [b.slope(whole, hat, self.nth("d", i)) for i, hat in enumerate(self.hat, 1)]

    def nth(self, letter: str, i: int) -> Symbol:
        """A letter with its number."""
        return Symbol(letter, str(i), self.sup)

    def outputs(self, hats: Sequence[Formula]) -> list[Formula]:
        """γx̂ + β for each."""
        return [γ * hat + β for γ, hat, β in zip(self.γ, hats, self.β, strict=True)]

    def written_out(self) -> Formula:
        """The loss in the numbers themselves."""
        return self.loss(self.outputs(standardized(self.x, self.ε)))

    def at(self, centre: Formula, variance: Formula) -> Formula:
        """The loss where mean and variance are given."""
        return self.loss(self.outputs([(x - centre) / sqrt(variance + self.ε) for x in self.x]))

    def products(self, of: Sequence[Formula]) -> Formula:
        """The sum of some numbers, each times its x̂."""
        return add(*(d * hat for d, hat in zip(of, self.hat, strict=True)))

    def forward(self) -> tuple[Line, ...]:
        """Every line up to the standardized values."""
        b = self.b
        return (
            b.line(self.μ, mean(self.x)),
            b.line(self.variance, spread(self.x, self.μ)),
            b.line(self.s, sqrt(self.variance + self.ε)),
            *(b.line(hat, (x - self.μ) / self.s) for hat, x in zip(self.hat, self.x, strict=True)),
        )

    def backward(self) -> Iterator[Block]:
        """The gradient through every line of the forward pass, last line first, and the short form it comes to."""
        b, x, μ, s, d, n = self.b, self.x, self.μ, self.s, self.d, len(self.x)
        end = self.loss(self.outputs(self.hat))
        yield b.step(
            both("Backward: the standardized values", "反向传播：标准化后的值"),
            both(
                "The layers behind it give the gradients g at the outputs. Each standardized value stands in its own output only, times γ; its gradient is called d.",
                "后面的层给出输出处的梯度 g。每个标准化后的值只出现在自己的输出里，系数为 γ；它的梯度记作 d。",
            ),
            *(b.line(g, b.partial("L", self.loss(self.y), y)) for g, y in zip(self.g, self.y, strict=True)),
            *(
                b.line(each, b.partial("L", end, hat), g * γ)
                for each, hat, g, γ in zip(d, self.hat, self.g, self.γ, strict=True)
            ),
        )
        yield from self.through_variance()
        by_variance = b.partial("L", self.at(μ, self.variance), self.variance)
        centre = b.partial("σ^2", spread(x, μ), μ)
        by_mean = b.partial("L", self.at(μ, spread(x, μ)), μ)
        yield b.step(
            both("Backward: the mean", "反向传播：均值"),
            (
                both(
                    "The mean stands in every x̂, with slope −1/s, and in the variance, where each square has the slope −2(x − μ).",
                    "均值出现在每个 x̂ 里，偏导数为 −1/s；它还出现在方差里，每个平方项的偏导数为 −2(x − μ)。",
                ),
                both(
                    "This second path contributes nothing: the deviations from the mean add up to 0.",
                    "第二条路径的贡献为 0：与均值的偏差之和等于 0。",
                ),
            ),
            b.line(centre, -(formula(2) / n * add(*(xi - μ for xi in x)))),
            b.line(by_mean, add(*(-(each / s) for each in d)) + by_variance * centre, -(add(*d) / s)),
        )
        by_x = [b.partial("L", self.written_out(), xi) for xi in x]
        yield b.step(
            both("Backward: the inputs", "反向传播：输入"),
            both(
                "An input reaches the loss in three ways: through its own x̂, with slope 1/s; through the variance, with slope 2(x − μ) over their number; through the mean, with slope 1 over their number. So each gradient depends on all inputs that are standardized together.",
                "一个输入通过三条路径影响损失：经自己的 x̂，偏导数 1/s；经方差，偏导数为 2(x − μ) 除以个数；经均值，偏导数为个数的倒数。因此每个梯度都与一起标准化的所有输入有关。",
            ),
            *(b.line(by_x[i], d[i] / s + by_variance * (2 * (x[i] - μ) / n) + by_mean * (ONE / n)) for i in range(n)),
        )
        yield from self.short_form(by_x, by_variance, by_mean)

    def short_form(self, by_x: Sequence[Name], by_variance: Name, by_mean: Name) -> Iterator[Block]:
        """The three paths together."""
        b, x, μ, s, d, n = self.b, self.x, self.μ, self.s, self.d, len(self.x)
        yield b.step(
            both("Short form: two of the paths", "化简：其中两条路径"),
            both(
                "A deviation is s times x̂. Put in twice, two of the three s in the denominator cancel. The path through the mean is short already.",
                "偏差等于 s 乘以 x̂。代入两次，分母的三个 s 消去两个。经均值的路径本来就短。",
            ),
            b.line(x[0] - μ, s * self.hat[0]),
            b.line(by_variance * (2 * (x[0] - μ) / n), -(self.hat[0] / (n * s) * self.products(d))),
            b.line(by_mean * (ONE / n), -(add(*d) / (n * s))),
        )
        yield b.step(
            both("Short form", "化简结果"),
            both(
                "The three paths together. From each d the mean of all d is taken away, and the part that points along x̂: shifting all inputs together changes no x̂, stretching them none but for ε, so there is nothing to gain from either.",
                "三条路径合并。每个 d 减去所有 d 的均值，再减去沿 x̂ 方向的部分：把所有输入一起平移不改变任何 x̂，一起拉伸也只经 ε 有极小影响，沿这两个方向移动没有收益。",
            ),
            *(b.line(by_x[i], (n * d[i] - add(*d) - self.hat[i] * self.products(d)) / (n * s)) for i in range(n)),
        )

    def through_variance(self) -> Iterator[Block]:
        """The gradient at the variance."""
        b, x, μ, s, d = self.b, self.x, self.μ, self.s, self.d
        one = (x[0] - μ) / sqrt(self.variance + self.ε)
        slope = b.partial("x\u0302_1", one, self.variance)
        yield from b.differentiated(one, self.variance, slope, shown=-((x[0] - μ) / (2 * s**3)))
        by_variance = b.partial("L", self.at(μ, self.variance), self.variance)
        yield b.step(
            both("Backward: the variance", "反向传播：方差"),
            say(
                both(
                    "All standardized values depend on the variance, so as many paths lead through it as there are values, and their contributions are added. The slope of each is like {slope}.",
                    "所有标准化后的值都依赖方差，有几个值就有几条路径经过它，各条路径的贡献相加。每个值的偏导数都与 {slope} 同形。",
                ),
                slope=slope,
            ),
            b.line(
                by_variance,
                add(*(-(each * ((xi - μ) / (2 * s**3))) for each, xi in zip(d, x, strict=True))),
                -(add(*(each * (xi - μ) for each, xi in zip(d, x, strict=True))) / (2 * s**3)),
            ),
        )


def half_squares(targets: Sequence[Formula]) -> Callable[[Sequence[Formula]], Formula]:
    """½Σ(y − t)² as a formula of the outputs."""
    return lambda outputs: formula(add(*((y - t) ** 2 for y, t in zip(outputs, targets, strict=True))) / 2)

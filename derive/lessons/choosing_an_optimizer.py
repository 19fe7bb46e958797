"""Which optimizer when: what their formulas say about steady, scaled and rare gradients, and all of them on one function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from derive.algebra import UNKNOWN
from derive.board import Board, Lesson, Mistake, both
from derive.document import Amount, Block
from derive.formula import Formula, Name, formula, sqrt
from derive.lessons._optimizer import Hill, Made, Runs

VALLEY = Hill("0.05*x^2 + 2*y^2", (8, 1.5), 120)
RUNS: Runs = {
    "SGD": ("sgd", {"lr": 0.4}),
    both("momentum", "动量法"): ("momentum", {"lr": 0.1, "momentum": 0.9}),
    "Adagrad": ("adagrad", {"lr": 1}),
    "RMSprop": ("rmsprop", {"lr": 0.1, "alpha": 0.9}),
    "Adam": ("adam", {"lr": 0.3}),
}
FEW: Runs = {label: RUNS[label] for label in ("SGD", "Adagrad", "Adam")}


def options_of(b: Board, eta: Name) -> dict[str, dict[str, Name]]:
    """The options of the five, as letters."""
    eps = b.number("ε", 0)
    return {
        "sgd": {"lr": eta},
        "momentum": {"lr": eta, "momentum": b.free("μ", "0.3", "0.9")},
        "adagrad": {"lr": eta, "eps": eps},
        "rmsprop": {"lr": eta, "alpha": b.free("β", "0.5", "0.9"), "eps": eps},
        "adam": {"lr": eta, "betas1": b.free("β_1", "0.5", "0.9"), "betas2": b.free("β_2", "0.5", "0.9"), "eps": eps},
    }


def repeated(b: Board, optimizer: str, g: Name, options: dict[str, Name], times: int) -> Made:
    """The last of so many steps, all with the same gradient."""
    memory: Mapping[str, Name] = {}
    for t in range(1, times + 1):
        made = Made(b, optimizer, b.free("θ"), g, options, memory, t=t, index=(SHORT[optimizer], "0"))
        memory = made.memory
    return made


SHORT = {"sgd": "SGD", "momentum": "momentum", "adagrad": "Adagrad", "rmsprop": "RMSprop", "adam": "Adam"}


def derivation(b: Board) -> Iterator[Block]:
    eta, g, times = b.free("η", "0.05", "0.5"), b.free("g", 1, 2), b.random.randint(3, 9)
    options, t = options_of(b, eta), b.number("t", times)
    mu, beta = options["momentum"]["momentum"], options["rmsprop"]["alpha"]
    closed = {
        "sgd": eta * g,
        "momentum": (1 - mu**t) / (1 - mu) * (eta * g),
        "adagrad": eta / sqrt(t),
        "rmsprop": eta / sqrt(1 - beta**t),
        "adam": eta,
    }
    yield b.step(
        both("On a steady slope", "梯度不变时"),
        both(
            "Let the gradient g > 0 be the same in all steps, and ε be left out. These are the changes in step t; the lessons on each optimizer derive them, and here all t steps are made to check them. SGD and momentum go faster where it is steeper, momentum up to 1/(1 − μ) times. The steps of the others do not depend on g: the rate decides their length, and Adagrad's get shorter and shorter.",
            "设每一步的梯度 g > 0 都相同，不计 ε。下面是第 t 步的变化量；各优化器的课程里有推导，这里真的走 t 步来核对。SGD 和动量法在陡处走得更快，动量法最多快到 1/(1 − μ) 倍。其余几种的步长与 g 无关，由学习率决定；Adagrad 的步长越来越短。",
        ),
        *(b.line(repeated(b, name, g, options[name], times).change(), -form) for name, form in closed.items()),
    )
    yield from scaled(b, options)
    yield from rare(b, options)
    yield table(b)


def scaled(b: Board, options: dict[str, dict[str, Name]]) -> Iterator[Block]:
    c, times = b.free("c", 2, 5), 3
    g = b.free("g", 1, 2)
    lines = []
    for name in options:
        one = repeated(b, name, g, options[name], times)
        other = repeated(b, name, b.defined("g", c * g), options[name], times)
        changed, plain = other.change(f"{SHORT[name]}, c"), one.change()
        lines.append(b.line(changed, c * plain if name in ("sgd", "momentum") else plain))
    yield b.step(
        both("A loss c times as large", "损失变为 c 倍"),
        both(
            "If the loss is multiplied by c > 0, every gradient is. The steps of SGD and momentum are then c times as long, and the rate has to be searched again. Adagrad, RMSprop and Adam divide by a root that is c times as large too: nothing changes. The index c marks the scaled loss.",
            "若损失乘以 c > 0，每个梯度也乘以 c。SGD 和动量法的步长变为 c 倍，学习率要重新搜索；Adagrad、RMSprop 和 Adam 除以的根也变为 c 倍，结果不变。下标 c 表示缩放后的损失。",
        ),
        *lines,
    )


def rare(b: Board, options: dict[str, dict[str, Name]]) -> Iterator[Block]:
    eta, g = options["sgd"]["lr"], b.free("g", 1, 2)
    gap = b.random.randint(2, 5)
    k, zero = b.number("k", gap), b.number("g", 0)
    memory: Mapping[str, Name] = {}
    lines = []
    for name in ("adagrad", "rmsprop"):
        memory = repeated(b, name, g, options[name], 1).memory
        for _ in range(gap - 1):
            memory = Made(b, name, b.free("θ"), zero, options[name], memory).memory
        last = Made(b, name, b.free("θ"), g, options[name], memory, index=("k+1", "k"))
        beta = options["rmsprop"]["alpha"]
        if name == "adagrad":
            lines.append(b.line(last.names["s"], g**2 + g**2, 2 * g**2))
            lines.append(
                b.line(
                    last.change(f"{SHORT[name]}, k+1"), -(eta * g / sqrt(last.names["s"])), -(eta / sqrt(formula(2)))
                )
            )
        else:
            square = (1 - beta) * (1 + beta**k)
            lines.append(b.line(last.names["v"], beta**k * ((1 - beta) * g**2) + (1 - beta) * g**2, square * g**2))
            lines.append(
                b.line(last.change(f"{SHORT[name]}, k+1"), -(eta * g / sqrt(last.names["v"])), -(eta / sqrt(square)))
            )
    yield b.step(
        both("A gradient that comes seldom", "很少出现的梯度"),
        both(
            "A parameter has a gradient g > 0 in the first step and again k steps later, with 0 between. For Adagrad only the two visits count. RMSprop forgets the first one as k grows, so the step comes up to 1/√(1 − β) times the rate. Both make steps of the order of the rate or more for rare words, where SGD with small rare gradients hardly moves.",
            "某个参数在第一步有梯度 g > 0，k 步之后再次出现 g，中间为 0。对 Adagrad 只有这两次起作用；k 越大，RMSprop 越是忘了第一次，步长最多可达学习率的 1/√(1 − β) 倍。对稀有的词，两者的步长都与学习率同数量级或更大，而 SGD 遇到又小又少的梯度几乎不动。",
        ),
        *lines,
    )


def table(b: Board) -> Block:
    rows = (
        (
            "SGD",
            "0",
            both("c times as long", "变为 c 倍"),
            both("as a baseline; with a schedule", "作为基准；配合学习率调度"),
        ),
        (
            both("momentum", "动量法"),
            "1",
            both("c times as long", "变为 c 倍"),
            both(
                "image networks, when there is time to tune the rate; often generalizes well",
                "图像网络，有时间调学习率时；泛化往往较好",
            ),
        ),
        ("Adagrad", "1", both("the same", "不变"), both("sparse data, convex problems", "稀疏数据、凸问题")),
        (
            "RMSprop",
            "1",
            both("the same", "不变"),
            both("targets that move: recurrent networks, reinforcement learning", "目标会变化时：循环网络、强化学习"),
        ),
        ("Adam", "2", both("the same", "不变"), both("the default to begin with", "首选的默认方法")),
        (
            "AdamW",
            "2",
            both("the same", "不变"),
            both("as Adam, with weight decay: transformers", "同 Adam，需要权重衰减时：Transformer"),
        ),
    )
    header = (
        both("Optimizer", "优化器"),
        both("Numbers stored per parameter", "每个参数多存的数"),
        both("Steps with c times the loss", "损失变为 c 倍时的步长"),
        both("Chosen for", "适用场合"),
    )
    return b.table(both("Side by side", "对照"), header, rows)


def numbers(b: Board) -> Iterator[Block]:
    eta = b.number("η", "0.01")
    for name, title, why in (
        (
            "sgd",
            both("Two parameters, with SGD", "两个参数，用 SGD"),
            both(
                "A gradient of 100 and one of 0.01: the one parameter jumps by 1, the other by 0.0001.",
                "梯度分别为 100 和 0.01：一个参数跳了 1，另一个只动 0.0001。",
            ),
        ),
        (
            "adam",
            both("The same with Adam", "同样的梯度，用 Adam"),
            both(
                "The first step; the index is that of the parameter, and ε is left out. m is a tenth of the gradient, v a thousandth of its square. Both parameters move by the rate, 0.01.",
                "第一步；下标表示参数，不计 ε。m 是梯度的十分之一，v 是梯度平方的千分之一。两个参数都移动学习率 0.01。",
            ),
        ),
    ):
        lines = []
        for index, slope in (("1", 100), ("2", "0.01")):
            g = b.number(f"g_{index}", slope)
            made = Made(
                b, name, b.number(f"θ_{index}", 0), g, {"lr": eta, "eps": b.number("ε", 0)}, t=1, index=(index, "0")
            )
            change = b.defined(f"Δθ_{index}", made.new - made.theta)
            lines += [*made.written("mhat", "vhat", numbers=True)] if name == "adam" else []
            lines.append(b.line(change, step_of(made, g, eta), numbers=True))
        yield b.step(title, why, *lines)


def step_of(made: Made, g: Name, eta: Name) -> Formula:
    """The change in a short form: −ηg, or Adam's."""
    return -(eta * made.names["mhat"] / sqrt(made.names["vhat"])) if made.names else -(eta * g)


def picture(b: Board) -> Iterator[Block]:
    yield VALLEY.falls(b, both("The loss 0.05x² + 2y² from (8, 1.5)", "损失 0.05x² + 2y²，从 (8, 1.5) 出发"), RUNS)
    yield VALLEY.ways(b, both("Three ways down", "三条下降路线"), FEW)
    at = (10, 30, VALLEY.steps)
    rows: list[tuple[Any, ...]] = []
    for label, (name, settings) in RUNS.items():
        way = VALLEY.way(name, settings)
        cells = [Amount(b.hold("f", Fraction(way[t][-1]), UNKNOWN)) for t in at]
        rows.append((label, f"{settings['lr']:g}", *cells))
    header = (both("Optimizer", "优化器"), "η", *(both(f"after {t} steps", f"{t} 步后") for t in at))
    yield b.table(both("The loss, which is 7.7 at the start", "损失（起点处为 7.7）"), header, rows)


def any_rate(b: Board) -> tuple[Formula, Formula]:
    eta, g = b.free("η", "0.001", "0.01"), b.free("g", "0.1", "0.5")
    return eta * g, eta * g / sqrt(g**2)


lesson = Lesson(
    title=both("Choosing an optimizer", "如何选择优化器"),
    short=both(
        "Adam or AdamW to begin with, SGD with momentum and a schedule where there is time to tune, Adagrad or RMSprop for sparse or changing gradients.",
        "先用 Adam 或 AdamW；有时间调参时用带动量和调度的 SGD；梯度稀疏或多变时用 Adagrad 或 RMSprop。",
    ),
    chapter="optimizers",
    position=10,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "No optimizer is best for every loss. What can be said in advance follows from the formulas: which gradients make long steps, which scale cancels, how much is stored. The rest has to be tried.",
            "没有对所有损失都最好的优化器。事先能断定的都来自公式：哪种梯度走大步、哪种尺度会约去、要存多少数。其余只能靠试验。",
        ),
        both(
            "Whatever is chosen, the learning rate usually matters more than the choice. Try a few, each three times as large as the last, and lower it towards the end.",
            "无论选哪一种，学习率通常比优化器本身更重要。以约三倍的间隔试几个值，并在训练后期把它降下来。",
        ),
    ),
    mistakes=(
        Mistake(
            both("A good rate for SGD is a good rate for Adam.", "对 SGD 合适的学习率，对 Adam 也合适。"),
            both(
                "SGD's step is η times the gradient, Adam's about η itself. Typical are 0.1 to 0.01 for SGD with momentum, 0.001 for Adam.",
                "SGD 的步长是 η 乘以梯度，Adam 的步长约为 η 本身。通常带动量的 SGD 取 0.1 到 0.01，Adam 取 0.001。",
            ),
            any_rate,
        ),
        Mistake(
            both("Adaptive methods need no learning rate.", "自适应方法不需要学习率。"),
            both(
                "They need no rate for each parameter. The common η sets the length of their steps and has to fit.",
                "它们不需要为每个参数单独设学习率；但公共的 η 决定步长，必须取得合适。",
            ),
        ),
        Mistake(
            both("The optimizer with the lowest training loss is the best.", "训练损失最低的优化器就是最好的。"),
            both(
                "What counts is the loss on new data. For image networks SGD with momentum has often been ahead there though Adam was faster.",
                "重要的是在新数据上的损失。在图像网络上，尽管 Adam 更快，带动量的 SGD 在这一点上往往更好。",
            ),
        ),
    ),
    network="""
inputs: [[1, 2], [-1, 0.5]]
targets: [[1], [0]]
layers:
  - linear: {out: 2, weight: [[0.4, -0.2], [0.1, 0.3]], bias: [0.1, 0]}
  - relu
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: [0.2]}
  - sigmoid
loss: bce
optimizer: adam
""",
    see=("gradient_descent", "momentum", "adagrad", "rmsprop", "adam", "adamw", "learning_rate_schedules"),
)

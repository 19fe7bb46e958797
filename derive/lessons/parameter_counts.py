"""How many parameters a network has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Formula, Name, Symbol, grand_total, hadamard
from derive.lessons._network import diagram
from derive.measuring import kept


def edges(into: int, out: int) -> int:
    """The connections into a layer, counted one by one: those of the inputs and of the unit +1."""
    return len(list(product(["bias", *range(into)], range(out))))


def derivation(b: Board) -> Iterator[Block]:
    sizes = [b.random.randint(2, 9) for _ in range(4)]
    n, m = b.number("n", sizes[0]), b.number("m", sizes[1])
    weights = b.number("P_weights", len(list(product(range(sizes[0]), range(sizes[1])))))
    biases = b.number("P_biases", len(range(sizes[1])))
    P = b.number("P", edges(*sizes[:2]))
    yield b.step(
        both("One layer", "一层"),
        both(
            "Take n inputs and m units. Every unit has one weight for each input, so there are n times m of them.",
            "设有 n 个输入、m 个单元。每个单元对每个输入有一个权重，共 n 乘 m 个。",
        ),
        b.line(weights, n * m),
    )
    yield b.step(
        both("The biases", "偏置"),
        both("Every unit has one bias.", "每个单元有一个偏置。"),
        b.line(biases, m),
    )
    yield b.step(
        both("Together", "合计"),
        both(
            "The bias counts like one more input, one that is always 1: n + 1 numbers for each unit.",
            "偏置好比再多一个恒为 1 的输入：每个单元有 n + 1 个数。",
        ),
        b.line(P, weights + biases, n * m + m, (n + 1) * m),
    )
    widths: list[Name] = [b.number(f"n_{i}", size) for i, size in enumerate(sizes)]
    whole = b.number("P", sum(edges(*pair) for pair in pairwise(sizes)))
    yield b.step(
        both("A whole network", "整个网络"),
        both(
            "The outputs of a layer are the inputs of the next, so its width counts twice: once as m, once as n. Here with three "
            "layers; each further one adds one more term. The second line says it for any number of layers: n lists the inputs of all layers, m their units, ⊙ multiplies entry by entry and Σ adds the entries.",
            "一层的输出是下一层的输入，所以它的宽度出现两次：一次作为 m，一次作为 n。这里写了三层，每多一层就多一项。"
            "第二行对任意多层成立：n 依次列出各层的输入数，m 列出单元数，⊙ 表示逐元素相乘，Σ 表示把各元素相加。",
        ),
        b.line(whole, total(widths)),
        b.line(whole, grand_total(hadamard(b.column("n", widths[:-1]) + 1, b.column("m", widths[1:])))),
    )


def total(widths: Sequence[Formula]) -> Formula:
    """(n₀ + 1)n₁ + (n₁ + 1)n₂ + …."""
    found: Formula = kept(0)
    for i, (n, m) in enumerate(pairwise(widths)):
        found = (n + 1) * m if i == 0 else found + (n + 1) * m
    return found


def numbers(b: Board) -> Iterator[Block]:
    yield diagram(
        b,
        both("A 3-3-2-2 network", "一个 3-3-2-2 网络"),
        (
            ("x_1", "x_2", "x_3"),
            ("a^(1)_1", "a^(1)_2", "a^(1)_3"),
            ("a^(2)_1", "a^(2)_2"),
            ("p_1", "p_2"),
        ),
        bias=True,
    )
    sizes = [3, 3, 2, 2]
    lines, rows = [], []
    for layer, (n, m) in enumerate(pairwise(sizes), start=1):
        given = b.number(Symbol("n", str(layer - 1)), n), b.number(Symbol("n", str(layer)), m)
        P = b.number(Symbol("P", str(layer)), edges(n, m))
        lines.append(b.line(P, (given[0] + 1) * given[1], numbers=True))
        rows.append((f"linear {layer}", f"({m}, {n})", n * m, m, edges(n, m)))
    P1, P2, P3 = (line.target for line in lines)
    whole = b.number("P", sum(edges(*pair) for pair in pairwise(sizes)))
    yield b.step(
        both("A 3-3-2-2 network", "一个 3-3-2-2 网络"),
        both(
            "Three inputs, a layer of three units, one of two, and two outputs. Each edge of the picture is one parameter.",
            "三个输入，一层三个单元，一层两个单元，再加两个输出。图中每条边就是一个参数。",
        ),
        *lines,
        b.line(whole, P1 + P2 + P3, numbers=True),
    )
    sums = tuple(sum(int(row[i]) for row in rows) for i in (2, 3, 4))
    header = [both("layer", "层"), both("shape of W", "W 的形状"), both("weights", "权重"), both("biases", "偏置")]
    header.append(both("parameters", "参数"))
    yield b.table(
        both("As a model summary shows it", "模型摘要中的样子"),
        header,
        (*rows, (both("together", "合计"), "", *sums)),
    )
    pixels = [(f"linear {i}", f"({m}, {n})", n * m, m, edges(n, m)) for i, (n, m) in ((1, (784, 128)), (2, (128, 10)))]
    yield b.table(
        both("784-128-10, for pictures of 28 × 28 pixels", "784-128-10，用于 28 × 28 像素的图像"),
        header,
        (*pixels, (both("together", "合计"), "", *(sum(int(row[i]) for row in pixels) for i in (2, 3, 4)))),
    )


def no_bias(b: Board) -> tuple[Formula, Formula]:
    n, m = b.number("n", 3), b.number("m", 3)
    return n * m, b.number("P", edges(3, 3))


def units(b: Board) -> tuple[Formula, Formula]:
    return b.number("n", 3 + 2 + 2), b.number("P", 12 + 8 + 6)


lesson = Lesson(
    title=both("Counting parameters", "参数个数"),
    short=both(
        "A layer with n inputs and m units has (n + 1)m parameters: nm weights and m biases.",
        "有 n 个输入、m 个单元的层有 (n + 1)m 个参数：nm 个权重和 m 个偏置。",
    ),
    chapter="network",
    position=5,
    derivation=derivation,
    numbers=numbers,
    why=(
        both(
            "The number of parameters decides how much memory a model takes: 4 bytes each in 32-bit numbers, as much again for the "
            "gradients, and twice as much again for Adam, which keeps two averages of each.",
            "参数个数决定模型占多少内存：用 32 位数时每个 4 字节，梯度再占同样多，Adam 为每个参数保存两个平均值，又要两倍。",
        ),
        both(
            "In a fully connected network for pictures nearly all parameters stand between the pixels and the first layer: above, 100480 of 101770.",
            "处理图像的全连接网络，几乎所有参数都在像素与第一层之间：上例的 101770 个中有 100480 个。",
        ),
        both(
            "Comparing the count with a model summary is a quick test that a network was built as intended.",
            "把算出的个数与模型摘要对照，能很快看出网络是否按设想搭建。",
        ),
    ),
    mistakes=(
        Mistake(
            both("A layer with three inputs and three units has 9 parameters.", "三个输入、三个单元的层有 9 个参数。"),
            both("It has 12: the three biases are parameters too.", "有 12 个：三个偏置也是参数。"),
            no_bias,
        ),
        Mistake(
            both("A network has as many parameters as units.", "网络有多少单元就有多少参数。"),
            both(
                "It has one for every connection, those from the unit +1 included: 26 in the network above, which has 7 units behind its "
                "inputs.",
                "每条连接一个参数，包括来自 +1 单元的连接：上面的网络除输入外有 7 个单元，参数有 26 个。",
            ),
            units,
        ),
        Mistake(
            both("Activations and batch size change the count.", "激活函数和批大小会改变参数个数。"),
            both(
                "Sigmoid, ReLU and softmax have no parameters, and the same parameters serve every sample of a batch.",
                "sigmoid、ReLU 和 softmax 没有参数；一个批次的所有样本共用同一组参数。",
            ),
        ),
    ),
    network="""
inputs: {randn: [5, 3]}
targets: [0, 1, 1, 0, 1]
seed: 66
layers:
  - linear: {out: 3, init: xavier_normal, bias: zeros}
  - sigmoid
  - linear: {out: 2, init: kaiming_normal, bias: zeros}
  - relu
  - linear: {out: 2, bias: zeros}
  - softmax
loss: cross_entropy
""",
    see=("forward_pass", "bias", "adam", "xavier", "kaiming"),
)

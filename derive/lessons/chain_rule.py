"""The chain rule: along one path a product, over several paths a sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.board import Board, Lesson, Mistake, both
from derive.document import Block
from derive.formula import Apply, Formula, Function, Name, Partial, Symbol, Written, cos, exp, sin, tanh
from derive.lessons._network import diagram, partial
from derive.measuring import named

p, q = Name("p", (), Symbol("p")), Name("q", (), Symbol("q"))
f = named("f", "f", (p,), sin(p) + p**2)
g = named("g", "g", (p,), exp(p / 2) + p)
φ = named("phi", "φ", (p,), cos(p) + p)
F = named("F", "F", (p, q), p**2 * q + sin(q) + 3 * p)


def derivation(b: Board) -> Iterator[Block]:
    yield from one_path(b)
    yield from two_paths(b)
    yield from network(b)


def prime(function: Function, at: Formula) -> Written:
    """f′(x) as it is written."""
    return Written(Apply(Function(f"{function.name}_prime", Symbol(function.glyph.base, mark="′")), (at,)))


def one_path(b: Board) -> Iterator[Block]:
    x, ε = b.free("x"), b.free("ε", "0.1", "0.4")
    u = b.defined("u", Apply(g, (x,)))
    y = Apply(f, (Apply(g, (x,)),))
    there, here = Apply(g, (x + ε,)), Apply(g, (x,))
    yield b.step(
        both("A function of a function", "函数的函数"),
        both(
            "y depends on u, and u depends on x. We ask how fast y changes with x.",
            "y 依赖 u，u 依赖 x。问题是：y 随 x 变化多快。",
        ),
        b.line(u, here),
        b.line(b.defined("y", y), Apply(f, (u,)), y),
    )
    yield b.step(
        both("A small step", "走一小步"),
        both(
            "x is moved by ε. The change of y, divided by ε, is multiplied and divided by the change of u: nothing but a fraction "
            "expanded, provided that u changes at all.",
            "让 x 移动 ε。把 y 的改变量除以 ε，再同时乘以、除以 u 的改变量：只要 u 确有改变，这只是分式的恒等变形。",
        ),
        b.line(
            (Apply(f, (there,)) - Apply(f, (here,))) / ε,
            ((Apply(f, (there,)) - Apply(f, (here,))) / (there - here)) * ((there - here) / ε),
        ),
    )
    yield b.step(
        both("Along a path the slopes are multiplied", "沿一条路径，导数相乘"),
        both(
            "As ε becomes small, so does the change of u, and each fraction becomes a slope. If there are steps as small as we like that do not change u, they do not change y either: the slope of u is 0, and both sides are 0.",
            "ε 趋于 0 时，u 的改变量也趋于 0，两个分式各成为一个导数。如果有任意小的 ε 使 u 不变，那么 y 也不变：u 的导数是 0，两边都是 0。",
        ),
        b.line(b.slope(y, x), b.slope(Apply(f, (u,)), u, prime(f, u)) * b.slope(here, x, prime(g, x))),
    )


def two_paths(b: Board) -> Iterator[Block]:
    u, v = b.free("u"), b.free("v")
    p, q = b.free("p", "0.1", "0.4"), b.free("q", "0.1", "0.4")
    yield b.step(
        both("Two ways to the result", "有两条路通向结果"),
        both(
            "Now L depends on u and on v, and both depend on x. The change of L is written as two changes, one after the other: one moves only u by p, with v already at its new place v + q, the other moves only v by q.",
            "现在 L 依赖 u 和 v，两者又都依赖 x。把 L 的改变分成先后两步：一步只把 u 移动 p（v 已在新位置 v + q），另一步只把 v 移动 q。",
        ),
        b.line(
            Apply(F, (u + p, v + q)) - Apply(F, (u, v)),
            (Apply(F, (u + p, v + q)) - Apply(F, (u, v + q))) + (Apply(F, (u, v + q)) - Apply(F, (u, v))),
        ),
    )
    x = b.free("x")
    first, second = Apply(g, (x,)), Apply(φ, (x,))
    u, v = b.defined("u", first), b.defined("v", second)
    L = Symbol("L")
    yield b.step(
        both("Over several paths the products are added", "多条路径，乘积相加"),
        both(
            "Each of the two changes goes along one path, and divided by the step of x it becomes, as before, a product of slopes. As the step becomes small, v at "
            "its new place is v. So the slope is the sum over the paths; with three paths there are three terms, and so on.",
            "两步各沿一条路径，除以 x 的步长后，和前面一样各成为导数的乘积。步长趋于 0 时，v 的新位置就是 v。所以总的导数等于各路径乘积之和；三条路径就有三项，依此类推。",
        ),
        b.line(u, first),
        b.line(v, second),
        b.line(
            b.slope(Apply(F, (first, second)), x, Partial(L, Symbol("x"), "d")),
            b.slope(Apply(F, (u, v)), u, partial("L", u)) * b.slope(first, x, Partial(Symbol("u"), Symbol("x"), "d"))
            + b.slope(Apply(F, (u, v)), v, partial("L", v))
            * b.slope(second, x, Partial(Symbol("v"), Symbol("x"), "d")),
        ),
    )


class Net:
    """x → h → k₁, k₂ → m₁, m₂ → L, with a weight on every edge; `bent` has tanh in its units."""

    def __init__(self, b: Board, given: Mapping[str, int] | None = None) -> None:
        self.b, self.bent = b, given is None

        def quantity(symbol: str) -> Name:
            return b.free(symbol, "0.2", "1.4") if given is None else b.number(symbol, given[symbol])

        self.x, self.w = quantity("x"), quantity("w")
        self.u = [quantity(f"r_{i}") for i in (1, 2)]
        self.v = [[quantity(f"s_{j}{i}") for i in (1, 2)] for j in (1, 2)]
        self.h = b.defined("h", self.hidden())
        self.k = [b.defined(f"k_{i + 1}", self.middle(i, self.h)) for i in (0, 1)]
        self.m = [b.defined(f"m_{j + 1}", self.late(j, self.k)) for j in (0, 1)]
        self.L = b.defined("L", self.loss(self.m))

    def unit(self, z: Formula) -> Formula:
        return tanh(z) if self.bent else z

    def hidden(self) -> Formula:
        return self.unit(self.w * self.x)

    def middle(self, i: int, h: Formula) -> Formula:
        return self.unit(self.u[i] * h)

    def late(self, j: int, k: list[Name] | list[Formula]) -> Formula:
        return self.unit(self.v[j][0] * k[0] + self.v[j][1] * k[1])

    def loss(self, m: list[Name] | list[Formula]) -> Formula:
        return (m[0] ** 2 + m[1] ** 2) / 2

    def from_middle(self, k: list[Formula]) -> Formula:
        """The loss as a function of k₁ and k₂."""
        return self.loss([self.late(j, k) for j in (0, 1)])

    def whole(self) -> Formula:
        """The loss as a function of the weights."""
        h = self.hidden()
        return self.from_middle([self.middle(i, h) for i in (0, 1)])

    def path(self, i: int, j: int) -> Formula:
        """The loss where only kᵢ and mⱼ pass on what happens to w; all other units keep their values."""
        k: list[Formula] = [*self.k]
        k[i] = self.middle(i, self.hidden())
        m: list[Formula] = [*self.m]
        m[j] = self.late(j, k)
        return self.loss(m)

    def local(self) -> dict[str, Name]:
        """The slope of every unit by each of its inputs: one for each edge."""
        b = self.b
        found = {"hw": b.slope(self.hidden(), self.w, partial("h", self.w))}
        for i in (0, 1):
            of = Partial(Symbol("k", str(i + 1)), Symbol("h"))
            found[f"k{i}"] = b.slope(self.middle(i, self.h), self.h, of)
            found[f"L{i}"] = b.slope(self.loss(self.m), self.m[i], partial("L", self.m[i]))
            for j in (0, 1):
                of = Partial(Symbol("m", str(j + 1)), Symbol("k", str(i + 1)))
                found[f"m{j}{i}"] = b.slope(self.late(j, self.k), self.k[i], of)
        return found


def network(b: Board) -> Iterator[Block]:
    net = Net(b)
    title = both(
        "From the weight w, at the edge from x to h, four paths lead to the loss",
        "从 x 到 h 的边上是权重 w，有四条路径通向损失",
    )
    yield diagram(b, title, (("x",), ("h",), ("k_1", "k_2"), ("m_1", "m_2"), ("L",)), end=both("Loss", "损失"))
    yield b.step(
        both("A network with several paths", "有多条路径的网络"),
        both(
            "One input, one unit h, two units k, two units m, and a loss. Every unit is tanh of its weighted sum. The edges from h to k have the weights r, those from k to m the weights s; the first index says where an edge ends.",
            "一个输入、一个单元 h、两个单元 k、两个单元 m，最后是损失。每个单元都是加权和的 tanh。从 h 到 k 的边权重为 r，从 k 到 m 的边权重为 s；第一个下标表示边的终点。",
        ),
        b.line(net.h, net.hidden()),
        *(b.line(net.k[i], net.middle(i, net.h)) for i in (0, 1)),
        *(b.line(net.m[j], net.late(j, net.k)) for j in (0, 1)),
        b.line(net.L, net.loss(net.m)),
    )
    slope = net.local()
    yield b.step(
        both("A slope for every edge", "每条边一个偏导数"),
        both(
            "How fast a unit changes with one of its inputs, all others held. The slope of tanh is one minus the square of its output.",
            "固定其余输入，单元随其中一个输入变化的快慢。tanh 的导数等于 1 减去输出的平方。",
        ),
        b.line(slope["hw"], (1 - net.h**2) * net.x),
        *(b.line(slope[f"k{i}"], (1 - net.k[i] ** 2) * net.u[i]) for i in (0, 1)),
        *(b.line(slope[f"m{j}{i}"], (1 - net.m[j] ** 2) * net.v[j][i]) for j in (0, 1) for i in (0, 1)),
        *(b.line(slope[f"L{j}"], net.m[j]) for j in (0, 1)),
    )
    yield from listed(b, net, slope)
    yield from sorted_back(b, net, slope)


def listed(b: Board, net: Net, slope: Mapping[str, Name], numbers: bool = False) -> Iterator[Block]:
    """Every path with its product."""
    paths = {(i, j): b.slope(net.path(i, j), net.w, f"P_{i + 1}{j + 1}") for j in (0, 1) for i in (0, 1)}
    products = {(i, j): slope[f"L{j}"] * slope[f"m{j}{i}"] * slope[f"k{i}"] * slope["hw"] for i, j in paths}
    yield b.step(
        both("Every path with its product", "逐条列出路径的乘积"),
        both(
            "A path goes through one k and one m: two times two paths. The first index of P says which k, the second which m. "
            "P is the slope of the loss when only this path is open.",
            "一条路径经过一个 k 和一个 m：共二乘二条。P 的第一个下标是 k 的编号，第二个是 m 的编号。P 是只开放这一条路径时损失的导数。",
        )
        if not numbers
        else both(
            "Without tanh the slope between two units is the weight. The first factor is that of the loss, m, the last one the input x.",
            "不用 tanh 时，两个单元之间的偏导数就是权重。第一个因子 m 来自损失，最后一个是输入 x。",
        ),
        *(b.line(paths[at], products[at], numbers=numbers) for at in paths),
    )
    dLdw = b.slope(net.whole(), net.w, partial("L", net.w))
    sum_ = paths[0, 0] + paths[1, 0] + paths[0, 1] + paths[1, 1]
    yield b.step(
        both("Their sum is the derivative", "它们的和就是导数"),
        both(
            "All paths are open at once, so their products are added. The left side is a difference quotient of the whole network.",
            "所有路径同时开放，乘积相加。左边是整个网络的差商。",
        )
        if not numbers
        else both("One path alone would be wrong, even in sign.", "只取其中一条路径就错了，连符号都可能不对。"),
        b.line(dLdw, sum_, numbers=numbers),
    )


def sorted_back(b: Board, net: Net, slope: Mapping[str, Name]) -> Iterator[Block]:
    """The same sum, collected from the end: backpropagation."""
    k: list[Formula] = [*net.k]
    late = [b.slope(net.from_middle(k), net.k[i], partial("L", net.k[i])) for i in (0, 1)]
    from_h = net.from_middle([net.middle(i, net.h) for i in (0, 1)])
    at_h = b.slope(from_h, net.h, partial("L", net.h))
    yield b.step(
        both("Collected from the end", "从末端收集"),
        both(
            "The four products share factors. Collected from the loss backwards, each unit adds up what comes to it from the units behind it, "
            "and every edge is used only once: this is backpropagation.",
            "四个乘积有公共因子。从损失往回收集，每个单元把后面各单元传来的量相加，每条边只用一次：这就是反向传播。",
        ),
        *(b.line(late[i], slope["L0"] * slope[f"m0{i}"] + slope["L1"] * slope[f"m1{i}"]) for i in (0, 1)),
        b.line(at_h, late[0] * slope["k0"] + late[1] * slope["k1"]),
        b.line(b.slope(net.whole(), net.w, partial("L", net.w)), at_h * slope["hw"]),
    )


def numbers(b: Board) -> Iterator[Block]:
    given = {"x": 2, "w": 1, "r_1": 3, "r_2": -1, "s_11": 1, "s_12": 2, "s_21": 1, "s_22": -1}
    net = Net(b, given)
    yield b.step(
        both("The same network without tanh", "同一网络，不用 tanh"),
        both("Small whole numbers, so that every path can be followed by hand.", "取小整数，每条路径都能手算。"),
        b.line(net.h, net.hidden(), numbers=True),
        *(b.line(net.k[i], net.middle(i, net.h), numbers=True) for i in (0, 1)),
        *(b.line(net.m[j], net.late(j, net.k), numbers=True) for j in (0, 1)),
        b.line(net.L, net.loss(net.m), numbers=True),
    )
    slope = {
        "hw": net.x,
        "k0": net.u[0],
        "k1": net.u[1],
        **{f"m{j}{i}": net.v[j][i] for i in (0, 1) for j in (0, 1)},
        "L0": net.m[0],
        "L1": net.m[1],
    }
    yield from listed(b, net, slope, numbers=True)


def picture(b: Board) -> Iterator[Block]:
    depths = range(1, 11)
    yield b.chart(
        both(
            "From one unit through layers of 3 units to one loss: paths, and edges",
            "从一个单元经过每层 3 个单元到一个损失：路径数与边数",
        ),
        both("layers", "层数"),
        "",
        {
            both("paths", "路径"): [(d, 3.0**d) for d in depths],
            both("edges", "边"): [(d, 3.0 + 9 * (d - 1) + 3) for d in depths],
        },
        log_y=True,
    )


def only_one(b: Board) -> tuple[Formula, Formula]:
    net = Net(b)
    return b.slope(net.path(0, 0), net.w), b.slope(net.whole(), net.w)


def multiplied(b: Board) -> tuple[Formula, Formula]:
    net = Net(b)
    first, second = (b.slope(net.path(i, 0), net.w) for i in (0, 1))
    return first * second, first + second


def added(b: Board) -> tuple[Formula, Formula]:
    x = b.free("x")
    u = b.defined("u", Apply(g, (x,)))
    return b.slope(Apply(f, (u,)), u) + b.slope(Apply(g, (x,)), x), b.slope(Apply(f, (Apply(g, (x,)),)), x)


lesson = Lesson(
    title=both("The chain rule on a network", "网络上的链式法则"),
    short=both(
        "Along a path the slopes are multiplied; over all paths from a weight to the loss the products are added.",
        "沿一条路径导数相乘；从权重到损失的所有路径，乘积相加。",
    ),
    chapter="gradients",
    position=1,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "A weight of an early layer reaches the loss through every unit behind it. Whoever follows one path alone gets a wrong gradient.",
            "靠前一层的权重通过后面每个单元影响损失。只沿一条路径计算，梯度就错了。",
        ),
        both(
            "The number of paths grows exponentially with the depth, the number of edges only in proportion to it. Backpropagation gives the whole gradient for about the price of two more forward passes.",
            "路径数随深度按指数增长，边数只成比例增长。反向传播再花大约两次前向传播的代价，就求出整个梯度。",
        ),
    ),
    mistakes=(
        Mistake(
            both("One path from the weight to the loss is enough.", "从权重到损失走一条路径就够了。"),
            both("All paths count, and their products are added.", "所有路径都要算，乘积相加。"),
            only_one,
        ),
        Mistake(
            both("Several paths are multiplied.", "多条路径的结果相乘。"),
            both(
                "Factors of one path are multiplied, different paths are added.", "同一路径的因子相乘，不同路径相加。"
            ),
            multiplied,
        ),
        Mistake(
            both("The slopes of a function of a function are added.", "复合函数的导数相加。"),
            both("They are multiplied.", "应当相乘。"),
            added,
        ),
    ),
    network="""
inputs: [0.5]
targets: [0.3, -0.2]
layers:
  - linear: {out: 1, weight: [[0.8]], bias: false}
  - tanh
  - linear: {out: 2, weight: [[0.5], [-0.7]], bias: false}
  - tanh
  - linear: {out: 2, weight: [[0.4, 0.9], [-0.6, 0.3]], bias: false}
loss: half_squared_error
""",
    see=("backprop_equations", "transpose", "vanishing_gradients", "gradient_descent"),
)

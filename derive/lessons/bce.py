"""Binary cross-entropy after a sigmoid, and why its gradient is the difference of probability and target."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import Board, Lesson, Mistake, both, grid
from derive.document import Block, Step, say
from derive.formula import ZERO, Apply, Formula, Name, add, exp, larger, log
from derive.lessons._losses import function_of, of, partial, pointwise, slope_of, worked
from derive.losses import bce, bce_with_logits
from derive.ops.activations import sigmoid

op = pointwise(bce)
σ = function_of(sigmoid())


def derivation(b: Board) -> Iterator[Block]:
    p, t = b.free("p", 0, 1), b.free("t", 0, 1)
    yield from likelihood(b, p, t)
    body = -(t * log(p) + (1 - t) * log(1 - p))
    slope = b.slope(of(op, p, t), p, partial("ℓ", p))
    yield from b.differentiated(body, p, slope, -(t / p - (1 - t) / (1 - p)), "∂")
    yield b.step(
        both("One fraction", "合成一个分式"),
        both(
            "Both fractions are brought to the denominator p(1 − p). In the numerator the products cancel.",
            "两个分式通分，分母为 p(1 − p)，分子中的乘积项相消。",
        ),
        b.line(slope, -(t * (1 - p) - (1 - t) * p) / (p * (1 - p)), slope_of(op, p, t)),
    )
    z = b.free("z")
    yield from through_the_sigmoid(b, z, t)
    yield from of_the_score(b, z, t)
    yield from mean(b)


def likelihood(b: Board, p: Name, t: Name) -> Iterator[Step]:
    yield b.step(
        both("The probability of a target", "目标的概率"),
        say(
            both(
                "The output {p} is the probability of class 1, so class 0 has the rest up to 1. One formula covers both: a power with the exponent 0 is 1. First for {t} = 1, then for {t} = 0.",
                "输出 {p} 是类别 1 的概率，类别 0 的概率就是 1 减去它。一个公式可以同时表示两种情况，因为指数为 0 的幂等于 1。先看 {t} = 1，再看 {t} = 0。",
            ),
            p=p,
            t=t,
        ),
        b.line(p * Apply("pow", (1 - p, ZERO)), p),
        b.line(Apply("pow", (p, ZERO)) * (1 - p), 1 - p),
    )
    yield b.step(
        both("Definition: its negative logarithm", "定义：概率的负对数"),
        both(
            "The more probable the target was, the smaller the loss. Products become sums, and exponents come down in front.",
            "目标出现的概率越大，损失越小。取对数后积变成和，指数移到前面成为系数。",
        ),
        b.line(of(op, p, t), -log(p**t * (1 - p) ** (1 - t)), -(t * log(p) + (1 - t) * log(1 - p))),
    )


def through_the_sigmoid(b: Board, z: Name, t: Name) -> Iterator[Step]:
    s = Apply(σ, (z,))
    p = b.defined("p", s)
    by_score, by_p = b.slope(of(op, s, t), z, partial("ℓ", z)), b.slope(of(op, p, t), p, partial("ℓ", p))
    step = b.slope(s, z, partial("p", z))
    yield b.step(
        both("The output is a sigmoid", "输出来自 sigmoid"),
        say(
            both(
                "The probability comes from a score {z}. The derivative of the sigmoid is its output times one minus its output.",
                "概率由得分 {z} 经 sigmoid 得到。sigmoid 的导数等于输出乘以“1 减去输出”。",
            ),
            z=z,
        ),
        b.line(p, s, 1 / (1 + exp(-z))),
        b.line(step, p * (1 - p)),
    )
    yield b.step(
        both("Together, by the chain rule", "用链式法则合在一起"),
        both(
            "The denominator is exactly the derivative of the sigmoid, and the two cancel. What remains is probability minus target.",
            "损失导数的分母恰好就是 sigmoid 的导数，两者相消，只剩下概率减去目标。",
        ),
        b.line(by_score, by_p * step, (p - t) / (p * (1 - p)) * (p * (1 - p)), p - t),
    )


def of_the_score(b: Board, z: Name, t: Name) -> Iterator[Step]:
    s = Apply(σ, (z,))
    loss = b.hold("ℓ", worked(b, bce_with_logits, [[z]], [[t]])[0])
    short = (1 - t) * z + log(1 + exp(-z))
    yield b.step(
        both("Written in the score", "用得分表示"),
        both(
            "Both logarithms are those of one sum. For class 0, the numerator of 1 − σ(z) gives the score as an extra term.",
            "两个对数都归结为同一个和的对数。对类别 0，1 − σ(z) 的分子多贡献一项得分。",
        ),
        b.line(-log(s), -log(1 / (1 + exp(-z))), log(1 + exp(-z))),
        b.line(-log(1 - s), -log(exp(-z) / (1 + exp(-z))), z + log(1 + exp(-z))),
        b.line(loss, t * log(1 + exp(-z)) + (1 - t) * (z + log(1 + exp(-z))), short),
        b.line(b.slope(short, z, partial("ℓ", z)), 1 - t - exp(-z) / (1 + exp(-z)), 1 - t - (1 - s), s - t),
    )
    yield b.step(
        both("The form that cannot overflow", "不会上溢的形式"),
        both(
            "For a very negative score the power of e would overflow. Then it is taken out of the sum, which leaves the opposite exponent. With the absolute value one formula serves both signs and no exponent is above 0; libraries compute it like this from scores.",
            "得分是很大的负数时，指数会上溢。这时把它从和中提出来，剩下的指数符号相反。借助绝对值，一个公式就适用于两种符号，指数都不大于 0；常用的库从得分计算时就这样做。",
        ),
        b.line(log(1 + exp(-z)), log(exp(-z) * (exp(z) + 1)), -z + log(1 + exp(z))),
        b.line(loss, short, larger(z, 0) - t * z + log(1 + exp(-abs(z)))),
    )


def mean(b: Board) -> Iterator[Step]:
    z, t = [b.free(f"z_{i}") for i in (1, 2, 3)], [b.free(f"t_{i}", 0, 1) for i in (1, 2, 3)]
    p = [b.defined(f"p_{i}", Apply(σ, (score,))) for i, score in enumerate(z, 1)]
    loss, gradient = worked(b, bce_with_logits, [[x] for x in z], [[y] for y in t])
    yield b.step(
        both("The mean over three samples", "对三个样本取平均"),
        both(
            "The losses are added and divided by three. Every score belongs to only one of them, so its derivative is a third of the difference.",
            "损失相加后除以三。每个得分只属于其中一个样本，所以导数是该差的三分之一。",
        ),
        b.line(b.hold("L", loss), add(*(of(op, q, y) for q, y in zip(p, t, strict=True))) / 3),
        *(
            b.line(b.hold(partial("L", score), g), (q - y) / 3)
            for score, q, y, g in zip(z, p, t, gradient, strict=True)
        ),
    )
    n, rest, score, target = b.number("N", 7), b.free("R", 0, 9), b.free("z_i"), b.free("t_i", 0, 1)
    whole = (rest + of(op, Apply(σ, (score,)), target)) / n
    yield b.step(
        both("Any number of samples", "任意多个样本"),
        say(
            both(
                "Of {n} samples take one. Let {rest} be the sum of the other losses, in which its score does not occur.",
                "在 {n} 个样本中任取一个，其余损失之和记为 {rest}，其中不含它的得分。",
            ),
            n=n,
            rest=rest,
        ),
        b.line(
            b.slope(whole, score, partial("L", score)),
            b.slope(whole, score, d="∂"),
            (b.defined("p_i", Apply(σ, (score,))) - target) / n,
        ),
    )


def numbers(b: Board) -> Iterator[Block]:
    z = b.number("z", 2)
    p = b.defined("p", Apply(σ, (z,)))
    one, zero = b.number("t", 1), b.number("t", 0)
    score = Apply(σ, (z,))
    yield b.step(
        both("A score of 2", "得分为 2"),
        both("The network is fairly sure of class 1.", "网络比较确信是类别 1。"),
        b.line(p, 1 / (1 + exp(-z)), numbers=True),
    )
    yield b.step(
        both("It is class 1", "确实是类别 1"),
        both("The loss is small, and the slope asks for a little more.", "损失很小，导数要求得分再稍微增大。"),
        b.line(b.defined("ℓ", of(op, p, one)), -log(p), numbers=True),
        b.line(b.slope(of(op, score, one), z, partial("ℓ", z)), p - one, numbers=True),
    )
    yield b.step(
        both("It is class 0", "其实是类别 0"),
        both("The loss is large, and so is the slope.", "损失很大，导数也很大。"),
        b.line(b.defined("ℓ", of(op, p, zero)), -log(1 - p), numbers=True),
        b.line(b.slope(of(op, score, zero), z, partial("ℓ", z)), p - zero, numbers=True),
    )


def picture(b: Board) -> Iterator[Block]:
    p, z = b.free("p", 0, 1), b.free("z")
    s = Apply(σ, (z,))
    between, scores = grid(0.005, 0.995), grid(-6, 6)
    yield b.chart(
        both("The loss of a probability", "概率的损失"),
        both("probability p of class 1", "类别 1 的概率 p"),
        "",
        {
            both("class 1: −ln p", "类别 1：−ln p"): b.vary(-log(p), p, between),
            both("class 0: −ln(1 − p)", "类别 0：−ln(1 − p)"): b.vary(-log(1 - p), p, between),
        },
    )
    yield b.chart(
        both(
            "The derivative with respect to the score, for class 1: with the squared error it vanishes where p is most wrong",
            "类别 1 时对得分的导数：平方误差的导数在 p 错得最厉害处消失",
        ),
        both("score z", "得分 z"),
        "",
        {
            both("cross-entropy: p − 1", "交叉熵：p − 1"): b.vary(s - 1, z, scores),
            both("squared error: 2(p − 1)p(1 − p)", "平方误差：2(p − 1)p(1 − p)"): b.vary(
                2 * (s - 1) * s * (1 - s), z, scores
            ),
        },
    )


def sigmoid_twice(b: Board) -> tuple[Formula, Formula]:
    z, t = b.free("z"), b.free("t", 0, 1)
    twice, _ = worked(b, bce_with_logits, [[b.defined("p", Apply(σ, (z,)))]], [[t]])
    once, _ = worked(b, bce_with_logits, [[z]], [[t]])
    return b.hold("L", twice), b.hold("L", once)


def slope_left_in(b: Board) -> tuple[Formula, Formula]:
    z, t = b.free("z"), b.free("t", 0, 1)
    s = Apply(σ, (z,))
    return (s - t) * s * (1 - s), b.slope(of(op, s, t), z)


def one_term(b: Board) -> tuple[Formula, Formula]:
    p, t = b.free("p", "0.2", "0.8"), b.number("t", 0)
    return -(t * log(p)), of(op, p, t)


lesson = Lesson(
    title=both("Binary cross-entropy", "二元交叉熵（BCE）"),
    short=both(
        "−(t ln p + (1 − t) ln(1 − p)). After a sigmoid, p = σ(z), the derivative with respect to the score z is p − t.",
        "−(t ln p + (1 − t) ln(1 − p))。接在 sigmoid 之后，p = σ(z)，对得分 z 的导数是 p − t。",
    ),
    chapter="losses",
    position=5,
    derivation=derivation,
    numbers=numbers,
    picture=picture,
    why=(
        both(
            "It is the loss of a network that decides between two classes, or says yes or no to several questions at once, one output each.",
            "用于二分类网络，也用于同时回答多个是非问题的网络，每个问题一个输出。",
        ),
        both(
            "The slope of the sigmoid cancels, so the gradient does not vanish where the unit is saturated on the wrong side. With the squared error it would.",
            "sigmoid 的导数被约去，因此神经元在错误的一侧饱和时梯度也不会消失；若用平方误差则会消失。",
        ),
        both(
            "BCEWithLogitsLoss takes scores and puts the sigmoid in by itself, in the form that cannot overflow. derive joins sigmoid and bce in the same way.",
            "BCEWithLogitsLoss 直接接收得分，自带 sigmoid，并采用不会上溢的形式。derive 也以同样的方式把 sigmoid 与 bce 合在一起。",
        ),
    ),
    mistakes=(
        Mistake(
            both("A sigmoid layer before BCEWithLogitsLoss", "BCEWithLogitsLoss 之前再加 sigmoid 层"),
            both(
                "That is a sigmoid of a sigmoid: probabilities stay between 0.5 and 0.73. After a sigmoid layer comes BCELoss.",
                "这等于对 sigmoid 再取 sigmoid：概率只能落在 0.5 与 0.73 之间。sigmoid 层之后应接 BCELoss。",
            ),
            sigmoid_twice,
        ),
        Mistake(
            both("The error signal is (p − t)p(1 − p)", "误差信号是 (p − t)p(1 − p)"),
            both(
                "That is the half squared error after a sigmoid. With the cross-entropy p(1 − p) cancels: p − t.",
                "那是 sigmoid 之后用平方误差一半的结果。用交叉熵时 p(1 − p) 被约去，得到 p − t。",
            ),
            slope_left_in,
        ),
        Mistake(
            both("The loss is −t ln p", "损失是 −t ln p"),
            both(
                "Then samples of class 0 would cost nothing. They have the second term, −(1 − t) ln(1 − p).",
                "那样类别 0 的样本就没有任何损失。它们由第二项 −(1 − t) ln(1 − p) 负责。",
            ),
            one_term,
        ),
    ),
    network="""
inputs: [[0.5, -1], [1, 0.2]]
targets: [[1], [0]]
layers:
  - linear: {out: 1, weight: [[0.4, 0.6]], bias: 0.1}
  - sigmoid
loss: bce
optimizer: {sgd: {lr: 0.5}}
""",
    see=("sigmoid", "cross_entropy", "softmax_cross_entropy", "softplus", "vanishing_gradients"),
)

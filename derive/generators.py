"""Where random numbers come from: NumPy's PCG64, or PyTorch's generator on the CPU, number for number, without PyTorch.

PyTorch's is MT19937, seeded with the lower 32 bits of the seed (Matsumoto & Nishimura, 1998). A float32 takes 24 bits of
one of its numbers, a float64 53 bits of two. Normal numbers are Box and Muller's (1958): fewer than 16 are made from
float64s, one pair at a time; 16 and more from a whole array, eight and eight, the last 16 of it drawn again where the
count is no multiple. PyTorch then takes logarithm, sine and cosine of float32s from the polynomials of the Cephes library
(Moshier, 1989), with fused multiplications and additions where the processor has AVX2: so does this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Protocol

import numpy as np

from derive.tensor import Floats, Tensor

Shape = tuple[int, ...]
Kind = Literal["numpy", "torch"]
Dtype = Literal["float32", "float64"]
Order = Literal["layer_by_layer", "after_all_layers"]
First = Literal["first", "last"]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How a file wants its random numbers.

    generator: numpy or torch · dtype: what PyTorch draws in
    order: whether PyTorch's Linear layers get their initial numbers one by one as they are made, or once all are made
    inputs: whether inputs without a seed of their own are drawn before the layers or after them
    """

    generator: Kind = "numpy"
    order: Order = "layer_by_layer"
    dtype: Dtype = "float32"
    inputs: First = "last"


class Generator(Protocol):
    """What initializers and dropout draw from."""

    def uniform(self, low: float, high: float, shape: Shape) -> Floats:
        """Uniform numbers from low to high."""

    def normal(self, mean: float, std: float, shape: Shape) -> Floats:
        """Normal numbers."""

    def reseed(self, seed: int) -> None:
        """A new start."""

    def tensor(self, value: Floats) -> Tensor:
        """Drawn numbers as the network takes them."""

    def mask(self, step: int, place: int, shapes: list[Shape], p: Fraction) -> Floats:
        """A mask of dropout in a training step: `shapes` are those of all masks of a step, `place` which of them it is."""


def generator(drawing: Drawing, seed: int) -> Generator:
    """The generator that a file asks for, at its start."""
    return Torch(seed, drawing.dtype) if drawing.generator == "torch" else PCG64(seed)


class PCG64:
    """NumPy's default generator. Every mask has one of its own, so that what else is drawn does not depend on it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def uniform(self, low: float, high: float, shape: Shape) -> Floats:
        return np.asarray(self.random.uniform(low, high, shape))

    def normal(self, mean: float, std: float, shape: Shape) -> Floats:
        return np.asarray(self.random.normal(mean, std, shape))

    def tensor(self, value: Floats) -> Tensor:
        """Cut to four significant digits, so that what a page shows is what it computes with."""
        return Tensor.typed(value)

    def mask(self, step: int, place: int, shapes: list[Shape], p: Fraction) -> Floats:
        return (np.random.default_rng([self.seed, place, step]).random(shapes[place]) >= float(p)).astype(float)


class Torch:
    """PyTorch's generator on the CPU after `torch.manual_seed(seed)`, drawing in float32 or float64."""

    def __init__(self, seed: int, dtype: Dtype = "float32") -> None:
        self.float: Any = np.float32 if dtype == "float32" else np.float64
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        self.bits = np.random.MT19937()
        self.bits._legacy_seeding(seed & 0xFFFFFFFF)
        self.second: float | None = None
        self.drawn_masks = Masks(self)

    def uniform(self, low: float, high: float, shape: Shape) -> Floats:
        scale, shift = self.float(high) - self.float(low), self.float(low)
        return fused(self.unit(math.prod(shape)), scale, shift).reshape(shape).astype(float)

    def normal(self, mean: float, std: float, shape: Shape) -> Floats:
        count = math.prod(shape)
        if count < BLOCK:
            found = np.array([self.single() * std + mean for _ in range(count)]).astype(self.float)
        else:
            found = self.blocks(count, self.float(mean), self.float(std))
        return found.reshape(shape).astype(float)

    def tensor(self, value: Floats) -> Tensor:
        """The numbers as they are: what PyTorch has, in full."""
        return Tensor.drawn(value)

    def mask(self, step: int, place: int, shapes: list[Shape], p: Fraction) -> Floats:
        return self.drawn_masks.of(step, place, shapes, p)

    def unit(self, count: int) -> Array:
        """Uniform numbers from 0 to 1, below 1."""
        return singles(self.bits, count) if self.float is np.float32 else doubles(self.bits, count)

    def single(self) -> float:
        """A standard normal number; every other one is the second of a pair."""
        if self.second is not None:
            found, self.second = self.second, None
            return found
        angle, length = (float(u) for u in doubles(self.bits, 2))
        radius, angle = math.sqrt(-2 * math.log1p(-length)), 2 * math.pi * angle
        self.second = radius * math.sin(angle)
        return radius * math.cos(angle)

    def blocks(self, count: int, mean: Any, std: Any) -> Array:
        """Normal numbers, 16 at a time."""
        uniform, whole = self.unit(count), count - count % BLOCK
        found = np.empty(count, self.float)
        found[:whole] = box_muller(uniform[:whole], mean, std)
        if whole < count:
            found[-BLOCK:] = box_muller(self.unit(BLOCK), mean, std)
        return found


class Masks:
    """The masks of dropout, drawn after all else, step after step: each number takes a float64."""

    def __init__(self, torch: Torch) -> None:
        self.torch = torch
        self.start: Any = None
        self.now: Any = None
        self.next = 0

    def of(self, step: int, place: int, shapes: list[Shape], p: Fraction) -> Floats:
        sizes = [math.prod(shape) for shape in shapes]
        begin = (step - 1) * sum(sizes) + sum(sizes[:place])
        bits = np.random.MT19937()
        if self.start is None:
            self.start = self.now = self.torch.bits.state
        if begin < self.next:
            self.now, self.next = self.start, 0
        bits.state = self.now
        bits.random_raw(2 * (begin - self.next), output=False)
        kept = doubles(bits, sizes[place]) < 1 - float(p)
        self.now, self.next = bits.state, begin + sizes[place]
        return kept.astype(float).reshape(shapes[place])


BLOCK = 16


def singles(bits: Any, count: int) -> Array:
    """float32s from 0 to 1, of 24 bits."""
    return np.asarray(bits.random_raw(count) & np.uint64(2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)


def doubles(bits: Any, count: int) -> Array:
    """float64s from 0 to 1, of 53 bits of two numbers, the first of which stands above."""
    high, low = bits.random_raw(2 * count).reshape(count, 2).T
    return np.asarray((high << np.uint64(32) | low) & np.uint64(2**53 - 1)).astype(float) * 2.0**-53


def box_muller(uniform: Array, mean: Any, std: Any) -> Array:
    """Normal numbers from uniform ones: of 16, the first eight give the distance and the last eight the angle."""
    rows, kind = uniform.reshape(-1, BLOCK), uniform.dtype.type
    distance, angle = kind(1) - rows[:, :8], kind(2 * math.pi) * rows[:, 8:]
    if kind is np.float32:
        logarithm, (sine, cosine) = cephes_log(distance), cephes_sine_cosine(angle)
    else:
        logarithm, sine, cosine = np.log(distance), np.sin(angle), np.cos(angle)
    radius = np.sqrt(kind(-2) * logarithm)
    return fused(np.concatenate([radius * cosine, radius * sine], axis=1).ravel(), std, mean)


# float32 as Cephes has it -------------------------------------------------------------------------------------------------
HIGH = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1)
LOG = (*HIGH, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
LN_2 = (0.693359375, -2.12194440e-4)  # in two parts
COSINE = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
SINE = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
QUARTER = (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)  # −π/4 in three parts
ROOT_HALF = 0.707106781186547524


def fused(a: Array, b: Any, c: Any) -> Array:
    """a·b + c, rounded once where it is of float32s: in float64 their product is exact."""
    if a.dtype != np.float32:
        return np.asarray(a * b + c)
    return np.asarray(a.astype(float) * as_double(b) + as_double(c)).astype(np.float32)


def as_double(value: Any) -> Any:
    return np.asarray(value, np.float32).astype(float)


def polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's scheme, the highest power first."""
    found = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        found = fused(found, x, coefficient)
    return found


def cephes_log(x: Array) -> Array:
    """The natural logarithm of positive float32s."""
    bits = x.view(np.uint32)
    exponent = ((bits >> np.uint32(23)).astype(np.int32) - 126).astype(np.float32)
    mantissa = ((bits & np.uint32(0x007FFFFF)) | np.uint32(0x3F000000)).view(np.float32)
    low = mantissa < np.float32(ROOT_HALF)
    exponent = exponent - low.astype(np.float32)
    x = (mantissa - np.float32(1)) + np.where(low, mantissa, np.float32(0))
    square = x * x
    y = fused(polynomial(LOG, x) * x, square, exponent * np.float32(LN_2[1]))
    return fused(exponent, LN_2[0], x + fused(square, -0.5, y))


def cephes_sine_cosine(x: Array) -> tuple[Array, Array]:
    """Sine and cosine of float32s from 0 to 2π."""
    octant = (x * np.float32(4 / math.pi)).astype(np.int32) + 1 & ~1
    for part in QUARTER:
        x = fused(octant.astype(np.float32), part, x)
    square = x * x
    c = fused(polynomial(COSINE, square) * square, square, -(square * np.float32(0.5))) + np.float32(1)
    s = fused(polynomial(SINE, square) * square, x, x)
    swapped = octant & 2 != 0
    sign = np.where(octant & 4, np.float32(-1), np.float32(1))
    turned = np.where((octant - 2) & 4, np.float32(1), np.float32(-1))
    return np.where(swapped, c, s) * sign, np.where(swapped, s, c) * turned

"""A fully connected network solved the way one would on paper, in plain NumPy.

    solve(net)   net is the mapping of a net.yaml with every number given; the answer maps canonical ids to arrays

Every derivative is written out by hand, layer by layer, in the long form: a vector activation goes through its Jacobian, a softmax
before a cross-entropy goes through dL/da (the product's shortcut p - t is thereby checked, not repeated).
Beyond the product's ids the answer holds dL/da of such a last layer.
"""

import math

import numpy as np

# --------------------------------------------------------------------------------------------------------------- activations
# Each takes the inputs z (samples, units) and returns the outputs and the slopes: (samples, units) for an elementwise function,
# the Jacobian (samples, units, units) with J[n, i, j] = d out_i / d z_j for a vector one. Kinks take the slopes PyTorch gives them.

SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717


def logistic(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def softplus_of(z):
    """ln(1 + e^z) without overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def identity(z):
    return z.copy(), np.ones_like(z)


def sigmoid(z):
    a = logistic(z)
    return a, a * (1 - a)


def tanh(z):
    a = np.tanh(z)
    return a, 1 - a**2


def relu(z):
    return np.where(z > 0, z, 0.0), np.where(z > 0, 1.0, 0.0)


def leaky_relu(z, negative_slope=0.01):
    return np.where(z > 0, z, negative_slope * z), np.where(z > 0, 1.0, negative_slope)


def elu(z, alpha=1.0):
    e = np.exp(np.minimum(z, 0))
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))), np.where(z > 0, 1.0, alpha * e)


def selu(z):
    a, slope = elu(z, SELU_ALPHA)
    return SELU_SCALE * a, SELU_SCALE * slope


def gelu(z, approximate="none"):
    if approximate == "tanh":
        c = math.sqrt(2 / math.pi)
        u = c * (z + 0.044715 * z**3)
        du = c * (1 + 3 * 0.044715 * z**2)
        t = np.tanh(u)
        return 0.5 * z * (1 + t), 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * du
    cdf = 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(z / math.sqrt(2)))
    pdf = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return z * cdf, cdf + z * pdf


def silu(z):
    s = logistic(z)
    return z * s, s + z * s * (1 - s)


def softplus(z, beta=1.0, threshold=20.0):
    straight = beta * z > threshold
    return np.where(straight, z, softplus_of(beta * z) / beta), np.where(straight, 1.0, logistic(beta * z))


def hardtanh(z, min_val=-1.0, max_val=1.0):
    return np.clip(z, min_val, max_val), np.where((z > min_val) & (z < max_val), 1.0, 0.0)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    units = z.shape[1]
    jacobian = np.zeros((len(z), units, units))
    for n in range(len(z)):
        for i in range(units):
            for j in range(units):
                jacobian[n, i, j] = p[n, i] * ((1.0 if i == j else 0.0) - p[n, j])
    return p, jacobian


def log_softmax(z):
    shifted = z - z.max(axis=1, keepdims=True)
    out = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    units = z.shape[1]
    jacobian = np.zeros((len(z), units, units))
    for n in range(len(z)):
        for i in range(units):
            for j in range(units):
                jacobian[n, i, j] = (1.0 if i == j else 0.0) - math.exp(out[n, j])
    return out, jacobian


ACTIVATIONS = {
    f.__name__: f
    for f in (
        identity,
        sigmoid,
        tanh,
        relu,
        leaky_relu,
        elu,
        selu,
        gelu,
        silu,
        softplus,
        hardtanh,
        softmax,
        log_softmax,
    )
}


# -------------------------------------------------------------------------------------------------------------------- losses
# Each takes the outputs y (samples, units) and the targets t and returns
#   l        the losses before the reduction, (samples, units) or (samples,)
#   slope    d(sum of l)/dy, (samples, units)
#   divisor  what `reduction: mean` divides the sum by


def mse(y, t):
    return (y - t) ** 2, 2 * (y - t), y.size


def half_squared_error(y, t):
    return 0.5 * (t - y) ** 2, y - t, len(y)


def l1(y, t):
    return np.abs(y - t), np.sign(y - t), y.size


def huber(y, t, delta=1.0):
    d = y - t
    near = np.abs(d) <= delta
    return np.where(near, 0.5 * d**2, delta * (np.abs(d) - 0.5 * delta)), np.where(near, d, delta * np.sign(d)), y.size


def smooth_l1(y, t, beta=1.0):
    if beta == 0:
        return l1(y, t)
    d = y - t
    near = np.abs(d) < beta
    return np.where(near, 0.5 * d**2 / beta, np.abs(d) - 0.5 * beta), np.where(near, d / beta, np.sign(d)), y.size


def times_log(t, p):
    """t ln p, where nothing times ln 0 is nothing."""
    if np.any((t != 0) & (p <= 0)):
        raise ValueError("the loss of a probability 0 for what happened")
    return np.where(t == 0, 0.0, t * np.log(np.where(t == 0, 1.0, p)))


def over(t, p):
    return np.where(t == 0, 0.0, t / np.where(t == 0, 1.0, p))


def bce(y, t, weight=1.0):
    w = np.broadcast_to(np.asarray(weight, float), y.shape)
    return -w * (times_log(t, y) + times_log(1 - t, 1 - y)), w * (over(1 - t, 1 - y) - over(t, y)), y.size


def bce_with_logits(y, t, weight=1.0, pos_weight=1.0):
    w = np.broadcast_to(np.asarray(weight, float), y.shape)
    positive = np.broadcast_to(np.asarray(pos_weight, float), y.shape)
    # -ln sigmoid(y) = softplus(-y)  and  -ln(1 - sigmoid(y)) = softplus(y)
    l = w * (positive * t * softplus_of(-y) + (1 - t) * softplus_of(y))
    return l, w * (-positive * t * logistic(-y) + (1 - t) * logistic(y)), y.size


def kl_div(y, t, log_target=False):
    p = np.exp(t) if log_target else t
    return (p * (t - y) if log_target else times_log(p, p) - p * y), -p, y.size


def hinge_embedding(y, t, margin=1.0):
    if not np.all(np.abs(t) == 1):
        raise ValueError("hinge_embedding wants the targets 1 and -1")
    return (
        np.where(t == 1, y, np.maximum(0.0, margin - y)),
        np.where(t == 1, 1.0, np.where(margin - y >= 0, -1.0, 0.0)),
        y.size,
    )


ELEMENTWISE = {
    f.__name__: f
    for f in (mse, half_squared_error, l1, huber, smooth_l1, bce, bce_with_logits, kl_div, hinge_embedding)
}


def class_losses(log_p, classes, t, weight=None, label_smoothing=0.0):
    """The losses -sum w t' ln p per sample, the shares s = w t' of the classes, and the divisor of the mean.

    classes is the list of class indices (None for a sample that is ignored), or None if the targets were given as probabilities.
    """
    samples, units = log_p.shape
    w = np.ones(units) if weight is None else np.asarray(weight, float)
    shares = np.zeros((samples, units))
    divisor = 0.0
    for n in range(samples):
        if classes is not None and classes[n] is None:
            continue
        for c in range(units):
            shares[n, c] = w[c] * ((1 - label_smoothing) * t[n, c] + label_smoothing / units)
        divisor += 1.0 if classes is None else w[classes[n]]
    return -(shares * np.where(shares == 0, 0.0, log_p)).sum(axis=1), shares, divisor


# ------------------------------------------------------------------------------------------------------------------ the network


def named(item):
    """`relu` or `{leaky_relu: {negative_slope: 0.2}}` -> name, options."""
    if isinstance(item, str):
        return item, {}
    ((name, options),) = item.items()
    return name, dict(options or {})


def class_targets(targets, samples, units, ignore_index):
    """-> class indices (None where ignored; None altogether for probabilities), the one-hot rows or probabilities."""
    array = np.asarray(targets, float)
    if array.ndim == 2 or (array.ndim == 1 and samples == 1 and len(array) == units and units > 1):
        rows = np.atleast_2d(array)
        if rows.shape == (samples, units):
            return None, rows
    indices = [int(c) for c in np.ravel(array)]
    if len(indices) != samples:
        raise ValueError("one class per sample is wanted")
    classes = [None if c == ignore_index else c for c in indices]
    t = np.zeros((samples, units))
    for n, c in enumerate(classes):
        if c is not None:
            t[n, c] = 1.0
    return classes, t


class Network:
    """The layers of one net, and the numbers of one pass."""

    def __init__(self, net):
        self.net = net
        inputs = np.asarray(net["inputs"], float)
        self.single = inputs.ndim == 1
        self.x = np.atleast_2d(inputs)
        self.layers = [named(layer) for layer in net.get("layers") or []]
        self.parameters = {}
        k = 0
        for name, options in self.layers:
            if name == "linear":
                k += 1
                weight = np.asarray(options["weight"], float)
                if "out" in options and len(weight) != options["out"]:
                    raise ValueError(f"W{k} has {len(weight)} rows, not {options['out']}")
                self.parameters[f"W{k}"] = weight
                if options["bias"] is not False:
                    self.parameters[f"b{k}"] = np.asarray(options["bias"], float)
        self.loss = named(net["loss"]) if net.get("loss") is not None else None

    def forward(self, parameters):
        """-> the values by id, and the tape [(layer, id in, id out, slopes or None), ...]."""
        values, tape = {"x": self.x}, []
        current, k, row = "x", 0, 0
        for name, options in self.layers:
            if name == "linear":
                k, row = k + 1, 0
                made, slopes = f"z{k}", None
                z = values[current] @ parameters[f"W{k}"].T
                if f"b{k}" in parameters:
                    z = z + parameters[f"b{k}"]
                values[made] = z
            else:
                row += 1
                made = f"a{k}" if row == 1 else f"a{k}.{row}"
                values[made], slopes = ACTIVATIONS[name](values[current], **options)
            tape.append((name, current, made, slopes))
            current = made
        return values, tape, current

    def loss_of(self, values, tape, last):
        """-> t, l, L and dL/d(last output)."""
        name, options = self.loss[0], dict(self.loss[1])
        reduction = options.pop("reduction", "sum" if name == "half_squared_error" else "mean")
        y = values[last]
        samples, units = y.shape
        if name in ("cross_entropy", "nll"):
            ignore = options.pop("ignore_index", -100)
            classes, t = class_targets(self.net["targets"], samples, units, ignore)
            if name == "nll":
                l, shares, divisor = class_losses(y, classes, t, **options)
                slope = -shares
            elif tape and tape[-1][0] == "softmax":
                # y are the probabilities; the logarithm is taken from the scores so that it survives a tiny probability
                l, shares, divisor = class_losses(log_softmax(values[tape[-1][1]])[0], classes, t, **options)
                slope = -over(shares, y)
            else:
                log_p = log_softmax(y)[0]
                l, shares, divisor = class_losses(log_p, classes, t, **options)
                slope = np.exp(log_p) * shares.sum(axis=1, keepdims=True) - shares
        else:
            t = np.asarray(self.net["targets"], float).reshape(y.shape)
            l, slope, divisor = ELEMENTWISE[name](y, t, **options)
            if reduction == "batchmean":
                divisor = samples
        if reduction == "sum":
            divisor = 1.0
        elif reduction not in ("mean", "batchmean"):
            raise ValueError(f"unknown reduction {reduction!r}")
        return t, l, l.sum() / divisor, slope / divisor

    def backward(self, values, tape, last, slope, parameters):
        """-> the gradients of every value and parameter, and the slopes of the activations (Jacobians of vector ones)."""
        grads, derivatives = {last: slope}, {}
        for name, before, after, slopes in reversed(tape):
            g = grads[after]
            if name == "linear":
                k = after[1:]
                W = parameters[f"W{k}"]
                grads[f"W{k}"] = g.T @ values[before]
                if f"b{k}" in parameters:
                    grads[f"b{k}"] = np.asarray(g.sum()) if parameters[f"b{k}"].ndim == 0 else g.sum(axis=0)
                grads[before] = g @ W
            else:
                if slopes.ndim == 2:
                    grads[before] = g * slopes
                else:
                    grads[before] = np.stack([slopes[n].T @ g[n] for n in range(len(g))])
                derivatives[f"{after}/d{before}"] = slopes
        return grads, derivatives


def solve(net):
    """One step of training by hand: the forward pass, the loss, every gradient, the SGD update, the loss after it."""
    network = Network(net)
    parameters = network.parameters
    shaped = (lambda array: np.asarray(array)[0]) if network.single else np.asarray

    values, tape, last = network.forward(parameters)
    answer = dict(parameters)
    answer.update({name: shaped(value) for name, value in values.items()})
    if network.loss is None:
        return answer

    t, l, L, slope = network.loss_of(values, tape, last)
    answer.update(t=shaped(t), l=shaped(l), L=np.asarray(L))
    grads, derivatives = network.backward(values, tape, last, slope, parameters)
    for name, grad in grads.items():
        answer[f"dL/d{name}"] = grad if name in parameters else shaped(grad)
    for name, derivative in derivatives.items():
        answer[f"d{name}"] = shaped(derivative)

    if net.get("optimizer") is None:
        return answer
    name, options = named(net["optimizer"])
    if name != "sgd" or set(options) != {"lr"}:
        raise ValueError("the reference knows sgd {lr} only")
    frozen = set(net.get("frozen") or [])
    if frozen - set(parameters):
        raise ValueError(f"frozen: no parameter {sorted(frozen - set(parameters))}")
    updated = {p: value if p in frozen else value - options["lr"] * grads[p] for p, value in parameters.items()}
    answer.update({f"{p}+": value for p, value in updated.items() if p not in frozen})
    values, tape, last = network.forward(updated)
    _, l, L, _ = network.loss_of(values, tape, last)
    answer.update({f"{name}+": shaped(value) for name, value in values.items() if name != "x"})
    answer.update({"l+": shaped(l), "L+": np.asarray(L)})
    return answer


def entry(answer, id):
    """answer["dL/dW2[1,2]"]: the number an id with 1-based entries names."""
    name, bracket, rest = id.partition("[")
    value = np.asarray(answer[name])
    if bracket:
        value = value[tuple(int(i) - 1 for i in rest.rstrip("]").split(","))]
    if np.ndim(value) != 0:
        raise KeyError(f"{id} is not one number")
    return float(value)

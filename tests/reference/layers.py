"""Networks with normalizations, dropout, residual blocks and penalties, solved in plain NumPy.

    solve(net)   net is the mapping of a net.yaml with every number given; the answer maps canonical ids to matrices

Written from Ioffe & Szegedy (2015), Ba, Kiros & Hinton (2016), Srivastava et al. (2014), He et al. (2016) and PyTorch's
documentation. The gradient by the input of a normalization is taken by the condensed formula, where the product goes
through mean and variance one by one; weights are (out, in), all else has a row per sample, or a single row.
"""

import numpy as np

from reference.mlp import ACTIVATIONS, ELEMENTWISE, class_losses, class_targets, log_softmax, named

GROUP = {"batch_norm": "norm", "layer_norm": "norm", "dropout": "dropout", "residual": "residual"}


class Network:
    """The numbers that are carried from step to step, and what one pass computes."""

    def __init__(self, net):
        self.net = net
        self.training = net.get("mode", "train") == "train"
        self.x = np.atleast_2d(np.asarray(net["inputs"], float))
        self.samples = len(self.x)
        self.parameters, self.running = {}, {}

    # one pass ---------------------------------------------------------------------------------------------------------
    def forward(self):
        """-> the values by id; the way back is kept in `self.back`, which takes dL/d(last output)."""
        self.values, self.grads, self.after = {"x": self.x}, {}, {}
        self.k, self.counts, self.last = 0, {}, "x"
        self.seen, self.early = False, {"x"}  # whether a parameter has come yet; what lies before the first one
        end, self.back = self.sequence(self.net["layers"], self.x)
        return end

    def sequence(self, layers, x):
        """-> the output of some layers one after the other, and the function dL/d(output) -> dL/d(input)."""
        ways = []
        for layer in layers:
            name, options = ("residual", layer["residual"]) if "residual" in layer else named(layer)
            step = getattr(self, name, None) if name in (*GROUP, "linear") else None
            x, way = step(x, options) if step else self.activation(x, name, options)
            ways.append((way, self.last))

        def back(g):
            for way, after in reversed(ways):
                self.grads[after] = g
                g = way(g)
            return g

        return x, back

    def number(self, group):
        """1 for the first of a group after the linear layer 1, 1.2 for the second."""
        self.counts[group] = self.counts.get(group, 0) + 1
        return str(self.k) + ("" if self.counts[group] == 1 else f".{self.counts[group]}")

    def put(self, id, value):
        self.values[id] = value
        self.last = id
        if not self.seen:
            self.early.add(id)
        return value

    def learned(self, id, start, width):
        """A parameter: as the file gives it at first, later as it has become."""
        self.seen = True
        if id not in self.parameters:
            numbers = np.asarray(start, float)
            self.parameters[id] = np.broadcast_to(numbers.reshape(1, -1), (1, width)).copy()
        return self.parameters[id]

    # layers -----------------------------------------------------------------------------------------------------------
    def linear(self, x, options):
        self.k, self.counts = self.k + 1, {}
        k, self.seen = self.k, True
        W = self.parameters.setdefault(f"W{k}", np.asarray(options["weight"], float))
        z = x @ W.T
        if options.get("bias") is not False:
            z = z + self.learned(f"b{k}", options["bias"], len(W))

        def way(g):
            self.grads[f"W{k}"] = sum(np.outer(g[n], x[n]) for n in range(len(x)))
            if f"b{k}" in self.parameters:
                self.grads[f"b{k}"] = g.sum(axis=0, keepdims=True)
            return g @ W

        return self.put(f"z{k}", z), way

    def activation(self, x, name, options):
        a, slopes = ACTIVATIONS[name](x, **options)

        def way(g):
            return g * slopes if slopes.ndim == 2 else np.einsum("nij,ni->nj", slopes, g)

        return self.put("a" + self.number("activation"), a), way

    def dropout(self, x, options):
        p, id = options.get("p", 0.5), "drop" + self.number("dropout")
        if not self.training:
            return self.put(id, x), lambda g: g
        mask = np.asarray(options["mask"], float)
        kept = np.zeros(x.shape) if p == 1 else np.broadcast_to(mask, x.shape) / (1 - p)
        return self.put(id, x * kept), lambda g: g * kept

    def batch_norm(self, x, options):
        number, width = self.number("norm"), x.shape[1]
        momentum = options.get("momentum", 0.1)
        before = {}
        for letter, start in (("running_mean", 0.0), ("running_var", 1.0)):
            id = letter + number
            if id not in self.running:
                given = np.asarray(options.get(letter, start), float).reshape(1, -1)
                self.running[id] = np.broadcast_to(given, (1, width)).copy()
            before[letter] = self.values[id] = self.running[id]
        if not self.training:
            return self.normalized(x, options, number, before["running_mean"], before["running_var"], None)
        mean = sum(x) / len(x)
        squares = sum((row - mean) ** 2 for row in x)
        now = {"running_mean": mean, "running_var": squares / (len(x) - 1)}
        for letter, old in before.items():
            self.after[letter + number] = (1 - momentum) * old + momentum * now[letter]
        return self.normalized(x, options, number, mean.reshape(1, -1), (squares / len(x)).reshape(1, -1), 0)

    def layer_norm(self, x, options):
        number, width = self.number("norm"), x.shape[1]
        mean = np.array([[sum(row) / width] for row in x])
        var = np.array([[sum((row - m) ** 2) / width] for row, m in zip(x, mean[:, 0], strict=True)])
        return self.normalized(x, options, number, mean, var, 1)

    def normalized(self, x, options, number, mean, var, axis):
        """(x - mean) / sqrt(var + eps), then times gamma plus beta; axis: over what they were taken, None if given."""
        width = x.shape[1]
        spread = var + options.get("eps", 1e-5)
        if axis is not None:
            self.put(f"mean{number}", mean)
            self.put(f"var{number}", var)
        n = self.put(f"n{number}", (x - mean) / np.sqrt(spread))
        affine = options.get("affine", options.get("elementwise_affine", True))
        y = n
        if affine:
            gamma = self.learned(f"gamma{number}", options.get("weight", 1.0), width)
            beta = self.learned(f"beta{number}", options.get("bias", 0.0), width)
            y = self.put(f"y{number}", gamma * n + beta)

        def way(g):
            if affine:
                self.grads[f"gamma{number}"] = (g * n).sum(axis=0, keepdims=True)
                self.grads[f"beta{number}"] = g.sum(axis=0, keepdims=True)
                g = g * gamma
            self.grads[f"n{number}"] = g
            if axis is None:
                return g / np.sqrt(spread)
            self.grads[f"var{number}"] = -(g * n).sum(axis, keepdims=True) / (2 * spread)
            self.grads[f"mean{number}"] = -g.sum(axis, keepdims=True) / np.sqrt(spread)
            own = g - g.mean(axis, keepdims=True) - n * (g * n).mean(axis, keepdims=True)
            return own / np.sqrt(spread)

        return y, way

    def residual(self, x, layers):
        inside, back = self.sequence(layers, x)
        return self.put("s" + self.number("residual"), inside + x), lambda g: back(g) + g

    # loss -------------------------------------------------------------------------------------------------------------
    def data_loss(self, y):
        """-> the loss of the data and its slope by the output."""
        name, options = named(self.net["loss"])
        options = dict(options)
        reduction = options.pop("reduction", "sum" if name == "half_squared_error" else "mean")
        if name == "cross_entropy":
            classes, t = class_targets(self.net["targets"], len(y), y.shape[1], -100)
            log_p = log_softmax(y)[0]
            losses, shares, divisor = class_losses(log_p, classes, t)
            slope = np.exp(log_p) * shares.sum(axis=1, keepdims=True) - shares
        else:
            losses, slope, divisor = ELEMENTWISE[name](y, np.asarray(self.net["targets"], float).reshape(y.shape))
        divisor = 1 if reduction == "sum" else divisor
        return losses.sum() / divisor, slope / divisor

    def penalty(self):
        """-> the penalty, and what it adds to the gradients."""
        total, added = 0.0, {}

        def count(options, of, slope_of):
            letters = "Wb" if options.get("bias") else "W"
            chosen = {id: p for id, p in self.parameters.items() if id[0] in letters and id[1:].isdigit()}
            value = of(np.concatenate([p.ravel() for p in chosen.values()]))
            for id, p in chosen.items():
                added[id] = added.get(id, 0) + slope_of(p, value)
            return value

        for name, given in (self.net.get("regularization") or {}).items():
            options = dict(given) if isinstance(given, dict) else {"lambda": given}
            strengths = {"l1": options.get("l1", 0), "l2": options.get("l2", 0)} if name == "elastic_net" else {}
            strengths = strengths or {name: options["lambda"]}
            for kind, s in strengths.items():
                if kind == "l1":
                    total += count(options, lambda w, s=s: s * np.abs(w).sum(), lambda p, _, s=s: s * np.sign(p))
                elif kind == "l2":
                    s = s / (2 if options.get("half") else 1) / (self.samples if options.get("per_sample") else 1)
                    total += count(options, lambda w, s=s: s * (w**2).sum(), lambda p, _, s=s: 2 * s * p)
                else:
                    total += count(
                        options,
                        lambda w, s=s: s * np.sqrt((w**2).sum()),
                        lambda p, value, s=s: s * s * p / value if value else np.zeros_like(p),
                    )
        return total, added

    def look(self):
        """The forward pass with the loss: -> dL/d(output)."""
        y = self.forward()
        loss, slope = self.data_loss(y)
        penalty, self.added = self.penalty()
        if self.net.get("regularization"):
            self.values |= {"data_loss": np.array([[loss]]), "penalty": np.array([[penalty]])}
        self.values["L"] = np.array([[loss + penalty]])
        return slope

    def step(self):
        """One pass forward and back: the values and the gradients are kept."""
        slope = self.look()
        self.grads["x"] = self.back(slope)
        for id, part in self.added.items():
            self.grads[id] = self.grads[id] + part


def solve(net):
    """All steps of training with SGD, and the pass after the last of them.

    What lies before the first parameter has its gradient in the first step only.
    """
    network, answer = Network(net), {}
    steps = net.get("steps", 1)
    rate = net["optimizer"]["sgd"]["lr"] if "optimizer" in net else None
    for number in range(1, steps + 1):
        at = f"@{number}" if number > 1 else ""
        network.step()
        answer |= {id + at: value for id, value in network.values.items()}
        answer |= {id + at: value for id, value in network.parameters.items()}
        answer |= {
            f"dL/d{id}{at}": grad for id, grad in network.grads.items() if number == 1 or id not in network.early
        }
        answer |= {f"{id}+{at}": value for id, value in network.after.items()}
        if rate is None:
            return answer
        network.running |= network.after
        for id, value in network.parameters.items():
            if id not in net.get("frozen", ()):
                network.parameters[id] = answer[f"{id}+{at}"] = value - rate * network.grads[id]
    network.look()
    outer = ("x", "running")
    answer |= {f"{id}+{at}": value for id, value in network.values.items() if not id.startswith(outer)}
    return answer

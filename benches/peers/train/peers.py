"""The same network and steps in NumPy and in PyTorch: inputs-hidden-classes, ReLU, softmax cross-entropy, Adam."""

import numpy as np

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Numpy:
    """One array for all parameters, views into it, and no temporary array that can be had without."""

    def __init__(self, sizes, batch, rate, parameters, nesterov=False):
        inputs, hidden, classes = sizes
        self.sizes, self.rate, self.nesterov, self.t = sizes, rate, nesterov, 0
        self.parameters = parameters.copy()
        self.gradient, self.m, self.v, self.room = np.zeros((4, parameters.size), np.float32)
        self.w1, self.b1, self.w2, self.b2 = self.views(self.parameters)
        self.gw1, self.gb1, self.gw2, self.gb2 = self.views(self.gradient)
        self.x = np.empty((batch, inputs), np.float32)
        self.a, self.da = np.empty((2, batch, hidden), np.float32)
        self.z = np.empty((batch, classes), np.float32)
        self.active = np.empty((batch, hidden), bool)
        self.rows = np.arange(batch)

    def views(self, flat):
        inputs, hidden, classes = self.sizes
        shapes = [(hidden, inputs), (hidden,), (classes, hidden), (classes,)]
        ends = np.cumsum([0] + [int(np.prod(shape)) for shape in shapes])
        return [flat[a:b].reshape(shape) for a, b, shape in zip(ends, ends[1:], shapes)]

    def step(self, samples, labels, order):
        np.take(samples, order, axis=0, out=self.x)
        y = labels[order]
        a, z, da = self.a, self.z, self.da
        np.matmul(self.x, self.w1.T, out=a)
        a += self.b1
        np.maximum(a, 0, out=a)
        np.matmul(a, self.w2.T, out=z)
        z += self.b2
        z -= z.max(axis=1, keepdims=True)
        own = z[self.rows, y]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        loss = np.log(total[:, 0]).mean() - own.mean()
        z /= total
        z[self.rows, y] -= 1
        z *= np.float32(1 / len(y))
        np.matmul(z.T, a, out=self.gw2)
        z.sum(axis=0, out=self.gb2)
        np.matmul(z, self.w2, out=da)
        np.greater(a, 0, out=self.active)
        da *= self.active
        np.matmul(da.T, self.x, out=self.gw1)
        da.sum(axis=0, out=self.gb1)
        self.update()
        return float(loss)

    def update(self):
        self.t += 1
        g, m, v, room = self.gradient, self.m, self.v, self.room
        m *= np.float32(BETA1)
        np.multiply(g, np.float32(1 - BETA1), out=room)
        m += room
        v *= np.float32(BETA2)
        np.multiply(g, g, out=room)
        room *= np.float32(1 - BETA2)
        v += room
        np.sqrt(v, out=room)
        root = (1 - BETA2**self.t) ** 0.5
        room += np.float32(EPSILON * root)
        if self.nesterov:
            ahead = m * np.float32(BETA1 / (1 - BETA1 ** (self.t + 1)))
            ahead += g * np.float32((1 - BETA1) / (1 - BETA1**self.t))
            np.divide(ahead, room, out=room)
            room *= np.float32(self.rate * root)
        else:
            np.divide(m, room, out=room)
            room *= np.float32(self.rate * root / (1 - BETA1**self.t))
        self.parameters -= room

    def run(self, samples, labels, order):
        for numbers in order:
            loss = self.step(samples, labels, numbers)
        return loss


class Torch:
    """`torch.nn` and `torch.optim.AdamW`, in one of its forms: `foreach`, `fused`, or compiled as a whole."""

    def __init__(self, torch, sizes, batch, rate, parameters, form):
        inputs, hidden, classes = sizes
        self.torch = torch
        self.net = torch.nn.Sequential(
            torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, classes)
        )
        with torch.no_grad():
            at = 0
            for p in self.net.parameters():
                values = parameters[at : at + p.numel()]
                p.copy_(torch.from_numpy(values.copy()).reshape(p.shape))
                at += p.numel()
        options = {"fused": True} if form != "foreach" else {"foreach": True}
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=rate, betas=(BETA1, BETA2), eps=EPSILON, weight_decay=0.0, **options
        )
        self.loss_of = torch.nn.functional.cross_entropy
        self.forward = torch.compile(self.forward_plain) if form == "compiled" else self.forward_plain
        self.held = {}

    def forward_plain(self, x, y):
        return self.loss_of(self.net(x), y)

    def run(self, samples, labels, order):
        torch = self.torch
        key = samples.__array_interface__["data"][0]
        if key not in self.held:
            self.held[key] = torch.from_numpy(samples), torch.from_numpy(labels.astype(np.int64))
        x, y = self.held[key]
        for numbers in torch.from_numpy(order.astype(np.int64)):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.forward(x[numbers], y[numbers])
            loss.backward()
            self.optimizer.step()
        return float(loss.detach())

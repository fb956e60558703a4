"""Whole training steps on one thread: hybridq beside NumPy and, where it is installed, PyTorch.

    python3 run.py STEPS.SO DIGITS.csv [TURNS]
"""

import ctypes
import os
import pathlib
import sys

import numpy as np
from peers import Numpy, Torch

sys.path.append(str(pathlib.Path(__file__).parent.parent / "constrain"))
from timing import figure, turn  # noqa: E402

RATE = 1e-3
SIZE, POINTER = ctypes.c_size_t, ctypes.c_void_p


class Hybridq:
    """The C program `steps.c`."""

    def __init__(self, lib, sizes, batch, rate, ternary):
        self.lib = lib
        lib.make.restype, lib.parameters.restype = POINTER, ctypes.POINTER(ctypes.c_float)
        lib.hq_status_string.restype = ctypes.c_char_p
        made = lib.make(*map(SIZE, sizes), SIZE(batch), ternary, ctypes.c_float(rate))
        if not made:
            raise RuntimeError("hybridq: the network is refused, or there is no memory")
        self.trainer, count = POINTER(made), SIZE()
        pointer = lib.parameters(self.trainer, ctypes.byref(count))
        self.parameters = np.ctypeslib.as_array(pointer, (count.value,))
        self.loss = ctypes.c_float()

    def run(self, samples, labels, order):
        status = self.lib.run(
            self.trainer, POINTER(samples.ctypes.data), POINTER(labels.ctypes.data), POINTER(order.ctypes.data),
            SIZE(len(order)), ctypes.byref(self.loss),
        )  # fmt: skip
        if status != 0:
            raise RuntimeError(f"hybridq: {self.lib.hq_status_string(status).decode()}")
        return self.loss.value


def digits(path):
    table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return np.ascontiguousarray(table[:, 1:] / np.float32(16)), table[:, 0].astype(np.uint32)


def clusters(inputs, classes, count=4096):
    """Made-up images: a class has a centre, half of the pixels are dark."""
    dice = np.random.default_rng(1)
    labels = dice.integers(0, classes, count).astype(np.uint32)
    centres = dice.random((classes, inputs), np.float32)
    samples = centres[labels] + dice.normal(0, 0.7, (count, inputs)).astype(np.float32)
    samples[samples < np.median(samples)] = 0
    return samples, labels


def agree(lib, sizes, batch, samples, labels):
    """The same steps in NumPy: the parameters of both after 20 of them, beside how far they have moved."""
    ours = Hybridq(lib, sizes, batch, RATE, 0)
    start = ours.parameters.copy()
    theirs = Numpy(sizes, batch, RATE, start, nesterov=True)
    order = np.random.default_rng(2).integers(0, len(labels), (20, batch)).astype(np.uint32)
    losses = ours.run(samples, labels, order), theirs.run(samples, labels, order)
    apart = np.linalg.norm(ours.parameters - theirs.parameters) / np.linalg.norm(theirs.parameters - start)
    assert apart < 1e-3 and abs(losses[0] - losses[1]) < 1e-3, (apart, losses)


def case(lib, torch, name, sizes, batch, samples, labels, steps, turns):
    agree(lib, sizes, batch, samples, labels)
    ours = {
        "hybridq, float": Hybridq(lib, sizes, batch, RATE, 0),
        "hybridq, ternary and int8": Hybridq(lib, sizes, batch, RATE, 1),
    }
    start = ours["hybridq, float"].parameters.copy()
    all_of_them = dict(ours)
    all_of_them["NumPy"] = Numpy(sizes, batch, RATE, start)
    for form in os.environ.get("TORCH_FORMS", "foreach fused").split() if torch else ():
        try:
            peer = Torch(torch, sizes, batch, RATE, start, form)
            peer.run(samples, labels, np.zeros((2, batch), np.uint32))
            all_of_them[f"PyTorch, {form}"] = peer
        except Exception as error:  # noqa: BLE001 - whatever the compiler of PyTorch lacks here
            print(f"PyTorch, {form}: skipped, {str(error).splitlines()[0] if str(error) else type(error).__name__}")
    dice, losses = np.random.default_rng(3), {}
    orders = dice.integers(0, len(labels), (8, steps, batch)).astype(np.uint32)

    def work(key, peer, rounds=[0]):  # noqa: B006 - one counter for all
        def steps_of_one():
            rounds[0] += 1
            losses[key] = peer.run(samples, labels, orders[rounds[0] % len(orders)])

        return steps_of_one

    times = turn({key: work(key, peer) for key, peer in all_of_them.items()}, turns=turns)
    parameters = start.size
    print(f"{name}: {'-'.join(map(str, sizes))}, {parameters} parameters, batch {batch}, {steps} steps a turn, {turns} turns")
    for key, ms in times.items():
        rate = 1000 * steps * batch / ms
        print(f"  {key:28} {1000 * ms / steps:9.1f} us a step {rate:11.0f} samples/s   loss {losses[key]:.3f}")
    assert all(np.isfinite(loss) for loss in losses.values())
    figure(f"{name}_vs_numpy", times["NumPy"] / times["hybridq, float"], "x")
    figure(f"{name}_ternary_vs_numpy", times["NumPy"] / times["hybridq, ternary and int8"], "x")
    if torch:
        best = min(ms for key, ms in times.items() if key.startswith("PyTorch"))
        figure(f"{name}_vs_torch", best / times["hybridq, float"], "x")
        figure(f"{name}_ternary_vs_torch", best / times["hybridq, ternary and int8"], "x")


def main(path, table, turns=9):
    lib = ctypes.CDLL(path)
    try:
        import torch

        torch.set_num_threads(1)
        print(f"NumPy {np.__version__}, PyTorch {torch.__version__}")
    except ImportError:
        torch = None
        print(f"NumPy {np.__version__}; PyTorch: skipped, not installed (TORCH=1 tries to)")
    case(lib, torch, "train_mlp", (64, 64, 10), 32, *digits(table), 100, int(turns))
    case(lib, torch, "train_mlp_784", (784, 256, 10), 64, *clusters(784, 10), 10, int(turns))


if __name__ == "__main__":
    main(*sys.argv[1:])

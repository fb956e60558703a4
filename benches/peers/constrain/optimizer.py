"""Steps of the optimizer beside the same arithmetic in NumPy: 1 M floats, one thread.

`sgd_clip_quantize`: clip to a global norm, residual added, clip at 2.5 standard deviations, ternary with its scale, the
residual kept, momentum, step. `sgd_clip`: clip, momentum, step. Where PyTorch is installed, `torch.optim.SGD` with
`clip_grad_norm_` takes part in the second (PyPI has no CPU build of it for Linux on x86-64, so nothing installs it).

Bytes: a step with everything in f32 reads the gradient and the parameters once for norm and check, and then gradient,
momentum (and residual) and parameters, of which all but the gradient are written.
"""

import ctypes

import numpy as np
from timing import figure, show, turn

ROWS, COLS = 820, 1280
N = ROWS * COLS  # 1 049 600
RATE, MOMENTUM, CLIP, SIGMA = 1e-3, 0.9, 1.0, 2.5
NONE, F32, INT8, INT4, TERNARY = range(5)
SIZE, POINTER = ctypes.c_size_t, ctypes.c_void_p


class Options(ctypes.Structure):
    _fields_ = (
        [(name, ctypes.c_uint64) for name in ("ramp_start", "ramp_end", "seed")]
        + [(n, ctypes.c_int32) for n in ("base", "moment", "second", "gradient", "residual", "format", "fit", "reserved")]
        + [(n, ctypes.c_float) for n in ("momentum", "beta2", "epsilon", "weight_decay", "clip_norm", "sigma")]
    )


class Group(ctypes.Structure):
    _fields_ = [("rows", SIZE), ("cols", SIZE), ("learning_rate", ctypes.c_float), ("radius", ctypes.c_float)]


class Outputs(ctypes.Structure):
    _fields_ = [
        (name, kind)
        for part in ("visible", "packed", "gradient", "groups")
        for name, kind in ((part, POINTER), (part + "_len", SIZE))
    ]


def array(a):
    return POINTER(a.ctypes.data), SIZE(a.nbytes if a.dtype == np.uint8 else a.size)


class Hybridq:
    """An optimizer with its buffers."""

    def __init__(self, library, packed=False, radius=np.inf, **options):
        self.library, lib = library, library.lib
        self.options = Options()
        library.check(lib.hq_optimizer_options_default(ctypes.byref(self.options)))
        for name, value in options.items():
            setattr(self.options, name, value)
        self.group = Group(ROWS, COLS, RATE, radius)
        for query in (lib.hq_optimizer_memory_size, lib.hq_optimizer_workspace_size):
            query.restype = SIZE
        what = (ctypes.byref(self.options), ctypes.byref(self.group), SIZE(1))
        self.memory = np.zeros(lib.hq_optimizer_memory_size(*what), np.uint8)
        self.scratch = np.empty(lib.hq_optimizer_workspace_size(*what, None), np.uint8)
        self.state, self.outputs = (ctypes.c_uint64 * 5)(), Outputs()
        if packed:
            self.packed = np.empty(ROWS * COLS // 256 * 66, np.uint8)
            self.outputs.packed, self.outputs.packed_len = self.packed.ctypes.data, self.packed.size
        library.check(lib.hq_optimizer_start(*what, self.state, *array(self.memory)))
        self.what = what

    def step(self, gradient, params):
        self.library.check(
            self.library.lib.hq_optimizer_step(
                *self.what, self.state, *array(self.memory), *array(gradient), None, None, *array(params),
                ctypes.byref(self.outputs), None, *array(self.scratch),
            )
        )  # fmt: skip


class Numpy:
    """The same, as one writes it: array by array."""

    def __init__(self, ternary):
        self.ternary = ternary
        self.moment, self.residual = np.zeros(N, np.float32), np.zeros(N, np.float32)

    def step(self, gradient, params):
        norm = np.linalg.norm(gradient)
        if norm > CLIP:
            gradient = gradient * np.float32(CLIP / norm)
        if self.ternary:
            u = gradient + self.residual
            limit = np.float32(SIGMA) * np.sqrt(np.mean(u * u))
            m = np.minimum(np.abs(u), limit)
            threshold = np.float32(0.75) * m.mean()
            for _ in range(2):
                scale = m[m > threshold].mean()
                threshold = np.float32(0.5) * scale
            gradient = np.where(np.abs(u) > threshold, np.sign(u) * scale, np.float32(0.0))
            self.residual = u - gradient
        self.moment *= np.float32(MOMENTUM)
        self.moment += gradient
        params -= np.float32(RATE) * self.moment


class NumpyInPlace(Numpy):
    """Without quantization, without a temporary array but one."""

    def __init__(self):
        super().__init__(False)
        self.room = np.empty(N, np.float32)

    def step(self, gradient, params):
        norm = np.linalg.norm(gradient)
        np.multiply(gradient, np.float32(min(1.0, CLIP / norm)), out=self.room)
        self.moment *= np.float32(MOMENTUM)
        self.moment += self.room
        np.multiply(self.moment, np.float32(RATE), out=self.room)
        params -= self.room


def torch_step(gradient, params):
    """`torch.optim.SGD` with clipping, if there is a PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    p = torch.nn.Parameter(torch.from_numpy(params.copy()))
    own = torch.from_numpy(gradient.copy())
    optimizer = torch.optim.SGD([p], lr=RATE, momentum=MOMENTUM)

    def step():
        p.grad = own
        torch.nn.utils.clip_grad_norm_([p], CLIP)
        optimizer.step()

    return step


def agree(library):
    """Hybridq's scale is per 1280 values, so the comparison is without quantization; with it, of the gradient's sum."""
    rng = np.random.default_rng(2)
    gradient, start = rng.standard_normal((2, N), np.float32)
    ours, theirs = start.copy(), start.copy()
    a, b = Hybridq(library), Numpy(False)
    for _ in range(3):
        a.step(gradient, ours)
        b.step(gradient, theirs)
    assert np.abs(ours - theirs).max() < 1e-6
    ours, theirs = start.copy(), start.copy()
    a, b = Hybridq(library, gradient=1, residual=F32), Numpy(True)
    for _ in range(20):
        a.step(gradient, ours)
        b.step(gradient, theirs)
    moved, other = ours - start, theirs - start
    assert np.linalg.norm(moved - other) < 0.2 * np.linalg.norm(other)


def main(library):
    agree(library)
    rng = np.random.default_rng(1)
    gradient, params, target = rng.standard_normal((3, N), np.float32)
    ternary = {"gradient": 1, "residual": F32}
    optimizers = {
        "hybridq, ternary gradient": Hybridq(library, **ternary),
        "hybridq, and packed (lloyd)": Hybridq(library, packed=True, fit=7, **ternary),
        "hybridq, int8 state": Hybridq(library, gradient=1, residual=INT8, moment=INT8),
        "NumPy, ternary gradient": Numpy(True),
        "hybridq, f32": Hybridq(library),
        "hybridq, f32, in a radius": Hybridq(library, radius=1e-4),
        "NumPy, f32": Numpy(False),
        "NumPy, f32, in place": NumpyInPlace(),
    }
    work = {name: (lambda o=o, p=params.copy(): o.step(gradient, p)) for name, o in optimizers.items()}
    work["copy"] = lambda: np.copyto(target, gradient)
    torch = torch_step(gradient, params)
    if torch:
        work["torch.optim.SGD, clipped"] = torch
    times = turn(work, turns=21)
    show(f"a step, {N} parameters", times)
    figure("sgd_clip_quantize_vs_numpy", times["NumPy, ternary gradient"] / times["hybridq, ternary gradient"])
    figure("sgd_clip_vs_numpy", times["NumPy, f32"] / times["hybridq, f32"])
    figure("sgd_clip_vs_numpy_in_place", times["NumPy, f32, in place"] / times["hybridq, f32"])
    if torch:
        figure("sgd_clip_vs_torch", times["torch.optim.SGD, clipped"] / times["hybridq, f32"])
    else:
        print("torch.optim.SGD: skipped, PyTorch is not installed (PyPI has no CPU build for Linux on x86-64)")
    # 28 bytes a parameter; the floor (everything read once, written once) is 20. The copy moves 8.
    figure("sgd_clip_bandwidth_vs_copy", 28 / 8 * times["copy"] / times["hybridq, f32"])
    figure("sgd_clip_floor_vs_copy", 20 / 8 * times["copy"] / times["hybridq, f32"])
    # 36 with the residual, floor 28.
    figure("sgd_clip_quantize_bandwidth_vs_copy", 36 / 8 * times["copy"] / times["hybridq, ternary gradient"])

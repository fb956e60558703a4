"""The C functions of projections, by ctypes."""

import ctypes

import numpy as np

SIZE = ctypes.c_size_t
FLOATS = ctypes.c_void_p


class Set(ctypes.Structure):
    """`hq_set`. Keep the arrays that it points to alive: `library.set` does."""


Set._fields_ = [
    ("kind", ctypes.c_int32),
    ("reserved", ctypes.c_int32),
    ("radius", ctypes.c_float),
    ("value", ctypes.c_float),
    ("a", FLOATS),
    ("a_len", SIZE),
    ("b", FLOATS),
    ("b_len", SIZE),
    ("count", SIZE),
    ("len", SIZE),
    ("sets", ctypes.POINTER(Set)),
]


def array(a):
    """A pointer and a number of elements, as the C functions take them."""
    assert a.flags.c_contiguous
    return ctypes.c_void_p(a.ctypes.data), SIZE(a.size)


class Library:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.hq_set_workspace_size.restype = SIZE

    def check(self, status):
        if status != 0:
            self.lib.hq_status_string.restype = ctypes.c_char_p
            raise RuntimeError(f"hybridq: {self.lib.hq_status_string(status).decode()}")

    def set(self, kind, a=None, b=None, **fields):
        made = Set(kind=kind, **fields)
        made.kept = [x if x is None else np.ascontiguousarray(x, np.float32) for x in (a, b)]
        for name, x in zip("ab", made.kept):
            if x is not None:
                setattr(made, name, x.ctypes.data)
                setattr(made, name + "_len", x.size)
        return made

    def scratch(self, made, size):
        """Scratch for `project`, made once."""
        return np.empty(self.lib.hq_set_workspace_size(ctypes.byref(made), SIZE(size)), np.uint8)

    def project(self, made, x, out, scratch):
        self.check(
            self.lib.hq_set_project(
                ctypes.byref(made), array(x)[0], *array(out), *array(scratch), None
            )
        )

    def project_inplace(self, made, x, scratch):
        self.check(self.lib.hq_set_project_inplace(ctypes.byref(made), *array(x), *array(scratch), None))

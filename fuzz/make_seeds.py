#!/usr/bin/env python3
"""Write the seeds of the fuzz targets: small valid files for the fuzzer to damage."""

import json
import struct
from pathlib import Path

HERE = Path(__file__).parent / "seeds"


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(metadata, tensors, version=3):
    """metadata: (key, type, encoded value); tensors: (name, dims, type, data)."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, kind, value in metadata:
        head += string(key) + struct.pack("<I", kind) + value
    data = b""
    for name, dims, kind, content in tensors:
        head += string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, len(data))
        data += content + bytes(-len(content) % 32)
    return head + bytes(-len(head) % 32) + data


def array(kind, count, content):
    return struct.pack("<IQ", kind, count) + content


def safetensors(entries, data, metadata=None):
    header = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, dtype, shape, size in entries:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def write(folder, name, data):
    path = HERE / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def main():
    all_types = [
        ("u8", 0, b"\1"), ("i8", 1, b"\1"), ("u16", 2, b"\1\0"), ("i16", 3, b"\1\0"),
        ("u32", 4, b"\1\0\0\0"), ("i32", 5, b"\1\0\0\0"), ("f32", 6, b"\0\0\x80\x3f"), ("bool", 7, b"\1"),
        ("string", 8, string("text")), ("u64", 10, bytes(8)), ("i64", 11, bytes(8)), ("f64", 12, bytes(8)),
        ("array", 9, array(8, 2, string("a") + string("b"))),
        ("nested", 9, array(9, 1, array(4, 2, bytes(8)))),
    ]
    write("gguf_reader", "metadata", gguf(all_types, []))
    plain = [("f32", [2, 3], 0, bytes(24)), ("f16", [4], 1, bytes(8)), ("i64", [1], 27, bytes(8))]
    write("gguf_reader", "plain", gguf([("general.alignment", 4, struct.pack("<I", 32))], plain))
    packed = [
        ("q4", [32], 2, bytes(18)), ("q8", [32, 2], 8, bytes(68)),
        ("t1", [256], 34, bytes(54)), ("t2", [256], 35, bytes(66)),
    ]
    write("gguf_reader", "packed", gguf([], packed))
    own = [
        ("hybridq.tensor.d.format", 8, string("dense_ternary")),
        ("hybridq.tensor.d.shape", 9, array(10, 2, struct.pack("<2Q", 2, 5))),
        ("hybridq.tensor.f.format", 8, string("five_level")),
        ("hybridq.tensor.f.shape", 9, array(10, 2, struct.pack("<2Q", 1, 192))),
    ]
    write("gguf_reader", "own", gguf(own, [("d", [3, 2], 24, bytes(6)), ("f", [58, 1], 24, bytes(58))]))
    write("gguf_reader", "empty_v2", gguf([], [], version=2))

    floats = struct.pack("<6f", 1, -1, 0.5, 0, 2, -3)
    write("safetensors_reader", "f32", safetensors([("w", "F32", [2, 3], 24)], floats, {"format": "pt"}))
    several = [("a", "F16", [2, 2], 8), ("b", "BF16", [4], 8), ("c", "I64", [1], 8), ("s", "BOOL", [], 1)]
    write("safetensors_reader", "several", safetensors(several, bytes(25)))
    write("safetensors_reader", "empty", safetensors([("e", "F32", [0, 3], 0)], b""))
    index = {"metadata": {"total_size": 4}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    write("safetensors_reader", "index", json.dumps(index).encode())


if __name__ == "__main__":
    main()

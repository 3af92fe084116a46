"""Captions must never say what the picture does not show, and must say what they claim to say."""

import filecmp
import json
import re
import tempfile
import unittest
from pathlib import Path
from random import Random

import numpy as np

from training.tests.caption_reader import COLOR_WORDS, read
from training.tokenizer import MAX_LENGTH, build_tokenizer
from training.words import ATTRIBUTES, CLASSES, VALUES, caption, described, targets
from training.world.scene import FIELDS, MONOCHROME, MOODS, STYLES, THINGS, Scene, held_out, sample_scene

_PROMPTS = json.loads(Path(__file__).parents[1].joinpath("prompts.json").read_text())


def _scenes(count: int, seed: int, unseen: bool = False) -> list[Scene]:
    rng = np.random.default_rng(seed)
    return [sample_scene(rng, unseen) for _ in range(count)]


def _pieces(text: str) -> list[str]:
    return re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower())


def _slips(word: str) -> set[str]:
    """What one letter dropped or swapped with the next makes of a word."""
    dropped = {word[:i] + word[i + 1 :] for i in range(1, len(word) - 1)}
    return dropped | {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1)}


class Captions(unittest.TestCase):
    """Many scenes, many captions."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.scenes = _scenes(4500, 99) + _scenes(500, 98, unseen=True)
        cls.told = [(scene, *described(scene, Random(i), mistakes=False)) for i, scene in enumerate(cls.scenes)]

    def test_what_is_told_is_true_and_can_be_read(self) -> None:
        for scene, text, names in self.told:
            found = read(text)
            for name, value in found.items():
                self.assertEqual(value, getattr(scene, name), f"{name} in {text!r} of {scene}")
            self.assertEqual(set(found), names, text)

    def test_mistyped_words_can_be_made_out(self) -> None:
        known = {word for _, text, _ in self.told for word in _pieces(text)}
        meant = {slip: word for word in sorted(known) if len(word) >= 5 for slip in _slips(word)}
        mistyped = 0
        for i, scene in enumerate(self.scenes):
            text, names = described(scene, Random(i))
            words = re.split(r"([a-z]+)", text.lower())
            right = "".join(w if w in known else meant.get(w, w) for w in words)
            mistyped += right != text.lower()
            self.assertEqual(set(read(right)), names, text)
        self.assertTrue(0.015 < mistyped / len(self.scenes) < 0.04, mistyped)

    def test_style_is_never_left_out(self) -> None:
        for scene, text, names in self.told:
            self.assertIn("style", names)
            self.assertEqual(read(text)["style"], scene.style, text)

    def test_no_colors_in_black_ink(self) -> None:
        for scene, text, _ in self.told:
            if scene.style in MONOCHROME:
                self.assertFalse(COLOR_WORDS & set(_pieces(text)), text)

    def test_the_main_thing_is_mostly_named(self) -> None:
        named = [{"thing", "count"} <= names for scene, _, names in self.told if scene.thing]
        self.assertGreater(np.mean(named), 0.85)
        colored = [{"thing", "color"} <= names for scene, _, names in self.told if scene.color]
        self.assertGreater(np.mean(colored), 0.80)

    def test_held_out_scenes_are_kept_apart(self) -> None:
        self.assertFalse(any(map(held_out, self.scenes[:4500])))
        self.assertTrue(all(map(held_out, self.scenes[4500:])))

    def test_captions_vary(self) -> None:
        self.assertGreater(len({text.lower() for _, text, _ in self.told}), 4500)
        rng = Random(1)
        rich = next(scene for scene in self.scenes if scene.orb and scene.mountains and scene.thing and scene.sky)
        self.assertGreater(len({caption(rich, rng) for _ in range(500)}), 450)

    def test_same_state_same_caption(self) -> None:
        for i, scene in enumerate(self.scenes[:200]):
            self.assertEqual(caption(scene, Random(i)), described(scene, Random(i))[0])

    def test_targets_are_the_values(self) -> None:
        self.assertEqual(set(ATTRIBUTES) | {"seed"}, set(FIELDS))
        for scene in self.scenes:
            for name, target in targets(scene).items():
                self.assertEqual(VALUES[name][target], getattr(scene, name))
        self.assertEqual(CLASSES, tuple(len(VALUES[name]) for name in ATTRIBUTES))


class Tokens(unittest.TestCase):
    """The vocabulary made from captions."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.tokenizer = build_tokenizer(cls.folder / "one")
        rng = Random(5)
        cls.texts = [caption(scene, rng) for scene in _scenes(4000, 97)]

    def test_captions_fit(self) -> None:
        lengths = [len(ids) for ids in self.tokenizer(self.texts)["input_ids"]]
        self.assertLessEqual(np.mean(np.array(lengths) > MAX_LENGTH), 0.005)

    def test_round_trip(self) -> None:
        for text in (*self.texts[:300], *_PROMPTS["outside"], "Zoë's café, 東京 🙂 #42!"):
            back = self.tokenizer.decode(self.tokenizer(text)["input_ids"], skip_special_tokens=True)
            self.assertEqual(back.replace(" ", ""), text.lower().replace(" ", ""))

    def test_words_are_whole(self) -> None:
        self.assertLessEqual(len(self.tokenizer), 1550)
        rng = Random(6)
        for scene in _scenes(2000, 96):
            text, _ = described(scene, rng, mistakes=False)
            self.assertEqual(len(self.tokenizer(text)["input_ids"]), len(_pieces(text)) + 2, text)

    def test_building_again_gives_the_same(self) -> None:
        build_tokenizer(self.folder / "two")
        for name in ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json"):
            self.assertTrue(filecmp.cmp(self.folder / "one" / name, self.folder / "two" / name, shallow=False), name)


class Prompts(unittest.TestCase):
    """The fixed prompts by which models are looked at."""

    def test_they_cover_the_world(self) -> None:
        self.assertEqual((len(_PROMPTS["world"]), len(_PROMPTS["outside"])), (48, 16))
        self.assertEqual(len({*_PROMPTS["world"], *_PROMPTS["outside"]}), 64)
        found = [read(prompt) for prompt in _PROMPTS["world"]]
        for name, values in (("ground", VALUES["ground"]), ("thing", THINGS), ("style", STYLES), ("mood", MOODS)):
            self.assertLessEqual(set(values), {f.get(name) for f in found}, name)
        for name in ("time", "weather", "sky", "mountains", "orb", "color", "side"):
            self.assertLessEqual({*VALUES[name]} - {""}, {f.get(name) for f in found}, name)

    def test_their_words_are_known(self) -> None:
        known = set()
        rng = Random(7)
        for scene in _scenes(4000, 95):
            known.update(_pieces(described(scene, rng, mistakes=False)[0]))
        for prompt in _PROMPTS["world"]:
            self.assertLessEqual(set(_pieces(prompt)), known, prompt)


if __name__ == "__main__":
    unittest.main()

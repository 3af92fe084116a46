"""Captions must never say what the picture does not show."""

import re
import unittest
from random import Random

from training.captions import caption
from training.dataset import sample_scenes

_COLORS = {"red", "orange", "yellow", "golden", "green", "blue", "purple", "pink", "white", "turquoise", "black"}
_NOUNS = {
    "sun": lambda s: s.orb == "sun",
    "moon": lambda s: s.orb in ("moon", "crescent"),
    "crescent": lambda s: s.orb == "crescent",
    "stars": lambda s: s.stars,
    "boat": lambda s: s.thing == "boat",
    "house": lambda s: s.thing == "house",
    "tree": lambda s: s.thing == "tree",
    "balloon": lambda s: s.thing == "balloon",
    "lighthouse": lambda s: s.thing == "lighthouse",
    "mountains": lambda s: bool(s.mountains),
    "flowers": lambda s: bool(s.flowers),
    "desert": lambda s: s.ground == "desert",
    "sea": lambda s: s.ground == "sea",
    "lake": lambda s: s.ground == "lake",
    "night": lambda s: s.time == "night",
    "sunset": lambda s: s.time == "sunset",
    "noon": lambda s: s.time == "day",
    "dawn": lambda s: s.time == "dawn",
    "rain": lambda s: s.weather == "rain",
    "fog": lambda s: s.weather == "fog",
    "dark": lambda s: s.water == "dark",
}


class Captions(unittest.TestCase):
    """Many scenes, many captions each."""

    def test_named_things_are_there(self) -> None:
        rng = Random(3)
        for scene in sample_scenes(1500, seed=99):
            text = caption(scene, rng)
            words = set(re.findall(r"[a-z]+", text))
            for noun, holds in _NOUNS.items():
                if noun in words:
                    self.assertTrue(holds(scene), f"{noun!r} in {text!r} of {scene}")

    def test_named_colors_are_there(self) -> None:
        rng = Random(4)
        for scene in sample_scenes(1500, seed=98):
            text = caption(scene, rng)
            told = set(re.findall(r"[a-z]+", text)) & _COLORS
            true = {scene.color, scene.orb_color, scene.flowers, scene.water}
            true |= {"golden"} if scene.orb_color == "yellow" else set()
            true |= {"black"} if scene.water == "dark" or scene.style == "ink" else set()
            true |= {"white"} if scene.mountains == "snowy" or scene.style == "ink" or scene.orb else set()
            true |= {"green"} if scene.ground == "meadow" else set()
            true |= {"blue"} if scene.time == "day" else set()
            self.assertLessEqual(told, true, f"{text!r} of {scene}")


if __name__ == "__main__":
    unittest.main()

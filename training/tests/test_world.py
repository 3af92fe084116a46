"""A scene looks the same in any company and at any size, and its mask is where its thing is."""

from __future__ import annotations

import dataclasses
import unittest

import numpy as np
import torch
import torch.nn.functional as F

from training.dataset import sample_scenes
from training.world.picture import render
from training.world.scene import COLORS, STYLES, TIMES, sample_scene

torch.set_num_threads(1)


class TestWorld(unittest.TestCase):
    def test_the_same_alone_and_in_a_batch(self) -> None:
        scenes = sample_scenes(12, seed=41)
        together = render(scenes)
        for i, scene in enumerate(scenes):
            alone = render([scene])
            worst = (alone.pixels[0] - together.pixels[i]).abs().max()
            self.assertLess(float(worst), 0.02, scene)

    def test_the_same_picture_at_twice_the_size(self) -> None:
        for scene in sample_scenes(12, seed=42):
            scene = dataclasses.replace(scene, style="")
            small, large = render([scene]), render([scene], 512)
            off = (F.avg_pool2d(large.pixels, 2) - small.pixels).abs().mean()
            self.assertLess(float(off), 0.02, scene)

    def test_values_are_colours(self) -> None:
        for style in ("", *STYLES):
            scenes = [dataclasses.replace(s, style=style) for s in sample_scenes(6, seed=43)]
            pixels = render(scenes).pixels
            self.assertTrue(bool(torch.isfinite(pixels).all()), style)
            self.assertGreater(float(pixels.std()), 0.03, style)

    def test_the_mask_is_where_the_thing_is(self) -> None:
        for scene in sample_scenes(40, seed=44):
            mask = render([scene]).thing_mask
            if scene.thing:
                self.assertGreater(float(mask.mean()), 0.003, scene)
                self.assertLess(float(mask.mean()), 0.6, scene)
            else:
                self.assertEqual(float(mask.max()), 0.0, scene)

    def test_times_differ_and_so_do_colours(self) -> None:
        scenes = sample_scenes(3000, seed=45)
        scene = next(s for s in scenes if (s.thing, s.ground, s.count) == ("house", "meadow", 1))
        plain = dataclasses.replace(scene, weather="clear", style="", mood="", orb="", orbs=0, sky="", size="big")
        by_time = torch.stack([render([dataclasses.replace(plain, time=t)]).pixels[0].mean((1, 2)) for t in TIMES])
        by_color = []
        for color in COLORS:
            picture = render([dataclasses.replace(plain, time="day", color=color)])
            weight = picture.thing_mask / picture.thing_mask.sum()
            by_color.append((picture.pixels[0] * weight).sum((1, 2)))
        for rows in (by_time, torch.stack(by_color)):
            apart = torch.cdist(rows, rows) + 10 * torch.eye(len(rows))
            self.assertGreater(float(apart.min()), 0.04)

    def test_training_never_shows_what_is_held_out(self) -> None:
        rng = np.random.default_rng(46)
        purple_boats = [s for s in (sample_scene(rng) for _ in range(4000)) if (s.thing, s.color) == ("boat", "purple")]
        self.assertEqual(purple_boats, [])


if __name__ == "__main__":
    unittest.main()

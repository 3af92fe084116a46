"""From scenes to their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.world.canvas import Canvas
from training.world.city import paint_city
from training.world.finish import finish
from training.world.forest import paint_forest
from training.world.ground import paint_ground
from training.world.inside import paint_inside
from training.world.light import set_light
from training.world.mountains import paint_mountains
from training.world.scene import Scene
from training.world.sky import paint_sky
from training.world.things import paint_things
from training.world.water import paint_water
from training.world.weather import paint_far_air, paint_near_air

SIZE = 256


@dataclass(frozen=True)
class Picture:
    """Pictures of n scenes: `pixels` [n, 3, size, size] and `thing_mask` [n, size, size], both 0..1."""

    pixels: Tensor
    thing_mask: Tensor


@torch.no_grad()
def render(scenes: Sequence[Scene], size: int = SIZE, device: torch.device = torch.device("cpu")) -> Picture:
    """The pictures of some scenes: each the same in any company."""
    canvas = Canvas(scenes, size, device)
    set_light(canvas)
    canvas.select(lambda s: s.outside, _paint_outside)
    canvas.select(lambda s: not s.outside, paint_inside)
    paint_far_air(canvas)
    paint_things(canvas)
    paint_near_air(canvas)
    finish(canvas)
    return Picture(canvas.pixels.clamp(0, 1), canvas.thing_mask.clamp(0, 1))


def _paint_outside(canvas: Canvas) -> None:
    paint_sky(canvas)
    paint_mountains(canvas)
    paint_water(canvas)
    paint_ground(canvas)
    paint_forest(canvas)
    paint_city(canvas)

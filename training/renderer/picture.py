"""From a scene to its picture."""

from __future__ import annotations

import numpy as np

from training.renderer.frame import SIZE, new_frame
from training.renderer.grade import grade
from training.renderer.land import paint_land
from training.renderer.ridges import paint_mountains
from training.renderer.scene import Scene
from training.renderer.sky import paint_sky
from training.renderer.things import paint_thing
from training.renderer.water import paint_water
from training.renderer.weather import paint_far_air, paint_near_air

__all__ = ["SIZE", "render"]


def render(scene: Scene) -> np.ndarray:
    """The picture of a scene: uint8 [SIZE, SIZE, 3], the same for the same scene."""
    frame = new_frame(scene)
    paint_sky(frame)
    if scene.mountains:
        paint_mountains(frame)
    if scene.ground in ("sea", "lake"):
        paint_water(frame)
    else:
        paint_land(frame)
    paint_far_air(frame)
    paint_thing(frame)
    paint_near_air(frame)
    return (grade(frame) * 255 + 0.5).astype(np.uint8)

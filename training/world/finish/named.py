"""Where in a picture the colours are that a caption may name."""

from __future__ import annotations

import torch
from torch import Tensor

from training.world.canvas import Canvas
from training.world.noise import smoothstep


def named(canvas: Canvas) -> Tensor:
    """The things, the sun and the moons, [n, 1, size, size] in 0..1."""
    mask = canvas.thing_mask
    # The dark part of a crescent is sky.
    bright = smoothstep(0.3, 0.5, canvas.pixels.amax(1))
    for i in range(max(scene.orbs for scene in canvas.scenes)):
        x, y, radius = canvas.facts["orbs"][:, i, :, None, None].unbind(1)
        away = torch.hypot(canvas.x - x, canvas.y - y) / radius
        there = canvas.each(lambda scene, i=i: float(scene.orbs > i))
        mask = torch.maximum(mask, there * bright * (1.2 - away).mul(5).clamp(0, 1))
    return mask[:, None]

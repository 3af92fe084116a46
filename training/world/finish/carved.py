"""A relief print: one black, cut into lines."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from training.world import noise
from training.world.canvas import Canvas
from training.world.finish.smooth import blur, differences, luma

_LINES = 36


def woodcut(canvas: Canvas) -> None:
    """Lines that follow the forms and swell where it is dark, solid black and bare paper."""
    device = canvas.device
    light = luma(canvas.pixels)
    soft = blur(light, 0.004)
    small = F.avg_pool2d(soft[:, None], canvas.size // 64).flatten(1)
    low, high = small.quantile(0.03, 1)[:, None, None], small.quantile(0.97, 1)[:, None, None]
    tone = ((soft - low) / (high - low).clamp_min(0.12)).clamp(0, 1)
    wave = noise.plane(canvas, 85, 2.6, cells=90, finest=8)
    # What differs from its surroundings stands out against them.
    tone = tone + 0.9 * (tone - blur(tone, 0.035))
    # Lines bend with the light, as if they lay on the forms; on things they lie across.
    bend = blur(light, 0.03)
    thing = blur(canvas.thing_mask, 0.003)
    level = canvas.y + 0.012 * wave + 0.05 * bend
    slant = 0.6 * canvas.y + 0.8 * canvas.x + 0.05 * bend
    ground = noise.smoothstep(-0.005, 0.005, canvas.y - canvas.facts["horizon"])
    lying = canvas.y * 0.93 + 0.37 * canvas.x + 0.02 * wave + 0.05 * bend
    ridge = torch.cos(torch.lerp(level, lying, ground) * (2 * math.pi * _LINES))
    across = torch.cos(slant * (2 * math.pi * _LINES))
    ridge = torch.lerp(ridge, across, (thing > 0.5).float())
    # The groove's width is the tone; what is very dark or very light is left whole.
    cut = (tone - 0.5) * (3.0 - 1.0 * (thing > 0.5))
    right, down = differences(torch.stack([thing, soft], 1))
    edge = torch.hypot(right, down)
    outline = noise.smoothstep(10, 22, edge[:, 0])
    sharp = canvas.size / (2 * _LINES) / 6
    paper = (0.5 + (cut + ridge) * sharp).clamp(0, 1)
    halo = noise.smoothstep(0.10, 0.25, blur(canvas.thing_mask, 0.008)) * (1 - thing)
    paper = torch.maximum(paper, halo) * (1 - outline * (thing > 0.4))
    margin = torch.minimum(torch.minimum(canvas.x, 1 - canvas.x), torch.minimum(canvas.y, 1 - canvas.y)) + 0.004 * wave
    inside = noise.smoothstep(0.024, 0.030, margin)
    frame = noise.smoothstep(0.046, 0.040, margin)
    paper = torch.lerp(torch.ones_like(paper), paper * (1 - frame), inside)
    cream = torch.tensor([0.955, 0.905, 0.80], device=device)[None, :, None, None]
    black = torch.tensor([0.10, 0.075, 0.06], device=device)[None, :, None, None]
    canvas.pixels = torch.lerp(black, cream, paper[:, None])

"""Wet on paper: watercolour and ink."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.world import noise
from training.world.canvas import Canvas
from training.world.finish.smooth import blur, differences, luma, saturate

_PAPER = (0.985, 0.972, 0.935)
_RICE_PAPER = (0.965, 0.945, 0.895)
_INK = (0.075, 0.075, 0.095)


def _color(canvas: Canvas, rgb: tuple[float, float, float]) -> Tensor:
    return torch.tensor(rgb, device=canvas.device)[None, :, None, None]


def _bleed(canvas: Canvas, pictures: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """The pictures [n, c, size, size] pulled about by shifts in parts of the picture, as wet edges are."""
    place = torch.stack([(canvas.x + right) * 2 - 1, (canvas.y + down) * 2 - 1], -1)
    return F.grid_sample(pictures, place, mode="bilinear", padding_mode="border", align_corners=False)


def _from_edge(canvas: Canvas) -> Tensor:
    """How far each pixel is from the nearest edge of the picture, [1, size, size]."""
    return torch.minimum(torch.minimum(canvas.x, 1 - canvas.x), torch.minimum(canvas.y, 1 - canvas.y))


def watercolor(canvas: Canvas) -> None:
    """Transparent washes with dark rims on white paper, which stays bare around them."""
    wet = noise.plane(canvas, 81, 1.9, cells=256, finest=8)
    grain = noise.plane(canvas, 82, 0.9, cells=256, finest=5)
    x = _bleed(canvas, canvas.pixels, 0.0035 * wet, 0.0035 * grain)
    thing = blur(canvas.thing_mask, 0.003)
    mean = luma(x).mean((-2, -1), keepdim=True)
    # A dark scene is thinned with water until its colours show, but less so the things in it.
    thin = (torch.log(mean * 0.45 + 0.34) / torch.log(mean.clamp(0.03, 0.9))).clamp(0.5, 1.0)
    x = x.clamp(0.004, 1) ** torch.lerp(thin.expand_as(thing), torch.ones_like(thing), 0.6 * thing)[:, None]
    x = saturate(x, 1.3).clamp(0, 1)
    soft = blur(x, 0.006)
    # Where a wash ends its pigment gathers: on the darker side of each edge.
    light = luma(soft)
    rim = ((blur(light, 0.010) - light) / (0.25 + light) - 0.03).clamp(0, 0.22)
    x = torch.lerp(soft, x, 0.45)
    # Paint is thickest on the things, so that their colours stay what they are called.
    pigment = 0.72 + 2.0 * rim + 0.10 * wet + 0.035 * grain + 0.20 * thing
    wash = 1 - (1 - x) * pigment.clamp(0.2, 1.15)[:, None]
    paper = _color(canvas, _PAPER)
    border = _from_edge(canvas) + 0.009 * wet + 0.004 * grain
    inside = noise.smoothstep(0.030, 0.040, border)
    pool = noise.smoothstep(0.062, 0.036, border)
    wash = wash * (1 - 0.16 * pool)[:, None]
    canvas.pixels = (paper * torch.lerp(torch.ones_like(wash), wash, inside[:, None])).clamp(0, 1)


def _tones(canvas: Canvas, light: Tensor) -> Tensor:
    """Lightness stretched over the whole scale, [n, size, size]."""
    small = F.avg_pool2d(light[:, None], canvas.size // 64).flatten(1)
    low, high = small.quantile(0.02, 1)[:, None, None], small.quantile(0.98, 1)[:, None, None]
    return ((light - low) / (high - low).clamp_min(0.12)).clamp(0, 1)


def ink(canvas: Canvas) -> None:
    """A few washes of one black ink, pale to full, and a brush line around the things."""
    wet = noise.plane(canvas, 83, 1.8, cells=256, finest=7)
    hair = noise.plane(canvas, 84, 1.0, cells=256, finest=4, stretch=5.0)
    both = torch.stack([luma(canvas.pixels), canvas.thing_mask], 1)
    light, thing = _bleed(canvas, both, 0.004 * wet, 0.003 * hair).unbind(1)
    tone = _tones(canvas, blur(light, 0.006))
    tone = tone + 0.035 * wet + 0.02 * hair
    levels = 0.0
    for at, share in ((0.16, 0.30), (0.40, 0.26), (0.66, 0.24), (0.86, 0.20)):
        step = noise.smoothstep(at - 0.035, at + 0.035, tone)
        # Ink gathers at the rim of each wash.
        rim = (tone - at + 0.035).mul(14).clamp(0, 1) * (at + 0.02 - tone).mul(14).clamp(0, 1)
        levels = levels + share * step - 0.10 * rim
    # On a dark wash the paper stays bare around a thing, or its outline would drown.
    levels = torch.maximum(levels, 0.8 * noise.smoothstep(0.06, 0.20, blur(thing, 0.014)) * (1 - thing))
    right, down = differences(blur(torch.stack([thing, light], 1), 0.004))
    edge = torch.hypot(right, down)
    line = noise.smoothstep(9, 26, edge[:, 0] + 1.6 * edge[:, 1] * thing + 3 * hair * (edge[:, 0] > 4))
    levels = levels * (1 - 0.9 * line)
    levels = levels + (0.05 * wet * (1 - levels))
    fade = noise.smoothstep(0.0, 0.075, _from_edge(canvas) + 0.012 * hair + 0.010 * wet)
    dark = (1 - levels).clamp(0, 1) * fade
    canvas.pixels = torch.lerp(_color(canvas, _RICE_PAPER), _color(canvas, _INK), dark[:, None])

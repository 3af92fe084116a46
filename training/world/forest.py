"""A forest of firs in rows, and its floor."""

from __future__ import annotations

import torch
from torch import Tensor

from training.world import noise, palette
from training.world.canvas import Canvas
from training.world.ground import chances
from training.world.light import sky_color
from training.world.noise import smoothstep

_WARM_FIR, _BLUE_FIR = palette.rgb(0.10, 0.29, 0.16), palette.rgb(0.07, 0.27, 0.23)
_MOSS, _GLADE = palette.rgb(0.20, 0.40, 0.14), palette.rgb(0.42, 0.58, 0.20)
# From far to near: trees across the picture, their height, how far their feet are below the horizon.
_ROWS = ((26, 0.15, 0.010), (16, 0.23, 0.024), (9, 0.34, 0.044))


def paint_forest(canvas: Canvas) -> None:
    """Covers everything below the horizon of the forest scenes."""
    canvas.select(lambda s: s.ground == "forest", _forest)


def _firs(canvas: Canvas, count: int, height: Tensor, foot: Tensor, aside: float) -> tuple[Tensor, Tensor]:
    """Where a row of firs stands [n, size, size], and how much light falls on each part."""
    side = canvas.facts["light_side"]
    alpha, lit = None, None
    for half in range(2):  # neighbours overlap, so every second tree is drawn by itself
        start = canvas.uniform(0, 40) + 0.5 * half
        place = canvas.x * (count / 2) + start
        which = torch.floor(place)
        draw = chances(canvas, which, which * 0 + 11 * half + 1)
        shift = chances(canvas, which, which * 0 + 11 * half + 2)
        trunk_x = (which + 0.36 + 0.28 * shift - start) * (2 / count)
        u = canvas.x - trunk_x
        # Taller at the sides than in the middle, which is a clearing.
        tall = height * (0.60 + 0.52 * draw) * (0.86 + aside * (2 * trunk_x - 1) ** 2)
        t = 1 - (foot - canvas.y) / tall  # 0 at the tip, 1 at the foot
        tier = t * (4.0 + 2.0 * shift)
        tier = tier - torch.floor(tier)
        wide = tall * 0.24 * t.clamp(0, 1) ** 0.9 * (0.66 + 0.34 * tier) + 0.0012
        trunk = 0.035 * tall
        wide = torch.where(t > 0.93, trunk, wide) * ((t > 0) & (t < 1))
        tree = ((wide - u.abs()) * canvas.size + 0.5).clamp(0, 1) * ((t > 0) & (t < 1))
        shade = 0.92 + 0.30 * (u * side / wide.clamp(min=1e-3)).clamp(-1, 1) - 0.26 * tier - 0.22 * t
        if alpha is None:
            alpha, lit = tree, shade
        else:
            lit = torch.lerp(lit, shade, tree)
            alpha = torch.maximum(alpha, tree)
    return alpha, lit


def _forest(canvas: Canvas) -> None:
    facts = canvas.facts
    light, horizon = facts["light"], facts["horizon"]
    hue = canvas.uniform()[:, None]
    dark = torch.lerp(canvas.colors(lambda s: _WARM_FIR), canvas.colors(lambda s: _BLUE_FIR), hue) * light
    white = canvas.colors(lambda s: (0.86, 0.91, 0.98)) * (light + 0.06).clamp(max=1)
    frost = canvas.each(lambda s: 0.75 if s.weather == "snowfall" else 0.0)
    stretch = canvas.uniform(0.85, 1.12)
    back = torch.lerp(dark, sky_color(canvas, 3) * 0.85, 0.5)
    edge = horizon - 0.035 + 0.010 * noise.line(canvas, 1.0, first=3, waves=48)
    canvas.blend((canvas.y - edge) * canvas.size * 0.5 + 0.5, back)
    for i, (count, height, drop) in enumerate(_ROWS):
        foot = horizon + drop + 0.006 * noise.line(canvas, 1.9, waves=8)
        alpha, lit = _firs(canvas, count, height * stretch, foot, 0.16 + 0.12 * i)
        color = torch.lerp(dark * 1.12, sky_color(canvas, 3) * 0.85, 0.44 - 0.20 * i)
        color = color * (0.55 + 0.62 * lit)[:, None]
        color = torch.lerp(color, white, (frost * smoothstep(0.62, 1.0, lit) * (0.6 + 0.2 * i))[:, None])
        canvas.blend(alpha, color.clamp(0, 1))
    _floor(canvas, frost, white)


def _floor(canvas: Canvas, frost: Tensor, white: Tensor) -> None:
    facts = canvas.facts
    line = facts["horizon"] + 0.034 + 0.008 * noise.line(canvas, 2.0, waves=16)
    below = canvas.y - line
    moss = noise.plane(canvas, 52, 1.8, cells=220, finest=9, stretch=2.4)
    fine = noise.plane(canvas, 41, 1.0, cells=330, finest=4, stretch=0.7)
    # A clearing: light in the middle, the shade of the trees behind and at the sides.
    middle = canvas.uniform(0.3, 0.7)
    clearing = torch.exp(-(((canvas.x - middle) / 0.34) ** 2)) * smoothstep(0.0, 0.12, below)
    shade = 0.58 + 0.55 * clearing + 0.10 * moss + 0.03 * fine - 0.30 * below.clamp(0, 0.4)
    floor = torch.lerp(canvas.colors(lambda s: _MOSS), canvas.colors(lambda s: _GLADE), clearing[:, None])
    floor = torch.lerp(floor * facts["light"], white, 0.85 * frost[:, None])
    canvas.blend(below * canvas.size + 0.5, (floor * shade.clamp(0.3, 1.3)[:, None]).clamp(0, 1))

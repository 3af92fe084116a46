"""Desert, meadow, wheat field and snow field: rolling ground in layers."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from training.world import noise, palette
from training.world.canvas import Canvas
from training.world.light import sky_color
from training.world.mountains import slope
from training.world.noise import smoothstep

_SAND = (palette.rgb(0.93, 0.72, 0.42), palette.rgb(0.90, 0.58, 0.34))
_GRASS = (palette.rgb(0.33, 0.60, 0.18), palette.rgb(0.50, 0.68, 0.22))
_WHEAT = (palette.rgb(0.90, 0.70, 0.24), palette.rgb(0.95, 0.78, 0.34))
_SNOW = palette.rgb(0.95, 0.97, 1.0)
_CHANCES = 4096
_OPEN = ("desert", "meadow", "wheat", "snow")


def paint_ground(canvas: Canvas) -> None:
    """Covers everything below the horizon of those scenes that stand on open land."""
    canvas.select(lambda s: s.ground == "desert", _desert)
    canvas.select(lambda s: s.ground == "meadow", _meadow)
    canvas.select(lambda s: s.ground == "wheat", _wheat)
    canvas.select(lambda s: s.ground == "snow", _snow)
    canvas.select(lambda s: s.ground in _OPEN and s.orb == "sun" and s.time in ("dawn", "sunset"), _sheen)


def chances(canvas: Canvas, *cells: Tensor) -> Tensor:
    """A number in 0..1 for each cell of a pattern, told by whole numbers; the same on every device."""
    key = torch.zeros((), dtype=torch.long, device=canvas.device)
    for prime, cell in zip((1, 157, 2579), cells):
        key = key + cell.long() * prime
    key = key * key * 31 + key * 1217
    return _chance_table(canvas.device)[key.remainder(_CHANCES)]


@cache
def _chance_table(device: torch.device) -> Tensor:
    return torch.from_numpy(np.random.default_rng(77).random(_CHANCES, np.float32)).to(device)


def blended(canvas: Canvas, pair: tuple[np.ndarray, np.ndarray]) -> Tensor:
    """For each scene some colour between the two, [n, 3, 1, 1]."""
    return torch.lerp(canvas.colors(lambda s: pair[0]), canvas.colors(lambda s: pair[1]), canvas.uniform()[:, None])


def far_color(canvas: Canvas, color: Tensor, depth: float) -> Tensor:
    """The colour of ground that is `depth` (0 at the horizon, 1 at the viewer) near, seen through air."""
    return torch.lerp(color, sky_color(canvas, 3) * 0.92, 0.42 * (1 - depth) ** 1.5)


def _rolling(canvas: Canvas, layer: int, layers: int, swell: float, smooth: float) -> Tensor:
    """The crest line of one layer of hills [n, 1, size]."""
    horizon = canvas.facts["horizon"]
    base = horizon + (1.0 - horizon) * (layer / layers) ** 1.25 * 0.86
    line = base + swell * (0.35 + 0.8 * layer / layers) * noise.line(canvas, smooth, waves=16).clamp(-1.8, 1.8)
    return torch.minimum(line, horizon + 0.012) if layer == 0 else line


def _desert(canvas: Canvas) -> None:
    """Dunes with a sharp crest, lit on one side and in shade on the other."""
    facts = canvas.facts
    horizon, light = facts["horizon"], facts["light"]
    # Moonlight takes the colour out of sand.
    pale = canvas.each(lambda s: 0.5 if s.time == "night" else 0.0)[:, None]
    sand = torch.lerp(blended(canvas, _SAND), canvas.colors(lambda s: (0.86, 0.84, 0.90)), pale)
    shadow = canvas.colors(lambda s: (0.62, 0.50, 0.58) if s.time != "night" else (0.44, 0.46, 0.66))
    contrast = canvas.each(lambda s: 1.0 if s.weather in ("clear", "fair") else 0.55)
    layers = 4
    for i in range(layers):
        near = i / (layers - 1)
        base = horizon + 0.02 + (1.0 - horizon) * (0.24 * i + 0.045 * i * i)
        tall = (0.035 + 0.135 * near) * canvas.uniform(0.75, 1.15)
        wide = canvas.uniform(0.50, 0.75) * (0.7 + 0.5 * near)
        # Each row of dunes has a high and a low crest, on alternating sides of the picture.
        first = canvas.uniform(0.08, 0.40) + (0.50 if i % 2 else 0.0)
        second = first + torch.where(first > 0.5, -1.0, 1.0) * canvas.uniform(0.55, 0.75)
        ripple = 0.006 * noise.line(canvas, 2.6, waves=8)
        below, shade = _dune(canvas, second, base, 0.5 * tall, wide, ripple)
        ahead, shade_ahead = _dune(canvas, first, base, tall, wide, ripple)
        shade = torch.lerp(shade, shade_ahead, smoothstep(-0.02, 0.02, ahead - below))
        below = torch.maximum(below, ahead)
        color = far_color(canvas, sand * light * (1.04 - 0.06 * near), near)
        glow = 1.06 - 0.45 * below.clamp(0, 0.4) + 0.06 * torch.exp(-below.clamp(min=0) / 0.012)
        color = torch.lerp(color * glow[:, None], color * shadow, (0.95 * shade * contrast)[:, None])
        canvas.blend(below * canvas.size + 0.5, color.clamp(0, 1))


def _dune(canvas: Canvas, x: Tensor, base: Tensor, tall: Tensor, wide: Tensor, ripple: Tensor) -> tuple[Tensor, Tensor]:
    """How far each pixel lies below the crest of a dune with its peak at `x`, and how much in shade."""
    side = canvas.facts["light_side"]
    away = (canvas.x - x) / wide
    below = canvas.y - (base - tall * torch.exp(-(away.abs() ** 1.2) * 2.8) + ripple)
    depth = ((canvas.y - base + tall) / (0.10 + tall)).clamp(min=0)
    # The edge between light and shade winds down from the peak towards the viewer.
    bend = canvas.uniform(0.6, 1.2) * torch.sin(depth * canvas.uniform(2.6, 3.6))
    edge = x + wide * side * (0.16 * bend - 0.10 * depth) * depth.clamp(max=1.5)
    into = (edge - canvas.x) * side / wide
    shade = smoothstep(-0.006, 0.020, into) * torch.exp(-((into.clamp(min=0) / 0.48) ** 1.5))
    return below, shade * smoothstep(1.9, 0.2, depth)


def _meadow(canvas: Canvas) -> None:
    facts = canvas.facts
    green = blended(canvas, _GRASS)
    layers = 3
    for i in range(layers):
        line = _rolling(canvas, i, layers, 0.030, 2.1)
        below = canvas.y - line
        patches = noise.plane(canvas, 52, 1.8, cells=200, finest=9, stretch=2.2)
        blades = noise.plane(canvas, 41, 1.0, cells=330, finest=4, stretch=0.5)
        fall = slope(canvas, line).clamp(-0.5, 0.5)
        shade = 1.10 - 0.55 * below.clamp(0, 0.4) - 0.22 * fall * torch.exp(-below.clamp(min=0) / 0.09)
        shade = shade + 0.075 * patches + (0.015 + 0.025 * i) * blades
        color = far_color(canvas, green * facts["light"], i / 2) * (1 - 0.05 * i)
        canvas.blend(below * canvas.size + 0.5, (color * shade.clamp(0.5, 1.4)[:, None]).clamp(0, 1))
    canvas.select(lambda s: s.ground == "meadow" and bool(s.flowers), _blossoms)


def _blossoms(canvas: Canvas) -> None:
    """Flowers strewn over the meadow, larger towards the viewer."""
    facts = canvas.facts
    color = canvas.colors(lambda s: palette.THING[s.flowers]) * facts["thing_light"]
    heart = canvas.colors(lambda s: (0.98, 0.80, 0.20) if s.flowers != "yellow" else (0.80, 0.45, 0.08))
    heart = heart * facts["thing_light"]
    top = facts["horizon"] + 0.03
    for grid in range(2):
        first_row, first_column = canvas.uniform(0, 50), canvas.uniform(0, 50)
        near = (canvas.y - top).clamp(min=1e-3) + 0.10
        which_row = torch.floor(8.5 * torch.log(near) + first_row)
        # All of a row is equally near, so that its flowers are round.
        near = torch.exp((which_row + 0.5 - first_row) / 8.5)
        across = (canvas.x - 0.5) * (2.5 / near) + 0.5 * which_row + first_column
        which = torch.floor(across)
        seed_x, seed_y = chances(canvas, which, which_row + 300 * grid), chances(canvas, which_row, which + 300 * grid)
        shift = (7.0 * seed_x + 5.0 * seed_y) % 1.0
        dx = (across - which - 0.2 - 0.6 * seed_x) * near / 2.5
        dy = canvas.y - top + 0.10 - torch.exp((which_row + 0.40 + 0.20 * shift - first_row) / 8.5)
        radius = near * (0.038 + 0.020 * seed_x)
        d = torch.hypot(dx, dy * 1.25)
        # In groups: some patches of the meadow have many, some few.
        patch = chances(canvas, torch.floor(which / 3), torch.floor(which_row / 2))
        shown = (seed_y < 0.40 + 0.45 * patch) * (canvas.y > top + 0.01)
        tone = (0.86 + 0.26 * seed_x + 0.10 * (dy / radius).clamp(-1, 0))[:, None]
        canvas.blend(((radius - d) * canvas.size + 0.5).clamp(0, 1) * shown, (color * tone).clamp(0, 1))
        canvas.blend(((0.34 * radius - d) * canvas.size + 0.5).clamp(0, 1) * shown * (radius > 0.010), heart)


def _wheat(canvas: Canvas) -> None:
    """A golden field whose rows run to a point on the horizon."""
    facts = canvas.facts
    horizon, light, side = facts["horizon"], facts["light"], facts["light_side"]
    gold = blended(canvas, _WHEAT)
    green = canvas.colors(lambda s: (0.30, 0.42, 0.18)) * light
    trees = (0.014 + 0.012 * noise.line(canvas, 1.2, first=2, waves=40)).clamp(min=0.004)
    canvas.blend((canvas.y - horizon + trees) * canvas.size + 0.5, far_color(canvas, green, 0.25))
    line = horizon + 0.008 * noise.line(canvas, 2.2, waves=8)
    below = canvas.y - line
    down = below.clamp(min=0)
    vanish = canvas.uniform(0.2, 0.8)
    sway = noise.plane(canvas, 52, 1.9, cells=200, finest=9, stretch=1.6)
    rows = (canvas.x - vanish) / (down + 0.035) * 1.55 + 0.10 * sway
    lane = torch.cos(2 * np.pi * rows)
    lanes = torch.exp(-(((1 + lane) / 0.55) ** 2)) * smoothstep(0.015, 0.16, below)
    ears = noise.plane(canvas, 42, 1.0, cells=380, finest=3.5, stretch=0.35)
    lit = -torch.sin(2 * np.pi * rows) * side
    shade = 1.10 - 0.30 * down + 0.085 * sway + 0.075 * lit * smoothstep(0.02, 0.2, below)
    shade = shade + 0.075 * ears * smoothstep(0.02, 0.2, below)
    color = torch.lerp(gold * light, sky_color(canvas, 3), 0.30 * torch.exp(-down / 0.05)[:, None])
    color = color * shade.clamp(0.5, 1.4)[:, None]
    color = torch.lerp(color, gold * light * canvas.colors(lambda s: (0.58, 0.47, 0.34)), 0.85 * lanes[:, None])
    canvas.blend(below * canvas.size + 0.5, color.clamp(0, 1))


def _snow(canvas: Canvas) -> None:
    facts = canvas.facts
    light = facts["light"]
    blueness = canvas.each(lambda s: 0.40 if s.time == "sunset" else 0.5)[:, None]
    cool = torch.lerp(light, light.amax(1, keepdim=True) * canvas.colors(lambda s: (0.88, 0.92, 1.0)), blueness)
    white = canvas.colors(lambda s: _SNOW) * (cool * 1.12 + 0.06).clamp(max=1)
    blue = canvas.colors(lambda s: (0.62, 0.58, 0.98) if s.time == "sunset" else (0.66, 0.78, 0.98))
    layers = 4
    for i in range(layers):
        line = _rolling(canvas, i, layers, 0.042, 2.3)
        below = canvas.y - line
        drifts = noise.plane(canvas, 52, 1.9, cells=190, finest=10, stretch=2.4)
        fall = slope(canvas, line).clamp(-0.7, 0.7)
        # Bright along each crest, blue in the hollow behind the next.
        hollow = smoothstep(0.0, 0.20, below) * 0.50 + 0.75 * fall.clamp(min=0) * torch.exp(-below.clamp(min=0) / 0.09)
        hollow = (hollow + 0.13 * drifts).clamp(0, 0.85)
        color = far_color(canvas, white, i / (layers - 1))
        color = torch.lerp(color, color * blue, hollow[:, None])
        canvas.blend(below * canvas.size + 0.5, color)


def _sheen(canvas: Canvas) -> None:
    """The ground below a low sun."""
    facts = canvas.facts
    down = canvas.y - facts["horizon"]
    wide = torch.exp(-(((canvas.x - facts["orb_x"]) / 0.3) ** 2))
    canvas.glow(0.28 * wide * torch.exp(-down.clamp(min=0) / 0.12) * (down > 0), facts["orb_color"])

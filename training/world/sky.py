"""The sky: its gradient, sun and moons, stars, northern lights, rainbow and far birds."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from training.world import noise
from training.world.canvas import Canvas
from training.world.clouds import paint_clouds
from training.world.light import MOST_ORBS, sky_color
from training.world.noise import smoothstep

_STAR_FIELDS = 8
# From inside the bow to outside.
_RAINBOW = np.array(
    [
        (0.50, 0.22, 0.80),
        (0.15, 0.35, 0.95),
        (0.10, 0.75, 0.45),
        (0.98, 0.92, 0.20),
        (1.0, 0.55, 0.10),
        (0.95, 0.15, 0.15),
    ],
    np.float32,
)


def paint_sky(canvas: Canvas) -> None:
    """Fills the whole picture with sky; the ground later covers its lower part."""
    _gradient(canvas)
    canvas.select(lambda s: s.sky in ("stars", "aurora"), paint_stars)
    canvas.select(lambda s: s.sky == "aurora", _aurora)
    canvas.select(lambda s: s.orb == "sun", _sun)
    canvas.select(lambda s: s.orb in ("moon", "crescent"), paint_moons)
    canvas.select(lambda s: s.weather not in ("", "clear"), paint_clouds)
    canvas.select(lambda s: s.sky == "rainbow", _rainbow)
    canvas.select(lambda s: s.flock, _flock)


def _gradient(canvas: Canvas) -> None:
    t = (canvas.y / canvas.facts["horizon"]).clamp(0, 1)[:, None]  # [n, 1, size, 1]
    color = sky_color(canvas, 0)
    for stop, (low, high) in enumerate(((0.0, 0.42), (0.42, 0.80), (0.80, 1.0)), start=1):
        color = torch.lerp(color, sky_color(canvas, stop), ((t - low) / (high - low)).clamp(0, 1))
    canvas.pixels = color.expand_as(canvas.pixels).contiguous()


def _spot(field: np.ndarray, x: float, y: float, radius: float, power: float) -> None:
    """Lightens a round soft spot; place and radius in parts of the field."""
    size = field.shape[0]
    reach = int(2.5 * radius * size) + 2
    x0, y0 = max(int(x * size) - reach, 0), max(int(y * size) - reach, 0)
    part = field[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1]
    rows = (np.arange(part.shape[0]) + y0 + 0.5)[:, None] - y * size
    columns = (np.arange(part.shape[1]) + x0 + 0.5)[None, :] - x * size
    d = np.hypot(rows, columns)
    spot = np.clip(radius * size - d + 0.5, 0, 1) + 0.35 * np.exp(-((d / (1.6 * radius * size)) ** 2))
    np.maximum(part, power * np.clip(spot, 0, 1), out=part)


@cache
def _star_fields(size: int, device: torch.device) -> Tensor:
    """Brightness of stars [_STAR_FIELDS, size, size]: a few great ones among many small."""
    fields = np.zeros((_STAR_FIELDS, size, size), np.float32)
    for which, field in enumerate(fields):
        rng = np.random.default_rng(900 + which)
        for i in range(130):
            great = i < 16
            radius = rng.uniform(0.0042, 0.0062) if great else rng.uniform(0.0018, 0.0032)
            _spot(field, *rng.uniform(0.01, 0.99, 2), radius, 1.0 if great else rng.uniform(0.45, 0.95))
    return torch.from_numpy(fields).to(device)


def paint_stars(canvas: Canvas) -> None:
    """Stars, fading towards the horizon, and over some skies a milky way."""
    which = torch.tensor([int(rng.integers(2 * _STAR_FIELDS)) for rng in canvas.rngs], device=canvas.device)
    fields = _star_fields(canvas.size, canvas.device)
    fields = torch.cat([fields, fields.flip(2)])[which]
    fade = (1.4 - 1.1 * canvas.y / canvas.facts["horizon"]).clamp(0, 1)
    tilt, shift = canvas.uniform(-0.9, 0.9), canvas.uniform(0.1, 0.4)
    milky = canvas.column([float(s.outside and rng.random() < 0.5) for s, rng in zip(canvas.scenes, canvas.rngs)])
    haze = noise.plane(canvas, 11, 1.8, cells=200, finest=8)
    band = torch.exp(-(((canvas.y - shift - tilt * (canvas.x - 0.5)) / 0.12) ** 2))
    canvas.glow(0.17 * milky * band * (1 + 0.55 * haze).clamp(0, 2) * fade, canvas.colors(lambda s: (0.66, 0.68, 1.0)))
    canvas.glow(fields * fade, canvas.colors(lambda s: (1.0, 1.0, 0.95)))


def _aurora(canvas: Canvas) -> None:
    horizon = canvas.facts["horizon"]
    low = canvas.colors(lambda s: (0.16, 0.95, 0.55))
    high = canvas.colors(lambda s: (0.50, 0.24, 0.95))
    for curtain in range(3):
        foot = horizon * (0.42 + 0.17 * curtain) + 0.05 * noise.line(canvas, 1.9, first=1, waves=12)
        rays = (0.62 + 0.30 * noise.line(canvas, 0.7, first=4, waves=40)).clamp(0.12, 1.3)
        folds = (0.75 + 0.5 * noise.line(canvas, 1.0, first=1, waves=6)).clamp(0.15, 1.2)
        reach = canvas.uniform(0.10, 0.17) * (0.7 + 0.5 * rays)
        up = foot - canvas.y
        light = torch.exp(-up.clamp(min=0) / reach) * smoothstep(-0.030, 0.012, up)
        color = torch.lerp(low, high, smoothstep(0.03, 0.26, up)[:, None])
        canvas.glow((0.85 - 0.15 * curtain) * light * rays * folds, color)


def _sun(canvas: Canvas) -> None:
    facts = canvas.facts
    d = torch.hypot(canvas.x - facts["orb_x"], canvas.y - facts["orb_y"])
    r = facts["orb_radius"]
    low = canvas.each(lambda s: s.time in ("dawn", "sunset"))
    soften = canvas.each(lambda s: 0.5 if s.weather in ("fog", "cloudy") else 1.0)
    pale = canvas.each(lambda s: 0.10 if s.orb_color else 0.3)[:, None]
    halo = torch.lerp(facts["orb_color"], canvas.colors(lambda s: (1.0, 0.95, 0.85)), pale)
    wide = (0.34 + 0.14 * low) * torch.exp(-d / (0.15 + 0.06 * low))
    near = 0.5 * torch.exp(-(d - r).clamp(min=0) / 0.03)
    canvas.glow((wide + near) * soften, halo)
    white = canvas.each(lambda s: 0.06 if s.orb_color else 0.45)[:, None]
    core = torch.lerp(facts["orb_color"], canvas.colors(lambda s: (1.0, 1.0, 0.94)), white)
    canvas.blend(((r - d) * canvas.size / 1.5 + 0.5), core)


def paint_moons(canvas: Canvas) -> None:
    """One to three moons where `orbs` has them, the first with a halo."""
    spots = noise.plane(canvas, 12, 1.7, cells=300, finest=9)
    for i in range(MOST_ORBS):
        canvas.facts["spots"] = spots
        canvas.select(lambda s: s.orbs > i, lambda part: _moon(part, i))
    del canvas.facts["spots"]


def _moon(canvas: Canvas, which: int) -> None:
    place = canvas.facts["orbs"][:, which, :, None, None]
    x, y, r = place[:, 0], place[:, 1], place[:, 2]
    color = canvas.facts["orb_color"]
    across, down = canvas.x - x, canvas.y - y
    d = torch.hypot(across, down)
    halo = canvas.each(lambda s: 0.12 if s.ground == "space" else 1.0 if which == 0 else 0.5)
    crescent = canvas.each(lambda s: s.orb == "crescent")
    near = (0.30 - 0.22 * crescent) * torch.exp(-(d - r).clamp(min=0) / 0.028)
    canvas.glow(halo * (0.30 * torch.exp(-d / 0.15) + near), color)
    disc = ((r - d) * canvas.size + 0.5).clamp(0, 1)
    side = canvas.column([1.0 if rng.random() < 0.5 else -1.0 for rng in canvas.rngs])
    bite = torch.hypot(across - side * 0.64 * r, down + 0.24 * r)
    disc = disc * torch.lerp(torch.ones_like(bite), ((bite - 0.93 * r) * canvas.size + 0.5).clamp(0, 1), crescent)
    face = 1.0 - 0.17 * smoothstep(0.0, 0.9, canvas.facts["spots"]) - 0.10 * (d / r).clamp(0, 1) ** 3
    canvas.blend(disc, color * face[:, None])


def _rainbow(canvas: Canvas) -> None:
    horizon = canvas.facts["horizon"]
    x, y = canvas.uniform(0.2, 0.8), horizon + canvas.uniform(0.02, 0.16)
    radius, width = canvas.uniform(0.44, 0.58), 0.085
    t = (torch.hypot(canvas.x - x, canvas.y - y) - radius) / width
    stops = torch.from_numpy(_RAINBOW).to(canvas.device)
    place = (t * (len(stops) - 1)).clamp(0, len(stops) - 1)
    color = torch.zeros_like(canvas.pixels)
    for i in range(len(stops)):
        color = color + (1 - (place - i).abs()).clamp(min=0)[:, None] * stops[i, None, :, None, None]
    edge = smoothstep(-0.12, 0.12, t) * smoothstep(1.12, 0.88, t)
    canvas.blend(0.72 * edge, color)


def _flock(canvas: Canvas) -> None:
    middle_x, middle_y = canvas.uniform(0.2, 0.8), canvas.facts["horizon"] * canvas.uniform(0.25, 0.6)
    alpha = torch.zeros(len(canvas), canvas.size, canvas.size, device=canvas.device)
    for _ in range(8):
        x, y = middle_x + canvas.uniform(-0.16, 0.16), middle_y + canvas.uniform(-0.08, 0.08)
        wing = canvas.uniform(0.020, 0.034)
        s = (canvas.x - x).abs() / wing
        lift = wing * (0.75 * s - 0.62 * s**2)  # up from the body, then bent down again
        thick = 0.16 * wing * (1.15 - s).clamp(min=0) + 0.0006
        bird = (thick - (canvas.y - y + lift).abs()) * canvas.size + 0.5
        alpha = torch.maximum(alpha, bird.clamp(0, 1) * (s < 1.1))
    canvas.blend(0.85 * alpha, 0.22 * canvas.facts["light"])

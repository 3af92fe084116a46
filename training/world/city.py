"""A city: rows of houses and towers whose windows are lit at night."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.world import noise, palette
from training.world.canvas import Canvas
from training.world.ground import chances
from training.world.light import sky_color
from training.world.noise import smoothstep
from training.world.water import mirrored

_LIT = {"dawn": 0.14, "day": 0.0, "sunset": 0.34, "night": 0.58}  # how many windows have a lamp behind
_MOST = 24  # buildings in a row
# From far to near: buildings across, lowest and tallest roof above the bank, window pitch, distance.
_ROWS = ((15, 0.22, 0.44, 0.0, 0.62), (10, 0.13, 0.38, 0.027, 0.28), (8, 0.06, 0.22, 0.033, 0.04))
_STONE = np.array(
    [
        (0.52, 0.50, 0.56),
        (0.62, 0.52, 0.48),
        (0.46, 0.54, 0.64),
        (0.70, 0.62, 0.54),
        (0.56, 0.44, 0.44),
        (0.42, 0.46, 0.54),
    ],
    np.float32,
)


def paint_city(canvas: Canvas) -> None:
    """Covers the lower part of the city scenes with buildings along a river."""
    canvas.select(lambda s: s.ground == "city", _city)


def _buildings(canvas: Canvas, count: int, low: float, tall: float) -> np.ndarray:
    """Left edge, width, height, roof (0 flat, 1 gabled, 2 stepped, 3 spire), tint of each: [n, _MOST, 5]."""
    rows = np.full((len(canvas), _MOST, 5), 2.0, np.float32)
    for row, rng in zip(rows, canvas.rngs):
        edges = (np.arange(_MOST + 1) + rng.uniform(-0.32, 0.32, _MOST + 1) - 0.5) / count
        row[:, 0], row[:, 1] = edges[:-1], np.diff(edges)
        row[:, 2] = low + (tall - low) * rng.uniform(0, 1, _MOST) ** 1.6
        row[:, 3] = rng.choice(4, _MOST, p=(0.52, 0.16, 0.20, 0.12))
        row[:, 4] = rng.uniform(0, 1, _MOST)
    return rows


def _row(canvas: Canvas, base: Tensor, count: int, low: float, tall: float, pitch: float, far: float) -> None:
    facts = canvas.facts
    rows = torch.from_numpy(_buildings(canvas, count, low, tall)).to(canvas.device)
    which = (canvas.x >= rows[:, :, 0, None]).sum(1, keepdim=True) - 1  # [n, 1, size]
    which = which.clamp(min=0)
    left, wide, high, roof, tint = (rows[:, :, k].gather(1, which[:, 0])[:, None] for k in range(5))
    across = (canvas.x - left) / wide  # 0..1 within a building
    off = (across - 0.5).abs() * 2
    gable = 0.28 * wide * (1 - off)
    steps = 0.22 * wide * ((off < 0.66).float() + (off < 0.34))
    spire = steps * 0.8 + 0.5 * wide * (1 - off / 0.16).clamp(min=0)
    crown = torch.where(roof == 1, gable, 0.0) + torch.where(roof == 2, steps, 0.0) + torch.where(roof == 3, spire, 0.0)
    top = high + crown
    under = canvas.y - (base - top)
    stone = torch.from_numpy(_STONE).to(canvas.device)
    pick = (tint * len(_STONE)).long().clamp(max=len(_STONE) - 1)
    color = stone[pick[:, 0]].permute(0, 2, 1)[:, :, None, :]
    # One flank of every building is in shade.
    flank = ((across - 0.5) * facts["light_side"] > -0.16).float()
    shade = (0.80 + 0.20 * flank) * (0.90 + 0.22 * (tint * 7 % 1))
    color = color * facts["light"] * shade[:, None]
    haze = torch.lerp(sky_color(canvas, 2), sky_color(canvas, 3), 0.7)
    mist = (far + 0.30 * smoothstep(0.0, 0.4, under) * (0.3 + far)).clamp(0, 0.9)
    color = torch.lerp(color, haze, (mist * canvas.each(lambda s: 0.75 if s.time == "night" else 1.0))[:, None])
    if pitch:
        color = _windows(canvas, color, under - crown, across, wide, which, pitch, base)
    canvas.blend(under * canvas.size + 0.5, color.clamp(0, 1))


def _windows(
    canvas: Canvas, wall: Tensor, under: Tensor, across: Tensor, wide: Tensor, which: Tensor, pitch: float, base: Tensor
) -> Tensor:
    """The walls with rows of windows, some with a lamp behind."""
    columns = torch.floor(wide * 0.86 / pitch).clamp(min=1)
    u = ((across - 0.07) / 0.86).clamp(0, 0.999) * columns
    v = under / (pitch * 1.25)
    column, floor = torch.floor(u), torch.floor(v)
    inside_x = ((0.29 - (u - column - 0.5).abs()) * (wide * 0.86 / columns) * canvas.size + 0.5).clamp(0, 1)
    inside_y = ((0.29 - (v - floor - 0.5).abs()) * pitch * 1.25 * canvas.size + 0.5).clamp(0, 1)
    fits = (across > 0.07) & (across < 0.93) & (floor >= 0) & (canvas.y < base - 0.006)
    window = inside_x * inside_y * fits
    lit_share = canvas.each(lambda s: 0.30 if s.time == "day" and s.weather in ("storm", "fog") else _LIT[s.time])
    chance = chances(canvas, column + 1, floor + 40, which + int(pitch * 1000))
    lit = (chance < lit_share).float()
    glass = torch.lerp(wall * 0.62, sky_color(canvas, 1), 0.35)
    lamp = canvas.colors(lambda s: palette.LAMP) * (0.86 + 0.28 * chance / lit_share.clamp(min=0.1))[:, None]
    return torch.lerp(wall, torch.lerp(glass, lamp, lit[:, None]), (window * (0.55 + 0.42 * lit))[:, None])


def _city(canvas: Canvas) -> None:
    facts = canvas.facts
    base = facts["horizon"] + canvas.uniform(0.05, 0.09)
    glow = canvas.each(lambda s: {"night": 0.40, "sunset": 0.12}.get(s.time, 0.0))
    rise = torch.exp(-((base - 0.2 - canvas.y).abs() / 0.16))
    canvas.glow((glow * rise).expand(-1, -1, canvas.size), canvas.colors(lambda s: (0.95, 0.55, 0.40)))
    for count, low, tall, pitch, far in _ROWS:
        _row(canvas, base, count, low, tall, pitch, far)
    _river(canvas, base)


def _river(canvas: Canvas, base: Tensor) -> None:
    """The river in front with the city upside down, and the wall along its bank."""
    down = canvas.y - base
    ripple = noise.plane(canvas, 35, 1.4, cells=420, finest=6, stretch=5.0)
    image = mirrored(canvas, base, 1.15, 0.010 * ripple * (0.4 + 4 * down.clamp(min=0)))
    deep = canvas.colors(lambda s: palette.SEA[s.time])
    fade = (0.62 - 0.9 * down.clamp(0, 0.3))[:, None]
    water = torch.lerp(deep, image, fade) * (1 + 0.07 * ripple)[:, None]
    canvas.blend(down * canvas.size + 0.5, water.clamp(0, 1))
    wall = canvas.colors(lambda s: (0.30, 0.28, 0.30)) * canvas.facts["light"]
    canvas.blend(((0.009 - (down + 0.004).abs()) * canvas.size + 0.5).expand(-1, -1, canvas.size), wall)

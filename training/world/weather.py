"""What hangs in the air: haze, fog, rain and falling snow."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from training.world import noise
from training.world.canvas import Canvas
from training.world.light import overcast, sky_color

_FIELDS = 4
_HAZE = {"rain": 0.42, "snowfall": 0.42, "cloudy": 0.2, "storm": 0.25}


def paint_far_air(canvas: Canvas) -> None:
    """Veils the backdrop before any thing stands in front of it."""
    canvas.select(lambda s: s.outside and s.weather != "fog", _haze)
    canvas.select(lambda s: s.weather == "fog", _far_fog)


def paint_near_air(canvas: Canvas) -> None:
    """What falls or hangs in front of everything."""
    canvas.select(lambda s: s.weather == "fog", _near_fog)
    canvas.select(lambda s: s.weather in ("rain", "storm"), _rain)
    canvas.select(lambda s: s.weather == "snowfall", _snowfall)


def _haze(canvas: Canvas) -> None:
    away = (canvas.y - canvas.facts["horizon"]).abs()
    dawn = canvas.each(lambda s: s.time == "dawn")
    # Mornings are misty above the ground.
    thick = canvas.each(lambda s: _HAZE.get(s.weather, 0.12)) + 0.30 * dawn
    canvas.blend((thick * torch.exp(-away / (0.035 + 0.035 * dawn))).expand(-1, -1, canvas.size), sky_color(canvas, 3))


def _fog_color(canvas: Canvas) -> Tensor:
    return torch.lerp(sky_color(canvas, 3), overcast(canvas) * 1.15, 0.5).clamp(max=1)


def _far_fog(canvas: Canvas) -> None:
    down = canvas.y - canvas.facts["horizon"]
    drift = noise.plane(canvas, 71, 2.0, cells=256, finest=10, stretch=1.8)
    above = 0.25 + 0.62 * torch.exp(down.clamp(max=0) / 0.22)
    below = 0.22 + 0.65 * torch.exp(-down.clamp(min=0) / 0.17)
    canvas.blend((torch.where(down < 0, above, below) + 0.09 * drift).clamp(0, 0.94), _fog_color(canvas))


def _near_fog(canvas: Canvas) -> None:
    away = (canvas.y - canvas.facts["horizon"] - 0.03).abs()
    drift = noise.plane(canvas, 72, 2.1, cells=220, finest=12, stretch=2.4)
    canvas.blend((0.26 + 0.12 * drift).clamp(0, 0.5) * torch.exp(-away / 0.14), _fog_color(canvas))


def _chosen(canvas: Canvas, fields: Tensor) -> Tensor:
    """One of the fields for each scene, or its mirror image."""
    which = torch.tensor([int(rng.integers(2 * _FIELDS)) for rng in canvas.rngs], device=canvas.device)
    return torch.cat([fields, fields.flip(2)])[which]


@cache
def _rain_fields(size: int, device: torch.device) -> Tensor:
    """Slanting streaks [_FIELDS, size, size]."""
    fields = np.zeros((_FIELDS, size, size), np.float32)
    for which, field in enumerate(fields):
        rng = np.random.default_rng(700 + which)
        slant = 0.16 + 0.07 * which
        for _ in range(240):
            y, x, long = rng.uniform(-0.1, 1), rng.uniform(-0.1, 1), rng.uniform(0.06, 0.11)
            power, half = rng.uniform(0.45, 1), rng.uniform(0.0013, 0.0026)
            rows = np.arange(max(int(y * size), 0), min(int((y + long) * size), size - 1))
            if not rows.size:
                continue
            along = ((rows + 0.5) / size - y) / long
            middle = x + slant * along * long
            left = max(int((middle.min() - half) * size) - 1, 0)
            columns = np.arange(left, max(min(int((middle.max() + half) * size) + 2, size), left))
            d = np.abs((columns + 0.5)[None, :] / size - middle[:, None])
            streak = np.clip((half - d) * size + 0.5, 0, 1) * (np.sin(np.pi * along) * power)[:, None]
            part = field[rows[0] : rows[-1] + 1, left : left + columns.size]
            np.maximum(part, streak, out=part)
    return torch.from_numpy(fields).to(device)


@cache
def _flake_fields(size: int, device: torch.device) -> Tensor:
    """Round flakes [_FIELDS, size, size], near ones large and soft."""
    fields = np.zeros((_FIELDS, size, size), np.float32)
    for which, field in enumerate(fields):
        rng = np.random.default_rng(800 + which)
        for _ in range(210):
            y, x, near = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0, 1) ** 2.2
            radius, blur = 0.0042 + 0.0085 * near, 1.2 + 3.0 * near
            reach = int(1.6 * radius * size) + 4
            y0, x0 = max(int(y * size) - reach, 0), max(int(x * size) - reach, 0)
            part = field[y0 : y0 + 2 * reach, x0 : x0 + 2 * reach]
            rows = (np.arange(part.shape[0]) + y0 + 0.5)[:, None] / size - y
            columns = (np.arange(part.shape[1]) + x0 + 0.5)[None, :] / size - x
            flake = np.clip((radius - np.hypot(rows, columns)) * 256 / blur + 0.5, 0, 1)
            np.maximum(part, flake * rng.uniform(0.75, 1), out=part)
    return torch.from_numpy(fields).to(device)


def _rain(canvas: Canvas) -> None:
    streaks = _chosen(canvas, _rain_fields(canvas.size, canvas.device))
    canvas.blend(0.46 * streaks, (sky_color(canvas, 2) + 0.36).clamp(max=1))


def _snowfall(canvas: Canvas) -> None:
    flakes = _chosen(canvas, _flake_fields(canvas.size, canvas.device))
    canvas.blend(0.92 * flakes, (canvas.facts["light"] + 0.45).clamp(max=1))

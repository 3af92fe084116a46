"""What hangs in the air: fog, rain and falling snow."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from training.renderer import noise, palette
from training.renderer.frame import COLUMN, ROW, SIZE, Frame

_ALL = slice(0, SIZE)


@lru_cache(maxsize=None)
def _rain(which: int) -> np.ndarray:
    rng = np.random.default_rng(700 + which)
    drops = np.where(rng.random((SIZE, SIZE)) < 0.0035, rng.uniform(0.4, 1, (SIZE, SIZE)), 0)
    slant = 0.12 + 0.05 * which
    total = np.zeros((SIZE, SIZE))
    for k in range(16):
        total += np.roll(drops, (k, int(k * slant)), (0, 1)) * (1 - abs(k - 8) / 9)
    return np.clip(total, 0, 1).astype(np.float32)


@lru_cache(maxsize=None)
def _flakes(which: int) -> np.ndarray:
    rng = np.random.default_rng(800 + which)
    field = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(260):
        y, x, r = rng.uniform(0, SIZE), rng.uniform(0, SIZE), rng.uniform(0.7, 2.3)
        y0, x0 = max(int(y) - 4, 0), max(int(x) - 4, 0)
        yy = np.arange(y0, min(y0 + 9, SIZE))[:, None]
        xx = np.arange(x0, min(x0 + 9, SIZE))[None, :]
        flake = np.clip(r - np.hypot(yy - y, xx - x) + 0.5, 0, 1) * rng.uniform(0.6, 1)
        part = field[y0 : y0 + 9, x0 : x0 + 9]
        np.maximum(part, flake, out=part)
    return field


def _fog_color(frame: Frame) -> np.ndarray:
    return palette.mix(frame.sky[3], palette.OVERCAST[frame.scene.time] * 1.15, 0.5)


def paint_far_air(frame: Frame) -> None:
    """Veils the backdrop before any thing stands in front of it."""
    y = ROW - frame.horizon
    if frame.scene.weather == "fog":
        drift = noise.patch(frame.rng, noise.bank(71, 2.0, 10), SIZE, SIZE)
        alpha = np.where(y < 0, 0.28 + 0.58 * np.exp(y / 0.22), 0.20 + 0.66 * np.exp(-y / 0.16))
        frame.blend(_ALL, np.clip(alpha + 0.07 * drift, 0, 0.94), _fog_color(frame))
        return
    thick = {"rain": 0.42, "snowfall": 0.4, "cloudy": 0.2}.get(frame.scene.weather, 0.13)
    alpha = thick * np.exp(-np.abs(y) / 0.035) + 0 * COLUMN
    frame.blend(_ALL, alpha, frame.sky[3])


def paint_near_air(frame: Frame) -> None:
    """What falls or hangs in front of everything."""
    weather = frame.scene.weather
    if weather == "fog":
        y = np.abs(ROW - frame.horizon - 0.03)
        frame.blend(_ALL, 0.30 * np.exp(-y / 0.12) + 0 * COLUMN, _fog_color(frame))
    elif weather == "rain":
        streaks = _rain(int(frame.rng.integers(6)))
        frame.blend(_ALL, 0.34 * streaks, np.minimum(frame.sky[2] + 0.35, 1))
    elif weather == "snowfall":
        frame.blend(_ALL, 0.9 * _flakes(int(frame.rng.integers(6))), np.minimum(frame.light + 0.45, 1))

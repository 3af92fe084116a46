"""Mountains: layers of ridges, paler with distance, bare or with snow."""

from __future__ import annotations

import numpy as np

from training.renderer import noise, palette
from training.renderer.frame import COLUMN, ROW, SIZE, Frame

_ROCK = {
    "desert": palette.rgb(.62, .38, .27),
    "snow": palette.rgb(.36, .40, .48),
    "meadow": palette.rgb(.27, .37, .34),
    "forest": palette.rgb(.24, .34, .33),
}
_ROCK_ELSEWHERE = palette.rgb(.31, .33, .40)


def _ridge(frame: Frame, height: float, roughness: float) -> np.ndarray:
    line = noise.curve(frame.rng, SIZE, roughness, first=2)
    line = np.clip(line, -1.6, 1.9)
    line = np.sign(line) * np.abs(line) ** 1.15
    return frame.horizon - height * (1.0 + 0.36 * line)


def _snow_light(frame: Frame) -> np.ndarray:
    """Light as distant snow shows it: a little bluer than on rock."""
    return palette.mix(frame.light, frame.light.max() * palette.rgb(.92, .92, 1.), 0.4) * 1.1 + 0.06


def paint_mountains(frame: Frame) -> None:
    """Two or three ridges behind the ground."""
    layers = int(frame.rng.integers(2, 4))
    rock = _ROCK.get(frame.scene.ground, _ROCK_ELSEWHERE)
    top = frame.rng.uniform(0.15, 0.23)
    haze = frame.sky[3] * 0.55 + frame.sky[2] * 0.45
    field = noise.bank(21, 1.35, 3)
    for layer in range(layers):
        near = (layer + 1) / layers
        ridge = _ridge(frame, top * (1.12 - 0.62 * near), 1.75 - 0.15 * near)
        first = max(int(ridge.min() * SIZE) - 1, 0)
        rows = slice(first, min(int(frame.horizon * SIZE) + 2, SIZE))
        below = ROW[rows] - ridge
        alpha = np.clip(below * SIZE + 0.5, 0, 1)
        drift = int(frame.rng.integers(noise.BANK))
        u = COLUMN * 340 + drift
        v = below * 520 + drift
        relief = noise.lookup(field, v, u + 0.35 * v) - noise.lookup(field, v, u + 0.35 * v + 5 * frame.light_side)
        slope = -np.gradient(ridge) * SIZE * frame.light_side
        shade = np.clip(0.82 + 0.42 * relief + 0.16 * np.clip(slope, -1.5, 1.5), 0.35, 1.45)
        color = (rock * frame.light)[None, None] * shade[..., None]
        if frame.scene.mountains == "snowy":
            line = frame.horizon - top * (0.52 - 0.1 * near)
            edge = line - ROW[rows] + 0.022 * noise.lookup(field, v * 0.7, u * 1.4) + 0.25 * (ridge - line)
            snow = noise.smoothstep(-0.014, 0.014, edge)[..., None]
            white = palette.rgb(.97, .98, 1.) * np.minimum(_snow_light(frame), 1)
            color = palette.mix(color, white * np.clip(0.45 + 0.52 * shade, 0, 1.03)[..., None], snow)
        aerial = 0.72 - 0.42 * near + 0.22 * np.clip(below / 0.2, 0, 1)
        frame.blend(rows, alpha, palette.mix(color, haze, np.clip(aerial, 0, 0.92)[..., None]))

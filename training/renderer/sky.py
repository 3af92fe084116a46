"""The sky: gradient, stars, sun or moon, clouds."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from training.renderer import noise, palette
from training.renderer.frame import COLUMN, ROW, SIZE, Frame

_ALL = slice(0, SIZE)


@lru_cache(maxsize=None)
def _star_field(which: int) -> np.ndarray:
    rng = np.random.default_rng(900 + which)
    field = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(170):
        y, x = rng.integers(2, SIZE - 2, 2)
        power = 0.35 + 0.65 * rng.random() ** 3
        field[y, x] = max(field[y, x], power)
        if power > 0.6:
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                field[y + dy, x + dx] = max(field[y + dy, x + dx], 0.55 * power)
        else:
            field[y, x + 1] = max(field[y, x + 1], 0.6 * power)
    return field


def _stars(frame: Frame) -> None:
    field = _star_field(int(frame.rng.integers(8)))
    fade = np.clip(1.25 - ROW / frame.horizon, 0, 1)
    frame.glow(_ALL, field * fade, palette.rgb(1, 1, 0.96))
    if frame.rng.random() < 0.5:
        haze = noise.patch(frame.rng, noise.bank(11, 1.8, 6), SIZE, SIZE)
        tilt, shift = frame.rng.uniform(-0.8, 0.8), frame.rng.uniform(0.15, 0.4)
        band = np.exp(-(((ROW - shift - tilt * (COLUMN - 0.5)) / 0.13) ** 2))
        frame.glow(_ALL, 0.16 * band * np.clip(1 + 0.6 * haze, 0, 2) * fade, palette.rgb(.7, .72, 1.))


def _distance(frame: Frame) -> np.ndarray:
    return np.hypot(COLUMN - frame.orb_x, ROW - frame.orb_y)


def _sun(frame: Frame) -> None:
    d = _distance(frame)
    r = frame.orb_radius
    low = frame.scene.time in ("dawn", "sunset")
    halo = palette.mix(frame.orb_color, palette.rgb(1, 0.95, 0.85), 0.15 if frame.scene.orb_color else 0.3)
    wide = (0.42 if low else 0.3) * np.exp(-d / (0.20 if low else 0.15))
    near = 0.5 * np.exp(-np.maximum(d - r, 0) / 0.03)
    soften = 0.45 if frame.scene.weather in ("fog", "cloudy") else 1.0
    frame.glow(_ALL, (wide + near) * soften, halo)
    disc = np.clip((r - d) * SIZE / 1.6 + 0.5, 0, 1)
    core = palette.mix(frame.orb_color, palette.rgb(1, 1, 0.95), 0.1 if frame.scene.orb_color else 0.45)
    frame.blend(_ALL, disc, core)


def _moon(frame: Frame) -> None:
    d = _distance(frame)
    r = frame.orb_radius
    frame.glow(_ALL, 0.3 * np.exp(-d / 0.16) + 0.28 * np.exp(-np.maximum(d - r, 0) / 0.03), frame.orb_color)
    disc = np.clip((r - d) * SIZE + 0.5, 0, 1)
    if frame.scene.orb == "crescent":
        side = 1.0 if frame.rng.random() < 0.5 else -1.0
        bite = np.hypot(COLUMN - frame.orb_x - side * 0.62 * r, ROW - frame.orb_y + 0.25 * r)
        disc = disc * np.clip((bite - 0.92 * r) * SIZE + 0.5, 0, 1)
    seas = noise.patch(frame.rng, noise.bank(12, 1.6, 8), SIZE, SIZE)
    face = 1.0 - 0.13 * noise.smoothstep(0.1, 0.9, seas)
    frame.blend(_ALL, disc, frame.orb_color * face[..., None])


def _clouds(frame: Frame) -> None:
    weather = frame.scene.weather
    rng = frame.rng
    if weather == "clear":
        return
    cover = {"fair": rng.uniform(0.55, 0.95), "cloudy": -0.45, "fog": 0.5, "rain": -0.7, "snowfall": -0.4}[weather]
    rows = slice(0, int(frame.horizon * SIZE))
    y = ROW[rows]
    depth = 1.0 / (frame.horizon - y + 0.22)
    iy = depth * 150 + rng.integers(noise.BANK)
    ix = (COLUMN - 0.5) * depth * 105 + rng.integers(noise.BANK)
    field = noise.bank(13 + int(rng.integers(3)), 1.75, 6)
    n = noise.lookup(field, iy, ix)
    toward = 9 * frame.light_side
    shade = np.clip(0.55 + 0.75 * (n - noise.lookup(field, iy - 7, ix + toward)) - 0.12 * (n - cover), 0, 1)
    alpha = noise.smoothstep(cover, cover + 0.75, n) * (0.93 if weather != "fog" else 0.4)
    alpha *= np.clip((frame.horizon - y) / 0.07, 0.25, 1)
    if frame.scene.orb:
        d = np.hypot(COLUMN - frame.orb_x, y - frame.orb_y)
        alpha *= 1 - 0.92 * np.exp(-((d / (1.7 * frame.orb_radius)) ** 2))
    bright, dim = palette.CLOUD[frame.scene.time]
    if weather != "fair":
        grey = palette.OVERCAST[frame.scene.time]
        gloom = 0.68 if weather == "rain" else 1.0
        bright = palette.mix(bright, grey * 1.15, 0.6) * gloom
        dim = palette.mix(dim, grey * 0.72, 0.6) * gloom
    if frame.scene.orb_color == "red":
        bright = palette.mix(bright, bright * palette.rgb(1, .72, .66), 0.6)
    frame.blend(rows, alpha, palette.mix(dim, bright, shade[..., None]))


def paint_sky(frame: Frame) -> None:
    """Fills the whole picture with sky; the ground later covers its lower part."""
    t = np.clip(ROW[:, 0] / frame.horizon, 0, 1)
    stops = (0.0, 0.45, 0.82, 1.0)
    column = np.stack([np.interp(t, stops, frame.sky[:, c]) for c in range(3)], -1)
    frame.pixels[:] = column[:, None, :]
    if frame.scene.stars:
        _stars(frame)
    if frame.scene.orb == "sun":
        _sun(frame)
    elif frame.scene.orb:
        _moon(frame)
    _clouds(frame)

"""Desert, meadow, snow field and forest edge, as layers of rolling ground."""

from __future__ import annotations

import numpy as np

from training.renderer import noise, palette
from training.renderer.frame import COLUMN, ROW, SIZE, Frame

_SAND = palette.rgb(.90, .70, .42)
_GRASS = palette.rgb(.36, .60, .20)
_SNOW = palette.rgb(.95, .97, 1.)
_FOREST_FLOOR = palette.rgb(.24, .40, .17)


def _hills(frame: Frame, count: int, swell: float, smooth: float) -> list[np.ndarray]:
    """Crest lines from the horizon towards the viewer."""
    lines = []
    for i in range(count):
        base = frame.horizon + (1.0 - frame.horizon) * (i / count) ** 1.25 * 0.86
        line = noise.curve(frame.rng, SIZE, smooth, first=1)
        lines.append(base + swell * (0.35 + 0.8 * i / count) * np.clip(line, -1.8, 1.8))
    lines[0] = np.minimum(lines[0], frame.horizon + 0.012)
    return lines


def _slope(frame: Frame, line: np.ndarray) -> np.ndarray:
    """The steepness of a crest line, positive where it turns away from the light."""
    steep = np.gradient(line) * SIZE * frame.light_side
    return np.convolve(np.pad(steep, 9, mode="edge"), np.full(19, 1 / 19, np.float32), "valid")


def _rows_below(line: np.ndarray) -> slice:
    return slice(max(int(line.min() * SIZE) - 1, 0), SIZE)


def _far_color(frame: Frame, color: np.ndarray, depth: float) -> np.ndarray:
    return palette.mix(color, frame.sky[3] * 0.9, 0.34 * (1 - depth) ** 1.5)


def _desert(frame: Frame) -> None:
    sand = palette.mix(_SAND, palette.rgb(.87, .56, .36), float(frame.rng.uniform(0, 0.7)))
    ripples = noise.bank(51, 1.1, 5)
    lines = _hills(frame, 4, 0.034, 2.7)
    for i, line in enumerate(lines):
        rows = _rows_below(line)
        below = ROW[rows] - line
        alpha = np.clip(below * SIZE + 0.5, 0, 1)
        lit = np.clip(0.93 - 0.75 * np.clip(_slope(frame, line), -0.4, 0.7), 0.55, 1.14)
        near_crest = np.exp(-np.maximum(below, 0) / (0.05 + 0.03 * i))
        shade = 0.93 + (lit - 0.93) * near_crest + 0.06 * np.exp(-np.maximum(below, 0) / 0.01)
        v = below * 1500 / (0.8 + i)
        shade = shade + 0.03 * noise.lookup(ripples, v + 40 * line, COLUMN * 120 + v * 0.2 + 97 * i)
        shadow = palette.rgb(.82, .78, .95)
        color = _far_color(frame, sand * frame.light, i / 3) * shade[..., None]
        color = palette.mix(color, color * shadow, np.clip((0.95 - shade) * 2, 0, 1)[..., None])
        frame.blend(rows, alpha, color)


def _meadow(frame: Frame) -> None:
    hue = float(frame.rng.uniform(0, 1))
    green = palette.mix(_GRASS, palette.rgb(.50, .62, .22), hue)
    blades = noise.bank(41, 0.9, 3)
    soft = noise.bank(52, 1.7, 8)
    for i, line in enumerate(_hills(frame, 3, 0.024, 2.1)):
        rows = _rows_below(line)
        below = ROW[rows] - line
        alpha = np.clip(below * SIZE + 0.5, 0, 1)
        v = below * SIZE * (2.2 - 0.6 * i)
        texture = noise.lookup(blades, v * 0.55 + 31 * i, COLUMN * SIZE * (1.5 - 0.3 * i) + 57 * i)
        patches = noise.lookup(soft, below * 700 + 91 * i, COLUMN * 300 + 33 * i)
        shade = 1.08 - 0.5 * np.clip(below, 0, 0.4) + (0.03 + 0.03 * i) * texture + 0.06 * patches
        color = _far_color(frame, green * frame.light, i / 2) * (1 - 0.06 * i)
        frame.blend(rows, alpha, color * np.clip(shade, 0.5, 1.4)[..., None])
    if frame.scene.flowers:
        _flowers(frame)


def _flowers(frame: Frame) -> None:
    color = palette.THING[frame.scene.flowers] * np.maximum(frame.light, 0.42)
    top = frame.horizon + 0.05
    for _ in range(150):
        depth = frame.rng.random() ** 0.8
        y, x = top + (0.985 - top) * depth, frame.rng.random()
        radius = 0.6 + 2.1 * depth
        cy, cx = y * SIZE, x * SIZE
        y0, y1 = max(int(cy - radius) - 1, 0), min(int(cy + radius) + 2, SIZE)
        x0, x1 = max(int(cx - radius) - 1, 0), min(int(cx + radius) + 2, SIZE)
        d = np.hypot(np.arange(y0, y1)[:, None] - cy, np.arange(x0, x1)[None, :] - cx)
        alpha = np.clip(radius - d + 0.5, 0, 1)[..., None]
        part = frame.pixels[y0:y1, x0:x1]
        shade = 0.85 + 0.3 * frame.rng.random()
        part += (np.clip(color * shade, 0, 1) - part) * alpha


def _cool(frame: Frame) -> np.ndarray:
    """Light as snow shows it: with some of the blue of the sky above."""
    return palette.mix(frame.light, frame.light.max() * palette.rgb(.86, .88, 1.), 0.55)


def _snow(frame: Frame) -> None:
    soft = noise.bank(52, 1.7, 8)
    for i, line in enumerate(_hills(frame, 3, 0.03, 2.5)):
        rows = _rows_below(line)
        below = ROW[rows] - line
        alpha = np.clip(below * SIZE + 0.5, 0, 1)
        lit = -0.22 * np.clip(_slope(frame, line), -0.6, 0.9) * np.exp(-np.maximum(below, 0) / 0.09)
        drifts = noise.lookup(soft, below * 900 + 91 * i, COLUMN * 330 + 33 * i)
        shade = np.clip(0.93 + lit + 0.028 * drifts - 0.16 * np.clip(below, 0, 0.4), 0, 1.05)
        white = _SNOW * np.minimum(_cool(frame) * 1.1 + 0.05, 1)
        color = _far_color(frame, white, i / 2) * shade[..., None]
        blue = palette.rgb(.80, .89, 1.)
        frame.blend(rows, alpha, palette.mix(color, color * blue, np.clip((0.97 - shade) * 4, 0, 1)[..., None]))


def _conifers(frame: Frame, count: int, height: float, base: float, color: np.ndarray) -> None:
    rows = slice(max(int((base - 1.5 * height) * SIZE), 0), min(int(base * SIZE) + 3, SIZE))
    y = ROW[rows]
    x = (np.arange(count) + frame.rng.uniform(0.1, 0.9, count)) / count
    tall = height * frame.rng.uniform(0.65, 1.35, count)
    alpha = np.zeros((y.shape[0], SIZE), np.float32)
    for cx, h in zip(x, tall):
        t = (y - (base - h)) / h  # 0 at the tip, 1 at the foot
        half = h * 0.30
        x0, x1 = max(int((cx - half) * SIZE) - 1, 0), min(int((cx + half) * SIZE) + 2, SIZE)
        if x1 <= x0:
            continue
        tiers = 0.78 + 0.22 * ((t * 5.5) % 1.0)
        width = half * np.clip(t, 0, 1) * tiers
        tree = np.clip((width - np.abs(COLUMN[:, x0:x1] - cx)) * SIZE + 0.5, 0, 1) * (t > 0)
        np.maximum(alpha[:, x0:x1], tree, out=alpha[:, x0:x1])
    shade = 0.85 + 0.3 * np.clip((base - y) / height, 0, 1)
    frame.blend(rows, alpha, color * shade[..., None])


def _forest(frame: Frame) -> None:
    dark = palette.rgb(.10, .24, .15) * frame.light
    base = frame.horizon + 0.02
    for i, (count, height) in enumerate(((34, 0.12), (24, 0.16), (17, 0.20))):
        color = palette.mix(dark, frame.sky[3] * 0.8, 0.42 - 0.19 * i)
        _conifers(frame, count, height, base + 0.012 * i, color)
    blades = noise.bank(41, 0.9, 3)
    line = frame.horizon + 0.03 + 0.008 * noise.curve(frame.rng, SIZE, 2.0)
    rows = _rows_below(line)
    below = ROW[rows] - line
    alpha = np.clip(below * SIZE + 0.5, 0, 1)
    texture = noise.lookup(blades, below * SIZE * 1.2, COLUMN * SIZE * 1.2 + 57)
    shade = 0.82 + 0.5 * np.clip(below / 0.25, 0, 1) * 0.6 + 0.06 * texture
    frame.blend(rows, alpha, _FOREST_FLOOR * frame.light * shade[..., None])


def paint_land(frame: Frame) -> None:
    """Covers everything below the horizon with ground."""
    {"desert": _desert, "meadow": _meadow, "snow": _snow, "forest": _forest}[frame.scene.ground](frame)
    if frame.scene.orb == "sun" and frame.scene.time in ("dawn", "sunset"):
        rows = slice(int(frame.horizon * SIZE), SIZE)
        p = ROW[rows] - frame.horizon
        sheen = 0.3 * np.exp(-(((COLUMN - frame.orb_x) / 0.3) ** 2)) * np.exp(-p / 0.12)
        frame.glow(rows, sheen, frame.orb_color)

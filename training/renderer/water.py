"""Sea and lake: what they mirror, their waves, and the path of light."""

from __future__ import annotations

import numpy as np

from training.renderer import noise, palette
from training.renderer.frame import COLUMN, ROW, SIZE, Frame


def _waves(frame: Frame, rows: slice, seed: int) -> np.ndarray:
    p = ROW[rows] - frame.horizon + 0.022
    iy = 150.0 / p * 0.42 + frame.rng.integers(noise.BANK)
    ix = (COLUMN - 0.5) * (62.0 / p) + frame.rng.integers(noise.BANK)
    return noise.lookup(noise.bank(seed, 1.25, 7), iy, ix)


def _mirror(frame: Frame, rows: slice, wobble: np.ndarray) -> np.ndarray:
    first = rows.start
    depth = np.arange(rows.stop - first)
    source = np.clip(first - 1 - (depth * 1.15).astype(np.int32), 0, SIZE - 1)
    columns = np.clip(np.arange(SIZE)[None, :] + wobble, 0, SIZE - 1).astype(np.int32)
    return frame.pixels[source[:, None], columns]


def _light_path(frame: Frame, rows: slice, waves: np.ndarray, calm: bool) -> None:
    if not frame.scene.orb:
        return
    p = ROW[rows] - frame.horizon
    width = frame.orb_radius * (0.75 if calm else 0.95) + 0.22 * p
    across = np.exp(-(((COLUMN - frame.orb_x) / width) ** 2))
    sparkle = noise.smoothstep(-0.5, 1.1, waves)
    strength = {"day": 0.62, "night": 0.72}.get(frame.scene.time, 0.85)
    if frame.scene.water == "dark":
        strength *= 0.8
    frame.glow(rows, strength * across * (0.18 + 0.95 * sparkle) * (1 - 0.5 * p), frame.orb_color)


def paint_water(frame: Frame) -> None:
    """Covers everything below the horizon with water."""
    scene = frame.scene
    lake = scene.ground == "lake"
    calm = scene.water == "calm" or (lake and scene.water != "rough")
    rows = slice(int(round(frame.horizon * SIZE)), SIZE)
    p = ROW[rows] - frame.horizon
    waves = _waves(frame, rows, 31)
    wobble = waves * (2.0 if calm else 6.0) * (0.25 + 3.0 * p)
    mirrored = _mirror(frame, rows, wobble)
    deep = palette.SEA[scene.time]
    if scene.weather in ("cloudy", "rain", "snowfall", "fog"):
        deep = palette.mix(deep, palette.OVERCAST[scene.time] * 0.55, 0.6)
    fresnel = np.exp(-p / 0.12) * 0.5 + (0.42 if calm else 0.2)
    if scene.water == "turquoise":
        deep = palette.TURQUOISE * np.maximum(frame.light, 0.3)
        fresnel = 0.45 * fresnel
    if scene.water == "dark":
        deep = deep * 0.22 + palette.rgb(.004, .006, .014)
        fresnel = 0.22 * fresnel
    part = palette.mix(deep, mirrored, np.broadcast_to(fresnel, waves.shape)[..., None])
    height = {"rough": 0.2, "calm": 0.035}.get(scene.water, 0.05 if lake else 0.1)
    lift = waves * height * np.clip(p / 0.10, 0.12, 1)
    tone = frame.sky[2] * (0.35 if scene.water == "dark" else 0.8)
    part = part + np.clip(lift, -0.25, 0.4)[..., None] * (part * 0.9 + tone * 0.35)
    if scene.water == "rough":
        foam = noise.smoothstep(1.25, 1.9, waves) * np.clip(p / 0.05, 0, 1) * 0.75
        part = palette.mix(part, np.minimum(frame.light * 0.95 + 0.05, 1), foam[..., None])
    frame.pixels[rows] = part
    _light_path(frame, rows, waves, calm)
    if lake:
        _shores(frame, rows)


def _shores(frame: Frame, rows: slice) -> None:
    """A low far bank with its reflection, and grass at the near edge."""
    green = palette.rgb(.19, .30, .15) * frame.light
    far = palette.mix(green, frame.sky[3], 0.28)
    bank = 0.012 + 0.006 * noise.curve(frame.rng, SIZE, 1.2, first=3)
    y = ROW - frame.horizon
    alpha = np.clip((np.maximum(bank, 0.003) - np.abs(y)) * SIZE + 0.5, 0, 1)
    band = slice(rows.start - 9, min(rows.start + 9, SIZE))
    frame.blend(band, alpha[band] * np.where(y[band] < 0, 1.0, 0.7), far)
    edge = 0.955 + 0.03 * noise.curve(frame.rng, SIZE, 1.6, first=1) + frame.rng.uniform(-0.03, 0.02)
    blades = noise.patch(frame.rng, noise.bank(41, 0.9, 3), SIZE // 4, SIZE)
    near = slice(SIZE - SIZE // 4, SIZE)
    alpha = np.clip((ROW[near] - edge + 0.012 * blades) * SIZE + 0.5, 0, 1)
    grass = palette.rgb(.27, .42, .17) * frame.light * (1 + 0.22 * blades)[..., None]
    frame.blend(near, alpha, grass)

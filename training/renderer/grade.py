"""The last touch: tone and vignette, or one of the drawn styles."""

from __future__ import annotations

import numpy as np

from training.renderer import noise, palette
from training.renderer.frame import COLUMN, ROW, SIZE, Frame

_VIGNETTE = (1.0 - 0.30 * ((COLUMN - 0.5) ** 2 + (ROW - 0.5) ** 2))[..., None].astype(np.float32)
_LUMA = np.array([0.30, 0.59, 0.11], np.float32)


def _finish(pixels: np.ndarray) -> np.ndarray:
    x = np.clip(pixels * _VIGNETTE, 0, 1)
    x = x + 0.32 * x * (1 - x) * (2 * x - 0.86)  # a gentle S
    luma = (x @ _LUMA)[..., None]
    return np.clip(luma + (x - luma) * 1.10, 0, 1)


def _smooth(x: np.ndarray, radius: int) -> np.ndarray:
    for axis in (0, 1):
        padded = np.pad(x, [(radius + 1, radius) if a == axis else (0, 0) for a in range(3)], mode="edge")
        total = np.cumsum(padded, axis=axis, dtype=np.float32)
        n = 2 * radius + 1
        ahead, behind = [slice(None)] * 3, [slice(None)] * 3
        ahead[axis], behind[axis] = slice(n, None), slice(None, -n)
        x = (total[tuple(ahead)] - total[tuple(behind)]) / n
    return x


def _watercolor(frame: Frame, x: np.ndarray) -> np.ndarray:
    wet = noise.patch(frame.rng, noise.bank(81, 1.7, 6), SIZE, SIZE)[..., None]
    soft = _smooth(x, 2)
    edges = np.abs(x - _smooth(x, 3)).mean(-1, keepdims=True)
    paper = palette.rgb(.99, .97, .93)
    wash = palette.mix(soft, paper, np.clip(0.34 + 0.12 * wet, 0.1, 0.7))
    wash = wash * (1 - np.clip(edges * 1.3, 0, 0.3))
    frayed = noise.patch(frame.rng, noise.bank(82, 1.2, 4), SIZE, SIZE)
    border = np.minimum(np.minimum(ROW, 1 - ROW), np.minimum(COLUMN, 1 - COLUMN)) + 0.012 * frayed
    return palette.mix(paper, wash, noise.smoothstep(0.02, 0.05, border)[..., None])


def _pixel(x: np.ndarray) -> np.ndarray:
    cell = 4
    n = SIZE // cell
    small = x.reshape(n, cell, n, cell, 3).mean((1, 3))
    small = np.round(small * 9) / 9
    return np.repeat(np.repeat(small, cell, 0), cell, 1)


def _ink(frame: Frame, x: np.ndarray) -> np.ndarray:
    luma = x @ _LUMA
    luma = (luma - luma.min()) / (luma.max() - luma.min() + 1e-3)
    wet = noise.patch(frame.rng, noise.bank(81, 1.7, 6), SIZE, SIZE)
    around = _smooth(luma[..., None], 2)[..., 0]
    edges = np.abs(luma - around) * noise.smoothstep(0.12, 0.45, around)
    tone = np.clip(luma * 1.15 + 0.05 * wet + 0.05, 0, 1)
    tone = np.clip(tone - 2.2 * edges, 0, 1)[..., None]
    return palette.mix(palette.rgb(.10, .10, .13), palette.rgb(.97, .96, .92), tone)


def grade(frame: Frame) -> np.ndarray:
    """The finished picture as float32 in 0..1."""
    x = _finish(frame.pixels)
    match frame.scene.style:
        case "watercolor":
            x = _watercolor(frame, x)
        case "pixel":
            x = _pixel(x)
        case "ink":
            x = _ink(frame, x)
    return np.clip(x, 0, 1)

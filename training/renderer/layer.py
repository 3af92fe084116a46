"""A small transparent canvas for one thing, and how it is set into the picture."""

from __future__ import annotations

import numpy as np

from training.renderer.frame import SIZE, Frame


class Layer:
    """Unit space: v is 0 at the foot and 1 at the top, u is 0 at the middle, same scale."""

    def __init__(self, height_px: int, half_width: float, below: float = 0.0, above: float = 0.05):
        self.px = float(height_px)
        rows = int((1 + above + below) * height_px) + 2
        columns = 2 * int(half_width * height_px) + 3
        self.foot_row = int((1 + above) * height_px) + 1
        v = (self.foot_row - np.arange(rows, dtype=np.float32) - 0.5) / height_px
        u = (np.arange(columns, dtype=np.float32) - columns // 2) / height_px
        self.u, self.v = u[None, :], v[:, None]
        self.color = np.zeros((rows, columns, 3), np.float32)
        self.alpha = np.zeros((rows, columns), np.float32)

    def cover(self, distance: np.ndarray) -> np.ndarray:
        """How far a signed distance (negative inside) covers each pixel."""
        return np.clip(0.5 - distance * self.px, 0, 1)

    def convex(self, *points: tuple[float, float]) -> np.ndarray:
        """Coverage of a convex polygon given in either order."""
        area = sum(
            x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1])
        )
        turn = 1.0 if area > 0 else -1.0
        worst = None
        for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1]):
            length = max(np.hypot(x1 - x0, y1 - y0), 1e-6)
            away = turn * ((self.u - x0) * (y1 - y0) - (self.v - y0) * (x1 - x0)) / length
            worst = away if worst is None else np.maximum(worst, away)
        return self.cover(worst)

    def ellipse(self, u: float, v: float, ru: float, rv: float) -> np.ndarray:
        """Coverage of an upright ellipse."""
        return self.cover((np.hypot((self.u - u) / ru, (self.v - v) / rv) - 1) * min(ru, rv))

    def fill(self, mask: np.ndarray, color: np.ndarray) -> None:
        """Paints over what is there; the colour may be one per pixel."""
        self.color += (np.clip(color, 0, 1) - self.color) * mask[..., None]
        self.alpha = self.alpha + (1 - self.alpha) * mask

    def place(self, frame: Frame, x: int, foot: int, opacity: float = 1.0) -> None:
        """Sets the layer with its foot at a pixel."""
        top = foot - self.foot_row
        left = x - self.alpha.shape[1] // 2
        _set(frame, top, left, self.color, self.alpha * opacity)

    def reflect(self, frame: Frame, x: int, foot: int, strength: float, ripple: float) -> None:
        """Mirrors the layer below its foot, broken by ripples."""
        count = int(0.8 * self.foot_row)
        source = np.clip(self.foot_row - 1 - (np.arange(count) / 0.8).astype(np.int32), 0, None)
        phase = frame.rng.uniform(0, 6)
        shift = ripple * np.sin(np.arange(count) * 1.1 + phase) * np.linspace(0.3, 1.6, count)
        columns = np.arange(self.alpha.shape[1])[None, :] + shift[:, None].round().astype(np.int32)
        columns = np.clip(columns, 0, self.alpha.shape[1] - 1)
        alpha = self.alpha[source[:, None], columns] * strength * np.linspace(1, 0.35, count)[:, None]
        _set(frame, foot, x - self.alpha.shape[1] // 2, self.color[source[:, None], columns] * 0.85, alpha)

    def shadow(self, frame: Frame, x: int, foot: int, strength: float) -> None:
        """Lays a flat shadow on the ground, away from the light."""
        step = 5
        lying = self.alpha[self.foot_row - 1 :: -step]
        for i, row in enumerate(lying):
            left = x - row.size // 2 - int(frame.light_side * i * step * 0.55)
            dark = (row * strength * (1 - 0.5 * i / max(len(lying), 1)))[None, :]
            tint = np.zeros((1, row.size, 3), np.float32) + frame.light * np.float32([0.10, 0.11, 0.20])
            _set(frame, foot + i, left, tint, dark)


def _set(frame: Frame, top: int, left: int, color: np.ndarray, alpha: np.ndarray) -> None:
    height, width = alpha.shape
    y0, x0 = max(top, 0), max(left, 0)
    y1, x1 = min(top + height, SIZE), min(left + width, SIZE)
    if y1 <= y0 or x1 <= x0:
        return
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    part = frame.pixels[y0:y1, x0:x1]
    part += (color[inside] - part) * alpha[inside][..., None]

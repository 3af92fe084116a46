"""Moods: how a whole scene feels, whatever is in it."""

from __future__ import annotations

import torch
from torch import Tensor

from training.world.canvas import Canvas
from training.world.finish.named import named
from training.world.finish.smooth import blur, curve, luma, saturate, vignette


def plain(canvas: Canvas) -> None:
    """A clean illustration: a gentle curve and slightly darker corners."""
    # Some moods have darkened the corners already.
    corners = (1 - vignette(canvas.size, 0.16, canvas.device)) * canvas.each(lambda scene: scene.mood == "")[:, None]
    canvas.pixels = saturate(curve(canvas.pixels * (1 - corners), 0.16), 1.08)


def _tint(pixels: Tensor, red: float, green: float, blue: float) -> Tensor:
    return pixels * torch.tensor([red, green, blue], device=pixels.device)[None, :, None, None]


def _lift(pixels: Tensor, black: tuple[float, float, float], white: tuple[float, float, float]) -> Tensor:
    low = torch.tensor(black, device=pixels.device)[None, :, None, None]
    high = torch.tensor(white, device=pixels.device)[None, :, None, None]
    return low + pixels * (high - low)


def _dramatic(canvas: Canvas) -> None:
    x = canvas.pixels
    # The sky deepens towards its top; the light stays near the horizon.
    above = ((canvas.facts["horizon"] - canvas.y) / 0.5).clamp(0, 1)
    x = x * (1 - 0.42 * above[:, None] * (1 - 0.85 * named(canvas)))
    x = curve(curve(x.clamp(0, 1), 0.62, 0.4).clamp(0, 1), 0.4, 0.4)
    x = saturate(x, 1.12) * vignette(canvas.size, 0.7, canvas.device)
    canvas.pixels = x.clamp(0, 1)


def _dreamy(canvas: Canvas) -> None:
    x = canvas.pixels
    glow = blur(x, 0.025)
    x = 1 - (1 - x * 0.82) * (1 - 0.55 * glow)
    x = torch.lerp(x, glow, 0.18)
    lifted = _lift(x, (0.24, 0.14, 0.25), (1.0, 0.93, 0.97))
    canvas.pixels = torch.lerp(lifted, x, 0.5 * named(canvas)).clamp(0, 1)


def _pastel(canvas: Canvas) -> None:
    x = canvas.pixels.clamp(0, 1)
    # Light first, so that even a night becomes a pale one, then pale.
    x = x**0.62
    spoken = named(canvas)
    x = torch.lerp(x, saturate(x, 1.5).clamp(0, 1), 0.3 + 0.7 * spoken)
    canvas.pixels = 0.99 - (0.53 + 0.15 * spoken) * (1 - x)


def _moody(canvas: Canvas) -> None:
    x = canvas.pixels
    spoken = named(canvas)
    x = torch.lerp(saturate(x, 0.42) * 0.70, saturate(x, 0.85) * 0.82, spoken)
    x = curve(x, 0.12, 0.35) * vignette(canvas.size, 0.5, canvas.device)
    canvas.pixels = torch.lerp(_tint(x, 0.82, 0.98, 1.08), x, 0.7 * spoken).clamp(0, 1)


def _vivid(canvas: Canvas) -> None:
    x = curve(canvas.pixels, 0.3, 0.38).clamp(0, 1)
    # Greyish colours gain the most, so that strong ones keep their shape.
    spread = x.amax(1, keepdim=True) - x.amin(1, keepdim=True)
    grey = luma(x)[:, None]
    canvas.pixels = (grey + (x - grey) * (1.95 - 0.45 * spread)).clamp(0, 1)


def _vintage(canvas: Canvas) -> None:
    x = canvas.pixels
    sepia = luma(x)[:, None] * torch.tensor([1.12, 0.92, 0.66], device=x.device)[None, :, None, None]
    faded = torch.lerp(saturate(x, 0.65), sepia, 0.45)
    x = torch.lerp(faded, x, 0.6 * named(canvas)) * vignette(canvas.size, 0.35, canvas.device)
    canvas.pixels = _lift(x.clamp(0, 1), (0.21, 0.15, 0.09), (0.98, 0.92, 0.78)).clamp(0, 1)


MOODS = {
    "dramatic": _dramatic,
    "dreamy": _dreamy,
    "pastel": _pastel,
    "moody": _moody,
    "vivid": _vivid,
    "vintage": _vintage,
}

"""Planet and rocket."""

from __future__ import annotations

import torch

from training.world.noise import smoothstep
from training.world.things.sheet import Sheet

# From the outermost to the core: where it ends, half its width, its colour.
_FLAMES = ((0.0, 0.115, (1.0, 0.50, 0.10)), (0.07, 0.075, (1.0, 0.80, 0.24)), (0.13, 0.04, (1.0, 0.97, 0.82)))


def paint_planet(sheet: Sheet) -> None:
    """A banded ball in the colour, half in its own night, and a ring where the scene has one; 1.0 wide."""
    sheet.tilt(sheet.canvas.uniform(-0.42, 0.42), 0.5)
    u, v = sheet.u, sheet.v
    far = torch.hypot(u, v - 0.5) / 0.5
    ball = sheet.cover((far - 1) * 0.5)
    dv = (v - 0.5) * 2
    bulge = torch.sqrt((1 - far**2).clamp(min=0))
    field = sheet.noise(63, 1.7, 90, 6.0)
    bands = torch.sin((dv + 0.055 * field) * sheet.canvas.uniform(6.5, 11.0) + sheet.canvas.uniform(0, 6.28))
    # Light falls from above and from one side; past the terminator it is dark, but never quite.
    light = 0.62 * sheet.side * u * 2 + 0.38 * dv + 0.62 * bulge
    shade = 0.95 * light - 0.72 + 0.2 * bands
    shine = 0.35 * torch.exp(-(((u * 2 * sheet.side - 0.42) / 0.3) ** 2) - ((dv - 0.36) / 0.3) ** 2)
    stripe = sheet.base + (1 - sheet.base) * (0.22 * (bands > 0) * bands)[:, None]
    sheet.paint(ball, stripe, (shade + shine).clamp(-0.92, 0.6))
    rim = smoothstep(0.86, 1.0, far) * (0.35 + light).clamp(0, 1)
    sheet.fill(ball * rim * 0.6, (sheet.base + (1 - sheet.base) * 0.55) * sheet.light)
    if sheet.scene.detail == "ring":
        orbit = torch.hypot(u / 0.86, dv / 2 / 0.205)
        ring = torch.maximum(orbit - 1, 0.70 - orbit) * 0.205
        # The far half passes behind the ball.
        seen = sheet.cover(ring) * (1 - ball * (dv > 0))
        pale = sheet.base * 0.35 + sheet.tint(0.93, 0.88, 0.78) * 0.65
        gap = -0.55 * torch.exp(-(((orbit - 0.86) / 0.022) ** 2))
        sheet.paint(seen, pale, (0.1 + 0.35 * u * sheet.side + gap).clamp(-0.7, 0.4))
    halo = torch.exp(-((far - 1).clamp(min=0) / 0.07)) * (0.3 + light).clamp(0, 1) * (far > 1)
    sheet.fill((0.35 * halo * (1 - sheet.alpha)).clamp(0, 1), (sheet.base + (1 - sheet.base) * 0.4) * sheet.light)


def paint_rocket(sheet: Sheet) -> None:
    """A plump rocket in the colour with fins, a round window and its flame; 0.5 wide."""
    sheet.tilt(sheet.canvas.uniform(0.15, 0.5) * torch.where(sheet.canvas.uniform() < 0.5, -1.0, 1.0), 0.5)
    u, v = sheet.u, sheet.v
    for end, wide, color in _FLAMES:
        t = ((0.27 - v) / (0.27 - end)).clamp(0, 1)
        flame = u.abs() - wide * (1 - t**1.6) * (0.75 + 0.5 * t)
        sheet.fill(sheet.cover(torch.maximum(flame, torch.maximum(end - v, v - 0.27)) * 0.8), sheet.tint(*color))
    white = sheet.where(lambda s: s.color in ("white", ""))[:, None]
    pale = torch.lerp(sheet.tint(0.96, 0.95, 0.93), sheet.tint(0.48, 0.55, 0.66), white)
    fin = torch.maximum(u.abs() - 0.12 - 0.16 * smoothstep(0.52, 0.20, v), v - 0.52)
    fin = torch.maximum(fin, 0.16 + 0.75 * (0.27 - u.abs()) - v)
    sheet.paint(sheet.cover(fin), sheet.base, (-0.28 + 0.9 * u * sheet.side).clamp(-0.6, 0.1))
    wide = 0.165 * (1 - ((v - 0.50) / 0.52).abs() ** 2.4).clamp(min=0) ** 0.75
    across = u / wide.clamp(min=0.02)
    shade = sheet.roundness(across.clamp(-1, 1), 0.5, 0.16)
    body = torch.maximum((u.abs() - wide) * 0.9, torch.maximum(0.265 - v, v - 1.0))
    sheet.paint(sheet.cover(body), sheet.base, shade)
    bow = v + 0.02 * (1 - across.clamp(-1, 1) ** 2)
    sheet.paint(sheet.cover(torch.maximum(body, 0.83 - bow)), pale, shade)
    sheet.paint(sheet.cover(torch.maximum(body, (bow - 0.35).abs() - 0.018)), pale, shade)
    sheet.paint(sheet.box(-0.085, 0.085, 0.235, 0.285, 0.01), sheet.tint(0.33, 0.35, 0.40), sheet.roundness(u / 0.09))
    sheet.paint(sheet.ellipse(0, 0.62, 0.083, 0.083), pale, -0.05)
    sheet.paint(sheet.ellipse(0, 0.62, 0.06, 0.06), sheet.tint(0.30, 0.62, 0.86), 2.5 * (v - 0.62) + 3 * u * sheet.side)
    sheet.paint(sheet.box(-0.02, 0.02, 0.22, 0.42, 0.015), sheet.base, 0.1)


def glow_rocket(sheet: Sheet) -> None:
    """The light of the rocket's flame."""
    halo = torch.exp(-((torch.hypot(sheet.u, sheet.v - 0.10) / 0.15) ** 2))
    part = sheet.canvas.pixels[:, :, sheet.rows, sheet.columns]
    part.add_((1 - part) * (0.45 * halo[:, None] * sheet.tint(1.0, 0.60, 0.20)))

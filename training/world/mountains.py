"""Mountains: ridges behind one another, paler with distance, bare or with snow."""

from __future__ import annotations

import torch
from torch import Tensor

from training.world import noise, palette
from training.world.canvas import Canvas
from training.world.light import sky_color
from training.world.noise import smoothstep

_RIDGES = 3
_ROCK = {
    "desert": palette.rgb(0.60, 0.34, 0.24),
    "snow": palette.rgb(0.35, 0.40, 0.50),
    "meadow": palette.rgb(0.33, 0.38, 0.38),
    "forest": palette.rgb(0.28, 0.34, 0.38),
    "wheat": palette.rgb(0.40, 0.36, 0.42),
}
_ROCK_ELSEWHERE = palette.rgb(0.33, 0.33, 0.42)


def paint_mountains(canvas: Canvas) -> None:
    """Ridges behind the ground."""
    canvas.select(lambda s: bool(s.mountains), _ridges)


def slope(canvas: Canvas, line: Tensor) -> Tensor:
    """How steeply a line [n, 1, size] falls away from the light; above 0 in shade."""
    return torch.gradient(line, dim=2)[0] * canvas.size * canvas.facts["light_side"]


def _ridges(canvas: Canvas) -> None:
    facts = canvas.facts
    # Behind trees they must stand higher to be seen.
    horizon = facts["horizon"] - canvas.each(lambda s: 0.15 if s.ground == "forest" else 0.0)
    top = canvas.uniform(0.15, 0.215)
    haze = torch.lerp(sky_color(canvas, 2), sky_color(canvas, 3), 0.5)
    rock = canvas.colors(lambda s: _ROCK.get(s.ground, _ROCK_ELSEWHERE)) * facts["light"]
    bluish = facts["light"].amax(1, keepdim=True) * canvas.colors(lambda s: (0.93, 0.94, 1.0))
    cool = torch.lerp(facts["light"], bluish, 0.5)
    snow = canvas.colors(lambda s: (0.97, 0.98, 1.0)) * (cool * 1.08 + 0.06).clamp(max=1)
    sharp = canvas.uniform(0.0, 1.0)
    thick = canvas.each(lambda s: 0.12 if s.weather in ("rain", "snowfall", "fog") else 0.0)
    for layer in range(_RIDGES):
        near = (layer + 1) / _RIDGES
        height = top * (1.10 - 0.66 * near)
        line = noise.line(canvas, 1.55, first=2, waves=48).clamp(-1.9, 2.1)
        # Peaks of folded waves are pointed, those of plain ones round.
        folded = 1.0 - 1.9 * noise.line(canvas, 1.25, first=2, waves=24).abs()
        rise = 0.38 * torch.lerp(line, folded + 0.3 * line, sharp)
        ridge = horizon - height * (1.0 + rise.clamp(max=0.58))  # never as high as the sun and moon
        below = canvas.y - ridge
        y0, x0 = canvas.uniform(0, noise.BANK), canvas.uniform(0, noise.BANK)
        field = noise.bank(21, 1.45, 4, canvas.device)
        v = below * 330 + y0
        u = canvas.x * 230 + 0.45 * v + x0
        rough = noise.sample(field, v, u)
        relief = rough - noise.sample(field, v, u + 5 * facts["light_side"])
        fall = slope(canvas, ridge).clamp(-1.4, 1.4) * torch.exp(-below.clamp(min=0) / 0.08)
        shade = (0.86 - 0.40 * relief - 0.20 * fall).clamp(0.35, 1.45)
        color = rock * shade[:, None]
        # Snow lies deeper on high peaks and reaches down in tongues.
        edge = 0.55 * height * (1.35 - 0.35 * near) - below + 0.022 * rough + 0.5 * (horizon - height - ridge)
        white = smoothstep(-0.012, 0.012, edge) * canvas.each(lambda s: s.mountains == "snowy")
        lit_snow = snow * (0.36 + 0.66 * shade).clamp(0, 1.04)[:, None]
        color = torch.lerp(color, lit_snow, white[:, None])
        aerial = (0.60 - 0.46 * near + thick + 0.55 * (below / 0.25).clamp(0, 1) ** 1.5).clamp(0, 0.9)
        color = torch.lerp(color, haze, aerial[:, None])
        canvas.blend(below * canvas.size + 0.5, color)

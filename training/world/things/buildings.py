"""House, lighthouse and windmill."""

from __future__ import annotations

import torch
from torch import Tensor

from training.world import palette
from training.world.noise import smoothstep
from training.world.scene import Scene
from training.world.things.sheet import WET, Sheet

_DARK = ("night", "sunset")


def _lamps_lit(scene: Scene) -> bool:
    return scene.time in _DARK or scene.weather in ("fog", "storm")


def _white_roof(scene: Scene) -> bool:
    return scene.ground == "snow" or scene.weather == "snowfall"


def _lamp(sheet: Sheet) -> Tensor:
    return sheet.tint(*palette.LAMP.tolist())


def _glass(sheet: Sheet) -> Tensor:
    """Windows: warm when it is dark, else like the sky."""
    lit = sheet.where(_lamps_lit)[:, None]
    return torch.lerp(sheet.tint(0.28, 0.40, 0.53) * sheet.light, _lamp(sheet), lit)


def _pale(sheet: Sheet) -> Tensor:
    """What sets off the thing's own colour: cream, or a slate grey on white."""
    white = sheet.where(lambda s: s.color in ("white", ""))[:, None]
    return torch.lerp(sheet.tint(0.97, 0.95, 0.91), sheet.tint(0.42, 0.47, 0.55), white)


def _mound(sheet: Sheet, ground: Tensor, radius: float, height: float, rough: float) -> None:
    """A bank or a rock in the water under a building."""
    wobble = rough * sheet.noise(61, 1.3, 40)
    top = height * (1 - (sheet.u / radius) ** 2) + wobble
    shore = torch.maximum((sheet.v - top) * 0.8, -0.035 - sheet.v + 0.2 * wobble)
    shade = (0.5 * sheet.u / radius * sheet.side + 3.0 * wobble + 2.5 * (sheet.v - 0.06)).clamp(-0.7, 0.5)
    sheet.paint(sheet.cover(shore), ground, shade)
    foam = torch.maximum(shore, sheet.v + 0.012)
    sheet.paint(sheet.cover(foam), sheet.tint(0.93, 0.96, 0.97))


def paint_house(sheet: Sheet) -> None:
    """A gable in front and a long side wall, both in the colour, under a neutral roof; 1.3 wide."""
    if sheet.scene.ground in WET:  # on an island of its own
        snow = sheet.where(_white_roof)[:, None]
        _mound(sheet, torch.lerp(sheet.tint(0.34, 0.50, 0.22), sheet.tint(0.92, 0.95, 0.99), snow), 0.80, 0.16, 0.008)
        sheet.v = sheet.v - 0.06
    sheet.flip()
    black = sheet.where(lambda s: s.color == "black")[:, None]
    slate = torch.lerp(sheet.tint(0.35, 0.29, 0.29), sheet.tint(0.56, 0.52, 0.52), black)
    roof = torch.lerp(slate, sheet.tint(0.95, 0.97, 1.0), sheet.where(_white_roof)[:, None])
    glass, trim = _glass(sheet), _pale(sheet)
    u, v = sheet.u, sheet.v
    sheet.paint(sheet.box(0.27, 0.39, 0.7, 0.99), sheet.tint(0.50, 0.36, 0.31), -0.1)
    sheet.paint(sheet.box(-0.10, 0.58, 0.0, 0.52), sheet.base, 0.02 + 0.3 * sheet.side)
    gable = sheet.convex((-0.58, 0), (-0.08, 0), (-0.08, 0.5), (-0.33, 0.86), (-0.58, 0.5))
    sheet.paint(gable, sheet.base, 0.12 - 0.28 * sheet.side)
    slope = sheet.convex((-0.09, 0.45), (0.65, 0.45), (0.45, 0.90), (-0.33, 0.90))
    sheet.paint(slope, roof, 0.12 * sheet.side + 0.5 * (v - 0.6))
    eaves = (v - 0.90 + 1.5 * (u + 0.33).abs()).abs() / 1.8 - 0.036
    eaves = torch.maximum(eaves, torch.maximum((u + 0.33).abs() - 0.30, 0.44 - v))
    sheet.paint(sheet.cover(eaves), roof, -0.32)
    for left in (0.05, 0.32):
        sheet.paint(sheet.box(left, left + 0.20, 0.16, 0.39), trim)
        pane = torch.maximum((u - left - 0.1).abs() - 0.072, (v - 0.275).abs() - 0.09)
        pane = torch.maximum(pane, 0.011 - torch.minimum((u - left - 0.1).abs(), (v - 0.275).abs()))
        sheet.fill(sheet.cover(pane), glass)
    sheet.paint(sheet.box(-0.42, -0.24, 0.0, 0.35), trim)
    sheet.paint(sheet.box(-0.395, -0.265, 0.0, 0.325), sheet.tint(0.36, 0.22, 0.14))
    sheet.paint(sheet.ellipse(-0.33, 0.585, 0.085, 0.085), trim)
    sheet.fill(sheet.ellipse(-0.33, 0.585, 0.06, 0.06), glass)


def paint_lighthouse(sheet: Sheet) -> None:
    """A tapered tower in bands of the colour and white, on rocks; 0.3 wide without them."""
    u, v = sheet.u, sheet.v
    _mound(sheet, sheet.tint(0.36, 0.34, 0.34), 0.38, 0.13, 0.022)
    wide = 0.165 - 0.075 * smoothstep(0.05, 0.8, v)
    across = u / wide
    shade = sheet.roundness(across, 0.15)
    white = sheet.where(lambda s: s.color in ("white", ""))[:, None]
    turn = (v + 0.018 * (1 - across**2) - 0.06) * (2 * torch.pi / 0.28)
    band = (0.5 + torch.sin(turn) * sheet.px / 40).clamp(0, 1)[:, None]
    other = torch.lerp(sheet.tint(0.97, 0.96, 0.94), sheet.tint(0.80, 0.82, 0.86), white)
    sheet.paint(sheet.turned(wide, 0.05, 0.745), torch.lerp(other, sheet.base, band), shade)
    sheet.paint(sheet.box(-0.045, 0.045, 0.07, 0.19, 0.02), sheet.tint(0.28, 0.20, 0.17))
    sheet.fill(sheet.box(-0.03, 0.03, 0.42, 0.50, 0.02), _glass(sheet))
    iron = sheet.tint(0.20, 0.21, 0.25)
    sheet.paint(sheet.box(-0.135, 0.135, 0.735, 0.77, 0.008), iron, shade)
    lit = sheet.where(_lamps_lit)[:, None]
    lamp = torch.lerp(sheet.tint(0.66, 0.77, 0.84) * sheet.light, _lamp(sheet), lit)
    sheet.fill(sheet.box(-0.072, 0.072, 0.765, 0.885), lamp)
    bars = torch.maximum((u.abs() - 0.036).abs() - 0.006, (v - 0.825).abs() - 0.06)
    sheet.paint(sheet.cover(bars) * 0.8, iron)
    dome = torch.maximum(torch.hypot(u / 0.105, (v - 0.88) / 0.085) - 1, (0.88 - v) / 0.085) * 0.085
    cap = torch.lerp(sheet.base, sheet.tint(0.62, 0.66, 0.72), white)
    sheet.paint(sheet.cover(dome), cap, sheet.roundness(u / 0.105, 0.3) - 0.1)
    sheet.paint(sheet.box(-0.012, 0.012, 0.955, 1.0, 0.01), iron)


def glow_lighthouse(sheet: Sheet) -> None:
    """The lamp's halo and two beams across the dark."""
    canvas, (x, foot, height) = sheet.canvas, sheet.spot
    dx, dy = canvas.x - x, canvas.y - (foot - 0.825 * height)
    far = dx.abs() + 0.001
    beam = torch.exp(-((dy / (0.008 + 0.11 * far)) ** 2)) * torch.exp(-far / 0.32) * (far > 0.02)
    power = canvas.each(lambda s: {"night": 1.0, "sunset": 0.6}.get(s.time, 0.45) if _lamps_lit(s) else 0.0)
    halo = torch.exp(-torch.hypot(dx, dy) / (0.11 * height + 0.014))
    canvas.glow(power * (0.75 * halo + 0.34 * beam), _lamp(sheet))


def paint_windmill(sheet: Sheet) -> None:
    """A tapered tower in the colour with a dark cap and four pale sails; 0.85 wide."""
    sheet.flip()
    u, v = sheet.u, sheet.v
    wide = 0.205 - 0.095 * smoothstep(0.0, 0.75, v)
    shade = sheet.roundness(u / wide, 0.12, 0.2)
    sheet.paint(sheet.turned(wide, 0.0, 0.64), sheet.base, shade)
    ring = ((v - 0.24).abs() - 0.022).maximum(u.abs() - wide)
    sheet.paint(sheet.cover(ring), _pale(sheet), shade)
    sheet.paint(sheet.box(-0.055, 0.055, 0.0, 0.15, 0.02), sheet.tint(0.30, 0.19, 0.13))
    sheet.fill(sheet.box(-0.04, 0.04, 0.35, 0.45, 0.03), _glass(sheet))
    cap = torch.maximum(torch.hypot(u / 0.145, (v - 0.62) / 0.13) - 1, (0.62 - v) / 0.13) * 0.13
    black = sheet.where(lambda s: s.color == "black")[:, None]
    roof = torch.lerp(sheet.tint(0.33, 0.27, 0.27), sheet.tint(0.58, 0.54, 0.53), black)
    roof = torch.lerp(roof, sheet.tint(0.95, 0.97, 1.0), sheet.where(_white_roof)[:, None])
    sheet.paint(sheet.cover(cap), roof, shade)
    # One sail, seen four times: the plane is folded around the axle.
    angle = sheet.canvas.uniform(0.2, 1.3)
    p = u * torch.cos(angle) + (v - 0.655) * torch.sin(angle)
    q = (v - 0.655) * torch.cos(angle) - u * torch.sin(angle)
    first = p.abs() > q.abs()
    along = torch.where(first, p.abs(), q.abs())
    across = torch.where(first, q * p.sign(), -p * q.sign())
    cloth = torch.maximum((along - 0.265).abs() - 0.155, (across - 0.058).abs() - 0.053)
    bars = torch.minimum((along.remainder(0.09) - 0.045).abs(), (across - 0.058).abs()) - 0.008
    brown = sheet.tint(0.36, 0.25, 0.18)
    light = sheet.where(lambda s: s.color == "white")[:, None]
    sheet.paint(sheet.cover(cloth), torch.lerp(sheet.tint(0.97, 0.94, 0.87), sheet.tint(0.80, 0.68, 0.52), light))
    dark = 0.7 - 0.4 * sheet.where(lambda s: not s.color)
    sheet.paint(sheet.cover(torch.maximum(cloth, bars)) * dark, brown)
    sheet.paint(sheet.cover(torch.maximum(across.abs() - 0.014, along - 0.425)), brown)
    sheet.paint(sheet.ellipse(0, 0.655, 0.03, 0.03), brown, 0.3)

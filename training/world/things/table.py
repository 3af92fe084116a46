"""Apple, vase, cup, bottle and candle."""

from __future__ import annotations

import torch
from torch import Tensor

from training.world import palette
from training.world.noise import smoothstep
from training.world.things.sheet import Sheet


def paint_apple(sheet: Sheet) -> None:
    """A round apple in the colour with stalk and leaf; 1.0 wide."""
    sheet.flip()
    u, v = sheet.u, sheet.v
    du, dv = u / 0.48, (v - 0.42) / 0.425
    far = torch.hypot(du, dv)
    dip = 0.17 * torch.exp(-((du / 0.30) ** 2)) * (dv > 0) + 0.07 * torch.exp(-((du / 0.25) ** 2)) * (dv < 0)
    edge = far - (1.0 - dip + 0.035 * dv)
    shade = 0.50 * (du * sheet.side + 0.8 * dv) - 0.30 * far**3 + 0.08
    shine = 0.8 * torch.exp(-(((du * sheet.side - 0.42) / 0.20) ** 2) - ((dv - 0.42) / 0.26) ** 2)
    sheet.paint(sheet.cover(edge * 0.425), sheet.base, (shade + shine).clamp(-0.85, 0.95))
    hollow = torch.exp(-((du / 0.26) ** 2) - ((dv - 0.80) / 0.12) ** 2)
    sheet.paint(sheet.cover(edge * 0.425) * hollow * 0.8, sheet.base, -0.75)
    bend = 0.035 * ((v - 0.74) / 0.2) ** 2
    stalk = torch.maximum((u - bend).abs() - 0.022, (v - 0.85).abs() - 0.115)
    sheet.paint(sheet.cover(stalk), sheet.tint(0.36, 0.22, 0.12))
    du, dv = u - 0.17, v - 0.895
    along, across = du * 0.94 + dv * 0.34, dv * 0.94 - du * 0.34
    leaf = across.abs() - 0.075 * (1 - (along / 0.16) ** 2)
    sheet.paint(sheet.cover(leaf * 0.75), sheet.tint(0.24, 0.55, 0.18), (5 * across).clamp(-0.25, 0.3))


def _bunch(sheet: Sheet) -> None:
    """Seven blossoms in the scene's flower colour on stems and leaves, above a vase."""
    u, v = sheet.u, sheet.v
    green = sheet.tint(0.20, 0.45, 0.18)
    fan = (u.abs() - 0.07 - 0.20 * (v - 0.52).clamp(min=0)).maximum(0.50 - v).maximum(v - 0.80)
    leafy = (torch.sin((torch.atan2(u, v - 0.45)) * 20.0) * 0.06 * (v - 0.5)).abs()
    sheet.paint(sheet.cover(fan - leafy), green, 0.9 * (v - 0.72) + 0.3 * u * sheet.side)
    for turn in (-1.0, 1.0):
        du, dv = u * turn - 0.26, v - 0.62
        along, across = du * 0.86 + dv * 0.5, dv * 0.86 - du * 0.5
        leaf = (across.abs() - 0.05 * (1 - (along / 0.15) ** 2)) * 0.7
        sheet.paint(sheet.cover(leaf), green, (4 * across).clamp(-0.3, 0.3))
    color = sheet.canvas.colors(lambda s: palette.THING[s.flowers or "white"])
    gold = sheet.where(lambda s: s.flowers == "yellow")[:, None]
    heart = torch.lerp(sheet.tint(0.99, 0.82, 0.20), sheet.tint(0.45, 0.24, 0.08), gold)
    petals, hearts, shade = None, None, torch.zeros_like(u)
    blossoms = ((0.0, 0.72), (-0.25, 0.74), (0.25, 0.73), (-0.15, 0.88), (0.15, 0.885), (0.0, 0.955), (0.0, 0.83))
    for middle_u, middle_v in blossoms:
        du = u - middle_u - sheet.canvas.uniform(-0.015, 0.015)
        dv = v - middle_v - sheet.canvas.uniform(-0.015, 0.01)
        far = torch.hypot(du, dv)
        edge = far - 0.098 - 0.016 * torch.cos(torch.atan2(dv, du) * 6.0 + sheet.canvas.uniform(0, 6))
        shade = torch.where(edge < 0, 2.2 * (dv + 0.6 * du * sheet.side) + 3.0 * (far - 0.07), shade)
        hearts = torch.where(edge < 0, far - 0.034, hearts) if hearts is not None else far - 0.034
        petals = edge if petals is None else torch.minimum(petals, edge)
    sheet.paint(sheet.cover(petals), color, shade.clamp(-0.5, 0.4))
    sheet.paint(sheet.cover(torch.maximum(hearts, petals)), heart)


def paint_vase(sheet: Sheet) -> None:
    """A bellied vase in the colour, lower when it holds flowers; 0.62 wide."""
    full = sheet.scene.detail == "flowers"
    if full:
        _bunch(sheet)
        sheet.v = sheet.v / 0.62
    broad = 0.92 if full else 1.0
    knots = ((0.0, 0.16), (0.22, 0.225), (0.50, 0.31), (0.80, 0.135), (0.9, 0.125), (1.0, 0.175))
    wide = sheet.profile(*knots) * broad
    across = sheet.u / wide
    shade = sheet.roundness(across, 0.75, 0.13) + 0.25 * (sheet.v - 0.5)
    body = sheet.turned(wide, 0.0, 0.985)
    sheet.paint(body, sheet.base, shade.clamp(-0.8, 0.9))
    pale = sheet.where(lambda s: s.color in ("white", ""))[:, None]
    line = torch.lerp(sheet.base + (1 - sheet.base) * 0.6, sheet.tint(0.40, 0.50, 0.68), pale)
    bow = sheet.v + 0.03 * (1 - across.clamp(-1, 1) ** 2)
    bands = torch.minimum((bow - 0.36).abs() - 0.014, (bow - 0.70).abs() - 0.014)
    sheet.paint(sheet.cover(bands) * body, line, shade.clamp(-0.6, 0.3))
    mouth = sheet.cover((torch.hypot(sheet.u / (0.165 * broad), (sheet.v - 0.985) / 0.03) - 1) * 0.03)
    sheet.paint(mouth * (0.4 if full else 1.0), sheet.base, -0.7)


def paint_cup(sheet: Sheet) -> None:
    """A wide cup in the colour with its handle, on a saucer, full of coffee; 1.3 wide."""
    sheet.flip()
    u, v = sheet.u, sheet.v
    saucer = (torch.hypot(u / 0.60, (v - 0.075) / 0.085) - 1) * 0.085
    sheet.paint(sheet.cover(saucer), sheet.base, (0.35 + 0.5 * u * sheet.side - 2.2 * (0.1 - v)).clamp(-0.55, 0.5))
    sheet.paint(sheet.cover(saucer + 0.02) * 0.8, sheet.base, -0.25)
    ring = (torch.hypot((u - 0.42) / 0.20, (v - 0.56) / 0.22) - 1) * 0.2
    handle = ring.abs() - 0.045
    sheet.paint(sheet.cover(handle), sheet.base, (sheet.side * ring * 6 - 0.1 + 0.6 * (v - 0.5)).clamp(-0.55, 0.5))
    wide = 0.22 + 0.22 * ((v - 0.09) / 0.75).clamp(0, 1) ** 0.62
    low = 0.09 - 0.03 * (1 - (u / 0.25) ** 2).clamp(0, 1)
    across = u / wide
    body = torch.maximum(torch.maximum(u.abs() - wide, low - v), v - 0.88)
    shade = sheet.roundness(across, 0.6, 0.12) + 0.2 * (v - 0.5)
    sheet.paint(sheet.cover(body), sheet.base, shade.clamp(-0.8, 0.9))
    rim = (torch.hypot(u / 0.44, (v - 0.88) / 0.105) - 1) * 0.105
    sheet.paint(sheet.cover(rim), sheet.base, 0.45 - 0.4 * (u * sheet.side).clamp(min=0))
    sheet.paint(sheet.cover(rim + 0.026), sheet.base, -0.5)
    coffee = torch.maximum(rim + 0.026, v - 0.90 + 0.03 * (u / 0.4) ** 2)
    sheet.paint(sheet.cover(coffee), sheet.tint(0.27, 0.15, 0.08), 0.3 * (u * sheet.side).clamp(-0.5, 0.8))


def paint_bottle(sheet: Sheet) -> None:
    """A tall glass bottle in the colour, clear enough to see through; 0.4 wide."""
    u, v = sheet.u, sheet.v
    wide = sheet.profile((0.0, 0.18), (0.04, 0.195), (0.5, 0.19), (0.72, 0.068), (0.88, 0.063), (0.9, 0.075))
    across = u / wide
    t = across * sheet.side
    edge = across.abs().clamp(max=1) ** 4
    body = sheet.turned(wide, 0.0, 0.93)
    shade = 0.15 + 0.30 * t - 0.70 * edge - 0.25 * smoothstep(0.08, 0.0, v)
    sheet.paint(body * (0.86 + 0.14 * edge), sheet.base, shade.clamp(-0.8, 0.6))
    # What the glass holds, and the light that comes through it opposite to where it falls.
    full = sheet.cover(torch.maximum(torch.maximum(u.abs() - wide + 0.026, v - 0.50), 0.03 - v))
    sheet.paint(full * 0.55, sheet.base, (-0.25 + 0.75 * torch.exp(-(((t + 0.5) / 0.3) ** 2))).clamp(-0.6, 0.6))
    shine = torch.exp(-(((t - 0.52) / 0.11) ** 2)) * smoothstep(0.05, 0.12, v) * smoothstep(0.66, 0.56, v)
    sheet.fill(body * shine * 0.85, sheet.tint(1.0, 1.0, 1.0) * sheet.light)
    neck = torch.exp(-(((t - 0.4) / 0.2) ** 2)) * smoothstep(0.70, 0.75, v)
    sheet.fill(body * neck * 0.6, sheet.tint(1.0, 1.0, 1.0) * sheet.light)
    sheet.paint(sheet.box(-0.058, 0.058, 0.915, 1.0, 0.01), sheet.tint(0.70, 0.50, 0.30), sheet.roundness(u / 0.05))


def paint_candle(sheet: Sheet) -> None:
    """A thick candle in the colour, burning, on a small brass dish; 0.5 wide."""
    u, v = sheet.u, sheet.v
    brass = sheet.tint(0.72, 0.53, 0.24)
    dish = (torch.hypot(u / 0.27, (v - 0.04) / 0.06) - 1) * 0.06
    sheet.paint(sheet.cover(dish), brass, (u * sheet.side * 2 + 4 * (v - 0.05)).clamp(-0.5, 0.6))
    across = u / 0.165
    drip = 0.055 * torch.sin(across * 5.5 + sheet.canvas.uniform(0, 6.28)) + 0.03 * torch.sin(across * 12.0)
    wax = torch.maximum(torch.maximum(u.abs() - 0.165, v - 0.70), 0.05 - 0.02 * (1 - across**2) - v)
    # The flame shines down into the wax.
    warm = 0.55 * smoothstep(0.35, 0.72, v)
    sheet.paint(sheet.cover(wax), sheet.base, (sheet.roundness(across, 0.25) * 0.9 + warm - 0.1).clamp(-0.75, 0.7))
    run = torch.maximum(torch.maximum(u.abs() - 0.178, v - 0.70), 0.60 - drip - v)
    shade = sheet.roundness(across) + 0.25 + 2.5 * (0.60 - v).clamp(min=0)
    sheet.paint(sheet.cover(run), sheet.base, shade.clamp(-0.4, 0.6))
    pool = (torch.hypot(u / 0.178, (v - 0.70) / 0.045) - 1) * 0.045
    sheet.paint(sheet.cover(pool), sheet.base, 0.55)
    sheet.paint(sheet.box(-0.013, 0.013, 0.69, 0.80), sheet.tint(0.16, 0.11, 0.09))
    flame, core = _flame(u, v, 0.075, 0.755, 1.0), _flame(u, v, 0.042, 0.765, 0.90)
    sheet.fill(sheet.cover(flame), sheet.tint(1.0, 0.66, 0.16))
    sheet.fill(sheet.cover(core), sheet.tint(1.0, 0.97, 0.78))


def _flame(u: Tensor, v: Tensor, radius: float, low: float, high: float) -> Tensor:
    """Distance to a drop that stands on its round end."""
    t = ((v - low) / (high - low)).clamp(0, 1)
    wide = radius * 2.1 * torch.sqrt(t.clamp(min=1e-4)) * (1 - t)
    return torch.maximum(u.abs() - wide * 1.25, torch.maximum(low - v, v - high)) * 0.8


def glow_candle(sheet: Sheet) -> None:
    """Warm light around the flame."""
    canvas, (x, foot, height) = sheet.canvas, sheet.spot
    far = torch.hypot(canvas.x - x, canvas.y - (foot - 0.86 * height)) / height
    canvas.glow(0.55 * torch.exp(-far / 0.09) + 0.30 * torch.exp(-far / 0.42), sheet.tint(1.0, 0.70, 0.30))

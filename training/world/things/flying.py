"""Balloon and bird."""

from __future__ import annotations

import torch
from torch import Tensor

from training.world.noise import smoothstep
from training.world.things.sheet import Sheet


def paint_balloon(sheet: Sheet) -> None:
    """A hot-air balloon in gores of the colour, with its basket; 0.72 wide."""
    u, v = sheet.u, sheet.v
    # A ball above, drawn in to the mouth below.
    ball = torch.sqrt((0.36**2 - (v - 0.635) ** 2).clamp(min=1e-4))
    neck = 0.085 + 0.245 * ((v - 0.195) / 0.28).clamp(0, 1) ** 0.85
    wide = torch.where(v > 0.475, ball, torch.minimum(neck, ball.maximum(neck)))
    top = torch.hypot(u, v - 0.635) - 0.36
    low = torch.maximum((u.abs() - neck) * 0.85, torch.maximum(0.195 - v, v - 0.5))
    skin = torch.minimum(top, low)
    across = (u / wide).clamp(-0.999, 0.999)
    gore = torch.cos(torch.asin(across) * 6.0)
    stripe = (0.5 + gore * sheet.px / 42).clamp(0, 1)[:, None]
    pale = sheet.base + (1 - sheet.base) * 0.26
    dark = sheet.base * 0.86
    shade = sheet.roundness(across, 0.35, 0.22) + 0.5 * (v - 0.62)
    sheet.paint(sheet.cover(skin), torch.lerp(dark, pale, stripe), shade.clamp(-0.75, 0.7))
    white = sheet.where(lambda s: s.color in ("white", ""))[:, None]
    cream = torch.lerp(sheet.tint(0.98, 0.96, 0.90), sheet.tint(0.55, 0.62, 0.72), white)
    belt = (v - 0.50 + 0.05 * (1 - across**2)).abs() - 0.026
    sheet.paint(sheet.cover(torch.maximum(belt, skin)), cream, shade)
    wicker = sheet.tint(0.55, 0.36, 0.19)
    ropes = torch.maximum((u.abs() - (0.055 + 0.028 * (v - 0.11) / 0.085)).abs() - 0.009, (v - 0.15).abs() - 0.05)
    sheet.paint(sheet.cover(ropes), wicker, -0.3)
    fire = sheet.ellipse(0.0, 0.165, 0.022, 0.04)
    sheet.fill(fire, sheet.tint(1.0, 0.80, 0.30))
    basket = sheet.box(-0.078, 0.078, 0.0, 0.115, 0.022)
    sheet.paint(basket, wicker, sheet.roundness(u / 0.08))
    sheet.paint(sheet.box(-0.085, 0.085, 0.09, 0.122, 0.012), wicker, -0.4)


def _wing(
    sheet: Sheet, shoulder: tuple[float, float], angle: Tensor, length: float, width: float
) -> tuple[Tensor, Tensor]:
    """Distance to a wing raised from the shoulder at an angle [n, 1, 1], and how near each place is to its feathers."""
    du, dv = sheet.u - shoulder[0], sheet.v - shoulder[1]
    along = (du * torch.cos(angle) + dv * torch.sin(angle)) / length
    across = (dv * torch.cos(angle) - du * torch.sin(angle)) / length
    t = along.clamp(0, 1)
    # The wing bows forward and its tip points back; its rear edge ends in feathers.
    spine = 0.30 * t - 0.62 * t**2.4
    wide = width * (1 - t**1.7) ** 0.8
    feathers = 0.05 * torch.sin(t * 22.0).abs() * (1 - t) * smoothstep(0.1, 0.3, t)
    lead, trail = spine + 0.42 * wide, spine - 0.58 * wide - feathers
    away = torch.maximum(torch.maximum(across - lead, trail - across), torch.maximum(-along - 0.05, along - 1))
    return away * length * 0.72, ((lead - across) / (wide + 0.05)).clamp(0, 1)


def paint_bird(sheet: Sheet) -> None:
    """A bird in flight with both wings raised, all in the colour but for its beak; 1.4 wide."""
    sheet.flip()
    u, v = sheet.u, sheet.v
    beat = sheet.canvas.uniform(-0.13, 0.13)
    # It flies to the left: the head is there, the tail to the right, one wing behind the body.
    far, feathers = _wing(sheet, (-0.16, 0.30), 1.92 - beat, 0.62, 0.50)
    sheet.paint(sheet.cover(far), sheet.base, -0.22 - 0.22 * feathers)
    back = (u - 0.2).clamp(min=0)
    tail = torch.maximum((v - 0.225 + 0.12 * back).abs() - 0.04 - 0.27 * back, u - 0.66 + 0.5 * (v - 0.2).abs())
    sheet.paint(sheet.cover(torch.maximum(tail * 0.9, 0.1 - u)), sheet.base, (-0.14 + 0.9 * (v - 0.2)).clamp(-0.4, 0.1))
    sheet.paint(sheet.convex((-0.56, 0.325), (-0.56, 0.41), (-0.72, 0.345)), sheet.tint(0.99, 0.66, 0.12))
    bow = v - 0.25 + 0.14 * (u + 0.05) + 0.10 * (u + 0.1) ** 2
    body = (torch.hypot((u + 0.10) / 0.44, bow / 0.145) - 1) * 0.145
    head = torch.hypot(u + 0.48, v - 0.355) - 0.125
    shade = (2.4 * (v - 0.27) + 0.25 * u * sheet.side).clamp(-0.6, 0.35)
    sheet.paint(sheet.cover(torch.minimum(body, head)), sheet.base, shade)
    near, feathers = _wing(sheet, (0.02, 0.27), 1.18 + beat, 0.80, 0.52)
    sheet.paint(sheet.cover(near), sheet.base, 0.34 - 0.62 * feathers)
    sheet.paint(sheet.ellipse(-0.515, 0.38, 0.036, 0.036), sheet.tint(0.98, 0.98, 0.98))
    sheet.fill(sheet.ellipse(-0.52, 0.38, 0.023, 0.023), sheet.tint(0.05, 0.05, 0.08))

"""Tree, flower and cactus."""

from __future__ import annotations

import torch
from torch import Tensor

from training.world.things.sheet import Sheet

# Clumps of leaves, the hindmost first: across, up and radius.
_CROWN = (
    (0.0, 0.62, 0.25), (-0.23, 0.52, 0.18), (0.24, 0.53, 0.18),
    (-0.15, 0.75, 0.18), (0.16, 0.76, 0.17), (0.0, 0.83, 0.165),
)  # fmt: skip


def paint_tree(sheet: Sheet) -> None:
    """A round crown in the colour, of clumps each lit from its own side; 0.86 wide."""
    sheet.flip()
    u, v = sheet.u, sheet.v
    bark = sheet.tint(0.40, 0.27, 0.18)
    trunk = u.abs() - (0.045 + 0.05 * torch.exp(-v.clamp(min=0) / 0.06) - 0.02 * v)
    sheet.paint(sheet.cover(torch.maximum(trunk, torch.maximum(-v, v - 0.6))), bark, sheet.roundness(u / 0.06))
    sheet.paint(sheet.convex((-0.02, 0.26), (0.02, 0.23), (0.22, 0.50), (0.18, 0.52)), bark, -0.2)
    leaves = sheet.noise(62, 1.2, 70)
    crown, shade = None, torch.full_like(u, -0.5)
    for clump_u, clump_v, radius in _CROWN:
        du = u - clump_u - sheet.canvas.uniform(-0.02, 0.02)
        dv = v - clump_v - sheet.canvas.uniform(-0.015, 0.015)
        away = torch.hypot(du, dv) - radius
        lit = (0.42 * du * sheet.side + 0.72 * dv) / radius - 0.1
        shade = torch.where(away < 0.01 * leaves, lit, shade)
        crown = away if crown is None else torch.minimum(crown, away)
    sheet.paint(sheet.cover(crown - 0.012 * leaves), sheet.base, (shade + 0.10 * leaves).clamp(-0.7, 0.75))


def _petals(sheet: Sheet, du: Tensor, dv: Tensor, radius: float, count: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to a ring of round petals, and the angle within its petal (-1 to 1)."""
    angle = torch.atan2(dv, du) + turn
    wave = torch.cos(angle * count)
    edge = radius * (0.70 + 0.30 * torch.sqrt((0.5 + 0.5 * wave).clamp(min=1e-4)))
    return (torch.hypot(du, dv) - edge) * 0.8, torch.sin(angle * count)


def paint_flower(sheet: Sheet) -> None:
    """One large open flower in the colour on a leafy stem; 0.56 wide."""
    sheet.flip()
    u, v = sheet.u, sheet.v
    green = sheet.tint(0.20, 0.50, 0.17)
    bend = 0.06 * torch.sin(2.6 * v) - 0.03
    stem = torch.maximum((u - bend).abs() - 0.022, torch.maximum(-v - 0.06, v - 0.72))
    sheet.paint(sheet.cover(stem), green, sheet.roundness((u - bend) / 0.022))
    for turn, foot, reach in ((1.0, 0.10, 0.30), (-1.0, 0.22, 0.26)):
        # A leaf between two arcs that rise from the stem.
        along = ((u * turn) / reach).clamp(-0.2, 1.2)
        middle = foot + 0.22 * along.clamp(min=0) ** 0.7
        leaf = (v - middle).abs() - 0.062 * torch.sin(torch.pi * along.clamp(0, 1))
        leaf = torch.maximum(leaf * 0.8, torch.maximum(-along, along - 1) * reach)
        sheet.paint(sheet.cover(leaf), green, (2.5 * (v - middle)).clamp(-0.2, 0.25) + 0.12)
    count = torch.floor(sheet.canvas.uniform(6, 9))
    turn = sheet.canvas.uniform(0, 6.28)
    du, dv = u - bend, v - 0.725
    far = torch.hypot(du, dv)
    back, _ = _petals(sheet, du, dv, 0.275, count, turn + torch.pi / count)
    fall = 1.2 * (far - 0.19) + 0.5 * (dv + du * sheet.side)
    sheet.paint(sheet.cover(back), sheet.base, (fall - 0.22).clamp(-0.6, 0.3))
    front, side = _petals(sheet, du, dv, 0.262, count, turn)
    crease = -0.5 * _crease(side) * (far / 0.25)
    sheet.paint(sheet.cover(front), sheet.base, (fall + 0.12 + crease).clamp(-0.5, 0.45))
    gold = sheet.where(lambda s: s.color in ("yellow", "orange"))[:, None]
    middle = torch.lerp(sheet.tint(0.98, 0.80, 0.16), sheet.tint(0.38, 0.20, 0.08), gold)
    dome = sheet.cover(far - 0.092)
    sheet.paint(dome, middle, (2.6 * (dv + du * sheet.side) - 0.05).clamp(-0.5, 0.4))
    sheet.paint(sheet.cover((far - 0.06).abs() - 0.008) * 0.5, middle, -0.5)


def _crease(side: Tensor) -> Tensor:
    """Near 1 on the line between two petals, else near 0; `side` is the sine within a petal."""
    return (side.abs() ** 6).clamp(0, 1)


def paint_cactus(sheet: Sheet) -> None:
    """A ribbed trunk with two raised arms, in the colour; 0.74 wide."""
    sheet.flip()
    u, v = sheet.u, sheet.v
    # Each limb: an upright axis between two heights, joined to the trunk by a quarter of a ring.
    limbs = ((0.0, -0.2, 0.885, 0.118), (-0.275, 0.44, 0.68, 0.078), (0.27, 0.56, 0.83, 0.074))
    body, across = None, torch.zeros_like(u)
    for axis, low, high, radius in limbs:
        limb, place = torch.hypot(u - axis, v - v.clamp(low, high)) - radius, (u - axis) / radius
        if axis:
            turn = 0.55 * axis  # the middle of the ring lies between arm and trunk, at the arm's lower end
            ring = torch.hypot(u - axis + turn, v - low) - abs(turn)
            bend = (v <= low) & ((u - axis + turn) * axis > 0)
            inner = (v < low) & ~bend & (u * axis > 0) & (u.abs() < abs(axis))
            limb = torch.where(bend, ring.abs() - radius, limb)
            limb = torch.where(inner, (v - low + abs(turn)).abs() - radius, limb)
            place = torch.where(bend, ring / radius * (1.0 if axis > 0 else -1.0), place)
            place = torch.where(inner, (v - low + abs(turn)) / -radius * (1.0 if axis > 0 else -1.0), place)
        across = torch.where(limb < (0 if body is None else body.clamp(max=0)), place, across)
        body = limb if body is None else torch.minimum(body, limb)
    body = torch.maximum(body, -v)
    ribs = torch.cos(torch.asin(across.clamp(-0.99, 0.99)) * 7.0)
    sheet.paint(sheet.cover(body), sheet.base, (sheet.roundness(across) + 0.20 * ribs).clamp(-0.8, 0.6))
    blossom = sheet.where(lambda s: s.color not in ("pink", "red"))[:, None]
    petal = torch.lerp(sheet.tint(0.99, 0.90, 0.55), sheet.tint(0.98, 0.55, 0.70), blossom)
    for du, dv in ((-0.045, 0.985), (0.045, 0.985), (0.0, 1.005)):
        sheet.paint(sheet.ellipse(du, dv, 0.036, 0.036), petal, 0.1)

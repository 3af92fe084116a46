"""What stands behind things that are under no sky: a table before a wall, and space."""

from __future__ import annotations

import torch

from training.world import noise, palette
from training.world.canvas import Canvas
from training.world.noise import smoothstep
from training.world.sky import paint_moons, paint_stars


def paint_inside(canvas: Canvas) -> None:
    """Fills the picture of those scenes that are on a table or in space."""
    canvas.select(lambda s: s.ground == "table", _table)
    canvas.select(lambda s: s.ground == "space", _space)


def _table(canvas: Canvas) -> None:
    facts = canvas.facts
    edge, side = facts["horizon"], facts["light_side"]
    wall = canvas.colors(lambda s: palette.WALL[s.wall])
    # A soft pool of light on the wall, from the side of the lamp.
    x, y = 0.5 + side * canvas.uniform(0.12, 0.30), edge * canvas.uniform(0.35, 0.6)
    pool = torch.exp(-(((canvas.x - x) / 0.46) ** 2) - ((canvas.y - y) / 0.40) ** 2)
    plaster = noise.plane(canvas, 91, 2.0, cells=200, finest=9)
    shade = 0.70 + 0.46 * pool + 0.16 * side * (canvas.x - 0.5) + 0.025 * plaster
    shade = shade - 0.16 * torch.exp(-(edge - canvas.y).clamp(min=0) / 0.05)
    glow = canvas.each(lambda s: 0.10 if not s.wall else 0.05)
    color = wall * shade[:, None] + (glow * pool)[:, None] * canvas.colors(lambda s: (1.0, 0.85, 0.65))
    canvas.pixels = color.clamp(0, 1)
    wood = canvas.colors(lambda s: palette.WOOD[s.seed % len(palette.WOOD)])
    down = canvas.y - edge
    near = down.clamp(min=0) + 0.16
    # The grain runs across; boards are divided by dark seams that come nearer together with distance.
    field = noise.bank(92, 1.5, 6, canvas.device)
    grain_y = -34.0 / near + canvas.uniform(0, noise.BANK)
    grain_x = (canvas.x - 0.5) * (2.6 / near) + canvas.uniform(0, noise.BANK)
    grain = noise.sample(field, grain_y, grain_x)
    boards = -0.55 / near + canvas.uniform(0, 9)
    board = torch.floor(boards)
    seam = torch.exp(-(torch.minimum(boards - board, board + 1 - boards) / 0.018))
    tone = torch.sin(board * 12.9898) * 0.035
    lamp = torch.exp(-(((canvas.x - 0.5 - 0.22 * side) / 0.55) ** 2) - ((down - 0.12) / 0.30) ** 2)
    top = 0.66 + 0.46 * lamp + 0.045 * grain + tone - 0.18 * seam
    top = top + 0.10 * torch.exp(-down.clamp(min=0) / 0.010)
    canvas.blend(down * canvas.size + 0.5, (wood * top[:, None] * facts["light"]).clamp(0, 1))


def _space(canvas: Canvas) -> None:
    canvas.pixels = canvas.facts["sky"][:, 0, :, None, None].expand_as(canvas.pixels).contiguous()
    _mist(canvas)
    paint_stars(canvas)
    canvas.select(lambda s: bool(s.orb), paint_moons)


def _mist(canvas: Canvas) -> None:
    """A nebula: a bright cloud of the scene's colour in a band across, or a faint grey one."""
    color = canvas.colors(lambda s: palette.THING[s.wall] if s.wall else (0.32, 0.36, 0.48))
    power = canvas.each(lambda s: 1.0 if s.wall else 0.34)
    broad = noise.plane(canvas, 93, 2.1, cells=200, finest=12)
    fine = noise.plane(canvas, 94, 1.6, cells=300, finest=6)
    turn = canvas.uniform(0, 3.14159)
    x, y = canvas.uniform(0.35, 0.65), canvas.uniform(0.35, 0.65)
    middle = (canvas.x - x) * torch.sin(turn) + (canvas.y - y) * torch.cos(turn)
    band = torch.exp(-(((middle + 0.05 * broad) / 0.26) ** 2))
    dense = band * (0.62 + 0.36 * broad + 0.16 * fine).clamp(0, 1.3)
    canvas.glow(power * dense, color)
    heart = smoothstep(0.62, 1.25, dense)
    canvas.glow(0.40 * power * heart, torch.lerp(color, canvas.colors(lambda s: (1.0, 0.95, 0.95)), 0.6))

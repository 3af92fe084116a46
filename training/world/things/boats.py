"""The sailing boat."""

from __future__ import annotations

import torch

from training.world.things.sheet import Sheet


def paint_boat(sheet: Sheet) -> None:
    """Hull, main sail and jib in the colour, the jib a little paler; 1.0 wide."""
    sheet.flip()
    wood, cream = sheet.tint(0.42, 0.27, 0.16), sheet.tint(0.97, 0.96, 0.92)
    sheet.paint(sheet.box(-0.018, 0.018, 0.1, 1.0, 0.01), wood)
    # Wind fills the sails: their outer edges are round, and they darken towards the mast.
    main = torch.maximum(0.03 - sheet.u, 0.27 - sheet.v)
    main = torch.maximum(main, 0.83 * (sheet.u - 0.03 - 0.64 * (0.98 - sheet.v) * (1.18 - 0.3 * sheet.v)))
    belly = 0.35 * (sheet.v - 0.55) + 1.3 * (sheet.u - 0.16) * sheet.side
    sheet.paint(sheet.cover(main), sheet.base, belly.clamp(-0.35, 0.5))
    seam = ((sheet.v - 0.27 + 0.2 * sheet.u).remainder(0.19) - 0.095).abs() - 0.007
    sheet.paint(sheet.cover(torch.maximum(main + 0.012, seam)) * 0.5, sheet.base, -0.45)
    jib = torch.maximum(sheet.u + 0.035, 0.29 - sheet.v)
    jib = torch.maximum(jib, 0.84 * (-0.035 - sheet.u - 0.60 * (0.90 - sheet.v) * (1.12 - 0.2 * sheet.v)))
    pale = sheet.base + (1 - sheet.base) * 0.25
    sheet.paint(sheet.cover(jib), pale, (0.2 + 1.4 * (sheet.u + 0.2) * sheet.side).clamp(-0.35, 0.4))
    # The deck rises to the bow, on the jib's side.
    rail = 0.19 + 0.22 * sheet.u**2 - 0.05 * sheet.u
    keel = (sheet.v / 0.2).clamp(0, 1.6) ** 0.6
    hull = torch.maximum(torch.maximum(sheet.v - rail, -sheet.v), (sheet.u + 0.02).abs() - 0.35 - 0.135 * keel)
    shade = 0.7 * sheet.u * sheet.side - 0.15 + 1.4 * (sheet.v - 0.12)
    sheet.paint(sheet.cover(hull), sheet.base, shade.clamp(-0.6, 0.45))
    trim = (sheet.v - rail + 0.022).abs() - 0.02
    white = sheet.where(lambda s: s.color in ("white", ""))[:, None]
    stripe = torch.lerp(cream, sheet.tint(0.35, 0.42, 0.52), white)
    sheet.paint(sheet.cover(torch.maximum(trim, hull)), stripe)
    sheet.paint(sheet.cover(torch.maximum(hull, sheet.v - 0.035)), sheet.base, -0.75)
    flag = torch.maximum((sheet.v - 0.965).abs() - 0.035 * (1 - (sheet.u - 0.01) / 0.16), -sheet.u)
    sheet.paint(sheet.cover(torch.maximum(flag, sheet.u - 0.16)), sheet.base, 0.1)

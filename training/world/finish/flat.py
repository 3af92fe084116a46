"""Few flat colours: pixel art and cut paper."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.world import noise
from training.world.canvas import Canvas
from training.world.finish.smooth import blur, curve, luma, saturate

_CELLS = 64
# Lightness and two opponent colours, which count for more than lightness does.
_TO_OPPONENT = torch.tensor([[0.30, 0.59, 0.11], [0.85, -0.75, -0.10], [0.35, 0.45, -0.80]])
_FROM_OPPONENT = torch.linalg.inv(_TO_OPPONENT)


def _palette(colors: Tensor, weight: Tensor, count: int) -> Tensor:
    """The `count` colours [n, count, 3] that tell most of [n, places, 3]; heavy places matter more."""
    n = colors.shape[0]
    rows = torch.arange(n, device=colors.device)
    chosen = [(colors * weight[..., None]).sum(1) / weight.sum(1, keepdim=True)]
    away = torch.full(weight.shape, 9.0, device=colors.device)
    for _ in range(count - 1):
        away = torch.minimum(away, (colors - chosen[-1][:, None]).square().sum(-1) * weight)
        chosen.append(colors[rows, away.argmax(1)])
    palette = torch.stack(chosen, 1)
    for _ in range(3):
        mine = F.one_hot(_nearest(colors, palette), count).to(colors.dtype) * weight[..., None]
        size = mine.sum(1)[..., None]
        palette = torch.where(size > 0, mine.transpose(1, 2) @ colors / size.clamp_min(1e-6), palette)
    return palette


def _nearest(colors: Tensor, palette: Tensor) -> Tensor:
    """Which colour of [n, count, 3] is nearest to each of [n, places, 3]."""
    return (palette.square().sum(-1)[:, None] - 2 * colors @ palette.transpose(1, 2)).argmin(-1)


def _places(pictures: Tensor) -> Tensor:
    """[n, 3, rows, columns] as opponent colours [n, places, 3]."""
    return pictures.flatten(2).transpose(1, 2) @ _TO_OPPONENT.to(pictures.device).T


def pixel(canvas: Canvas) -> None:
    """Square cells in sixteen colours, the things set off by a darker rim."""
    n, step = len(canvas), canvas.size // _CELLS
    small = F.avg_pool2d(saturate(curve(canvas.pixels, 0.22), 1.2), step)
    small = (small + 0.6 * (small - blur(small, 0.016))).clamp(0, 1)
    thing = F.avg_pool2d(canvas.thing_mask[:, None], step)
    colors = _places(small)
    palette = _palette(colors, 1 + 3 * thing.flatten(1), 14)
    which = _nearest(colors, palette)
    cells = palette.gather(1, which[..., None].expand(-1, -1, 3)) @ _FROM_OPPONENT.to(canvas.device).T
    cells = cells.transpose(1, 2).reshape(n, 3, _CELLS, _CELLS)
    body = (thing > 0.5).float()
    rim = F.max_pool2d(body, 3, 1, 1) - body
    cells = (cells * (1 - 0.4 * rim)).clamp(0, 1)
    canvas.pixels = cells.repeat_interleave(step, -1).repeat_interleave(step, -2)


def papercut(canvas: Canvas) -> None:
    """Sheets of coloured paper on one another, the lower in the picture the nearer, things on top."""
    n, grid, count, on_top = len(canvas), 128, 7, 3
    x = canvas.pixels
    dark = (0.34 - luma(x).mean((-2, -1), keepdim=True)).clamp(0, 0.34)[:, None]
    # A night is lit until its sheets tell apart; a black thing stays black.
    x = x.clamp(0.002, 1) ** (1 - 1.5 * dark * (1 - canvas.thing_mask[:, None]))
    x = saturate(curve(x, 0.2), 1.25).clamp(0, 1)
    small = blur(torch.cat([x, canvas.thing_mask[:, None]], 1), 0.004, grid)
    thing = (small[:, 3:] > 0.5).float()
    # Things are cut sharp, all else in slow curves.
    fine = _places(torch.where(thing > 0.5, small[:, :3], blur(small[:, :3], 0.006)))
    far = thing.flatten(1)
    few = torch.arange(grid * grid, device=canvas.device).reshape(grid, grid)[1::2, ::2].flatten()
    behind = _palette(fine[:, few], 1.001 - far[:, few], count)
    behind, sheets = _far_to_near(behind, F.one_hot(_nearest(fine, behind), count) * (1 - far)[..., None], grid)
    front = _palette(fine[:, few], 0.0001 + far[:, few], on_top)
    sheets = torch.cat([sheets, F.one_hot(_nearest(fine, front), on_top) * far[..., None]], 2)
    palette = (torch.cat([behind, front], 1) @ _FROM_OPPONENT.to(canvas.device).T).clamp(0, 1)
    sheets = sheets.transpose(1, 2).reshape(n, count + on_top, grid, grid)
    hard = torch.softmax(60 * blur(sheets, 0.008), 1)
    # The things throw one shadow, not one for each of their papers.
    above = hard[:, : count + 1].clone()
    above[:, count] = hard[:, count:].sum(1)
    above = above.flip(1).cumsum(1).flip(1)
    cast = blur(F.pad(above, (2, 0, 3, 0), mode="replicate")[..., :grid, :grid], 0.014)
    light = (1 - 0.5 * cast).flip(1).cumprod(1).flip(1)[:, 1:].clamp_min(0.4)
    light = F.interpolate(light, (canvas.size, canvas.size), mode="bilinear", align_corners=False)
    share = torch.softmax(60 * blur(sheets, 0.009, canvas.size), 1)
    shade = share[:, count:].sum(1, keepdim=True) + (share[:, :count] * light).sum(1, keepdim=True)
    flat = (palette.transpose(1, 2) @ share.flatten(2)).reshape(n, 3, canvas.size, canvas.size)
    grain = noise.plane(canvas, 86, 0.9, cells=256, finest=4)
    canvas.pixels = (flat * shade * (1 + 0.015 * grain)[:, None]).clamp(0, 1)


def _far_to_near(palette: Tensor, mine: Tensor, grid: int) -> tuple[Tensor, Tensor]:
    """Colours [n, count, 3] and who has which [n, places, count], ordered by how low in the picture they lie."""
    row = torch.arange(grid, device=palette.device).repeat_interleave(grid) / grid
    low = (mine * row[None, :, None]).sum(1) / mine.sum(1).clamp_min(1)
    order = low.argsort(1)[:, None]
    return palette.gather(1, order.transpose(1, 2).expand(-1, -1, 3)), mine.gather(2, order.expand_as(mine))

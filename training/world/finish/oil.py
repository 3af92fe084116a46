"""Oil paint: strokes of one colour each, laid along the forms, thick enough to catch the light."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.world import noise
from training.world.canvas import Canvas
from training.world.finish.smooth import blur, curve, differences, luma, saturate, vignette

# Strokes across the picture, broad to fine: each layer paints only what the one below it lost.
_LAYERS = (16, 32, 64)


def _pixels_by_cell(pictures: Tensor, cells: int) -> Tensor:
    """[n, size, size] as [n, pixels, pixels, cells, cells]: each pixel of a cell, for all cells."""
    n, size = pictures.shape[0], pictures.shape[-1]
    step = size // cells
    return pictures.reshape(n, cells, step, cells, step).permute(0, 2, 4, 1, 3)


def _picture(by_cell: Tensor) -> Tensor:
    """The way back: [n, ..., pixels, pixels, cells, cells] to [n, ..., size, size]."""
    step, cells = by_cell.shape[-3], by_cell.shape[-1]
    moved = by_cell.movedim((-2, -1), (-4, -2))
    return moved.reshape(*by_cell.shape[:-4], cells * step, cells * step)


def _flow(canvas: Canvas, light: Tensor, cells: int) -> Tensor:
    """The angle in which to paint each cell: along its edges, and in slow waves where there are none."""
    small = F.avg_pool2d(light[:, None], light.shape[-1] // cells)
    right, down = differences(small)
    turn = blur(torch.cat([down * down - right * right, -2 * right * down], 1), 0.03)
    place = (torch.arange(cells, device=canvas.device) + 0.5) * (40.0 / cells)
    field = noise.bank(41, 2.6, 6.0, canvas.device)
    y = place[None, :, None] + canvas.uniform(0, noise.BANK)
    wave = noise.sample(field, y, place[None, None, :] + canvas.uniform(0, noise.BANK))
    calm = 0.5
    return 0.5 * torch.atan2(turn[:, 1] + calm * torch.sin(1.1 * wave), turn[:, 0] + calm * torch.cos(1.1 * wave))


def _strokes(
    canvas: Canvas, picture: Tensor, angle: Tensor, wanted: Tensor, rough: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One stroke for each cell: colours [n, 3, size, size], coverage and height of the paint [n, size, size].

    `angle` and `wanted` (0 leaves a stroke out) are [n, cells, cells]; `rough` [n, size, size] frays the ends.
    """
    n, cells, size = len(canvas), angle.shape[-1], canvas.size
    step = size // cells
    chances = np.stack([rng.random((8, cells, cells), np.float32) for rng in canvas.rngs])
    chance = torch.from_numpy(chances).to(canvas.device)
    shift = 0.5 + 0.6 * (chance[:, :2] - 0.5)
    grid = torch.arange(cells, device=canvas.device, dtype=torch.float32)
    place = torch.stack([grid[None, None, :] + shift[:, 0], grid[None, :, None] + shift[:, 1]], -1) * (2 / cells) - 1
    color = F.grid_sample(picture, place, mode="bilinear", padding_mode="border", align_corners=False)
    color = color * (1 + 0.26 * (chance[:, 2:3] - 0.5)) + 0.03 * (chance[:, 2:3] - 0.5) + 0.07 * (chance[:, 3:6] - 0.5)
    # The later of two strokes is known by its far larger weight.
    weight = torch.exp(14 * chance[:, 6]) * wanted
    length, width = 0.95 + 0.25 * chance[:, 7], 0.5 + 0.1 * chance[:, 4]
    cosine, sine = torch.cos(angle), torch.sin(angle)
    facts = torch.stack([cosine / length, sine / length, -sine / width, cosine / width, weight, 6.3 * chance[:, 5]], 1)
    facts = F.pad(torch.cat([facts, shift, wanted[:, None], color], 1), (1, 1, 1, 1), mode="replicate")
    inner = (torch.arange(step, device=canvas.device, dtype=torch.float32) + 0.5) / step
    frayed = _pixels_by_cell(rough, cells).contiguous()
    total = torch.zeros(n, 6, step, step, cells, cells, device=canvas.device)
    cover = torch.zeros(n, step, step, cells, cells, device=canvas.device)
    for row in (-1, 0, 1):
        for column in (-1, 0, 1):
            part = facts[:, :, 1 + row : 1 + row + cells, 1 + column : 1 + column + cells].contiguous()
            au, av, bu, bv, order, phase, sx, sy, there, red, green, blue = part[:, :, None, None].unbind(1)
            x = inner[None, None, :, None, None] - (sx + column)
            y = inner[None, :, None, None, None] - (sy + row)
            along = (x * au + y * av).add_(frayed)
            across = x * bu + y * bv
            away = along.square_().square_() + across.square().square_()
            inside = away.mul_(-1.6).add_(1.6).clamp_(0, 1)
            cover = torch.maximum(cover, inside * there)
            inside.mul_(order)
            total[:, 5] += inside
            for layer, value in enumerate((red, green, blue, across.mul_(3.4).add_(phase))):
                total[:, layer].addcmul_(inside, value)
    total[:, :4] /= total[:, 5:] + 1e-9
    bristles = torch.sin(total[:, 3]) + 0.5 * torch.sin(total[:, 3] * 2.3)
    total[:, 4] = bristles
    laid = _picture(total[:, :5])
    return laid[:, :3], _picture(cover), laid[:, 4]


def oil(canvas: Canvas) -> None:
    """Impasto: broad strokes where little happens, ever finer ones towards the things and the edges."""
    x = canvas.pixels
    dark = (0.34 - luma(x).mean((-2, -1), keepdim=True)).clamp(0, 0.34)[:, None]
    x = saturate(curve(x.clamp(0.002, 1) ** (1 - 1.1 * dark), 0.2), 1.22).clamp(0, 1)
    light = luma(blur(x, 0.006, 128))
    rough = 0.22 * noise.plane(canvas, 42, 1.0, cells=256, finest=3)
    painted, height = x, 0.0
    for cells in _LAYERS:
        wanted = torch.ones(len(canvas), cells, cells, device=canvas.device)
        if cells > _LAYERS[0]:
            loss = F.avg_pool2d((painted - x).abs().amax(1, keepdim=True), canvas.size // cells)
            things = F.avg_pool2d(canvas.thing_mask[:, None], canvas.size // cells)
            wanted = noise.smoothstep(0.05, 0.11, blur(loss, 0.4 / cells) + 0.1 * things)[:, 0]
        mixed = blur(x, 0.12 / cells, 2 * cells) if cells < _LAYERS[-1] else x
        laid, cover, paint = _strokes(canvas, mixed, _flow(canvas, light, cells), wanted, rough)
        painted = torch.lerp(painted, laid, cover[:, None])
        height = torch.lerp(height, paint, cover) if cells > _LAYERS[0] else paint * cover
    # Things keep their outline under the strokes.
    painted = torch.lerp(painted, x, 0.5 * canvas.thing_mask[:, None])
    reach = max(1, canvas.size // 256)
    side = canvas.facts["light_side"]
    slope = height - torch.where(side < 0, height.roll(reach, -1), height.roll(-reach, -1)).roll(reach, -2)
    slope = slope * (1 - 0.4 * canvas.thing_mask)
    painted = painted * (1 + 0.10 * slope)[:, None] + 0.03 * slope[:, None]
    canvas.pixels = (painted * vignette(canvas.size, 0.1, canvas.device)).clamp(0, 1)

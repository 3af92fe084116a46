"""What light does: glowing tubes at night, and a lens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.world import noise
from training.world.canvas import Canvas
from training.world.finish.named import named
from training.world.finish.smooth import blur, curve, differences, luma, saturate, vignette


def neon(canvas: Canvas) -> None:
    """Outlines of light in each thing's own colour over a blue-black night."""
    x, thing = canvas.pixels, canvas.thing_mask
    soft = blur(torch.cat([x, thing[:, None]], 1), 0.0045)
    right, down = differences(soft)
    steep = torch.hypot(right, down)
    edge = steep[:, :3].amax(1)
    # What counts as an edge is what is steep for this picture.
    usual = F.avg_pool2d(edge[:, None], canvas.size // 32).flatten(1).quantile(0.93, 1)[:, None, None].clamp(0.9, 6)
    # Inside a thing only its strongest edges are drawn, so that its outline stays clear.
    inside = noise.smoothstep(0.7, 0.95, soft[:, 3])
    line = noise.smoothstep(0.6, 1.7, edge / torch.lerp(usual, 1.4 * usual.clamp_min(7.0), thing)) * (1 - 0.35 * inside)
    line = torch.maximum(line, noise.smoothstep(8, 26, steep[:, 3]))
    # Where lines crowd behind what a caption names, each of them glows less.
    line = line / (1 + (1 - named(canvas)[:, 0]) * (4 * blur(line, 0.05) - 0.4).clamp_min(0))
    # The strongest colour close by: the thing's own before that of what is behind it.
    spread = x.amax(1) - x.amin(1)
    behind = 0.02 + spread.square() + 0.2 * x.amax(1).square()
    weight = torch.lerp(behind, 4 + 4 * spread.square(), thing)
    near = blur(torch.cat([x * weight[:, None], weight[:, None]], 1), 0.012)
    hue = near[:, :3] / near[:, 3:]
    peak, least = hue.amax(1, keepdim=True), hue.amin(1, keepdim=True)
    # What is black glows least; a dark colour still is one.
    bright = 0.22 + 0.78 * noise.smoothstep(0.12, 0.42, peak + (peak - least))
    hue = hue / peak.clamp_min(0.05)
    hue = saturate(hue, 1.9).clamp(0, 1)
    hue = hue / hue.amax(1, keepdim=True).clamp_min(0.3) * bright
    glowing = line[:, None] * hue
    bloom = blur(glowing, 0.010) * 0.6 + blur(glowing, 0.035) * 1.0
    night = torch.tensor([0.016, 0.018, 0.055], device=canvas.device)[None, :, None, None]
    body = x * (0.15 + 0.25 * thing)[:, None]
    core = noise.smoothstep(0.55, 1.0, line)[:, None]
    picture = 1 - (1 - night - body).clamp(0, 1) * (1 - glowing) * (1 - bloom.clamp(0, 1))
    canvas.pixels = torch.lerp(picture, hue * 0.6 + 0.4, 0.4 * core).clamp(0, 1)


def _disc(radius: float, device: torch.device) -> Tensor:
    reach = int(radius + 1)
    line = torch.arange(-reach, reach + 1, device=device, dtype=torch.float32)
    kernel = (radius + 0.5 - torch.hypot(line[:, None], line[None, :])).clamp(0, 1)
    return kernel / kernel.sum()


def _out_of_focus(pictures: Tensor, weight: Tensor, size: int) -> Tensor:
    """Each point spread to a disc [n, 3, size, size]; `weight` [n, 1, size, size] says which points there are."""
    grid = 128
    small = F.avg_pool2d(torch.cat([pictures * weight, weight], 1), size // grid)
    kernel = _disc(3.1, pictures.device)
    reach = kernel.shape[0] // 2
    padded = F.pad(small, (reach,) * 4, mode="replicate")
    spread = F.conv2d(padded, kernel[None, None].expand(4, 1, -1, -1), groups=4)
    spread = F.interpolate(spread, (size, size), mode="bilinear", align_corners=False)
    return spread[:, :3] / spread[:, 3:].clamp_min(1e-4)


def photo(canvas: Canvas) -> None:
    """One plane in focus, a soft far and near, film and lens."""
    x, thing = canvas.pixels, canvas.thing_mask[:, None]
    # Bright points weigh more, so that they become discs of light.
    weight = (1 - 0.97 * blur(thing, 0.004)) * (0.3 + x.amax(1, keepdim=True) ** 4)
    far = _out_of_focus(x, weight, canvas.size)
    # The ground is sharp where the lowest thing stands; a landscape without one is, but for what is close.
    rows = thing.amax(-1)[:, 0]
    place = torch.arange(canvas.size, device=canvas.device) / canvas.size
    foot = torch.where(rows > 0.5, place, -1.0).amax(-1)[:, None, None]
    horizon = canvas.facts["horizon"]
    some = (foot > 0).float()
    foot = torch.where(foot > horizon, foot, horizon + 0.06)
    behind = some * noise.smoothstep(0.0, 1.0, (foot - canvas.y) / (foot - horizon + 0.03))
    before = noise.smoothstep(0.08, 0.30, canvas.y - foot)
    loose = torch.maximum(behind, before)[:, None] * (1 - thing)
    x = torch.lerp(x, far, loose)
    x = curve(x.clamp(0, 1), 0.3, 0.45)
    x = torch.lerp(saturate(x, 0.74), saturate(x, 0.9), named(canvas))
    light = ((x - 0.72) / 0.28).clamp(0, 1)
    x = x + (1 - x) * (0.5 * blur(light, 0.03))
    grain = noise.plane(canvas, 87, 0.1, cells=256, finest=2)
    x = x + 0.010 * grain[:, None]
    # Film: cool shadows that are not quite black, warm highlights.
    cool = torch.tensor([-0.008, 0.018, 0.046], device=canvas.device)[None, :, None, None]
    warm = torch.tensor([0.028, 0.006, -0.050], device=canvas.device)[None, :, None, None]
    grey = luma(x)[:, None]
    x = x + cool * (1 - grey) + warm * grey
    canvas.pixels = (x * vignette(canvas.size, 0.52, canvas.device)).clamp(0, 1)

"""Blurs and other measures of a picture, in fractions of its size."""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

LUMA = (0.30, 0.59, 0.11)


def luma(pixels: Tensor) -> Tensor:
    """How light each pixel is: [n, 3, ...] to [n, ...]."""
    return pixels[:, 0] * LUMA[0] + pixels[:, 1] * LUMA[1] + pixels[:, 2] * LUMA[2]


def saturate(pixels: Tensor, amount: float) -> Tensor:
    """Colours pushed away from grey (above 1) or towards it."""
    return torch.lerp(luma(pixels)[:, None].expand_as(pixels), pixels, amount)


def curve(pixels: Tensor, strength: float, middle: float = 0.43) -> Tensor:
    """A gentle S about `middle`."""
    return pixels + (2 * strength) * pixels * (1 - pixels) * (pixels - middle)


@cache
def vignette(size: int, strength: float, device: torch.device) -> Tensor:
    """Darkening towards the corners, [1, 1, size, size]; `strength` is what the corners lose."""
    line = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size - 0.5
    square = 2 * (line[None, :] ** 2 + line[:, None] ** 2)
    return (1 - strength * square**1.3)[None, None]


def _gaussian(rows: int, columns: int, sigma: float, device: torch.device) -> Tensor:
    row = (torch.arange(rows, dtype=torch.float64) + 0.5) / rows
    column = (torch.arange(columns, dtype=torch.float64) + 0.5) / columns
    weight = torch.exp(-0.5 * ((row[:, None] - column[None, :]) / sigma) ** 2)
    return (weight / weight.sum(1, keepdim=True)).float().to(device)


# Below this a blur is a sum over the few pixels around; above it goes through a coarser grid.
_NARROW = 0.011


@cache
def _steps(rows: int, columns: int, sigma: float, device: torch.device) -> tuple[tuple[Tensor, Tensor], ...]:
    # Half of a wide blur's variance on the way down to the coarse grid, half on the way up.
    coarse = math.ceil(1.5 / sigma)
    stages = [(rows, columns, sigma)]
    if coarse < min(rows, columns):
        half = sigma * math.sqrt(0.5)
        stages = [(coarse, columns, half), (rows, coarse, half)]
    steps = [_gaussian(*stage, device) for stage in stages]
    return tuple((step, step.T.contiguous()) for step in steps)


@cache
def _kernel(sigma: float, device: torch.device) -> Tensor:
    reach = max(1, math.ceil(2.6 * sigma))
    away = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weight = torch.exp(-0.5 * (away / max(sigma, 0.3)) ** 2)
    return (weight / weight.sum()).to(device)


def _narrow(pictures: Tensor, sigma: float) -> Tensor:
    kernel = _kernel(sigma * pictures.shape[-1], pictures.device)
    flat = pictures.reshape(1, -1, *pictures.shape[-2:])
    reach, count = len(kernel) // 2, flat.shape[1]
    kernel = kernel.expand(count, 1, 1, -1)
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="replicate"), kernel, groups=count)
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode="replicate"), kernel.transpose(2, 3), groups=count)
    return flat.reshape(pictures.shape)


def blur(pictures: Tensor, sigma: float, size: int | None = None) -> Tensor:
    """Gaussian blur of [..., size, size] by `sigma` in parts of the picture; to another `size` when given."""
    here = pictures.shape[-1]
    if sigma < _NARROW and size in (None, here):
        return _narrow(pictures, sigma)
    for left, right in _steps(size or here, here, sigma, pictures.device):
        pictures = torch.matmul(left, torch.matmul(pictures, right))
    return pictures


def differences(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes of [..., size, size] rightwards and downwards, in units per picture width."""
    size = pictures.shape[-1]
    right, down = torch.zeros_like(pictures), torch.zeros_like(pictures)
    torch.sub(pictures[..., 2:], pictures[..., :-2], out=right[..., 1:-1])
    torch.sub(pictures[..., 2:, :], pictures[..., :-2, :], out=down[..., 1:-1, :])
    return right.mul_(size / 2), down.mul_(size / 2)

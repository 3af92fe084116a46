"""Fractal noise: made once per device and then only looked up."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.world.canvas import Canvas

BANK = 512


@cache
def bank(seed: int, slope: float, finest: float, device: torch.device) -> Tensor:
    """A tiling field of unit deviation [1, 1, BANK + 2, BANK + 2], wrapped by one at each side.

    A larger slope is smoother; `finest` is its shortest wave in its own cells.
    """
    rng = np.random.default_rng(seed)
    k = np.hypot(np.fft.fftfreq(BANK)[:, None], np.fft.rfftfreq(BANK)[None, :])
    k[0, 0] = 1.0
    amplitude = np.maximum(k, 3 / BANK) ** -slope * np.exp(-((k * finest) ** 2))
    amplitude[0, 0] = 0.0
    field = np.fft.irfft2(amplitude * np.exp(1j * rng.uniform(0, 2 * np.pi, k.shape)), s=(BANK, BANK))
    wrapped = np.pad((field / field.std()).astype(np.float32), 1, mode="wrap")
    return torch.from_numpy(wrapped)[None, None].to(device)


def sample(field: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The field at places in its own cells, which wrap; [n, rows, columns] as `y` and `x` broadcast to."""
    y, x = torch.broadcast_tensors(y, x)
    place = torch.stack([torch.remainder(x, BANK) + 1, torch.remainder(y, BANK) + 1], -1)
    place = place * (2.0 / (BANK + 1)) - 1.0
    n = place.shape[0]
    return F.grid_sample(field.expand(n, -1, -1, -1), place, mode="bilinear", align_corners=True)[:, 0]


def plane(
    canvas: Canvas, seed: int, slope: float, cells: float = 256.0, finest: float = 4.0, stretch: float = 1.0
) -> Tensor:
    """A random window of noise over each picture, `cells` cells high: [n, size, size].

    A picture of another size shows the same noise. A `stretch` above 1 draws it out sideways.
    """
    field = bank(seed, slope, finest, canvas.device)
    y = canvas.y * cells + canvas.uniform(0, BANK)
    x = canvas.x * (cells / stretch) + canvas.uniform(0, BANK)
    return sample(field, y, x)


def line(canvas: Canvas, slope: float, first: int = 1, waves: int = 64) -> Tensor:
    """A random curve over each picture's width, of about unit deviation: [n, 1, size].

    Its longest wave spans 1/first of twice the width; a larger slope is smoother.
    """
    k = np.arange(first, waves + 1, dtype=np.float32)
    amplitude = k**-slope
    amplitude /= np.sqrt((amplitude**2).sum() / 2)
    phases = np.stack([rng.uniform(0, 2 * np.pi, k.size) for rng in canvas.rngs]).astype(np.float32)
    phase = torch.from_numpy(phases).to(canvas.device)[:, :, None]
    waves_k = torch.from_numpy(k * np.pi).to(canvas.device)[None, :, None]
    weight = torch.from_numpy(amplitude).to(canvas.device)[None, :, None]
    return (torch.sin(canvas.x * waves_k + phase) * weight).sum(1, keepdim=True)


def smoothstep(low: float, high: float, x: Tensor) -> Tensor:
    """0 below `low`, 1 above `high`, smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3.0 - 2.0 * t)

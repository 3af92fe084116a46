"""Fractal noise, made once per process and then only looked up."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

BANK = 1024
_MASK = BANK - 1


@lru_cache(maxsize=None)
def bank(seed: int, slope: float, finest: float = 4.0) -> np.ndarray:
    """A tiling field of unit deviation; a larger slope is smoother, `finest` its shortest wave."""
    rng = np.random.default_rng(seed)
    fy = np.fft.fftfreq(BANK)[:, None]
    fx = np.fft.rfftfreq(BANK)[None, :]
    k = np.hypot(fy, fx)
    k[0, 0] = 1.0
    amplitude = np.maximum(k, 3 / BANK) ** -slope * np.exp(-((k * finest) ** 2))
    amplitude[0, 0] = 0.0
    phase = rng.uniform(0, 2 * np.pi, k.shape)
    field = np.fft.irfft2(amplitude * np.exp(1j * phase), s=(BANK, BANK))
    return (field / field.std()).astype(np.float32)


def lookup(field: np.ndarray, iy: np.ndarray, ix: np.ndarray) -> np.ndarray:
    """The field at whole-number coordinates, which wrap."""
    return field[iy.astype(np.int32) & _MASK, ix.astype(np.int32) & _MASK]


def patch(rng: np.random.Generator, field: np.ndarray, height: int, width: int) -> np.ndarray:
    """A random window of the field at its own scale."""
    y, x = int(rng.integers(BANK - height)), int(rng.integers(BANK - width))
    window = field[y : y + height, x : x + width]
    return window[:, ::-1] if rng.random() < 0.5 else window


def curve(rng: np.random.Generator, count: int, slope: float, first: int = 1) -> np.ndarray:
    """A random line of unit deviation whose longest wave spans 1/first of twice the width."""
    n = 2 * count
    k = np.arange(n // 2 + 1, dtype=np.float32)
    amplitude = np.zeros_like(k)
    amplitude[first:] = k[first:] ** -slope
    spectrum = amplitude * (rng.normal(size=k.size) + 1j * rng.normal(size=k.size))
    line = np.fft.irfft(spectrum, n)[:count]
    return ((line - line.mean()) / (line.std() + 1e-9)).astype(np.float32)


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)

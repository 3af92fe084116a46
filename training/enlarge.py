"""Trains the upscaler: what the autoencoder leaves of a small picture, to the same picture drawn twice as large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.autoencoder import load_autoencoder, picture_loss, to_tensor
from training.dataset import SIZE, Pictures
from training.judge import soften
from training.stage import Stage, averaged, device
from training.upscaler import Upscaler

CHANNELS, BLOCKS = 32, 5
BATCH = 8
CROP = 48  # pixels of the small picture


def train_upscaler(large_dir: Path, autoencoder: Path, small_file: Path, out: Path, minutes: float) -> None:
    """Trains for `minutes` in all, resuming from `out`; `large_dir` holds pictures of twice the size."""
    where = device()
    large = Pictures(large_dir).pixels
    if not small_file.exists():
        np.save(small_file, _small(large, load_autoencoder(autoencoder).to(where), where))
    small = np.load(small_file, mmap_mode="r")
    model = Upscaler(CHANNELS, BLOCKS).to(memory_format=torch.channels_last)

    def loss(step: int, _fraction: float) -> Tensor:
        rng = np.random.default_rng((6, step))
        inputs, wanted = [], []
        for _ in range(BATCH):
            i, kind = int(rng.integers(len(large))), int(rng.random() < 0.6)
            y, x = (int(v) for v in rng.integers(0, SIZE - CROP + 1, 2))
            inputs.append(small[kind, i, y : y + CROP, x : x + CROP])
            wanted.append(large[i, 2 * y : 2 * (y + CROP), 2 * x : 2 * (x + CROP)])
        made = model(to_tensor(np.stack(inputs)).contiguous(memory_format=torch.channels_last).to(where)).float()
        edge = 8  # what lies beyond the crop is not known there
        return picture_loss(
            made[..., edge:-edge, edge:-edge], to_tensor(np.stack(wanted)).to(where)[..., edge:-edge, edge:-edge]
        )

    Stage("upscaler", model, out, minutes, BATCH, peak_rate=1e-3, ema_decay=0.995, held=0.3).run(loss)


def load_upscaler(checkpoint: Path) -> Upscaler:
    """The trained upscaler."""
    model = Upscaler(CHANNELS, BLOCKS)
    model.load_state_dict(averaged(checkpoint))
    return model.eval()


def _small(large: np.ndarray, autoencoder: torch.nn.Module, where: torch.device) -> np.ndarray:
    """Both kinds of small pictures, [2, n, 256, 256, 3]: as they are, and as the autoencoder leaves them."""
    plain = np.empty((len(large), SIZE, SIZE, 3), np.uint8)
    for i in range(0, len(large), 8):
        half = F.avg_pool2d(to_tensor(large[i : i + 8]), 2)
        plain[i : i + 8] = half.add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).numpy()
    return np.stack([plain, soften(plain, autoencoder, where)])

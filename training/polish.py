"""Trains the decoder a while longer on the finished latents, with the encoder left as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.autoencoder import load_learner, picture_loss, to_tensor
from training.dataset import LATENT_SIDE, Pictures
from training.latents import load_latents
from training.stage import Stage, device

BATCH = 8
CROP = 12  # latent pixels


def polish_decoder(pictures_dir: Path, latents_dir: Path, start: Path, out: Path, minutes: float) -> None:
    """Starts from the autoencoder in `start`, or goes on from `out`, for `minutes` in all."""
    learner = load_learner(start).requires_grad_(False)
    model = learner.autoencoder
    model.decoder.requires_grad_(True)
    pictures, (latents, _), where = Pictures(pictures_dir).pixels, load_latents(latents_dir), device()

    def loss(step: int, _fraction: float) -> Tensor:
        rng = np.random.default_rng((4, step))
        zs, xs = [], []
        for i in rng.integers(0, len(pictures), BATCH):
            y, x = rng.integers(0, LATENT_SIDE - CROP + 1, 2)
            zs.append(latents[i, :, y : y + CROP, x : x + CROP])
            xs.append(pictures[i, 8 * y : 8 * (y + CROP), 8 * x : 8 * (x + CROP)])
        z = torch.from_numpy(np.stack(zs)).float().contiguous(memory_format=torch.channels_last).to(where)
        z = z + torch.randn_like(z) * (0.08 * rng.random())
        # The outermost pixels see a border that a whole picture would not have there.
        made, wanted = (t[..., 8:-8, 8:-8] for t in (model.decoder(z).float(), to_tensor(np.stack(xs)).to(where)))
        return picture_loss(made, wanted)

    Stage("decoder", learner, out, minutes, BATCH, peak_rate=8e-4, ema_decay=0.995, held=0.3).run(loss)

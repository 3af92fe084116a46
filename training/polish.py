"""Trains the decoder a while longer on the finished latents, with the encoder left as it is."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from training.autoencoder import load_autoencoder, picture_loss, save_checkpoint, to_tensor
from training.clock import Clock, cosine
from training.dataset import load_pictures
from training.latents import load_latents
from training.models import LATENT_SIDE
from training.parallel import average_gradients, run_parallel

BATCH = 4
CROP = 12  # latent pixels
PEAK_RATE = 8e-4


def polish_decoder(
    pictures_dir: Path, latents_dir: Path, start: Path, out: Path, minutes: float, processes: int = 2, seed: int = 3
) -> None:
    """Starts from the autoencoder in `start`, or goes on from `out`, for `minutes` of wall-clock time."""
    run_parallel(processes, _train, pictures_dir, latents_dir, start, out, minutes, seed)


def _train(
    rank: int, world: int, pictures_dir: Path, latents_dir: Path, start: Path, out: Path, minutes: float, seed: int
) -> None:
    model = load_autoencoder(out if out.exists() else start).train()
    pictures, (latents, _) = load_pictures(pictures_dir), load_latents(latents_dir)
    optimizer = torch.optim.AdamW(model.decoder.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99), weight_decay=1e-4)
    torch.manual_seed(seed + rank)
    rng = np.random.default_rng((seed, rank))
    clock, step, stop = Clock(minutes * 60), 0, False
    running, last = None, time.monotonic()
    while not stop:
        for group in optimizer.param_groups:
            group["lr"] = cosine(clock.fraction(), step, PEAK_RATE)
        zs, xs = [], []
        for i in rng.integers(0, len(pictures), BATCH):
            y, x = rng.integers(0, LATENT_SIDE - CROP + 1, 2)
            zs.append(latents[i, :, y : y + CROP, x : x + CROP])
            xs.append(pictures[i, 8 * y : 8 * (y + CROP), 8 * x : 8 * (x + CROP)])
        z = torch.from_numpy(np.stack(zs)).float().contiguous(memory_format=torch.channels_last)
        z = z + torch.randn_like(z) * (0.08 * rng.random())
        # The outermost pixels see a border that a whole picture would not have there.
        made, wanted = (t[..., 8:-8, 8:-8] for t in (model.decoder(z), to_tensor(np.stack(xs))))
        loss = picture_loss(made, wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        mean, stop = average_gradients(model.decoder.parameters(), loss.item(), clock.done())
        torch.nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        optimizer.step()
        step += 1
        running = mean if running is None else 0.98 * running + 0.02 * mean
        if rank == 0 and step % 100 == 0:
            speed = 100 * BATCH * world / (time.monotonic() - last)
            last = time.monotonic()
            print(f"decoder {step} loss {running:.4f} {speed:.0f} crops/s {clock.fraction():.0%}", flush=True)
        if rank == 0 and (step % 500 == 0 or stop):
            save_checkpoint(model, optimizer, step, clock, out)

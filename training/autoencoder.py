"""The tiny autoencoder: 256x256 pictures to 8x32x32 latents and back."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock
from torch import nn

from training.clock import Clock, cosine
from training.dataset import load_pictures
from training.parallel import average_gradients, run_parallel

LATENT_CHANNELS = 8
BATCH = 4


def new_autoencoder() -> AutoencoderTiny:
    """An untrained autoencoder of the starter model's size."""
    model = AutoencoderTiny(
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(48, 48, 48, 48),
        latent_channels=LATENT_CHANNELS,
        num_encoder_blocks=(0, 1, 2, 2),
        num_decoder_blocks=(3, 3, 2, 0),
    )
    _start_well(model)
    return model


def _start_well(model: AutoencoderTiny) -> None:
    """Starts every residual block as the identity and every upsampling as a plain enlargement.

    The decoder then begins by painting flat squares of the right colour, which saves a good part of
    a short training.
    """
    for module in model.modules():
        if isinstance(module, AutoencoderTinyBlock):
            for layer in module.conv[:-1]:
                if isinstance(layer, nn.Conv2d):
                    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                    nn.init.zeros_(layer.bias)
            nn.init.zeros_(module.conv[-1].weight)
            nn.init.zeros_(module.conv[-1].bias)
    for layer in model.encoder.layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    enlarged = False
    for layer in model.decoder.layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
            if enlarged and layer.in_channels == layer.out_channels:
                layer.weight.data.mul_(0.2)
                layer.weight.data[:, :, 1, 1] += torch.eye(layer.in_channels)
        enlarged = isinstance(layer, nn.Upsample)
    last = model.decoder.layers[-1]
    last.weight.data.mul_(0.3)
    last.bias.data.fill_(0.4)


def to_tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 [n, h, w, 3] to float [n, 3, h, w] in -1..1."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def _crops(pictures: np.ndarray, rng: np.random.Generator, crop_side: int) -> torch.Tensor:
    side = pictures.shape[1] - crop_side
    out = np.empty((BATCH, crop_side, crop_side, 3), np.uint8)
    for i in range(BATCH):
        y, x = rng.integers(0, side + 1, 2)
        crop = pictures[int(rng.integers(len(pictures))), y : y + crop_side, x : x + crop_side]
        out[i] = crop[:, ::-1] if rng.random() < 0.5 else crop
    return to_tensor(out).contiguous(memory_format=torch.channels_last)


def picture_loss(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """L1 of pixels and of their edges, at three scales."""
    loss = F.l1_loss(made, wanted)
    for _ in range(3):
        for axis in (2, 3):
            loss = loss + 0.6 * F.l1_loss(made.diff(dim=axis), wanted.diff(dim=axis))
        made, wanted = F.avg_pool2d(made, 2), F.avg_pool2d(wanted, 2)
        loss = loss + 0.4 * F.l1_loss(made, wanted)
    return loss


def _statistics_penalty(z: torch.Tensor) -> torch.Tensor:
    """Pulls every latent channel to zero mean and unit deviation over a batch."""
    mean, deviation = z.mean((0, 2, 3)), z.std((0, 2, 3))
    return (mean**2).mean() + ((deviation - 1) ** 2).mean()


def train_autoencoder(pictures_dir: Path, out: Path, minutes: float, processes: int = 2, seed: int = 1) -> None:
    """Trains for a span of wall-clock time, resuming from `out` when it holds a checkpoint.

    The decoder also sees noisy latents and latents shrunk to half size. Both make the latent space
    smooth, which is what lets a small diffusion model learn it.
    """
    run_parallel(processes, _train, pictures_dir, out, minutes, seed)


def _train(rank: int, world: int, pictures_dir: Path, out: Path, minutes: float, seed: int) -> None:
    torch.manual_seed(seed)
    model = new_autoencoder().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=1e-4)
    clock, step = Clock(minutes * 60), 0
    if out.exists():
        saved = torch.load(out, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step, clock.used = saved["step"], saved["used"]
    torch.manual_seed(seed + 1000 * step + rank)
    rng = np.random.default_rng((seed, step, rank))
    pictures = load_pictures(pictures_dir)
    running, last, stop = None, time.monotonic(), clock.done()
    while not stop:
        for group in optimizer.param_groups:
            group["lr"] = cosine(clock.fraction(), step, 1.6e-3)
        x = _crops(pictures, rng, 64 if clock.fraction() < 0.75 else 96)
        z = model.encoder(x)
        penalty = 0.1 * _statistics_penalty(z)
        target = x
        if rng.random() < 0.25:
            z, target = F.avg_pool2d(z, 2), F.avg_pool2d(x, 2)
        z = z + torch.randn_like(z) * (0.12 * rng.random())
        loss = picture_loss(model.decoder(z), target) + penalty
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        mean, stop = average_gradients(model.parameters(), loss.item(), clock.done())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        running = mean if running is None else 0.98 * running + 0.02 * mean
        if rank == 0 and step % 100 == 0:
            speed = 100 * BATCH * world / (time.monotonic() - last)
            last = time.monotonic()
            print(f"autoencoder {step} loss {running:.4f} {speed:.0f} crops/s {clock.fraction():.0%}", flush=True)
        if rank == 0 and (step % 500 == 0 or stop):
            save_checkpoint(model, optimizer, step, clock, out)


def save_checkpoint(model: AutoencoderTiny, optimizer: torch.optim.Optimizer, step: int, clock: Clock, out: Path) -> None:
    """Replaces the checkpoint in one move, so that a reader never sees half of one."""
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "used": clock.elapsed()}
    torch.save(state, out.with_suffix(".part"))
    out.with_suffix(".part").rename(out)


def load_autoencoder(checkpoint: Path) -> AutoencoderTiny:
    """The trained autoencoder, for use only."""
    model = new_autoencoder()
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["model"])
    return model.eval().to(memory_format=torch.channels_last)

"""The tiny autoencoder: 256x256 pictures to 8x32x32 latents and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock
from torch import Tensor, nn

from training.dataset import Pictures
from training.stage import Stage, averaged, device

LATENT_CHANNELS = 8
BATCH = 16


def new_autoencoder() -> AutoencoderTiny:
    """An untrained autoencoder of the starter model's size."""
    model = AutoencoderTiny(
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(48, 48, 48, 48),
        latent_channels=LATENT_CHANNELS,
        num_encoder_blocks=(0, 1, 2, 2),
        num_decoder_blocks=(3, 3, 3, 0),
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


def to_tensor(pictures: np.ndarray) -> Tensor:
    """uint8 [n, h, w, 3] to float [n, 3, h, w] in -1..1."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def _crops(pictures: np.ndarray, rng: np.random.Generator, crop_side: int) -> Tensor:
    side = pictures.shape[1] - crop_side
    out = np.empty((BATCH, crop_side, crop_side, 3), np.uint8)
    for i in range(BATCH):
        y, x = rng.integers(0, side + 1, 2)
        crop = pictures[int(rng.integers(len(pictures))), y : y + crop_side, x : x + crop_side]
        out[i] = crop[:, ::-1] if rng.random() < 0.5 else crop
    return to_tensor(out).contiguous(memory_format=torch.channels_last)


def picture_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """L1 of pixels and of their edges, at three scales."""
    loss = F.l1_loss(made, wanted)
    for _ in range(3):
        for axis in (2, 3):
            loss = loss + 0.6 * F.l1_loss(made.diff(dim=axis), wanted.diff(dim=axis))
        made, wanted = F.avg_pool2d(made, 2), F.avg_pool2d(wanted, 2)
        loss = loss + 0.4 * F.l1_loss(made, wanted)
    return loss


def _statistics_penalty(z: Tensor) -> Tensor:
    """Pulls every latent channel to zero mean and unit deviation over a batch."""
    mean, deviation = z.mean((0, 2, 3)), z.std((0, 2, 3))
    return (mean**2).mean() + ((deviation - 1) ** 2).mean()


class Learner(nn.Module):
    """The autoencoder, and a reader of the mean colour straight from each latent pixel.

    Without the reader a short training can settle for latents that leave out one axis of colour
    altogether, since edges and brightness pay sooner.
    """

    def __init__(self) -> None:
        super().__init__()
        self.autoencoder = new_autoencoder()
        self.colors = nn.Conv2d(LATENT_CHANNELS, 3, 1)


def train_autoencoder(pictures_dir: Path, out: Path, minutes: float) -> None:
    """Trains for `minutes` of wall-clock time in all, resuming from `out`.

    The decoder also sees noisy latents and latents shrunk to half size. Both make the latent space
    smooth, which is what lets a small diffusion model learn it.
    """
    learner = Learner().to(memory_format=torch.channels_last)
    model, pictures, where = learner.autoencoder, Pictures(pictures_dir).pixels, device()

    def loss(step: int, fraction: float) -> Tensor:
        rng = np.random.default_rng((1, step))
        x = _crops(pictures, rng, 64 if fraction < 0.8 else 96).to(where)
        z = model.encoder(x).float()
        penalty = 0.1 * _statistics_penalty(z) + 4 * F.mse_loss(learner.colors(z).float(), F.avg_pool2d(x, 8))
        target = x
        if rng.random() < 0.25:
            z, target = F.avg_pool2d(z, 2), F.avg_pool2d(x, 2)
        z = z + torch.randn_like(z) * (0.12 * rng.random())
        return picture_loss(model.decoder(z).float(), target) + penalty

    Stage("autoencoder", learner, out, minutes, BATCH, peak_rate=1.6e-3, ema_decay=0.995, held=0.3).run(loss)


def load_autoencoder(checkpoint: Path) -> AutoencoderTiny:
    """The trained autoencoder, for use only."""
    return load_learner(checkpoint).autoencoder.eval()


def load_learner(checkpoint: Path) -> Learner:
    """The trained autoencoder with its reader of colours."""
    learner = Learner()
    learner.load_state_dict(averaged(checkpoint))
    return learner.to(memory_format=torch.channels_last)

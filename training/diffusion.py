"""Rectified flow over latents: the text encoder and the UNet, trained together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPTokenizer

from training.captioned import Captions
from training.dataset import Pictures
from training.latents import load_latents
from training.models import new_text_encoder, new_unet
from training.reading import load_reader
from training.stage import Stage, averaged, device

PEAK_RATE = 1.0e-3
CAPTION_DROP = 0.1
# Words decide the light and the layout, and those are settled while there is far more noise than
# picture: so most training happens there, and the scheduler's shift puts most steps there too.
SIGMA_MEAN, SIGMA_DEVIATION = 0.6, 1.1
# A thing is a few percent of a picture and most of what is asked for.
THING_WEIGHT = 3.0


class Pair(nn.Module):
    """The text encoder and the UNet as one thing to optimise, save and average."""

    def __init__(self, tokenizer: CLIPTokenizer):
        super().__init__()
        self.text_encoder = new_text_encoder(tokenizer)
        self.unet = new_unet().to(memory_format=torch.channels_last)

    def forward(self, x: Tensor, timestep: Tensor, tokens: Tensor) -> Tensor:
        """The velocity at a timestep of 0..1000, given the words."""
        words = self.text_encoder(input_ids=tokens).last_hidden_state
        return self.unet(x, timestep, encoder_hidden_states=words).sample


class Examples:
    """Random batches of latents with a caption of each; on an accelerator everything lives there."""

    def __init__(self, pictures_dir: Path, latents_dir: Path, tokenizer: CLIPTokenizer):
        mapped, facts = load_latents(latents_dir)
        self.where = device()
        self.scale = float(facts["scaling_factor"])
        self.latents = torch.from_numpy(np.array(mapped)).to(self.where)
        self.masks = torch.from_numpy(np.array(Pictures(pictures_dir).masks)).to(self.where)
        self.tokens = torch.from_numpy(Captions(pictures_dir).tokens).to(self.where)
        self.silence = tokenize(tokenizer, [""])[0].to(self.where)

    def pick(self, rng: np.random.Generator, count: int, drop: float) -> tuple[Tensor, Tensor, Tensor]:
        """Latents [count, 8, 32, 32], their weights [count, 1, 32, 32] and tokens [count, MAX_LENGTH]."""
        picked = torch.from_numpy(rng.integers(0, len(self.latents), count)).to(self.where)
        variant = torch.from_numpy(rng.integers(0, self.tokens.shape[1], count)).to(self.where)
        tokens = self.tokens[picked, variant].long()
        silent = torch.from_numpy(rng.random(count) < drop).to(self.where)
        tokens = torch.where(silent[:, None], self.silence, tokens)
        weight = 1 + THING_WEIGHT * self.masks[picked].float()[:, None] / 255
        return self.latents[picked].float() * self.scale, weight, tokens


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Token numbers, padded to the model's length with the end token as Stable Diffusion does."""
    length = tokenizer.model_max_length
    made = tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    return made.input_ids


def noised(x0: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Latents at noise levels `sigma` [n], and the velocity there."""
    noise = torch.randn_like(x0)
    k = sigma[:, None, None, None]
    return ((1 - k) * x0 + k * noise).contiguous(memory_format=torch.channels_last), noise - x0


def train_diffusion(
    pictures_dir: Path,
    latents_dir: Path,
    tokenizer: CLIPTokenizer,
    reading: Path,
    out: Path,
    minutes: float,
    held: float,
) -> None:
    """Trains for `minutes` of wall-clock time in all, resuming from `out`."""
    batch = 256 if device().type == "cuda" else 24
    examples = Examples(pictures_dir, latents_dir, tokenizer)
    model = Pair(tokenizer)
    if reading.exists():
        model.text_encoder.load_state_dict(load_reader(tokenizer, reading).text_encoder.state_dict())
    forward = torch.compile(model)

    def loss(step: int, _fraction: float) -> Tensor:
        x0, weight, tokens = examples.pick(np.random.default_rng((2, step)), batch, CAPTION_DROP)
        sigma = torch.sigmoid(torch.randn(batch, device=x0.device) * SIGMA_DEVIATION + SIGMA_MEAN)
        x, velocity = noised(x0, sigma)
        return ((forward(x, sigma * 1000, tokens).float() - velocity) ** 2 * weight).sum() / (
            weight.sum() * x0.shape[1]
        )

    Stage("diffusion", model, out, minutes, batch, PEAK_RATE, held=held, muon=True).run(loss)


def load_pair(tokenizer: CLIPTokenizer, checkpoint: Path) -> Pair:
    """The averaged weights of a checkpoint."""
    model = Pair(tokenizer)
    model.load_state_dict(averaged(checkpoint))
    return model.eval()

"""Rectified flow over latents: the text encoder and the UNet, trained together."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPTokenizer

from training.captions import caption
from training.clock import Clock, cosine
from training.dataset import load_scenes
from training.latents import load_latents
from training.models import new_text_encoder, new_unet
from training.parallel import average_gradients, run_parallel
from training.tokenizer import MAX_LENGTH, build_tokenizer

BATCH = 8
PEAK_RATE = 1.2e-3
CAPTION_DROP = 0.1
# Words decide the light and the layout, and those are settled while there is far more noise than
# picture: so most training happens there, and the scheduler's shift puts most steps there too.
SIGMA_MEAN, SIGMA_DEVIATION = 1.1, 1.1
EMA_DECAY = 0.998
SAVE_EVERY_SECONDS = 150.0


class Pair(nn.Module):
    """The text encoder and the UNet as one thing to optimise, save and average."""

    def __init__(self, tokenizer: CLIPTokenizer):
        super().__init__()
        self.text_encoder = new_text_encoder(tokenizer)
        self.unet = new_unet().to(memory_format=torch.channels_last)

    def forward(self, x: torch.Tensor, timestep: torch.Tensor, input_ids: torch.Tensor) -> torch.Tensor:
        """The velocity at a timestep of 0..1000, given the words."""
        words = self.text_encoder(input_ids=input_ids).last_hidden_state
        return self.unet(x, timestep, encoder_hidden_states=words).sample


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> torch.Tensor:
    """Token numbers, padded to the model's length with the end token as Stable Diffusion does."""
    made = tokenizer(texts, padding="max_length", max_length=MAX_LENGTH, truncation=True, return_tensors="pt")
    return made.input_ids


def train_diffusion(
    pictures_dir: Path,
    latents_dir: Path,
    tokenizer_dir: Path,
    out: Path,
    minutes: float,
    processes: int = 2,
    restart_rate: float = 0.0,
    seed: int = 2,
) -> None:
    """Trains for `minutes` more of wall-clock time, resuming from `out` when it holds a checkpoint.

    A `restart_rate` begins a new cosine from that learning rate in place of the tail of the old one.
    """
    run_parallel(processes, _train, pictures_dir, latents_dir, tokenizer_dir, out, minutes, restart_rate, seed)


def _train(
    rank: int,
    world: int,
    pictures_dir: Path,
    latents_dir: Path,
    tokenizer_dir: Path,
    out: Path,
    minutes: float,
    restart_rate: float,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    tokenizer = build_tokenizer(tokenizer_dir)
    scenes = load_scenes(pictures_dir)
    mapped, facts = load_latents(latents_dir)
    latents = torch.from_numpy(np.array(mapped))
    scale = float(facts["scaling_factor"])
    model = Pair(tokenizer)
    ema = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99), weight_decay=0.01)
    step, used = 0, 0.0
    if out.exists():
        saved = torch.load(out, weights_only=True)
        model.load_state_dict(saved["model"])
        ema.load_state_dict(saved["ema"])
        optimizer.load_state_dict(saved["optimizer"])
        step, used = saved["step"], saved["used"]
    earlier, peak = (used, restart_rate) if restart_rate else (0.0, PEAK_RATE)
    clock = Clock(used - earlier + minutes * 60, used - earlier)
    torch.manual_seed(seed + 1000 * step + rank)
    choose = np.random.default_rng((seed, step, rank))
    words = Random(f"{seed} {step} {rank}")
    averages = [*model.parameters()], [*ema.parameters()]
    running, last, last_save, stop = None, time.monotonic(), time.monotonic(), clock.done()
    while not stop:
        for group in optimizer.param_groups:
            group["lr"] = cosine(clock.fraction(), step, peak, warmup=150)
        picked = choose.integers(0, len(scenes), BATCH)
        texts = ["" if words.random() < CAPTION_DROP else caption(scenes[i], words) for i in picked]
        x0 = latents[torch.from_numpy(picked)].float() * scale
        noise = torch.randn_like(x0)
        sigma = torch.sigmoid(torch.randn(BATCH) * SIGMA_DEVIATION + SIGMA_MEAN)
        k = sigma[:, None, None, None]
        x = ((1 - k) * x0 + k * noise).contiguous(memory_format=torch.channels_last)
        loss = F.mse_loss(model(x, sigma * 1000, tokenize(tokenizer, texts)), noise - x0)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        mean, stop = average_gradients(model.parameters(), loss.item(), clock.done())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        if rank == 0:
            decay = min(EMA_DECAY, (1 + step) / (10 + step))
            torch._foreach_lerp_(averages[1], [p.detach() for p in averages[0]], 1 - decay)
        running = mean if running is None else 0.99 * running + 0.01 * mean
        if rank == 0 and step % 50 == 0:
            speed = 50 * BATCH * world / (time.monotonic() - last)
            last = time.monotonic()
            seen, part = step * BATCH * world, clock.fraction()
            print(f"diffusion {step} seen {seen} loss {running:.4f} {speed:.1f} pictures/s {part:.1%}", flush=True)
        if rank == 0 and (stop or time.monotonic() - last_save > SAVE_EVERY_SECONDS):
            last_save = time.monotonic()
            state = {
                "model": model.state_dict(),
                "ema": ema.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
                "used": earlier + clock.elapsed(),
                "loss": running,
                "seen": step * BATCH * world,
            }
            torch.save(state, out.with_suffix(".part"))
            out.with_suffix(".part").rename(out)

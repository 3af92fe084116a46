"""Teaches the model to do in few passes without guidance what it did in many with it.

Progressive distillation (Salimans and Ho, 2022) straight to the final number of steps, with the
guidance taken into the student (Meng et al., 2023): for one interval of the sampler's schedule the
teacher takes several guided Euler steps, and the student learns the one velocity that ends there.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor
from transformers import CLIPTokenizer

from training.diffusion import Examples, load_pair, noised
from training.stage import Stage, device

STEPS = 8
SHIFT = 3.0  # most steps where words decide: see SIGMA_MEAN in diffusion.py
GUIDANCE = 3.0
_TEACHER_STEPS = 2
_PEAK_RATE = 4e-4


def sigmas(steps: int, shift: float = SHIFT) -> Tensor:
    """Noise levels from 1 to 0, [steps + 1]: the sampler's own."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(steps)
    return scheduler.sigmas.float()


def train_distilled(
    pictures_dir: Path, latents_dir: Path, tokenizer: CLIPTokenizer, teacher_file: Path, out: Path, minutes: float
) -> None:
    """Trains for `minutes` in all, resuming from `out`; begins as a copy of the teacher."""
    batch = 256 if device().type == "cuda" else 24
    where = device()
    examples = Examples(pictures_dir, latents_dir, tokenizer)
    teacher = load_pair(tokenizer, teacher_file).requires_grad_(False).to(where)
    student = copy.deepcopy(teacher).requires_grad_(True).train()
    levels = sigmas(STEPS).to(where)
    teach, learn = torch.compile(teacher), torch.compile(student)

    @torch.no_grad()
    def taught(x: Tensor, start: Tensor, end: Tensor, tokens: Tensor) -> Tensor:
        both = torch.cat([tokens, examples.silence.expand_as(tokens)])
        here = x
        for k in range(_TEACHER_STEPS):
            level = start + (end - start) * (k / _TEACHER_STEPS)
            given, free = teach(torch.cat([here, here]), torch.cat([level, level]) * 1000, both).float().chunk(2)
            velocity = free + GUIDANCE * (given - free)
            here = here + velocity * ((end - start) / _TEACHER_STEPS)[:, None, None, None]
        return (here - x) / (end - start)[:, None, None, None]

    def loss(step: int, _fraction: float) -> Tensor:
        rng = np.random.default_rng((3, step))
        x0, weight, tokens = examples.pick(rng, batch, drop=0.03)
        place = torch.from_numpy(rng.integers(0, STEPS, batch)).to(where)
        start, end = levels[place], levels[place + 1]
        x, _ = noised(x0, start)
        error = learn(x, start * 1000, tokens).float() - taught(x, start, end, tokens)
        # By the length of the interval, an error moves the picture; squared, so that long ones count.
        return (error**2 * weight * (start - end)[:, None, None, None]).mean() * STEPS

    Stage("distilled", student, out, minutes, batch, _PEAK_RATE, held=0.3, warmup=50, muon=True).run(loss)

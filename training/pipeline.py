"""Draws pictures from an exported folder with diffusers' own parts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny, FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from training.diffusion import tokenize


class Starter:
    """The exported model in 32-bit arithmetic, from its 16-bit weights."""

    def __init__(self, folder: Path):
        kind = torch.float32
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        self.text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=kind).eval()
        self.unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=kind).eval()
        self.vae = AutoencoderTiny.from_pretrained(folder / "vae", torch_dtype=kind).eval()
        self.scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler")
        facts = json.loads((folder / "mindseye.json").read_text())
        self.steps, self.guidance = facts["default_steps"], facts["default_guidance"]

    @torch.inference_mode()
    def words(self, prompts: list[str]) -> torch.Tensor:
        """The last hidden state of every prompt."""
        return self.text_encoder(input_ids=tokenize(self.tokenizer, prompts)).last_hidden_state

    @torch.inference_mode()
    def denoise(self, prompts: list[str], latents: torch.Tensor, steps: int, guidance: float) -> torch.Tensor:
        """Euler steps, with classifier-free guidance against the empty prompt unless it is 1."""
        guided = guidance != 1.0
        words = self.words(prompts + [""] * len(prompts) if guided else prompts)
        self.scheduler.set_timesteps(steps)
        for timestep in self.scheduler.timesteps:
            both = torch.cat([latents, latents]) if guided else latents
            velocity = self.unet(both, timestep, encoder_hidden_states=words).sample
            if guided:
                given, free = velocity.chunk(2)
                velocity = free + guidance * (given - free)
            latents = self.scheduler.step(velocity, timestep, latents).prev_sample
        return latents

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> np.ndarray:
        """Pictures [n, height, width, 3] in 0..1."""
        pictures = self.vae.decode(latents / self.vae.config.scaling_factor).sample
        return pictures.add(1).div(2).clamp(0, 1).permute(0, 2, 3, 1).numpy()

    def noise(self, seeds: list[int], side: int = 32) -> torch.Tensor:
        """One start per seed."""
        shape = (self.unet.config.in_channels, side, side)
        return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in seeds])

    def draw(
        self, prompts: list[str], seeds: list[int], steps: int | None = None, guidance: float | None = None
    ) -> np.ndarray:
        """One picture for each prompt and seed, with the model's own settings where none are given."""
        steps, guidance = steps or self.steps, self.guidance if guidance is None else guidance
        return self.decode(self.denoise(prompts, self.noise(seeds), steps, guidance))

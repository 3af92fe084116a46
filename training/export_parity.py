"""Writes reference values made by diffusers and transformers, for the engine's tests."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from training.autoencoder import to_tensor
from training.dataset import SIZE, draw, sample_scenes
from training.diffusion import tokenize
from training.pipeline import Starter

PROMPTS = ["a red sun over a dark sea", "a blue boat on a calm lake at sunset, snowy mountains behind"]
STEPS = 4
GUIDANCE = 3.0
TIMESTEP = 700.0


def references(model: Starter) -> dict[str, torch.Tensor]:
    """Inputs and outputs of every part and of a short guided loop, all in 32-bit arithmetic."""
    latents = model.noise([11, 12])
    small = latents[:1, :, :8, :8].contiguous()
    drawn, _ = draw(sample_scenes(1, seed=5), SIZE, torch.device("cpu"))
    picture = F.avg_pool2d(to_tensor(drawn), 4)
    words = model.words(PROMPTS)
    with torch.inference_mode():
        timestep = torch.tensor(TIMESTEP)
        out = {
            "input_ids": tokenize(model.tokenizer, PROMPTS).to(torch.int32),
            "last_hidden_state": words,
            "empty_input_ids": tokenize(model.tokenizer, [""]).to(torch.int32),
            "latents": latents,
            "timestep": torch.tensor([TIMESTEP]),
            "unet_output": model.unet(latents, timestep, encoder_hidden_states=words).sample,
            "decode_input": small,
            "decode_output": model.vae.decode(small).sample,
            "encode_input": picture,
            "encode_output": model.vae.encode(picture).latents,
            "loop_output": model.denoise(PROMPTS, latents, STEPS, GUIDANCE),
            "loop_steps": torch.tensor([STEPS], dtype=torch.int32),
            "loop_guidance": torch.tensor([GUIDANCE]),
            "loop_sigmas": model.scheduler.sigmas.float(),
        }
    return {name: value.clone().contiguous() for name, value in out.items()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--out", type=Path, default=Path("engine/tests/fixtures/starter_parity.safetensors"))
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    facts = {"prompt_0": PROMPTS[0], "prompt_1": PROMPTS[1], "format": "pt"}
    save_file(references(Starter(arguments.model)), arguments.out, metadata=facts)
    arguments.out.chmod(0o644)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

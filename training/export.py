"""Writes the trained parts as a diffusers folder in half precision."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import diffusers
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from safetensors.torch import load_file, save_file

from training.autoencoder import load_autoencoder
from training.diffusion import Pair
from training.latents import load_latents
from training.tokenizer import build_tokenizer

DEFAULT_STEPS = 12
DEFAULT_GUIDANCE = 3.0
SHIFT = 3.0  # see SIGMA_MEAN in diffusion.py
_CONFIG_NOISE = ("_name_or_path", "transformers_version", "_commit_hash")


def export(autoencoder_file: Path, latents_dir: Path, diffusion_file: Path, out: Path) -> None:
    """Writes every part from the averaged weights, the index, the preview map and the checksums."""
    tokenizer = build_tokenizer(out / "tokenizer")
    _, facts = load_latents(latents_dir)
    pair = Pair(tokenizer)
    pair.load_state_dict(torch.load(diffusion_file, weights_only=True)["ema"])
    pair.half().to(memory_format=torch.contiguous_format)
    pair.text_encoder.save_pretrained(out / "text_encoder")
    pair.unet.save_pretrained(out / "unet")
    vae = load_autoencoder(autoencoder_file).half().to(memory_format=torch.contiguous_format)
    vae.register_to_config(scaling_factor=facts["scaling_factor"])
    vae.save_pretrained(out / "vae")
    FlowMatchEulerDiscreteScheduler(shift=SHIFT).save_pretrained(out / "scheduler")
    for config in out.glob("*/config.json"):
        _tidy(config)
    (out / "text_encoder" / "generation_config.json").unlink(missing_ok=True)
    _keep_text_model_prefix(out / "text_encoder" / "model.safetensors")
    _write_index(out)
    _write_card_facts(out, facts["latent_rgb"])
    _write_checksums(out)
    for file in out.rglob("*"):
        if file.is_file():
            file.chmod(0o644)


def _tidy(config: Path) -> None:
    values = json.loads(config.read_text())
    for key in _CONFIG_NOISE:
        values.pop(key, None)
    config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")


def _keep_text_model_prefix(file: Path) -> None:
    """Published text encoders name their tensors `text_model.…`; newer libraries drop that."""
    tensors = load_file(file)
    named = {k if k.startswith("text_model.") else f"text_model.{k}": v for k, v in tensors.items()}
    if named.keys() != tensors.keys():
        save_file(named, file, metadata={"format": "pt"})


def _write_index(out: Path) -> None:
    index = {
        "_class_name": "StarterPipeline",
        "_diffusers_version": diffusers.__version__,
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderTiny"],
    }
    (out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


def _write_card_facts(out: Path, latent_rgb: dict[str, object]) -> None:
    facts = {
        "name": "starter",
        "title": "Starter",
        "capability": "image.fast",
        "native_size": 256,
        "default_steps": DEFAULT_STEPS,
        "default_guidance": DEFAULT_GUIDANCE,
        "max_steps": 50,
        "latent_rgb": latent_rgb,
    }
    (out / "mindseye.json").write_text(json.dumps(facts, indent=2) + "\n")


def _write_checksums(out: Path) -> None:
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(out).as_posix()}"
        for file in sorted(out.glob("*/*.safetensors"))
    ]
    (out / "SHA256SUMS").write_text("\n".join(lines) + "\n")

"""Writes the trained parts as a diffusers folder in half precision."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import diffusers
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from safetensors.torch import load_file, save_file

from training.autoencoder import load_autoencoder
from training.diffusion import load_pair
from training.distill import GUIDANCE, SHIFT, STEPS
from training.enlarge import BLOCKS, CHANNELS, load_upscaler
from training.latents import load_latents
from training.tokenizer import build_tokenizer

TEACHER_STEPS = 16
_CONFIG_NOISE = ("_name_or_path", "transformers_version", "_commit_hash")


@dataclass(frozen=True)
class Parts:
    """Checkpoints of the stages; the polished decoder and the distilled model are used when they exist."""

    autoencoder: Path
    decoder: Path
    diffusion: Path
    distilled: Path
    upscaler: Path


def export(parts: Parts, latents_dir: Path, out: Path) -> None:
    """Writes every part from the averaged weights, the index, the preview map and the checksums."""
    tokenizer = build_tokenizer(out / "tokenizer")
    _, facts = load_latents(latents_dir)
    distilled = parts.distilled.exists()
    pair = load_pair(tokenizer, parts.distilled if distilled else parts.diffusion)
    pair.half().to(memory_format=torch.contiguous_format)
    pair.text_encoder.save_pretrained(out / "text_encoder")
    pair.unet.save_pretrained(out / "unet")
    vae = load_autoencoder(parts.decoder if parts.decoder.exists() else parts.autoencoder).half()
    vae.to(memory_format=torch.contiguous_format)
    vae.register_to_config(scaling_factor=facts["scaling_factor"])
    vae.save_pretrained(out / "vae")
    if parts.upscaler.exists():
        _write_upscaler(parts.upscaler, out / "upscaler")
    FlowMatchEulerDiscreteScheduler(shift=SHIFT).save_pretrained(out / "scheduler")
    for config in out.glob("*/config.json"):
        _tidy(config)
    (out / "text_encoder" / "generation_config.json").unlink(missing_ok=True)
    _keep_text_model_prefix(out / "text_encoder" / "model.safetensors")
    _write_index(out)
    steps, guidance = (STEPS, 1.0) if distilled else (TEACHER_STEPS, GUIDANCE)
    _write_card_facts(out, facts["latent_rgb"], steps, guidance)
    _write_checksums(out)
    for file in out.rglob("*"):
        if file.is_file():
            file.chmod(0o644)


def _write_upscaler(checkpoint: Path, out: Path) -> None:
    out.mkdir(exist_ok=True)
    config = {"_class_name": "MindseyeUpscaler", "blocks": BLOCKS, "channels": CHANNELS, "scale": 2}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tensors = {name: value.half().contiguous() for name, value in load_upscaler(checkpoint).state_dict().items()}
    save_file(tensors, out / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})


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


def _write_card_facts(out: Path, latent_rgb: dict[str, object], steps: int, guidance: float) -> None:
    facts = {
        "name": "starter",
        "title": "Starter",
        "capability": "image.fast",
        "native_size": 256,
        "default_steps": steps,
        "default_guidance": guidance,
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

"""Encodes every rendered picture once, so that diffusion trains from small cached latents."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from training.autoencoder import LATENT_CHANNELS, load_autoencoder, to_tensor
from training.dataset import LATENT_SIDE, Pictures
from training.stage import device


def encode_set(pictures_dir: Path, checkpoint: Path, folder: Path) -> None:
    """Writes `latents.npy` (unscaled, float16) and `latents.json`; does nothing if they exist."""
    facts_file = folder / "latents.json"
    if facts_file.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    where = device()
    batch = 128 if where.type == "cuda" else 8
    model = load_autoencoder(checkpoint).to(where)
    pictures = Pictures(pictures_dir).pixels
    shape = (len(pictures), LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE)
    latents = np.lib.format.open_memmap(folder / "latents.npy", "w+", np.float16, shape)
    with torch.inference_mode(), torch.autocast(where.type, torch.bfloat16):
        for start in range(0, len(pictures), batch):
            x = to_tensor(pictures[start : start + batch]).contiguous(memory_format=torch.channels_last).to(where)
            latents[start : start + batch] = model.encoder(x).float().cpu().numpy().astype(np.float16)
            if start % 2000 < batch:
                print(f"encoded {start} of {len(pictures)}", flush=True)
    latents.flush()
    sample = latents[:1500].astype(np.float32)
    scale = float(1 / sample.std())
    weights, bias = _latent_to_rgb(sample[:300] * scale, pictures[:300])
    facts = {
        "scaling_factor": round(scale, 6),
        "channel_means": [round(float(v), 4) for v in sample.mean((0, 2, 3)) * scale],
        "channel_deviations": [round(float(v), 4) for v in sample.std((0, 2, 3)) * scale],
        "latent_rgb": {"weights": weights, "bias": bias},
    }
    facts_file.write_text(json.dumps(facts, indent=1))
    print("latents", json.dumps(facts), flush=True)


def load_latents(folder: Path) -> tuple[np.ndarray, dict[str, object]]:
    """Unscaled latents, mapped read-only, and the facts about them."""
    return np.load(folder / "latents.npy", mmap_mode="r"), json.loads((folder / "latents.json").read_text())


def _latent_to_rgb(latents: np.ndarray, pictures: np.ndarray) -> tuple[list[list[float]], list[float]]:
    """Least squares from one latent pixel to the mean colour (0..1) of its 8x8 patch."""
    side = LATENT_SIDE
    patches = pictures.reshape(-1, side, 8, side, 8, 3).astype(np.float32).mean((2, 4)).reshape(-1, 3) / 255
    x = latents.transpose(0, 2, 3, 1).reshape(-1, LATENT_CHANNELS).astype(np.float32)
    x = np.concatenate([x, np.ones((len(x), 1), np.float32)], 1)
    solution = np.linalg.lstsq(x, patches, rcond=None)[0]
    rounded = np.round(solution.astype(float), 5).tolist()
    return rounded[:-1], rounded[-1]

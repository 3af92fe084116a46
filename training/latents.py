"""Encodes every rendered picture once, so that diffusion trains from small cached latents."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from training.autoencoder import LATENT_CHANNELS, load_autoencoder, to_tensor
from training.dataset import load_pictures
from training.models import LATENT_SIDE
from training.parallel import run_parallel

_BATCH = 2


def _encode(rank: int, world: int, pictures_dir: Path, checkpoint: Path, out: Path) -> None:
    model = load_autoencoder(checkpoint)
    pictures = load_pictures(pictures_dir)
    latents = np.load(out, mmap_mode="r+")
    starts = range(rank * _BATCH, len(pictures), world * _BATCH)
    with torch.inference_mode():
        for done, start in enumerate(starts):
            x = to_tensor(pictures[start : start + _BATCH]).contiguous(memory_format=torch.channels_last)
            latents[start : start + _BATCH] = model.encoder(x).numpy().astype(np.float16)
            if rank == 0 and done % 250 == 249:
                print(f"encoded {(done + 1) * _BATCH * world} of {len(pictures)}", flush=True)
    latents.flush()


def _latent_to_rgb(latents: np.ndarray, pictures: np.ndarray) -> tuple[list[list[float]], list[float]]:
    """Least squares from one latent pixel to the mean colour (0..1) of its 8x8 patch."""
    side = LATENT_SIDE
    patches = pictures.reshape(-1, side, 8, side, 8, 3).astype(np.float32).mean((2, 4)).reshape(-1, 3) / 255
    x = latents.transpose(0, 2, 3, 1).reshape(-1, LATENT_CHANNELS).astype(np.float32)
    x = np.concatenate([x, np.ones((len(x), 1), np.float32)], 1)
    solution = np.linalg.lstsq(x, patches, rcond=None)[0]
    rounded = np.round(solution.astype(float), 5).tolist()
    return rounded[:-1], rounded[-1]


def encode_set(pictures_dir: Path, checkpoint: Path, folder: Path, processes: int = 2) -> None:
    """Writes `latents.npy` (unscaled, float16) and `latents.json`; does nothing if they exist."""
    facts_file = folder / "latents.json"
    if facts_file.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    pictures = load_pictures(pictures_dir)
    shape = (len(pictures), LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE)
    out = folder / "latents.npy"
    np.lib.format.open_memmap(out, "w+", np.float16, shape).flush()
    run_parallel(processes, _encode, pictures_dir, checkpoint, out)
    latents = np.load(out, mmap_mode="r")
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

"""Draws the pictures that everything is trained on, once, into memory-mapped files."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from training.stage import device
from training.world.picture import render
from training.world.scene import Scene, sample_scene

SIZE = 256
LATENT_SIDE = SIZE // 8


def sample_scenes(count: int, seed: int, unseen: bool = False) -> list[Scene]:
    """The same scenes for the same seed; `unseen` ones hold a combination that training never shows."""
    rng = np.random.default_rng(seed)
    return [sample_scene(rng, unseen) for _ in range(count)]


def draw(scenes: Sequence[Scene], size: int, where: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [n, size, size, 3], and how much of each latent pixel is the thing [n, side, side], both uint8."""
    with torch.inference_mode():
        picture = render(scenes, size, where)
        pixels = picture.pixels.clamp(0, 1).mul(255).add(0.5).to(torch.uint8).permute(0, 2, 3, 1)
        mask = F.avg_pool2d(picture.thing_mask[:, None], 8)[:, 0].mul(255).to(torch.uint8)
    return pixels.cpu().numpy(), mask.cpu().numpy()


class Pictures:
    """A rendered set: scenes, pictures and masks; the files are mapped, not read."""

    def __init__(self, folder: Path):
        facts = json.loads((folder / "set.json").read_text())
        self.count, self.size, self.seed, self.unseen = (facts[n] for n in ("count", "size", "seed", "unseen"))
        self.pixels = np.memmap(folder / "pictures.u8", np.uint8, "r").reshape(self.count, self.size, self.size, 3)
        side = self.size // 8
        self.masks = np.memmap(folder / "masks.u8", np.uint8, "r").reshape(self.count, side, side)

    def scenes(self) -> list[Scene]:
        """The attributes, drawn again from the seed."""
        return sample_scenes(self.count, self.seed, self.unseen)


def render_set(folder: Path, count: int, seed: int, size: int = SIZE, unseen: bool = False) -> None:
    """Fills a folder for `Pictures`; goes on where it was stopped, does nothing when all is there."""
    if (folder / "set.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    where = device()
    # A processor's caches hold a few pictures, an accelerator needs many to be busy.
    batch, processes = (64, 1) if where.type == "cuda" else (2, multiprocessing.cpu_count())
    side = size // 8
    pictures = _mapped(folder / "pictures.u8", (count, size, size, 3))
    masks = _mapped(folder / "masks.u8", (count, side, side))
    scenes = sample_scenes(count, seed, unseen)
    done_file = folder / "done"
    done = int(done_file.read_text()) if done_file.exists() else 0
    chunks = [(scenes[i : i + batch], size, where.type) for i in range(done, count, batch)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=_one_thread) as pool:
        for pixels, mask in pool.imap(_draw, chunks, chunksize=4):
            pictures[done : done + len(pixels)], masks[done : done + len(mask)] = pixels, mask
            done += len(pixels)
            if done % 500 < batch:
                pictures.flush()
                done_file.write_text(str(done))
                print(f"rendered {done} of {count}", flush=True)
    pictures.flush()
    masks.flush()
    (folder / "set.json").write_text(json.dumps({"count": count, "size": size, "seed": seed, "unseen": unseen}))


def _mapped(file: Path, shape: tuple[int, ...]) -> np.memmap:
    return np.memmap(file, np.uint8, "r+" if file.exists() else "w+", shape=shape)


def _one_thread() -> None:
    torch.set_num_threads(1)


def _draw(chunk: tuple[list[Scene], int, str]) -> tuple[np.ndarray, np.ndarray]:
    scenes, size, where = chunk
    return draw(scenes, size, torch.device(where))

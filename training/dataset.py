"""Renders pictures of random scenes into one memory-mapped file."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import numpy as np

from training.renderer import SIZE, Scene, render, sample_scene


def sample_scenes(count: int, seed: int) -> list[Scene]:
    """The same scenes for the same seed."""
    rng = np.random.default_rng(seed)
    return [sample_scene(rng) for _ in range(count)]


def _work(scene: Scene) -> np.ndarray:
    return render(scene)


def render_set(folder: Path, count: int, seed: int, processes: int = 2) -> None:
    """Writes `pictures.u8` ([count, SIZE, SIZE, 3]) and `scenes.json`; does nothing if they exist."""
    scenes_file = folder / "scenes.json"
    if scenes_file.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    scenes = sample_scenes(count, seed)
    out = np.memmap(folder / "pictures.u8", np.uint8, "w+", shape=(count, SIZE, SIZE, 3))
    os.environ["OMP_NUM_THREADS"] = "1"
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for i, picture in enumerate(pool.imap(_work, scenes, chunksize=16)):
            out[i] = picture
            if i % 1000 == 999:
                print(f"rendered {i + 1} of {count}", flush=True)
    out.flush()
    scenes_file.write_text(json.dumps([s.as_dict() for s in scenes]))


def load_scenes(folder: Path) -> list[Scene]:
    """The scenes of a rendered set."""
    return [Scene(**s) for s in json.loads((folder / "scenes.json").read_text())]


def load_pictures(folder: Path) -> np.ndarray:
    """The pictures of a rendered set, mapped read-only."""
    flat = np.memmap(folder / "pictures.u8", np.uint8, "r")
    return flat.reshape(-1, SIZE, SIZE, 3)

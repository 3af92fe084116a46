"""Draws a contact sheet of many prompts, to look at."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image

from training.pipeline import Starter

PROMPTS = [
    "a red sun over a dark sea",
    "a blue boat on a calm lake at sunset, mountains behind",
    "snowy mountains under a full moon",
    "night, stars, a white lighthouse by the sea",
    "a red balloon over a desert at noon",
    "a yellow house in a snow field, falling snow",
    "sunset",
    "a green meadow with red flowers at noon, a few clouds",
    "a pine forest at dawn in the mist",
    "a big pink tree in a meadow, clear sky",
    "a crescent moon over a dark sea at night",
    "an orange boat on a rough sea in the rain",
    "desert",
    "a turquoise sea, a white boat, a sun at noon",
    "watercolor of a red house in a meadow",
    "pixel art, a lake and mountains at sunset",
    "an ink drawing of mountains and a lake",
    "a golden moon over snowy mountains, a blue house",
]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("prompts", nargs="*")
    arguments = parser.parse_args()
    prompts = arguments.prompts or PROMPTS
    model = Starter(arguments.model)
    began = time.monotonic()
    pictures = model.draw(prompts, [arguments.seed + i for i in range(len(prompts))], arguments.steps, arguments.guidance)
    print(f"{(time.monotonic() - began) / len(prompts):.2f} s a picture")
    columns = arguments.columns
    pictures = (pictures * 255 + 0.5).astype(np.uint8)
    pictures = np.concatenate([pictures, np.zeros((-len(pictures) % columns, *pictures.shape[1:]), np.uint8)])
    n, height, width, _ = pictures.shape
    sheet = pictures.reshape(n // columns, columns, height, width, 3).transpose(0, 2, 1, 3, 4)
    Image.fromarray(sheet.reshape(n // columns * height, columns * width, 3)).save(arguments.out)


if __name__ == "__main__":
    main()

"""Draws a contact sheet, to look at: the 64 fixed prompts, or others."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from PIL import Image

from training.pipeline import Starter

_PROMPTS = Path(__file__).with_name("prompts.json")
_AT_ONCE = 8


def fixed_prompts() -> list[str]:
    """48 prompts that the world covers, then 16 outside it."""
    kinds = json.loads(_PROMPTS.read_text())
    return kinds["world"] + kinds["outside"]


def tiled(pictures: np.ndarray, columns: int) -> Image.Image:
    """Pictures [n, height, width, 3] in 0..1, in rows."""
    pictures = (pictures * 255 + 0.5).astype(np.uint8)
    pictures = np.concatenate([pictures, np.zeros((-len(pictures) % columns, *pictures.shape[1:]), np.uint8)])
    n, height, width, _ = pictures.shape
    rows = pictures.reshape(n // columns, columns, height, width, 3).transpose(0, 2, 1, 3, 4)
    return Image.fromarray(rows.reshape(n // columns * height, columns * width, 3))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--out", type=Path, required=True, help="a .png or .jpg file")
    parser.add_argument("--steps", type=int, help="the model's own number, if not given")
    parser.add_argument("--guidance", type=float, help="the model's own, if not given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--side", type=int, default=256, help="of one picture on the sheet, in pixels")
    parser.add_argument("prompts", nargs="*")
    arguments = parser.parse_args()
    prompts = arguments.prompts or fixed_prompts()
    model = Starter(arguments.model)
    began = time.monotonic()
    parts = []
    for i in range(0, len(prompts), _AT_ONCE):
        part = prompts[i : i + _AT_ONCE]
        seeds = [arguments.seed + i + k for k in range(len(part))]
        parts.append(model.draw(part, seeds, arguments.steps, arguments.guidance))
    print(f"{(time.monotonic() - began) / len(prompts):.2f} s a picture")
    sheet = tiled(np.concatenate(parts), arguments.columns)
    scale = arguments.side / 256
    sheet = sheet.resize((round(sheet.width * scale), round(sheet.height * scale)), Image.Resampling.LANCZOS)
    sheet.save(arguments.out, quality=88)


if __name__ == "__main__":
    main()

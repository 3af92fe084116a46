"""Where the stages keep their work: out of the repository, in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path


def work_dir() -> Path:
    """The folder for pictures, latents and checkpoints; MINDSEYE_TRAIN_DIR overrides it."""
    base = os.environ.get("MINDSEYE_TRAIN_DIR") or Path.home() / ".cache" / "mindseye" / "train"
    path = Path(base)
    path.mkdir(parents=True, exist_ok=True)
    return path

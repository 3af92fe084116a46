"""Trains the starter model from nothing to an exported folder: one command, stages that resume."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from training.clock import minutes_until
from training.paths import work_dir

STAGES = ("render", "autoencoder", "encode", "diffusion", "polish", "export", "score")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    span = parser.add_mutually_exclusive_group()
    span.add_argument("--minutes", type=float, default=90, help="wall-clock minutes for everything")
    span.add_argument("--deadline", help="finish training by this HH:MM")
    parser.add_argument("--out", type=Path, default=Path("models/starter"))
    parser.add_argument("--pictures", type=int, default=15000)
    parser.add_argument("--autoencoder-minutes", type=float, default=20)
    parser.add_argument("--polish-minutes", type=float, default=8)
    parser.add_argument("--restart-rate", type=float, default=0.0, help="begin a new schedule when resuming diffusion")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=STAGES, nargs="+", default=STAGES)
    return parser.parse_args()


def main() -> None:
    """Runs the stages in order; each is skipped when its output exists, and diffusion resumes."""
    arguments = _arguments()
    os.environ["OMP_NUM_THREADS"] = "1"
    # Imported late so that the setting above holds for every numerical library.
    from training.autoencoder import train_autoencoder
    from training.dataset import render_set
    from training.diffusion import train_diffusion
    from training.export import export
    from training.latents import encode_set
    from training.polish import polish_decoder
    from training.tokenizer import build_tokenizer

    began = time.monotonic()
    total = minutes_until(arguments.deadline) if arguments.deadline else arguments.minutes
    work = work_dir()
    pictures, latents = work / "pictures", work / "latents"
    autoencoder, diffusion, polished = (work / f"{name}.pt" for name in ("autoencoder", "diffusion", "polished"))
    tokenizer = arguments.out / "tokenizer"
    processes = arguments.processes
    if "render" in arguments.only:
        render_set(pictures, arguments.pictures, seed=7, processes=processes)
    if "autoencoder" in arguments.only:
        train_autoencoder(pictures, autoencoder, arguments.autoencoder_minutes, processes)
    if "encode" in arguments.only:
        encode_set(pictures, autoencoder, latents, processes)
    if "diffusion" in arguments.only:
        build_tokenizer(tokenizer)
        left = total - (time.monotonic() - began) / 60 - arguments.polish_minutes
        train_diffusion(pictures, latents, tokenizer, diffusion, left, processes, arguments.restart_rate)
    if "polish" in arguments.only:
        polish_decoder(pictures, latents, autoencoder, polished, arguments.polish_minutes, processes)
    if "export" in arguments.only:
        export(polished if polished.exists() else autoencoder, latents, diffusion, arguments.out)
    if "score" in arguments.only:
        from training import score

        score.main(["--model", str(arguments.out)])


if __name__ == "__main__":
    main()

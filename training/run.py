"""Trains the starter model from nothing to an exported folder: one command, stages that resume."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.paths import work_dir
from training.stage import device

STAGES = (
    "render", "captions", "autoencoder", "encode", "reading", "diffusion",
    "distill", "polish", "upscaler", "judge", "export", "score",
)  # fmt: skip
# Minutes of wall clock by stage: a few hours on two cores, 25 minutes on a large accelerator.
MINUTES = {
    # What the committed weights took.
    "cpu": {
        "autoencoder": 55,
        "reading": 4,
        "diffusion": 205,
        "distill": 26,
        "polish": 5,
        "upscaler": 8,
        "judge": 40,
    },
    "cuda": {"autoencoder": 2, "reading": 0.7, "diffusion": 12, "distill": 3, "polish": 1, "upscaler": 1, "judge": 2},
}
PICTURES = {"cpu": 20_000, "cuda": 100_000}
LARGE_PICTURES = 500
# With combinations that the model is not shown: for the classifier alone.
UNSEEN_PICTURES = 4_000


def main() -> None:
    """Runs the stages in order. What exists is not made again, and what was stopped goes on."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    # Imported late: the workers that draw pictures need none of it.
    from training.autoencoder import train_autoencoder
    from training.captioned import caption_set
    from training.dataset import render_set
    from training.diffusion import train_diffusion
    from training.distill import train_distilled
    from training.enlarge import train_upscaler
    from training.export import Parts, export
    from training.judge import train_judge
    from training.latents import encode_set
    from training.polish import polish_decoder
    from training.reading import train_reading
    from training.tokenizer import build_tokenizer

    work, kind = work_dir(), device().type
    minutes = MINUTES[kind] | dict(arguments.minutes or [])
    pictures, large, unseen, latents = (work / name for name in ("pictures", "large", "unseen", "latents"))
    parts = Parts(**{n: work / f"{n}.pt" for n in ("autoencoder", "decoder", "diffusion", "distilled", "upscaler")})
    reading, judge = work / "reading.pt", work / "judge.pt"
    tokenizer = build_tokenizer(arguments.out / "tokenizer")
    stages = {
        "render": lambda: (
            render_set(pictures, arguments.pictures or PICTURES[kind], seed=7),
            render_set(large, LARGE_PICTURES, seed=8, size=512),
            render_set(unseen, UNSEEN_PICTURES, seed=9, unseen=True),
        ),
        "captions": lambda: caption_set(pictures, tokenizer),
        "autoencoder": lambda: train_autoencoder(pictures, parts.autoencoder, minutes["autoencoder"]),
        "encode": lambda: encode_set(pictures, parts.autoencoder, latents),
        "reading": lambda: train_reading(pictures, tokenizer, reading, minutes["reading"]),
        "diffusion": lambda: train_diffusion(
            pictures, latents, tokenizer, reading, parts.diffusion, minutes["diffusion"], arguments.held
        ),
        "distill": lambda: train_distilled(
            pictures, latents, tokenizer, parts.diffusion, parts.distilled, minutes["distill"]
        ),
        "polish": lambda: polish_decoder(pictures, latents, parts.autoencoder, parts.decoder, minutes["polish"]),
        "upscaler": lambda: train_upscaler(
            large, parts.autoencoder, work / "small.npy", parts.upscaler, minutes["upscaler"]
        ),
        "judge": lambda: train_judge(pictures, unseen, parts.autoencoder, work / "soft.npy", judge, minutes["judge"]),
        "export": lambda: export(parts, latents, arguments.out),
        "score": lambda: _score(arguments.out, judge),
    }
    for name in STAGES:
        if name in arguments.only:
            # Networks begin alike each time. How many steps fit into the minutes is the machine's.
            torch.manual_seed(STAGES.index(name))
            stages[name]()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("models/starter"))
    parser.add_argument("--only", choices=STAGES, nargs="+", default=STAGES)
    parser.add_argument("--minutes", type=_minutes, nargs="+", help="stage=minutes, in all: diffusion=400")
    parser.add_argument("--pictures", type=int, help="how many to draw and learn from")
    parser.add_argument("--held", type=float, default=0.6, help="part of the diffusion stage before its rate falls")
    parser.add_argument("--threads", type=int)
    return parser.parse_args()


def _minutes(text: str) -> tuple[str, float]:
    stage, minutes = text.split("=")
    if stage not in MINUTES["cpu"]:
        raise argparse.ArgumentTypeError(f"{stage} is not one of {', '.join(MINUTES['cpu'])}")
    return stage, float(minutes)


def _score(model: Path, judge: Path) -> None:
    from training import score

    score.main(["--model", str(model), "--judge", str(judge), "--out", str(model / "scores.json")])


if __name__ == "__main__":
    main()

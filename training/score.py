"""Scores the model on captions it has never seen: does the picture show what the words say?

A classifier that was trained on the renderer's pictures (`judge.py`) reads every picture. It makes
mistakes of its own, so its accuracy on the renderer's pictures of the same captions stands beside each
figure: that is the most that could be measured.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from random import Random

import numpy as np
import torch

from training.autoencoder import to_tensor
from training.dataset import SIZE, draw, sample_scenes
from training.judge import READ, load_judge, shrink, soften
from training.paths import work_dir
from training.pipeline import Starter
from training.words.captions import described, targets
from training.world.scene import Scene

SEEN_SEED, UNSEEN_SEED = 90_001, 90_002
# What the picture has to show, and how much of the time; `None` is reported without a bar.
BARS = {"thing": 0.90, "color": 0.85, "style": 0.90, "time": 0.85, "count to three": 0.70}

NUMBERS = ("one", "two", "three", "four")


class Exam:
    """Captions with what each of them states, and the scenes behind them."""

    def __init__(self, count: int, seed: int, unseen: bool):
        rng = Random(seed)
        self.scenes = sample_scenes(count, seed, unseen)
        made = [described(scene, rng) for scene in self.scenes]
        self.prompts = [text for text, _ in made]
        self.facts = [targets(scene) for scene in self.scenes]
        self.asked = [questions(scene, stated) for scene, (_, stated) in zip(self.scenes, made)]

    def accuracy(self, answers: dict[str, np.ndarray]) -> dict[str, tuple[int, int]]:
        """For every question, how many pictures showed what was asked, and of how many."""
        rows: dict[str, list[bool]] = {}
        for i, asked in enumerate(self.asked):
            for question, attribute in asked.items():
                rows.setdefault(question, []).append(int(answers[attribute][i]) == self.facts[i][attribute])
        return {question: (sum(right), len(right)) for question, right in rows.items()}


def questions(scene: Scene, stated: frozenset[str]) -> dict[str, str]:
    """What a caption lets us ask of its picture: the question and the attribute that answers it."""
    asked = {
        name: name for name in ("style", "time", "ground", "weather", "mood") if name in stated and getattr(scene, name)
    }
    if scene.thing and "thing" in stated:
        asked["thing"] = "thing"
        for name in ("color", "side", "size"):
            if name in stated and getattr(scene, name):
                asked[name] = name
        if "count" in stated:
            # One is what most captions want: who can't count would still get three of four right.
            asked[NUMBERS[scene.count - 1]] = "count"
            if scene.count <= 3:
                asked["count to three"] = "count"
    return asked


class Reading:
    """The classifier at work: answers and features of pictures, uint8 [n, 256, 256, 3]."""

    def __init__(self, checkpoint: Path):
        self.judge = load_judge(checkpoint)

    @torch.inference_mode()
    def __call__(self, pictures: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The class of every attribute, and the features [n, 448]."""
        answers: dict[str, list[np.ndarray]] = {name: [] for name in READ}
        features = []
        for i in range(0, len(pictures), 50):
            seen = self.judge.features(shrink(to_tensor(pictures[i : i + 50])))
            features.append(seen.numpy())
            for name, logits in zip(READ, self.judge.read(seen).split(self.judge.classes, 1)):
                answers[name].append(logits.argmax(1).numpy())
        return {name: np.concatenate(a) for name, a in answers.items()}, np.concatenate(features)


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Between two sets of features [n, d], taken as normal distributions (Dowson and Landau, 1982)."""
    mean = ((a.mean(0) - b.mean(0)) ** 2).sum()
    left, right = (np.cov(x, rowvar=False) for x in (a, b))
    values = np.linalg.eigvals(left @ right).real
    return float(mean + np.trace(left) + np.trace(right) - 2 * np.sqrt(np.clip(values, 0, None)).sum())


def generate(model: Starter, exam: Exam, steps: int, guidance: float, cache: Path | None) -> np.ndarray:
    """A picture of every caption, each from its own seed: uint8 [n, 256, 256, 3]."""
    if cache and cache.exists():
        return np.load(cache)
    out = []
    began = time.monotonic()
    for i in range(0, len(exam.prompts), 8):
        part = exam.prompts[i : i + 8]
        seeds = [10_000 + i + k for k in range(len(part))]
        out.append((model.draw(part, seeds, steps, guidance) * 255 + 0.5).astype(np.uint8))
        if i % 80 == 0:
            print(f"drew {i + len(part)} of {len(exam.prompts)}, {time.monotonic() - began:.0f} s", flush=True)
    pictures = np.concatenate(out)
    if cache:
        np.save(cache, pictures)
    return pictures


def truth(exam: Exam, size: int = SIZE) -> np.ndarray:
    """The renderer's own pictures of the same scenes."""
    parts = [draw(exam.scenes[i : i + 4], size, torch.device("cpu"))[0] for i in range(0, len(exam.scenes), 4)]
    return np.concatenate(parts)


def report(name: str, exam: Exam, drawn: np.ndarray, reading: Reading, model: Starter) -> dict[str, object]:
    """Accuracies of the model, of the renderer and of the renderer through the autoencoder."""
    rendered = truth(exam)
    softened = soften(rendered, model.vae, torch.device("cpu"))
    rows: dict[str, dict[str, object]] = {}
    features = {}
    for kind, pictures in (("model", drawn), ("renderer", rendered), ("autoencoder", softened)):
        answers, features[kind] = reading(pictures)
        for question, (right, of) in exam.accuracy(answers).items():
            rows.setdefault(question, {"of": of})[kind] = round(right / of, 3)
    half = len(rendered) // 2
    return {
        "captions": len(exam.prompts),
        "accuracy": dict(sorted(rows.items())),
        "distance": round(frechet_distance(features["model"], features["renderer"]), 2),
        "distance of the autoencoder": round(frechet_distance(features["autoencoder"], features["renderer"]), 2),
        "distance of two halves": round(frechet_distance(features["renderer"][:half], features["renderer"][half:]), 2),
    }


def main(given: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--judge", type=Path, default=work_dir() / "judge.pt")
    parser.add_argument("--count", type=int, default=1000, help="captions of each kind")
    parser.add_argument("--steps", type=int, help="the model's own number, if not given")
    parser.add_argument("--guidance", type=float, help="the model's own, if not given")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    parser.add_argument("--keep", type=Path, help="a folder for the drawn pictures")
    arguments = parser.parse_args(given)
    model, reading = Starter(arguments.model), Reading(arguments.judge)
    steps, guidance = arguments.steps or model.steps, arguments.guidance or model.guidance
    figures: dict[str, object] = {"steps": steps, "guidance": guidance}
    for name, seed, unseen in (("seen", SEEN_SEED, False), ("unseen", UNSEEN_SEED, True)):
        exam = Exam(arguments.count, seed, unseen)
        cache = arguments.keep / f"{name}.npy" if arguments.keep else None
        figures[name] = report(name, exam, generate(model, exam, steps, guidance, cache), reading, model)
    text = json.dumps(figures, indent=1)
    print(text)
    print(table(figures))
    if arguments.out:
        arguments.out.write_text(text + "\n")


def table(figures: dict[str, object]) -> str:
    """The figures as Markdown: the bar, the model on both kinds of captions, the renderer's ceiling."""
    seen, unseen = figures["seen"]["accuracy"], figures["unseen"]["accuracy"]
    lines = ["| what | bar | model | combinations never seen | classifier on the renderer |", "|---|---|---|---|---|"]
    for name in [*BARS, *(n for n in seen if n not in BARS)]:
        bar = f"{BARS[name]:.0%}" if name in BARS else ""
        cells = [f"{row[name]['model']:.1%} of {row[name]['of']}" if name in row else "" for row in (seen, unseen)]
        lines.append(f"| {name} | {bar} | {cells[0]} | {cells[1]} | {seen.get(name, {}).get('renderer', 0):.1%} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

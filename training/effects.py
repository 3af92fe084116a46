"""Measures whether single words matter: the same seeds drawn with a word and without it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from training.pipeline import Starter

_EFFECTS = Path(__file__).with_name("word_effects.json")
_REGIONS = {
    "full": (slice(None), slice(None)),
    "top": (slice(0, 128), slice(None)),
    "bottom": (slice(160, 256), slice(None)),
    "center": (slice(64, 192), slice(64, 192)),
}
_CHANNELS = {"red": 0, "green": 1, "blue": 2}
_LUMA = np.array([0.299, 0.587, 0.114])


def statistic(pictures: np.ndarray, name: str) -> np.ndarray:
    """One number per picture, as `word_effects.json` names it: "red_minus_blue over top"."""
    measure, region = name.split(" over ")
    rows, columns = _REGIONS[region]
    color = pictures[:, rows, columns].mean((1, 2))
    if measure == "mean_luma":
        return color @ _LUMA
    if measure.startswith("mean_"):
        return color[:, _CHANNELS[measure.removeprefix("mean_")]]
    more, less = measure.split("_minus_")
    return color[:, _CHANNELS[more]] - color[:, _CHANNELS[less]]


def effect_size(given: np.ndarray, free: np.ndarray) -> float:
    """Cohen's d: the difference of means in pooled deviations."""
    pooled = np.sqrt((given.var(ddof=1) + free.var(ddof=1)) / 2)
    return float((given.mean() - free.mean()) / max(pooled, 1e-6))


def score(
    model: Starter, effects: list[dict[str, str]], count: int, steps: int, guidance: float
) -> list[dict[str, object]]:
    """The effect of every word; a positive one is in the expected direction."""
    seeds = list(range(count))
    drawn: dict[str, np.ndarray] = {}
    rows = []
    for effect in effects:
        values = []
        for prompt in (effect["with"], effect["without"]):
            if prompt not in drawn:
                drawn[prompt] = model.draw([prompt] * count, seeds, steps, guidance)
            values.append(statistic(drawn[prompt], effect["statistic"]))
        sign = 1 if effect["direction"] == "higher" else -1
        rows.append(
            {
                "word": effect["word"],
                "statistic": effect["statistic"],
                "with": float(values[0].mean()),
                "without": float(values[1].mean()),
                "effect": sign * effect_size(*values),
            }
        )
    return rows


def main(given: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--effects", type=Path, default=_EFFECTS)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args(given)
    effects = json.loads(arguments.effects.read_text())
    rows = score(Starter(arguments.model), effects, arguments.count, arguments.steps, arguments.guidance)
    print("| word | statistic | with | without | effect (Cohen's d) |\n|---|---|---|---|---|")
    for row in rows:
        numbers = f"{row['with']:.3f} | {row['without']:.3f} | {row['effect']:.1f}"
        print(f"| {row['word']} | {row['statistic']} | {numbers} |")
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Where things stand, and how large they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.world.canvas import Canvas
from training.world.scene import Scene
from training.world.things.sheet import Reach

MOST = 4  # things of a kind in one picture

_HEIGHT = {"small": (0.155, 0.185), "": (0.29, 0.39), "big": (0.49, 0.61)}
_HEIGHT_OF_SEVERAL = {2: (0.25, 0.31), 3: (0.21, 0.27), 4: (0.18, 0.23)}
_MIDDLE = {"left": 0.24, "center": 0.5, "right": 0.76}
_RING_HALF = 0.88
_TRIES = 8


@dataclass(frozen=True)
class Stance:
    """How a kind of thing is put into a picture."""

    on: str  # "water", "land", "near" (land right in front), "table", "sky" or "space"
    half: float  # its half width in heights
    reach: Reach
    scale: float = 1.0  # of its height against other things


def spots(canvas: Canvas, stance: Stance) -> np.ndarray:
    """x, foot and height of each scene's things [n, MOST, 3], the farthest first."""
    horizons = canvas.facts["horizon"].flatten().tolist()
    orbs = canvas.facts["orbs"].cpu().numpy()
    rows = np.zeros((len(canvas), MOST, 3), np.float32)
    for row, scene, rng, horizon, orb in zip(rows, canvas.scenes, canvas.rngs, horizons, orbs):
        found = _spots(scene, rng, stance, horizon, orb[: scene.orbs])
        row[: len(found)] = sorted(found, key=lambda spot: spot[1])
    return rows


def _spots(
    scene: Scene, rng: np.random.Generator, stance: Stance, horizon: float, orbs: np.ndarray
) -> list[tuple[float, float, float]]:
    count = scene.count
    half, scale = (_RING_HALF, 0.9) if scene.detail == "ring" else (stance.half, stance.scale)
    low, high = _HEIGHT_OF_SEVERAL.get(count, _HEIGHT[scene.size])
    height = rng.uniform(low, high) * scale
    # Several keep apart, and what stands at one side does not reach far beyond the middle.
    room = 0.37 / count if count > 1 else 0.45 if scene.side == "center" else 0.31
    height = min(height, max(room, 0.36 * (scene.detail == "ring")) / half)
    found = []
    for i in range(count):
        tall = height * (rng.uniform(0.88, 1.0) if count > 1 else 1.0)
        wide = half * tall
        middle = _MIDDLE[scene.side] if count == 1 else 0.04 + 0.92 * (i + 0.5) / count
        play = 0.05 if count == 1 else 0.6 * max(0.46 / count - wide, 0.0)
        tries = [
            (float(np.clip(middle + play * a, wide + 0.025, 0.975 - wide)), _foot(stance, scene, horizon, tall, b))
            for a, b in rng.uniform((-1, 0), (1, 1), (_TRIES, 2))
        ]
        x, foot = max(tries, key=lambda at: _clearance(at, wide, tall, orbs))
        found.append((x, foot, tall))
    return found


def _clearance(at: tuple[float, float], half: float, height: float, orbs: np.ndarray) -> float:
    """How far a thing stays away from every sun and moon [k, 3]; more than a little is no better."""
    if not len(orbs):
        return 0.0
    x, foot = at
    aside = np.abs(x - orbs[:, 0]) - half - orbs[:, 2]
    along = np.abs(foot - height / 2 - orbs[:, 1]) - height / 2 - orbs[:, 2]
    return min(float(np.maximum(aside, along).min()), 0.02)


def _foot(stance: Stance, scene: Scene, horizon: float, height: float, draw: float) -> float:
    """The row of a thing's foot; `draw` is a random number in 0..1."""
    match stance.on:
        case "sky":
            # A skyline or mountains stand up from the horizon: a bird keeps above them.
            high = scene.ground in ("forest", "city") or scene.mountains != ""
            lowest = horizon - (0.14 if high else 0.05) if scene.thing == "bird" else horizon + 0.02
            top = 0.05
            return max(top + height + draw * max(lowest - top - height, 0.0), top + height)
        case "space":
            return float(np.clip(0.5 + 0.16 * (draw - 0.5) + height / 2, height + 0.04, 0.96))
        case "near":
            return 0.955 + 0.03 * draw
        case "table":
            return min(max(horizon + (1 - horizon) * (0.34 + 0.22 * draw), height + 0.06), 0.92)
    room = 0.88 if stance.on == "water" else 0.93
    return min(max(horizon + 0.045 + (0.28 + 0.3 * draw) * height, height + 0.05), room)

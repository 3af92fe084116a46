"""The light of each scene and where it comes from: what every painter shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from training.world import palette
from training.world.canvas import Canvas
from training.world.scene import Scene

MOST_ORBS = 3
_OVERCAST = {"cloudy": 0.62, "fog": 0.62, "rain": 0.85, "snowfall": 0.7, "storm": 0.94}
_HORIZON = {"city": (0.72, 0.80), "forest": (0.62, 0.72), "table": (0.55, 0.68), "space": (1.0, 1.0)}
# From a violet evening towards a golden one.
_GOLD = np.array([(-0.03, 0.0, 0.03), (0.06, 0.02, -0.05), (0.02, 0.07, -0.06), (0, 0.03, 0)], np.float32)
# Where these are, the sun and moon may be too.
_IN_THE_SKY = ("balloon", "bird", "planet", "rocket")


def set_light(canvas: Canvas) -> None:
    """Decides light and composition of every scene; paints nothing.

    Sets `horizon`, `orb_x`, `orb_y`, `orb_radius` and `light_side` [n, 1, 1], `sky` [n, 4, 3] from the
    zenith to the horizon, `light`, `thing_light` and `orb_color` [n, 3, 1, 1], and `orbs` [n, 3, 3]:
    across, down and radius of up to three moons, the first of which is the orb itself.
    """
    decided = [_decide(scene, rng) for scene, rng in zip(canvas.scenes, canvas.rngs)]
    horizons, skies, lights, thing_lights, colors, orbs, sides = zip(*decided)
    places = _tensor(canvas, orbs)
    canvas.facts |= {
        "horizon": canvas.column(horizons),
        "sky": _tensor(canvas, skies).clamp(0, 1),
        "light": _tensor(canvas, lights)[:, :, None, None],
        "thing_light": _tensor(canvas, thing_lights)[:, :, None, None],
        "orb_color": _tensor(canvas, colors)[:, :, None, None],
        "orbs": places,
        "orb_x": places[:, 0, 0, None, None],
        "orb_y": places[:, 0, 1, None, None],
        "orb_radius": places[:, 0, 2, None, None],
        "light_side": canvas.column(sides),
    }


def sky_color(canvas: Canvas, stop: int) -> Tensor:
    """One of the sky's four colours, 0 at the zenith and 3 at the horizon: [n, 3, 1, 1]."""
    return canvas.facts["sky"][:, stop, :, None, None]


def overcast(canvas: Canvas) -> Tensor:
    """The grey of each scene's covered sky [n, 3, 1, 1]."""
    return canvas.colors(lambda s: (palette.STORM if s.weather == "storm" else palette.OVERCAST)[s.time])


def _tensor(canvas: Canvas, values: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(values).astype(np.float32)).to(canvas.device)


def _decide(scene: Scene, rng: np.random.Generator) -> tuple:
    horizon = float(rng.uniform(*_HORIZON.get(scene.ground, (0.48, 0.67))))
    orbs = _orb_places(scene, rng, horizon)
    side = 1.0 if orbs[0, 0] > 0.5 else -1.0
    if scene.ground == "table":
        wall = palette.WALL[scene.wall]
        sky = wall * np.array([0.8, 0.95, 1.1, 1.0], np.float32)[:, None]
        warm = palette.rgb(1.0, 0.98, 0.94)
        return horizon, sky, warm, warm, palette.WHITE, orbs, side
    if scene.ground == "space":
        sky = np.tile(palette.rgb(0.012, 0.014, 0.035), (4, 1))
        return horizon, sky, palette.WHITE, palette.WHITE, palette.MOON, orbs, side
    return horizon, *_outdoor_light(scene, rng), orbs, side


def _outdoor_light(scene: Scene, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    sky = palette.SKY[scene.time] + rng.normal(0, 0.016, (4, 3)).astype(np.float32)
    if scene.time == "sunset":
        # Some evenings are more violet, some more golden.
        gold = float(rng.uniform(0, 1))
        sky = sky + _GOLD * (gold - 0.4)
    light = palette.LIGHT[scene.time].copy()
    thing_light = palette.THING_LIGHT[scene.time].copy()
    grey = _OVERCAST.get(scene.weather, 0.0)
    if grey:
        storm = scene.weather == "storm"
        veil = palette.STORM[scene.time] if storm else palette.OVERCAST[scene.time]
        veil = veil * (0.74 if scene.weather == "rain" else 1.0)
        # The rim of the world stays bright below a storm.
        ramp = np.array([0.62, 0.75, 1.0, 1.5] if storm else [0.86, 0.93, 1.0, 1.06], np.float32)[:, None]
        sky = palette.mix(sky, veil * ramp, grey)
        dim = {"storm": 0.60, "rain": 0.76}.get(scene.weather, 0.86)
        light = palette.mix(light, light.mean(), 0.5 * grey) * (1 - (1 - dim) * grey)
        thing_light = thing_light * (1 - (0.22 if storm else 0.12) * grey)
    color = palette.MOON
    if scene.orb == "sun":
        color = palette.SUN_TINT.get(scene.orb_color, palette.SUN[scene.time])
        if scene.orb_color in ("red", "orange"):
            weights = np.array([0.05, 0.16, 0.38, 0.52], np.float32)[:, None]
            warm = palette.mix(color, palette.WHITE, 0.25)
            sky = palette.mix(sky, warm, weights * (0.9 if scene.orb_color == "red" else 0.75))
            light = palette.mix(light, light.mean() * 1.15 * warm, 0.16)
    elif scene.orb:
        color = palette.MOON_TINT.get(scene.orb_color, palette.MOON)
        light = palette.mix(light, light.mean() * 1.2 * color, 0.2)
    return sky, light, thing_light, color


def _orb_places(scene: Scene, rng: np.random.Generator, horizon: float) -> np.ndarray:
    """Across, down and radius of three orbs [3, 3], where no thing hides them."""
    if scene.ground == "table":
        x = -0.1 if rng.random() < 0.5 else 1.1
        return np.array([(x, 0.1, 0.05)] * MOST_ORBS, np.float32)
    ranges = _free_of_thing(scene)
    orbs = np.zeros((MOST_ORBS, 3), np.float32)
    start = int(rng.integers(len(ranges)))
    for i in range(MOST_ORBS):
        radius = rng.uniform(0.05, 0.088) * (1.0 if i == 0 else rng.uniform(0.5, 0.75))
        if scene.ground == "space":
            radius *= 0.7
        for _ in range(40):  # until it keeps away from those before it
            x = rng.uniform(*ranges[(start + i) % len(ranges)])
            y = max(_orb_height(scene, rng, horizon), radius + 0.03)
            apart = np.hypot(orbs[:i, 0] - x, orbs[:i, 1] - y) - orbs[:i, 2] - radius
            if (apart > 0.05).all():
                break
        orbs[i] = x, y, radius
    return orbs


def _orb_height(scene: Scene, rng: np.random.Generator, horizon: float) -> float:
    if scene.ground == "space":
        return float(rng.uniform(0.12, 0.88))
    span = {"day": (0.12, 0.45), "night": (0.18, 0.56)}.get(scene.time, (0.45, 0.9))
    if scene.orbs > 1:
        span = (0.14, 0.70)
    if scene.count > 1:
        span = (0.12, 0.30) if scene.thing in _IN_THE_SKY else (0.16, 0.48)
    lowest = horizon - 0.06
    if scene.mountains:
        lowest = horizon - 0.33
    if scene.ground == "forest":
        lowest = horizon - (0.50 if scene.mountains else 0.40)
    if scene.ground == "city":
        lowest = horizon - 0.47
    return min(float(rng.uniform(*span)) * horizon, lowest)


def _free_of_thing(scene: Scene) -> list[tuple[float, float]]:
    """The parts of the picture's width in which a thing leaves the orb alone."""
    if scene.count > 1 and scene.thing in _IN_THE_SKY:
        return [(0.09, 0.14), (0.86, 0.91)]
    if scene.count != 1 or (scene.size == "small" and scene.thing not in _IN_THE_SKY):
        return [(0.12, 0.88)]
    if scene.side == "left":
        return [(0.58, 0.89)]
    if scene.side == "right":
        return [(0.11, 0.42)]
    return [(0.10, 0.19), (0.81, 0.90)]

"""The picture being painted, with the light that every painter shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.renderer import palette
from training.renderer.scene import Scene

SIZE = 256
ROW = ((np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE)[:, None]
COLUMN = ((np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE)[None, :]


@dataclass
class Frame:
    """Pixels in 0..1 as [row, column, channel], and what falls on them."""

    scene: Scene
    rng: np.random.Generator
    pixels: np.ndarray
    horizon: float
    sky: np.ndarray  # four colours, zenith to horizon
    light: np.ndarray  # on the ground
    thing_light: np.ndarray
    orb_x: float
    orb_y: float
    orb_radius: float
    orb_color: np.ndarray

    @property
    def light_side(self) -> float:
        """-1 when light falls from the left, 1 from the right."""
        return 1.0 if self.orb_x > 0.5 else -1.0

    def blend(self, rows: slice, alpha: np.ndarray, color: np.ndarray) -> None:
        """Lays a colour (one, or one per pixel) over some rows by `alpha` [rows, columns]."""
        part = self.pixels[rows]
        part += (color - part) * alpha[..., None]

    def glow(self, rows: slice, amount: np.ndarray, color: np.ndarray) -> None:
        """Adds light to some rows without passing white."""
        part = self.pixels[rows]
        part += (1.0 - part) * (np.clip(amount, 0, 1)[..., None] * color)


def _orb_place(scene: Scene, rng: np.random.Generator, horizon: float) -> tuple[float, float, float]:
    radius = rng.uniform(0.045, 0.085)
    x = rng.uniform(0.12, 0.88)
    if scene.thing and (scene.size == "big" or scene.thing in ("balloon", "lighthouse")):
        # Not behind the thing, or the caption would name an orb that nobody sees.
        x = {
            "left": rng.uniform(0.55, 0.88),
            "center": rng.uniform(0.12, 0.22) if rng.random() < 0.5 else rng.uniform(0.78, 0.88),
            "right": rng.uniform(0.12, 0.45),
        }[scene.side]
    if scene.time == "day":
        y = rng.uniform(0.1, 0.45) * horizon
    elif scene.time == "night":
        y = rng.uniform(0.16, 0.62) * horizon
    else:
        y = horizon * rng.uniform(0.48, 0.92)
    if scene.mountains:
        y = min(y, horizon - 0.26)
    if scene.ground == "forest":
        y = min(y, horizon - 0.22)
    return x, max(y, radius + 0.02), radius


def new_frame(scene: Scene) -> Frame:
    """Decides light and composition; paints nothing yet."""
    rng = np.random.default_rng(scene.seed)
    horizon = float(rng.uniform(0.5, 0.66))
    sky = palette.SKY[scene.time] + rng.normal(0, 0.018, (4, 3)).astype(np.float32)
    light = palette.LIGHT[scene.time].copy()
    thing_light = palette.THING_LIGHT[scene.time].copy()
    grey = {"cloudy": 0.62, "fog": 0.62, "rain": 0.85, "snowfall": 0.7}.get(scene.weather, 0.0)
    if grey:
        veil = palette.OVERCAST[scene.time] * (0.72 if scene.weather == "rain" else 1.0)
        ramp = np.linspace(0.86, 1.06, 4, dtype=np.float32)[:, None]
        sky = palette.mix(sky, veil * ramp, grey)
        light = palette.mix(light, light.mean() * 0.84, 0.55 * grey)
        thing_light = thing_light * (1 - 0.12 * grey)
    color = palette.MOON
    if scene.orb == "sun":
        color = palette.SUN_TINT.get(scene.orb_color, palette.SUN[scene.time])
        if scene.orb_color:
            weights = np.array([0.04, 0.14, 0.32, 0.45], np.float32)[:, None]
            warm = palette.mix(color, palette.rgb(1, 1, 1), 0.25)
            sky = palette.mix(sky, warm, weights * (1.0 if scene.orb_color == "red" else 0.6))
            light = palette.mix(light, light.mean() * 1.15 * warm, 0.3)
    elif scene.orb:
        color = palette.MOON_TINT.get(scene.orb_color, palette.MOON)
    x, y, radius = _orb_place(scene, rng, horizon)
    return Frame(
        scene=scene,
        rng=rng,
        pixels=np.zeros((SIZE, SIZE, 3), np.float32),
        horizon=horizon,
        sky=np.clip(sky, 0, 1).astype(np.float32),
        light=light.astype(np.float32),
        thing_light=thing_light.astype(np.float32),
        orb_x=x,
        orb_y=y,
        orb_radius=radius,
        orb_color=color,
    )

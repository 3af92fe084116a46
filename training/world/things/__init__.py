"""The things that a scene is about: what they look like and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from training.world.canvas import Canvas
from training.world.scene import Scene
from training.world.things.boats import paint_boat
from training.world.things.buildings import glow_lighthouse, paint_house, paint_lighthouse, paint_windmill
from training.world.things.flying import paint_balloon, paint_bird
from training.world.things.place import MOST, Stance, spots
from training.world.things.plants import paint_cactus, paint_flower, paint_tree
from training.world.things.sheet import WET, Reach, Sheet, Spot
from training.world.things.space import glow_rocket, paint_planet, paint_rocket
from training.world.things.table import glow_candle, paint_apple, paint_bottle, paint_candle, paint_cup, paint_vase

__all__ = ["paint_things"]


@dataclass(frozen=True)
class _Kind:
    paint: Callable[[Sheet], None]
    stance: Stance
    glow: Callable[[Sheet], None] | None = None
    contact: float = 0.0  # radius of the dark right under the thing, in heights


_KINDS = {
    "boat": _Kind(paint_boat, Stance("water", 0.52, Reach(0.56))),
    "house": _Kind(paint_house, Stance("land", 0.66, Reach(0.92), 0.86), contact=0.66),
    "tree": _Kind(paint_tree, Stance("land", 0.46, Reach(0.5), 1.12), contact=0.22),
    "balloon": _Kind(paint_balloon, Stance("sky", 0.37, Reach(0.4), 1.05)),
    "lighthouse": _Kind(paint_lighthouse, Stance("water", 0.36, Reach(0.5, 0.08), 1.16), glow_lighthouse),
    "bird": _Kind(paint_bird, Stance("sky", 0.72, Reach(0.76), 0.82)),
    "flower": _Kind(paint_flower, Stance("near", 0.32, Reach(0.36, 0.08), 1.48)),
    "windmill": _Kind(paint_windmill, Stance("land", 0.43, Reach(0.47, 0.04, 1.14), 1.1), contact=0.28),
    "cactus": _Kind(paint_cactus, Stance("land", 0.36, Reach(0.4, 0.04, 1.08), 1.05), contact=0.18),
    "apple": _Kind(paint_apple, Stance("table", 0.50, Reach(0.54), 0.92), contact=0.42),
    "vase": _Kind(paint_vase, Stance("table", 0.38, Reach(0.44, 0.04, 1.1), 1.25), contact=0.24),
    "cup": _Kind(paint_cup, Stance("table", 0.67, Reach(0.71), 0.76), contact=0.56),
    "bottle": _Kind(paint_bottle, Stance("table", 0.22, Reach(0.26), 1.25), contact=0.23),
    "candle": _Kind(paint_candle, Stance("table", 0.28, Reach(0.32), 1.1), glow_candle, contact=0.28),
    "planet": _Kind(paint_planet, Stance("space", 0.5, Reach(0.9, 0.4, 1.4))),
    "rocket": _Kind(paint_rocket, Stance("space", 0.42, Reach(0.6, 0.22, 1.06), 1.25), glow_rocket),
}


def paint_things(canvas: Canvas) -> None:
    """Paints every scene's things with their shadows and reflections, and notes them in the canvas's mask."""
    for shape in sorted({_shape(scene) for scene in canvas.scenes if scene.thing}):
        canvas.select(lambda scene, shape=shape: _shape(scene) == shape, _paint_all)


def _shape(scene: Scene) -> tuple[str, str, bool]:
    """What scenes agree in whose things are painted together: the same strokes in other colours and places."""
    return scene.thing, scene.detail, scene.ground in WET


def _paint_all(canvas: Canvas) -> None:
    kind = _KINDS[canvas.scenes[0].thing]
    where = torch.from_numpy(spots(canvas, kind.stance)).to(canvas.device)
    canvas.facts["spots"] = where
    for i in range(min(max(scene.count for scene in canvas.scenes), MOST)):
        canvas.select(lambda scene, i=i: scene.count > i, lambda part, i=i: _paint_one(part, kind, i))
    del canvas.facts["spots"]


def _paint_one(canvas: Canvas, kind: _Kind, i: int) -> None:
    x, foot, height = canvas.facts["spots"][:, i, :, None, None].unbind(1)
    sheet = Sheet(canvas, Spot(x, foot, height), kind.stance.reach)
    kind.paint(sheet)
    sheet.finish()
    sheet.backlight()
    on = kind.stance.on
    wet = sheet.scene.ground in WET
    if on == "table":
        sheet.reflection(0.16, 0.0, 0.45)
        sheet.shadow(0.42, 0.75, 0.22)
    elif wet and on != "sky":
        sheet.reflection(canvas.each(_mirror), canvas.each(_sway))
    elif on == "land":
        sheet.shadow(canvas.each(_sunlight))
    if kind.contact and not wet:
        sheet.contact(0.5, kind.contact)
    sheet.press()
    if kind.glow:
        kind.glow(sheet)


def _calm(scene: Scene) -> bool:
    return scene.water == "calm" or (scene.ground == "lake" and scene.water != "rough")


def _mirror(scene: Scene) -> float:
    """How strongly water mirrors."""
    strength = 0.62 if _calm(scene) else 0.30 if scene.water == "rough" else 0.45
    return strength * (0.7 if scene.water_color == "dark" else 1.0)


def _sway(scene: Scene) -> float:
    return 0.012 if _calm(scene) else 0.045 if scene.water == "rough" else 0.028


def _sunlight(scene: Scene) -> float:
    """How dark shadows are."""
    if scene.weather not in ("clear", "fair"):
        return 0.14
    return 0.26 if scene.time == "night" else 0.42

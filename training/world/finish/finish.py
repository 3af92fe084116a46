"""The last touch: tone, mood and style."""

from __future__ import annotations

from training.world.canvas import Canvas
from training.world.finish import moods
from training.world.finish.carved import woodcut
from training.world.finish.flat import papercut, pixel
from training.world.finish.lit import neon, photo
from training.world.finish.oil import oil
from training.world.finish.washed import ink, watercolor

_STYLES = {
    "": moods.plain,
    "oil": oil,
    "watercolor": watercolor,
    "ink": ink,
    "pixel": pixel,
    "papercut": papercut,
    "neon": neon,
    "woodcut": woodcut,
    "photo": photo,
}


def finish(canvas: Canvas) -> None:
    """Gives the painted scenes the look that their words ask for; `canvas.size` is a multiple of 64."""
    canvas.pixels = canvas.pixels.clamp(0, 1)
    for name, paint in moods.MOODS.items():
        canvas.select(lambda scene, name=name: scene.mood == name, paint)
    for name, paint in _STYLES.items():
        canvas.select(lambda scene, name=name: scene.style == name, paint)
    canvas.pixels = canvas.pixels.clamp(0, 1)

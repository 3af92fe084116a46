"""The attributes of a scene as classes, for whatever learns to read them from words or pictures."""

from __future__ import annotations

from training.world.scene import COLORS, GROUNDS, MOODS, SIDES, STYLES, THINGS, TIMES, WEATHERS, Scene

# Every attribute and its values; the class of a value is its place.
VALUES: dict[str, tuple[object, ...]] = {
    "ground": (*GROUNDS, "table", "space"),
    "time": ("", *TIMES),
    "weather": ("", *WEATHERS),
    "water": ("", "calm", "rough"),
    "water_color": ("", "dark", "turquoise", "green"),
    "orb": ("", "sun", "moon", "crescent"),
    "orb_color": ("", "red", "orange", "yellow", "white", "blue"),
    "orbs": (0, 1, 2, 3),
    "sky": ("", "stars", "aurora", "rainbow"),
    "mountains": ("", "bare", "snowy"),
    "thing": ("", *THINGS),
    "color": ("", *COLORS),
    "count": (0, 1, 2, 3, 4),
    "size": ("", "small", "big"),
    "side": ("", *SIDES),
    "detail": ("", "ring", "flowers"),
    "flowers": ("", "red", "yellow", "purple", "white", "pink", "blue"),
    "flock": (False, True),
    "wall": ("", "red", "yellow", "green", "blue", "purple", "pink"),
    "style": ("", *STYLES),
    "mood": ("", *MOODS),
}

# Their names in order, and how many classes each has.
ATTRIBUTES = tuple(VALUES)
CLASSES = tuple(map(len, VALUES.values()))

_CLASS_OF = {name: {value: i for i, value in enumerate(values)} for name, values in VALUES.items()}


def targets(scene: Scene) -> dict[str, int]:
    """The class of every attribute of the scene."""
    return {name: classes[getattr(scene, name)] for name, classes in _CLASS_OF.items()}

"""What is in a picture: the attributes from which both pixels and captions come."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

TIMES = ("dawn", "day", "sunset", "night")
WEATHERS = ("clear", "fair", "cloudy", "fog", "rain", "snowfall")
GROUNDS = ("sea", "lake", "desert", "meadow", "snow", "forest")
COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
SIDES = ("left", "center", "right")
THINGS_BY_GROUND = {
    "sea": ("boat", "boat", "lighthouse", "balloon"),
    "lake": ("boat", "boat", "balloon"),
    "desert": ("house", "balloon", "tree"),
    "meadow": ("house", "tree", "balloon"),
    "snow": ("house", "tree", "balloon"),
    "forest": ("house", "balloon"),
}


@dataclass(frozen=True)
class Scene:
    """Every attribute that a caption may name, and the seed for all the rest."""

    time: str
    weather: str
    ground: str
    water: str  # "", "dark", "calm", "rough" or "turquoise"
    orb: str  # "", "sun", "moon" or "crescent"
    orb_color: str  # "" is the natural colour
    stars: bool
    mountains: str  # "", "bare" or "snowy"
    thing: str  # "" or one of THINGS_BY_GROUND
    color: str
    size: str  # "", "small" or "big"
    side: str
    flowers: str  # "" or a colour, in meadows only
    style: str  # "", "watercolor", "pixel" or "ink"
    seed: int

    def as_dict(self) -> dict[str, object]:
        """The attributes as plain values, for a JSON file."""
        return asdict(self)


def _pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
    names = list(weights)
    p = np.array(list(weights.values()))
    return names[int(rng.choice(len(names), p=p / p.sum()))]


def _orb(rng: np.random.Generator, time: str, weather: str) -> tuple[str, str]:
    chance = {"clear": 0.75, "fair": 0.7, "cloudy": 0.3, "fog": 0.4}.get(weather, 0.0)
    if rng.random() >= chance:
        return "", ""
    if time == "night":
        orb = "moon" if rng.random() < 0.72 else "crescent"
        tint = _pick(rng, {"": 0.58, "red": 0.14, "yellow": 0.16, "blue": 0.12})
        return orb, tint
    tint = _pick(rng, {"": 0.48, "red": 0.22, "orange": 0.1, "yellow": 0.1, "white": 0.1})
    return "sun", tint


def _water(rng: np.random.Generator, ground: str) -> str:
    if ground == "sea":
        return _pick(rng, {"": 0.4, "dark": 0.2, "calm": 0.14, "rough": 0.14, "turquoise": 0.12})
    if ground == "lake":
        return _pick(rng, {"": 0.55, "dark": 0.2, "calm": 0.25})
    return ""


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draws a scene whose attributes agree with one another."""
    time = _pick(rng, {"dawn": 0.18, "day": 0.32, "sunset": 0.27, "night": 0.23})
    ground = _pick(
        rng, {"sea": 0.27, "lake": 0.14, "desert": 0.15, "meadow": 0.18, "snow": 0.13, "forest": 0.13}
    )
    weathers = {"clear": 0.42, "fair": 0.26, "cloudy": 0.11, "fog": 0.09, "rain": 0.07, "snowfall": 0.05}
    if ground == "desert":
        weathers["rain"] = weathers["snowfall"] = 0.0
    if ground == "snow":
        weathers["snowfall"], weathers["rain"] = 0.15, 0.0
    weather = _pick(rng, weathers)
    orb, orb_color = _orb(rng, time, weather)
    stars = time == "night" and weather in ("clear", "fair") and rng.random() < 0.8
    mountains = _pick(rng, {"": 0.58, "bare": 0.22, "snowy": 0.2})
    if ground == "desert" and mountains == "snowy":
        mountains = "bare"
    thing = ""
    if rng.random() < 0.66:
        thing = str(rng.choice(THINGS_BY_GROUND[ground]))
    color = str(rng.choice(COLORS)) if thing else ""
    if thing == "tree" and rng.random() < 0.4:
        color = "green"
    return Scene(
        time=time,
        weather=weather,
        ground=ground,
        water=_water(rng, ground),
        orb=orb,
        orb_color=orb_color,
        stars=stars,
        mountains=mountains,
        thing=thing,
        color=color,
        size=_pick(rng, {"": 0.6, "small": 0.17, "big": 0.23}) if thing else "",
        side=str(rng.choice(SIDES)),
        flowers=str(rng.choice(("red", "yellow", "purple", "white", "pink")))
        if ground == "meadow" and rng.random() < 0.35
        else "",
        style=_pick(rng, {"": 0.88, "watercolor": 0.04, "pixel": 0.04, "ink": 0.04}),
        seed=int(rng.integers(2**31)),
    )

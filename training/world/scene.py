"""What is in a picture: the attributes from which both its pixels and its captions come."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

TIMES = ("dawn", "day", "sunset", "night")
WEATHERS = ("clear", "fair", "cloudy", "fog", "rain", "snowfall", "storm")
GROUNDS = ("sea", "lake", "desert", "meadow", "wheat", "snow", "forest", "city")
COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black")
SIDES = ("left", "center", "right")
STYLES = ("oil", "watercolor", "ink", "pixel", "papercut", "neon", "woodcut", "photo")
MOODS = ("dramatic", "dreamy", "pastel", "moody", "vivid", "vintage")
# Drawn in one ink: no word about a colour would be true.
MONOCHROME = ("ink", "woodcut")

THINGS_BY_GROUND = {
    "sea": ("boat", "boat", "boat", "lighthouse", "lighthouse", "balloon", "bird"),
    "lake": ("boat", "boat", "boat", "bird", "balloon", "house"),
    "desert": ("house", "balloon", "tree", "cactus", "cactus"),
    "meadow": ("house", "tree", "balloon", "windmill", "flower", "flower"),
    "wheat": ("house", "tree", "balloon", "windmill", "windmill"),
    "snow": ("house", "tree", "balloon", "bird"),
    "forest": ("house", "balloon", "bird"),
    "city": ("balloon", "balloon", "bird"),
    "table": ("apple", "vase", "cup", "bottle", "candle"),
    "space": ("planet", "planet", "planet", "rocket"),
}
THINGS = tuple(dict.fromkeys(t for things in THINGS_BY_GROUND.values() for t in things))
# Things that stand in pairs and more; the others come alone.
COUNTED = ("boat", "house", "tree", "balloon", "bird", "flower", "cactus", "apple", "cup", "bottle", "candle", "planet")
# Never seen in training: what a model makes of these says whether it learned words or pictures.
HELD_OUT_COLORS = frozenset(
    {
        ("boat", "purple"), ("boat", "orange"), ("house", "green"), ("tree", "blue"), ("balloon", "white"),
        ("lighthouse", "yellow"), ("bird", "pink"), ("windmill", "red"), ("flower", "orange"), ("apple", "purple"),
        ("vase", "yellow"), ("cup", "pink"), ("bottle", "red"), ("candle", "green"), ("planet", "yellow"),
        ("rocket", "blue"), ("cactus", "white"),
    }
)  # fmt: skip
HELD_OUT_GROUNDS = frozenset({("balloon", "snow"), ("house", "wheat"), ("tree", "desert"), ("bird", "forest")})
HELD_OUT_STYLES = frozenset(
    {
        ("oil", "city"),
        ("watercolor", "desert"),
        ("pixel", "meadow"),
        ("papercut", "sea"),
        ("photo", "snow"),
        ("ink", "lake"),
    }
)


@dataclass(frozen=True)
class Scene:
    """Every attribute that a caption may name, and the seed for all the rest."""

    ground: str  # one of GROUNDS, or "table" or "space"
    time: str  # one of TIMES; "" on a table and in space
    weather: str  # one of WEATHERS; "" on a table and in space
    water: str  # "", "calm" or "rough"; only sea and lake
    water_color: str  # "", "dark", "turquoise" or "green"; only sea and lake
    orb: str  # "", "sun", "moon" or "crescent"
    orb_color: str  # "" is the natural colour
    orbs: int  # how many: 1, or 2 and 3 moons
    sky: str  # "", "stars", "aurora" or "rainbow"
    mountains: str  # "", "bare" or "snowy"
    thing: str  # "" or one of THINGS_BY_GROUND
    color: str  # of the thing
    count: int  # of things, 0 to 4
    size: str  # "", "small" or "big"
    side: str  # of a single thing; "" for several
    detail: str  # "ring" around a planet, "flowers" in a vase, else ""
    flowers: str  # "" or a colour: in a meadow, or in a vase
    flock: bool  # small birds far away
    wall: str  # behind a table, and of the mist in space: "" (dark) or a colour
    style: str  # "" or one of STYLES
    mood: str  # "" or one of MOODS
    seed: int

    @property
    def outside(self) -> bool:
        """Under a sky."""
        return self.ground in GROUNDS


FIELDS = tuple(f.name for f in fields(Scene))


def held_out(scene: Scene) -> bool:
    """Whether the scene holds a combination that training never shows."""
    return (
        (scene.thing, scene.color) in HELD_OUT_COLORS
        or (scene.thing, scene.ground) in HELD_OUT_GROUNDS
        or (scene.style, scene.ground) in HELD_OUT_STYLES
    )


def sample_scene(rng: np.random.Generator, unseen: bool = False) -> Scene:
    """Draws a scene whose attributes agree with one another: one for training, or one with a held-out combination."""
    while True:
        scene = _sample(rng)
        if held_out(scene) == unseen:
            return scene


def _pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
    names = list(weights)
    p = np.array(list(weights.values()))
    return names[int(rng.choice(len(names), p=p / p.sum()))]


def _style(rng: np.random.Generator) -> str:
    return _pick(rng, {"": 0.44} | {style: 0.07 for style in STYLES})


def _mood(rng: np.random.Generator, style: str) -> str:
    if style in MONOCHROME or style in ("neon", "pixel", "papercut"):
        return ""
    return _pick(rng, {"": 0.76} | {mood: 0.04 for mood in MOODS})


def _count(rng: np.random.Generator, thing: str) -> int:
    if thing not in COUNTED:
        return 1
    return int(_pick(rng, {"1": 0.58, "2": 0.18, "3": 0.16, "4": 0.08}))


def _color(rng: np.random.Generator, thing: str, style: str) -> str:
    if style in MONOCHROME:
        return ""
    if thing in ("tree", "cactus") and rng.random() < 0.35:
        return "green"
    if thing == "apple" and rng.random() < 0.3:
        return "red"
    return str(rng.choice(COLORS))


def _thing(rng: np.random.Generator, ground: str, style: str, chance: float) -> dict[str, object]:
    if rng.random() >= chance:
        return {"thing": "", "color": "", "count": 0, "size": "", "side": "", "detail": ""}
    thing = str(rng.choice(THINGS_BY_GROUND[ground]))
    count = _count(rng, thing)
    detail = ""
    if thing == "planet" and count == 1 and rng.random() < 0.4:
        detail = "ring"
    if thing == "vase" and rng.random() < 0.65:
        detail = "flowers"
    return {
        "thing": thing,
        "color": _color(rng, thing, style),
        "count": count,
        "size": _pick(rng, {"": 0.62, "small": 0.13, "big": 0.25}) if count == 1 else "",
        "side": str(rng.choice(SIDES)) if count == 1 else "",
        "detail": detail,
    }


def _flowers(rng: np.random.Generator, ground: str, thing: dict[str, object], style: str) -> str:
    wanted = thing["detail"] == "flowers" or (ground == "meadow" and rng.random() < 0.35)
    if not wanted or style in MONOCHROME:
        return ""
    return str(rng.choice(("red", "yellow", "purple", "white", "pink", "blue")))


def _orb(rng: np.random.Generator, time: str, weather: str, style: str) -> tuple[str, str, int]:
    chance = {"clear": 0.72, "fair": 0.66, "cloudy": 0.2, "fog": 0.35}.get(weather, 0.0)
    if rng.random() >= chance:
        return "", "", 0
    plain = style in MONOCHROME
    if time == "night":
        if rng.random() < 0.12:
            return "moon", "" if plain else _pick(rng, {"": 0.6, "red": 0.2, "blue": 0.2}), int(rng.integers(2, 4))
        orb = "moon" if rng.random() < 0.7 else "crescent"
        return orb, "" if plain else _pick(rng, {"": 0.6, "red": 0.14, "yellow": 0.14, "blue": 0.12}), 1
    return "sun", "" if plain else _pick(rng, {"": 0.5, "red": 0.22, "orange": 0.1, "yellow": 0.1, "white": 0.08}), 1


def _inside(rng: np.random.Generator, ground: str, style: str) -> Scene:
    thing = _thing(rng, ground, style, 1.0 if ground == "table" else 0.88)
    plain = style in MONOCHROME
    wall = (
        ""
        if plain
        else _pick(rng, {"": 0.34} | {c: 0.11 for c in ("red", "yellow", "green", "blue", "purple", "pink")})
    )
    moons = ground == "space" and thing["thing"] == "planet" and thing["count"] == 1 and rng.random() < 0.35
    return Scene(
        ground=ground, time="", weather="", water="", water_color="",
        orb="moon" if moons else "", orb_color="", orbs=int(rng.integers(1, 4)) if moons else 0,
        sky="stars" if ground == "space" else "", mountains="", **thing,
        flowers=_flowers(rng, ground, thing, style), flock=False, wall=wall,
        style=style, mood=_mood(rng, style), seed=int(rng.integers(2**31)),
    )  # fmt: skip


def _sample(rng: np.random.Generator) -> Scene:
    style = _style(rng)
    ground = _pick(
        rng,
        {
            "sea": 0.17, "lake": 0.11, "desert": 0.10, "meadow": 0.12, "wheat": 0.06, "snow": 0.09,
            "forest": 0.09, "city": 0.07, "table": 0.11, "space": 0.08,
        },
    )  # fmt: skip
    if ground in ("table", "space"):
        return _inside(rng, ground, style)
    times = {"dawn": 0.18, "day": 0.32, "sunset": 0.26, "night": 0.24}
    if style in MONOCHROME:
        times = {"day": 0.6, "night": 0.4}
    if style == "neon":
        times = {"night": 1.0}
    if ground == "city":
        times = {t: p * (2.2 if t == "night" else 1.0) for t, p in times.items()}
    time = _pick(rng, times)
    weathers = {"clear": 0.42, "fair": 0.26, "cloudy": 0.09, "fog": 0.09, "rain": 0.06, "snowfall": 0.04, "storm": 0.04}
    if ground == "desert":
        weathers |= {"rain": 0.0, "snowfall": 0.0}
    if ground == "snow":
        weathers |= {"snowfall": 0.15, "rain": 0.0, "storm": 0.0}
    weather = _pick(rng, weathers)
    orb, orb_color, orbs = _orb(rng, time, weather, style)
    sky = ""
    if time == "night" and weather in ("clear", "fair"):
        sky = _pick(rng, {"": 0.2, "stars": 0.6, "aurora": 0.2})
    elif time == "day" and weather in ("fair", "clear", "rain") and style not in MONOCHROME and rng.random() < 0.1:
        sky = "rainbow"
    mountains = _pick(rng, {"": 0.6, "bare": 0.2, "snowy": 0.2}) if ground != "city" else ""
    if ground in ("desert", "wheat") and mountains == "snowy":
        mountains = "bare"
    wet = ground in ("sea", "lake")
    tints = {"": 0.56, "dark": 0.16, "turquoise": 0.14, "green": 0.14}
    thing = _thing(rng, ground, style, 0.8)
    fine = time != "night" and weather in ("clear", "fair")
    return Scene(
        ground=ground, time=time, weather=weather,
        water=_pick(rng, {"": 0.5, "calm": 0.25, "rough": 0.25 if ground == "sea" else 0.0}) if wet else "",
        water_color="" if not wet or style in MONOCHROME else _pick(rng, tints),
        orb=orb, orb_color=orb_color, orbs=orbs, sky=sky, mountains=mountains, **thing,
        flowers=_flowers(rng, ground, thing, style),
        flock=bool(fine and thing["thing"] != "bird" and rng.random() < 0.12),
        wall="", style=style, mood=_mood(rng, style), seed=int(rng.integers(2**31)),
    )  # fmt: skip

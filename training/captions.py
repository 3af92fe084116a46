"""Captions by a small grammar: free order, synonyms, attributes left out, never untrue."""

from __future__ import annotations

from random import Random

from training.renderer import Scene

_TIME = {
    "dawn": ("at dawn", "at dawn", "at sunrise", "in the early morning"),
    "day": ("at noon", "at noon", "by day", "in daylight", "at midday"),
    "sunset": ("at sunset", "at sunset", "at dusk", "in the evening"),
    "night": ("at night", "at night", "by night"),
}
_TIME_ALONE = {
    "dawn": ("dawn", "sunrise", "early morning"),
    "day": ("noon", "day", "midday"),
    "sunset": ("sunset", "dusk", "evening"),
    "night": ("night",),
}
_WEATHER = {
    "clear": ("clear sky", "a clear sky", "no clouds"),
    "fair": ("a few clouds", "scattered clouds", "clouds", "some clouds"),
    "cloudy": ("cloudy", "overcast", "a cloudy sky", "heavy clouds", "grey sky"),
    "fog": ("fog", "foggy", "mist", "in the mist", "in thick fog"),
    "rain": ("rain", "rainy", "in the rain", "rainy weather"),
    "snowfall": ("snowfall", "falling snow", "snowing", "it is snowing"),
}
_WATER = {
    "": ("",),
    "dark": ("dark", "dark", "black"),
    "calm": ("calm", "calm", "quiet", "still"),
    "rough": ("rough", "stormy", "wild", "wavy"),
    "turquoise": ("turquoise",),
}
_GROUND = {
    "sea": ("sea", "sea", "sea", "ocean"),
    "lake": ("lake",),
    "desert": ("desert", "desert", "sand dunes", "dunes", "sandy desert"),
    "meadow": ("meadow", "meadow", "green meadow", "field", "grassland", "grass"),
    "snow": ("snow field", "snowy field", "snowy plain", "snow", "field of snow"),
    "forest": ("forest", "forest", "pine forest", "woods", "fir forest"),
}
_NO_ARTICLE = ("dunes", "sand dunes", "grass", "snow", "woods", "grassland")
_MOUNTAINS = {
    "bare": ("mountains", "mountains", "rocky mountains", "a mountain range"),
    "snowy": ("snowy mountains", "snowy mountains", "snow-capped mountains", "white mountains", "snowy peaks"),
}
_THING = {
    "boat": ("boat", "boat", "sailboat", "sailing boat"),
    "house": ("house", "house", "cottage", "cabin"),
    "tree": ("tree",),
    "balloon": ("balloon", "hot air balloon"),
    "lighthouse": ("lighthouse",),
}
_SIZE = {"small": ("small", "little", "tiny"), "big": ("big", "large")}
_SIDE = {"left": ("on the left",), "center": ("in the middle", "in the center"), "right": ("on the right",)}
_STYLE_BEFORE = {
    "watercolor": ("a watercolor of", "a watercolor painting of", "watercolor,"),
    "pixel": ("pixel art of", "pixel art,"),
    "ink": ("an ink drawing of", "ink drawing,", "black and white ink,"),
}
_STYLE_AFTER = {
    "watercolor": ("watercolor", "in watercolor", "watercolor painting"),
    "pixel": ("pixel art", "as pixel art"),
    "ink": ("ink drawing", "black and white ink", "in ink"),
}


def _article(words: str, rng: Random) -> str:
    if words.startswith(("a ", "an ", "the ")) or rng.random() < 0.12:
        return words
    if rng.random() < 0.12:
        return f"the {words}"
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _orb(scene: Scene, rng: Random) -> str:
    color = {"yellow": rng.choice(("yellow", "golden"))}.get(scene.orb_color, scene.orb_color)
    if rng.random() < 0.1:
        color = ""
    if scene.orb == "sun":
        return _article(f"{color} sun".strip(), rng)
    if not color and rng.random() < 0.3:
        color = "white" if not scene.orb_color else ""
    if scene.orb == "crescent":
        return _article(f"{color} crescent moon".strip(), rng)
    return _article(f"{color} {rng.choice(('full moon', 'moon', 'moon'))}".strip(), rng)


def _ground(scene: Scene, rng: Random) -> str:
    noun = rng.choice(_GROUND[scene.ground])
    water = rng.choice(_WATER[scene.water]) if rng.random() < 0.92 else ""
    words = f"{water} {noun}".strip()
    if words not in _NO_ARTICLE:
        words = _article(words, rng)
    if scene.flowers and rng.random() < 0.9:
        color = scene.flowers if rng.random() < 0.92 else ""
        flowers = f"{color} flowers".strip()
        return rng.choice((f"{words} with {flowers}", f"{words} full of {flowers}", f"{flowers} in {words}"))
    return words


def _thing(scene: Scene, rng: Random) -> str:
    color = scene.color if rng.random() < 0.93 else ""
    if scene.thing == "tree" and scene.color == "green" and rng.random() < 0.5:
        color = ""
    size = rng.choice(_SIZE[scene.size]) if scene.size and rng.random() < 0.6 else ""
    words = " ".join(part for part in (size, color, rng.choice(_THING[scene.thing])) if part)
    return _article(words, rng)


def _where(scene: Scene, rng: Random, thing: str, ground: str) -> str:
    if scene.thing == "balloon":
        link = rng.choice(("over", "above", "over"))
    elif scene.thing == "lighthouse":
        link = rng.choice(("by", "by", "in", "at"))
    elif scene.thing == "boat":
        link = rng.choice(("on", "on", "at")) if scene.ground == "sea" else "on"
    else:
        link = "at the edge of" if scene.ground == "forest" else rng.choice(("in", "on", "in"))
        if scene.ground == "forest" and rng.random() < 0.4:
            link = rng.choice(("by", "in front of"))
    return f"{thing} {link} {ground}"


def _one_word(scene: Scene, rng: Random) -> str:
    choices = [rng.choice(_GROUND[scene.ground]), rng.choice(_TIME_ALONE[scene.time])]
    if scene.weather in ("fog", "rain", "snowfall", "cloudy"):
        choices.append(rng.choice(_WEATHER[scene.weather]))
    if scene.orb:
        choices.append("sun" if scene.orb == "sun" else "moon")
    if scene.mountains:
        choices.append("mountains")
    if scene.stars:
        choices.append("stars")
    if scene.thing:
        choices.append(scene.thing)
        choices.append(f"{scene.color} {rng.choice(_THING[scene.thing])}")
    return rng.choice(choices)


def _subject(scene: Scene, rng: Random, parts: dict[str, str]) -> list[str]:
    """Ties the chosen parts into phrases, using up the ones it ties together."""
    phrases = []
    ground, orb, mountains, thing = (parts.pop(k, "") for k in ("ground", "orb", "mountains", "thing"))
    time = parts.get("time", "")
    if thing and scene.side and rng.random() < 0.3:
        thing = f"{thing} {rng.choice(_SIDE[scene.side])}"
        if ground:
            phrases.append(ground)
            ground = ""
    if thing and ground and rng.random() < 0.75:
        thing, ground = _where(scene, rng, thing, ground), ""
    if orb and ground and rng.random() < 0.75:
        orb, ground = rng.choice((f"{orb} over {ground}", f"{ground} under {orb}", f"{orb} above {ground}")), ""
    elif orb and mountains and rng.random() < 0.4:
        orb, mountains = rng.choice((f"{mountains} under {orb}", f"{orb} over {mountains}")), ""
    if mountains and rng.random() < 0.45:
        mountains = rng.choice((f"{mountains} behind", f"{mountains} in the distance", f"{mountains} in the background"))
    if mountains and ground and rng.random() < 0.4:
        ground, mountains = rng.choice((f"{ground} and {mountains}", f"{ground} with {mountains}")), ""
    phrases += [p for p in (thing, ground, orb) if p]
    if time and phrases and rng.random() < 0.7:
        i = rng.randrange(len(phrases))
        phrases[i] = f"{phrases[i]} {rng.choice(_TIME[scene.time])}"
        parts.pop("time")
    if mountains:
        phrases.append(mountains)
    return phrases


def _kept(scene: Scene, rng: Random) -> dict[str, str]:
    """The attributes that this caption will name."""
    whole = rng.random() < 0.3
    chance = {"time": 0.8, "weather": 0.75, "ground": 0.92, "orb": 0.9, "mountains": 0.9, "thing": 0.95, "stars": 0.6}
    if scene.weather in ("clear", "fair"):
        chance["weather"] = 0.25
    weather = _WEATHER[scene.weather]
    if scene.time == "day" and scene.weather in ("clear", "fair") and scene.orb_color != "red" and not scene.style:
        weather += ("blue sky", "a blue sky")
    parts = {
        "time": rng.choice(_TIME_ALONE[scene.time]),
        "weather": rng.choice(weather),
        "ground": _ground(scene, rng),
        "orb": _orb(scene, rng) if scene.orb else "",
        "mountains": rng.choice(_MOUNTAINS[scene.mountains]) if scene.mountains else "",
        "thing": _thing(scene, rng) if scene.thing else "",
        "stars": rng.choice(("stars", "a starry sky", "many stars")) if scene.stars else "",
    }
    return {k: v for k, v in parts.items() if v and (whole or rng.random() < chance[k])}


def caption(scene: Scene, rng: Random) -> str:
    """One true caption of the scene; a different one for a different state of `rng`."""
    if rng.random() < 0.09:
        text = _one_word(scene, rng)
    else:
        parts = _kept(scene, rng)
        phrases = _subject(scene, rng, parts)
        rest = list(parts.values())
        rng.shuffle(phrases)
        rng.shuffle(rest)
        if rest and rng.random() < 0.3:
            phrases.insert(0, rest.pop())
        text = (", " if rng.random() < 0.9 else " ").join(phrases + rest) or rng.choice(_GROUND[scene.ground])
    if scene.style:
        if rng.random() < 0.5:
            return f"{rng.choice(_STYLE_BEFORE[scene.style])} {text}"
        return f"{text}, {rng.choice(_STYLE_AFTER[scene.style])}"
    return text

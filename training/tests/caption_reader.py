"""Reads attributes out of a caption with words and rules of its own, to check the grammar that wrote it."""

from __future__ import annotations

import re

_COLORS = {
    "red": "red", "crimson": "red", "scarlet": "red", "orange": "orange", "yellow": "yellow", "golden": "yellow",
    "green": "green", "emerald": "green", "blue": "blue", "purple": "purple", "violet": "purple", "pink": "pink",
    "rose": "pink", "white": "white", "black": "black",
}  # fmt: skip
COLOR_WORDS = frozenset(_COLORS) | {"turquoise", "teal", "grey", "gray"}
# Mapped in this order; each pattern becomes one mark, or a plainer word where there is no "=".
_MARKS = [
    (r"golden hour", "time=sunset"),
    (r"\b(?:dawn|sunrise|early morning|morning)\b", "time=dawn"),
    (r"\b(?:sunset|dusk|evening|twilight)\b", "time=sunset"),
    (r"starry night", "sky=stars time=night"),
    (r"clear (?=(?:day|night)\b)", "weather=clear "),
    (r"\b(?:noon|midday|daytime|daylight|day)\b", "time=day"),
    (r"\b(?:midnight|nighttime|night)\b", "time=night"),
    (r"partly cloudy|(?:a few|scattered|some) clouds", "weather=fair"),
    (r"heavy clouds|thick clouds|\bcloudy\b|overcast|\bgr[ae]y sky", "weather=cloudy"),
    (r"clear sky|cloudless sky|no clouds|clear weather", "weather=clear"),
    (r"\bclouds\b", "weather=fair"),
    (r"\b(?:fog|foggy|mist|misty)\b", "weather=fog"),
    (r"\b(?:rain|rainy|raining)\b", "weather=rain"),
    (r"\b(?:storm|stormy|thunderstorm|lightning)\b", "weather=storm"),
    (r"snowfall|falling snow|snowing|snowflakes|snow is falling", "weather=snowfall"),
    (r"\b(?:a flock of birds|flock of birds|distant birds|birds far away|birds in the distance)\b", "flock=yes"),
    (r"snowy mountains|snow-capped mountains|snowy peaks|snow-covered mountains|white mountains", "mountains=snowy"),
    (r"(?:(?:rocky|bare) )?mountains\b|mountain range", "mountains=bare"),
    (r"(MOUNTAINS=\w+) (?:in the background|in the distance|on the horizon|at the back|behind)", r"\1"),
    (r"\bin the (?:far )?distance|\bfar away|\bdistant\b", "size=small"),
    (r"\bclose[ -]up\b|\bup close\b", "size=big"),
    (r"\b(?:on|to|at) the (left|right)(?: side)?", r"side=\1"),
    (r"\bin the middle|\b(?:in|at) the center", "side=center"),
    (r"starry sky|\bstars\b", "sky=stars"),
    (r"northern lights|aurora(?: borealis)?", "sky=aurora"),
    (r"\brainbow\b", "sky=rainbow"),
    (r"still life|\btable\b", "ground=table"),
    (r"\b(?:outer |deep )?space\b|\buniverse\b", "ground=space"),
    (r"\bwheat field|\bfield of wheat|\bwheat\b", "ground=wheat"),
    (r"snow field|snowy (?:field|plain|landscape)|field of snow|winter landscape|\bsnow\b", "ground=snow"),
    (r"\bmeadow\b|\bgrassland\b|(?:grassy|green) field|\bgrass\b", "ground=meadow"),
    (r"\bdesert\b|\bdunes\b", "ground=desert"),
    (r"\b(?:forest|woods)\b", "ground=forest"),
    (r"city skyline|\b(?:city|town|skyline|skyscrapers|cityscape)\b", "ground=city"),
    (r"\b(?:ocean|seascape)\b", "sea"),
    (r"dark (?:wall|background|sky)", "wall="),
    (r"hot air balloon", "balloon"),
    (r"sailboat|sailing boat|\byacht|\bship", "boat"),
    (r"\b(?:cottage|cabin|hut)(?=s?\b)", "house"),
    (r"\bmill(?=s?\b)", "windmill"),
    (r"blossom", "flower"),
    (r"burning candle", "candle"),
    (r"\bcacti\b", "cactuss"),
    (r"\bcup(s?) of coffee|coffee cup(s?)|\bmug(s?)\b", r"cup\1\2\3"),
    (r"\bspaceship|rocket (?:ship|boat)", "rocket"),
    (r"\bseagull", "bird"),
    (r"wildflowers", "flowers"),
    (r"moon crescent|crescent moon", "crescent"),
]
_THINGS = (
    "boat lighthouse balloon bird house tree cactus windmill flower apple vase cup bottle candle planet rocket".split()
)
_NUMBERS = {"two": 2, "2": 2, "three": 3, "3": 3, "four": 4, "4": 4}
_SIZES = dict.fromkeys(("small", "little", "tiny"), "small") | dict.fromkeys(("big", "large", "huge", "giant"), "big")
_STYLES = {
    "watercolor": r"watercolou?r|aquarelle",
    "oil": r"painting|\boil\b",
    "ink": r"\bdrawing|sketch|\bink\b",
    "pixel": r"\bpixel|8-bit",
    "papercut": r"\bpaper",
    "neon": r"\bneon\b|synthwave",
    "woodcut": r"woodcut|woodblock|linocut",
    "photo": r"\bphoto|realistic",
}
_MOODS = {
    "dramatic": r"dramatic|cinematic|\bepic\b",
    "dreamy": r"dreamy|ethereal|like a dream",
    "pastel": r"pastel",
    "moody": r"\bmoody\b|gloomy",
    "vivid": r"vivid|vibrant|colorful|bright colors",
    "vintage": r"vintage|retro|nostalgic",
}
_WATER = {
    "calm": "calm", "quiet": "calm", "still": "calm", "smooth": "calm", "rough": "rough", "wild": "rough",
    "choppy": "rough",
}  # fmt: skip
_WATER_COLORS = {
    "dark": "dark", "black": "dark", "turquoise": "turquoise", "teal": "turquoise", "green": "green",
    "emerald": "green", "blue": "",
}  # fmt: skip
# What may stand between a number and its noun.
_BETWEEN = (
    {"bright", "pure", "jet", "deep", "pale", "single", "lonely", "lone", "ringed", "empty", "full", "blood", "neon"}
    | {"pixel", "art", "watercolor", "beautiful", "lovely", "nice", "pretty", "wonderful", "amazing", "stunning"}
    | {"gorgeous", "high", "quality", "detailed", "dramatic", "cinematic", "epic", "dreamy", "ethereal", "pastel"}
    | {"soft", "moody", "gloomy", "vivid", "vibrant", "colorful", "vintage", "retro", "nostalgic", "size=small"}
    | {"weather=fog", "weather=rain", "weather=storm", "turquoise", "teal", "dark"}
    | set(_COLORS) | set(_SIZES) | set(_WATER)
)  # fmt: skip


def read(text: str) -> dict[str, object]:
    """The attributes whose values a caption determines, with these values."""
    text = text.lower().rstrip(".")
    found: dict[str, object] = {"style": next((s for s, words in _STYLES.items() if re.search(words, text)), "")}
    for mood, words in _MOODS.items():
        if re.search(words, text):
            found["mood"] = mood
    for pattern, mark in _MARKS:
        # Marks are in capitals, so that no later pattern finds its words in them.
        text = re.sub(pattern, lambda m: m.expand(mark).upper() if "=" in mark else m.expand(mark), text)
    aside = re.search(r"the (?:\w+) (?:is|are) (?:\w+ )??(" + "|".join(_COLORS) + r")\b", text)
    if aside:
        found["color"] = _COLORS[aside[1]]
        text = text.replace(aside[0], "")
    words = re.findall(r"[\w=-]+|[,.:]", text.lower())
    for i, word in enumerate(words):
        name, mark, value = word.partition("=")
        if mark:
            found[name] = value == "yes" or value
            if word == "flock=yes":
                found[name] = True
        else:
            _read_noun(words, i, found)
    return found


def _read_noun(words: list[str], i: int, found: dict[str, object]) -> None:
    noun, before, start = words[i], [], i
    while start > 0 and words[start - 1] in _BETWEEN:
        start -= 1
        before.append(words[start])
    colors = [_COLORS[w] for w in before if w in _COLORS]
    number = _NUMBERS.get(words[start - 1]) if start else None
    phrase = " ".join(words[max(start - 3, 0) : start])
    if phrase.endswith(("a pair of", "a couple of")):
        number = 2
    counted = number or phrase.endswith(("several", "some", "a few", "a group of"))
    plural = noun.endswith("s") and noun[:-1] in _THINGS
    thing = noun[:-1] if plural else noun
    if noun == "flowers" and not counted:
        if "vase" in words or "vases" in words:
            found["detail"] = "flowers"
        if colors:
            found["flowers"] = colors[0]
    elif thing in _THINGS:
        found["thing"] = thing
        if number or not plural:
            found["count"] = number or 1
        after = " ".join(words[i + 1 : i + 12])
        dressed = re.match(r"in (?:(?:bright|pure|jet|deep) )?(\w+)(?: green)?(?! (?:sea|lake|ground)\b)\b ?", after)
        if dressed and dressed[1] in _COLORS:
            colors, after = [_COLORS[dressed[1]]], after[dressed.end() :]
        if colors:
            found["color"] = colors[0]
        found.update({"size": _SIZES[w] for w in before if w in _SIZES})
        if "ringed" in before or re.match(r"with (a ring|rings)\b", after):
            found["detail"] = "ring"
        if "empty" in before:
            found["detail"] = ""
    elif noun in ("sun", "moon", "moons", "crescent"):
        found["orb"] = noun.removesuffix("s") if noun != "crescent" else noun
        if noun != "moons" or number:
            found["orbs"] = number or 1
        if "blood" in before:
            colors = ["red"]
        if "pale" in before or (colors and colors[0] == "white" and noun != "sun"):
            colors = [""]
        if colors:
            found["orb_color"] = colors[0]
    elif noun in ("sea", "lake"):
        found["ground"] = noun
        found.update({"water": _WATER[w] for w in before if w in _WATER})
        if re.match(r"with (high |wild )?waves", " ".join(words[i + 1 : i + 4])):
            found["water"] = "rough"
        tints = [_WATER_COLORS[w] for w in before if w in _WATER_COLORS]
        if tints:
            found["water_color"] = tints[0]
    elif noun in ("wall", "background", "nebula", "haze", "glow") and colors:
        found["wall"] = colors[0]

"""The phrases of one caption: each says something true and knows which attributes it tells."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from training.words import vocabulary as words
from training.world.scene import MONOCHROME, Scene

# In these the ground and the sky have the colours that one expects.
_LIFELIKE = ("", "oil", "watercolor", "photo")
_VOWELS = "aeiou"


class Phrase(NamedTuple):
    """Some words, and the names of the attributes whose values they determine."""

    text: str
    tells: tuple[str, ...] = ()

    def tie(self, link: str, other: Phrase) -> Phrase:
        """Both in one, with words between."""
        return Phrase(f"{self.text} {link} {other.text}", self.tells + other.tells)


class Speaker:
    """Makes phrases about one scene, each time in other words."""

    def __init__(self, scene: Scene, rng: Random):
        self.scene = scene
        self.random = rng.random
        # Key words without articles, as people type them.
        self.terse = self.random() < 0.14
        # Without marks between phrases, too.
        self.loose = self.random() < 0.06
        self.colors = scene.style not in MONOCHROME
        lifelike = scene.style in _LIFELIKE and scene.mood in ("", "vivid")
        self.daylight = lifelike and scene.time == "day" and scene.orb_color != "red"
        self.fine = self.daylight and scene.weather in ("clear", "fair")
        # A sentence of its own about the colour of the thing, when that is not told beside it.
        self.aside: Phrase | None = None

    def pick(self, options: Sequence[str]) -> str:
        """One of them."""
        return options[int(self.random() * len(options))]

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.random() < probability

    def article(self, text: str) -> str:
        """Mostly with one before it."""
        r = self.random()
        if self.terse or r < 0.07:
            return text
        if r < 0.16:
            return f"the {text}"
        return f"an {text}" if text[0] in _VOWELS else f"a {text}"

    def noun(self, text: str) -> str:
        """With an article where the noun takes one."""
        if text in words.NO_ARTICLE:
            return f"the {text}" if not self.terse and self.random() < 0.25 and not text.endswith("space") else text
        return f"the {text}" if text == "universe" else self.article(text)

    def when(self) -> Phrase:
        """As in "at dusk"."""
        time = self.scene.time
        if time == "sunset" and self.colors and self.random() < 0.05:
            return Phrase(f"at {words.SUNSET_HOUR}", ("time",))
        return Phrase(self.pick(words.TIME[time]), ("time",))

    def when_alone(self) -> Phrase:
        """As in "dusk"."""
        time = self.scene.time
        if time == "sunset" and self.colors and self.random() < 0.06:
            return Phrase(words.SUNSET_HOUR, ("time",))
        return Phrase(self.pick(words.TIME_ALONE[time]), ("time",))

    def when_with_weather(self) -> Phrase | None:
        """As in "on a foggy evening", for weathers of which one speaks so."""
        scene = self.scene
        if scene.weather == "clear" and scene.time in ("night", "day"):
            kind = "clear"
        elif scene.weather in words.WEATHER_BEFORE:
            kind = self.pick(words.WEATHER_BEFORE[scene.weather])
        else:
            return None
        before = "" if self.terse else self.pick(("on a ", "on a ", "a "))
        return Phrase(f"{before}{kind} {self.pick(words.TIME_NOUN[scene.time])}", ("time", "weather"))

    def weather(self) -> Phrase:
        """As in "falling snow"."""
        scene = self.scene
        if self.fine and self.random() < 0.4:
            return Phrase(self.pick(words.SKY_BY_DAYLIGHT))
        if self.daylight and scene.weather == "cloudy" and self.random() < 0.15:
            return Phrase(self.pick(("grey sky", "a gray sky")), ("weather",))
        return Phrase(self.pick(words.WEATHER[scene.weather]), ("weather",))

    def ground(self, weather: bool = False, alone: bool = False) -> Phrase:
        """Where it is, with its water or flowers; `weather` is put before it, `alone` allows words for whole views."""
        scene = self.scene
        tells = ["ground"]
        if self.fine and scene.ground in words.GROUND_BY_DAYLIGHT and self.random() < 0.25:
            noun = self.pick(words.GROUND_BY_DAYLIGHT[scene.ground])
        elif scene.ground in ("meadow", "wheat") and self.random() < 0.05:
            # Either of them.
            noun, tells = "field", []
        elif alone and scene.ground in words.VIEW and self.random() < 0.12:
            noun = self.pick(words.VIEW[scene.ground])
        else:
            noun = self.pick(words.GROUND[scene.ground])
        text, after = noun, ""
        if scene.water_color:
            if self.random() < 0.9:
                text = f"{self.pick(words.WATER_COLOR[scene.water_color])} {text}"
                tells.append("water_color")
        elif scene.ground in ("sea", "lake") and self.fine and self.random() < 0.15:
            text = f"{self.pick(words.WATER_BY_DAYLIGHT)} {text}"
            tells.append("water_color")
        if scene.water and self.random() < 0.9:
            tells.append("water")
            if scene.water == "rough" and self.random() < 0.25:
                after = f" {self.pick(words.WAVES)}"
            else:
                text = f"{self.pick(words.WATER[scene.water])} {text}"
        if weather and not text.startswith("snow"):
            text = f"{self.pick(words.WEATHER_BEFORE[scene.weather])} {text}"
            tells.append("weather")
        elif self.random() < 0.02:
            text = f"{self.pick(words.PRAISE)} {text}"
        text = self.noun(text) + after
        if scene.flowers and scene.ground == "meadow" and self.random() < 0.92:
            flowers = self.flowers()
            tells += flowers.tells
            if alone and self.random() < 0.25:
                text = f"{flowers.text} in {text}"
            else:
                text = f"{text} {self.pick(words.FLOWERS_IN)} {flowers.text}"
        return Phrase(text, tuple(tells))

    def flowers(self) -> Phrase:
        """Many small ones, in a meadow or a vase."""
        if self.scene.flowers and self.random() < 0.94:
            # A rose is a flower before it is a colour.
            color = self.pick(words.COLOR[self.scene.flowers]).replace("rose", "pink")
            return Phrase(f"{color} {self.pick(('flowers', 'flowers', 'flowers', 'wildflowers'))}", ("flowers",))
        return Phrase("flowers")

    def orb(self) -> Phrase:
        """The sun, the moon or the moons."""
        scene = self.scene
        tells = ["orb"]
        color = ""
        if scene.orb_color:
            if self.random() < 0.92:
                color = self.pick(words.COLOR[scene.orb_color]).removeprefix("bright ").removeprefix("deep ")
                tells.append("orb_color")
        elif scene.orb != "sun" and self.colors and scene.outside and scene.style != "neon" and self.random() < 0.2:
            color = self.pick(("white", "white", "pale"))
            tells.append("orb_color")
        if scene.orbs > 1:
            number = f"{self._number(scene.orbs)} " if self.random() < 0.93 else ""
            if number:
                tells.append("orbs")
            return Phrase(f"{number}{color} moons".replace("  ", " ").strip(), tuple(tells))
        tells.append("orbs")
        if scene.orb == "sun":
            noun = "sun"
        elif scene.orb == "crescent":
            noun = self.pick(("crescent moon", "crescent moon", "moon crescent", "crescent"))
        elif scene.outside:
            noun = self.pick(("full moon", "moon", "moon"))
            if scene.orb_color == "red" and self.random() < 0.1:
                color, noun = "", "blood moon"
                tells = ["orb", "orbs", "orb_color"]
        else:
            noun = self.pick(("moon", "moon", "single moon"))
        return Phrase(self.article(f"{color} {noun}".strip()), tuple(tells))

    def _number(self, count: int) -> str:
        return self.pick(words.COUNT[count])

    def mountains(self) -> Phrase:
        """Those far away."""
        scene = self.scene
        if scene.mountains == "snowy" and self.fine and self.random() < 0.1:
            return Phrase("white mountains", ("mountains",))
        return Phrase(self.pick(words.MOUNTAINS[scene.mountains]), ("mountains",))

    def sky(self) -> Phrase:
        """Stars, northern lights or a rainbow."""
        return Phrase(self.pick(words.SKY[self.scene.sky]), ("sky",))

    def under_sky(self) -> Phrase:
        """As in "under the stars"."""
        return Phrase(self.pick(words.UNDER_SKY[self.scene.sky]), ("sky",))

    def flock(self) -> Phrase:
        """The small birds far away."""
        return Phrase(self.pick(words.FLOCK), ("flock",))

    def wall(self) -> Phrase:
        """What is behind a table."""
        color = self.scene.wall
        noun = self.pick(words.WALL)
        if color:
            return Phrase(f"{self.pick(words.COLOR[color]).replace('rose', 'pink')} {noun}", ("wall",))
        return Phrase(f"dark {noun}", ("wall",))

    def nebula(self) -> Phrase:
        """The mist in space, or that there is none."""
        color = self.scene.wall
        if not color:
            return Phrase(self.pick(("dark sky", "dark background")), ("wall",))
        if self.random() < 0.05:
            return Phrase("a nebula")
        return Phrase(self.article(f"{self.pick(words.COLOR[color])} {self.pick(words.NEBULA)}"), ("wall",))

    def side(self) -> Phrase:
        """Where a single thing is."""
        return Phrase(self.pick(words.SIDE[self.scene.side]), ("side",))

    def links(self) -> tuple[str, ...]:
        """What may stand between the thing and the ground."""
        scene = self.scene
        if scene.ground == "table":
            return words.ON_TABLE
        return words.LINK.get((scene.thing, scene.ground)) or words.LINK[scene.thing]

    def thing(self) -> Phrase:
        """The main thing with its number, size, colour and what belongs to it."""
        scene = self.scene
        kind, several, random = scene.thing, scene.count > 1, self.random
        forms = words.THING[kind]
        both = forms[int(random() * len(forms))]
        if kind == "bird" and scene.color == "white" and scene.ground == "sea" and random() < 0.2:
            both = words.GULL
        noun = both[several]
        tells = ["thing"]
        before, head, after = "", "", ""
        if scene.size and random() < 0.7:
            tells.append("size")
            head, before, after = self._size()
        if random() < 0.025:
            before = f"{before}{self.pick(words.PRAISE)} "
        if scene.detail == "ring" and random() < 0.92:
            tells.append("detail")
            if random() < 0.2:
                before += "ringed "
            else:
                after = f" {self.pick(('with a ring', 'with a ring', 'with rings'))}{after}"
        elif kind == "vase" and scene.detail and random() < 0.92:
            flowers = self.flowers()
            tells += ("detail", *flowers.tells)
            after = f" {self.pick(('with', 'with', 'full of', 'of'))} {flowers.text}{after}"
        elif kind == "vase" and not scene.detail and random() < 0.3:
            tells.append("detail")
            before += "empty "
        # Trees are green, if nobody says otherwise, and apples are red.
        natural = (kind, scene.color) in (("tree", "green"), ("cactus", "green"), ("apple", "red"))
        if scene.color and random() < (0.6 if natural else 0.955):
            color = self.pick(words.COLOR[scene.color])
            if kind in ("flower", "vase"):
                color = color.replace("rose", "pink")
            r = random()
            if r < 0.95 or self.loose:
                before = f"{before}{color} "
                tells.append("color")
            elif r < 0.97:
                after = f" in {color}{after}"
                tells.append("color")
            else:
                self.aside = Phrase(f"the {noun} {'are' if several else 'is'} {color}", ("color",))
        text = f"{before}{noun}"
        if not several:
            tells.append("count")
            r = random()
            if r < 0.86:
                text = self.article(text)
            else:
                text = f"{self.pick(('one', 'one', 'a single', 'a lonely', 'a lone'))} {text}"
        else:
            text, counted = self._counted(text)
            if counted:
                tells.append("count")
        return Phrase(f"{head}{text}{after}", tuple(tells))

    def _size(self) -> tuple[str, str, str]:
        """Words before all, before the noun and after it."""
        r = self.random()
        if self.scene.size == "big":
            if r < 0.75:
                return "", f"{self.pick(words.BIG)} ", ""
            return (f"{self.pick(words.CLOSE)} ", "", "") if r < 0.92 else ("", "", " up close")
        if r < 0.62 or self.scene.ground == "table":
            return "", f"{self.pick(words.SMALL)} ", ""
        return ("", "distant ", "") if r < 0.7 else ("", "", f" {self.pick(words.FAR)}")

    def _counted(self, text: str) -> tuple[str, bool]:
        """The number before the things, and whether it is exact."""
        count, r = self.scene.count, self.random()
        if r < 0.07 and self.scene.thing != "flower":
            return text, False
        if r < 0.24 and count == 2:
            return f"{self.pick(words.PAIR)} {text}", True
        if r < 0.17 and count > 2:
            return f"{self.pick(words.SOME)} {text}", False
        return f"{self._number(count)} {text}", True

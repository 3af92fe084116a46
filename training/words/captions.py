"""Captions by a small grammar: free order, synonyms, attributes left out, never untrue."""

from __future__ import annotations

from random import Random

from training.words import vocabulary as words
from training.words.attributes import ATTRIBUTES, CLASSES, VALUES, targets
from training.words.manner import dress, retype
from training.words.speaker import Phrase, Speaker
from training.world.scene import Scene

__all__ = ["ATTRIBUTES", "CLASSES", "VALUES", "caption", "described", "targets"]

# Words and marks, so that nearly every caption fits what the text encoder reads, style and all.
_ROOM = 30


def caption(scene: Scene, rng: Random) -> str:
    """One true caption of the scene; a different one for a different state of `rng`."""
    return described(scene, rng)[0]


def described(scene: Scene, rng: Random, mistakes: bool = True) -> tuple[str, frozenset[str]]:
    """A caption and the names of the attributes whose values it determines; now and then a word is mistyped.

    Style is among them even where it is "": no word about style means none.
    """
    say = Speaker(scene, rng)
    if rng.random() < 0.07:
        lead, others = _one_word(say), []
    elif scene.ground == "table":
        lead, others = _table(say)
    elif scene.ground == "space":
        lead, others = _space(say)
    else:
        lead, others = _outside(say)
    whole = dress(say, _join(say, _ordered(say, _sentence(say, lead), others)))
    return retype(whole.text, rng, mistakes), frozenset(whole.tells)


def _one_word(say: Speaker) -> Phrase:
    """A prompt of a word or two."""
    scene = say.scene
    ground = say.pick(words.GROUND[scene.ground])
    choices = [Phrase("still life" if scene.ground == "table" else ground, ("ground",))]
    if scene.time:
        choices.append(say.when_alone())
        if scene.weather not in ("clear", "fair"):
            choices.append(say.weather())
    if scene.orb:
        choices.append(say.orb())
    if scene.mountains:
        choices.append(say.mountains())
    if scene.sky:
        choices.append(say.sky())
    if scene.flowers:
        choices.append(say.flowers())
    if scene.thing:
        several = scene.count > 1
        # Bare flowers may be those of a meadow, or in a vase.
        tells = ("thing", "count") if not several else ("thing",) if scene.thing != "flower" else ()
        bare = Phrase(words.THING[scene.thing][0][several], tells)
        full = say.thing()
        say.aside = None
        choices += (bare, full, full)
    return choices[int(say.random() * len(choices))]


def _with_wall(say: Speaker, lead: Phrase) -> Phrase:
    wall = say.wall()
    noun = wall.text if say.terse else f"{'an' if wall.text[0] in 'aeiou' else 'a'} {wall.text}"
    return lead.tie(say.pick(words.BEFORE_WALL), Phrase(noun, wall.tells))


def _table(say: Speaker) -> tuple[Phrase, list[Phrase]]:
    scene, chance = say.scene, say.chance
    wall = say.colors and chance(0.8 if scene.wall else 0.35)
    phrases = []
    if not chance(0.96):
        lead = Phrase("still life", ("ground",))
    else:
        lead = say.thing()
        r = say.random()
        if scene.side and chance(0.3):
            lead = _after(lead, say.side())
        if r < 0.68:
            lead = lead.tie(say.pick(say.links()), say.ground())
        elif r < 0.80:
            lead = Phrase(say.article("still life")).tie(say.pick(("with", "with", "of")), lead)
            lead = Phrase(lead.text, (*lead.tells, "ground"))
        elif r < 0.84:
            lead = say.ground().tie("with", lead)
        elif r < 0.9:
            phrases.append(Phrase("still life", ("ground",)))
    if wall and chance(0.6):
        lead = _with_wall(say, lead)
    elif wall:
        text, tells = say.wall()
        phrases.append(Phrase(say.article(text), tells))
    return lead, phrases


def _after(lead: Phrase, more: Phrase) -> Phrase:
    return Phrase(f"{lead.text} {more.text}", lead.tells + more.tells)


def _space(say: Speaker) -> tuple[Phrase, list[Phrase]]:
    scene, chance = say.scene, say.chance
    phrases = []
    ground = say.ground() if chance(0.85) else None
    lead = None
    if scene.thing and chance(0.96):
        lead = say.thing()
        if scene.orb and chance(0.88):
            moons = say.orb()
            if chance(0.8):
                lead = lead.tie(say.pick(("with", "with", "and")), moons)
            else:
                phrases.append(moons)
        if scene.side and chance(0.3):
            lead = _after(lead, say.side())
        if ground and chance(0.75):
            lead, ground = lead.tie(say.pick(say.links()), ground), None
    if ground and lead:
        phrases.append(ground)
    lead = lead or ground or Phrase("space", ("ground",))
    if scene.wall and chance(0.85):
        nebula = say.nebula()
        if chance(0.4):
            lead = lead.tie(say.pick(("with", "and", "in front of")), nebula)
        else:
            phrases.append(nebula)
    elif not scene.wall and say.colors and chance(0.15):
        phrases.append(say.nebula())
    if chance(0.5):
        stars = say.pick(("stars", "many stars", "among the stars", "a sky full of stars"))
        phrases.append(Phrase(stars, ("sky",)))
    return lead, phrases


def _outside(say: Speaker) -> tuple[Phrase, list[Phrase]]:
    scene, chance, pick, random = say.scene, say.chance, say.pick, say.random
    whole = 1.0 if chance(0.22) else 0.0
    phrases: list[Phrase] = []
    has_thing = bool(scene.thing) and chance(0.965)
    has_ground = chance(0.9 + whole)
    has_time = chance(0.78 + whole)
    has_weather = chance((0.25 if scene.weather in ("clear", "fair") else 0.82) + whole * 0.5)
    has_orb = bool(scene.orb) and chance(0.88 + whole)
    has_mountains = bool(scene.mountains) and chance(0.88 + whole)
    has_sky = bool(scene.sky) and chance(0.82 + whole)

    if has_time and has_weather and chance(0.2):
        when = say.when_with_weather()
        if when:
            phrases.append(when)
            has_time = has_weather = False
    if has_sky and has_time and scene.sky == "stars" and chance(0.15):
        phrases.append(Phrase(pick(("starry night", "a starry night", "on a starry night")), ("time", "sky")))
        has_time = has_sky = False
    ground = None
    if has_ground:
        misty = has_weather and scene.weather in words.WEATHER_BEFORE_GROUND and scene.water != "calm" and chance(0.22)
        has_weather = has_weather and not misty
        ground = say.ground(misty, alone=not has_thing)
        if has_time and not has_thing and scene.time in words.TIME_OVER and chance(0.12):
            ground = Phrase(pick(words.TIME_OVER[scene.time]), ("time",)).tie(pick(("over", "over", "above")), ground)
            has_time = False
    flying = scene.thing in words.FLYING
    lead = None
    if has_thing:
        lead = say.thing()
        if scene.side and chance(0.3):
            if chance(0.15):
                lead = say.side().tie("there is", lead) if chance(0.4) else _after(say.side(), lead)
            else:
                lead = _after(lead, say.side())
        r = random()
        if ground and r < 0.7:
            lead, ground = lead.tie(pick(say.links()), ground), None
        elif ground and r < 0.82:
            lead, ground = ground.tie(pick(("with", "with", "and")), lead), None
        elif flying and r < 0.9:
            lead = Phrase(f"{lead.text} {pick(words.ALOFT[scene.thing])}", lead.tells)
    if lead and ground:
        phrases.append(ground)
    lead = lead or ground
    orb = say.orb() if has_orb else None
    mountains = say.mountains() if has_mountains else None
    if lead is None:
        lead = orb or mountains or say.when_alone()
        has_time = has_time and lead.tells != ("time",)
        orb, mountains = (None, mountains) if lead is orb else (orb, None)
    if orb:
        r = random()
        if r < 0.33 and not (has_thing and flying):
            lead = lead.tie(pick(("under", "under", "below", "beneath")), orb)
        elif r < 0.55 and not has_thing and "time" not in lead.tells:
            lead = orb.tie(pick(("over", "over", "above")), lead)
        elif r < 0.63:
            lead = lead.tie(pick(("and", "with")), orb)
        else:
            phrases.append(Phrase(f"{orb.text} in the sky", orb.tells) if chance(0.15) else orb)
    if mountains:
        r = random()
        behind = f"{mountains.text} {pick(words.BEHIND)}" if chance(0.45) else mountains.text
        if r < 0.2 and not flying:
            lead = lead.tie("in front of", mountains)
        elif r < 0.4:
            lead = lead.tie(pick(("with", "with", "and")), Phrase(behind, mountains.tells))
        else:
            phrases.append(Phrase(behind, mountains.tells))
    if has_sky:
        if chance(0.35):
            lead = _after(lead, say.under_sky())
        else:
            phrases.append(say.sky())
    if has_weather:
        phrases.append(say.weather())
    if scene.flock and chance(0.75):
        phrases.append(say.flock())
    if has_time:
        if chance(0.6):
            i = int(random() * (len(phrases) + 1))
            if i == len(phrases):
                lead = _after(lead, say.when())
            else:
                phrases[i] = _after(phrases[i], say.when())
        else:
            phrases.append(say.when_alone() if chance(0.6) else say.when())
    return lead, phrases


def _sentence(say: Speaker, lead: Phrase) -> Phrase:
    """Sometimes "there is" before it."""
    if not say.terse and lead.text.startswith(("a ", "an ", "one ")) and say.chance(0.1):
        return Phrase(f"{say.pick(('there is', 'there is', 'i see', 'this is'))} {lead.text}", lead.tells)
    if lead.text.startswith(("two ", "three ", "four ", "2 ", "3 ", "4 ")) and say.chance(0.1):
        return Phrase(f"there are {lead.text}", lead.tells)
    return lead


def _ordered(say: Speaker, lead: Phrase, others: list[Phrase]) -> list[Phrase]:
    """As many as there is room for, in any order, the main thing mostly first."""
    last = [say.aside] if say.aside else []
    while others and sum(map(_length, (lead, *others, *last))) > _ROOM:
        others.remove(min(others, key=_length))
    for i in range(len(others) - 1, 0, -1):
        j = int(say.random() * (i + 1))
        others[i], others[j] = others[j], others[i]
    where = int(say.random() * (len(others) + 1)) if say.chance(0.22) else 0
    return [*others[:where], lead, *others[where:], *last]


def _length(phrase: Phrase) -> int:
    """Its words, and a mark after it."""
    return phrase.text.count(" ") + phrase.text.count("-") + 2


def _join(say: Speaker, phrases: list[Phrase]) -> Phrase:
    texts = [p.text for p in phrases]
    tells = tuple(name for p in phrases for name in p.tells)
    r = say.random()
    if say.loose:
        return Phrase(" ".join(texts), tells)
    if r < 0.08 and len(texts) > 1 and not texts[-1].startswith((*words.NO_NOUN, "the ")):
        texts[-2:] = [f"{texts[-2]} and {texts[-1]}"]
    elif r < 0.12:
        return Phrase(". ".join(texts), tells)
    return Phrase(", ".join(texts), tells)

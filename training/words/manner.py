"""How a caption is put: its style and mood, politeness, praise, capitals, full stops and mistakes in typing."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from training.words import vocabulary as words
from training.words.speaker import Phrase, Speaker

# A mistyped word must not become one of these.
_KNOWN = ("tree", "there", "back", "lighting")
# No adjective goes after this article.
_NO_ADJECTIVE = (
    "a pair", "a couple", "a few", "a group", "a flock", "a close", "a single", "a lone", "a sky", "a night"
)  # fmt: skip


def dress(say: Speaker, told: Phrase) -> Phrase:
    """The caption with its style, which is never left out, with its mood, and with words that mean nothing."""
    scene, chance, pick = say.scene, say.chance, say.pick
    style, tells, text = scene.style, (*told.tells, "style"), told.text
    mood = ""
    if scene.mood and chance(0.88):
        mood = pick(words.MOOD[scene.mood])
        tells = (*tells, "mood")
    nominal = not text.startswith(words.NO_NOUN)
    r = say.random()
    front = ""
    tags: list[str] = []
    if style:
        if r < 0.48 and nominal:
            front = f"{_head(say, pick(words.STYLE_HEAD[style]), mood)} of "
            mood = ""
        elif r < 0.56 and style in words.STYLE_BEFORE and text.startswith("a ") and not text.startswith(_NO_ADJECTIVE):
            text = f"a {pick(words.STYLE_BEFORE[style])} {text[2:]}"
        elif r < 0.68:
            front = f"{_head(say, pick(words.STYLE_HEAD[style]), mood)}{pick((', ', ', ', ': '))}"
            mood = ""
        else:
            tags.append(pick(words.STYLE_TAG[style]))
            if style == "watercolor" and chance(0.05):
                front = "a painting of " if nominal else ""
    elif nominal and r < (0.3 if mood else 0.1):
        front = f"{_head(say, pick(words.PICTURE), mood)} of "
        mood = ""
    if mood:
        r = say.random()
        if r < 0.45:
            tags.append(pick(words.MOOD_TAG[scene.mood]))
        elif r < 0.75 or front:
            tags.append(mood)
        elif r < 0.88 and text.startswith("a ") and not text.startswith(_NO_ADJECTIVE):
            article = "an" if mood[0] in "aeiou" else "a"
            text = f"{article} {mood} {text[2:]}"
        else:
            front = f"{mood}, "
    _chatter(say, tags)
    if chance(0.03) and (nominal or front) and not front.endswith(", "):
        front = f"{pick(words.REQUEST)} {front}"
    if len(tags) > 1 and chance(0.5):
        tags.reverse()
    return Phrase(", ".join((front + text, *tags)), tells)


def _head(say: Speaker, noun: str, mood: str) -> str:
    """As in "a dreamy watercolor"."""
    if mood:
        noun = f"{mood} {noun}"
    if say.random() < 0.06:
        noun = f"{say.pick(words.PRAISE)} {noun}"
    if say.terse or noun.endswith("art") or say.random() < 0.2:
        return noun
    return f"{'an' if noun[0] in 'aeiou8' else 'a'} {noun}"


def _chatter(say: Speaker, tags: list[str]) -> None:
    """Words that people add out of habit."""
    scene = say.scene
    if say.random() < 0.08:
        tags.append(say.pick(words.PRAISE_TAG))
        if say.random() < 0.3:
            tags.append(say.pick(words.PRAISE_TAG))
    if scene.outside and not scene.size == "big" and say.random() < 0.03:
        tags.append(say.pick(words.WIDE))
    if not scene.style and not scene.mood and say.random() < 0.02:
        tags.append(say.pick(words.PLAIN_TAG))


def retype(text: str, rng: Random, mistakes: bool) -> str:
    """As people type: mostly small letters, a full stop at times, and a slip in one of 33 captions."""
    random = rng.random
    if random() < 0.03 and mistakes:
        text = _slip(text, random)
    r = random()
    if r < 0.10:
        text = text[0].upper() + text[1:]
    elif r < 0.12:
        text = text.title()
    elif r < 0.13:
        text = text.upper()
    return f"{text}." if random() < 0.1 else text


def _slip(text: str, random: Callable[[], float]) -> str:
    """One letter inside a longer word dropped, or swapped with the next."""
    parts = text.split(" ")
    long = [i for i, part in enumerate(parts) if len(part) >= 5 and part.isalpha()]
    if not long:
        return text
    which = long[int(random() * len(long))]
    word = parts[which]
    at = 1 + int(random() * (len(word) - 3))
    if random() < 0.5:
        typed = word[:at] + word[at + 1 :]
    else:
        typed = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if typed not in _KNOWN:
        parts[which] = typed
    return " ".join(parts)

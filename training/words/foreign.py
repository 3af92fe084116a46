"""Words for what the world does not have, put into some captions so that a model learns to pass over them."""

from __future__ import annotations

from random import Random

WORDS = tuple(
    """
    cat dog horse cow sheep lion tiger elephant bear wolf fox rabbit mouse fish shark whale dolphin frog snake
    spider butterfly bee owl eagle chicken duck penguin monkey dragon unicorn monster robot alien zombie ghost
    angel demon wizard witch knight king queen princess prince warrior samurai ninja pirate soldier hero girl
    boy woman man baby child grandmother grandfather mother father family friend crowd portrait face eyes hair
    smile hand dress hat shoes dance music guitar piano drum concert party wedding birthday football basketball
    race car truck bus train plane bicycle motorcycle submarine castle palace temple church bridge tower street
    road shop restaurant kitchen bedroom bathroom school hospital office factory farm garden park beach cave
    canyon waterfall volcano jungle swamp island mushroom tulip sunflower bread cheese pizza burger cake tea
    wine beer chocolate banana strawberry grape lemon tomato carrot egg soup sushi computer phone camera
    television clock watch book map key sword gun shield armor crown necklace diamond gold silver iron stone
    glass plastic fire smoke ice steam magic energy power love hate fear hope joy sadness anger memory death
    freedom peace war history future past ancient modern futuristic cyberpunk steampunk gothic baroque surreal
    abstract cartoon anime manga comic sketchbook logo poster icon tattoo sculpture statue cute scary funny sad
    angry happy tired sleepy strong weak fast slow old young rich poor dirty clean wet dry cold sweet bitter
    running jumping sleeping eating drinking reading writing playing fighting swimming singing thinking looking
    holding wearing sitting walking driving my your his her their our who why always maybe because therefore
    without outside underneath lorem ipsum foo bar hello world test
    """.split()
)


def sprinkled(text: str, rng: Random) -> str:
    """The caption with one to three such words somewhere in it."""
    words = text.split(" ")
    for _ in range(rng.randint(1, 3)):
        words.insert(rng.randint(0, len(words)), rng.choice(WORDS))
    return " ".join(words)


def alone(rng: Random) -> str:
    """Nothing but such words."""
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 7)))

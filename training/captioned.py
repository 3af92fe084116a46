"""Captions of a rendered set as token numbers, several for each picture, and what each one says."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from random import Random

import numpy as np
from transformers import CLIPTokenizer

from training.dataset import Pictures
from training.tokenizer import MAX_LENGTH
from training.words import foreign
from training.words.captions import ATTRIBUTES, described, targets
from training.world.scene import Scene

VARIANTS = 12
# How often a caption has words in it that say nothing about the picture, or no others.
SPRINKLED, ALONE = 0.12, 0.025
_CHUNK = 512


class Captions:
    """What the captions of a set say, in memory.

    `tokens` is [pictures, VARIANTS, MAX_LENGTH]; `targets` [pictures, attributes] the class of every
    attribute; `stated` [pictures, VARIANTS, attributes] which of them a caption names.
    """

    def __init__(self, folder: Path):
        self.tokens, self.targets, self.stated = (np.load(folder / f"{n}.npy") for n in ("tokens", "targets", "stated"))


def caption_set(pictures_dir: Path, tokenizer: CLIPTokenizer) -> None:
    """Writes what `Captions` reads; does nothing if it is there."""
    if (pictures_dir / "tokens.npy").exists():
        return
    pictures = Pictures(pictures_dir)
    scenes = pictures.scenes()
    chunks = [(scenes[i : i + _CHUNK], f"{pictures.seed} {i}") for i in range(0, len(scenes), _CHUNK)]
    tokens = np.empty((len(scenes), VARIANTS, MAX_LENGTH), np.int16)
    facts = np.empty((len(scenes), len(ATTRIBUTES)), np.int16)
    stated = np.empty((len(scenes), VARIANTS, len(ATTRIBUTES)), bool)
    with multiprocessing.get_context("spawn").Pool() as pool:
        for i, (texts, chunk_facts, chunk_stated) in enumerate(pool.imap(_describe, chunks)):
            part = slice(i * _CHUNK, i * _CHUNK + len(chunk_facts))
            made = tokenizer(texts, padding="max_length", max_length=MAX_LENGTH, truncation=True, return_tensors="np")
            tokens[part] = made.input_ids.reshape(-1, VARIANTS, MAX_LENGTH)
            facts[part], stated[part] = chunk_facts, chunk_stated
    np.save(pictures_dir / "targets.npy", facts)
    np.save(pictures_dir / "stated.npy", stated)
    np.save(pictures_dir / "tokens.npy", tokens)
    (pictures_dir / "attributes.json").write_text(json.dumps(ATTRIBUTES))


def _describe(chunk: tuple[list[Scene], str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    scenes, seed = chunk
    rng = Random(seed)
    made = [[_caption(scene, rng) for _ in range(VARIANTS)] for scene in scenes]
    facts = [[targets(scene)[name] for name in ATTRIBUTES] for scene in scenes]
    stated = [[[name in said for name in ATTRIBUTES] for _, said in row] for row in made]
    return [text for row in made for text, _ in row], np.array(facts, np.int16), np.array(stated)


def _caption(scene: Scene, rng: Random) -> tuple[str, frozenset[str]]:
    text, stated = described(scene, rng)
    chance = rng.random()
    if chance < ALONE:
        return foreign.alone(rng), frozenset()
    return (foreign.sprinkled(text, rng) if chance < ALONE + SPRINKLED else text), stated

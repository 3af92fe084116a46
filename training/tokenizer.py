"""A small byte-level BPE in CLIP's manner, trained on the caption grammar alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
from transformers import CLIPTokenizer

from training.words import described
from training.world.scene import sample_scene

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_LENGTH = 40
# What people type for pictures though no caption has it: it tokenises whole, and the model has not learned it.
_EXTRA = """
person people man woman girl boy child baby face portrait king queen princess wizard cat dog horse fish wolf bear lion
rabbit butterfly dragon unicorn robot car train bicycle street road bridge castle church tower garden river waterfall
island beach cloud hill mountain water fire ice room kitchen sofa chair window door food cake love anime cartoon fantasy
cyberpunk abstract logo
""".split()


def _byte_alphabet() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in CLIP's order."""
    kept = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    moved = [b for b in range(256) if b not in kept]
    return [chr(b) for b in kept] + [chr(256 + i) for i in range(len(moved))]


def _word_counts(samples: int) -> Counter[str]:
    rng, scenes = Random(0), np.random.default_rng(123)
    counts: Counter[str] = Counter()
    for _ in range(samples):
        scene = sample_scene(scenes)
        for _ in range(12):
            text, _ = described(scene, rng, mistakes=False)
            counts.update(re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower()))
    counts.update({word: 1 for word in _EXTRA})
    return counts


def _train_merges(counts: Counter[str]) -> list[tuple[str, str]]:
    """Merges the commonest pair until every word is one token."""
    words = {tuple(word[:-1]) + (word[-1] + "</w>",): n for word, n in counts.items()}
    merges = []
    while True:
        pairs: Counter[tuple[str, str]] = Counter()
        for pieces, n in words.items():
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] += n
        if not pairs:
            return merges
        best = max(sorted(pairs), key=lambda pair: pairs[pair])
        merges.append(best)
        merged: dict[tuple[str, ...], int] = {}
        for pieces, n in words.items():
            out, i = [], 0
            while i < len(pieces):
                if pieces[i : i + 2] == best:
                    out.append(best[0] + best[1])
                    i += 2
                else:
                    out.append(pieces[i])
                    i += 1
            merged[tuple(out)] = merged.get(tuple(out), 0) + n
        words = merged


def build_tokenizer(folder: Path) -> CLIPTokenizer:
    """Writes the tokenizer's folder, or reads it when it is there."""
    if not (folder / "tokenizer.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        merges = _train_merges(_word_counts(6000))
        alphabet = _byte_alphabet()
        tokens = alphabet + [c + "</w>" for c in alphabet]
        tokens += [a + b for a, b in merges] + [START, END]
        vocab = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
        (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
        lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n")
        special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
        (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
        config = {
            "tokenizer_class": "CLIPTokenizer",
            "model_max_length": MAX_LENGTH,
            "do_lower_case": True,
            "add_prefix_space": False,
            "errors": "replace",
            **special,
        }
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
        made = CLIPTokenizer.from_pretrained(folder)
        made.backend_tokenizer.save(str(folder / "tokenizer.json"))
    return CLIPTokenizer.from_pretrained(folder)

"""Teaches the text encoder to read before it is asked to draw.

From the state at a caption's last token, a linear reader has to tell every attribute that the caption
states. A UNet that is given such states learns far sooner which word belongs to what.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPTokenizer

from training.captioned import Captions
from training.models import TEXT_WIDTH, new_text_encoder
from training.stage import Stage, averaged, device
from training.words.captions import CLASSES

BATCH = 128


class Reader(nn.Module):
    """The text encoder with one linear reader per attribute, side by side."""

    def __init__(self, tokenizer: CLIPTokenizer):
        super().__init__()
        self.end = tokenizer.eos_token_id
        self.text_encoder = new_text_encoder(tokenizer)
        self.read = nn.Linear(TEXT_WIDTH, sum(CLASSES))

    def forward(self, tokens: Tensor) -> list[Tensor]:
        """Logits [n, classes] of every attribute, from tokens [n, MAX_LENGTH]."""
        states = self.text_encoder(input_ids=tokens).last_hidden_state
        last = (tokens == self.end).int().argmax(1)
        return list(self.read(states[torch.arange(len(tokens), device=tokens.device), last]).split(CLASSES, 1))


def train_reading(pictures_dir: Path, tokenizer: CLIPTokenizer, out: Path, minutes: float) -> None:
    """Trains for `minutes` in all, resuming from `out`."""
    captions = Captions(pictures_dir)
    model = Reader(tokenizer)
    where = device()
    tokens, facts, stated = (torch.from_numpy(a) for a in (captions.tokens, captions.targets, captions.stated))

    def loss(step: int, _fraction: float) -> Tensor:
        rng = np.random.default_rng((11, step))
        picked = torch.from_numpy(rng.integers(0, len(tokens), BATCH))
        variant = torch.from_numpy(rng.integers(0, tokens.shape[1], BATCH))
        logits = model(tokens[picked, variant].long().to(where))
        wanted, known = facts[picked].long().to(where), stated[picked, variant].float().to(where)
        losses = [F.cross_entropy(x.float(), wanted[:, i], reduction="none") for i, x in enumerate(logits)]
        return (torch.stack(losses, 1) * known).sum() / known.sum()

    Stage("reading", model, out, minutes, BATCH, peak_rate=1.5e-3, ema_decay=0.99).run(loss)


def load_reader(tokenizer: CLIPTokenizer, checkpoint: Path) -> Reader:
    """The trained reader."""
    model = Reader(tokenizer)
    model.load_state_dict(averaged(checkpoint))
    return model.eval()

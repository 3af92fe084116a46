"""What every training stage shares: the clock, the checkpoint, the learning rate, the log."""

from __future__ import annotations

import copy
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from training.clock import Clock, held_then_falling
from training.muon import Muon
from training.paths import work_dir

SAVE_EVERY_SECONDS = 120.0
_REPORT_EVERY_SECONDS = 20.0


def device() -> torch.device:
    """The accelerator, if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass
class Stage:
    """A network in training for a span of wall-clock minutes, earlier runs included."""

    name: str
    model: nn.Module
    out: Path
    minutes: float
    batch: int
    peak_rate: float
    ema_decay: float = 0.999
    warmup: int = 150
    # Where something is stopped to be looked at and goes on later, the fall can be left for the last run.
    held: float = 0.6
    # For the networks that learn longest: see muon.py.
    muon: bool = False

    def run(self, loss: Callable[[int, float], Tensor]) -> None:
        """Calls `loss(step, fraction)` and follows its gradient until the span is over.

        Resumes from `out`, which holds the weights, their moving average, the optimiser and how long
        it took so far; seeds follow the step, so that a resumed run sees new data.
        """
        where = device()
        self.model.to(where)
        ema = copy.deepcopy(self.model).requires_grad_(False)
        optimizers = _optimizers(self.model, self.peak_rate, self.muon)
        step, used, running = 0, 0.0, None
        if self.out.exists():
            saved = torch.load(self.out, weights_only=True, map_location=where)
            self.model.load_state_dict(saved["model"])
            ema.load_state_dict(saved["ema"])
            for optimizer, state in zip(optimizers, saved["optimizers"], strict=True):
                optimizer.load_state_dict(state)
            step, used, running = saved["step"], saved["used"], saved["loss"]
        torch.manual_seed(step)
        clock = Clock(self.minutes * 60, used)
        pairs = [*ema.parameters()], [*self.model.parameters()]
        first, began = step, time.monotonic()
        said, saved_at = began, began
        total = torch.zeros((), device=where)
        counted = 0
        while not clock.done():
            rate = held_then_falling(clock.fraction(), step, self.peak_rate, self.warmup, self.held)
            for group in (group for optimizer in optimizers for group in optimizer.param_groups):
                group["lr"] = rate
            with torch.autocast(where.type, torch.bfloat16):
                value = loss(step, clock.fraction())
            self.model.zero_grad(set_to_none=True)
            value.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
            step += 1
            decay = min(self.ema_decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(pairs[0], [p.detach() for p in pairs[1]], 1 - decay)
            total += value.detach().float()
            counted += 1
            now = time.monotonic()
            if now - said > _REPORT_EVERY_SECONDS or clock.done():
                mean = float(total) / counted
                weight = min(1.0, counted / 200)
                running = mean if running is None else running + weight * (mean - running)
                speed = counted * self.batch / (now - said)
                print(f"{self.name} {step} loss {mean:.4f} {speed:.1f}/s {clock.fraction():.1%}", flush=True)
                said, counted = now, 0
                total.zero_()
            if now - saved_at > SAVE_EVERY_SECONDS or clock.done():
                saved_at = now
                self._save(ema, optimizers, step, clock, running)
        if step > first:
            self._log(step - first, time.monotonic() - began, running, where)

    def _save(
        self, ema: nn.Module, optimizers: list[torch.optim.Optimizer], step: int, clock: Clock, loss: float
    ) -> None:
        """Replaces the checkpoint in one move, so that a reader never sees half of one."""
        state = {
            "model": self.model.state_dict(),
            "ema": ema.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            "step": step,
            "used": clock.elapsed(),
            "seen": step * self.batch,
            "loss": loss,
        }
        torch.save(state, self.out.with_suffix(".part"))
        self.out.with_suffix(".part").rename(self.out)

    def _log(self, steps: int, seconds: float, loss: float, where: torch.device) -> None:
        on = torch.cuda.get_device_name() if where.type == "cuda" else f"{os.cpu_count()} cores, {platform.machine()}"
        entry = {
            "stage": self.name,
            "on": on,
            "minutes": round(seconds / 60, 1),
            "steps": steps,
            "batch": self.batch,
            "parameters": sum(p.numel() for p in self.model.parameters() if p.requires_grad),
            "loss": round(loss, 5),
            "ended": time.strftime("%Y-%m-%d %H:%M"),
        }
        with (work_dir() / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")


def averaged(checkpoint: Path) -> dict[str, Tensor]:
    """The moving average of the weights in a checkpoint."""
    return torch.load(checkpoint, weights_only=True, map_location="cpu")["ema"]


def _optimizers(model: nn.Module, rate: float, muon: bool) -> list[torch.optim.Optimizer]:
    """AdamW, with Muon for hidden matrices and kernels where it is asked for.

    Weights decay where they multiply, not in norms, biases and embeddings.
    """
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    learned = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    multiplied = [(name, p) for name, p in learned if p.ndim > 1 and id(p) not in embeddings]
    # The first and the last layer are not between hidden spaces, and the source keeps AdamW there.
    hidden = [
        p for name, p in multiplied if muon and not name.rpartition(".weight")[0].endswith(("conv_in", "conv_out"))
    ]
    taken = {id(p) for p in hidden}
    decayed = [p for _, p in multiplied if id(p) not in taken]
    free = [p for _, p in learned if p.ndim <= 1 or id(p) in embeddings]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": free, "weight_decay": 0.0}]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))]
    return [*optimizers, Muon(hidden, lr=rate, weight_decay=0.02)] if hidden else optimizers

"""Training by the wall clock: how far a stage is, and the learning rate that follows from it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """A span of wall-clock seconds, part of which an earlier run may have used."""

    seconds: float
    used: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        """Seconds used so far, earlier runs included."""
        return self.used + time.monotonic() - self.started

    def fraction(self) -> float:
        """From 0 at the start to 1 at the end."""
        return min(self.elapsed() / self.seconds, 1.0)

    def done(self) -> bool:
        """Whether the span is over."""
        return self.elapsed() >= self.seconds


def held_then_falling(fraction: float, step: int, peak: float, warmup: int, held: float) -> float:
    """A warm-up by steps, then level until `held` of the span, then half a cosine down to a hundredth.

    Unlike a whole cosine, the level part can be made longer by a later run without having cooled down first.
    """
    fall = max(0.0, (fraction - held) / max(1 - held, 1e-9))
    return peak * min(1.0, (step + 1) / warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))

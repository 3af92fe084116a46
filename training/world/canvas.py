"""The pictures being painted: many at once, each the same whatever it is painted with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from training.world.scene import Scene


class Canvas:
    """Pixels [n, 3, size, size] in 0..1 of n scenes, and what their painters share.

    Randomness comes from each scene's own generator on the CPU, so a scene looks the same alone and
    in a batch, on a processor and on an accelerator. `x` and `y` run 0..1 from the left and the top,
    shaped [1, 1, size] and [1, size, 1]. Numbers that belong to a scene are kept in `facts` with the
    scenes first, so that `select` can take some scenes along with all that is known of them.
    """

    def __init__(self, scenes: Sequence[Scene], size: int, device: torch.device):
        self.scenes = list(scenes)
        self.size = size
        self.device = device
        self.rngs = [np.random.default_rng(scene.seed) for scene in scenes]
        self.pixels = torch.zeros(len(self.scenes), 3, size, size, device=device)
        # How much of each pixel is the main thing: what training pays special attention to.
        self.thing_mask = torch.zeros(len(self.scenes), size, size, device=device)
        self.facts: dict[str, Tensor] = {}
        line = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size
        self.x, self.y = line[None, None, :], line[None, :, None]

    def __len__(self) -> int:
        return len(self.scenes)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """One random number per scene, [n, 1, 1]."""
        return self.column([rng.uniform(low, high) for rng in self.rngs])

    def column(self, values: Sequence[float]) -> Tensor:
        """One given number per scene, [n, 1, 1]."""
        return torch.tensor(values, dtype=torch.float32, device=self.device)[:, None, None]

    def each(self, value: Callable[[Scene], float]) -> Tensor:
        """One number per scene from its attributes, [n, 1, 1]."""
        return self.column([value(scene) for scene in self.scenes])

    def colors(self, value: Callable[[Scene], Sequence[float]]) -> Tensor:
        """One colour per scene from its attributes, [n, 3, 1, 1]."""
        rows = np.array([value(scene) for scene in self.scenes], np.float32)
        return torch.from_numpy(rows).to(self.device)[:, :, None, None]

    def blend(self, alpha: Tensor, color: Tensor) -> None:
        """Lays a colour ([n or 1, 3, 1 or size, 1 or size]) over the pixels by `alpha` ([n or 1, rows, columns])."""
        self.pixels = torch.lerp(
            self.pixels, color.expand_as(self.pixels), alpha.clamp(0, 1)[:, None].expand_as(self.pixels)
        )

    def glow(self, amount: Tensor, color: Tensor) -> None:
        """Adds light without passing white; shapes as for `blend`."""
        self.pixels = self.pixels + (1 - self.pixels) * (amount.clamp(0, 1)[:, None] * color)

    def select(self, wanted: Callable[[Scene], bool], paint: Callable[[Canvas], None]) -> None:
        """Lets `paint` work on those scenes alone, if there are any, and keeps what it did."""
        index = [i for i, scene in enumerate(self.scenes) if wanted(scene)]
        if not index:
            return
        if len(index) == len(self.scenes):
            paint(self)
            return
        part = Canvas.__new__(Canvas)
        part.scenes = [self.scenes[i] for i in index]
        part.rngs = [self.rngs[i] for i in index]
        part.size, part.device, part.x, part.y = self.size, self.device, self.x, self.y
        where = torch.tensor(index, device=self.device)
        part.pixels, part.thing_mask = self.pixels[where], self.thing_mask[where]
        part.facts = {name: value[where] for name, value in self.facts.items()}
        paint(part)
        self.pixels[where], self.thing_mask[where] = part.pixels, part.thing_mask
        for name, value in part.facts.items():
            if name in self.facts:
                self.facts[name][where] = value


class Layer:
    """A transparent sheet over the canvas in the space of one thing, on which it is painted.

    `u` is 0 at the middle of the thing and `v` 0 at its foot and 1 at its top, in the same scale,
    both [n, size, size]. Colours are [n, 3, 1 or size, 1 or size], masks [n, size, size] in 0..1.
    """

    def __init__(self, canvas: Canvas, x: Tensor, foot: Tensor, height: Tensor):
        """Puts the foot of a thing `height` tall at (x, foot), all [n, 1, 1] in parts of the picture."""
        self.canvas = canvas
        self.px = height * canvas.size
        n, size = len(canvas), canvas.size
        self.u = ((canvas.x - x) / height).expand(n, size, size)
        self.v = ((foot - canvas.y) / height).expand(n, size, size)
        self.color = torch.zeros(n, 3, size, size, device=canvas.device)
        self.alpha = torch.zeros(n, size, size, device=canvas.device)

    def cover(self, distance: Tensor) -> Tensor:
        """How far a signed distance (negative inside, in thing heights) covers each pixel."""
        return (0.5 - distance * self.px).clamp(0, 1)

    def convex(self, *points: tuple[float, float]) -> Tensor:
        """Coverage of a convex polygon given in either order."""
        ahead = points[1:] + points[:1]
        area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, ahead))
        turn = 1.0 if area > 0 else -1.0
        worst = None
        for (x0, y0), (x1, y1) in zip(points, ahead):
            length = max(float(np.hypot(x1 - x0, y1 - y0)), 1e-6)
            away = turn * ((self.u - x0) * (y1 - y0) - (self.v - y0) * (x1 - x0)) / length
            worst = away if worst is None else torch.maximum(worst, away)
        return self.cover(worst)

    def ellipse(self, u: float, v: float, ru: float, rv: float) -> Tensor:
        """Coverage of an upright ellipse."""
        return self.cover((torch.hypot((self.u - u) / ru, (self.v - v) / rv) - 1) * min(ru, rv))

    def fill(self, mask: Tensor, color: Tensor) -> None:
        """Paints over what is there."""
        m = mask[:, None]
        self.color = self.color + (color.clamp(0, 1) - self.color) * m
        self.alpha = self.alpha + (1 - self.alpha) * mask

    def press(self, opacity: float | Tensor = 1.0) -> None:
        """Sets the sheet into the picture; `opacity` is [n, 1, 1] or [n, size, size] or a number."""
        self.canvas.blend(self.alpha * opacity, self.color)

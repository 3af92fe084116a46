"""The sheet on which one thing is painted: as small as the thing, with its shadow and its reflection."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from training.world import palette
from training.world.canvas import Canvas, Layer
from training.world.noise import bank, sample, smoothstep
from training.world.scene import MONOCHROME, Scene

# Windows begin and end on a grid of this many cells a side, so that what is blurred by cells
# is the same whatever else the window holds.
_CELLS = 64
_HALO = 4  # cells of light around black things
WET = ("sea", "lake")  # grounds


class Spot(NamedTuple):
    """Where a thing stands in each picture: all [n, 1, 1], in parts of the picture."""

    x: Tensor
    foot: Tensor
    height: Tensor


class Reach(NamedTuple):
    """How far a thing spreads from its foot, in its own heights."""

    aside: float
    below: float = 0.04
    above: float = 1.04


class Sheet(Layer):
    """A Layer over only that part of the pictures in which the thing lies.

    `base` is the thing's colour and `light` what falls on it, both [n, 3, 1, 1]; `side` [n, 1, 1] is
    -1 where light comes from the left of the sheet and 1 where it comes from the right. All scenes of
    a sheet agree in their thing and its detail, and in whether it is in water.
    """

    def __init__(self, canvas: Canvas, spot: Spot, reach: Reach):
        size = canvas.size
        x, foot, height = spot
        self.canvas, self.spot = canvas, spot
        self.px = height * size
        self.rows = _span(foot - reach.above * height, foot + reach.below * height, size)
        self.columns = _span(x - reach.aside * height, x + reach.aside * height, size)
        self.u, self.v = torch.broadcast_tensors(
            (canvas.x[:, :, self.columns] - x) / height, (foot - canvas.y[:, self.rows]) / height
        )
        n, rows, columns = self.u.shape
        self.color = torch.zeros(n, 3, rows, columns, device=canvas.device)
        self.alpha = torch.zeros(n, rows, columns, device=canvas.device)
        self.base = canvas.colors(lambda scene: palette.THING[scene.color or "white"])
        # Nearer still to white: at night an orange thing is not to be brown, nor a yellow one olive.
        light = canvas.facts["thing_light"] ** 0.55
        self.light = torch.lerp(light, torch.ones_like(light), self.where(lambda s: s.style in MONOCHROME)[:, None])
        self.side = canvas.facts["light_side"]

    @property
    def scene(self) -> Scene:
        """Any of the scenes, to ask for what they agree in."""
        return self.canvas.scenes[0]

    def where(self, wanted: Callable[[Scene], bool]) -> Tensor:
        """1 for the scenes that are wanted, else 0: [n, 1, 1]."""
        return self.canvas.each(lambda scene: float(wanted(scene)))

    def flip(self) -> None:
        """Turns the thing to its other side in half of the pictures."""
        turn = torch.where(self.canvas.uniform() < 0.5, -1.0, 1.0)
        self.u = self.u * turn
        self.side = self.side * turn

    def tilt(self, angle: Tensor, middle: float) -> None:
        """Turns the thing around a point on its axis; positive angles [n, 1, 1] lean it to the right."""
        c, s, v = torch.cos(angle), torch.sin(angle), self.v - middle
        self.u, self.v = self.u * c - v * s, self.u * s + v * c + middle

    def noise(self, seed: int, slope: float, cells: float, finest: float = 4.0) -> Tensor:
        """Noise that sticks to the thing, `cells` cells to its height."""
        field = bank(seed, slope, finest, self.canvas.device)
        v = self.v * cells + self.canvas.uniform(0, 512)
        return sample(field, v, self.u * cells + self.canvas.uniform(0, 512))

    def tint(self, red: float, green: float, blue: float) -> Tensor:
        """A plain colour [1, 3, 1, 1]."""
        return torch.tensor((red, green, blue), device=self.canvas.device)[None, :, None, None]

    def box(self, left: float, right: float, low: float, high: float, corner: float = 0.0) -> Tensor:
        """Coverage of an upright rectangle with rounded corners."""
        du = (self.u - (left + right) / 2).abs() - ((right - left) / 2 - corner)
        dv = (self.v - (low + high) / 2).abs() - ((high - low) / 2 - corner)
        return self.cover(torch.hypot(du.clamp(min=0), dv.clamp(min=0)) + torch.maximum(du, dv).clamp(max=0) - corner)

    def turned(self, radius: Tensor, low: float, high: float) -> Tensor:
        """Coverage of a body as from a lathe, `radius` [n, rows, columns] wide, from `low` to `high`."""
        ends = torch.maximum(low - self.v, self.v - high)
        return self.cover(torch.maximum(self.u.abs() - radius, ends))

    def profile(self, *knots: tuple[float, float]) -> Tensor:
        """A radius that swings smoothly through (v, radius) knots, from the foot up."""
        slopes = [(c[1] - a[1]) / (c[0] - a[0]) for a, c in zip(knots[:1] + knots[:-1], knots[1:] + knots[-1:])]
        radius = torch.full_like(self.v, knots[0][1])
        for (low, before), (high, after), start, end in zip(knots, knots[1:], slopes, slopes[1:]):
            wide = high - low
            t = ((self.v - low) / wide).clamp(0, 1)
            a, b = start * wide, end * wide
            # A cubic that leaves each knot in the direction of its neighbours.
            step = t * (a + t * (3 * (after - before) - 2 * a - b + t * (a + b - 2 * (after - before))))
            radius = radius + step
        return radius

    def roundness(self, across: Tensor, gloss: float = 0.0, width: float = 0.14) -> Tensor:
        """Shade of a round body by the place across it (-1 to 1), for `lit`."""
        t = across * self.side
        shade = 0.62 * t - 0.35 * (t * t * (t < 0)) - 0.06
        if gloss:
            shade = shade + gloss * torch.exp(-(((t - 0.5) / width) ** 2))
        return shade

    def lit(self, color: Tensor, shade: Tensor | float = 0.0) -> Tensor:
        """A colour in this light; `shade` [n, rows, columns] runs from -1 (dark) to 1 (white light).

        Light adds white and dark takes away, so that black things and white things have a shape too.
        """
        if isinstance(shade, float):
            shade = torch.full_like(self.side, shade)
        bright = color + (1 - color) * (0.5 * shade.clamp(0, 1)[:, None])
        return bright * (1 - self.tint(0.66, 0.64, 0.56) * (-shade).clamp(0, 1)[:, None]) * self.light

    def paint(self, mask: Tensor, color: Tensor, shade: Tensor | float = 0.0) -> None:
        """Fills with a colour as this light shows it."""
        self.fill(mask, self.lit(color, shade))

    def finish(self) -> None:
        """Draws what sets the thing off: a rim of light on black, a dark one on white and in black-and-white."""
        plain = self.where(lambda s: s.style in MONOCHROME)
        black = self.where(lambda s: s.color == "black")
        white = self.where(lambda s: s.color == "white")
        k = self.canvas.size // _CELLS + 1
        around = F.avg_pool2d(self.alpha[:, None], (k, 1), 1, (k // 2, 0))
        around = F.avg_pool2d(around, (1, k), 1, (0, k // 2))[:, 0]
        rim = (2.0 * (1 - around)).clamp(0, 1) * self.alpha
        # Black shines most where the light comes from; leaves and windows of black things do not.
        toward = 0.7 + 0.3 * (self.side * self.u * 2 + (self.v - 0.5)).clamp(-1, 1)
        toward = toward * (1.5 - 2.5 * self.color.amax(1)).clamp(0, 1)
        amount = rim * (0.95 * plain + 0.36 * white * (1 - plain) + 0.85 * black * toward + 0.14)
        ink = self.color * (0.45 - 0.33 * plain[:, None])
        color = torch.lerp(ink, self.tint(0.72, 0.76, 0.84) * self.light, black[:, None])
        self.color = torch.lerp(self.color, color, amount[:, None])

    def backlight(self) -> None:
        """Lightens the dark behind black things, which nobody would see in it."""
        canvas = self.canvas
        amount = self.where(lambda s: s.color == "black" and (s.time == "night" or s.ground == "space"))
        if not amount.any():
            return
        soft = F.pad(F.avg_pool2d(self.alpha[:, None], canvas.size // _CELLS), (_HALO,) * 4)
        for k in (5, 3, 3):
            soft = F.avg_pool2d(soft, k, 1, k // 2)
        rows, columns = (
            slice(max(span.start - _HALO * canvas.size // _CELLS, 0), span.stop + _HALO * canvas.size // _CELLS)
            for span in (self.rows, self.columns)
        )
        seen = self._look(soft, canvas.x[:, :, columns], canvas.y[:, rows], _HALO)[:, 0]
        _lay(canvas, rows, columns, 0.62 * seen * amount, self.tint(0.42, 0.50, 0.70))

    def shadow(self, strength: Tensor | float, stretch: float = 0.6, depth: float = 0.26) -> None:
        """Casts the thing's shape on the ground, away from the light and towards the viewer."""
        canvas, (x, foot, height) = self.canvas, self.spot
        rows = _span(foot - 0.06 * height, foot + depth * height, canvas.size)
        wide = (self.columns.stop - self.columns.start) / canvas.size / 2
        columns = _span(x - wide - stretch * height, x + wide + stretch * height, canvas.size)
        down = canvas.y[:, rows] - foot
        up = down.clamp(min=0) / depth
        cell = canvas.size // _CELLS
        soft = F.avg_pool2d(self.alpha[:, None], cell)
        soft = F.avg_pool2d(soft, 3, 1, 1)
        light = canvas.facts["light_side"]
        seen = self._look(soft, canvas.x[:, :, columns] + light * stretch * up, foot - up - 0.012)[:, 0]
        fade = (1 - 0.75 * up / height).clamp(0, 1) * smoothstep(-0.03, 0.02, down / height)
        _lay(canvas, rows, columns, seen * fade * strength, self.tint(0.05, 0.05, 0.12))

    def contact(self, strength: Tensor | float, radius: float, flat: float = 0.12) -> None:
        """Darkens the ground right at the foot."""
        canvas, (x, foot, height) = self.canvas, self.spot
        rows = _span(foot - 2.2 * flat * height, foot + 2.2 * flat * height, canvas.size)
        columns = _span(x - 2.2 * radius * height, x + 2.2 * radius * height, canvas.size)
        aside = (canvas.x[:, :, columns] - x) / height + 0.18 * radius * canvas.facts["light_side"]
        down = (canvas.y[:, rows] - foot) / height
        near = torch.exp(-1.6 * ((aside / radius) ** 2 + (down / flat) ** 2))
        _lay(canvas, rows, columns, near * strength, self.tint(0.04, 0.04, 0.10))

    def reflection(self, strength: Tensor | float, sway: Tensor | float, length: float = 0.9) -> None:
        """Shows the thing upside down below its foot; `sway` is how far waves push it, in its heights."""
        canvas, (x, foot, height) = self.canvas, self.spot
        rows = _span(foot - 0.02 * height, foot + length * height, canvas.size)
        wide = (self.columns.stop - self.columns.start) / canvas.size / 2
        columns = _span(x - wide - 0.05, x + wide + 0.05, canvas.size)
        down = ((canvas.y[:, rows] - foot) / height).clamp(min=0)
        # Waves come closer together towards the horizon.
        phase = canvas.uniform(0, 2 * math.pi)
        wave = torch.sin(phase + 46 * down**0.7) + 0.5 * torch.sin(2 * phase + 25 * down + 9 * canvas.x[:, :, columns])
        shift = sway * wave * (0.3 + down) * height
        sheet = torch.cat([self.color * self.alpha[:, None], self.alpha[:, None]], 1)
        seen = self._look(sheet, canvas.x[:, :, columns] + shift, foot - down * height * 1.02)
        alpha = seen[:, 3]
        color = seen[:, :3] / alpha.clamp(min=1e-3)[:, None]
        fade = (1 - down / length).clamp(0, 1) ** 0.8 * (canvas.y[:, rows] > foot)
        _lay(canvas, rows, columns, alpha * fade * strength, color)

    def press(self, opacity: float | Tensor = 1.0) -> None:
        """Sets the sheet into the picture and notes in the canvas where the thing is."""
        alpha = self.alpha * opacity
        _lay(self.canvas, self.rows, self.columns, alpha, self.color)
        mask = self.canvas.thing_mask[:, self.rows, self.columns]
        mask.copy_(torch.maximum(mask, alpha))

    def _look(self, sheet: Tensor, x: Tensor, y: Tensor, margin: int = 0) -> Tensor:
        """What a sheet [n, c, ...] over this window and `margin` cells around it shows at places in the pictures."""
        size = self.canvas.size
        more = margin * size // _CELLS
        x = (x * size - self.columns.start + more) * (2.0 / (self.columns.stop - self.columns.start + 2 * more)) - 1
        y = (y * size - self.rows.start + more) * (2.0 / (self.rows.stop - self.rows.start + 2 * more)) - 1
        place = torch.stack(torch.broadcast_tensors(x, y), -1)
        return F.grid_sample(sheet, place.expand(len(self.canvas), -1, -1, -1), mode="bilinear", align_corners=False)


def _span(low: Tensor, high: Tensor, size: int) -> slice:
    """The pixels from the lowest to the highest place, out to whole cells and one more."""
    first = math.floor(float(low.min()) * _CELLS) - 1
    last = math.ceil(float(high.max()) * _CELLS) + 1
    first = min(max(first, 0), _CELLS - 1)
    return slice(first * size // _CELLS, min(max(last, first + 1), _CELLS) * size // _CELLS)


def _lay(canvas: Canvas, rows: slice, columns: slice, alpha: Tensor, color: Tensor) -> None:
    part = canvas.pixels[:, :, rows, columns]
    part.copy_(torch.lerp(part, color.expand_as(part), alpha.clamp(0, 1)[:, None].expand_as(part)))

"""Clouds in several forms, and the thunderstorm."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.world import noise, palette
from training.world.canvas import Canvas
from training.world.light import overcast
from training.world.noise import smoothstep
from training.world.scene import Scene


def paint_clouds(canvas: Canvas) -> None:
    """Clouds as the weather has them."""
    canvas.select(lambda s: _form(s) == "heaps", _heaps)
    canvas.select(lambda s: _form(s) == "streaks", _streaks)
    canvas.select(lambda s: _form(s) == "layer", _layer)
    canvas.select(lambda s: s.weather == "storm", _lightning)


def _form(scene: Scene) -> str:
    if scene.weather != "fair":
        return "layer"
    which = scene.seed % 20
    streaks = 2 if scene.time == "day" else 6
    return "streaks" if which < streaks else "heaps" if which < 15 else "layer"


def _tones(canvas: Canvas) -> tuple[Tensor, Tensor]:
    """The lit and the shaded colour of the clouds."""
    bright = canvas.colors(lambda s: palette.CLOUD[s.time][0])
    dim = canvas.colors(lambda s: palette.CLOUD[s.time][1])
    grey = canvas.each(lambda s: {"fair": 0.0, "storm": 0.92, "rain": 0.8}.get(s.weather, 0.6))[:, None]
    gloom = canvas.each(lambda s: {"rain": 0.70, "storm": 0.80}.get(s.weather, 1.0))[:, None]
    contrast = canvas.each(lambda s: 0.42 if s.weather == "storm" else 0.72)[:, None]
    veil = overcast(canvas)
    bright = torch.lerp(bright, veil * 1.14, grey) * gloom
    dim = torch.lerp(dim, veil * contrast, grey) * gloom
    red = canvas.each(lambda s: 0.5 if s.orb == "sun" and s.orb_color in ("red", "orange") else 0.0)[:, None]
    return torch.lerp(bright, bright * canvas.facts["orb_color"].clamp(min=0.5), red), dim


def _around_orb(canvas: Canvas) -> Tensor:
    """Less cloud where it would hide a sun or moon that the caption names: [n, size, size]."""
    orbs = canvas.facts["orbs"]
    shown = canvas.each(lambda s: s.orbs)
    left = 1.0
    for i in range(orbs.shape[1]):
        x, y, r = orbs[:, i, :, None, None].unbind(1)
        d = ((canvas.x - x) ** 2 + (canvas.y - y) ** 2) / (1.6 * r) ** 2
        left = left * (1 - 0.95 * (shown > i) * torch.exp(-(d**2)))
        if bool((shown <= i + 1).all()):
            break
    return left


def _heaps(canvas: Canvas) -> None:
    """White heaps with flat feet, lit from the side of the sun."""
    horizon, side = canvas.facts["horizon"], canvas.facts["light_side"]
    field = noise.bank(14, 1.55, 7, canvas.device)
    y0, x0 = canvas.uniform(0, noise.BANK), canvas.uniform(0, noise.BANK)
    puffs = noise.sample(field, canvas.y * 300 + y0, canvas.x * 230 + x0)
    ahead = noise.sample(field, canvas.y * 300 + y0 - 9, canvas.x * 230 + x0 + 9 * side)
    body = torch.full_like(puffs, -9.0)
    count = 6
    order = np.stack([rng.permutation(count) for rng in canvas.rngs])
    shown = canvas.uniform(3.0, 6.5)
    for i in range(count):
        far = (i + 0.5) / count  # 0 is high and near, 1 low and far
        x = (canvas.column((order[:, i] + 0.5) / count) + canvas.uniform(-0.08, 0.08)) * 1.1 - 0.05
        y = horizon * (0.24 + 0.62 * far + canvas.uniform(-0.06, 0.06))
        wide = canvas.uniform(0.13, 0.22) * (1.2 - 0.75 * far)
        tall = wide * canvas.uniform(0.42, 0.62)
        down = canvas.y - y
        tall = torch.where(down > 0, 0.16 * wide, tall)
        heap = 1 - ((canvas.x - x) / wide) ** 2 - (down / tall) ** 2
        body = torch.maximum(body, torch.where(shown > i, heap, -9.0))
    dense = body + 0.42 * puffs
    alpha = smoothstep(0.02, 0.42, dense) * _around_orb(canvas)
    bright, dim = _tones(canvas)
    shade = (0.80 + 0.38 * (puffs - ahead) - 0.22 * (dense - 0.5).clamp(0, 1)).clamp(0, 1)
    canvas.blend(0.96 * alpha, torch.lerp(dim, bright, shade[:, None]))


def _streaks(canvas: Canvas) -> None:
    """Long thin bands."""
    horizon = canvas.facts["horizon"]
    bands = noise.plane(canvas, 15, 1.9, cells=330, finest=9, stretch=5.0)
    fine = noise.plane(canvas, 16, 1.5, cells=420, finest=5, stretch=3.0)
    cover = canvas.uniform(0.1, 0.5)
    dense = bands + 0.22 * fine - cover
    alpha = smoothstep(0.0, 0.8, dense) * smoothstep(0.0, 0.12, horizon - canvas.y) * _around_orb(canvas)
    bright, dim = _tones(canvas)
    # Low bands catch the light from below.
    lit = (1.0 - 0.5 * dense + 0.35 * (canvas.y / horizon - 0.5)).clamp(0, 1)
    canvas.blend(0.85 * alpha, torch.lerp(dim, bright, lit[:, None]))


def _layer(canvas: Canvas) -> None:
    """A layer seen in perspective from below, open or closed as the weather has it."""
    horizon, side = canvas.facts["horizon"], canvas.facts["light_side"]
    above = (horizon - canvas.y).clamp(min=0)
    depth = 1.0 / (above + 0.24)
    # A closed sky is mapped more broadly, so that its forms are large.
    broad = canvas.each(lambda s: 1.0 if s.weather == "fair" else 0.55)
    y = depth * 150 * broad + canvas.uniform(0, noise.BANK)
    x = (canvas.x - 0.5) * depth * 88 * broad + canvas.uniform(0, noise.BANK)
    field = noise.bank(13, 1.75, 7, canvas.device)
    n = noise.sample(field, y, x)
    ahead = noise.sample(field, y - 7, x + 9 * side)
    least = {"fair": 0.4, "fog": 0.5, "cloudy": -0.5, "snowfall": -0.5, "rain": -0.8, "storm": -1.0}
    looser = canvas.each(lambda s: 0.45 if s.weather == "fair" else 0.0)
    cover = canvas.each(lambda s: least[s.weather]) + looser * canvas.uniform()
    shade = (0.55 + 0.75 * (n - ahead) - 0.12 * (n - cover)).clamp(0, 1)
    thick = canvas.each(lambda s: 0.4 if s.weather == "fog" else 0.93)
    alpha = smoothstep(0, 1, (n - cover) / 0.75) * thick * (above / 0.09).clamp(0.0, 1) * _around_orb(canvas)
    bright, dim = _tones(canvas)
    canvas.blend(alpha, torch.lerp(dim, bright, shade[:, None]))


def _lightning(canvas: Canvas) -> None:
    """A bolt from the clouds to the ground, with a branch, and the clouds lit around it."""
    horizon = canvas.facts["horizon"]
    top = horizon * canvas.uniform(0.10, 0.22)
    start = canvas.column([_bolt_place(s, rng) for s, rng in zip(canvas.scenes, canvas.rngs)])
    branch_side = canvas.column([1.0 if rng.random() < 0.5 else -1.0 for rng in canvas.rngs])
    branch_at = canvas.uniform(0.25, 0.5)
    along = (canvas.y - top) / (horizon - top)
    path = start + 0.085 * _zigzag(canvas, along, canvas.uniform(-0.6, 0.6))
    off = along - branch_at
    fork = path + branch_side * (0.34 * off + 0.05 * _zigzag(canvas, off * 1.7, canvas.uniform(-0.2, 0.2)))
    distance = _beside(canvas, path)
    bolt = _stroke(canvas, distance, 0.0085 * (1.2 - 0.6 * along)) * (along > 0) * (along < 1.0)
    half = 0.0055 * (1.1 - off / 0.45).clamp(0, 1)
    thin = _stroke(canvas, _beside(canvas, fork), half) * (off > 0) * (off < 0.45)
    reach = torch.where(along < 0, -along * 0.3, (along - 1).clamp(min=0) * 0.5)
    halo = torch.exp(-torch.hypot(distance, reach) / 0.045)
    cloud = torch.exp(-torch.hypot((canvas.x - start) / 0.30, (canvas.y - top) / 0.14))
    canvas.glow(0.55 * halo + 0.35 * cloud, canvas.colors(lambda s: (0.72, 0.74, 1.0)))
    canvas.blend(torch.maximum(bolt, thin), canvas.colors(lambda s: (1.0, 1.0, 0.97)))


def _beside(canvas: Canvas, path: Tensor) -> Tensor:
    """How far each pixel lies from a line across(down) [n, size, 1]."""
    steep = torch.gradient(path, dim=1)[0] * canvas.size
    return (canvas.x - path).abs() / torch.sqrt(1 + steep**2)


def _stroke(canvas: Canvas, distance: Tensor, half: Tensor) -> Tensor:
    return ((half - distance) * canvas.size * 0.9 + 0.5).clamp(0, 1)


def _bolt_place(scene: Scene, rng: np.random.Generator) -> float:
    """Where across the picture the bolt starts: away from the thing."""
    low, high = {"left": (0.55, 0.8), "right": (0.2, 0.45)}.get(scene.side, (0.2, 0.8))
    place = float(rng.uniform(low, high))
    if scene.side == "center":
        return 0.18 + 0.1 * place if place < 0.5 else 0.72 + 0.1 * place
    return place


def _zigzag(canvas: Canvas, along: Tensor, lean: Tensor) -> Tensor:
    """A jagged line from 0, by how far along it is [n, size, 1]."""
    knots = 9
    turns = np.stack([np.cumsum(rng.uniform(0.3, 1.0, knots) * np.resize([1.0, -1.0], knots)) for rng in canvas.rngs])
    levels = torch.from_numpy(np.pad(turns, ((0, 0), (1, 0))).astype(np.float32)).to(canvas.device)
    at = along[:, :, 0].clamp(0, 0.999) * knots
    low = at.long()
    left, right = levels.gather(1, low), levels.gather(1, low + 1)
    return (left + (right - left) * (at - low))[:, :, None] + lean * along * 3

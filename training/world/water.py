"""Sea and lake: what they mirror, their waves, the path of light and the shores."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.world import noise, palette
from training.world.canvas import Canvas
from training.world.light import overcast, sky_color
from training.world.noise import smoothstep

_GREY = ("cloudy", "rain", "snowfall", "fog", "storm")


def paint_water(canvas: Canvas) -> None:
    """Covers everything below the horizon with water, where the scene has water."""
    canvas.select(lambda s: s.ground in ("sea", "lake"), _water)


def mirrored(canvas: Canvas, line: Tensor, squeeze: float, wobble: Tensor) -> Tensor:
    """The picture upside down about `line` [n, 1, 1], shifted sideways by `wobble` [n, size, size]."""
    y = line - (canvas.y - line) * squeeze
    x, y = torch.broadcast_tensors(canvas.x + wobble, y)
    place = torch.stack([x, y], -1) * 2 - 1
    return F.grid_sample(canvas.pixels, place, mode="bilinear", padding_mode="reflection", align_corners=False)


def _waves(canvas: Canvas, down: Tensor) -> Tensor:
    """Swell that grows towards the viewer, flat where it would be too fine to see: [n, size, size]."""
    near = down.clamp(min=0) + 0.05
    y = 34.0 / near + canvas.uniform(0, noise.BANK)
    x = (canvas.x - 0.5) * (26.0 / near) + canvas.uniform(0, noise.BANK)
    return noise.sample(noise.bank(31, 1.35, 8, canvas.device), y, x) * (down / 0.06).clamp(0.0, 1)


def _water(canvas: Canvas) -> None:
    facts = canvas.facts
    down = canvas.y - facts["horizon"]
    calm = canvas.each(lambda s: s.water == "calm" or s.ground == "lake")
    rough = canvas.each(lambda s: s.water == "rough" or s.weather == "storm")
    waves = _waves(canvas, down)
    wobble = waves * (0.022 - 0.016 * calm + 0.02 * rough) * (0.25 + 3.0 * down)
    image = mirrored(canvas, facts["horizon"], 1.12, wobble)
    deep = canvas.colors(lambda s: palette.SEA[s.time])
    deep = torch.lerp(deep, overcast(canvas) * 0.52, canvas.each(lambda s: 0.6 if s.weather in _GREY else 0.0)[:, None])
    tinted = canvas.each(lambda s: bool(s.water_color))[:, None]
    tint = canvas.colors(lambda s: palette.WATER_TINT[s.water_color][0] if s.water_color else palette.WHITE)
    shows = canvas.each(lambda s: palette.WATER_TINT[s.water_color][1] if s.water_color else 1.0)
    deep = torch.lerp(deep, tint * facts["light"].clamp(min=0.34), tinted)
    mirror = (torch.exp(-down.clamp(min=0) / 0.12) * 0.5 + 0.2 + 0.30 * calm - 0.1 * rough) * shows
    # Clear water is paler over the shallows near the viewer.
    color = torch.lerp(deep * (0.9 + 0.35 * down)[:, None], image, mirror.clamp(0, 0.92)[:, None])
    height = 0.11 - 0.075 * calm + 0.15 * rough
    lift = (waves * height * (down / 0.10).clamp(0.1, 1)).clamp(-0.3, 0.4)[:, None]
    color = color + lift * (color * 0.9 + sky_color(canvas, 2) * (0.32 * shows[:, None]))
    canvas.facts["waves"] = waves
    land = canvas.pixels
    canvas.pixels = color.clamp(0, 1)
    canvas.select(lambda s: s.water == "rough" or (s.weather == "storm" and s.water != "calm"), _breakers)
    canvas.select(lambda s: bool(s.orb), _light_path)
    below = (down * canvas.size + 0.5).clamp(0, 1)
    canvas.pixels = torch.lerp(land, canvas.pixels, below[:, None])
    canvas.select(lambda s: s.ground == "lake", _shores)
    del canvas.facts["waves"]


def _breakers(canvas: Canvas) -> None:
    """Steep waves in rows, dark in front and white on their crests."""
    down = (canvas.y - canvas.facts["horizon"]).clamp(min=0)
    near = down + 0.055
    # Noise in the water's own plane, so that the crests are long and lie flat.
    bend = noise.sample(
        noise.bank(32, 1.9, 12, canvas.device),
        70.0 * torch.log(near) + canvas.uniform(0, noise.BANK),
        (canvas.x - 0.5) * (52.0 / near) + canvas.uniform(0, noise.BANK),
    )
    rows = 5.6 * torch.log(near) + 0.45 * bend
    phase = rows - torch.floor(rows)  # 0 behind a crest, 1 at the next, down the picture
    broken = noise.sample(
        noise.bank(36, 1.6, 9, canvas.device),
        150.0 * torch.log(near) + canvas.uniform(0, noise.BANK),
        (canvas.x - 0.5) * (110.0 / near) + canvas.uniform(0, noise.BANK),
    )
    swell = (0.62 + 0.45 * broken).clamp(0.28, 1.0) * (down / 0.05).clamp(0, 1)
    front = smoothstep(0.0, 0.16, phase) * (1 - phase) ** 1.3
    canvas.pixels = (canvas.pixels * (1 + swell * (0.42 * phase**3 - 0.85 * front))[:, None]).clamp(0, 1)
    # White on the crest, running down in front of it where the wave breaks.
    running = (1 - phase / (0.30 * smoothstep(-0.3, 1.6, broken) + 0.02)).clamp(0, 1) ** 0.6
    foam = torch.maximum(smoothstep(0.86, 0.98, phase), running) * smoothstep(0.42, 0.80, swell)
    canvas.blend(0.95 * foam, (canvas.facts["light"] * 0.95 + 0.06).clamp(max=1))


def _light_path(canvas: Canvas) -> None:
    facts = canvas.facts
    waves, down = facts["waves"], (canvas.y - facts["horizon"]).clamp(min=0)
    calm = canvas.each(lambda s: s.water == "calm" or s.ground == "lake")
    width = facts["orb_radius"] * (0.95 - 0.2 * calm) + 0.20 * down
    across = torch.exp(-(((canvas.x - facts["orb_x"]) / width) ** 2))
    # Broken into bars that widen towards the viewer.
    bars = noise.sample(
        noise.bank(33, 1.4, 8, canvas.device),
        40.0 / (down + 0.06) + canvas.uniform(0, noise.BANK),
        (canvas.x - 0.5) * (9.0 / (down + 0.06)) + canvas.uniform(0, noise.BANK),
    )
    sparkle = smoothstep(-0.5, 1.0, bars + 0.4 * waves)
    strength = canvas.each(lambda s: {"day": 0.60, "night": 0.72}.get(s.time, 0.85))
    strength = strength * canvas.each(lambda s: 0.75 if s.weather in _GREY else 1.0)
    canvas.glow(strength * across * (0.15 + 0.95 * sparkle) * (1 - 0.6 * down), facts["orb_color"])


def _shores(canvas: Canvas) -> None:
    """A low wooded far bank with its reflection, and grass at the near edge."""
    facts = canvas.facts
    light, down = facts["light"], canvas.y - facts["horizon"]
    snowy = canvas.each(lambda s: s.weather == "snowfall")[:, None]
    white = canvas.colors(lambda s: (0.86, 0.89, 0.95))
    green = torch.lerp(canvas.colors(lambda s: (0.17, 0.30, 0.15)), white, 0.55 * snowy)
    far = torch.lerp(green * light, sky_color(canvas, 3), 0.26)
    bank = (0.020 + 0.011 * noise.line(canvas, 1.1, first=2, waves=40)).clamp(min=0.006)
    canvas.blend((bank * 0.9 - down) * canvas.size * (down > 0) + (down > 0) * 0.5, far * 0.62)
    canvas.blend(((bank - down.abs()) * canvas.size + 0.5) * (down <= 0), far)
    blades = noise.plane(canvas, 34, 1.1, cells=300, finest=5, stretch=0.45)
    edge = canvas.uniform(0.90, 0.96) + 0.035 * noise.line(canvas, 1.8, waves=12)
    inside = canvas.y - edge + 0.016 * blades
    color = torch.lerp(canvas.colors(lambda s: (0.27, 0.43, 0.16)), white, 0.75 * snowy)
    shade = (1.0 + 0.18 * blades - 1.6 * inside.clamp(0, 0.2))[:, None]
    canvas.blend(inside * canvas.size + 0.5, color * light * shade)

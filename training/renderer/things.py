"""Boat, house, tree, balloon and lighthouse: shape, shade, shadow and reflection."""

from __future__ import annotations

import numpy as np

from training.renderer import noise, palette
from training.renderer.frame import COLUMN, ROW, SIZE, Frame
from training.renderer.layer import Layer

_WOOD = palette.rgb(.40, .26, .16)
_WINDOW_LIT = palette.rgb(1., .82, .42)


def _roundness(layer: Layer, frame: Frame, amount: float, radius: float) -> np.ndarray:
    return 1 + amount * np.clip(frame.light_side * layer.u / radius, -1.2, 1.2)[..., None] + 0 * layer.v[..., None]


def _boat(frame: Frame, layer: Layer, color: np.ndarray) -> None:
    glow = frame.thing_light
    hull = color * glow
    sail = palette.mix(color, palette.rgb(1, 1, 1), 0.12) * np.minimum(glow * 1.05, 1)
    side = 1.0 if frame.rng.random() < 0.5 else -1.0
    layer.fill(layer.convex((-.012, .1), (.012, .1), (.012, 1.), (-.012, 1.)), _WOOD * glow)
    belly = _roundness(layer, frame, 0.10, 0.4)
    layer.fill(layer.convex((side * .03, .25), (side * .03, .98), (side * .46, .27)), sail * belly)
    layer.fill(layer.convex((-side * .03, .29), (-side * .03, .86), (-side * .33, .31)), sail * 0.86 * belly)
    layer.fill(layer.convex((-.50, .20), (.50, .20), (.36, .0), (-.34, .0)), hull * belly)
    layer.fill(layer.convex((-.50, .20), (.50, .20), (.48, .165), (-.48, .165)), palette.rgb(.97, .96, .93) * glow)
    layer.fill(layer.convex((-.385, .045), (.39, .045), (.36, .0), (-.34, .0)), hull * 0.5)


def _house(frame: Frame, layer: Layer, color: np.ndarray) -> None:
    glow = frame.thing_light
    night = frame.scene.time == "night"
    front_lit, side_lit = (1.0, 0.74) if frame.light_side < 0 else (0.84, 0.98)
    wall = color * glow
    roof = palette.rgb(.36, .22, .20) * glow
    if frame.scene.ground == "snow" or frame.scene.weather == "snowfall":
        roof = palette.rgb(.94, .96, 1.) * np.minimum(frame.light * 1.1 + 0.08, 1)
    layer.fill(layer.convex((.26, .78), (.36, .78), (.36, 1.), (.26, 1.)), roof * 0.7)
    layer.fill(layer.convex((-.08, .0), (.60, .0), (.60, .50), (-.08, .50)), wall * side_lit)
    layer.fill(layer.convex((-.55, .0), (-.08, .0), (-.08, .50), (-.315, .88), (-.55, .50)), wall * front_lit)
    layer.fill(layer.convex((-.08, .46), (.66, .46), (.45, .90), (-.315, .90)), roof)
    layer.fill(layer.convex((-.62, .45), (-.55, .42), (-.29, .90), (-.33, .94)), roof * 0.8)
    glass = _WINDOW_LIT if night or frame.scene.time == "sunset" else palette.rgb(.30, .42, .55) * glow
    trim = palette.rgb(.96, .95, .92) * glow
    for left in (.06, .34):
        layer.fill(layer.convex((left, .18), (left + .16, .18), (left + .16, .38), (left, .38)), trim)
        layer.fill(layer.convex((left + .02, .20), (left + .14, .20), (left + .14, .36), (left + .02, .36)), glass)
    layer.fill(layer.convex((-.385, .0), (-.235, .0), (-.235, .30), (-.385, .30)), _WOOD * 0.8 * glow)
    layer.fill(layer.ellipse(-.315, .56, .06, .06), glass)


def _tree(frame: Frame, layer: Layer, color: np.ndarray) -> None:
    glow = frame.thing_light
    bark = _WOOD * glow
    layer.fill(layer.convex((-.06, .0), (.06, .0), (.03, .55), (-.03, .55)), bark)
    layer.fill(layer.convex((-.02, .30), (.02, .27), (.20, .55), (.17, .56)), bark)
    leaves = noise.patch(frame.rng, noise.bank(61, 1.0, 4), *layer.alpha.shape)
    blobs = [(0, .68, .27), (-.20, .56, .19), (.21, .57, .19), (-.12, .80, .18), (.13, .80, .17)]
    # The whole crown once in shade, then each clump lit from its own side.
    wobble = 0.02 * leaves
    for u, v, r in blobs:
        u, v = u + frame.rng.normal(0, .02), v + frame.rng.normal(0, .015)
        d = np.hypot(layer.u - u, layer.v - v) - r + wobble
        lit = 0.86 + 0.30 * ((layer.u - u) * frame.light_side * 0.6 + (layer.v - v)) / r + 0.08 * leaves
        layer.fill(layer.cover(d), color * glow * np.clip(lit, 0.5, 1.2)[..., None])


def _balloon(frame: Frame, layer: Layer, color: np.ndarray) -> None:
    glow = np.maximum(frame.thing_light, 0.55)
    d_top = np.hypot(layer.u, layer.v - .66) - .34
    taper = np.clip((layer.v - .20) / .30, 0, 1)
    d_low = np.maximum(np.abs(layer.u) - (.085 + .225 * taper**0.8), np.abs(layer.v - .36) - .16)
    mask = layer.cover(np.minimum(d_top, d_low))
    width = np.maximum(np.sqrt(np.clip(.34**2 - (layer.v - .66) ** 2, 1e-4, None)), .085 + .225 * taper**0.8 * (layer.v < .56))
    across = np.clip(layer.u / width, -1, 1)
    stripe = 0.5 + 0.5 * np.tanh(6 * np.cos(np.arcsin(across) * 6.0))
    pale = palette.mix(color, palette.rgb(1, 1, 1), 0.16)
    dark = color * 0.84
    shade = (0.93 + 0.24 * across * frame.light_side + 0.16 * (layer.v - .6))[..., None]
    layer.fill(mask, palette.mix(dark, pale, stripe[..., None]) * glow * shade)
    layer.fill(layer.convex((-.085, .20), (-.075, .20), (-.05, .11), (-.06, .11)), _WOOD * 0.7)
    layer.fill(layer.convex((.085, .20), (.075, .20), (.05, .11), (.06, .11)), _WOOD * 0.7)
    layer.fill(layer.convex((-.065, .0), (.065, .0), (.075, .115), (-.075, .115)), _WOOD * np.maximum(glow, .7))


def _lighthouse(frame: Frame, layer: Layer, color: np.ndarray) -> None:
    glow = frame.thing_light
    round_ = _roundness(layer, frame, 0.22, 0.16)
    rock = palette.rgb(.33, .31, .31) * np.maximum(frame.light, .3)
    rough = noise.patch(frame.rng, noise.bank(61, 1.0, 4), *layer.alpha.shape)
    for u, r in ((-.18, .16), (.16, .18), (0, .2)):
        d = np.hypot((layer.u - u) / 1.7, layer.v + .02) - r * 0.62 + 0.02 * rough
        layer.fill(layer.cover(d) * (layer.v > -.015), rock * (1 + 0.16 * rough)[..., None])
    white = palette.rgb(.96, .95, .93)
    band = np.tanh(14 * np.sin((layer.v - .07) * 2 * np.pi / .30)) * 0.5 + 0.5
    body = palette.mix(color, white, (band if not np.allclose(color, palette.THING["white"]) else band * 0)[..., None])
    layer.fill(layer.convex((-.15, .06), (.15, .06), (.09, .74), (-.09, .74)), body * glow * round_)
    layer.fill(layer.convex((-.13, .73), (.13, .73), (.13, .765), (-.13, .765)), palette.rgb(.2, .2, .22) * glow)
    lit = frame.scene.time in ("night", "sunset") or frame.scene.weather == "fog"
    lamp = _WINDOW_LIT if lit else palette.rgb(.62, .72, .78) * glow
    layer.fill(layer.convex((-.07, .765), (.07, .765), (.07, .88), (-.07, .88)), lamp)
    layer.fill(layer.convex((-.10, .88), (.10, .88), (.0, .99)), color * glow * 0.8 * round_)


_PAINT = {"boat": _boat, "house": _house, "tree": _tree, "balloon": _balloon, "lighthouse": _lighthouse}
_HALF_WIDTH = {"boat": .53, "house": .70, "tree": .50, "balloon": .37, "lighthouse": .5}
_SCALE = {"boat": 1.0, "house": 0.82, "tree": 1.15, "balloon": 1.05, "lighthouse": 1.3}


def paint_thing(frame: Frame) -> None:
    """Paints the scene's thing, if it has one."""
    scene = frame.scene
    if not scene.thing:
        return
    low, high = {"small": (.135, .175), "big": (.36, .46)}.get(scene.size, (.21, .30))
    height = frame.rng.uniform(low, high) * _SCALE[scene.thing]
    middle = {"left": 0.23, "center": 0.5, "right": 0.77}[scene.side] + frame.rng.uniform(-0.08, 0.08)
    margin = min(0.9 * height * _HALF_WIDTH[scene.thing], 0.45)
    x = int(np.clip(middle, margin, 1 - margin) * SIZE)
    if scene.thing == "balloon":
        foot_y = frame.rng.uniform(height + 0.04, max(frame.horizon - 0.02, height + 0.08))
    else:
        foot_y = frame.horizon + 0.035 + frame.rng.uniform(0.35, 0.75) * height * 0.55
        if scene.ground == "lake":
            foot_y = min(foot_y, 0.87)
    foot = int(min(foot_y, 0.95) * SIZE)
    layer = Layer(int(height * SIZE), _HALF_WIDTH[scene.thing], below=0.04)
    _PAINT[scene.thing](frame, layer, palette.THING[scene.color])
    if scene.thing in ("boat", "lighthouse"):
        calm = scene.water == "calm" or scene.ground == "lake"
        strength = (0.6 if calm else 0.36) * (0.7 if scene.water == "dark" else 1)
        layer.reflect(frame, x, foot, strength, 0.9 if calm else 2.0)
    elif scene.thing != "balloon":
        layer.shadow(frame, x, foot, 0.2 if scene.time == "night" or scene.weather != "clear" else 0.42)
    layer.place(frame, x, foot)
    if scene.thing == "lighthouse" and scene.time in ("night", "sunset"):
        _lamp_glow(frame, x / SIZE, foot / SIZE - 0.82 * height, height)


def _lamp_glow(frame: Frame, x: float, y: float, height: float) -> None:
    d = np.hypot(COLUMN - x, ROW - y)
    beam = np.exp(-(((ROW - y) / (0.012 + 0.10 * np.abs(COLUMN - x))) ** 2)) * np.exp(-np.abs(COLUMN - x) / 0.3)
    power = 1.0 if frame.scene.time == "night" else 0.55
    frame.glow(slice(0, SIZE), power * (0.65 * np.exp(-d / (0.10 * height + 0.012)) + 0.2 * beam), _WINDOW_LIT)

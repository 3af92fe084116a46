"""Colours: of the sky by time of day, of light, of the sun and moon, of the grounds, of things."""

from __future__ import annotations

import numpy as np

Color = np.ndarray


def rgb(red: float, green: float, blue: float) -> Color:
    """A colour as a float32 vector."""
    return np.array((red, green, blue), dtype=np.float32)


def mix(a: Color, b: Color, k: float | np.ndarray) -> np.ndarray:
    """From `a` at 0 to `b` at 1."""
    return a + (b - a) * k


THING = {
    "red": rgb(0.86, 0.10, 0.10),
    "orange": rgb(0.98, 0.51, 0.05),
    "yellow": rgb(0.98, 0.85, 0.14),
    "green": rgb(0.14, 0.62, 0.22),
    "blue": rgb(0.10, 0.30, 0.86),
    "purple": rgb(0.52, 0.16, 0.72),
    "pink": rgb(0.98, 0.52, 0.72),
    "white": rgb(0.97, 0.97, 0.96),
    "black": rgb(0.10, 0.10, 0.12),
}
WHITE = rgb(1.0, 1.0, 1.0)

# From the zenith to the horizon.
SKY = {
    "dawn": np.array([(0.47, 0.63, 0.88), (0.74, 0.74, 0.91), (0.98, 0.78, 0.82), (1.0, 0.89, 0.83)], np.float32),
    "day": np.array([(0.10, 0.38, 0.82), (0.27, 0.58, 0.94), (0.54, 0.79, 0.98), (0.82, 0.92, 0.99)], np.float32),
    "sunset": np.array([(0.22, 0.13, 0.44), (0.55, 0.22, 0.50), (0.96, 0.42, 0.28), (1.0, 0.74, 0.34)], np.float32),
    "night": np.array([(0.014, 0.022, 0.10), (0.03, 0.055, 0.20), (0.06, 0.11, 0.31), (0.12, 0.20, 0.42)], np.float32),
}
OVERCAST = {
    "dawn": rgb(0.73, 0.68, 0.72),
    "day": rgb(0.66, 0.71, 0.76),
    "sunset": rgb(0.62, 0.42, 0.46),
    "night": rgb(0.12, 0.15, 0.25),
}
STORM = {
    "dawn": rgb(0.44, 0.40, 0.47),
    "day": rgb(0.35, 0.40, 0.46),
    "sunset": rgb(0.42, 0.25, 0.32),
    "night": rgb(0.075, 0.09, 0.17),
}
LIGHT = {
    "dawn": rgb(0.98, 0.87, 0.86),
    "day": rgb(1.0, 1.0, 0.98),
    "sunset": rgb(0.94, 0.66, 0.52),
    "night": rgb(0.30, 0.38, 0.60),
}
# Things keep more of their own colour than the ground does, so that a blue boat stays blue.
THING_LIGHT = {
    "dawn": rgb(0.98, 0.93, 0.93),
    "day": rgb(1.0, 1.0, 1.0),
    "sunset": rgb(0.95, 0.83, 0.79),
    "night": rgb(0.68, 0.70, 0.77),
}
LAMP = rgb(1.0, 0.82, 0.42)  # of windows and lanterns at night
# Where the light falls on it, and in its own shade.
CLOUD = {
    "dawn": (rgb(1.0, 0.93, 0.90), rgb(0.80, 0.70, 0.82)),
    "day": (rgb(1.0, 1.0, 1.0), rgb(0.70, 0.79, 0.90)),
    "sunset": (rgb(1.0, 0.68, 0.42), rgb(0.50, 0.26, 0.44)),
    "night": (rgb(0.22, 0.28, 0.45), rgb(0.06, 0.085, 0.19)),
}
SUN = {
    "dawn": rgb(1.0, 0.94, 0.74),
    "day": rgb(1.0, 0.97, 0.78),
    "sunset": rgb(1.0, 0.83, 0.40),
}
SUN_TINT = {
    "red": rgb(0.95, 0.12, 0.08),
    "orange": rgb(1.0, 0.53, 0.08),
    "yellow": rgb(1.0, 0.87, 0.14),
    "white": rgb(1.0, 1.0, 1.0),
}
MOON = rgb(0.96, 0.96, 0.92)
MOON_TINT = {"red": rgb(0.90, 0.25, 0.17), "yellow": rgb(1.0, 0.83, 0.30), "blue": rgb(0.45, 0.68, 1.0)}
SEA = {
    "dawn": rgb(0.34, 0.47, 0.62),
    "day": rgb(0.05, 0.33, 0.60),
    "sunset": rgb(0.22, 0.15, 0.34),
    "night": rgb(0.025, 0.055, 0.15),
}
# The first is the water itself; the second how much of the sky it still mirrors.
WATER_TINT = {
    "dark": (rgb(0.02, 0.035, 0.06), 0.22),
    "turquoise": (rgb(0.05, 0.68, 0.68), 0.40),
    "green": (rgb(0.08, 0.42, 0.22), 0.38),
}
# Behind a table: softer than things, which stand out from a wall of their own colour.
WALL = {
    "": rgb(0.155, 0.145, 0.15),
    "red": rgb(0.60, 0.14, 0.13),
    "yellow": rgb(0.86, 0.69, 0.24),
    "green": rgb(0.24, 0.46, 0.28),
    "blue": rgb(0.20, 0.35, 0.64),
    "purple": rgb(0.40, 0.22, 0.52),
    "pink": rgb(0.88, 0.58, 0.66),
}
WOOD = (rgb(0.52, 0.33, 0.19), rgb(0.66, 0.46, 0.28), rgb(0.34, 0.21, 0.13), rgb(0.74, 0.58, 0.40))

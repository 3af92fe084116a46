"""Colours: of the sky by time of day, of light, of the sun and moon, of things."""

from __future__ import annotations

import numpy as np

Color = np.ndarray


def rgb(*values: float) -> Color:
    """A colour as a float32 vector."""
    return np.array(values, dtype=np.float32)


# From the zenith to the horizon.
SKY = {
    "dawn": np.array([(.38, .50, .76), (.62, .64, .83), (.95, .75, .73), (1., .88, .74)], np.float32),
    "day": np.array([(.13, .40, .80), (.33, .62, .93), (.62, .82, .97), (.86, .93, .98)], np.float32),
    "sunset": np.array([(.18, .14, .40), (.52, .24, .48), (.95, .44, .30), (1., .73, .38)], np.float32),
    "night": np.array([(.018, .026, .09), (.04, .065, .18), (.075, .125, .29), (.15, .22, .40)], np.float32),
}
OVERCAST = {
    "dawn": rgb(.66, .64, .68),
    "day": rgb(.66, .70, .75),
    "sunset": rgb(.58, .45, .46),
    "night": rgb(.12, .145, .21),
}
LIGHT = {
    "dawn": rgb(.96, .84, .82),
    "day": rgb(1., 1., .98),
    "sunset": rgb(.95, .68, .55),
    "night": rgb(.34, .41, .60),
}
# Things keep more of their own colour than the ground does, so that a blue boat stays blue.
THING_LIGHT = {
    "dawn": rgb(.96, .90, .90),
    "day": rgb(1., 1., 1.),
    "sunset": rgb(.94, .80, .76),
    "night": rgb(.66, .68, .76),
}
CLOUD = {
    "dawn": (rgb(1., .92, .86), rgb(.74, .62, .72)),
    "day": (rgb(1., 1., 1.), rgb(.72, .79, .88)),
    "sunset": (rgb(1., .66, .44), rgb(.48, .27, .42)),
    "night": (rgb(.20, .25, .38), rgb(.06, .08, .16)),
}
SUN = {
    "dawn": rgb(1., .93, .70),
    "day": rgb(1., .97, .78),
    "sunset": rgb(1., .82, .42),
}
SUN_TINT = {
    "red": rgb(.93, .12, .08),
    "orange": rgb(1., .55, .10),
    "yellow": rgb(1., .86, .16),
    "white": rgb(1., 1., 1.),
}
MOON = rgb(.96, .96, .92)
MOON_TINT = {"red": rgb(.86, .26, .18), "yellow": rgb(1., .84, .36), "blue": rgb(.50, .70, 1.)}
SEA = {
    "dawn": rgb(.24, .36, .50),
    "day": rgb(.05, .33, .56),
    "sunset": rgb(.18, .14, .30),
    "night": rgb(.025, .055, .14),
}
TURQUOISE = rgb(.06, .62, .64)
THING = {
    "red": rgb(.84, .13, .11),
    "orange": rgb(.95, .50, .08),
    "yellow": rgb(.97, .83, .15),
    "green": rgb(.16, .62, .22),
    "blue": rgb(.12, .31, .84),
    "purple": rgb(.52, .20, .70),
    "pink": rgb(.96, .50, .68),
    "white": rgb(.96, .96, .95),
}


def mix(a: Color, b: Color, k: float | np.ndarray) -> np.ndarray:
    """From `a` at 0 to `b` at 1."""
    return a + (b - a) * k

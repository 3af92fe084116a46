"""The last touch on a picture: its mood and its style."""

from training.world.finish.finish import finish

__all__ = ["finish"]

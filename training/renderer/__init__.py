"""A procedural painter of small landscapes, each with an exact description."""

from training.renderer.picture import SIZE, render
from training.renderer.scene import Scene, sample_scene

__all__ = ["SIZE", "Scene", "render", "sample_scene"]

"""What scenes are called: true captions, and the classes that a reader of captions must find."""

from training.words.captions import ATTRIBUTES, CLASSES, VALUES, caption, described, targets

__all__ = ["ATTRIBUTES", "CLASSES", "VALUES", "caption", "described", "targets"]

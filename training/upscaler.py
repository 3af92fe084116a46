"""The network that doubles pictures. The engine runs the same: engine/src/upscaler."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Upscaler(nn.Module):
    """Convolutions over the pixels, whose result is added to a bilinear enlargement.

    Pictures are `[n, 3, height, width]` between -1 and 1; the results have `scale` times their sides.
    """

    def __init__(self, channels: int = 32, blocks: int = 6, scale: int = 2) -> None:
        super().__init__()

        def conv(inputs: int, outputs: int) -> nn.Conv2d:
            return nn.Conv2d(inputs, outputs, 3, padding=1)

        self.scale = scale
        self.head = conv(3, channels)
        self.body = nn.ModuleList(
            nn.ModuleDict({"conv1": conv(channels, channels), "conv2": conv(channels, channels)}) for _ in range(blocks)
        )
        self.tail = conv(channels, channels)
        self.out = conv(channels, 3 * scale**2)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        first = x = self.head(pictures)
        for block in self.body:
            x = x + block["conv2"](F.relu(block["conv1"](x)))
        details = F.pixel_shuffle(self.out(self.tail(x) + first), self.scale)
        return details + F.interpolate(pictures, scale_factor=self.scale, mode="bilinear", align_corners=False)

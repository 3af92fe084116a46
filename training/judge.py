"""A classifier that reads attributes from pictures, trained on the renderer's pictures alone.

It never sees a picture that the model made. Some of what it learns from went through the autoencoder
and back, so that softness alone does not mislead it; some has the combinations that the model is not
shown, so that it reads those as well as any.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.autoencoder import load_autoencoder, to_tensor
from training.dataset import Pictures
from training.stage import Stage, averaged, device
from training.words.captions import ATTRIBUTES, CLASSES, targets

READ = ("thing", "color", "count", "style", "time", "ground", "side", "size", "weather", "mood")
INPUT = 128
BATCH = 32
_SOFT = 3000


class _Block(nn.Module):
    def __init__(self, i: int, o: int, stride: int):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, i), nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.norm2, self.conv2 = nn.GroupNorm(8, o), nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.skip = nn.Conv2d(i, o, 1, stride, bias=False) if i != o or stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class Judge(nn.Module):
    """A small residual network with one linear reader per attribute in READ."""

    def __init__(self) -> None:
        super().__init__()
        self.classes = [CLASSES[ATTRIBUTES.index(name)] for name in READ]
        plan = [(32, 48, 1), (48, 96, 2), (96, 96, 1), (96, 160, 2), (160, 160, 1), (160, 224, 2)]
        self.stem = nn.Conv2d(3, 32, 5, 2, 2)
        self.blocks = nn.Sequential(*[_Block(*p) for p in plan])
        self.norm = nn.GroupNorm(8, 224)
        self.read = nn.Linear(2 * 224, sum(self.classes))

    def features(self, x: Tensor) -> Tensor:
        """[n, 448] from pictures [n, 3, INPUT, INPUT] in -1..1."""
        h = F.silu(self.norm(self.blocks(self.stem(x))))
        return torch.cat([h.mean((2, 3)), h.amax((2, 3))], 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Logits of every attribute in READ."""
        return list(self.read(self.features(x)).split(self.classes, 1))


def shrink(pictures: Tensor) -> Tensor:
    """Pictures [n, 3, 256, 256] at the classifier's own size."""
    return F.avg_pool2d(pictures, pictures.shape[-1] // INPUT)


@torch.inference_mode()
def soften(pictures: np.ndarray, autoencoder: nn.Module, where: torch.device) -> np.ndarray:
    """What the autoencoder leaves of pictures: uint8 [n, h, w, 3] to the same."""
    out = np.empty_like(pictures)
    for i in range(0, len(pictures), 8):
        made = autoencoder(to_tensor(pictures[i : i + 8]).to(where)).sample
        out[i : i + 8] = made.add(1).mul(127.5).clamp(0, 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return out


def train_judge(
    pictures_dir: Path, unseen_dir: Path, autoencoder: Path, soft_file: Path, out: Path, minutes: float
) -> None:
    """Trains for `minutes` in all, resuming from `out`."""
    where = device()
    sets = Pictures(pictures_dir), Pictures(unseen_dir)
    pictures, unseen = (s.pixels for s in sets)
    if not soft_file.exists():
        np.save(soft_file, soften(np.array(pictures[:_SOFT]), load_autoencoder(autoencoder).to(where), where))
    soft = np.load(soft_file, mmap_mode="r")
    facts = torch.tensor([[targets(scene)[name] for name in READ] for s in sets for scene in s.scenes()])
    model = Judge()

    def loss(step: int, _fraction: float) -> Tensor:
        rng = np.random.default_rng((5, step))
        softened, other = rng.integers(0, len(soft), BATCH // 4), rng.integers(0, len(unseen), BATCH // 8)
        sharp = rng.integers(0, len(pictures), BATCH - len(softened) - len(other))
        raw = [*(soft[i] for i in softened), *(unseen[i] for i in other), *(pictures[i] for i in sharp)]
        picked = np.concatenate([softened, other + len(pictures), sharp])
        x = _jitter(shrink(to_tensor(np.stack(raw)).to(where)), rng)
        logits = model(x)
        wanted = facts[torch.from_numpy(picked)].to(where)
        return torch.stack([F.cross_entropy(y.float(), wanted[:, i]) for i, y in enumerate(logits)]).sum()

    Stage("judge", model, out, minutes, BATCH, peak_rate=1.5e-3, ema_decay=0.998, held=0.3, muon=True).run(loss)


def load_judge(checkpoint: Path) -> Judge:
    """The trained classifier."""
    model = Judge()
    model.load_state_dict(averaged(checkpoint))
    return model.eval()


def _jitter(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Small changes of light, of place and of sharpness, none of which changes an attribute."""
    dx, dy = (int(v) for v in rng.integers(-4, 5, 2))
    x = F.pad(x, (4, 4, 4, 4), mode="reflect")[:, :, 4 + dy : 4 + dy + INPUT, 4 + dx : 4 + dx + INPUT]
    if rng.random() < 0.3:
        x = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2.0, mode="bilinear")
    return x * float(rng.uniform(0.94, 1.06)) + float(rng.uniform(-0.03, 0.03)) + torch.randn_like(x) * 0.02

"""One single-threaded process per core, which average their gradients after every step.

On a machine shared with other work this beats threads inside one process: threads wait for one
another at every operation, these only once a step.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from datetime import timedelta

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def _entry(rank: int, world: int, store: str, work: Callable[..., None], arguments: tuple[object, ...]) -> None:
    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=world, timeout=timedelta(hours=2)
    )
    work(rank, world, *arguments)
    dist.barrier()
    dist.destroy_process_group()


def run_parallel(world: int, work: Callable[..., None], *arguments: object) -> None:
    """Calls `work(rank, world, *arguments)` in `world` processes and waits for all of them."""
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(_entry, args=(world, os.path.join(folder, "store"), work, arguments), nprocs=world)


def average_gradients(parameters: Iterable[torch.nn.Parameter], loss: float, stop: bool) -> tuple[float, bool]:
    """Averages gradients over the processes; returns the mean loss and whether any wants to stop."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients] + [torch.tensor([loss, float(stop)])])
    dist.all_reduce(flat)
    flat[:-1] /= dist.get_world_size()
    offset = 0
    for g in gradients:
        g.copy_(flat[offset : offset + g.numel()].view_as(g))
        offset += g.numel()
    return float(flat[-2]), bool(flat[-1] > 0)

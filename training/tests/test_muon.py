"""Muon: what its steps are made of, and that it learns and resumes."""

from __future__ import annotations

import unittest

import torch
from torch import nn

from training.muon import Muon, orthogonal


class TestMuon(unittest.TestCase):
    def test_singular_values_are_near_one(self) -> None:
        torch.manual_seed(0)
        for shape in ((3, 24, 96), (2, 16, 144), (2, 144, 16)):
            values = torch.linalg.svdvals(orthogonal(torch.randn(shape)).float())
            self.assertTrue(values.min() > 0.5 and values.max() < 1.35, (shape, values.min(), values.max()))

    def test_a_step_is_as_large_as_adamws(self) -> None:
        torch.manual_seed(0)
        kernel = nn.Parameter(torch.zeros(32, 16, 3, 3))
        kernel.grad = torch.randn_like(kernel) * 1e-4
        Muon([kernel], lr=1e-3).step()
        self.assertTrue(0.1e-3 < kernel.detach().square().mean().sqrt() < 0.3e-3)

    def test_it_learns_and_resumes_where_it_was(self) -> None:
        torch.manual_seed(0)
        x = torch.randn(256, 12)
        y = x @ torch.randn(12, 6)

        def run(model: nn.Linear, optimizer: Muon, steps: int) -> float:
            for _ in range(steps):
                loss = ((model(x) - y) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return float(loss)

        whole = nn.Linear(12, 6, bias=False)
        first = nn.Linear(12, 6, bias=False)
        first.load_state_dict(whole.state_dict())
        self.assertLess(run(whole, Muon(whole.parameters(), lr=0.1), 200), 0.05)
        optimizer = Muon(first.parameters(), lr=0.1)
        run(first, optimizer, 80)
        second = nn.Linear(12, 6, bias=False)
        second.load_state_dict(first.state_dict())
        resumed = Muon(second.parameters(), lr=0.1)
        resumed.load_state_dict(optimizer.state_dict())
        run(second, resumed, 120)
        self.assertTrue(torch.allclose(second.weight, whole.weight))

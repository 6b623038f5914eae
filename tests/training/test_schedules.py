import itertools

import pytest
import torch

from facevox.training.schedules import rise_and_fall


def rates(count, **how):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = rise_and_fall({"net": optimizer}, **how)["net"]
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_the_rate_rises_in_a_line_and_falls_to_its_last_share():
    found = rates(120, warm_up=10, steps=100, last_share=0.05)
    assert found[0] == pytest.approx(0.2, rel=1e-6)
    assert max(found) == pytest.approx(2.0, rel=0.03)
    assert found.index(max(found)) == 9
    assert found[50] == pytest.approx(2.0 * 0.525)
    assert found[100:] == pytest.approx([0.1] * 20)
    assert all(later <= earlier for earlier, later in itertools.pairwise(found[9:]))


def test_every_optimizer_gets_one():
    made = [torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=r) for r in (1.0, 3.0)]
    found = rise_and_fall(dict(zip("ab", made, strict=True)), warm_up=1, steps=5, last_share=0.0)
    assert [found[name].get_last_lr()[0] for name in "ab"] == [1.0, 3.0]

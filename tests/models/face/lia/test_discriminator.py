"""Laws of the discriminator."""

import pytest
import torch

from facevox.models.face.lia.config import paper, tiny
from facevox.models.face.lia.discriminator import Discriminator


def test_published_size():
    with torch.device("meta"):
        model = Discriminator(paper())
    count = sum(weight.numel() for weight in model.parameters())
    trunk = 21.64e6 - 512 * 512 * 16
    assert count == pytest.approx(trunk + 513 * 512 * 9 + 512 + 8192 * 512 + 512 + 513, abs=1e4)


def test_scores_and_gradients(pictures):
    torch.manual_seed(0)
    model = Discriminator(tiny())
    scores = model(pictures)
    assert scores.shape == (4, 1)
    assert scores.dtype == torch.float32
    scores.sum().backward()
    assert all(w.grad is not None and w.grad.any() for w in model.parameters())


def test_it_sees_whether_pictures_of_a_group_are_alike(pictures):
    torch.manual_seed(0)
    model = Discriminator(tiny())
    alike = pictures[:1].repeat(4, 1, 1, 1)
    one = model(pictures[:1])
    torch.testing.assert_close(model(alike), one.expand(4, 1), atol=1e-6, rtol=0)
    assert (model(pictures)[0] - one[0]).abs() > 1e-5


def test_batches_are_multiples_of_the_group():
    model = Discriminator(tiny())
    with pytest.raises(ValueError, match="multiple of 4"):
        model(torch.zeros(6, 3, 32, 32))

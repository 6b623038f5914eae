import torch

from facevox.data.band_augmentation import distort


def frames():
    return torch.randn(12, 50, 80, generator=torch.Generator().manual_seed(0)) - 8


def test_the_same_generator_gives_the_same_distortion():
    first, second = (distort(frames(), torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, distort(frames(), torch.Generator().manual_seed(2)))


def test_every_crop_changes_in_another_way():
    changes = (distort(frames(), torch.Generator().manual_seed(1)) - frames()).mean(1)
    assert torch.isfinite(changes).all()
    assert torch.cdist(changes, changes).add(torch.eye(12) * 9).min() > 0.5


def test_what_is_said_can_still_be_heard():
    speech = 2 * frames()
    heard = distort(speech, torch.Generator().manual_seed(1))
    kept = [
        torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]
        for a, b in zip(speech, heard, strict=True)
    ]
    assert torch.stack(kept).median() > 0.5

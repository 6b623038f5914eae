"""Head and expression scaled apart."""

import pytest
import torch

from facevox.core.errors import ConfigError
from facevox.models.face.ttsf.motion_strengths import MotionStrengths


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


READOUTS = noise(9, 20)
STRENGTHS = MotionStrengths(READOUTS, 6)
SOURCE, ALPHA = noise(2, 1, 20, seed=1), 3 * noise(2, 50, 20, seed=2)


def read(alpha):
    controls = (alpha - SOURCE) @ READOUTS.T
    return controls[..., :6], controls[..., 6:]


def test_strength_one_changes_nothing():
    assert torch.equal(STRENGTHS.scaled(ALPHA, SOURCE), ALPHA)


@pytest.mark.parametrize(("head", "expression"), [(0.0, 1.0), (0.5, 1.0), (1.0, 0.0), (1.7, 0.3)])
def test_each_control_is_scaled_by_its_own_strength(head, expression):
    scaled = read(STRENGTHS.scaled(ALPHA, SOURCE, head, expression))
    before = read(ALPHA)
    torch.testing.assert_close(scaled[0], head * before[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(scaled[1], expression * before[1], atol=1e-4, rtol=1e-4)


def test_both_at_zero_is_the_source():
    still = STRENGTHS.scaled(ALPHA, SOURCE, 0.0, 0.0)
    torch.testing.assert_close(still, SOURCE.expand_as(ALPHA), atol=1e-5, rtol=1e-5)


def test_the_head_part_is_a_projection_and_no_longer_than_it_must_be():
    change = ALPHA - SOURCE
    part = STRENGTHS.head_part(change)
    torch.testing.assert_close(STRENGTHS.head_part(part), part, atol=1e-4, rtol=1e-4)
    # what no read-out sees belongs to the rest
    unseen = torch.linalg.svd(READOUTS)[2][9:]
    torch.testing.assert_close(part @ unseen.T, torch.zeros(2, 50, 11), atol=1e-4, rtol=0.0)


def test_readouts_of_the_head_alone():
    strengths = MotionStrengths(READOUTS[:6], 6)
    still = strengths.scaled(ALPHA, SOURCE, head=0.0)
    assert read(still)[0].abs().max() < 1e-4


@pytest.mark.parametrize(
    ("readouts", "num_head"),
    [(READOUTS, 0), (READOUTS, 10), (READOUTS[[0, 1, 1]], 2), (noise(21, 20), 6)],
)
def test_read_outs_that_cannot_be_told_apart_are_refused(readouts, num_head):
    with pytest.raises(ConfigError):
        MotionStrengths(readouts, num_head)

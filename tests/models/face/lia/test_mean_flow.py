"""Fields of the average face: where they lie, and that they stay there."""

import numpy as np
import pytest
import torch

from facevox.core.portrait.reader import read_portrait
from facevox.models.face.lia.mean_flow import (
    MOUTH,
    NUM_CONTROLS,
    PLACE,
    MeanFlow,
    mouth_place,
    mouth_steps,
)
from facevox.models.face.lia.synthesis import identity_grid
from facevox.models.face.lia.view import view_of


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


def controls(**values):
    made = torch.zeros(1, NUM_CONTROLS)
    made[:, -PLACE:] = torch.tensor([0.1, 0.4, 0.25])
    for column, value in values.items():
        made[:, int(column[1:])] = value
    return made


def flow(side=32):
    return identity_grid(side, torch.zeros(1))


def test_without_movement_nothing_changes():
    net = MeanFlow()
    torch.nn.init.normal_(net.fields)
    torch.nn.init.normal_(net.mouth_fields)
    moved, logit, tint = net(flow(), controls())
    assert torch.equal(moved, flow())
    assert not logit.any()
    assert not tint.any()


def test_fields_of_the_mouth_lie_in_the_window_of_the_mouth():
    net = MeanFlow()
    net.mouth_fields[6].fill_(0.1)
    moved, _, _ = net(flow(64), controls(c6=1.0))
    x, y = flow(64)[0, ..., 0], flow(64)[0, ..., 1]
    inside = ((x - 0.1).abs() < 0.23) & ((y - 0.4).abs() < 0.23)
    outside = ((x - 0.1).abs() > 0.27) | ((y - 0.4).abs() > 0.27)
    change = (moved - flow(64))[0, ..., 0]
    assert (change[inside] - 0.1).abs().max() < 1e-5
    assert not change[outside].any()


def test_movement_is_read_where_the_flow_has_carried_the_pixel():
    net = MeanFlow()
    net.fields[MOUTH, 0, :, 32:] = 0.1  # the right half moves
    turned = flow(64) + torch.tensor([0.5, 0.0])
    moved, _, _ = net(turned, controls(c9=1.0))
    assert (moved - turned)[0, 2:-2, 18:30, 0].min() == pytest.approx(0.1, abs=1e-5)


def test_steps_of_the_gap_are_zero_until_it_is_reached():
    steps = mouth_steps(controls(c6=1.0)[:, :MOUTH])
    assert steps.shape[1] == MOUTH + 6
    assert steps[0, MOUTH:].tolist() == pytest.approx([0.65, 0.3, 0.0, 0.0, 0.0, 0.0], abs=1e-6)


def test_the_place_is_that_of_the_mouth_in_the_view(astronaut):
    portrait = read_portrait(astronaut)
    view = view_of(portrait.landmarks)
    x, y, half = mouth_place(portrait.landmarks, view)
    matrix = view.matrix(256)
    seen = np.array([(x + 1) * 128, (y + 1) * 128])
    on_photo = seen @ matrix[:, :2].T + matrix[:, 2]
    lips = portrait.landmarks[[13, 14, 61, 291], :2].mean(0)
    assert np.linalg.norm(on_photo - lips) < 0.15 * portrait.iod
    assert 0.15 < half < 0.4

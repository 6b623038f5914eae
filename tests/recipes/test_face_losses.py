import numpy as np
import pytest
import torch
from torch.nn import functional

from facevox.core.errors import ConfigError
from facevox.core.portrait.reader import read_portrait
from facevox.evaluation.judges.arcface import tiny as tiny_arcface
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.judges.vgg19 import tiny as tiny_vgg19
from facevox.models.face.lia.view import view_of
from facevox.recipes.face_losses import (
    JudgedLosses,
    JudgedSettings,
    contrast_loss,
    control_loss,
    flow_loss,
    pyramid_loss,
    recogniser_crop,
    trait_loss,
    weight_map,
)


def pictures(seed, count=2, side=32):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, side, side, generator=generator) * 2 - 1


def test_mouth_and_eyes_count_more_and_the_mean_is_one():
    weight = weight_map(64)
    assert weight.shape == (1, 1, 64, 64)
    assert weight.mean() == pytest.approx(1.0, abs=1e-5)
    mouth, eye, cheek, corner = (
        float(weight[0, 0, y, x]) for y, x in ((44, 32), (27, 25), (38, 14), (0, 0))
    )
    assert mouth > eye > cheek > 0
    assert corner == pytest.approx(float(weight.min()))
    assert torch.allclose(weight, weight.flip(-1), atol=1e-5)


def test_the_pyramid_sees_every_size():
    made, weight = pictures(0), weight_map(32)
    assert pyramid_loss(made, made, weight, 4) == 0
    shifted = made + 0.1
    for levels in (1, 2, 3):
        loss = float(pyramid_loss(shifted, made, weight, levels))
        assert loss == pytest.approx(0.1 * levels, rel=0.05)
    noise = 0.1 * torch.randn(made.shape, generator=torch.Generator().manual_seed(1))
    # noise is gone at smaller sizes, a shift is not; at full size its gradients count too
    assert pyramid_loss(made + noise, made, weight, 4) < 3 * pyramid_loss(
        made + noise, made, weight, 1
    )


def test_contrast_is_small_when_people_are_found():
    eye = torch.eye(4)
    person = torch.arange(4)
    assert contrast_loss(eye, eye, person) < 1e-3
    assert contrast_loss(eye, eye.roll(1, 0), person) > 5
    # two rows of one person are both right
    twice = contrast_loss(eye[[0, 0, 1]], eye[[0, 0, 1]], torch.tensor([5, 5, 6]))
    assert twice == pytest.approx(2 / 3 * np.log(2), abs=1e-2)


def test_controls_are_right_when_told_seen_and_read_agree():
    change = torch.randn(4, 9, generator=torch.Generator().manual_seed(0))
    known = torch.ones(4, 9)
    known[3, 3:] = 0
    told = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    made = {
        "told": told,
        "seen": told[2:],
        "read_told": change,
        "read_seen": change[2:],
        "wanted": change,
    }
    assert control_loss(made, known) == 0
    # of a row that is known in part, only that part counts
    rough = change.clone()
    rough[3, 3:] += 5
    assert control_loss({**made, "read_seen": rough[2:]}, known) == 0
    assert control_loss({**made, "seen": told[:2]}, known) > 0.1
    assert control_loss({**made, "read_told": rough + 1}, known) > 0.05
    none = {**made, "seen": told[:0], "read_seen": change[:0]}
    assert control_loss(none, known) == 0


def test_unknown_traits_teach_nothing():
    traits = torch.tensor([[1.0, 0, 0, 0, 0], [float("nan")] * 5])
    assert trait_loss(torch.zeros(2, 5), traits) == pytest.approx(0.1)


def test_the_right_flow_costs_nothing():
    side, cells = 32, 8
    source = pictures(0, side=side)
    displacement = torch.full((2, cells, cells, 2), 2 / cells)
    line = (torch.arange(side) + 0.5) * 2 / side - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    still = torch.stack([x, y], -1).expand(2, -1, -1, -1)
    target = functional.grid_sample(
        source, still + 2 / cells, align_corners=False, padding_mode="border"
    )
    known = torch.tensor([1.0, 0.0])
    right = flow_loss(still + 2 / cells, displacement, known, source, target)
    wrong = flow_loss(still, displacement, known, source, target)
    assert right < 1e-3 < 10 < wrong
    assert flow_loss(still, displacement, torch.zeros(2), source, target) == 0


def test_the_recogniser_sees_the_eyes_where_it_expects_them(astronaut_file):
    portrait = read_portrait(astronaut_file)
    view = view_of(portrait.landmarks)
    side = 256
    cut = torch.from_numpy(view.cut(portrait.pixels, side)).permute(2, 0, 1)[None] * 2 - 1
    # two dots where the irises are
    matrix = np.linalg.inv(np.vstack([view.matrix(side), [0, 0, 1]]))
    for iris in (468, 473):
        x, y = (matrix @ [*portrait.landmarks[iris, :2], 1])[:2].round().astype(int)
        cut[0, :, y - 1 : y + 2, x - 1 : x + 2] = 9.0
    crop = recogniser_crop(cut)[0, 0]
    assert crop.shape == (112, 112)
    found = [
        np.unravel_index(int(crop[:, half].argmax()), (112, 56))
        for half in (slice(56), slice(56, None))
    ]
    (left_y, left_x), (right_y, right_x) = found
    assert abs(left_x - 38) <= 3
    assert abs(right_x + 56 - 74) <= 3
    assert abs(left_y - 52) <= 4
    assert abs(right_y - 52) <= 4


@pytest.fixture
def nobody(tmp_path):
    return Judges(tmp_path)


def test_without_judges_their_losses_are_off_with_one_warning_each(nobody):
    settings = JudgedSettings(vgg=1.0, identity=0.3)
    with pytest.warns(UserWarning, match="is off") as said:
        losses = JudgedLosses(settings, nobody)
    assert [str(w.message) for w in said] == [
        "The loss 'vgg' is off: judge vgg19 missing, get it with facevox judges get vgg19.",
        "The loss 'identity' is off: judge arcface-iresnet50 missing, get it with facevox "
        "judges add arcface-iresnet50.",
    ]
    assert losses.names == ()
    assert losses(pictures(0), pictures(1)) == {}


def test_losses_that_were_asked_for_end_the_run(nobody):
    with pytest.raises(ConfigError, match=r"The loss 'vgg' has no judge .*or set its weight to 0"):
        JudgedLosses(JudgedSettings(vgg=1.0, missing="refuse"), nobody)


def test_losses_without_weight_ask_for_nothing(nobody):
    assert JudgedLosses(JudgedSettings(missing="refuse"), nobody).names == ()


def test_judged_losses_teach(nobody):
    nobody.put("vgg19", tiny_vgg19())
    nobody.put("arcface-iresnet50", tiny_arcface())
    losses = JudgedLosses(JudgedSettings(vgg=1.0, identity=0.3), nobody)
    made, real = pictures(0, side=64).requires_grad_(), pictures(1, side=64)
    found = losses(made, real)
    assert set(found) == {"vgg", "identity"} == set(losses.names)
    for loss in found.values():
        (gradient,) = torch.autograd.grad(loss, made, retain_graph=True)
        assert gradient.abs().sum() > 0
    assert losses(real, real)["identity"] == pytest.approx(0.0, abs=1e-5)

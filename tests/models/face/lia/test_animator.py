"""The fast path makes the same pictures."""

import numpy as np
import pytest
import torch

from facevox.models.face.lia import animator as module
from facevox.models.face.lia.animator import FaceAnimator
from facevox.models.face.lia.config import tiny
from facevox.models.face.lia.mean_flow import NUM_CONTROLS, PLACE

FORMS = [
    {},
    {"content": "fused", "pixel_skip": True},
    {"content": "fused", "layer_map": "levels"},
    {"pixel_skip": True, "fusion": "add"},
]


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("lips", [False, True])
@torch.no_grad()
def test_same_pictures_in_float32(make, pictures, form, lips):
    model = make(tiny().model_copy(update=form))
    f_m = torch.randn(7, 16)
    f_lip = torch.randn(7, 16) if lips else None
    wanted = model(model.read(pictures[:1]), f_m, f_lip).picture
    made = FaceAnimator(model, pictures[:1], torch.float32, batch=3).render(f_m, f_lip)
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_mean_flows_move_the_same(make, pictures):
    model = make(tiny().model_copy(update={"pixel_skip": True, "mean_flow": True}))
    for fields in model.synthesis.mean_flow.parameters():
        rough = 0.003 * torch.randn(*fields.shape[:2], 4, 4)
        fields.copy_(torch.nn.functional.interpolate(rough, 64, mode="bicubic"))
    f_m, controls = torch.randn(7, 16), torch.rand(7, NUM_CONTROLS)
    controls[:, -PLACE:] = torch.tensor([0.0, 0.3, 0.3])
    wanted = model(model.read(pictures[:1]), f_m, None, controls).picture
    animator = FaceAnimator(model, pictures[:1], torch.float32, batch=3)
    made = animator.render(f_m, controls=controls)
    torch.testing.assert_close(made, wanted, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match="mean flows"):
        animator.render(f_m)


@pytest.mark.parametrize("form", FORMS[:2], ids=str)
@torch.no_grad()
def test_bfloat16_is_close(make, pictures, form):
    # eight bits of fraction: 0.4 % a product, some layers deep
    model = make(tiny().model_copy(update=form))
    f_m = torch.randn(6, 16) * 0.5
    wanted = model(model.read(pictures[:1]), f_m).picture
    made = FaceAnimator(model, pictures[:1], torch.bfloat16).render(f_m)
    error = (made - wanted).square().mean().sqrt() / wanted.std()
    assert error < 0.03


@torch.no_grad()
def test_the_batch_is_split_where_maps_are_large(make, pictures, monkeypatch):
    model = make(tiny())
    f_m = torch.randn(9, 16)
    whole = FaceAnimator(model, pictures[:1], torch.float32).render(f_m)
    monkeypatch.setattr(module, "_CACHE_BYTES", 5000)
    parts = FaceAnimator(model, pictures[:1], torch.float32, batch=5).render(f_m)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=0)


@torch.no_grad()
def test_flow_mask_and_paint_are_the_same_too(make, pictures):
    model = make(tiny().model_copy(update={"content": "fused", "pixel_skip": True}))
    f_m = torch.randn(5, 16)
    wanted = model(model.read(pictures[:1]), f_m)
    made = list(FaceAnimator(model, pictures[:1], torch.float32, batch=2).syntheses(f_m))
    assert [len(one.mask) for one in made] == [2, 2, 1]
    for name in ("picture", "painted", "flow", "mask"):
        whole = torch.cat([getattr(one, name) for one in made])
        torch.testing.assert_close(whole, getattr(wanted, name), atol=2e-5, rtol=1e-5)


@torch.no_grad()
def test_one_picture_leaves_nothing_behind(make, pictures):
    model = make(tiny())
    animator = FaceAnimator(model, pictures[:1], torch.float32)
    f_m = torch.randn(1, 16)
    first = animator.render(f_m)
    assert torch.equal(animator.render(f_m), first)


@torch.no_grad()
def test_frames_are_the_pictures_in_eight_bits(model, pictures):
    animator = FaceAnimator(model, pictures[:1], torch.float32, batch=2)
    f_m = torch.randn(5, 16)
    frames = list(animator.frames(f_m))
    wanted = ((animator.render(f_m).clamp(-1, 1) + 1) * 127.5).round()
    assert len(frames) == 5
    assert frames[0].dtype == np.uint8
    assert frames[0].shape == (32, 32, 3)
    np.testing.assert_array_equal(frames[3], wanted[3].permute(1, 2, 0).numpy())


def test_nothing_of_the_fast_path_reaches_training(model, pictures):
    animator = FaceAnimator(model, pictures[:1], torch.float32)
    frames = animator.frames(torch.randn(3, 16))
    next(frames)
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()
    source = model.read(pictures)
    (model(source, animator.source.parts.f_m.expand(4, -1)).picture).mean().backward()
    assert model.extractor.dictionary.weight.grad is not None


def test_same_bytes_twice(model, pictures):
    f_m = torch.randn(3, 16)
    first, second = (FaceAnimator(model, pictures[:1]).render(f_m) for _ in range(2))
    assert torch.equal(first, second)

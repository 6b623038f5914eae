"""What motion leaves in f_id, and how a face is seen."""

import json

import numpy as np
import pytest
import torch
from made_faces import PEOPLE, write_faces

from facevox.core.checkpoint import load_card, load_checkpoint, save_checkpoint
from facevox.core.errors import DataError
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.lia.motion import Parts
from facevox.models.face.ttsf.talking_head import TalkingHead, tiny
from facevox.recipes.ttsf_identity import (
    Views,
    agreement,
    cross_validated,
    fit_leftover,
    fit_seen,
    refit,
)

STYLE, MOTION, PEOPLE_MADE, EACH = 12, 4, 30, 6


@pytest.fixture(scope="module")
def made():
    """Views whose f_id is who somebody is plus a linear leftover of the motion."""
    generator = np.random.default_rng(0)
    person = np.repeat(np.array([f"p{k:02}" for k in range(PEOPLE_MADE)]), EACH)
    who = np.repeat(3 * generator.standard_normal((PEOPLE_MADE, STYLE)), EACH, 0)
    alpha = generator.standard_normal((len(person), MOTION))
    leftover = generator.standard_normal((STYLE, MOTION))
    return Views(f_id=who + alpha @ leftover.T, alpha=alpha, person=person), leftover, who


def test_what_motion_leaves_is_found(made):
    views, leftover, who = made
    found, explained = fit_leftover(views)
    assert np.allclose(found, leftover, atol=0.02)
    assert explained > 0.999
    unit = who / np.linalg.norm(who, axis=1, keepdims=True) * STYLE**0.5
    assert np.allclose(views.identity(leftover), unit)


def test_identity_is_that_of_the_talking_head(made):
    torch.manual_seed(0)
    head = TalkingHead(tiny())
    style, motion = head.leftover.shape
    leftover = torch.randn(style, motion)
    head.leftover.data.copy_(leftover)
    f_id, alpha = torch.randn(3, style), torch.randn(3, motion)
    wanted = head.identity(Parts(f_id=f_id, f_m=f_id, alpha=alpha)).detach().numpy()
    numbers = (x.double().numpy() for x in (f_id, alpha, leftover))
    views = Views(f_id=next(numbers), alpha=next(numbers), person=np.array(["a", "b", "c"]))
    assert np.allclose(views.identity(next(numbers)), wanted, atol=1e-5)


def test_a_linear_look_is_read_off_people_left_out(made):
    views, leftover, _ = made
    identity = views.identity(leftover)
    traits = identity @ np.random.default_rng(1).standard_normal((5, STYLE)).T + 0.3
    weights = views.weights()
    reading = fit_seen(identity, traits, weights, 1e-9)
    assert np.allclose(reading(identity), traits, atol=1e-5)
    found = agreement(cross_validated(views, identity, traits, 1e-6), traits, weights)
    assert min(found.values()) > 0.97


def test_people_count_alike_however_many_pictures():
    views = Views(
        f_id=np.ones((4, 2)), alpha=np.ones((4, 1)), person=np.array(["a", "b", "b", "b"])
    )
    assert views.weights().tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])
    with pytest.raises(DataError, match="nobody is seen to move"):
        fit_leftover(views)


def write_head(folder):
    torch.manual_seed(0)
    generator = FaceGenerator(tiny().generator)
    folder.mkdir()
    card = {"config": tiny().generator.model_dump(mode="json"), "data": "blobs"}
    save_checkpoint(folder / "generator.safetensors", generator.state_dict(), card)
    save_checkpoint(folder / "mouth.safetensors", {"x": np.ones(2, np.float32)}, card)
    return folder


def test_the_parts_are_written_beside_a_copy_of_the_rest(tmp_path):
    faces = write_faces(tmp_path / "faces")
    looks = {name: [1.0 - 2 * (k % 2), 0.1 * k, 0, 0, 0] for k, name in enumerate(PEOPLE)}
    (faces / "people.json").write_text(json.dumps(looks))
    head, said = write_head(tmp_path / "head"), []
    refit(head, faces, tmp_path / "out", said.append)
    shapes = {name: value.shape for name, value in TalkingHead(tiny()).seen.state_dict().items()}
    load_checkpoint(tmp_path / "out" / "seen.safetensors", shapes)
    load_checkpoint(tmp_path / "out" / "leftover.safetensors", {"leftover": (32, 12)})
    assert (tmp_path / "out" / "mouth.safetensors").exists()
    card = load_card(tmp_path / "out" / "seen.safetensors")
    assert card["data"] == "blobs"
    assert {"explained", "ridge", "people left out"} <= set(card["results"])
    # one held-out person is too few to correlate anything
    assert said[-1].startswith("people.json tells nothing")


def test_looks_must_be_known(tmp_path):
    faces = write_faces(tmp_path / "faces")
    with pytest.raises(DataError, match=r"people\.json tells the look of fewer than two"):
        refit(write_head(tmp_path / "head"), faces, tmp_path / "out", lambda _: None)

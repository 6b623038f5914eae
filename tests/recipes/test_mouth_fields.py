"""What a generator lacks at the mouth is found, and written beside the other parts."""

import numpy as np
import pytest
import torch

from facevox.core.checkpoint import load_card, load_checkpoint, save_checkpoint
from facevox.core.errors import ConfigError, DataError, InputError
from facevox.data.portraits import HELD_OUT, LabelledPortrait
from facevox.models.face.lia.generator import FaceGenerator
from facevox.models.face.lia.synthesis import Synthesis
from facevox.models.face.ttsf.codes import MouthCode
from facevox.models.face.ttsf.talking_head import tiny
from facevox.recipes.growing import load_generator
from facevox.recipes.mouth_fields import FieldSums, Speaker, in_window, lacking, refit
from facevox.recipes.spoken_photos import Photos, Spoken

LIP_GAP, SIDE, STEPS = 6, 64, 15
PLACE = torch.tensor([0.0, 0.375, 0.25])


def photo(path, person):
    return LabelledPortrait(path=path, person=person, source="canada", female=True, age=30.0)


def sizes(**changes):
    channels = {side: 4 for side in (4, 8, 16, 32, 64)}
    return tiny().generator.model_copy(update={"size": SIDE, "channels": channels, **changes})


def write_head(folder, **changes):
    torch.manual_seed(0)
    config = sizes(**changes)
    folder.mkdir()
    card = {"config": config.model_dump(mode="json"), "kind": "face-generator"}
    for name, part in (
        ("generator", FaceGenerator(config)),
        ("mouth", MouthCode(config.style_dim)),
    ):
        save_checkpoint(folder / f"{name}.safetensors", part.state_dict(), card)
    return folder


def write_pool(folder, last=0.4):
    pool = np.zeros((16, 9), np.float32)
    pool[:, LIP_GAP] = np.linspace(0, last, 16)
    (folder / "acted").mkdir(parents=True, exist_ok=True)
    np.save(folder / "acted" / "mouths.npy", pool)
    return folder


def test_fields_that_are_linear_are_found():
    generator = np.random.default_rng(0)
    true = generator.standard_normal((STEPS, 6, 5, 5))
    sums = FieldSums()
    for _ in range(4):
        steps = generator.standard_normal((12, STEPS))
        sums.add(steps, np.tensordot(steps, true, (1, 0)))
    assert np.allclose(sums.solve(np.full(STEPS, 1e-6)), true, atol=1e-4)
    assert np.abs(sums.solve(np.full(STEPS, 1e9))).max() < 1e-3
    with pytest.raises(DataError, match="None of the photos can be used"):
        FieldSums().solve(np.ones(STEPS))


def plain(count=2):
    """Pictures of one colour that come from where they are."""
    line = (torch.arange(SIDE) + 0.5) * (2 / SIDE) - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    origin = torch.stack([x, y], -1).expand(count, -1, -1, -1)
    source = torch.full((1, 3, SIDE, SIDE), 0.2)
    return Spoken(
        source=source,
        target=source.expand(count, -1, -1, -1),
        origin=origin,
        mouth=torch.zeros(count, 9),
        place=PLACE,
    )


def test_what_is_right_lacks_nothing_and_what_is_missing_is_told():
    spoken = plain()
    mask = torch.full((2, 1, SIDE, SIDE), 0.985)
    made = Synthesis(picture=spoken.target, painted=spoken.target, flow=spoken.origin, mask=mask)
    lack = lacking(spoken, made)
    assert lack.abs().max() < 0.05
    shifted = Synthesis(
        picture=spoken.target,
        painted=spoken.target - 0.5,
        flow=spoken.origin - 0.1,
        mask=torch.full_like(mask, 0.05),
    )
    lack = lacking(spoken, shifted)
    assert torch.allclose(lack[:, :2], torch.full_like(lack[:, :2], 0.1), atol=1e-6)
    assert bool((lack[:, 2] > 0.2).all())
    assert torch.allclose(lack[:, 3:], torch.full_like(lack[:, 3:], 0.5), atol=1e-6)


def test_the_window_lies_on_the_mouth_and_fades():
    layers = torch.zeros(1, 1, SIDE, SIDE)
    layers[..., round((1.375 / 2) * SIDE), SIDE // 2] = 1.0
    seen = in_window(layers, PLACE)[0, 0]
    assert seen.max() > 0.3
    row, column = np.unravel_index(int(seen.argmax()), seen.shape)
    assert abs(row - 32) <= 6
    assert abs(column - 32) <= 6
    ones = in_window(torch.ones_like(layers), PLACE)[0, 0]
    assert ones[32, 32] == 1.0
    assert max(ones[0].max(), ones[:, -1].max()) < 0.02


def test_fitted_fields_bring_the_mouth_nearer(astronaut_file, tmp_path):
    head, faces = write_head(tmp_path / "head"), write_pool(tmp_path / "faces")
    rows = [
        photo(astronaut_file, "canada-001"),
        photo(astronaut_file, "canada-002"),
        photo(tmp_path / "none.jpg", "canada-003"),
        photo(astronaut_file, min(HELD_OUT)),
    ]
    said, out = [], tmp_path / "out"
    refit(head, rows, faces, out, said.append)
    assert said[0].startswith("canada-003 is left out")
    fields = load_generator(out / "generator.safetensors").synthesis.mean_flow
    assert fields.mouth_fields.abs().max() > 0.01
    assert not fields.fields[:9, 2:].any()
    results = load_card(out / "generator.safetensors")["mouth_fields"]["held-out people"]
    assert results["picture"]["fitted"] < 0.9 * results["picture"]["without"]
    assert results["displacement"]["error"] < 0.8 * results["displacement"]["without"]
    mouths = [load_checkpoint(folder / "mouth.safetensors") for folder in (head, out)]
    assert all(np.array_equal(mouths[0][name], mouths[1][name]) for name in mouths[0])
    before, after = (load_checkpoint(f / "generator.safetensors") for f in (head, out))
    same = {name for name in before if np.array_equal(before[name], after[name])}
    assert set(before) - same == {"synthesis.mean_flow.mouth_fields"}


def test_bad_input_is_refused_in_a_sentence(tmp_path):
    faces = write_pool(tmp_path / "faces")
    head = write_head(tmp_path / "head")
    with pytest.raises(InputError, match="is the folder of the head itself"):
        refit(head, [], faces, head, print)
    with pytest.raises(DataError, match=r"mouths\.npy cannot be read"):
        refit(head, [], tmp_path, tmp_path / "out", print)
    with pytest.raises(DataError, match="None of the photos can be used"):
        refit(head, [], faces, tmp_path / "out", print)
    with pytest.raises(DataError, match="No mouth of the pool is open"):
        refit(head, [], write_pool(tmp_path / "shut", last=0.1), tmp_path / "out", print)
    still = write_head(tmp_path / "still", mean_flow=False)
    with pytest.raises(ConfigError, match="has no mean flows"):
        refit(still, [], faces, tmp_path / "out", print)
    with pytest.raises(ConfigError, match="it has no mean flows"):
        Speaker(FaceGenerator(sizes(mean_flow=False)), MouthCode(32), "it")
    assert Photos([], np.ones((2, 9), np.float32), SIDE, print)

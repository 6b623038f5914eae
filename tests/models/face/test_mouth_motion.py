import numpy as np
import pytest

from facevox.core.errors import CheckpointError
from facevox.core.speech import PHONES, Phone
from facevox.models.face.mouth_motion import GAP_KNEE, GAP_LIMIT, MouthMotion, soft_limit
from facevox.models.face.mouth_network import (
    CONTEXT,
    NUM_OUTPUTS,
    initial_weights,
    mouth_network,
    weight_shapes,
)
from facevox.models.face.phone_features import (
    NUM_FEATURES,
    TABLE,
    TRAITS,
    loudness,
    phone_features,
)


@pytest.fixture(scope="module")
def model():
    return MouthMotion.load()


def outputs(model, phones):
    hops = (np.arange(-CONTEXT, 200 + CONTEXT) / 100).astype(np.float32)
    return mouth_network(phone_features(phones, hops), model.weights)


def between(name, length=0.12):
    return [
        Phone(name="pau", start=0.0, end=0.5),
        Phone(name="t", start=0.5, end=0.6),
        Phone(name=name, start=0.6, end=0.6 + length, stress=1),
        Phone(name="t", start=0.6 + length, end=0.7 + length),
        Phone(name="pau", start=0.7 + length, end=2.0),
    ]


def test_every_phone_has_traits_between_0_and_1():
    assert set(PHONES) < set(TABLE)
    rows = np.array([row for pair in TABLE.values() for row in pair])
    assert rows.shape[1] == len(TRAITS)
    assert rows.min() >= 0
    assert rows.max() <= 1


def test_different_phones_differ_unless_lips_cannot_tell():
    rows = {name: np.concatenate(pair).tobytes() for name, pair in TABLE.items()}
    assert len(set(rows.values())) == len(rows)


def test_features_describe_the_phone_at_each_instant():
    times = np.array([-1, 0.55, 0.66, 1.9, 5.0], np.float32)
    rows = phone_features(between("oy"), times, np.ones(5, np.float32))
    assert rows.shape == (5, NUM_FEATURES)
    silence, rounded = TRAITS.index("silence"), TRAITS.index("round")
    np.testing.assert_array_equal(rows[:, silence], [1, 0, 0, 1, 1])
    assert 0 < rows[2, rounded] < 0.7
    assert not phone_features([], times)[:, 1 : len(TRAITS)].any()


def test_loudness_ignores_the_recording_level():
    sound = np.random.default_rng(0).normal(size=16_000).astype(np.float32)
    sound[:8000] *= 0.1
    times = np.arange(0.05, 0.95, 0.01).astype(np.float32)
    one, ten = loudness(sound, 16_000, times), loudness(10 * sound, 16_000, times)
    np.testing.assert_allclose(one, ten, atol=1e-3)
    assert one[:30].mean() < one[-30:].mean() - 0.4
    assert not loudness(np.zeros(0, np.float32), 16_000, times).any()


def test_numpy_and_torch_run_the_same_network():
    import torch

    weights = initial_weights(0)
    assert {name: value.shape for name, value in weights.items()} == weight_shapes()
    features = np.random.default_rng(0).normal(size=(2, 30 + 2 * CONTEXT, NUM_FEATURES))
    features = features.astype(np.float32)
    by_numpy = mouth_network(features, weights)
    by_torch = mouth_network(
        torch.from_numpy(features), {name: torch.from_numpy(v) for name, v in weights.items()}
    )
    assert by_numpy.shape == (2, 30, NUM_OUTPUTS)
    np.testing.assert_allclose(by_numpy, by_torch.numpy(), atol=1e-4)


def test_network_sees_its_context_and_no_more():
    weights = initial_weights(0)
    features = np.zeros((1 + 2 * CONTEXT, NUM_FEATURES), np.float32)
    base = mouth_network(features, weights)
    assert base.shape == (1, NUM_OUTPUTS)
    features[0] = 1.0
    assert not np.array_equal(mouth_network(features, weights), base)


def test_open_vowels_open_wider_than_rounded_ones(model):
    times = np.arange(0, 2, 0.01)
    peak = {}
    for name in ("aa", "ae", "uw", "w"):
        phones = between(name)
        rows = outputs(model, phones).astype(np.float64)
        peak[name] = model.obey(rows, phones, times, 0.04).lip_gap[61:71].mean()
    assert min(peak["aa"], peak["ae"]) > 1.3 * max(peak["uw"], peak["w"])


def test_phones_that_grid_lacks_behave_like_their_relatives(model):
    for rare, relative in (("zh", "jh"), ("sh", "ch"), ("ng", "n"), ("uh", "uw")):
        one, other = outputs(model, between(rare))[40:90], outputs(model, between(relative))[40:90]
        assert np.corrcoef(one[:, -1], other[:, -1])[0, 1] > 0.7
    opening = outputs(model, between("oy", 0.2))[60:85, -1]
    assert opening.max() > 1.0


def test_gap_is_limited_softly():
    gap = np.linspace(0, 3, 1000)
    limited = soft_limit(gap)
    assert (np.diff(limited) >= 0).all()
    assert limited.max() <= GAP_LIMIT
    np.testing.assert_array_equal(limited[gap < GAP_KNEE], gap[gap < GAP_KNEE])
    assert soft_limit(gap, 1.4).max() > 1.3 * limited.max()


def test_mouth_and_gap_agree_outside_closures(model):
    phones = [*between("aa")[:3], Phone(name="pau", start=0.72, end=2.0)]
    times = np.arange(0, 2, 0.04)
    rows = np.random.default_rng(0).normal(size=(50, 7)) * 0.5 + 0.5
    track = model.obey(rows, phones, times, 0.04)
    np.testing.assert_allclose(model.basis.gap(track.mouth), track.lip_gap, atol=1e-5)


def test_special_channels_follow_their_phones(model):
    rows, times = np.ones((50, 7)), np.arange(50) * 0.04
    for name, channel in (("th", "tongue"), ("l", "tongue"), ("f", "lip_roll"), ("v", "lip_roll")):
        track = model.obey(rows, between(name), times, 0.04)
        assert getattr(track, channel)[15:19].max() > 0.7
    assert model.obey(rows, between("f"), times, 0.04).lip_gap[16:18].min() < 0.035
    assert not model.obey(rows, between("k"), times, 0.04).lip_roll.any()


def test_wrong_weights_are_refused(tmp_path, model):
    from facevox.core.checkpoint import save_checkpoint

    weights = dict(model.weights)
    del weights["gain"]
    with pytest.raises(CheckpointError, match="missing gain"):
        MouthMotion.load(save_checkpoint(tmp_path / "x.safetensors", weights, {}))

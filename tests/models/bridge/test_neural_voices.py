from itertools import pairwise

import numpy as np
import pytest

from facevox.core.errors import CheckpointError, InputError
from facevox.core.voice import Voice
from facevox.models.bridge.neural_voices import NeuralVoices
from facevox.models.bridge.perception import Perceived
from facevox.models.bridge.voice_space import VoiceSpace


@pytest.fixture(scope="module")
def space():
    return VoiceSpace.load()


@pytest.fixture(scope="module")
def fitting(space):
    def make(female=0.5, age=30.0, **build):
        seen = Perceived(female=female, age=age, age_sigma=5.0, **build)
        return NeuralVoices(perceived=seen, space=space)

    return make


def test_a_seed_is_a_voice(fitting):
    voices = fitting(0.9)
    assert voices.draw(3) == voices.draw(3)
    assert voices.draw(3).embedding() @ voices.draw(4).embedding() < 0.9
    assert voices.draw(3).seed == 3
    assert voices.mean() == voices.mean()


@pytest.mark.parametrize("seed", [-1, True])
def test_a_bad_seed_is_refused(fitting, seed):
    with pytest.raises(InputError, match="seed"):
        fitting().draw(seed)


@pytest.mark.parametrize("female", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("age", [4.0, 10.0, 30.0, 90.0])
def test_every_draw_can_be_kept_and_is_nobody(fitting, space, female, age):
    for seed in range(10):
        voice = fitting(female, age, breadth=2.5, length=-2.5).draw(seed)
        assert Voice.from_dict(voice.to_dict()) == voice
        assert voice.engine == "matcha"
        assert space.nearest(voice.embedding()) <= space.limit + 0.005
        assert 0.78 <= voice.vocal_tract <= 1.1


def test_men_women_and_children_get_their_voices(fitting):
    man = [fitting(0.02, 35.0).draw(seed) for seed in range(40)]
    woman = [fitting(0.98, 35.0).draw(seed) for seed in range(40)]
    child = [fitting(0.1, 7.0).draw(seed) for seed in range(20)]
    assert 95 < np.mean([voice.f0_mean for voice in man]) < 130
    assert 180 < np.mean([voice.f0_mean for voice in woman]) < 225
    assert min(voice.f0_mean for voice in child) > 200
    assert {voice.vocal_tract for voice in man + woman} == {1.0}
    assert max(voice.vocal_tract for voice in child) < 0.94
    center = [np.mean([one.embedding() for one in group], 0) for group in (man, woman, child)]
    assert center[2] @ center[1] > center[2] @ center[0]


def test_build_moves_the_voice(fitting):
    slight, broad = fitting(0.02, breadth=-2.0).draw(5), fitting(0.02, breadth=2.0).draw(5)
    assert broad.f0_mean < slight.f0_mean
    near = fitting(0.02, breadth=-1.9).draw(5)
    assert slight.embedding() @ near.embedding() > 0.99
    assert slight.embedding() @ broad.embedding() < 0.8


def test_the_place_moves_smoothly_with_sex(fitting):
    steps = [fitting(float(female)).draw(1).embedding() for female in np.linspace(0, 1, 21)]
    cosines = [float(one @ two) for one, two in pairwise(steps)]
    assert min(cosines) > 0.9
    assert steps[0] @ steps[-1] < 0.8


def test_a_card_that_does_not_fit(tmp_path):
    (tmp_path / "voice_space.json").write_text('{"config": {"dims": 3}}')
    with pytest.raises(CheckpointError, match="does not fit"):
        VoiceSpace.load(tmp_path / "voice_space.safetensors")

import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.core.voice import Voice
from facevox.models.bridge.perception import Perceived
from facevox.models.bridge.voice_distribution import BASES, VoiceDistribution


def fitting(female=0.5, age=30.0, **build):
    seen = Perceived(female=female, age=age, age_sigma=5.0, **build)
    return VoiceDistribution(perceived=seen)


def test_a_seed_is_a_voice():
    voices = fitting(0.9)
    assert voices.draw(3) == voices.draw(3)
    assert voices.draw(3) != voices.draw(4)
    assert voices.draw(3).seed == 3
    assert voices.mean() == voices.mean()


@pytest.mark.parametrize("seed", [-1, True])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(InputError, match="seed"):
        fitting().draw(seed)


@pytest.mark.parametrize("female", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("age", [4.0, 10.0, 30.0, 90.0])
def test_every_draw_can_be_understood_and_kept(female, age):
    bases = {base.name: base for base in BASES}
    for seed in range(40):
        voice = fitting(female, age, breadth=2.5, length=-2.5).draw(seed)
        base = bases[voice.base]
        assert base.f0_mean[0] <= voice.f0_mean <= base.f0_mean[1]
        assert base.vocal_tract[0] <= voice.vocal_tract <= base.vocal_tract[1]
        assert 0.85 <= voice.rate <= 1.2
        assert Voice.from_dict(voice.to_dict()) == voice


def test_men_women_and_children_get_their_voices():
    man = [fitting(0.02, 35.0).draw(seed) for seed in range(60)]
    woman = [fitting(0.98, 35.0).draw(seed) for seed in range(60)]
    child = [fitting(0.5, 7.0).draw(seed) for seed in range(20)]
    assert {voice.base for voice in man} <= {"rms", "awb"}
    assert np.mean([voice.base == "slt" for voice in woman]) > 0.4
    assert 95 < np.mean([voice.f0_mean for voice in man]) < 130
    assert 180 < np.mean([voice.f0_mean for voice in woman]) < 225
    assert {voice.base for voice in child} == {"rms"}
    assert min(voice.f0_mean for voice in child) > 215


def test_the_weights_of_the_bases_are_chances():
    for female in np.linspace(0, 1, 11):
        for length in (-3.0, 0.0, 3.0):
            weights = fitting(float(female), length=length).base_weights()
            assert sum(weights.values()) == pytest.approx(1)
            assert min(weights.values()) >= 0


def test_the_draws_of_a_face_spread_audibly_but_stay_near():
    pitches = np.log2([v.f0_mean for v in (fitting(0.02).draw(s) for s in range(100))]) * 12
    assert 0.7 < pitches.std() < 2.0


def test_build_moves_the_voice():
    slight, broad = fitting(0.02, breadth=-2.0).mean(), fitting(0.02, breadth=2.0).mean()
    assert broad.f0_mean < slight.f0_mean
    assert broad.vocal_tract > slight.vocal_tract

import pytest

from facevox.models.bridge.voice_norms import usual_voice


def test_men_speak_lower_than_women_with_a_longer_tract():
    man, woman = usual_voice(0.0, 30.0), usual_voice(1.0, 30.0)
    assert 105 < man.f0_mean < 125
    assert 195 < woman.f0_mean < 215
    assert woman.vocal_tract / man.vocal_tract == pytest.approx(0.87, abs=0.03)


def test_between_man_and_woman_the_voice_is_between():
    man, middle, woman = (usual_voice(female, 30.0) for female in (0.0, 0.5, 1.0))
    assert man.f0_mean < middle.f0_mean < woman.f0_mean
    assert man.vocal_tract > middle.vocal_tract > woman.vocal_tract


def test_age_follows_the_literature():
    assert usual_voice(1.0, 75.0).f0_mean < usual_voice(1.0, 25.0).f0_mean - 15
    assert usual_voice(0.0, 80.0).f0_mean > usual_voice(0.0, 45.0).f0_mean + 15
    assert usual_voice(0.0, 78.0).rate < usual_voice(0.0, 25.0).rate
    assert usual_voice(0.0, 7.0).f0_mean == pytest.approx(usual_voice(1.0, 7.0).f0_mean, rel=0.05)


def test_impossible_ages_are_held():
    assert usual_voice(0.3, -5.0) == usual_voice(0.3, 4.0)
    assert usual_voice(0.3, 500.0) == usual_voice(0.3, 90.0)

import numpy as np
import pytest

from facevox.models.face.head_motion import LIMITS, breath, head_bumps, head_drift, head_pose
from facevox.models.face.prosody import Accent, Pause, Prosody

TIMES = np.arange(0, 600, 0.04)


def sentence(rising=False):
    return Prosody(
        accents=tuple(Accent(time=0.1 + 0.5 * i, strength=0.6, word=i) for i in range(6)),
        pauses=(Pause(start=3.2, end=3.6),),
        speech_end=3.2,
        rising=rising,
    )


@pytest.fixture(scope="module")
def bumps():
    return [bump for i in range(160) for bump in head_bumps(0, sentence(), 3.6 * i)]


def test_amplitude_is_natural_and_nothing_drifts(bumps):
    pose = head_pose(0, TIMES, bumps, 1.0)
    np.testing.assert_allclose(pose.std(0), [1.2, 0.9, 0.7], rtol=0.25)
    assert np.abs(pose.mean(0)).max() < 0.6
    thirds = np.array([part.mean(0) for part in np.array_split(pose, 3)])
    assert np.ptp(thirds, axis=0).max() < 0.6


def test_spectrum_is_slow_and_free_of_jitter(bumps):
    pose = head_pose(0, TIMES, bumps, 1.0)
    power = (np.abs(np.fft.rfft(pose * np.hanning(len(pose))[:, None], axis=0)) ** 2).sum(1)
    frequency = np.fft.rfftfreq(len(pose), 0.04)
    total = power[frequency > 0.02].sum()
    assert power[(frequency > 0.02) & (frequency < 1)].sum() > 0.6 * total
    assert power[(frequency > 1) & (frequency < 4)].sum() > 0.02 * total
    assert power[frequency > 6].sum() < 1e-4 * total


def test_limits_hold_at_any_strength(bumps):
    pose = head_pose(0, TIMES, bumps, 3.0)
    assert (np.abs(pose).max(0) < LIMITS).all()
    assert not head_pose(0, TIMES, bumps, 0.0).any()


def test_video_starts_as_the_photo():
    pose = head_pose(0, TIMES, [], 1.0)
    assert np.abs(pose[0]).max() == 0
    assert np.abs(np.diff(pose[:4], axis=0)).max() < 0.01
    assert breath(0, TIMES, [], 1.0)[0] == 0


def test_bumps_start_after_their_sentence_and_nods_go_down():
    for offset in (0.0, 7.3):
        bumps = head_bumps(5, sentence(), offset)
        assert min(centre - half for centre, half, _ in bumps) >= offset - 1e-9
        nods = [heights[1] for _, _, heights in bumps if heights[0]]
        assert len(nods) >= 2
        assert min(nods) > 0


def test_questions_end_with_a_raise():
    end = head_bumps(0, sentence(), 0.0)[-2]
    question = head_bumps(0, sentence(rising=True), 0.0)[-2]
    assert end[2][1] > 0 > question[2][1]


def test_drift_is_a_function_of_time():
    whole = head_drift(4, TIMES)
    assert np.concatenate([head_drift(4, p) for p in np.array_split(TIMES, 7)]).tobytes() == (
        whole.tobytes()
    )


def test_breath_stays_in_range_and_has_its_rate(bumps):
    rise = breath(0, TIMES, bumps, 1.0)
    assert rise.min() >= 0
    assert rise.max() <= 1
    assert breath(0, TIMES, bumps, 3.0).max() <= 1
    quiet = breath(0, TIMES, [], 1.0)
    power = np.abs(np.fft.rfft(quiet - quiet.mean())) ** 2
    peak = np.fft.rfftfreq(len(quiet), 0.04)[power.argmax()]
    assert 0.2 <= peak <= 0.3

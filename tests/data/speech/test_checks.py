import numpy as np
import pytest
from made_speech import babble
from scipy.signal import butter, sosfilt

from facevox.core.errors import DataError
from facevox.core.waveform import resample
from facevox.data.speech.alignment import Segment
from facevox.data.speech.checks import (
    check_alignment,
    fault_of_sound,
    fault_of_voice,
    measure_sound,
)
from facevox.data.speech.settings import PrepareSettings
from facevox.models.speech.pitch_track import pitch_track

SETTINGS = PrepareSettings()


def reason(waveform):
    fault = fault_of_sound(measure_sound(waveform.astype(np.float32)), SETTINGS)
    return fault and fault[0]


def test_good_speech_has_no_fault():
    facts = measure_sound(babble())
    assert fault_of_sound(facts, SETTINGS) is None
    assert facts.snr > 40
    assert facts.bandwidth > 7000
    assert facts.clipped == 0


def test_faults_are_named():
    speech = babble()
    noise = np.random.default_rng(1).standard_normal(len(speech))
    assert reason(np.zeros(16_000)) == "silent"
    assert reason(1e-5 * speech) == "silent"
    assert reason(np.clip(30 * speech, -1, 1)) == "clipped"
    assert reason(speech + 0.03 * noise) == "noisy"
    telephone = resample(resample(speech, 16_000, 8000), 8000, 16_000)
    assert reason(telephone) == "narrow band"


def test_bandwidth_is_that_of_the_filter():
    for corner in (3400, 5500):
        low = butter(16, corner, fs=16_000, output="sos")
        facts = measure_sound(sosfilt(low, babble()).astype(np.float32))
        assert corner - 300 < facts.bandwidth < corner + 1500


def test_noise_and_music_are_no_speech():
    time = np.arange(32_000) / 16_000
    chord = sum(np.sin(2 * np.pi * f * time) for f in (220, 440, 660))
    noise = np.random.default_rng(0).standard_normal(32_000)
    for waveform, message in ((chord, "as in music"), (noise, "as in noise")):
        waveform = (0.1 * waveform).astype(np.float32)
        f0 = pitch_track(waveform, 16_000, 200)
        assert message in fault_of_voice(f0, measure_sound(waveform).change)
    speech = babble(2.0)
    f0 = pitch_track(speech, 16_000, len(speech) // 160)
    assert fault_of_voice(f0, measure_sound(speech).change) is None


def phones(durations, fits=None):
    start = np.cumsum([0, *durations])
    fits = fits or [-15.0] * len(durations)
    return [
        Segment(symbol="ah0", word=k, start=int(a), end=int(a) + d, fit=f)
        for k, (a, d, f) in enumerate(zip(start, durations, fits, strict=False))
    ]


@pytest.mark.parametrize(
    ("spoken", "message"),
    [
        (phones([8] * 30, [-50.0] * 30), "words are not those"),
        (phones([8] * 60, [-15.0] * 40 + [-95.0] * 10 + [-15.0] * 10), "Some words"),
        (phones([3] * 15 + [9] * 15), "50% of the phones"),
        (phones([8] * 20 + [140]), "lasts 1.40 s"),
        (phones([60] * 9), "phones per second"),
    ],
)
def test_impossible_alignments_are_refused(spoken, message):
    with pytest.raises(DataError, match=message):
        check_alignment(spoken, SETTINGS)


def test_a_good_alignment_passes():
    assert check_alignment(phones([8, 3, 12, 7] * 10), SETTINGS) == -15.0

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from facevox.core.errors import InputError
from facevox.evaluation.clip import Clip
from facevox.evaluation.judges.store import Judges
from facevox.evaluation.judges.world import World, WorldAnalysis, load_world
from facevox.evaluation.media import ClipMedia
from facevox.evaluation.metric import Metric, Seen
from facevox.evaluation.metrics.f0_error import F0RootMeanSquare, f0_error
from facevox.evaluation.metrics.mel_cepstral_distortion import (
    ALPHA,
    DECIBELS,
    MelCepstralDistortion,
    frequency_warping,
    mel_cepstral_distortion,
    mel_cepstrum,
    pair_frames,
    trim_silence,
)

ANGLES = np.pi * np.arange(513) / 512
BENT = ANGLES + 2 * np.arctan(ALPHA * np.sin(ANGLES) / (1 - ALPHA * np.cos(ANGLES)))
SMOOTH = np.exp(
    3 * np.cos(ANGLES) + np.cos(3 * ANGLES) + 0.3 * np.cos(40 * ANGLES) + 0.2 * np.cos(7 * ANGLES)
)
BY_PYSPTK = [
    2.70819366, 1.45648910, -0.165769219, 0.222495896, -0.181216907, 0.213137444, -0.194250303,
    0.120927223, -0.0493160794, 0.0101889049, -0.00125322216, 0.00804052146, -0.0163434792,
    0.0254437768, -0.0172162888, 0.0375597972, 0.0121240348, 0.0586945946, 0.0412620470,
    0.0410890348, -0.00649850413, -0.0309103790, -0.0296415809, 0.0112557179, 0.0310321433,
]  # fmt: skip
"""pysptk 1.0.1: sp2mc(SMOOTH * exp(2 * standard_normal(1)), 24, 0.42), generator seeded with 3."""


class TestMelCepstrum:
    def test_it_equals_pysptk(self):
        level = np.exp(2 * np.random.default_rng(3).standard_normal(1))
        assert mel_cepstrum((SMOOTH * level)[None])[0] == pytest.approx(BY_PYSPTK, abs=1e-7)

    def test_gain_moves_only_c0(self):
        plain, loud = mel_cepstrum(np.stack((SMOOTH, 100 * SMOOTH)))
        assert loud[0] - plain[0] == pytest.approx(np.log(10))
        assert loud[1:] == pytest.approx(plain[1:], abs=1e-12)

    def test_a_cosine_on_the_bent_axis_is_one_coefficient(self):
        (found,) = mel_cepstrum(np.exp(2 * 0.1 * np.cos(5 * BENT))[None])
        assert found[5] == pytest.approx(0.1, abs=1e-6)
        assert np.abs(np.delete(found, 5)).max() < 1e-6

    def test_without_bending_it_is_the_cepstrum(self):
        assert np.array_equal(frequency_warping(9, 4, 0.0), np.eye(5, 9))

    def test_a_spectrum_with_zeros_stays_finite(self):
        assert np.isfinite(mel_cepstrum(np.zeros((2, 513)))).all()


class FakeWorld:
    """Makes an envelope and a pitch out of every tenth sample."""

    def analyse(self, waveform):
        values = waveform[::10, None].astype(np.float64)
        envelope = SMOOTH * np.exp(values * np.cos(BENT) + values**2 * np.cos(2 * BENT))
        return WorldAnalysis(np.full(len(values), 100.0), envelope)


def wave(count=4000):
    return np.sin(np.arange(count) / 40).astype(np.float32)


class TestDistortion:
    def test_a_known_shift_has_the_closed_form(self):
        envelopes = [SMOOTH * np.exp(2 * shift * np.cos(3 * BENT)) for shift in (0.0, 0.25)]
        first, second = mel_cepstrum(np.stack(envelopes))[:, 1:]
        found = mel_cepstral_distortion(np.array([np.linalg.norm(first - second)]))
        assert found == pytest.approx(10 * np.sqrt(2) / np.log(10) * 0.25, abs=1e-6)
        assert pytest.approx(6.14185, abs=1e-5) == DECIBELS

    def test_a_sound_is_at_no_distance_from_itself(self):
        paired = pair_frames(wave(), wave(), FakeWorld())
        assert mel_cepstral_distortion(paired.distances) == 0
        assert (paired.path[:, 0] == paired.path[:, 1]).all()

    def test_time_warping_absorbs_a_stretch(self):
        stretched = np.repeat(wave().reshape(-1, 10), 2, axis=0).reshape(-1)
        paired = pair_frames(wave(), stretched, FakeWorld())
        assert mel_cepstral_distortion(paired.distances) < 1e-9

    def test_too_little_speech_is_refused(self):
        with pytest.raises(InputError, match="tenth of a second"):
            pair_frames(wave(150), wave(), FakeWorld())


class TestTrimming:
    def test_silent_ends_go_and_pauses_stay(self):
        loud, silent = wave(3200), wave(6400) * np.float32(1e-3)
        speech = np.concatenate((loud, silent, loud))
        kept = trim_silence(np.concatenate((silent, speech, silent)))
        assert len(speech) <= len(kept) <= len(speech) + 320  # a click where the silence begins
        assert np.array_equal(kept[: len(speech)], speech)

    def test_it_does_not_depend_on_gain(self):
        sound = np.concatenate((wave(6400) * np.float32(1e-3), wave(3300)))
        assert len(trim_silence(sound)) == 3300
        assert len(trim_silence(sound * np.float32(0.01))) == 3300

    def test_rumble_is_no_speech(self):
        rumble = np.sin(2 * np.pi * 30 * np.arange(16_000) / 16_000).astype(np.float32)
        hiss = np.random.default_rng(0).standard_normal(3200).astype(np.float32)
        sound = rumble * np.float32(0.3)
        sound[6400:9600] += hiss * np.float32(0.5)
        assert 3200 <= len(trim_silence(sound)) <= 3520

    def test_short_sound_stays(self):
        assert len(trim_silence(wave(100))) == 100


def media_of(tmp_path, world, says_text=True, reference=Path("r.mp4")):
    judges = Judges(tmp_path)
    judges.put("world", world)
    clip = Clip(
        name="a", video=Path("a.mp4"), text="Hello", reference=reference,
        reference_says_text=says_text,
    )  # fmt: skip
    return ClipMedia(clip, judges)


class TestMetrics:
    def test_both_metrics_share_one_analysis(self, tmp_path, monkeypatch):
        monkeypatch.setattr(ClipMedia, "waveform", lambda self, rate=16_000: wave())
        asked = []

        class Counting(FakeWorld):
            def analyse(self, waveform):
                asked.append(len(waveform))
                return super().analyse(waveform)

        media = media_of(tmp_path, Counting())
        for metric in (MelCepstralDistortion(), F0RootMeanSquare()):
            assert isinstance(metric, Metric)
            seen = [Seen(media.clip, metric.observe(media))]
            results = metric.summarise(seen)
            assert set(results) == {figure.name for figure in metric.figures}
            assert all(result.value == 0 for result in results.values())
        assert len(asked) == 2

    def test_without_a_recording_of_the_text_there_is_no_number(self, tmp_path):
        with pytest.raises(InputError, match="no recording"):
            MelCepstralDistortion().observe(media_of(tmp_path, FakeWorld(), reference=None))
        with pytest.raises(InputError, match="another text"):
            F0RootMeanSquare().observe(media_of(tmp_path, FakeWorld(), says_text=False))


@pytest.fixture(scope="module")
def world():
    if find_spec("pyworld") is None:
        pytest.skip("pyworld is not installed")
    return load_world()


class TestWorld:
    @staticmethod
    def tone(f0, seconds=0.8):
        times = np.arange(int(seconds * 16_000)) / 16_000
        parts = [np.sin(2 * np.pi * f0 * k * times + k) / k for k in range(1, int(7000 / f0))]
        return (0.1 * np.sum(parts, axis=0)).astype(np.float32)

    def test_gain_does_not_matter(self, world):
        sound = self.tone(120) + np.random.default_rng(0).standard_normal(12_800).astype(
            np.float32
        ) * np.float32(0.01)
        paired = pair_frames(sound * np.float32(0.25), sound, world)
        assert mel_cepstral_distortion(paired.distances) < 1e-3

    def test_two_tones_differ_by_their_pitch(self, world):
        paired = pair_frames(self.tone(150), self.tone(120), world)
        error = f0_error(paired.f0, paired.recorded_f0, paired.path)
        assert error.hertz == pytest.approx(30, abs=1.0)
        assert error.cents == pytest.approx(1200 * np.log2(1.25), abs=12)

    def test_it_is_world(self, world):
        found = world.analyse(self.tone(200, 0.3))
        assert isinstance(world, World)
        assert found.envelope.shape == (len(found.f0), 513)
        assert len(found.f0) == 61
        assert np.median(found.f0) == pytest.approx(200, abs=1)

import numpy as np
import pytest

from facevox.core.errors import ConfigError, MediaError
from facevox.core.waveform import (
    active_level,
    fade_edges,
    normalise_level,
    read_waveform,
    resample,
    soft_limit,
    tilt_spectrum,
    write_waveform,
)

RATE = 24_000


def tone(frequency=440.0, seconds=0.5, amplitude=0.5, rate=RATE):
    times = np.arange(int(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_write_and_read_back(tmp_path, suffix):
    path = write_waveform(tmp_path / f"a{suffix}", tone(), RATE)
    waveform, rate = read_waveform(path)
    assert rate == RATE
    np.testing.assert_allclose(waveform, tone(), atol=1 / 32767)


def test_reading_mixes_channels_and_resamples(tmp_path):
    import soundfile

    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.column_stack([tone(), np.zeros_like(tone())]), RATE)
    waveform, rate = read_waveform(path, 16_000)
    assert rate == 16_000
    assert len(waveform) == 8_000
    assert np.abs(waveform).max() == pytest.approx(0.25, abs=0.02)


def test_bad_files_are_sentences(tmp_path):
    with pytest.raises(MediaError, match="There is no sound file"):
        read_waveform(tmp_path / "absent.wav")
    (tmp_path / "text.wav").write_text("not sound")
    with pytest.raises(MediaError, match="not a sound file"):
        read_waveform(tmp_path / "text.wav")
    with pytest.raises(MediaError, match="holds no sound"):
        read_waveform(write_waveform(tmp_path / "empty.wav", np.zeros(0, np.float32), RATE))
    with pytest.raises(MediaError, match=r"\.wav or \.flac"):
        write_waveform(tmp_path / "a.xyz", tone(), RATE)
    with pytest.raises(MediaError, match="does not exist"):
        write_waveform(tmp_path / "no" / "a.wav", tone(), RATE)
    assert {path.name for path in tmp_path.iterdir()} == {"text.wav", "empty.wav"}


def test_resampling_keeps_pitch_and_length():
    result = resample(tone(), RATE, 16_000)
    assert len(result) == 8_000
    peak = np.argmax(np.abs(np.fft.rfft(result))) * 16_000 / len(result)
    assert peak == pytest.approx(440, abs=3)
    assert resample(tone(), RATE, RATE) is not None
    with pytest.raises(ConfigError):
        resample(tone(), 0, RATE)


def test_active_level_ignores_pauses():
    alone = active_level(tone(), RATE)
    assert alone == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.05)
    padded = np.concatenate([np.zeros(RATE, np.float32), tone(), np.zeros(RATE, np.float32)])
    assert active_level(padded, RATE) == pytest.approx(alone, abs=0.2)
    assert active_level(np.zeros(100, np.float32), RATE) == float("-inf")
    assert active_level(np.zeros(0, np.float32), RATE) == float("-inf")


def test_normalise_level_reaches_the_level_and_keeps_silence():
    assert active_level(normalise_level(tone(), RATE, -20.0), RATE) == pytest.approx(-20, abs=0.05)
    assert not normalise_level(np.zeros(100, np.float32), RATE).any()


def test_normalise_level_never_clips():
    clicks = np.zeros(RATE, np.float32)
    clicks[::1000] = 1.0
    assert np.abs(normalise_level(clicks, RATE, -6.0)).max() <= 1.0


def test_soft_limit_is_monotone_and_leaves_small_samples():
    ramp = np.linspace(-4, 4, 1001, dtype=np.float32)
    bent = soft_limit(ramp, knee=0.8)
    assert (np.diff(bent) >= 0).all()
    assert np.abs(bent).max() <= 1.0
    small = np.abs(ramp) <= 0.8
    np.testing.assert_array_equal(bent[small], ramp[small])


@pytest.mark.parametrize("decibels", [-12.0, -3.0, 6.0, 12.0])
def test_tilt_has_the_asked_gain_at_4_khz(decibels):
    def gain(frequency):
        sound = tone(frequency, amplitude=0.1)
        return 20 * np.log10(tilt_spectrum(sound, RATE, decibels)[2000:].std() / sound[2000:].std())

    assert gain(4000) == pytest.approx(decibels, abs=0.1)
    assert gain(60) == pytest.approx(0, abs=0.6)


def test_tilt_is_undone_by_its_opposite():
    sound = tone()
    np.testing.assert_allclose(
        tilt_spectrum(tilt_spectrum(sound, RATE, 9.0), RATE, -9.0), sound, atol=1e-4
    )


def test_fades_start_and_end_near_zero():
    faded = fade_edges(np.ones(1000, np.float32), 100, 200)
    assert faded[0] < 0.001
    assert faded[-1] < 0.001
    assert (faded[100:800] == 1).all()
    assert len(fade_edges(np.ones(3, np.float32), 10)) == 3

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from facevox.core.speech import SILENCE, Phone
from facevox.data.grid import GridClip, TimedWord
from facevox.evaluation.media import read_frames, read_sound
from facevox.recipes.offline_sync import words_as_filmed, write_late_pictures

RATE = 16_000


@pytest.fixture
def video(tmp_path) -> Path:
    """A second of pictures that grow brighter, and a click after half a second."""
    path = tmp_path / "clip.mp4"
    sound = np.zeros(RATE, np.float32)
    sound[RATE // 2 :] = 0.5
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        for number in range(25):
            pixels = np.full((64, 64, 3), 10 * number, np.uint8)
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(pictures.encode(None))
        frame = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        frame.rate = RATE
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def test_late_pictures_hear_the_sound_earlier(video, tmp_path):
    late = write_late_pictures(video, 5, tmp_path / "late.mp4")
    clicks = []
    for path in (video, late):
        waveform, rate = read_sound(path)
        clicks.append(np.flatnonzero(np.abs(waveform) > 0.25)[0] / rate)
    assert clicks[0] - clicks[1] == pytest.approx(float(5 / Fraction(25)), abs=0.005)
    assert sum(1 for _ in read_frames(late)) == 25


def test_phones_are_stretched_into_the_words():
    phones = tuple(
        Phone(name=name, start=start, end=end, word=word)
        for name, start, end, word in [
            (SILENCE, 0.0, 0.5, -1),
            ("b", 0.5, 0.6, 0),
            ("iy", 0.6, 0.8, 0),
            ("t", 0.8, 1.0, 1),
            (SILENCE, 1.0, 1.5, -1),
        ]
    )
    words = (
        TimedWord(text="sil", start=0.0, end=0.4),
        TimedWord(text="b", start=0.4, end=1.0),
        TimedWord(text="t", start=1.1, end=1.2),
    )
    clip = GridClip(name="bbaf2n", video=Path("bbaf2n.mp4"), words=words)
    made = words_as_filmed(clip, phones)
    names = [(phone.name, round(phone.start, 6), round(phone.end, 6)) for phone in made]
    assert names == [
        (SILENCE, 0.0, 0.4),
        ("b", 0.4, 0.6),
        ("iy", 0.6, 1.0),
        (SILENCE, 1.0, 1.1),
        ("t", 1.1, 1.2),
        (SILENCE, 1.2, 1.5),
    ]

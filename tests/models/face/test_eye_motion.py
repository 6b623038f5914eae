import numpy as np
import pytest

from facevox.models.face.eye_motion import GAZE_LIMIT, Blinks, Gaze, brow_bumps, brows
from facevox.models.face.prosody import Accent, Pause, Prosody

LENGTH = 4.0


def sentence(rising=False):
    return Prosody(
        accents=tuple(Accent(time=0.4 + 0.6 * i, strength=0.7, word=i) for i in range(5)),
        pauses=(Pause(start=3.4, end=4.0),),
        speech_end=3.4,
        rising=rising,
    )


def eyelids(seed=0, rate=1.0, sentences=200, step=0.04):
    blinks, parts = Blinks(seed, rate), []
    for index in range(sentences):
        blinks.plan(sentence(), index * LENGTH, (index + 1) * LENGTH)
        parts.append(blinks.eyelids(np.arange(0, LENGTH, step) + index * LENGTH))
    return np.concatenate(parts)


def count(closure):
    return int(((closure[1:] > 0.5) & (closure[:-1] <= 0.5)).sum())


def test_rate_is_natural_and_follows_the_control():
    minutes = 200 * LENGTH / 60
    natural = count(eyelids()) / minutes
    assert 14 <= natural <= 23
    assert count(eyelids(rate=0.5)) / minutes == pytest.approx(natural / 2, rel=0.25)
    assert count(eyelids(rate=2.0)) / minutes > 1.6 * natural
    assert not eyelids(rate=0.0).any()


@pytest.mark.parametrize("step", [1 / 24, 1 / 25, 1 / 30, 1 / 60])
def test_every_blink_shuts_within_five_to_seven_frames(step):
    closure = eyelids(step=step)
    edges = np.flatnonzero((closure[1:] > 0.01) & (closure[:-1] <= 0.01))
    lengths, peaks = [], []
    for edge in edges[:-1]:
        run = closure[edge + 1 :]
        length = int(np.argmax(run <= 0.01))
        lengths.append(length * step)
        peaks.append(run[:length].max())
    assert np.percentile(lengths, 5) >= 0.19
    assert np.median(lengths) <= 0.30
    assert min(peaks) > 0.98


def test_lids_close_faster_than_they_open():
    closure = eyelids(step=0.005)
    change = np.diff(closure)
    assert (change > 1e-6).sum() < 0.7 * (change < -1e-6).sum()


def test_blinks_gather_in_pauses():
    closure = eyelids(step=0.04)
    starts = np.flatnonzero((closure[1:] > 0.5) & (closure[:-1] <= 0.5)) * 0.04 % LENGTH
    assert ((starts > 3.4) & (starts < 3.7)).mean() > 0.25


def test_gaze_is_small_and_returns_to_the_viewer():
    times = np.arange(0, 600, 0.04)
    gaze = Gaze(0, 1.0).angles(times)
    size = np.linalg.norm(gaze, axis=1)
    assert size.max() < 4
    assert np.abs(gaze.mean(0)).max() < 0.25
    assert 0.35 < (size < 1e-6).mean() < 0.8
    moving = np.linalg.norm(np.diff(gaze, axis=0), axis=1) > 1e-6
    assert moving.mean() < 0.15
    assert np.linalg.norm(Gaze(0, 3.0).angles(times), axis=1).max() <= GAZE_LIMIT
    assert not Gaze(0, 0.0).angles(times).any()


def test_gaze_does_not_depend_on_how_frames_are_asked_for():
    times = np.arange(0, 60, 0.04)
    whole, parts = Gaze(3, 1.0), Gaze(3, 1.0)
    pieces = [parts.angles(part) for part in np.array_split(times, 37)]
    np.testing.assert_allclose(np.concatenate(pieces), whole.angles(times), atol=1e-9)
    assert Gaze(3, 1.0).angles(np.zeros(0)).shape == (0, 2)


def test_brows_rise_on_accents_and_questions_only():
    bumps = [bump for i in range(50) for bump in brow_bumps(0, sentence(), i * LENGTH)]
    assert 30 < len(bumps) < 200
    assert min(height for _, height in bumps) > 0
    assert len(brow_bumps(0, sentence(rising=True), 0.0)) == len(brow_bumps(0, sentence(), 0.0)) + 1
    times = np.arange(0, 200, 0.04)
    assert np.abs(brows(0, times, bumps, 3.0)).max() <= 1
    assert np.abs(brows(0, times, [], 1.0)).max() < 0.25
    assert not brows(0, times, bumps, 0.0).any()

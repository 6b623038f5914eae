"""The laws of the main job, on the real system."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from facevox.core.controls import Controls
from facevox.core.errors import FacevoxError, InputError
from facevox.core.portrait.reader import read_portrait
from facevox.systems.registry import load
from facevox.systems.system import System

TEXT = "Hello there. My boat is big, Bob."
SIZE = 128


@pytest.fixture(scope="module")
def portrait(astronaut):
    return read_portrait(astronaut)


@pytest.fixture(scope="module")
def spoken(lite, portrait):
    return lite.generate(portrait, TEXT, seed=3, size=SIZE)


@pytest.fixture(scope="module")
def frames(spoken):
    return np.stack(list(spoken.frames()))


def test_it_keeps_the_contract(lite):
    assert isinstance(lite, System)
    assert lite.info().name == "lite"
    assert lite.info().parameters > 0


def test_number_of_frames_follows_the_sound(spoken, frames):
    assert len(frames) == spoken.clock.num_frames(len(spoken.waveform()))
    assert frames.shape[1:] == (spoken.size[1], spoken.size[0], 3)
    assert max(spoken.size) == SIZE


def test_chunks_tile_sound_and_picture(spoken):
    sample = frame = 0
    for chunk in spoken.chunks():
        assert (chunk.first_sample, chunk.first_frame) == (sample, frame)
        assert len(chunk.motion) == chunk.num_frames == sum(1 for _ in chunk.frames)
        sample, frame = sample + len(chunk.waveform), frame + chunk.num_frames
        assert chunk.phones[0].start == pytest.approx(
            spoken.clock.seconds(chunk.first_sample), abs=0.02
        )
    assert frame == spoken.clock.num_frames(sample)
    assert chunk.done == 1.0


def test_same_seed_same_bytes(lite, portrait, spoken, frames):
    again = lite.generate(portrait, TEXT, seed=3, size=SIZE)
    assert again.voice == spoken.voice
    assert np.array_equal(again.waveform(), spoken.waveform())
    assert np.array_equal(np.stack(list(again.frames())), frames)


def test_stream_equals_whole(lite, portrait, frames):
    streamed = [
        frame for chunk in lite.stream(portrait, TEXT, seed=3, size=SIZE) for frame in chunk.frames
    ]
    assert np.array_equal(np.stack(streamed), frames)


def test_another_seed_is_another_voice_and_another_motion(lite, portrait, spoken):
    other = lite.generate(portrait, TEXT, seed=4, size=SIZE)
    assert other.voice != spoken.voice
    mine, its = (next(face.chunks()).motion.head_pose for face in (spoken, other))
    count = min(len(mine), len(its))
    assert np.abs(mine[:count] - its[:count]).max() > 0.1


def test_a_voice_keeps_over_photos_and_files(lite, portrait, tmp_path):
    voice = lite.voices(portrait, 2)[1]
    path = voice.save(tmp_path / "voice.json")
    face = lite.generate(portrait, TEXT, seed=9, voice=path, size=SIZE)
    assert face.voice == voice
    assert np.array_equal(
        face.waveform(), lite.generate(portrait, TEXT, seed=1, voice=voice, size=SIZE).waveform()
    )


def test_voices_differ_and_the_first_is_the_default(lite, portrait, spoken):
    voices = lite.voices(portrait, 4, seed=3)
    assert voices[0] == spoken.voice
    assert len({voice.f0_mean for voice in voices}) == 4
    with pytest.raises(InputError, match="count must be at least 1"):
        lite.voices(portrait, 0)


@pytest.mark.parametrize("name", ["head", "blink", "gaze", "brows", "breath"])
def test_each_control_moves_only_its_own_channel(lite, portrait, spoken, name):
    channels = {"head": "head_pose", "blink": "eyelids", "gaze": "gaze", "brows": "brows", "breath": "breath"}  # fmt: skip
    still = lite.generate(portrait, TEXT, seed=3, size=SIZE, controls=Controls(**{name: 0.0}))
    for natural, quiet in zip(spoken.chunks(), still.chunks(), strict=True):
        for control, channel in channels.items():
            moved, now = getattr(natural.motion, channel), getattr(quiet.motion, channel)
            if control == name:
                assert not now.any()
            else:
                assert np.array_equal(moved, now), f"{name} moved {channel}"
        assert np.array_equal(natural.motion.mouth, quiet.motion.mouth)


def test_mouth_control_scales_the_opening_but_not_the_closures(lite, portrait, spoken):
    small = lite.generate(portrait, TEXT, seed=3, size=SIZE, controls=Controls(mouth=0.5))
    natural = np.concatenate([chunk.motion.lip_gap for chunk in spoken.chunks()])
    halved = np.concatenate([chunk.motion.lip_gap for chunk in small.chunks()])
    assert 0.3 < np.percentile(halved, 95) / np.percentile(natural, 95) < 0.75
    assert (halved[natural == 0] == 0).all()


@pytest.mark.parametrize("fps", [12, 24, Fraction(30000, 1001), 60])
def test_any_frame_rate(lite, portrait, fps):
    face = lite.generate(portrait, "Hi Bob.", seed=0, size=96, fps=fps, controls=Controls.still())
    count = sum(1 for _ in face.frames())
    assert count == face.clock.num_frames(len(face.waveform()))


def test_large_photos_keep_their_size_and_say_what_that_costs(lite, astronaut):
    import cv2

    large = cv2.resize(astronaut, (1700, 1700))
    face = lite.generate(large, TEXT)
    assert face.size == (1700, 1700)
    assert any("a smaller size" in warning for warning in face.warnings)
    assert not any(
        "smaller" in warning for warning in lite.generate(large, TEXT, size=256).warnings
    )


def test_the_file_is_what_was_promised(spoken, frames, tmp_path):
    saved = spoken.save(tmp_path / "a.mp4")
    with av.open(str(saved.path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == spoken.size
        assert video.frames == len(frames) == saved.num_frames
        assert sound.sample_rate == spoken.clock.sample_rate
        assert sound.duration * sound.time_base == pytest.approx(saved.seconds, abs=1e-4)
        shown = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(shown.astype(int) - frames[0]).mean() < 4


@pytest.mark.parametrize("text", ["", "   ", "...", "\U0001f600\U0001f600"])
def test_a_text_without_words_is_refused(lite, portrait, text):
    with pytest.raises(InputError):
        lite.generate(portrait, text)


def test_unknown_names_are_refused(lite, portrait):
    with pytest.raises(InputError, match="There is no system 'heavy'"):
        load("heavy")
    with pytest.raises(FacevoxError, match="fps"):
        lite.generate(portrait, TEXT, fps=1000)


def test_a_drawn_face_is_warned_about_once(lite, portrait):
    (warning,) = lite.generate(replace(portrait, drawn=True), TEXT, size=SIZE).warnings
    assert warning.startswith("The portrait looks drawn, not photographed; lite")

"""The system `ttsf` with networks that were never trained: contract, controls, paste-back."""

from fractions import Fraction

import numpy as np
import pytest
from made_engine import made_engine
from made_head import made_head

from facevox.core.checkpoint import save_checkpoint
from facevox.core.controls import Controls
from facevox.core.errors import CheckpointError
from facevox.core.portrait.reader import read_portrait
from facevox.models.bridge.face_to_voice import FaceToVoice
from facevox.models.bridge.voice_space import VoiceSpace
from facevox.models.face.ttsf.talking_head import TalkingHead, tiny
from facevox.models.speech.acoustic_features import AcousticReader
from facevox.systems.system import System
from facevox.systems.ttsf import Ttsf

TEXT = "Hello there. My boat is big, Bob."
SIZE = 128


@pytest.fixture(scope="module")
def portrait(astronaut):
    return read_portrait(astronaut)


@pytest.fixture(scope="module")
def system():
    return Ttsf(
        made_engine(),
        made_head(),
        AcousticReader.load(),
        VoiceSpace.load(),
        FaceToVoice.load(),
    )


@pytest.fixture(scope="module")
def spoken(system, portrait):
    return system.generate(portrait, TEXT, seed=3, size=SIZE)


@pytest.fixture(scope="module")
def frames(spoken):
    return np.stack(list(spoken.frames()))


def motion(face, name):
    return np.concatenate([getattr(chunk.motion, name) for chunk in face.chunks()])


def test_it_keeps_the_contract(system):
    assert isinstance(system, System)
    info = system.info()
    assert info.name == "ttsf"
    assert info.parameters > system.head.num_parameters


def test_number_of_frames_follows_the_sound(spoken, frames):
    assert len(frames) == spoken.clock.num_frames(len(spoken.waveform()))
    assert frames.shape[1:] == (spoken.size[1], spoken.size[0], 3)


def test_chunks_tile_sound_and_picture(spoken):
    sample = frame = 0
    for chunk in spoken.chunks():
        assert (chunk.first_sample, chunk.first_frame) == (sample, frame)
        assert len(chunk.motion) == chunk.num_frames == sum(1 for _ in chunk.frames)
        sample, frame = sample + len(chunk.waveform), frame + chunk.num_frames
    assert frame == spoken.clock.num_frames(sample)


def test_same_seed_same_bytes(system, portrait, spoken, frames):
    again = system.generate(portrait, TEXT, seed=3, size=SIZE)
    assert again.voice == spoken.voice
    assert np.array_equal(again.waveform(), spoken.waveform())
    assert np.array_equal(np.stack(list(again.frames())), frames)


def test_stream_equals_whole_and_the_first_sentence_does_not_know_the_second(
    system, portrait, frames
):
    streamed = [
        frame
        for chunk in system.stream(portrait, TEXT, seed=3, size=SIZE)
        for frame in chunk.frames
    ]
    assert np.array_equal(np.stack(streamed), frames)
    first = next(system.stream(portrait, "Hello there. And now another.", seed=3, size=SIZE))
    # the last two frames may hold the border between the sentences
    count = first.num_frames - 2
    assert np.array_equal(np.stack(list(first.frames))[:count], frames[:count])


def test_another_seed_moves_otherwise_with_the_same_lips(system, portrait, spoken):
    other = system.generate(portrait, TEXT, seed=4, size=SIZE, voice=spoken.voice)
    assert np.abs(motion(other, "head_pose") - motion(spoken, "head_pose")).max() > 0.01
    assert np.array_equal(motion(other, "lip_gap"), motion(spoken, "lip_gap"))


@pytest.mark.parametrize(
    ("control", "channel"),
    [
        ("head", "head_pose"),
        ("blink", "eyelids"),
        ("gaze", "gaze"),
        ("brows", "brows"),
        ("breath", "breath"),
    ],
)
def test_each_control_stills_its_own_motion_and_no_other(
    system, portrait, spoken, control, channel
):
    still = system.generate(portrait, TEXT, seed=3, size=SIZE, controls=Controls(**{control: 0.0}))
    assert np.abs(motion(still, channel)).max() < 1e-3
    for other in {"head_pose", "gaze", "brows", "lip_gap"} - {channel}:
        assert np.abs(motion(still, other) - motion(spoken, other)).max() < 1e-2


def test_mouth_and_expression_are_scaled(system, portrait, spoken):
    shut = system.generate(portrait, TEXT, seed=3, size=SIZE, controls=Controls(mouth=0.0))
    assert np.abs(motion(shut, "mouth")).max() < 1e-3
    smiling = system.generate(portrait, TEXT, seed=3, size=SIZE, controls=Controls(expression=0.7))
    gained = motion(smiling, "smile") - motion(spoken, "smile")
    assert gained == pytest.approx(0.7, abs=1e-2)


def test_pixels_outside_the_view_are_the_photos_own(system, portrait, frames):
    from facevox.models.face.lia.view import view_of
    from facevox.models.face.warp.stage import output_photo

    photo = output_photo(portrait.pixels, SIZE)
    factor = photo.shape[1] / portrait.pixels.shape[1]
    view = view_of((portrait.landmarks * factor).astype(np.float32))
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    outside = np.hypot(x - view.center[0], y - view.center[1]) > view.size * 0.75
    assert outside.mean() > 0.02
    assert (frames[:, outside] == photo[outside]).all()
    assert (frames != photo).any()


@pytest.mark.parametrize("fps", [12, Fraction(30000, 1001), 50])
def test_any_frame_rate(system, portrait, fps):
    face = system.generate(portrait, "Hi Bob. And you?", seed=0, size=96, fps=fps)
    assert sum(1 for _ in face.frames()) == face.clock.num_frames(len(face.waveform()))


def test_a_voice_of_another_engine_moves_the_lips_too(system, lite, portrait):
    voice = lite.voices(portrait)[0]
    face = system.generate(portrait, "Hello Bob.", voice=voice, size=96)
    assert sum(1 for _ in face.frames()) == face.clock.num_frames(len(face.waveform()))


def test_the_voice_follows_the_identity(system, portrait):
    one, two = system.voices(portrait, 2, seed=5)
    assert one != two
    assert system.voices(portrait, 1, seed=5)[0] == one


def test_a_turned_head_is_warned_about(system, portrait):
    from dataclasses import replace

    turned = replace(portrait, head_pose=(22.0, 0.0, 0.0))
    (warning,) = system.generate(turned, TEXT, size=SIZE).warnings
    assert "22 degrees" in warning


def test_weights_are_kept_bit_by_bit_and_others_are_refused(tmp_path):
    head = made_head()
    path = tmp_path / "talking_head.safetensors"
    card = {"config": head.config.model_dump(mode="json")}
    save_checkpoint(path, head.state_dict(), card)
    again = TalkingHead.load(path).state_dict()
    assert all(again[name].equal(value) for name, value in head.state_dict().items())
    state = head.state_dict()
    state.pop("mouth.linear.bias")
    save_checkpoint(path, state, card)
    with pytest.raises(CheckpointError, match=r"missing mouth\.linear\.bias"):
        TalkingHead.load(path)
    save_checkpoint(path, head.state_dict(), {"config": {}})
    with pytest.raises(CheckpointError, match="does not fit"):
        TalkingHead.load(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError):
        TalkingHead.load(path)


def test_a_photo_that_had_to_be_upturned_is_still_warned_about(system, portrait):
    from dataclasses import replace

    upturned = "The photo was turned clockwise by 90 degrees, so that the face is upright."
    turned = replace(portrait, head_pose=(22.0, 0.0, 0.0), warnings=(upturned,))
    assert len(system.generate(turned, TEXT, size=SIZE).warnings) == 2


def test_a_drawn_face_is_warned_about_once(system, portrait):
    from dataclasses import replace

    (warning,) = system.generate(replace(portrait, drawn=True), TEXT, size=SIZE).warnings
    assert warning.startswith("The portrait looks drawn, not photographed; ttsf")


def test_a_mapper_without_energy_and_text_drives_the_lips_too(system, portrait):
    config = tiny()
    mapper = config.mapper.model_copy(update={"energy": False, "text": False})
    head = TalkingHead(config.model_copy(update={"mapper": mapper}))
    ablated = Ttsf(system.speech, head, system.reader, system.space, system.bridge)
    face = ablated.generate(portrait, "Hi.", size=64)
    assert np.isfinite(motion(face, "lip_gap")).all()

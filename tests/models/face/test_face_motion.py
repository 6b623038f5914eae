from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest

from facevox.core.controls import Controls
from facevox.core.motion import Motion
from facevox.core.speech import Phone, Speech
from facevox.models.face.face_motion import FaceMotion

RATE = 16_000
CHANNELS = [field.name for field in fields(Motion) if field.name != "fps"]
EYES = ("eyelids", "gaze")
MOUTH = ("mouth", "lip_gap", "tongue", "lip_roll")


def make_speech(words, seed=0, pause=0.4):
    """A buzz with phones of 70 ms; vowels carry a stress digit."""
    phones, time = [Phone(name="pau", start=0.0, end=0.05)], 0.05
    for index, word in enumerate(words.split("|")):
        for name in word.split():
            stress = int(name[-1]) if name[-1].isdigit() else 0
            length = 0.11 if stress else 0.07
            name = name.rstrip("012")
            phones.append(
                Phone(name=name, start=time, end=time + length, stress=stress, word=index)
            )
            time += length
    phones.append(Phone(name="pau", start=time, end=time + pause))
    total = round((time + pause) * RATE)
    noise = np.random.default_rng(seed).normal(size=total).astype(np.float32) * 0.1
    noise[round(time * RATE) :] = 0
    f0 = np.full(int(total / RATE * 100) + 1, 120.0, np.float32)
    f0 += 20 * np.sin(np.arange(len(f0)) / 20).astype(np.float32)
    return Speech(waveform=noise, sample_rate=RATE, phones=tuple(phones), f0=f0)


SENTENCES = [
    make_speech("m ay1|m ah1 dh er|m ey1 d|b ih1 g|p ay1|f ao1 r|b aa1 b", 1),
    make_speech("jh oy1|m eh1 zh er d|dh ax|v ih1 zh ax n", 2),
    make_speech("p l iy1 z|s t aa1 p|w uw1|th ih1 ng k", 3, pause=0.7),
] * 3


@pytest.fixture(scope="module")
def model():
    return FaceMotion.load()


def run(model, seed=0, controls=None, fps=Fraction(25), sentences=SENTENCES, splits=1):
    """Drive whole sentences; `splits` > 1 asks for each sentence's frames by one stream anew."""
    stream = model.start(seed, controls, fps)
    offset, frame, parts = 0.0, 0, []
    for speech in sentences:
        count = round((offset + speech.duration) * fps) - frame
        parts.append(stream.advance(speech, frame, count, offset))
        offset, frame = offset + speech.duration, frame + count
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in CHANNELS}


def test_same_seed_same_bytes_and_another_seed_differs(model):
    one, two, other = run(model), run(model), run(model, seed=1)
    for name in CHANNELS:
        assert one[name].tobytes() == two[name].tobytes()
    for name in ("head_pose", "eyelids", "gaze", "breath"):
        assert not np.array_equal(one[name], other[name])
    for name in MOUTH:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(
    ("control", "channels"),
    [
        ("mouth", MOUTH),
        ("head", ("head_pose",)),
        ("blink", ("eyelids",)),
        ("gaze", ("gaze",)),
        ("brows", ("brows",)),
        ("breath", ("breath",)),
        ("expression", ("smile",)),
    ],
)
def test_each_control_moves_its_own_channels_only(model, control, channels):
    base, off, more = (
        run(model),
        run(model, controls=Controls(**{control: 0.0})),
        run(model, controls=Controls(**{control: 1.0 if control == "expression" else 1.6})),
    )
    for name in CHANNELS:
        if name in channels:
            assert not off[name].any()
            assert np.abs(more[name]).mean() > np.abs(base[name]).mean() * 0.99
        else:
            np.testing.assert_array_equal(base[name], off[name])
            np.testing.assert_array_equal(base[name], more[name])


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_lips_touch_for_every_bilabial_at_any_rate(model, fps):
    gap = run(model, fps=fps)["lip_gap"]
    offset = 0.0
    for speech in SENTENCES:
        for phone in speech.phones:
            if phone.name in "pbm":
                start, end = offset + phone.start - 0.02, offset + phone.end + 0.02
                inside = gap[int(np.ceil(start * fps)) : int(end * fps) + 1]
                assert inside.min() == 0.0
        offset += speech.duration
    assert gap.max() > 0.12


def test_closures_survive_a_strong_mouth(model):
    calm, strong = run(model), run(model, controls=Controls(mouth=2.0))
    np.testing.assert_array_equal(strong["lip_gap"][calm["lip_gap"] == 0], 0)
    assert calm["lip_gap"].max() < 0.31
    assert 1.15 * calm["lip_gap"].max() < strong["lip_gap"].max() < 0.45


def test_rest_in_long_pauses(model):
    motion = run(model)
    offset = 0.0
    for speech in SENTENCES:
        pause = speech.phones[-1]
        rows = slice(
            int(np.ceil((offset + pause.start + 0.16) * 25)), int((offset + pause.end) * 25)
        )
        assert not motion["lip_gap"][rows].any()
        assert not motion["mouth"][rows].any()
        offset += speech.duration


def test_no_jump_at_the_seams(model):
    motion = run(model, fps=Fraction(100))
    seams = np.cumsum([speech.duration for speech in SENTENCES])[:-1]
    limits = {"head_pose": 0.25, "breath": 0.05, "brows": 0.08, "lip_gap": 0.05}
    for name, limit in limits.items():
        steps = np.abs(np.diff(motion[name], axis=0)).reshape(len(motion[name]) - 1, -1).max(1)
        for seam in seams:
            assert steps[int(seam * 100) - 3 : int(seam * 100) + 3].max() < limit


def test_unspoken_sentence_keeps_the_head_alive(model):
    silence = Speech(
        waveform=np.zeros(RATE, np.float32),
        sample_rate=RATE,
        phones=(Phone(name="pau", start=0.0, end=1.0),),
        f0=np.zeros(101, np.float32),
    )
    motion = run(model, sentences=[silence] * 10)
    assert not motion["lip_gap"].any()
    assert motion["head_pose"].std() > 0.2
    assert motion["eyelids"].max() > 0.9


def test_memory_stays_constant(model):
    stream = model.start(0)
    offset, frame = 0.0, 0
    for index in range(120):
        speech = SENTENCES[index % 3]
        count = round((offset + speech.duration) * 25) - frame
        stream.advance(speech, frame, count, offset)
        offset, frame = offset + speech.duration, frame + count
    assert len(stream._head) < 40
    assert len(stream._brows) < 20
    assert len(stream._blinks._starts) < 12


def test_a_sentence_may_fall_between_two_frames(model):
    stream = model.start(0, fps=Fraction(1))
    motion = stream.advance(SENTENCES[0], 0, 0, 0.0)
    assert len(motion) == 0
    assert len(stream.advance(SENTENCES[1], 0, 3, SENTENCES[0].duration)) == 3


def test_a_hundred_frames_take_little_time(model):
    import time

    stream = model.start(0)
    stream.advance(SENTENCES[0], 0, 1, 0.0)
    started = time.process_time()
    stream.advance(SENTENCES[0], 0, 50, 0.0)
    assert (time.process_time() - started) / 50 < 0.003

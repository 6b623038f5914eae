"""The weights of `ttsf` in the package: what is true of the face that users see."""

import numpy as np
import pytest

from facevox.core.checkpoint import TTSF_WEIGHTS, load_card
from facevox.core.controls import Controls
from facevox.core.motion import Motion
from facevox.core.portrait.reader import read_portrait
from facevox.models.face.warp.renderer import WarpRenderer
from facevox.systems.registry import load

TEXT = "Papa bought five boats."


@pytest.fixture(scope="module")
def portrait(astronaut):
    return read_portrait(astronaut)


@pytest.fixture(scope="module")
def system():
    return load("ttsf")


@pytest.fixture(scope="module")
def renderer(system, portrait):
    return system.renderer(portrait, 384)


def show(renderer, **channels):
    values = {name: np.array([value], np.float32) for name, value in channels.items()}
    return next(renderer.frames(Motion.rest(1).with_channels(**values))).astype(int)


@pytest.mark.parametrize("name", ["talking_head", "close_up_mouth", "close_up_eyes"])
def test_the_cards_say_where_they_come_from(name):
    path = TTSF_WEIGHTS / f"{name}.safetensors"
    card = load_card(path)
    assert card["licence"] == "Apache-2.0"
    assert {"data", "command", "hours", "hardware", "results"} <= card.keys()
    assert path.stat().st_size < 30e6


def test_lips_close_on_p_and_b_and_open_on_vowels(system, portrait):
    face = system.generate(portrait, TEXT, seed=0, size=128)
    phones = face.alignment()
    gap = np.concatenate([chunk.motion.lip_gap for chunk in face.chunks()])
    times = (np.arange(len(gap)) + 0.5) / 25

    def near(names):
        wanted = [p for p in phones if p.name in names]
        spans = [(times >= p.start - 0.03) & (times <= p.end + 0.03) for p in wanted]
        return spans

    assert all(gap[span].min() < 0.03 for span in near(("p", "b")))
    assert max(gap[span].max() for span in near(("aa", "ao", "ay"))) > 0.08


def test_at_rest_the_pixels_are_nearly_the_photos_own(renderer, portrait):
    photo = next(WarpRenderer(portrait, size=384).frames(Motion.rest(1))).astype(int)
    assert np.abs(show(renderer) - photo).mean() < 2.0


def test_a_turn_of_the_head_moves_the_nose_that_way(renderer):
    left, right = (show(renderer, head_pose=(yaw, 0, 0)) for yaw in (-10.0, 10.0))
    noses = [read_portrait(frame.astype(np.uint8)).head_pose[0] for frame in (left, right)]
    assert noses[1] - noses[0] > 8.0


def test_lids_and_mouth_move_where_they_are(renderer, portrait):
    factor = 384 / max(portrait.pixels.shape[:2])
    eyes = portrait.landmarks[[468, 473], :2].mean(0) * factor
    mouth = portrait.landmarks[[13, 14], :2].mean(0) * factor
    half = int(0.35 * portrait.iod * factor)

    def change(frame, place):
        x, y = place.astype(int)
        box = slice(y - half, y + half), slice(x - 2 * half, x + 2 * half)
        return np.abs(frame - show(renderer))[box].mean()

    shut, wide = show(renderer, eyelids=1.0), show(renderer, lip_gap=0.2)
    assert change(shut, eyes) > 2 * change(shut, mouth)
    assert change(wide, mouth) > 2 * change(wide, eyes)


def test_a_still_head_holds_still(system, portrait):
    face = system.generate(portrait, TEXT, seed=1, size=128, controls=Controls(head=0.0))
    pose = np.concatenate([chunk.motion.head_pose for chunk in face.chunks()])
    assert np.abs(pose).max() < 0.1


def test_the_model_that_speaks_drives_the_lips(system):
    from facevox.core.text.reader import read_sentences
    from facevox.models.speech.acoustic_features import AcousticReader

    voice = system.speech.base_voice("bass")
    speech = system.speech.speak(next(read_sentences(TEXT)), voice)
    own, apart = system.reader(speech), AcousticReader.load()(speech)
    assert own.joined().equal(apart.joined())


@pytest.mark.parametrize(
    ("channel", "points"),
    [("lip_gap", (13, 14)), ("eyelids", (159, 145))],
)
def test_mouth_and_eyes_are_those_of_the_renderer_they_were_learned_from(
    renderer, portrait, channel, points
):
    value = {"lip_gap": 0.2, "eyelids": 1.0}[channel]
    wanted = WarpRenderer(portrait, size=384)
    rest, goal = (show(wanted, **{channel: x}) for x in (0.0, value))
    made = show(renderer, **{channel: value})
    column, row = (portrait.landmarks[list(points), :2].mean(0) * 384 / 512).round().astype(int)
    near = np.s_[row - 12 : row + 13, column - 12 : column + 13]
    away, still = (np.abs(x - goal)[near].mean() / 255 for x in (made, rest))
    assert still > 0.03
    assert away < 0.5 * still

import numpy as np
import pytest
import torch
from buzz_engine import BuzzEngine

from facevox.core.errors import DataError, InputError
from facevox.core.speech import SILENCE, Phone
from facevox.data import grid_mouth
from facevox.data.grid import FaceTrack, GridClip
from facevox.data.portraits import LabelledPortrait
from facevox.data.spoken_mouths import FILMED, read_plan, read_spoken_mouths, read_utterance
from facevox.models.face.ttsf.audio_mapper import video_lengths
from facevox.recipes import spoken_mouths
from facevox.recipes.spoken_mouths import SpokenMouths, plan_spoken, prepare, public_sentences

SENTENCES = [f"Sentence number {number}." for number in range(30)]


class Reader:
    """Features that tell how long the speech is and nothing else."""

    def __call__(self, speech):
        self.frames = max(1, round(speech.duration * 100))
        return self

    def joined(self):
        return torch.full((self.frames, 4), 0.5)


class BuzzSystem:
    def __init__(self):
        self.speech, self.asked = BuzzEngine(refuse="number 7"), []

    def voices(self, photo, count, seed):
        self.asked.append(seed)
        return [self.speech.base_voice("low")]


@pytest.fixture
def buzz(monkeypatch, tmp_path):
    system = BuzzSystem()
    photo = LabelledPortrait(
        path=tmp_path / "a.jpg", person="canada-001", source="canada", female=True, age=30.0
    )
    monkeypatch.setattr(spoken_mouths, "load", lambda name, speech: system)
    monkeypatch.setattr(spoken_mouths, "list_portraits", lambda folder: (photo,))
    monkeypatch.setattr(spoken_mouths, "public_sentences", lambda data, say: SENTENCES)
    monkeypatch.setattr(spoken_mouths.AcousticReader, "load", lambda folder: Reader())
    return system


class TestPlan:
    def test_the_same_seed_says_the_same(self):
        rows = [plan_spoken(SENTENCES, ["matcha", "flite"], 80, seed) for seed in (0, 0, 1)]
        assert rows[0] == rows[1]
        assert rows[0] != rows[2]
        assert len({row["name"] for row in rows[0]}) == 80

    def test_a_shorter_plan_is_the_beginning_of_a_longer_one(self):
        short, long = (plan_spoken(SENTENCES, ["matcha", "flite"], n, 0) for n in (20, 80))
        assert long[:20] == short

    def test_a_held_out_sentence_is_held_out_in_every_voice(self):
        rows = plan_spoken(SENTENCES, ["matcha", "flite"], 200, 0)
        held = {row["text"] for row in rows if row["held"]}
        assert len(held) == 3
        assert not held & {row["text"] for row in rows if not row["held"]}
        assert {row["kind"] for row in rows if row["held"]} == {"matcha", "flite"}

    def test_engines_take_their_shares(self):
        kinds = [row["kind"] for row in plan_spoken(SENTENCES, ["matcha", "flite"], 400, 0)]
        assert kinds.count("flite") == pytest.approx(120, abs=30)
        assert {row["kind"] for row in plan_spoken(SENTENCES, ["flite"], 9, 0)} == {"flite"}

    @pytest.mark.parametrize("engines", [["espeak"], []])
    def test_unknown_engines_are_refused(self, engines):
        with pytest.raises(InputError, match=r"espeak|nobody"):
            plan_spoken(SENTENCES, engines, 9, 0)


def test_sentences_are_public_english_short_and_never_twice(tmp_path):
    said = []
    for name, lines in {
        "one": ["a|HELLO THERE MY GOOD OLD FRIEND", "b|Two words. And two more words!"],
        "two": ["c|Hello there, my good old friend.", f"d|{'The cat and the dog ' * 5}"],
        "three": [f"e{k}|Der Hund schläft unter dem Tisch und das Kind spielt" for k in range(9)],
    }.items():
        folder = tmp_path / "speech" / name
        folder.mkdir(parents=True)
        (folder / "metadata.csv").write_text("\n".join(lines), "utf-8")
    found = public_sentences(tmp_path, said.append)
    assert "A cup of sugar makes sweet fudge." in found
    assert [text.lower() for text in found if "friend" in text.lower()] == [
        "hello there my good old friend."
    ]
    assert {"Two words.", "And two more words!"} <= set(found)
    assert not any("Hund" in text or "cat and the dog" in text for text in found)
    assert len(said) == 1
    assert "three" in said[0]


def test_speech_is_made_once_and_parts_make_the_whole(buzz, tmp_path):
    said = []
    options = {"tracks": None, "utterances": 12, "say": said.append}
    for part in ((0, 2), (1, 2)):
        prepare(tmp_path, tmp_path / "parts", part=part, **options)
    assert sum("is left out: this sentence is refused" in line for line in said) == sum(
        "number 7" in row["text"] for row in read_plan(tmp_path / "parts")["utterances"]
    )
    prepare(tmp_path, tmp_path / "whole", **options)
    count = len(buzz.speech.said)
    prepare(tmp_path, tmp_path / "whole", **options)
    assert len(buzz.speech.said) - count <= 1
    for held in (False, True):
        ones, others = (
            read_spoken_mouths(tmp_path / name, held=held) for name in ("parts", "whole")
        )
        assert [one.name for one in ones] == [one.name for one in others]
        for one, other in zip(ones, others, strict=True):
            assert np.array_equal(one.mouth, other.mouth)
            assert one.known.all()
            assert one.others is None
            frames = int(video_lengths(torch.tensor([len(one.features)]))[0])
            assert abs(len(one.mouth) - frames) <= 1


def test_a_limit_is_a_beginning(buzz, tmp_path):
    options = {"tracks": None, "utterances": 12, "say": lambda _: None}
    prepare(tmp_path, tmp_path / "try", limit=2, **options)
    assert len(list((tmp_path / "try" / "utterances").iterdir())) <= 2
    prepare(tmp_path, tmp_path / "try", **options)
    assert len(list((tmp_path / "try" / "utterances").iterdir())) >= 11
    with pytest.raises(DataError, match="begun with other data or options"):
        prepare(tmp_path, tmp_path / "try", **{**options, "utterances": 13})


def test_filmed_people_bring_mouth_and_head(astronaut_file, monkeypatch, tmp_path):
    from facevox.core.portrait.reader import read_portrait

    face = read_portrait(astronaut_file).landmarks.astype(np.float32)
    found = np.ones(40, bool)
    found[3] = False
    track = FaceTrack(landmarks=np.repeat(face[None], 40, 0), found=found)
    phones = (
        Phone(name=SILENCE, start=0.0, end=0.5),
        Phone(name="ah", start=0.5, end=1.4, stress=1, word=0),
        Phone(name=SILENCE, start=1.4, end=2.0),
    )
    clip = grid_mouth.MouthClip(
        name="bbaf2n",
        phones=phones,
        loudness=np.zeros(160, np.float32),
        mouth=np.ones((40, 6), np.float32),
        lip_gap=np.full(40, 0.1, np.float32),
        found=found,
    )
    video = GridClip(name="bbaf2n", video=tmp_path / "bbaf2n.mp4", words=())
    monkeypatch.setattr(spoken_mouths, "list_clips", lambda folder: (video,))
    monkeypatch.setattr(
        spoken_mouths, "read_mouth_clips", lambda clips, tracks, basis: ([clip], ["no lips"])
    )
    monkeypatch.setattr(spoken_mouths, "read_sound", lambda c, rate: np.zeros(48_000, np.float32))
    monkeypatch.setattr(spoken_mouths, "read_track", lambda path: track)
    (tmp_path / "utterances").mkdir()
    said = []
    rows = [{"name": "bbaf2n", "kind": FILMED, "held": False}]
    SpokenMouths(tmp_path, tmp_path, Reader(), said.append).film(rows, tmp_path)
    one = read_utterance(tmp_path, "bbaf2n", FILMED)
    assert said == ["A clip is left out: no lips", "1 of 1 clips"]
    assert one.features.shape == (160, 4)
    assert one.mouth[:, 6] == pytest.approx(np.full(40, 0.1))
    assert one.known.tolist() == found.tolist()
    assert np.abs(one.others).max() < 1e-3

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from facevox.core.errors import DataError
from facevox.core.speech import Phone
from facevox.data.grid import (
    GridClip,
    hold_out,
    list_clips,
    read_sound,
    read_track,
    read_words,
    sentence_of,
    silent_frames,
)
from facevox.data.grid_mouth import add_stress

CORPUS = Path(__file__).parents[3] / "shared" / "data" / "talking" / "grid_s1"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared/data (GRID)")


def write_clip(folder, name="bbaf2n", words="0 23750 sil\n23750 29500 bine\n29500 74500 sil\n"):
    (folder / f"{name}.mp4").write_bytes(b"no video")
    (folder / f"{name}.align").write_text(words)


def test_names_are_sentences():
    assert sentence_of("bbaf2n") == ("bin", "blue", "at", "f", "two", "now")
    assert sentence_of("swwzzs") == ("set", "white", "with", "z", "zero", "soon")
    for wrong in ("bbaf2", "bbaf2nn", "xbaf2n", "bbaw2n"):
        with pytest.raises(DataError, match="not the name"):
            sentence_of(wrong)


def test_words_are_read_in_seconds_and_spelt_by_the_name(tmp_path):
    write_clip(tmp_path)
    (clip,) = list_clips(tmp_path)
    assert [word.text for word in clip.words] == ["sil", "bin", "sil"]
    assert clip.words[1].start == 0.95
    silent = silent_frames(clip, 75)
    assert silent[0]
    assert not silent[25]


def test_bad_folders_are_explained(tmp_path):
    with pytest.raises(DataError, match="no GRID clip"):
        list_clips(tmp_path)
    (tmp_path / "bbaf2n.mp4").write_bytes(b"")
    with pytest.raises(DataError, match="word times"):
        list_clips(tmp_path)
    (tmp_path / "a.align").write_text("0 x sil\n")
    with pytest.raises(DataError, match="start, end and word"):
        read_words(tmp_path / "a.align")
    (tmp_path / "a.align").write_text("9 5 sil\n")
    with pytest.raises(DataError, match="ends before"):
        read_words(tmp_path / "a.align")
    with pytest.raises(DataError, match="face track"):
        read_track(tmp_path / "a.npz")


def test_sound_of_a_broken_video_is_an_error(tmp_path):
    write_clip(tmp_path)
    with pytest.raises(DataError, match="sound"):
        read_sound(list_clips(tmp_path)[0], 16_000)


def test_held_out_clips_stay_the_same_when_others_go():
    clips = tuple(
        GridClip(name=f"clip{i}", video=Path(f"clip{i}.mp4"), words=()) for i in range(200)
    )
    learn, test = hold_out(clips)
    assert len(learn) == 150
    assert not set(learn) & set(test)
    assert hold_out(clips[::-1])[1] == test[::-1]


def test_stress_falls_on_the_right_syllable():
    names = ("ah", "g", "eh", "n", "w", "ah", "n")
    phones = [
        Phone(name=name, start=i * 0.1, end=(i + 1) * 0.1, word=int(i > 3))
        for i, name in enumerate(names)
    ]
    marked = add_stress(phones, ("again", "one"))
    assert [phone.name for phone in marked] == ["ax", "g", "eh", "n", "w", "ah", "n"]
    assert [phone.stress for phone in marked] == [0, 0, 1, 0, 0, 1, 0]


@needs_corpus
def test_phones_fall_into_their_words():
    pytest.importorskip("pocketsphinx")
    from facevox.data.forced_alignment import PhoneAligner
    from facevox.data.grid import PRONUNCIATIONS, align_phones

    clip = list_clips(CORPUS)[0]
    sound = read_sound(clip, 16_000)
    assert abs(len(sound) / 16_000 - 3.0) < 0.05
    phones = align_phones(clip, PhoneAligner(PRONUNCIATIONS))
    spoken = [word for word in clip.words if word.text != "sil"]
    for index, word in enumerate(spoken):
        own = [phone for phone in phones if phone.word == index]
        assert abs(own[0].start - word.start) < 0.12
        assert abs(own[-1].end - word.end) < 0.12
    gaps = [b.start - a.end for a, b in pairwise(phones)]
    assert np.abs(gaps).max() < 1e-6

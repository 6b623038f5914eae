import math

import pytest

from facevox.core.errors import DataError
from facevox.data.voice_words import AGE_WORDS, SEX_WORDS, read_described_voices, word_score


@pytest.mark.parametrize(
    ("words", "scale", "score"),
    [
        (("masculine", "calm"), SEX_WORDS, -1.0),
        (("very feminine", "gender-neutral"), SEX_WORDS, 0.6),
        (("young", "adult-like"), AGE_WORDS, -0.5),
        (("slightly young", "old"), AGE_WORDS, 1.0),
        (("slightly calm", "very"), AGE_WORDS, math.nan),
    ],
)
def test_words_have_a_place_on_a_scale(words, scale, score):
    assert word_score(words, scale) == pytest.approx(score, nan_ok=True)


def corpus(folder, said):
    for listener, lines in enumerate(said, 1):
        (folder / f"voice_words_{listener}.csv").write_text("\n".join(lines) + "\n")
    for name in ("12-3-0000.ogg", "12-3-0001.ogg", "77-1-0000.ogg"):
        (folder / name).touch()


def test_speakers_get_the_mean_of_their_listeners(tmp_path):
    corpus(
        tmp_path,
        [["12|feminine,young", "77|calm"], ["12|gender-neutral, adult-like"], ["12|calm"]],
    )
    voices = read_described_voices(tmp_path)
    assert [voice.path.name for voice in voices] == ["12-3-0000.ogg", "12-3-0001.ogg"]
    assert (voices[0].speaker, voices[0].femininity, voices[0].age) == ("12", 0.5, -0.5)
    assert voices[0].ages[:2] == (-1.0, 0.0)
    assert math.isnan(voices[0].ages[2])


def test_missing_and_malformed_files_are_named(tmp_path):
    with pytest.raises(DataError, match="no sound files"):
        read_described_voices(tmp_path)
    (tmp_path / "12-3-0000.ogg").touch()
    with pytest.raises(DataError, match="voice_words_1"):
        read_described_voices(tmp_path)
    corpus(tmp_path, [["12 feminine"], [], []])
    with pytest.raises(DataError, match="line 1: expected speaker"):
        read_described_voices(tmp_path)


def test_the_shared_corpus(shared):
    voices = read_described_voices(shared / "data" / "speech" / "librispeech_train")
    assert len(voices) == 246
    assert sum(voice.femininity > 0 for voice in voices) == 121

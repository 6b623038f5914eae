from pathlib import Path

import pytest

from facevox.core.errors import DataError
from facevox.data.speech.hold_out import read_hold_out, split_utterances
from facevox.data.speech.settings import PrepareSettings
from facevox.data.speech.transcripts import read_transcripts, with_transcripts
from facevox.data.speech.utterance import Utterance


def utterance(number, text=None, speaker="a", subset=None):
    return Utterance(
        name=f"vctk_{speaker}_{number:03d}", speaker=speaker, corpus="vctk",
        sound=Path(f"{speaker}_{number:03d}.wav"), text=text, subset=subset,
    )  # fmt: skip


def names(splits, split):
    return {u.name for u in splits[split]}


def test_all_readings_of_a_held_text_are_held():
    found = [utterance(k, f"Sentence number {k}.", s) for s in "abc" for k in range(30)]
    splits = split_utterances(
        found, PrepareSettings(validation=0.3), ["a_004", "SENTENCE number 7"]
    )
    held = {f"vctk_{s}_{k:03d}" for s in "abc" for k in (4, 7)}
    assert names(splits, "test") == held
    train = {u.text for u in splits["train"]}
    validation = {u.text for u in splits["validation"]}
    assert validation
    assert not train & validation
    assert sum(map(len, splits.values())) == len(found)


def test_speakers_stay_together_when_asked():
    found = [utterance(k, f"Number {k}.", f"s{s}") for s in range(20) for k in range(5)]
    splits = split_utterances(found, PrepareSettings(validation=0.3, split_by="speaker"))
    assert splits["validation"]
    assert not {u.speaker for u in splits["train"]} & {u.speaker for u in splits["validation"]}


def test_the_corpus_own_lists_come_first():
    found = [utterance(1, "One.", subset="validation"), utterance(2, "Two.", subset="test")]
    splits = split_utterances(found, PrepareSettings(validation=0.0))
    assert [u.name[-1] for u in splits["validation"] + splits["test"]] == ["1", "2"]


def test_the_order_is_mixed_and_fixed():
    found = [utterance(k, None, s) for s in "abcd" for k in range(20)]
    settings = PrepareSettings(validation=0.0)
    order = [u.name for u in split_utterances(found, settings)["train"]]
    assert order == [u.name for u in split_utterances(found[::-1], settings)["train"]]
    assert order != sorted(order)
    other = PrepareSettings(validation=0.0, seed=1)
    assert order != [u.name for u in split_utterances(found, other)["train"]]


def test_lists_may_be_lines_or_json(tmp_path):
    (tmp_path / "a.txt").write_text("p225_001\n\nThe birch canoe.\n")
    (tmp_path / "a.json").write_text('["p225_001",\n "The birch canoe."]')
    assert read_hold_out(tmp_path / "a.txt") == read_hold_out(tmp_path / "a.json")
    for content, message in (("", "holds no names"), ("[1]", "holds no names"), ("[a", "JSON")):
        (tmp_path / "b").write_text(content)
        with pytest.raises(DataError, match=message):
            read_hold_out(tmp_path / "b")
    with pytest.raises(DataError, match="cannot be read"):
        read_hold_out(tmp_path / "c")


def test_own_texts_fill_what_the_corpus_lacks(tmp_path):
    table = tmp_path / "own.csv"
    table.write_text(
        "a_001|Hello there.\nvctk_a_002|Part of it.|medium|0.5|2.5\na_003|Unsure.|low\n"
        "a_004|Mine.|high\n"
    )
    found = [utterance(1), utterance(2), utterance(3), utterance(4, "Theirs.")]
    one, two, three, four = with_transcripts(found, read_transcripts(table))
    assert (one.text, two.text, two.span) == ("Hello there.", "Part of it.", (0.5, 2.5))
    assert three.text is None
    assert four.text == "Theirs."
    with pytest.raises(DataError, match="belongs to a recording without text"):
        with_transcripts(found[3:], read_transcripts(table))


@pytest.mark.parametrize(
    "line", ["a_001", "a|b|sure", "a|b|high|1", "a|b|high|2|1", "a|b|high|x|y", "|b", "a|b\na|c"]
)
def test_bad_tables_are_told(tmp_path, line):
    (tmp_path / "own.csv").write_text(line + "\n")
    with pytest.raises(DataError, match=r"expected lines name\|text|two lines for a"):
        read_transcripts(tmp_path / "own.csv")

import pytest

from facevox.core.errors import DataError
from facevox.data.speech.alignment import Segment
from facevox.data.speech.tokens import make_tokens
from facevox.data.speech.transcript import read_transcript, text_key


def test_pauses_are_named_by_their_punctuation():
    transcript = read_transcript("Oh, no. Is it? We go")
    spoken, frame = [], 20
    for number, word in enumerate(transcript.words):
        for phone in word.phones:
            spoken.append(Segment(symbol=phone, word=number, start=frame, end=frame + 5))
            frame += 5
        frame += 0 if word.text == "we" else 7
    frame -= 7
    tokens = make_tokens(spoken, transcript, 10, frame + 15)
    assert sum(tokens.durations) == frame + 15 - 10
    pauses = [
        (s, d)
        for s, t, d in zip(tokens.symbols, tokens.tags, tokens.durations, strict=True)
        if t == 0
    ]
    assert pauses == [("pau", 10), (",", 7), (".", 7), ("pau", 7), ("?", 7), (".", 15)]
    starts = [t for t in tokens.tags if t == 1]
    assert len(starts) == len(transcript.words)
    assert [w for w, t in zip(tokens.words, tokens.tags, strict=True) if t == 1] == list(range(6))


def test_symbols_are_those_of_the_acoustic_model():
    symbols = pytest.importorskip("facevox.models.speech.matcha.symbols")
    transcript = read_transcript("Just sing; measure the joy, why? A thin box!")
    spoken = [
        Segment(symbol=phone, word=number, start=9 * number, end=9 * number + 3)
        for number, word in enumerate(transcript.words)
        for phone in word.phones[:1]
    ]
    tokens = make_tokens(spoken, transcript, -5, 100)
    assert set(tokens.symbols) & {";", ",", "?", "!", "pau"}
    assert all(symbols.symbol_id(symbol) > 0 for symbol in tokens.symbols)
    assert {"pau": 0, ",": 0}.items() <= dict(zip(tokens.symbols, tokens.tags, strict=True)).items()


def test_a_recording_gives_the_tokens_of_its_sentence():
    """What is learnt from and what is spoken are one thing."""
    from facevox.core.text.reader import read_sentences
    from facevox.models.speech.matcha.symbols import sentence_tokens, symbol_id

    text = "Yes, Anna, did he sing?"
    transcript, (sentence,) = read_transcript(text), read_sentences(text)
    spoken, frame = [], 10
    for number, word in enumerate(transcript.words):
        for phone in word.phones:
            spoken.append(Segment(symbol=phone, word=number, start=frame, end=frame + 5))
            frame += 5
        frame += 6 if word.pause_after else 0
    tokens = make_tokens(spoken, transcript, 0, frame + 20)
    ids, tags = sentence_tokens(sentence)
    assert [symbol_id(symbol) for symbol in tokens.symbols] == ids
    assert list(tokens.tags) == tags


def test_an_unexpected_pause_is_pau_and_a_pause_not_made_is_left_out():
    transcript = read_transcript("Oh, no way")
    places = {0: 10, 1: 20, 2: 40}  # none after the comma, one where no punctuation stands
    spoken = [
        Segment(
            symbol=phone, word=number, start=places[number] + 5 * i, end=places[number] + 5 * i + 5
        )
        for number, word in enumerate(transcript.words)
        for i, phone in enumerate(word.phones)
    ]
    tokens = make_tokens(spoken, transcript, 10, spoken[-1].end)
    pauses = [s for s, w in zip(tokens.symbols, tokens.words, strict=True) if w < 0]
    assert transcript.words[0].pause_after == ","
    assert pauses == (["pau"] if len(transcript.words[0].phones) == 2 else [",", "pau"])


@pytest.mark.parametrize(
    ("text", "language", "message"),
    [
        ("Guten Tag.", "de", "in 'de'"),
        ("...", "en", "nothing to speak"),
        ("", "en", "empty"),
        ("\u4f60\u597d\u4e16\u754c", "en", "script that cannot be spoken"),
        ("Hello \u4e16\u754c and so on", "en", "another script"),
        ("der hund lief ganz schnell durch den wald und bellte dabei sehr laut umher heute", "en", "not look like English"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text, language, message):
    with pytest.raises(DataError, match=message):
        read_transcript(text, language)


def test_own_pronunciations_are_taken():
    transcript = read_transcript("lay blue at a one.", "en", (("a", "ey1"),))
    assert transcript.words[3].phones == ("ey1",)


def test_texts_compare_by_their_words():
    assert text_key("He paid $3 -- today!") == text_key("he paid three dollars, today.")
    assert text_key("\u4f60\u597d") == "\u4f60\u597d"
    assert read_transcript("He paid $3.").key == text_key("He paid $3.")

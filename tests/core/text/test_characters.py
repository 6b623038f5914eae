from facevox.core.text.characters import FOREIGN, fold


def test_accents_quotes_and_ligatures_become_ascii():
    text = "Caf\u00e9 \u201cna\u00efve\u201d \u2019tis stra\u00dfe \ufb01ne\u2026"
    assert fold(text).text == 'Cafe "naive" \'tis strasse fine...'


def test_emoji_and_invisible_characters_disappear():
    assert fold("a\U0001f600\u200d\ufe0fb\U0001f1e9\U0001f1ea").text == "ab"


def test_other_scripts_are_marked():
    assert fold("\u4f60\u597d").text == FOREIGN * 2
    assert fold("\u043f\u0440\u0438").text == FOREIGN * 3


def test_full_width_and_arabic_digits():
    assert fold("\uff11\uff12 \u0663").text == "12 3"


def test_origins_point_to_the_original():
    folded = fold("x\u00bd\U0001f600 \u201cstra\u00dfe\u201d end")
    start = folded.text.index("strasse")
    assert folded.original_between(start, start + len("strasse")) == "stra\u00dfe"
    assert folded.original_between(0, len(folded.text)) == folded.original

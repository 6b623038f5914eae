import pytest

from facevox.core.text import numbers


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("0", "zero"),
        ("21", "twenty one"),
        ("1,000,000", "one million"),
        ("007", "zero zero seven"),
        ("12345678901234567890", "one two three four five six seven eight nine zero " * 2),
    ],
)
def test_cardinal(digits, words):
    assert numbers.cardinal(digits) == words.split()


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("1999", "nineteen ninety nine"),
        ("2026", "twenty twenty six"),
        ("1900", "nineteen hundred"),
        ("1905", "nineteen oh five"),
        ("2000", "two thousand"),
        ("2005", "two thousand five"),
        ("1066", "ten sixty six"),
    ],
)
def test_year(digits, words):
    assert numbers.year(digits) == words.split()


def test_decade():
    assert numbers.decade("1990") == ["nineteen", "nineties"]
    assert numbers.decade("80") == ["eighties"]
    assert numbers.decade("2000") == ["two", "thousands"]


def test_decimal_keeps_every_digit():
    assert numbers.decimal("3.1405") == "three point one four zero five".split()


def test_fraction():
    assert numbers.fraction("1", "2") == ["one", "half"]
    assert numbers.fraction("3", "4") == ["three", "quarters"]
    assert numbers.fraction("2", "3") == ["two", "thirds"]
    assert "over" in numbers.fraction("355", "113")


def test_roman_numerals_round_trip():
    for number in range(1, 400):
        assert numbers.roman(numbers.to_roman(number)) == number
    for wrong in ("", "IIII", "VX", "IC", "MIX", "ABC"):
        assert numbers.roman(wrong) == 0

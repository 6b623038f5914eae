import itertools

import pytest

from facevox.core.text.characters import fold
from facevox.core.text.normalize import iterate_words, normalize


def say(text):
    return " ".join(word + pause for word, pause, _ in iterate_words(normalize(fold(text).text)))


CASES = {
    # numbers
    "1,234,567": "one million two hundred and thirty four thousand five hundred and sixty seven",
    "3.14": "three point one four",
    "-5 degrees": "minus five degrees",
    "1/2": "one half",
    "3 1/4 cups": "three and a quarter cups",
    "\u00bd cup": "one half cup",
    "10-20 people": "ten to twenty people",
    "10\u201320 km": "ten to twenty kilometers",
    "the 21st time": "the twenty first time",
    "version 1.2.10": "version one point two point ten",
    "1920x1080": "one thousand nine hundred and twenty by one thousand and eighty",
    "24/7": "twenty four seven",
    "#5": "number five",
    # years and dates
    "in 1999": "in nineteen ninety nine",
    "the 1990s": "the nineteen nineties",
    "the '90s": "the nineties",
    "1914-1918": "nineteen fourteen to nineteen eighteen",
    "12/05/2024": "december fifth twenty twenty four",
    "25/12/2024": "december twenty fifth twenty twenty four",
    "2024-05-12": "may twelfth twenty twenty four",
    "May 5th, 2024": "may fifth twenty twenty four",
    "on 5 May 2024": "on the fifth of may twenty twenty four",
    "the 5th of May": "the fifth of may",
    "2 may be enough": "two may be enough",
    "Jan. 3": "january third",
    "2000 people": "two thousand people",
    # times
    "3:45 pm": "three forty five P M",
    "9:05 a.m.": "nine oh five A M",
    "17:30": "seventeen thirty",
    "9:00": "nine o'clock",
    "at 10 am": "at ten A M",
    # money, percent, units
    "$3.50": "three dollars and fifty cents",
    "$1.01": "one dollar and one cent",
    "$0.99": "ninety nine cents",
    "EUR 20": "twenty euros",
    "20 GBP": "twenty pounds",
    "\u00a31.50": "one pound and fifty pence",
    "$2.5 million": "two point five million dollars",
    "\u20ac3bn": "three billion euros",
    "50%": "fifty percent",
    "5 km": "five kilometers",
    "1 km": "one kilometer",
    "a 5-km run": "a five kilometer run",
    "6 ft": "six feet",
    "20 \u00b0C": "twenty degrees celsius",
    "20 C": "twenty degrees celsius",
    "60 mph": "sixty miles per hour",
    "10k": "ten thousand",
    # phone numbers
    "555-1234": "five five five, one two three four",
    "(212) 555-0199": "two one two, five five five, zero one nine nine",
    # abbreviations, initials, acronyms
    "Dr. Li and Mrs. Wu": "doctor li and missus wu",
    "St. Paul's St.": "saint paul's street",
    "cats, dogs, etc.": "cats, dogs, et cetera",
    "e.g. this, i.e. that": "for example this, that is that",
    "us vs. them": "us versus them",
    "approx. 5": "approximately five",
    "No. 5 on p. 7": "number five on page seven",
    "no. 5 said no.": "number five said no;",
    "J. R. R. Tolkien": "J R R tolkien",
    "the U.S. and the UK": "the U S and the U K",
    "NASA": "nasa",
    "FBI, BBC": "F B I, B B C",
    "CEOs": "C E Os",
    "the EU's rules": "the E U's rules",
    "COVID-19": "covid nineteen",
    "MP3 and 5G": "M P three and five G",
    "an X-ray": "an X ray",
    "YouTube": "youtube",
    "am I": "am i",
    # Roman numerals
    "Louis XIV": "louis the fourteenth",
    "Pope John Paul II": "pope john paul the second",
    "World War II": "world war two",
    "Chapter IV": "chapter four",
    "with Elizabeth I went": "with elizabeth i went",
    # addresses
    "www.example.org/a-b": "example dot org slash A dash B",
    "bob.smith@example.com": "bob dot smith at example dot com",
    "file.txt": "file dot txt",
    # signs
    "C++ and C#": "C plus plus and C sharp",
    "p<0.05": "P less than zero point zero five",
    "x=3": "X equals three",
    "5*3": "five times three",
    "6.02e23": "six point zero two times ten to the twenty three",
    "$1,000-$2,000": "one thousand dollars to two thousand dollars",
    "10:30-11:15": "ten thirty to eleven fifteen",
    "3-4 pm": "three to four P M",
    "2023-24": "twenty twenty three to twenty four",
    "Mon-Fri": "monday to friday",
    "1.5x faster": "one point five times faster",
    ".5 miles": "zero point five miles",
    "call 911": "call nine one one",
    "in 44 BC": "in forty four B C",
    "4K TV": "four K T V",
    "Rocky IV, IV drip": "rocky four, I V drip",
    "5 min. rest": "five minutes rest",
    # symbols
    "bob & co": "bob and co",
    "3 + 4 = 7": "three plus four equals seven",
    "and/or": "and or",
    "w/o": "without",
    "*bold* _it_ `code`": "bold it code",
    "well-known": "well known",
    "it\u2019s rock 'n' roll": "it's rock N roll",
    "so (they say) it goes": "so, they say, it goes",
    "wait... what": "wait; what",
    "yes \u2014 no": "yes; no",
    "hi \U0001f600 there :-)": "hi there",
    "caf\u00e9": "cafe",
    "I LOVE THIS SHOW": "i love this show",
}


@pytest.mark.parametrize(("written", "spoken"), CASES.items(), ids=CASES.keys())
def test_reads(written, spoken):
    assert say(written) == spoken


def test_speakable_output_only():
    for written in CASES:
        for word, pause, _ in iterate_words(normalize(fold(written).text)):
            assert word.replace("'", "").isalpha()
            assert word.isascii()
            assert pause in ("", ",", ";")


def test_origins_are_in_order():
    text = fold("On 5 May 2024, Dr. Li paid $3.50 at 3:45 pm.").text
    items = normalize(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(items))

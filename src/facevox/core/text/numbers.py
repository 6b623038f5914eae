"""Numbers as words."""

from num2words import num2words

DIGITS = "zero one two three four five six seven eight nine".split()

_LONGEST_CARDINAL = 15
_FRACTIONS = {2: "half", 4: "quarter"}


def cardinal(digits: str) -> list[str]:
    """Return the words of a whole number; very long or zero-led ones digit by digit."""
    digits = digits.replace(",", "")
    if len(digits) > _LONGEST_CARDINAL or (len(digits) > 1 and digits[0] == "0"):
        return spelled_digits(digits)
    return _words(num2words(int(digits)))


def ordinal(digits: str) -> list[str]:
    """Return the words of a rank: 21 -> twenty first."""
    digits = digits.replace(",", "")
    if len(digits) > _LONGEST_CARDINAL:
        return spelled_digits(digits)
    return _words(num2words(int(digits), to="ordinal"))


def decimal(number: str) -> list[str]:
    """Return the words of a number with an optional fraction: 3.14 -> three point one four."""
    whole, _, fraction = number.partition(".")
    words = cardinal(whole) if whole else ["zero"]
    return words + (["point", *spelled_digits(fraction)] if fraction else [])


def spelled_digits(digits: str) -> list[str]:
    """Return each digit by its name."""
    return [DIGITS[int(digit)] for digit in digits if digit.isdigit()]


def year(digits: str) -> list[str]:
    """Return a year as it is read: 1999 -> nineteen ninety nine, 2005 -> two thousand five."""
    number = int(digits)
    if not 1010 <= number <= 2999 or number % 1000 < 10:
        return [word for word in cardinal(digits) if word != "and"]
    century, rest = divmod(number, 100)
    tail = ["hundred"] if rest == 0 else cardinal(str(rest))
    return cardinal(str(century)) + (["oh", *tail] if 0 < rest < 10 else tail)


def decade(digits: str) -> list[str]:
    """Return a decade: 1990 -> nineteen nineties, 90 -> nineties, 2000 -> two thousands."""
    *start, last = year(digits) if len(digits) == 4 else cardinal(digits)
    plural = last[:-1] + "ies" if last.endswith("y") else last + "s"
    return [*start, plural]


def fraction(numerator: str, denominator: str) -> list[str]:
    """Return a fraction: 3/4 -> three quarters, 7/365 -> seven over three hundred..."""
    top, bottom = int(numerator), int(denominator)
    if not (0 < top < bottom <= 20):
        return [*cardinal(numerator), "over", *cardinal(denominator)]
    *start, last = [_FRACTIONS[bottom]] if bottom in _FRACTIONS else ordinal(denominator)
    if top > 1:
        last = "halves" if last == "half" else last + "s"
    return [*cardinal(numerator), *start, last]


def roman(numeral: str) -> int:
    """Return the value of a Roman numeral, 0 if it is not a proper one."""
    values = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
    total = 0
    for letter, following in zip(numeral, numeral[1:] + " ", strict=False):
        value = values.get(letter, 0)
        total += -value if value < values.get(following, 0) else value
    return total if numeral and to_roman(total) == numeral else 0


def to_roman(number: int) -> str:
    """Return a number from 1 to 399 as a Roman numeral."""
    parts = "C:100 XC:90 L:50 XL:40 X:10 IX:9 V:5 IV:4 I:1".split()
    result = ""
    for symbol, value in (part.split(":") for part in parts):
        count, number = divmod(number, int(value))
        result += symbol * count
    return result


def _words(text: str) -> list[str]:
    return text.replace("-", " ").replace(",", " ").split()

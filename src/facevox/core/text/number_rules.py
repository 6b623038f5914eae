"""Rules for everything that starts with a digit, a sign or a currency.

Each rule is a pattern and a function from its match to spoken words.  They are
tried in order; the first that matches at a place wins.
"""

import re
from collections.abc import Callable

from facevox.core.text.abbreviations import (
    CURRENCIES,
    IRREGULAR_PLURALS,
    MONTH_NAMES,
    MONTHS,
    SCALES,
    UNITS,
)
from facevox.core.text.numbers import (
    cardinal,
    decade,
    decimal,
    fraction,
    ordinal,
    spelled_digits,
    year,
)

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], list[str] | None]]

NUMBER = r"(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
_END = r"(?![\w])"
_MONTH_WRITTEN = [form for name in MONTHS for form in (name.capitalize(), name.upper())]
MONTH = "(?P<month>" + "|".join(sorted(_MONTH_WRITTEN, key=len, reverse=True)) + r")\b\.?"
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_CODES = "|".join(re.escape(code) for code in sorted(CURRENCIES, key=len, reverse=True))
_SCALE = "|".join(sorted(SCALES, key=len, reverse=True))
_MERIDIEM = r"(?P<meridiem>[ap])\.?\s?m\b\.?"


def digit_groups(text: str) -> list[str]:
    """Return the digits of a phone number, with a comma between its groups."""
    words = ["plus"] if text.startswith("+") else []
    for index, group in enumerate(re.findall(r"\d+", text)):
        words += ([","] if index else []) + spelled_digits(group)
    return words


def date(day: str, month: int, year_digits: str | None) -> list[str] | None:
    """Return a date as Americans say it: may fifth twenty twenty four."""
    if not (1 <= month <= 12 and 1 <= int(day) <= 31):
        return None
    words = [MONTH_NAMES[month - 1], *ordinal(day.lstrip("0"))]
    return words + (_any_year(year_digits) if year_digits else [])


def clock_time(hours: str, minutes: str | None, meridiem: str | None) -> list[str] | None:
    """Return a time of day: 15:05 -> fifteen oh five."""
    if int(hours) > 24 or (minutes and int(minutes) > 59):
        return None
    words = cardinal(str(int(hours)))
    if minutes and int(minutes):
        tail = cardinal(str(int(minutes)))
        words += ["oh", *tail] if int(minutes) < 10 else tail
    elif minutes and not meridiem:
        words += ["o'clock"] if 1 <= int(hours) <= 12 else ["hundred", "hours"]
    return words + ([meridiem.upper(), "M"] if meridiem else [])


def quantity(number: str, unit: str) -> list[str]:
    """Return a number with its unit in the right number: 5 km -> five kilometers."""
    return decimal(number) + plural(UNITS[unit], number)


def plural(name: str, number: str) -> list[str]:
    """Return the words of a unit, in the plural unless the number is 1."""
    first, *rest = name.split()
    if number.replace(",", "") == "1":
        return [first, *rest]
    if rest and first in ("square", "cubic", "kilowatt", "milliamp", "canadian", "australian"):
        return [first, *plural(" ".join(rest), number)]
    if first.endswith("y"):
        return [first[:-1] + "ies", *rest]
    return [IRREGULAR_PLURALS.get(first, first + "s"), *rest]


def money(currency: str, amount: str, scale: str | None) -> list[str]:
    """Return an amount: $3.50 -> three dollars and fifty cents."""
    unit, cent = CURRENCIES[currency]
    whole, _, cents = amount.partition(".")
    if scale:
        return [*decimal(amount), SCALES[scale], *plural(unit, "2")]
    if len(cents) != 2 or not cent:
        return decimal(amount) + plural(unit, amount)
    words = cardinal(whole) + plural(unit, whole) if int(whole.replace(",", "") or 0) else []
    if int(cents):
        plural_cent = "pence" if cent == "penny" else " ".join(plural(cent, cents))
        hundredth = cent if int(cents) == 1 else plural_cent
        words += [*(["and"] if words else []), *cardinal(str(int(cents))), hundredth]
    return words or ["zero", *plural(unit, "0")]


def _any_year(digits: str) -> list[str]:
    if len(digits) == 2:
        return ["oh", *cardinal(digits[1])] if digits[0] == "0" else cardinal(digits)
    return year(digits)


def _slash_date(match: re.Match[str]) -> list[str] | None:
    first, second = match["first"], match["second"]
    if int(first) > 12:
        first, second = second, first
    return date(second, int(first), match["year"])


def _named_date(match: re.Match[str]) -> list[str] | None:
    month = MONTHS.get(match["month"].lower())
    if month is None or not 1 <= int(match["day"]) <= 31:
        return None
    words = ["the", *ordinal(match["day"].lstrip("0") or "0"), "of", month]
    return words + (year(match["year"]) if match["year"] else [])


def _range(match: re.Match[str]) -> list[str]:
    low, high, unit = match["low"], match["high"], match["unit"]
    if match["meridiem"]:
        return [*decimal(low), "to", *decimal(high), match["meridiem"].upper(), "M"]
    years = len(low) == 4 and len(high) in (2, 4) and "1" <= low[0] <= "2" and not unit
    words = [*(year(low) if years else decimal(low)), "to"]
    if unit == "%":
        return [*words, *decimal(high), "percent"]
    if unit:
        return words + quantity(high, unit)
    return words + (year(high) if years and len(high) == 4 else decimal(high))


def _scaled(match: re.Match[str]) -> list[str]:
    return [*decimal(match["number"]), SCALES[match["scale"]]]


def _scientific(match: re.Match[str]) -> list[str]:
    sign = ["minus"] if match["power"][0] == "-" else []
    power = cardinal(match["power"].lstrip("+-"))
    return [*decimal(match["number"]), "times", "ten", "to", "the", *sign, *power]


def _signed(match: re.Match[str]) -> list[str]:
    return ["minus", *decimal(match["number"])]


def _percent(match: re.Match[str]) -> list[str]:
    sign = ["minus"] if match["sign"] else []
    return [*sign, *decimal(match["number"]), "percent"]


def _measured(match: re.Match[str]) -> list[str]:
    sign = ["minus"] if match["sign"] else []
    if "-" in match[0][1:]:
        return [*sign, *decimal(match["number"]), *plural(UNITS[match["unit"]], "1")]
    return sign + quantity(match["number"], match["unit"])


def version(text: str) -> list[str]:
    """Return dotted numbers: 1.2.10 -> one point two point ten."""
    first, *rest = text.split(".")
    return cardinal(first) + [word for part in rest for word in ("point", *cardinal(part))]


def _mixed(match: re.Match[str]) -> list[str]:
    part = fraction(match["top"], match["bottom"])
    if part[0] == "one" and part[1:] in (["half"], ["quarter"]):
        part = ["a", *part[1:]]
    return [*cardinal(match["whole"]), "and", *part]


def _fraction(match: re.Match[str]) -> list[str]:
    if match[0] in ("24/7", "9/11", "7/11") or match["top"] == match["bottom"]:
        return cardinal(match["top"]) + cardinal(match["bottom"])
    return fraction(match["top"], match["bottom"])


def _by(match: re.Match[str]) -> list[str]:
    return [*decimal(match["a"]), "by", *decimal(match["b"])]


def _compile(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags)


NUMBER_RULES: tuple[Rule, ...] = (
    (
        _compile(r"(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)(?![\d-])"),
        lambda m: date(m["d"], int(m["m"]), m["y"]),
    ),
    (
        _compile(r"(?P<first>\d\d?)/(?P<second>\d\d?)/(?P<year>\d{4}|\d\d)(?![\d/])"),
        _slash_date,
    ),
    (
        _compile(r"(?P<d>\d\d?)\.(?P<m>\d\d?)\.(?P<y>\d{4})(?!\d)"),
        lambda m: date(m["d"], int(m["m"]), m["y"]),
    ),
    (
        _compile(
            r"\+\d{1,3}(?:[ .-]?\(?\d{2,4}\)?){2,5}(?!\d)|\(\d{3}\) ?\d{3}-\d{4}(?!\d)"
            r"|(?:1-)?\d{3}[-.]\d{3}[-.]\d{4}(?!\d)|\d{3}-\d{4}(?![\d-])"
        ),
        lambda m: digit_groups(m[0]),
    ),
    (
        _compile(rf"(?P<h>\d\d?):(?P<m>\d\d)(?::\d\d)?(?:\s?{_MERIDIEM})?(?![\d:])", re.I),
        lambda m: clock_time(m["h"], m["m"], m["meridiem"]),
    ),
    (
        _compile(rf"(?P<h>\d\d?)\s?{_MERIDIEM}(?!\w)", re.I),
        lambda m: clock_time(m["h"], None, m["meridiem"]),
    ),
    (
        _compile(rf"(?P<day>\d\d?)(?:st|nd|rd|th)?(?: of)? {MONTH}(?:,? (?P<year>\d{{4}})\b)?"),
        _named_date,
    ),
    (_compile(rf"'?(?P<d>\d{{3}}0|\d0)'?s{_END}"), lambda m: decade(m["d"])),
    (
        _compile(rf"(?P<c>{_CODES}) ?(?P<n>{NUMBER})(?: ?(?P<s>{_SCALE})\b)?(?!\w|,\d)"),
        lambda m: money(m["c"], m["n"], m["s"]),
    ),
    (
        _compile(rf"(?P<n>{NUMBER})(?: ?(?P<s>{_SCALE})\b)? ?(?P<c>{_CODES}){_END}"),
        lambda m: money(m["c"], m["n"], m["s"]),
    ),
    (
        _compile(
            rf"(?P<low>{NUMBER}) ?[-\u2013] ?(?P<high>{NUMBER})"
            rf"(?: ?(?P<unit>%|(?:{_UNIT}){_END})| ?{_MERIDIEM})?(?![\d-])(?!\w)"
        ),
        _range,
    ),
    (_compile(rf"(?P<sign>[-\u2013])?(?P<number>{NUMBER}) ?(?:%|percent\b)"), _percent),
    (_compile(rf"(?P<n>\d[\d,]*)(?:st|nd|rd|th){_END}"), lambda m: ordinal(m["n"])),
    (_compile(r"(?P<whole>\d+) (?P<top>\d)/(?P<bottom>\d\d?)(?![\d/])"), _mixed),
    (_compile(r"(?P<top>\d+)/(?P<bottom>[1-9]\d*)(?![\d/])"), _fraction),
    (_compile(r"\d+(?:\.\d+){2,}"), lambda m: version(m[0])),
    (_compile(rf"(?P<a>{NUMBER})(?P<gap> ?)[x\u00d7](?P=gap)(?P<b>{NUMBER})(?!\w)"), _by),
    (_compile(rf"(?P<number>{NUMBER})(?P<scale>k|(?<=\d\d)K){_END}"), _scaled),
    (_compile(rf"(?P<number>{NUMBER})x(?!\w)"), lambda m: [*decimal(m["number"]), "times"]),
    (_compile(rf"(?P<number>{NUMBER})[eE](?P<power>[-+]?\d+)(?!\w)"), _scientific),
    (_compile(r"911(?!\w|[.,]\d)"), lambda m: spelled_digits(m[0])),
    (
        _compile(
            rf"(?P<sign>[-\u2013])?(?P<number>{NUMBER})[ -]?(?P<unit>{_UNIT})"
            r"(?![\w/'])(?:\.(?= [a-z]))?"
        ),
        _measured,
    ),
    (_compile(rf"[-\u2013](?P<number>{NUMBER})(?!\w)"), _signed),
    (_compile(rf"#(?P<n>{NUMBER})(?!\w)"), lambda m: ["number", *decimal(m["n"])]),
)
"""Tried in order at a digit, sign, `#` or currency; plain numbers come after them."""

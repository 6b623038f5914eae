"""Tables of English abbreviations, units, months and names read in a special way."""

MONTHS = {
    "january": "january", "february": "february", "march": "march", "april": "april",
    "may": "may", "june": "june", "july": "july", "august": "august",
    "september": "september", "october": "october", "november": "november",
    "december": "december", "jan": "january", "feb": "february", "mar": "march",
    "apr": "april", "jun": "june", "jul": "july", "aug": "august", "sep": "september",
    "sept": "september", "oct": "october", "nov": "november", "dec": "december",
}  # fmt: skip
MONTH_NAMES = tuple(dict.fromkeys(MONTHS.values()))

TITLES = {
    "dr": "doctor", "mr": "mister", "mrs": "missus", "ms": "miz", "prof": "professor",
    "rev": "reverend", "hon": "honorable", "gen": "general", "col": "colonel",
    "capt": "captain", "lt": "lieutenant", "sgt": "sergeant", "maj": "major", "gov": "governor",
    "sen": "senator", "rep": "representative", "pres": "president", "st": "saint",
    "mt": "mount", "ft": "fort", "messrs": "messrs", "mme": "madame", "fr": "father",
}  # fmt: skip
"""Abbreviations that stand before a name; never the end of a sentence."""

BEFORE_NUMBERS = {
    "no": "number", "nos": "numbers", "vol": "volume", "fig": "figure", "figs": "figures",
    "p": "page", "pp": "pages", "ch": "chapter", "sec": "section", "art": "article",
    "eq": "equation",
}  # fmt: skip
"""Abbreviations only when a number follows."""

ABBREVIATIONS = {
    "etc": "et cetera", "vs": "versus", "approx": "approximately", "dept": "department",
    "inc": "incorporated", "ltd": "limited", "co": "company", "corp": "corporation",
    "ave": "avenue", "blvd": "boulevard", "rd": "road", "sr": "senior", "jr": "junior",
    "est": "established", "cf": "compare", "ca": "circa", "max": "maximum", "min": "minimum",
    "tel": "telephone", "govt": "government", "assn": "association", "bros": "brothers",
    "univ": "university", "al": "al", "esp": "especially",
    "incl": "including", "ext": "extension", "misc": "miscellaneous", "temp": "temperature",
    "ed": "editor", "eds": "editors", "resp": "respectively",
}  # fmt: skip
"""Abbreviations when a full stop follows them."""

WITHOUT_STOP = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "etc": "et cetera",
    "vs": "versus", "aka": "A K A", "asap": "A S A P", "phd": "P H D", "w/": "with",
    "w/o": "without", "am": "am",
}  # fmt: skip
"""Abbreviations that are also read so without a full stop."""

DOTTED = {
    "e.g": "for example", "i.e": "that is", "a.m": "A M", "p.m": "P M", "ph.d": "P H D",
    "a.k.a": "A K A", "r.i.p": "R I P",
}  # fmt: skip

OFTEN_LAST = frozenset("etc inc ltd co corp jr sr a.m p.m u.s u.k ph.d b.c a.d ave rd al".split())
"""Abbreviations that may end a sentence if a capital follows."""

SPELLED = frozenset(
    "US UK EU UN TV AI IT ID PC CD DVD PM AM OK PR HR VR AR UI IP PDF WHO AD BC CE".split()
)
"""Capitals that are spelled although the lexicon has such a word."""

UNITS = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "mi": "mile",
    "ft": "foot", "yd": "yard", "kg": "kilogram", "g": "gram", "mg": "milligram",
    "lb": "pound", "lbs": "pound", "oz": "ounce", "l": "liter", "L": "liter",
    "ml": "milliliter", "mL": "milliliter", "h": "hour", "hr": "hour", "hrs": "hour",
    "min": "minute", "mins": "minute", "s": "second", "sec": "second", "secs": "second",
    "ms": "millisecond", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz",
    "GHz": "gigahertz", "W": "watt", "kW": "kilowatt", "MW": "megawatt", "GW": "gigawatt",
    "kWh": "kilowatt hour", "V": "volt", "A": "amp", "mAh": "milliamp hour", "J": "joule",
    "kJ": "kilojoule", "kcal": "kilocalorie", "cal": "calorie", "kB": "kilobyte",
    "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "px": "pixel",
    "dB": "decibel", "ha": "hectare", "mph": "mile per hour", "kph": "kilometer per hour",
    "km/h": "kilometer per hour", "m/s": "meter per second", "kmh": "kilometer per hour",
    "fps": "frame per second", "rpm": "revolution per minute", "Mbps": "megabit per second",
    "\u00b0C": "degree celsius", "\u00b0F": "degree fahrenheit", "\u00b0": "degree",
    "C": "degree celsius", "F": "degree fahrenheit", "kN": "kilonewton", "N": "newton",
    "km2": "square kilometer", "m2": "square meter", "m3": "cubic meter",
}  # fmt: skip
"""Units after a number, in the singular."""

IRREGULAR_PLURALS = {"foot": "feet", "hertz": "hertz"}

CURRENCIES = {
    "$": ("dollar", "cent"), "\u20ac": ("euro", "cent"), "\u00a3": ("pound", "penny"),
    "\u00a5": ("yen", ""), "USD": ("dollar", "cent"), "EUR": ("euro", "cent"),
    "GBP": ("pound", "penny"), "JPY": ("yen", ""), "CHF": ("franc", "centime"),
    "CAD": ("canadian dollar", "cent"), "AUD": ("australian dollar", "cent"),
    "INR": ("rupee", "paisa"), "CNY": ("yuan", ""), "US$": ("dollar", "cent"),
}  # fmt: skip
"""Symbol or code -> unit and hundredth."""

SCALES = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million",
    "bn": "billion", "B": "billion", "b": "billion", "tn": "trillion", "T": "trillion",
    "thousand": "thousand", "million": "million", "billion": "billion",
    "trillion": "trillion", "hundred": "hundred",
}  # fmt: skip

SYMBOLS = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "\u00d7": "times",
    "\u00f7": "divided by", "\u00b1": "plus or minus", "\u00a7": "section",
    "\u00b0": "degrees", "$": "dollars", "\u20ac": "euros", "\u00a3": "pounds",
    "\u00a5": "yen", "\u00a2": "cents",
}  # fmt: skip

REGNAL = frozenset(
    "louis henry charles philip george edward pius william richard ptolemy john paul "
    "nicholas frederick james alfonso ivan napoleon leo gregory catherine elizabeth mary "
    "benedict francis victoria alexander clement innocent urban harald haakon gustav".split()
)
RULERS = frozenset("king queen pope emperor empress tsar kaiser prince sultan saint".split())
NUMBERED = frozenset(
    "chapter part volume act scene section book war phase type class title article appendix "
    "apollo stage level season episode figure table bowl".split()
)
"""Words after which a Roman numeral is a plain number."""

STARTERS = frozenset(
    "the a an he she it they we you i in on at this that these those but and so then when "
    "if after before there here his her its their our my no yes what who how why".split()
)
"""Words that begin a sentence more often than they continue a name."""

WEEKDAYS = {
    "mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday",
    "thu": "thursday", "thur": "thursday", "thurs": "thursday", "fri": "friday",
    "sat": "saturday", "sun": "sunday",
}  # fmt: skip

FREQUENT = frozenset(
    "the of and to in a is that it was for on are as with his they at be this have from or by "
    "one had not but what all were we when your can said there use an each which she do how "
    "their if will up other about out many then them these so some her would make like him into "
    "time has look two more go see no way could people my than been call who its now you i he "
    "me our us did does don't it's i'm because very".split()
)
"""Words of which every English text is full."""

CONJUNCTIONS = frozenset("and but or so because although while which who that when".split())
"""Words before which a very long sentence may be cut."""

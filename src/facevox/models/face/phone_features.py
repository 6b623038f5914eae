"""Phones as what the mouth does, so that rare phones inherit from their relatives.

A one-hot code would know nothing of a phone that the training corpus lacks.
Here /oy/ is a rounded back vowel that ends as a spread front one, and /zh/ is a
voiced /sh/, whether or not either was ever seen.

Reference:
    The chart of the International Phonetic Alphabet, 2015 revision.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from facevox.core.speech import PHONES, SILENCE, Phone

HOP_RATE = 100
"""Rows of features per second."""

TRAITS = (
    *("silence", "vowel", "height", "back", "round", "rhotic"),
    *("bilabial", "labiodental", "dental", "alveolar", "postalveolar", "velar", "glottal"),
    *("stop", "fricative", "nasal", "lateral", "approximant", "voiced"),
)
"""Articulatory traits, each 0 to 1; `height` is 1 for a closed jaw, `back` 1 for back vowels."""

NUM_FEATURES = len(TRAITS) + 5
"""Traits, then position in the phone, log duration, stress, energy, and whether energy is known."""

ENERGY_FLOOR = -30.0
"""Loudness that counts as nothing, below the sentence's loud parts [dB]."""

_VOWELS = {
    # height, back, round and rhotic at the start, then at the end of the vowel
    "aa": ((0.0, 0.8, 0.0, 0), None),
    "ae": ((0.1, 0.1, 0.0, 0), None),
    "ah": ((0.35, 0.6, 0.0, 0), None),
    "ax": ((0.55, 0.5, 0.0, 0), None),
    "ao": ((0.25, 0.9, 0.6, 0), None),
    "aw": ((0.05, 0.5, 0.0, 0), (0.75, 0.9, 0.9, 0)),
    "ay": ((0.05, 0.5, 0.0, 0), (0.85, 0.1, 0.0, 0)),
    "eh": ((0.4, 0.1, 0.0, 0), None),
    "er": ((0.55, 0.5, 0.5, 1), None),
    "ey": ((0.5, 0.1, 0.0, 0), (0.9, 0.0, 0.0, 0)),
    "ih": ((0.8, 0.2, 0.0, 0), None),
    "iy": ((1.0, 0.0, 0.0, 0), None),
    "ow": ((0.5, 0.9, 0.7, 0), (0.8, 0.9, 1.0, 0)),
    "oy": ((0.3, 0.9, 0.7, 0), (0.85, 0.1, 0.0, 0)),
    "uh": ((0.8, 0.8, 0.6, 0), None),
    "uw": ((0.95, 0.8, 1.0, 0), None),
}

_CONSONANTS = {
    "b": "bilabial stop voiced",
    "ch": "postalveolar stop fricative round:.6",
    "d": "alveolar stop voiced",
    "dh": "dental fricative voiced",
    "f": "labiodental fricative",
    "g": "velar stop voiced",
    "hh": "glottal fricative",
    "jh": "postalveolar stop fricative voiced round:.6",
    "k": "velar stop",
    "l": "alveolar lateral approximant voiced",
    "m": "bilabial nasal voiced",
    "n": "alveolar nasal voiced",
    "ng": "velar nasal voiced",
    "p": "bilabial stop",
    "r": "postalveolar approximant voiced rhotic round:.6",
    "s": "alveolar fricative",
    "sh": "postalveolar fricative round:.6",
    "t": "alveolar stop",
    "th": "dental fricative",
    "v": "labiodental fricative voiced",
    "w": "velar approximant voiced round back:.9 height",
    "y": "approximant voiced height",
    "z": "alveolar fricative voiced",
    "zh": "postalveolar fricative voiced round:.6",
}


def _vowel(values: tuple[float | int, ...]) -> np.ndarray:
    row = np.zeros(len(TRAITS), np.float32)
    row[[TRAITS.index("vowel"), TRAITS.index("voiced")]] = 1
    for name, value in zip(("height", "back", "round", "rhotic"), values, strict=True):
        row[TRAITS.index(name)] = value
    return row


def _consonant(words: str) -> np.ndarray:
    row = np.zeros(len(TRAITS), np.float32)
    for word in words.split():
        name, _, amount = word.partition(":")
        row[TRAITS.index(name)] = float(amount or 1)
    return row


def _build_table() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    table = {}
    for name in PHONES:
        if name in _VOWELS:
            first, last = _VOWELS[name]
            table[name] = (_vowel(first), _vowel(last or first))
        else:
            table[name] = (_consonant(_CONSONANTS[name]),) * 2
    table[SILENCE] = (_consonant("silence"),) * 2
    return table


TABLE = _build_table()
"""Traits of each phone at its start and at its end (diphthongs move)."""


def phone_features(
    phones: Sequence[Phone],
    times: Float32[np.ndarray, " hops"],
    energy: Float32[np.ndarray, " hops"] | None = None,
) -> Float32[np.ndarray, "hops features"]:
    """Return what the mouth network reads, one row per instant.

    Args:
        phones: Phones in order, without gaps; times outside them are silence.
        times: Instants to describe [s].
        energy: Loudness at these instants, 0 to 1, or None when it is not known.
    """
    rows = np.zeros((len(times), NUM_FEATURES), np.float32)
    rows[:, TRAITS.index("silence")] = 1
    if phones:
        starts = np.array([phone.start for phone in phones])
        ends = np.array([phone.end for phone in phones])
        index = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, None)
        inside = np.flatnonzero((times >= starts[0]) & (times < ends[-1]))
        index = index[inside]
        length = np.maximum(ends - starts, 1e-3)
        position = np.clip((times[inside] - starts[index]) / length[index], 0, 1)[:, None]
        first = np.stack([TABLE[phone.name][0] for phone in phones])[index]
        last = np.stack([TABLE[phone.name][1] for phone in phones])[index]
        stress = np.array([float(phone.stress == 1) for phone in phones])[index]
        rows[inside, : len(TRAITS)] = first + (last - first) * position
        silent = first[:, :1] > 0
        rows[inside, len(TRAITS)] = np.where(silent, 0, position)[:, 0]
        rows[inside, len(TRAITS) + 1] = np.clip(np.log(length[index] / 0.08), -1.5, 1.5)
        rows[inside, len(TRAITS) + 1] *= ~silent[:, 0]
        rows[inside, len(TRAITS) + 2] = stress
    if energy is not None:
        rows[:, len(TRAITS) + 3] = energy
        rows[:, len(TRAITS) + 4] = 1
    return rows


def loudness(
    waveform: Float32[np.ndarray, " samples"],
    sample_rate: int,
    times: Float32[np.ndarray, " hops"],
) -> Float32[np.ndarray, " hops"]:
    """Return loudness around each instant, 0 (silent) to 1 (as loud as the loud parts)."""
    if len(waveform) == 0:
        return np.zeros(len(times), np.float32)
    total = np.concatenate([[0.0], np.cumsum(waveform.astype(np.float64) ** 2)])
    half = 0.02
    low = np.clip(((times - half) * sample_rate).astype(int), 0, len(waveform))
    high = np.clip(((times + half) * sample_rate).astype(int), 0, len(waveform))
    power = (total[high] - total[low]) / (2 * half * sample_rate)
    level = 10 * np.log10(power + 1e-10)
    loud = np.percentile(level, 95) if len(level) else 0.0
    return np.clip(1 - (level - loud) / ENERGY_FLOOR, 0, 1.2).astype(np.float32)

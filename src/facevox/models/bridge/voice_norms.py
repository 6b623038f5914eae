"""What voices are usual for a sex and an age.

The curves are smoothed, rounded readings of the literature, meant for picking a fitting
voice, not for measuring anybody:

- men speak at about 120 Hz at 20, lowest in their forties, and rise after 60
  (Hollien & Shipp, Speaking fundamental frequency and chronologic age in males, 1972);
- women speak at about 200-210 Hz and fall by 20-30 Hz towards 70; children are higher;
- the vocal tract of women is about 15 % shorter than that of men, that of children shorter
  again (Titze, Physiologic and acoustic differences between male and female voices, 1989;
  Fitch & Giedd, Morphology and development of the human vocal tract, 1999);
- old people speak slower, by 10-20 %.
"""

from dataclasses import dataclass

import numpy as np

YOUNGEST, OLDEST = 4.0, 90.0

_F0 = {
    "male": ((5, 285), (8, 262), (11, 238), (13, 195), (15, 135), (18, 121), (30, 114), (45, 108),
             (60, 113), (75, 130), (85, 140)),
    "female": ((5, 285), (8, 265), (11, 242), (13, 228), (16, 214), (25, 207), (40, 200),
               (55, 190), (70, 180), (85, 184)),
}  # fmt: skip
"""Age [years] and mean fundamental frequency [Hz]."""

_TRACT = {
    "male": ((5, 0.70), (8, 0.75), (11, 0.80), (13, 0.85), (15, 0.92), (18, 0.98)),
    "female": ((5, 0.70), (8, 0.75), (11, 0.80), (13, 0.83), (16, 0.86)),
}
"""Age [years] and length of the vocal tract over that of an average man of a speech engine."""

_RATE = ((5, 0.90), (10, 0.96), (18, 1.02), (40, 1.0), (60, 0.96), (80, 0.88))
_F0_RANGE = {
    "male": ((10, 1.15), (20, 1.0), (60, 0.95), (80, 0.85)),
    "female": ((10, 1.2), (20, 1.12), (60, 1.0), (80, 0.88)),
}
_BRIGHTNESS = {
    "male": ((10, 1.0), (20, 0.0), (45, -0.5), (80, -2.5)),
    "female": ((10, 1.0), (20, 0.8), (45, 0.0), (80, -2.5)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class VoiceNorm:
    """A usual voice.

    Attributes:
        f0_mean: Mean fundamental frequency [Hz].
        vocal_tract: Length of the vocal tract, 1 = an average man's.
        rate: Speaking rate relative to that of a person of 40.
        f0_range: Liveliness of the melody relative to an average speaker's.
        brightness: Spectral tilt [dB at 4 kHz].
    """

    f0_mean: float
    vocal_tract: float
    rate: float
    f0_range: float
    brightness: float


def usual_voice(female: float, age: float) -> VoiceNorm:
    """Return the usual voice of a sex and an age.

    Args:
        female: 0 for a man, 1 for a woman; between them the voice lies between.
        age: [years], held between `YOUNGEST` and `OLDEST`.
    """
    age = float(np.clip(age, YOUNGEST, OLDEST))

    def between(curves: dict[str, tuple]) -> float:
        return (1 - female) * _read(curves["male"], age) + female * _read(curves["female"], age)

    log_f0 = {sex: tuple((at, np.log(f0)) for at, f0 in curve) for sex, curve in _F0.items()}
    return VoiceNorm(
        f0_mean=float(np.exp(between(log_f0))),
        vocal_tract=between(_TRACT),
        rate=_read(_RATE, age),
        f0_range=between(_F0_RANGE),
        brightness=between(_BRIGHTNESS),
    )


def _read(curve: tuple, age: float) -> float:
    ages, values = zip(*curve, strict=True)
    return float(np.interp(age, ages, values))

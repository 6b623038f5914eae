"""A voice made of a buzz, for front ends and speaker encoders."""

import numpy as np
from scipy.signal import lfilter


def vowels(f0, seconds, sample_rate=16_000):
    """Buzz through three resonances: enough like speech for a front end."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = np.cumsum(f0 * (1 + 0.1 * np.sin(2 * np.pi * 3 * time))) / sample_rate
    waveform = np.diff(np.floor(phase), prepend=0.0)
    for center in (500 + 2 * f0, 1500, 2500):
        pole = 0.97 * np.exp(2j * np.pi * center / sample_rate)
        waveform = lfilter([1.0], [1.0, -2 * pole.real, abs(pole) ** 2], waveform)
    waveform = waveform * (0.6 + 0.4 * np.sin(2 * np.pi * 2 * time))
    return (0.3 * waveform / np.abs(waveform).max()).astype(np.float32)

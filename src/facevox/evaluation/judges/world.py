"""Pitch and spectral envelope of speech by WORLD.

Not a network: it is listed among the judges because it is a module of its own that must be
installed, and because reports name its version.

Reference:
    Morise, Yokomori and Ozawa, WORLD, IEICE Transactions, 2016; Morise, Harvest, Interspeech
    2017 (pitch); Morise, CheapTrick, Speech Communication, 2015 (envelope).
"""

import warnings
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64

from facevox.core.errors import MissingPiece

SAMPLE_RATE = 16_000
FRAME_PERIOD = 5.0
"""Step between frames [ms]."""

F0_FLOOR, F0_CEILING = 71.0, 800.0
"""Range in which Harvest looks for the pitch [Hz]."""

BINS = 513
"""Frequencies of an envelope at 16 kHz, from 0 to 8 kHz."""


@dataclass(frozen=True, slots=True)
class WorldAnalysis:
    """What WORLD finds in a sound.

    Attributes:
        f0: Fundamental frequency of every frame [Hz], 0 where unvoiced.
        envelope: Power spectrum without harmonics, of every frame.
    """

    f0: Float64[np.ndarray, " frames"]
    envelope: Float64[np.ndarray, "frames 513"]


@runtime_checkable
class VoiceAnalyser(Protocol):
    """What is asked of WORLD."""

    def analyse(self, waveform: Float32[np.ndarray, " samples"]) -> WorldAnalysis:
        """Return pitch and envelope of mono samples at 16 kHz."""
        ...


class World:
    """Harvest and CheapTrick at 16 kHz, a frame every 5 ms.

    Args:
        module: The module pyworld.
    """

    def __init__(self, module: Any) -> None:
        self._module = module

    def analyse(self, waveform: Float32[np.ndarray, " samples"]) -> WorldAnalysis:
        """Return pitch and envelope.

        Args:
            waveform: Mono samples at 16 kHz.
        """
        sound = np.ascontiguousarray(waveform, dtype=np.float64)
        f0, times = self._module.harvest(
            sound,
            SAMPLE_RATE,
            f0_floor=F0_FLOOR,
            f0_ceil=F0_CEILING,
            frame_period=FRAME_PERIOD,
        )
        envelope = self._module.cheaptrick(
            sound, f0, times, SAMPLE_RATE, f0_floor=F0_FLOOR, fft_size=2 * (BINS - 1)
        )
        return WorldAnalysis(f0, envelope)


def load_world() -> World:
    """Return WORLD.

    Raises:
        MissingPiece: If pyworld is not installed, or cannot be imported because setuptools
            is too new for it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports pkg_resources, which warns
            import pyworld
    except ImportError as error:
        raise MissingPiece(
            f"pyworld cannot be imported ({error}); run pip install 'facevox[world]', which "
            "also brings a setuptools that it can use."
        ) from error
    return World(pyworld)
